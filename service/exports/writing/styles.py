"""How cells look: chosen by what a column is, and readable in grey."""

from collections.abc import Mapping
from dataclasses import dataclass

import xlsxwriter
from xlsxwriter import format as formats

from service.exports import tables

_TEXT = "@"
_WHOLE = "#,##0"
_SHARE = "0.0%"
_MONEY = "$#,##0.00"
_DATE = "yyyy-mm-dd"
_INSTANT = "yyyy-mm-dd hh:mm:ss"
_YES = "General"
_NAMES = (
    _TEXT,
    _WHOLE,
    _SHARE,
    _MONEY,
    _DATE,
    _INSTANT,
    _YES,
    *("0." + "0" * places for places in range(1, 9)),
    "0",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Style:
    title: formats.Format
    mark: formats.Format
    header: formats.Format
    label: formats.Format
    long: formats.Format
    by_number: Mapping[str, formats.Format]

    def of(self, column: tables.Column) -> formats.Format:
        return self.by_number[number(column.kind, column.unit, column.places)]


def number(kind: tables.Kind, unit: str, places: int) -> str:
    """The number format."""
    match kind:
        case "text" | "month":
            return _TEXT
        case "integer":
            return _WHOLE
        case "number":
            return _by_unit(unit, places)
        case "date":
            return _DATE
        case "instant":
            return _INSTANT
        case "boolean":
            return _YES


def _by_unit(unit: str, places: int) -> str:
    if unit.startswith("share"):
        return _SHARE
    if unit == tables.MONEY:
        return _MONEY
    return "0." + "0" * min(places, 8) if places else "0"


def of(book: xlsxwriter.Workbook) -> Style:
    return Style(
        title=book.add_format({"bold": True, "font_size": 16}),
        mark=book.add_format({"bold": True, "font_size": 12, "border": 1}),
        header=book.add_format(
            {
                "bold": True,
                "text_wrap": True,
                "valign": "top",
                "bg_color": "#E7E6E6",
                "bottom": 1,
                "num_format": _TEXT,
            }
        ),
        label=book.add_format({"bold": True, "valign": "top", "num_format": _TEXT}),
        long=book.add_format({"text_wrap": True, "valign": "top", "num_format": _TEXT}),
        by_number={name: book.add_format({"num_format": name, "valign": "top"}) for name in _NAMES},
    )
