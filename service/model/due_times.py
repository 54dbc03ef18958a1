"""When a message leaves: soon, with the next digest, or once quiet hours are over; all in the district's local time."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

SETTLE = timedelta(minutes=2)  # what goes wrong together is told together
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """A district's digests and quiet hours, by the clock on its wall. Equal ends: no quiet hours."""

    digest_at: time = time(7, 0)
    digest_on: str = "monday"  # the weekly
    quiet_starts: time = time(20, 0)
    quiet_ends: time = time(7, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """When a message that is made now leaves, by how urgent it is."""

    critical: datetime
    now: datetime
    daily: datetime
    weekly: datetime


def due(timing: Timing, *, now: datetime, zone: ZoneInfo) -> Due:
    """Of messages made at ``now``: only what is critical goes out in quiet hours."""
    settled = now + SETTLE
    return Due(
        critical=settled,
        now=after_quiet(timing, settled, zone),
        daily=after_quiet(timing, next(_digests(timing, now, zone)), zone),
        weekly=after_quiet(timing, _weekly(timing, now, zone), zone),
    )


def after_quiet(timing: Timing, at: datetime, zone: ZoneInfo) -> datetime:
    """The instant itself, or the end of the quiet hours that it lies in."""
    today = at.astimezone(zone).date()
    for day in (today - timedelta(days=1), today):
        starts = _instant(day, timing.quiet_starts, zone)
        crosses_midnight = timing.quiet_ends < timing.quiet_starts
        ends = _instant(day + timedelta(days=crosses_midnight), timing.quiet_ends, zone)
        if starts <= at < ends:
            return ends
    return at


def _weekly(timing: Timing, now: datetime, zone: ZoneInfo) -> datetime:
    on = WEEKDAYS.index(timing.digest_on)
    return next(at for at in _digests(timing, now, zone) if at.astimezone(zone).weekday() == on)


def _digests(timing: Timing, now: datetime, zone: ZoneInfo) -> Iterator[datetime]:
    """Every digest after now, one a day."""
    day = now.astimezone(zone).date()
    while True:
        if (at := _instant(day, timing.digest_at, zone)) > now:
            yield at
        day += timedelta(days=1)


def _instant(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The first time the clock shows it; a time that a change of the clock leaves out is as much later."""
    return datetime.combine(day, at, zone).astimezone(UTC)
