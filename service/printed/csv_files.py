"""CSV for scripts and spreadsheets."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from service import errors
from service.model import formulas


def write(path: Path, header: Sequence[str], rows: Iterable[Sequence[object]]) -> int:
    """Returns how many rows. A text that a spreadsheet would take for a formula is quoted; None is empty.

    Raises ConfigError where the file cannot be written.
    """
    written = [
        [formulas.harmless(value) if isinstance(value, str) else value for value in row] for row in rows
    ]
    try:
        with path.open("w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows([header, *written])
    except OSError as error:
        raise errors.ConfigError(f"cannot write {path}: {error.strerror}") from error
    return len(written)
