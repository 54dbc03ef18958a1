"""Which time the usage is asked for: whole UTC days, in spans that the vendor answers."""

from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

from collectors import base

DAY = timedelta(days=1)
FIRST = 30 * DAY  # read of an account that is new
LONGEST = 31 * DAY  # the most that one call grouped by SIM may span
OPEN = 27 * DAY  # of a span that lasts until now: it grows while a sweep is read, or waits to be taken up
OLDEST = 540 * DAY  # the vendor refuses a start more than 18 months back


@dataclass(frozen=True)
class Window:
    """From one instant (midnight UTC) to another, the end left out. ``is_open``: it lasts until now."""

    starts_at: datetime
    ends_at: datetime
    is_open: bool


def windows(sweep: base.Sweep, reread_days: int) -> list[Window]:
    """What a sweep reads again or for the first time, oldest first; one at least, and only the last is open."""
    starts_at = _midnight(_start(sweep, reread_days))
    yesterday = _midnight(sweep.instant - DAY)  # by no clock that is a little off is it the future
    found = []
    while sweep.instant - starts_at > OPEN:
        ends_at = min(starts_at + LONGEST, yesterday)
        found.append(Window(starts_at, ends_at, is_open=False))
        starts_at = ends_at
    return [*found, Window(starts_at, sweep.instant, is_open=True)]


def records(reread_days: int, cadence: timedelta, step: timedelta) -> int:
    """How many records a line may have in a sweep that follows the last one after its cadence."""
    days = reread_days + 1 + -(-cadence // DAY)
    return days * (DAY // step)


def _start(sweep: base.Sweep, reread_days: int) -> datetime:
    if sweep.since is None:
        return sweep.instant - FIRST
    return max(min(sweep.since, sweep.instant) - reread_days * DAY, sweep.instant - OLDEST)


def _midnight(at: datetime) -> datetime:
    """A day cut short at its beginning would be taken for the whole day."""
    return datetime.combine(at.astimezone(UTC).date(), time.min, UTC)
