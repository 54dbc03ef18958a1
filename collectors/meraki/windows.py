"""Which times a sweep asks for."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from collectors import base

LONGEST = timedelta(days=31)  # between t0 and t1, for every call that takes them
CLOCKS = timedelta(hours=1)  # how far the vendor's may be ahead of ours at the far end of what it keeps

HISTORY_KEPT = timedelta(days=366)
HISTORY_OVERLAP = timedelta(days=2)  # a gateway that was away reports late
MOST_INTERVALS = 600  # of one gateway in one call, so that an answer stays small

CHANGES_KEPT = timedelta(days=31)
CHANGES_OVERLAP = timedelta(hours=1)


@dataclass(frozen=True)
class Window:
    start: datetime
    end: datetime

    @property
    def params(self) -> list[tuple[str, str]]:
        return [("t0", _text(self.start)), ("t1", _text(self.end))]


def history(sweep: base.Sweep, *, interval: timedelta, first: timedelta) -> Iterator[Window]:
    """The whole intervals (in UTC) since the last sweep and a little before; ``first`` where there was none."""
    wanted = days_since(sweep, first=first)
    start = _floor(max(wanted, sweep.instant - HISTORY_KEPT + CLOCKS + interval), interval)
    end = _floor(sweep.instant, interval)
    longest = min(LONGEST, interval * MOST_INTERVALS)
    while start < end:
        yield Window(start, min(start + longest, end))
        start += longest


def days_since(sweep: base.Sweep, *, first: timedelta) -> datetime:
    """A little before the last sweep; ``first`` where there was none."""
    return sweep.instant - first if sweep.since is None else _last(sweep.since, sweep) - HISTORY_OVERLAP


def changes(sweep: base.Sweep) -> Window:
    """Since the last sweep and a little before; as far as it goes where there was none."""
    oldest = all_changes(sweep)
    if sweep.since is None:
        return oldest
    return Window(max(oldest.start, _last(sweep.since, sweep) - CHANGES_OVERLAP), sweep.instant)


def all_changes(sweep: base.Sweep) -> Window:
    return Window(sweep.instant - CHANGES_KEPT + CLOCKS, sweep.instant)


def _last(since: datetime, sweep: base.Sweep) -> datetime:
    """When the last sweep was: not after this one, though the clock was set back in between."""
    return min(since, sweep.instant)


def _floor(instant: datetime, interval: timedelta) -> datetime:
    seconds = int(instant.timestamp())
    return datetime.fromtimestamp(seconds - seconds % int(interval.total_seconds()), instant.tzinfo)


def _text(instant: datetime) -> str:
    return instant.replace(microsecond=0).isoformat().replace("+00:00", "Z")
