"""The first sheet of the workbook: what this is, what is in it, how to read its cells."""

from collections.abc import Mapping, Sequence

from xlsxwriter import worksheet

from service.exports import tables
from service.exports.writing import sheets, text

SHEET = "About"
_LEFT_OUT = "Not in this workbook: it has too many rows for a sheet. See csv/{0}.csv or parquet/{0}.parquet."
Line = tuple[str, str]


def write(
    sheet: worksheet.Worksheet,
    parts: sheets.Parts,
    *,
    lines: Mapping[str, str],
    contents: Sequence[Line],
    left_out: Sequence[tables.Table],
) -> None:
    row = sheets.marked(sheet, parts)
    sheet.write_string(row, 0, parts.title, parts.style.title)
    sections = (
        ("About", tuple(lines.items())),
        ("Sheets", (*contents, *((table.name, _LEFT_OUT.format(table.name)) for table in left_out))),
        ("Cells", tuple(("", line) for line in text.SAYS)),
    )
    for heading, told in sections:
        row = _section(sheet, parts, at=row + 2, heading=heading, lines=told)
    sheet.set_column(0, 0, 32)
    sheet.set_column(1, 1, 110)
    sheet.hide_gridlines(2)
    sheets.printed(sheet, parts)


def _section(
    sheet: worksheet.Worksheet, parts: sheets.Parts, *, at: int, heading: str, lines: Sequence[Line]
) -> int:
    """Returns its last row."""
    sheet.write_string(at, 0, heading, parts.style.header)
    sheet.write_string(at, 1, "", parts.style.header)
    for at, (name, says) in enumerate(lines, at + 1):  # noqa: B020
        sheet.write_string(at, 0, text.clean(name), parts.style.label)
        sheet.write_string(at, 1, text.clean(says), parts.style.long)
    return at
