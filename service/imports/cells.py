"""One cell of a file to one value, with the traps that spreadsheets lay."""

import functools
import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import TypeVar

from service.model import identifiers

Cell = str | int | float | bool | date | datetime | time | timedelta
Kind = TypeVar("Kind", bound=StrEnum)

LARGEST_COUNT = 1_000_000  # students of a school: anything above is another column
LONGEST_TEXT = 200
OLDEST = date(2010, 1, 1)
_EXACT = 10**15  # a spreadsheet keeps 15 digits of a number
_SCIENTIFIC = re.compile(r"[+-]?\d+(\.\d+)?[eE]\+?\d+")
_FORMULA_TEXT = re.compile(r'="(.*)"')  # how some portals stop Excel from reading a number
_ISO = re.compile(r"(\d{4})-(\d{1,2})-(\d{1,2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")
_US = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4})(?: 0?0:00(?::00)?)?")
_COUNT = re.compile(r"\d{1,3}(?:,\d{3})+|\d+")

AS_TEXT = "format the column as text in the spreadsheet, fill it again and save"


class Invalid(ValueError):
    """The cell does not hold what its column should. The message is the reason, without the value."""


def text(cell: Cell) -> str:
    """Trimmed text of any cell, as the spreadsheet shows it."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    shown = str(cell).strip()
    wrapped = _FORMULA_TEXT.fullmatch(shown) if shown.startswith("=") else None
    return wrapped.group(1).strip() if wrapped else shown


def label(cell: Cell) -> str:
    """A short text of one line; may be empty."""
    shown = text(cell)
    if len(shown) > LONGEST_TEXT:
        raise Invalid(f"is longer than {LONGEST_TEXT} characters")
    if not shown.isprintable():
        raise Invalid("has line breaks or control characters")
    return shown


def required_label(cell: Cell) -> str:
    return _required(label(cell))


def identifier(cell: Cell) -> str:
    """An identifier as text; may be empty. Refuses numbers that a spreadsheet has rounded."""
    if isinstance(cell, bool | date | time | timedelta):
        raise Invalid(f"is not an identifier: {AS_TEXT}")
    if isinstance(cell, int | float) and (abs(cell) >= _EXACT or not float(cell).is_integer()):
        raise Invalid(f"the spreadsheet keeps only 15 digits of a number: {AS_TEXT}")
    shown = label(cell)
    if _SCIENTIFIC.fullmatch(shown):
        raise Invalid(f"the spreadsheet has rounded the number (it reads like 3.5E+14): {AS_TEXT}")
    return shown


def required_identifier(cell: Cell) -> str:
    return _required(identifier(cell))


def ncessch(cell: Cell) -> str:
    """The 12 digits of a school; '' where the cell is empty."""
    return _ncessch(identifier(cell))


@functools.lru_cache(maxsize=4096)
def _ncessch(shown: str) -> str:
    digits = re.sub(r"[\s-]", "", shown)
    if digits and not (digits.isascii() and digits.isdigit()):
        raise Invalid("an NCESSCH has digits only")
    if len(digits) == 11:
        raise Invalid(f"has 11 digits: its leading zero is lost, {AS_TEXT}")
    if digits and len(digits) != 12:
        raise Invalid(f"an NCESSCH has 12 digits, this has {len(digits)}")
    return digits


def required_ncessch(cell: Cell) -> str:
    return _required(ncessch(cell))


def day(cell: Cell) -> date | None:
    """A date: of the spreadsheet, ISO or US with a four-digit year; None where the cell is empty."""
    if isinstance(cell, datetime):
        return _midnight(cell)
    if isinstance(cell, date):
        return cell
    shown = text(cell)
    return _day(shown) if shown else None


@functools.lru_cache(maxsize=4096)  # a file has few dates and many rows
def _day(shown: str) -> date:
    if found := _ISO.fullmatch(shown):
        return _date(int(found[1]), int(found[2]), int(found[3]))
    if found := _US.fullmatch(shown):
        return _date(int(found[3]), int(found[1]), int(found[2]))
    raise Invalid("is not a date such as 2026-10-31 or 10/31/2026")


def required_day(cell: Cell) -> date:
    found = day(cell)
    if found is None:
        raise Invalid("is empty")
    return found


def between(parse: Callable[[Cell], date | None], last: date) -> Callable[[Cell], date | None]:
    """The date that ``parse`` finds, refused before OLDEST and after ``last``."""

    def plausible(cell: Cell) -> date | None:
        found = parse(cell)
        if found is not None and not OLDEST <= found <= last:
            raise Invalid(f"is not between {OLDEST} and {last}")
        return found

    return plausible


def count(cell: Cell) -> int:
    """A whole number of people."""
    if isinstance(cell, float) and not cell.is_integer():
        raise Invalid("is not a whole number")
    shown = _required(text(cell))
    if isinstance(cell, bool) or not _COUNT.fullmatch(shown):
        raise Invalid("is not a whole number")
    found = int(shown.replace(",", ""))
    if found > LARGEST_COUNT:
        raise Invalid(f"is more than {LARGEST_COUNT:,}")
    return found


def yes_no(cell: Cell) -> bool | None:
    """None where the cell is empty."""
    shown = text(cell).lower()
    if not shown:
        return None
    if shown in ("yes", "y", "true", "1"):
        return True
    if shown in ("no", "n", "false", "0"):
        return False
    raise Invalid("is not yes or no")


def one_of(kinds: type[Kind]) -> Callable[[Cell], Kind | None]:
    """A member of the enumeration; None where the cell is empty."""

    def parse(cell: Cell) -> Kind | None:
        shown = text(cell).lower().replace(" ", "_").replace("-", "_")
        if not shown:
            return None
        try:
            return kinds(shown)
        except ValueError:
            raise Invalid(f"is not one of {', '.join(kinds)}") from None

    return parse


def _required(shown: str) -> str:
    if not shown:
        raise Invalid("is empty")
    return shown


def _midnight(cell: datetime) -> date:
    if cell.time() != time():
        raise Invalid("has a time of day, where a date is wanted")
    return cell.date()


def _date(year: int, month: int, of_month: int) -> date:
    try:
        return date(year, month, of_month)
    except ValueError:
        raise Invalid("is not a day of the calendar (a date with slashes is month/day/year)") from None


REASONS = (Invalid, identifiers.Invalid)  # whose messages are reasons
