"""Values as text: the same in every format, and never a formula."""

import re

from service.exports import tables
from service.model import formulas

# What XML cannot hold or UTF-8 cannot write; kept out of every format, so that all of them say the same.
_UNWRITABLE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
REPLACEMENT = "\ufffd"

SAYS = (
    (
        "In the CSV files, a text that begins with = + - @ (also in their wide forms, or behind spaces), with a tab or "
        "with a carriage return has an apostrophe before it, so that no spreadsheet calculates it; a negative number, "
        "as -0.06, has none. The workbook and the Parquet files have the text as it is."
    ),
    "A character that XML or UTF-8 cannot hold is replaced by the character U+FFFD in every format.",
    "A number is rounded once, to the same places in every format.",
    "An empty cell means that there is no value, never zero; where a column beside it says why, it is named after it.",
)


def clean(value: str) -> str:
    return _UNWRITABLE.sub(REPLACEMENT, value)


def cells(column: tables.Column, values: list[tables.Value]) -> list[object]:
    """For a CSV writer: as text, or as what it writes as such itself."""
    match column.kind:
        case "text":
            return [formulas.harmless(value) if isinstance(value, str) else None for value in values]
        case "number":
            return [None if value is None else f"{value:.{column.places}f}" for value in values]
        case "boolean":
            return [None if value is None else str(value).lower() for value in values]
        case _:
            return list(values)
