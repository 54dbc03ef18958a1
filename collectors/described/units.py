"""What the fields of a description are read as. What does not fit is told by its kind, never by its value."""

import decimal
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Generic, Literal, TypeVar

MOST_BYTES = 10**15  # a petabyte in a month is a fault, not a pupil
LONGEST_IDENTIFIER = 64
LONGEST_WORD = 200
DATE_CHARACTERS = 10
MIDNIGHTS = frozenset({"", "T00:00:00Z", "T00:00:00.000Z", "T00:00:00.000+0000", "T00:00:00+00:00"})
DAY_SECONDS = 86_400

Unit = Literal["B", "KB", "MB", "GB"]
Number = int | float | decimal.Decimal
Found = TypeVar("Found")


class Unfit(Exception):
    """A value is not of the kind expected; ``found`` is the kind that it is."""

    def __init__(self, found: str) -> None:
        super().__init__(found)
        self.found = found


@dataclass(frozen=True)
class Kind(Generic[Found]):
    """What a field is to be. ``read`` converts a value and raises Unfit; None: it says nothing."""

    expected: str
    read: Callable[[Any], Found | None]


def kind(value: object) -> str:
    """The JSON kind of a value, in plain words."""
    return _KINDS.get(type(value), "something else")


_KINDS: dict[type, str] = {
    type(None): "nothing",
    str: "text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
}


def _identifier(value: Any) -> str | None:
    if type(value) is int:
        value = str(value)
    elif type(value) is not str:
        raise Unfit(kind(value))
    if len(value) > LONGEST_IDENTIFIER:
        raise Unfit("a longer one")
    return value.strip() or None


def _key(value: Any) -> str:
    if not (found := _identifier(value)):
        raise Unfit("a blank")
    return found


def _word(value: Any) -> str | None:
    if type(value) is not str:
        raise Unfit(kind(value))
    if len(value) > LONGEST_WORD:
        raise Unfit("a longer one")
    return value if value.strip() else None


def _truth(value: Any) -> bool:
    if type(value) is not bool:
        raise Unfit(kind(value))
    return value


def _number(value: Any) -> Number:
    """A number, or one written as text: that stays decimal, so that no byte is lost."""
    if type(value) is str:
        try:
            value = decimal.Decimal(value)
        except decimal.InvalidOperation:
            raise Unfit("other text") from None
        if not value.is_finite():
            raise Unfit("other text")
    elif type(value) is not int and type(value) is not float:
        raise Unfit(kind(value))
    found: Number = value
    return found


KEY = Kind("text or a whole number, not blank, of at most 64 characters", _key)
IDENTIFIER = Kind("text or a whole number, of at most 64 characters", _identifier)
WORD = Kind("text, of at most 200 characters", _word)
TRUTH = Kind("true or false", _truth)
NUMBER: Kind[Number] = Kind("a number, or one written as text", _number)


def in_bytes(number: Number, unit_bytes: int) -> int:
    """Raises Unfit for less than nothing, and beyond all reason."""
    if number < 0:
        raise Unfit("less than 0")
    if number > MOST_BYTES or (total := round(number * unit_bytes)) > MOST_BYTES:
        raise Unfit("more than a petabyte")
    return total


def limit(number: Number, unit_bytes: int) -> int | None:
    """A limit of 0 or less, or beyond all reason, is none."""
    return round(number * unit_bytes) if 0 < number <= MOST_BYTES // unit_bytes else None


def unit_sizes(megabyte_bytes: int) -> dict[str, int]:
    """Bytes of every unit: all are decimal or all are binary."""
    thousand = 1000 if megabyte_bytes == 1000**2 else 1024
    return {"B": 1, "KB": thousand, "MB": thousand**2, "GB": thousand**3}


def unit_name(sizes: dict[str, int]) -> Kind[int]:
    def read(value: Any) -> int:
        if type(value) is not str:
            raise Unfit(kind(value))
        if (size := sizes.get(value.strip().upper())) is None:
            raise Unfit("another word")
        return size

    return Kind(f"one of {', '.join(sizes)}", read)


def instant(unit: Literal["seconds", "milliseconds"]) -> Kind[datetime]:
    per_second = 1 if unit == "seconds" else 1000

    def read(value: Any) -> datetime:
        if type(value) is not int:
            raise Unfit(kind(value))
        try:
            return datetime.fromtimestamp(value / per_second, UTC)
        except (OverflowError, ValueError, OSError):
            raise Unfit("a number that is no instant") from None

    return Kind(f"{unit} since 1970, a whole number", read)


def day(unit: Literal["date", "seconds"]) -> Kind[datetime]:
    """The beginning of a provider's day. Its date counts as one of UTC: the account's zone says whose day it is."""
    return _DATE if unit == "date" else _MIDNIGHT


def _dated(value: Any) -> datetime:
    if type(value) is not str:
        raise Unfit(kind(value))
    if value[DATE_CHARACTERS:] not in MIDNIGHTS:
        raise Unfit("other text")
    try:
        on = date.fromisoformat(value[:DATE_CHARACTERS])
    except ValueError:
        raise Unfit("other text") from None
    return datetime(on.year, on.month, on.day, tzinfo=UTC)


def _midnight(value: Any) -> datetime:
    found = instant("seconds").read(value)
    if found is None or value % DAY_SECONDS:
        raise Unfit("another time of day")
    return found


_DATE = Kind("a date such as 2026-11-21, or midnight of it in UTC", _dated)
_MIDNIGHT = Kind("seconds since 1970 of a midnight in UTC, a whole number", _midnight)
ONE_DAY = timedelta(days=1)
