"""From the rows of a school calendar to its days."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum

_SATURDAY = 5


class DayKind(StrEnum):
    INSTRUCTIONAL = "instructional"
    HALF_DAY = "half_day"
    BREAK = "break"
    HOLIDAY = "holiday"


@dataclass(frozen=True, slots=True)
class Range:
    """From ``starts_on`` to ``ends_on``, both included. ``school`` None: the whole district."""

    starts_on: date
    ends_on: date
    kind: DayKind
    school: str | None = None


def days(ranges: Iterable[Range]) -> dict[tuple[str | None, date], DayKind]:
    """The kind of each day, by school and date; a later range overrides an earlier one."""
    return {(range_.school, day): range_.kind for range_ in ranges for day in _days(range_)}


def _days(range_: Range) -> list[date]:
    every = [
        range_.starts_on + timedelta(days=n) for n in range((range_.ends_on - range_.starts_on).days + 1)
    ]
    if len(every) == 1 or range_.kind in (DayKind.BREAK, DayKind.HOLIDAY):
        return every  # one day that is named is meant, even a Saturday to make up for snow
    return [day for day in every if day.weekday() < _SATURDAY]


def bounds(ranges: Iterable[Range]) -> dict[str | None, tuple[date, date]]:
    """The first and the last day that the ranges speak of, by school (None: the district)."""
    found: dict[str | None, tuple[date, date]] = {}
    for range_ in ranges:
        first, last = found.get(range_.school, (range_.starts_on, range_.ends_on))
        found[range_.school] = (min(first, range_.starts_on), max(last, range_.ends_on))
    return found
