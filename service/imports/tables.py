"""Reads CSV and XLSX files row by row."""

import contextlib
import csv
import dataclasses
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from service import errors
from service.imports import cells

Cells = list[cells.Cell]

SPREADSHEETS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` gives each row after the header with its number; blank rows are left out."""

    header: list[str]
    rows: Iterator[tuple[int, Cells]]


@contextlib.contextmanager
def opened(path: Path, *, skip_rows: int = 0, sheet: str | None = None) -> Iterator[Table]:
    """Raises ImportRejected, here or while rows are read, where the file is not what its name says."""
    if path.suffix.lower() in SPREADSHEETS:
        yield _table(path, _spreadsheet_rows(path, sheet), skip_rows)
        return
    with _readable(path):
        file = path.open(encoding="utf-8-sig", newline="")
    with file:
        yield _table(path, _readably(path, _csv_rows(path, file)), skip_rows)


def without_footer(table: Table, footer: Sequence[str]) -> Table:
    """The table without the rows that begin with one of the texts, such as "Total"."""
    starts = tuple(text.casefold() for text in footer)
    kept = ((number, row) for number, row in table.rows if not _first(row).startswith(starts))
    return dataclasses.replace(table, rows=kept) if starts else table


def _first(row: Cells) -> str:
    return next(filter(None, map(cells.text, row)), "").casefold()


@contextlib.contextmanager
def _readable(path: Path) -> Iterator[None]:
    try:
        yield
    except UnicodeDecodeError as error:
        raise errors.ImportRejected(
            f"{path.name} is not UTF-8 ({_encoding(path)}): save it as 'CSV UTF-8 (comma delimited)'"
        ) from error
    except OSError as error:
        raise errors.ImportRejected(f"cannot read {path}: {error.strerror or error}") from error


def _readably(path: Path, rows: Iterable[Cells]) -> Iterator[Cells]:
    """Only what goes wrong while the file is read: not what goes wrong with what becomes of its rows."""
    with _readable(path):
        yield from rows


def _encoding(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(2)
    return "it is UTF-16" if start in (b"\xff\xfe", b"\xfe\xff") else "perhaps it is Windows-1252"


def _csv_rows(path: Path, file: IO[str]) -> Iterator[Cells]:
    reader = csv.reader(file, strict=True)
    try:
        for row in reader:
            yield list(row)
    except csv.Error as error:
        raise errors.ImportRejected(f"{path.name}, line {reader.line_num}: not valid CSV: {error}") from error


def _spreadsheet_rows(path: Path, sheet: str | None) -> Iterable[Cells]:
    try:
        import python_calamine
    except ImportError as error:
        raise errors.ImportRejected(
            f'{path.name} is a spreadsheet: run pip install "afterbell[xlsx]", or save it as CSV'
        ) from error
    try:
        workbook = python_calamine.CalamineWorkbook.from_path(path)
        found = workbook.get_sheet_by_index(0) if sheet is None else workbook.get_sheet_by_name(sheet)
    except python_calamine.WorksheetNotFound as error:
        raise errors.ImportRejected(f"{path.name} has no sheet {sheet!r}") from error
    except (python_calamine.CalamineError, OSError) as error:
        raise errors.ImportRejected(f"{path.name} cannot be read as a spreadsheet: {error}") from error
    return found.iter_rows()


def _table(path: Path, rows: Iterable[Cells], skip_rows: int) -> Table:
    numbered = enumerate(rows, start=1)
    for number, row in numbered:
        if number > skip_rows and any(map(cells.text, row)):
            header = [cells.text(cell) for cell in row]
            return Table(header, ((at, found) for at, found in numbered if any(map(cells.text, found))))
    raise errors.ImportRejected(f"{path.name} is empty: it has no header")
