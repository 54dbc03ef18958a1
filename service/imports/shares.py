"""Cells of need indicators: a share of a school's students, and the school year that it is of."""

import re

from service.imports import cells

_LARGEST_SHARE = 2.0  # counts of another day than the enrollment may exceed it; 62 was meant as a percentage
_LARGEST_PERCENTAGE = 1000
_YEAR = re.compile(r"(\d{4})-(\d{2}|\d{4})")


def share(cell: cells.Cell) -> float | None:
    """A share such as 0.62, or a percentage with its sign; may exceed 1. None where the cell is empty."""
    shown = cells.text(cell)
    if not shown:
        return None
    number, sign, rest = shown.partition("%")
    try:
        found = float(number)
    except ValueError:
        raise cells.Invalid("is not a share such as 0.62, or 62%") from None
    if rest or not 0 <= found <= (_LARGEST_PERCENTAGE if sign else _LARGEST_SHARE):
        raise cells.Invalid("is not a share such as 0.62, or a percentage with its sign, such as 62%")
    return found / 100 if sign else found


def school_year(cell: cells.Cell) -> str | None:
    """Such as 2024-25; None where the cell is empty."""
    shown = cells.text(cell)
    return year(shown) if shown else None


def year(shown: str) -> str:
    """2024-25, also from 2024-2025. Raises Invalid."""
    found = _YEAR.fullmatch(shown.strip())
    if found is None or int(found[2][-2:]) != (int(found[1]) + 1) % 100:
        raise cells.Invalid("is not a school year such as 2024-25")
    return f"{found[1]}-{found[2][-2:]}"
