"""From what a calendar's events say to the days of its school years."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date

from service.model import calendars
from service.model.calendars import DayKind

# A later one overrides: a day that was made up for is told after the day off that it was.
_ORDER = (DayKind.HALF_DAY, DayKind.HOLIDAY, DayKind.BREAK, DayKind.INSTRUCTIONAL)


@dataclass(frozen=True, slots=True)
class Year:
    """A school year's first and last day of school."""

    first_on: date
    last_on: date


def year_of(day: date, *, starts: str) -> int:
    """The calendar year in which the day's school year starts; ``starts``: its month and day, as 07-01."""
    return day.year if f"{day:%m-%d}" >= starts else day.year - 1


def years(first_days: Iterable[date], last_days: Iterable[date], *, starts: str) -> list[Year]:
    """The school years of which both ends are told: from the earliest first day to the latest last day."""
    earliest: dict[int, date] = {}
    latest: dict[int, date] = {}
    for day in first_days:
        year = year_of(day, starts=starts)
        earliest[year] = min(day, earliest.get(year, day))
    for day in last_days:
        year = year_of(day, starts=starts)
        latest[year] = max(day, latest.get(year, day))
    both = sorted(earliest.keys() & latest.keys())
    return [Year(earliest[year], latest[year]) for year in both if earliest[year] < latest[year]]


def ranges(
    years_told: Sequence[Year], told: Iterable[calendars.Range], school: str | None
) -> list[calendars.Range]:
    """The years' weekdays as days of school, and over them what is told, as far as it is within a year."""
    within = [
        calendars.Range(max(one.starts_on, year.first_on), min(one.ends_on, year.last_on), one.kind, school)
        for one in sorted(told, key=lambda one: _ORDER.index(one.kind))
        for year in years_told
        if one.starts_on <= year.last_on and one.ends_on >= year.first_on
    ]
    whole = [
        calendars.Range(year.first_on, year.last_on, DayKind.INSTRUCTIONAL, school) for year in years_told
    ]
    return [*whole, *within]
