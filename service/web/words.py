"""Numbers, days and instants as people read them. What is not known says so and is never a 0."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

NOT_KNOWN = "not known"
_MINUTE, _HOUR, _DAY = 60, 3600, 86400


def number(value: int | None) -> str:
    return NOT_KNOWN if value is None else f"{value:,}"


def percent(ratio: float | None) -> str:
    """Whole percents, but 100 % only where all is meant and 0 % only where nothing is."""
    if ratio is None:
        return NOT_KNOWN
    if 0 < ratio < 0.01:
        return "under 1%"
    if 0.99 < ratio < 1:
        return "over 99%"
    return f"{ratio:.0%}"


def bounds(low: float | None, high: float | None) -> str:
    if low is None or high is None:
        return NOT_KNOWN
    return percent(low) if percent(low) == percent(high) else f"{percent(low)} to {percent(high)}"


def points(difference: float) -> str:
    """A difference of two ratios, in percentage points, without its sign."""
    whole = round(abs(difference) * 100)
    if whole == 0:
        return "less than 1 percentage point"
    return f"{whole} percentage point{'s' if whole > 1 else ''}"


def day(value: date | None) -> str:
    return NOT_KNOWN if value is None else f"{value:%A, %B} {value.day}, {value.year}"


def short_day(value: date) -> str:
    return f"{value:%b} {value.day}"


def clock(value: datetime, zone: ZoneInfo) -> str:
    """An instant in the district's zone: ``Nov 20, 2:05 PM MST``."""
    local = value.astimezone(zone)
    return f"{local:%b} {local.day}, {local.hour % 12 or 12}:{local:%M %p %Z}"


def duration(value: timedelta) -> str:
    """Roughly, in the largest unit that fits."""
    seconds = value.total_seconds()
    if seconds < _MINUTE:
        return "less than a minute"
    for name, unit in (("day", _DAY), ("hour", _HOUR), ("minute", _MINUTE)):
        if seconds >= unit * (2 if unit == _DAY else 1):  # "30 hours" says more than "1 day"
            return counted(int(seconds // unit), name)
    raise AssertionError(value)


def ago(value: datetime | None, now: datetime) -> str:
    if value is None:
        return "never"
    return "just now" if now - value < timedelta(minutes=1) else f"{duration(now - value)} ago"


def counted(count: int, noun: str) -> str:
    """``1 school``, ``3 schools``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
