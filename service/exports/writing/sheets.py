"""A sheet of the workbook: its header stays in view, its columns filter, it prints on whole pages."""

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path

from xlsxwriter import format as formats
from xlsxwriter import worksheet

from service.exports import tables
from service.exports.writing import parquet, styles

_LONGEST_NAME = 31
_NOT_IN_NAMES = re.compile(r"[\[\]:*?/\\']")
_LETTER = 1  # the paper of the districts
_NARROW, _WIDE, _WIDEST = 9, 44, 80  # characters
_NEAR = 5  # columns
_READABLE = 230  # characters on a landscape page
_SCALE = 60  # percent
_LOOKED_AT = 500  # rows that decide on widths
_LONGEST_TEXT = 32_767
_LONGEST_FOOTER = 120
_FIRST_YEAR = 1900  # spreadsheets have no earlier date

Cell = Callable[[int, int, object, formats.Format], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What every sheet of a workbook shares."""

    style: styles.Style
    title: str
    mark: str


def names(wanted: Iterable[str]) -> list[str]:
    """Names that a workbook takes: short, without its signs, and no two alike but for capitals."""
    taken: set[str] = set()
    return [_name(one, taken) for one in wanted]


def _name(wanted: str, taken: set[str]) -> str:
    base = _NOT_IN_NAMES.sub(" ", wanted).strip() or "Sheet"
    name, number = base[:_LONGEST_NAME], 2
    while name.casefold() in taken:
        ending = f" {number}"
        name, number = base[: _LONGEST_NAME - len(ending)] + ending, number + 1
    taken.add(name.casefold())
    return name


def write(sheet: worksheet.Worksheet, parts: Parts, *, table: tables.Table, source: Path) -> None:
    first = marked(sheet, parts)
    for at, name in enumerate(table.names):
        sheet.write_string(first, at, name, parts.style.header)
    cells = [(_cell(sheet, column, parts.style), parts.style.of(column)) for column in table.columns]
    widths, row = [len(name) for name in table.names], first
    for row, values in enumerate(parquet.rows(source), first + 1):
        _put(row, values, cells)
        if row - first <= _LOOKED_AT:
            widths = [max(width, shown(value)) for width, value in zip(widths, values, strict=True)]
    _finish(sheet, table, parts=parts, widths=widths, rows=(first, row))


def marked(sheet: worksheet.Worksheet, parts: Parts) -> int:
    """The row from which the sheet is free: below its mark, where it has one."""
    if not parts.mark:
        return 0
    sheet.write_string(0, 0, parts.mark, parts.style.mark)
    return 1


def _put(row: int, values: Sequence[object], cells: Sequence[tuple[Cell, formats.Format]]) -> None:
    for at, value in enumerate(values):
        if value is not None:
            put, style = cells[at]
            put(row, at, value, style)


def _cell(sheet: worksheet.Worksheet, column: tables.Column, chosen: styles.Style) -> Cell:
    """Each kind by its own function: none of them takes a text for a formula, a number or a link."""

    def text(row: int, at: int, value: object, style: formats.Format) -> None:
        told = str(value)[:_LONGEST_TEXT]
        sheet.write_string(row, at, told, chosen.long if len(told) > _WIDEST else style)

    def day(row: int, at: int, value: object, style: formats.Format) -> None:
        if isinstance(value, date) and value.year >= _FIRST_YEAR:
            sheet.write_datetime(row, at, _plain(value), style)
        else:
            text(row, at, value, style)

    by_kind: dict[tables.Kind, Cell] = {
        "integer": sheet.write_number,
        "number": sheet.write_number,
        "boolean": sheet.write_boolean,
        "date": day,
        "instant": day,
    }
    return by_kind.get(column.kind, text)


def _plain(value: date) -> date:
    return value.replace(tzinfo=None) if isinstance(value, datetime) else value


def shown(value: object) -> int:
    """About how many characters wide."""
    if value is None:
        return 0
    return max(len(line) for line in str(value)[:500].split("\n"))


def _finish(
    sheet: worksheet.Worksheet,
    table: tables.Table,
    *,
    parts: Parts,
    widths: Sequence[int],
    rows: tuple[int, int],
) -> None:
    first, last = rows
    wide = [min(max(width + 3, _NARROW), _WIDEST if width > _WIDEST else _WIDE) for width in widths]
    for at, width in enumerate(wide):
        sheet.set_column(at, at, width)
    sheet.freeze_panes(first + 1, _in_view(table))
    sheet.autofilter(first, 0, max(last, first), len(widths) - 1)
    sheet.repeat_rows(first)
    printed(sheet, parts, is_one_page_wide=sum(wide) <= _READABLE)
    if sum(wide) > _READABLE and _in_view(table):
        sheet.repeat_columns(0, _in_view(table) - 1)


def _in_view(table: tables.Table) -> int:
    """How many columns stay in view: those up to the name of a row, where that is near; else a key in front."""
    for at, name in enumerate(table.names[:_NEAR], 1):
        if name.endswith("_name"):
            return at
    return 1 if table.names[0] in table.key else 0


def printed(sheet: worksheet.Worksheet, parts: Parts, *, is_one_page_wide: bool = True) -> None:
    """A sheet too wide to be read on one page goes on over pages, its first columns on each."""
    sheet.set_landscape()
    sheet.set_paper(_LETTER)
    if is_one_page_wide:
        sheet.fit_to_pages(1, 0)
    else:
        sheet.set_print_scale(_SCALE)
        sheet.print_across()
    sheet.set_margins(left=0.4, right=0.4, top=0.6, bottom=0.75)
    mark = f"&C{_footed(parts.mark)}" if parts.mark else ""
    sheet.set_footer(f"&L{_footed(parts.title)}{mark}&RPage &P of &N")
    if parts.mark:
        sheet.set_header(f"&C&B{_footed(parts.mark)}")


def _footed(value: str) -> str:
    """An & begins a code there, and a line is short."""
    return value[:_LONGEST_FOOTER].replace("&", "&&")
