"""CSV for scripts and spreadsheets."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from service import errors

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Returns how many rows. A text that a spreadsheet would take for a formula is quoted; None is empty.

    Raises ConfigError where the file cannot be written.
    """
    written = [[_harmless(value) for value in row] for row in rows]
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *written])
    except OSError as error:
        raise errors.ConfigError(f"cannot write {path}: {error.strerror}") from error
    return len(written)


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value
