"""One workbook of all tables, for people: an "About" sheet, the charts, then a sheet per table."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from service.exports import tables, threads
from service.exports.writing import about, charting, sheets, styles

# A sheet could hold ten times as many, but takes minutes to write and is slow to open: CSV and Parquet serve then.
MOST_ROWS = 100_000
_CREATED = datetime(1980, 1, 1, tzinfo=UTC).replace(
    tzinfo=None
)  # the format wants one; the ledger has the true time
_FIRST = ("notes",)  # tables that are read before the others


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """What goes on the sheet "About"."""

    title: str
    mark: str = ""
    lines: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """A table that is already in Parquet: only then is known how many rows it has."""

    table: tables.Table
    parquet: Path
    rows: int


def write(
    path: Path,
    sources: Sequence[Source],
    *,
    told: Told,
    charts: Sequence[tables.Chart] = (),
    scratch: Path,
    pulse: Callable[[], None] = threads.nothing,
) -> None:
    """``scratch``: a folder for what is not finished. A table of more than MOST_ROWS is named, not written.
    ``pulse``: called before each sheet, and may raise."""
    ordered = sorted(sources, key=lambda source: source.table.name not in _FIRST)
    written = [source for source in ordered if source.rows <= MOST_ROWS]
    names = sheets.names(
        [about.SHEET, *(chart.sheet for chart in charts), *(one.table.name for one in written)]
    )
    with _opened(path, told, scratch) as book:
        added = [book.add_worksheet(name) for name in names]
        style = styles.of(book)
        parts = sheets.Parts(style=style, title=told.title, mark=told.mark)
        left_out = [source.table for source in ordered if source.rows > MOST_ROWS]
        about.write(
            added[0], parts, lines=told.lines, contents=_contents(names, charts, written), left_out=left_out
        )
        for sheet, chart in zip(added[1:], charts, strict=False):
            charting.write(book, sheet, parts, chart=chart)
        for sheet, source in zip(added[1 + len(charts) :], written, strict=True):
            pulse()
            sheets.write(sheet, parts, table=source.table, source=source.parquet)


def _contents(
    names: Sequence[str], charts: Sequence[tables.Chart], written: Sequence[Source]
) -> list[tuple[str, str]]:
    says = [chart.title for chart in charts] + [f"{one.table.title}. {one.table.says}" for one in written]
    return list(zip(names[1:], says, strict=True))


@contextlib.contextmanager
def _opened(path: Path, told: Told, scratch: Path) -> Iterator[xlsxwriter.Workbook]:
    """Rows go to files in ``scratch`` as they come, so that memory does not grow with them."""
    book = xlsxwriter.Workbook(path, {"constant_memory": True, "tmpdir": str(scratch)})
    book.use_zip64()
    book.set_properties({"title": told.title, "comments": told.mark, "created": _CREATED})
    try:
        yield book
        book.close()
    finally:
        _let_go(book)


def _let_go(book: xlsxwriter.Workbook) -> None:
    """Closes what a failure left open; the failure itself is the one to tell."""
    for sheet in book.worksheets():
        with contextlib.suppress(OSError):
            sheet.row_data_fh.close()
