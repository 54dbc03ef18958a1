"""Amounts of data as portals write them, in bytes."""

import math
import re
from dataclasses import dataclass
from decimal import Decimal

from service.imports import cells

LARGEST_BYTES = 10**15  # a petabyte of one line is a mistaken unit

_POWERS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}
_UNIT = re.compile(r"([KMGT]?)(I?)B(?:YTES?)?")
_WITH_UNIT = re.compile(r"(.*?)\s*([A-Za-z]+)")


@dataclass(frozen=True, slots=True)
class Notation:
    """How numbers are written, and what the carrier calls a kilobyte."""

    thousands: str
    decimal: str
    kilobyte: int


def unit_bytes(name: str, *, kilobyte: int) -> int:
    """The bytes of a unit: B, KB to TB with the given kilobyte, KiB to TiB with 1024. Raises ValueError."""
    found = _UNIT.fullmatch(name.strip().upper())
    if found is None or (found[2] and not found[1]):
        raise ValueError(f"{name!r} is no unit: B, KB, MB, GB, TB, KiB, MiB, GiB or TiB")
    power: int = (1024 if found[2] else kilobyte) ** _POWERS[found[1]]
    return power


def unit(cell: cells.Cell, notation: Notation) -> int:
    """The bytes of the unit that a cell names."""
    try:
        return unit_bytes(cells.text(cell), kilobyte=notation.kilobyte)
    except ValueError:
        raise cells.Invalid("is no unit: B, KB, MB, GB, TB, KiB, MiB, GiB or TiB") from None


def amount(cell: cells.Cell, unit_size: int, notation: Notation) -> int:
    """Bytes. The least use is use: what is not 0 never rounds to 0."""
    number = _number(cell, notation) * unit_size
    if number > LARGEST_BYTES:
        raise cells.Invalid("is more than a petabyte: is the unit right?")
    return max(1, round(number)) if number else 0


def amount_with_unit(cell: cells.Cell, notation: Notation) -> int:
    """Bytes of a cell such as "1.5 GB"; a bare 0 needs no unit."""
    found = _WITH_UNIT.fullmatch(cells.text(cell))
    if found is not None:
        return amount(found[1], unit(found[2], notation), notation)
    if _number(cell, notation):
        raise cells.Invalid("has no unit, such as MB")
    return 0


def _number(cell: cells.Cell, notation: Notation) -> Decimal:
    if isinstance(cell, int | float) and not isinstance(cell, bool):
        number = Decimal(str(cell)) if math.isfinite(cell) else Decimal(-1)
    else:
        number = Decimal(_plain(cells.text(cell), notation))
    if number < 0:
        raise cells.Invalid("is not a number of 0 or more")
    return number


def _plain(shown: str, notation: Notation) -> str:
    """The number in Python's notation: digits and a point."""
    if not shown:
        raise cells.Invalid("is empty: no figure is not a figure of 0")
    mark, point = re.escape(notation.thousands), re.escape(notation.decimal)
    grouped = rf"\d{{1,3}}(?:{mark}\d{{3}})+|" if notation.thousands else ""
    if not re.fullmatch(rf"(?:{grouped}\d+)(?:{point}\d*)?|{point}\d+", shown, re.ASCII):
        raise cells.Invalid("is not a number of 0 or more")
    whole = shown.replace(notation.thousands, "") if notation.thousands else shown
    return whole.replace(notation.decimal, ".")
