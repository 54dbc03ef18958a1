"""Local days, periods of allowances and school years."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

DAY = timedelta(days=1)


def of(instant: datetime, zone: str) -> date:
    return instant.astimezone(ZoneInfo(zone)).date()


def start(day: date, zone: str) -> datetime:
    """The first instant of a local day, in UTC. A day may have 23 or 25 hours."""
    return datetime.combine(day, time(), ZoneInfo(zone)).astimezone(UTC)


def end(day: date, zone: str) -> datetime:
    return start(day + DAY, zone)


def between(first: date, last: date) -> Iterator[date]:
    """Both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def cycle_start(day: date, cycle_day: int) -> date:
    """The first day of the billing cycle that a day is in."""
    if day.day >= cycle_day:
        return day.replace(day=cycle_day)
    return (day.replace(day=1) - DAY).replace(day=cycle_day)


def next_cycle_start(day: date, cycle_day: int) -> date:
    after = cycle_start(day, cycle_day).replace(day=1) + timedelta(days=32)
    return after.replace(day=cycle_day)


def year_start(day: date, starts_on: date | None) -> date:
    """The last anniversary on or before a day; 29 February is kept on 28 February of common years."""
    this_year = _anniversary(day.year, starts_on)
    return this_year if this_year <= day else _anniversary(day.year - 1, starts_on)


def next_year_start(day: date, starts_on: date | None) -> date:
    return _anniversary(year_start(day, starts_on).year + 1, starts_on)


def _anniversary(year: int, starts_on: date | None) -> date:
    if starts_on is None:
        return date(year, 1, 1)
    try:
        return starts_on.replace(year=year)
    except ValueError:
        return date(year, 2, 28)


def valid_until(told_on: date, school_year_starts: str) -> date:
    """The last day on which an answer counts: the end of the school year after its own."""
    month, day = (int(part) for part in school_year_starts.split("-"))
    begun = told_on.year if (told_on.month, told_on.day) >= (month, day) else told_on.year - 1
    return date(begun + 2, month, day) - DAY
