"""Sweeps the stand-in on a virtual clock, with the collector and the runner that sweep a real vendor."""

import contextlib
import logging
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta

from collectors.kajeet import simulator
from service.demo import timeline
from service.polling import accounts, runner

USUAL_HOURS = (11, 23)
LATE_HOURS = (5, 11, 16, 18, 20, 21, 23)  # enough of the evening to judge a router by
LATE_DAYS = 8
_MINUTE = 55

Told = Callable[[int, int], None]  # sweeps done, and how many in all


class Clock:
    """The virtual instant while there is one, else what the real clock says."""

    def __init__(self, real: accounts.Clock) -> None:
        self._real = real
        self._set_to: datetime | None = None

    def __call__(self) -> datetime:
        return self._real() if self._set_to is None else self._set_to

    def set(self, instant: datetime) -> None:
        self._set_to = instant

    def let_go(self) -> None:
        self._set_to = None


def instants(after: datetime, until: datetime) -> Sequence[datetime]:
    """When to sweep, UTC, oldest first: twice a day, of late through the evening too, at last ``until``."""
    first, last = timeline.local_day(after), timeline.local_day(until)
    days = (first + timedelta(days=offset) for offset in range((last - first).days + 1))
    found = {instant for day in days for instant in _of_day(day, is_late=(last - day).days <= LATE_DAYS)}
    return sorted(instant for instant in {*found, until} if after < instant <= until)


def _of_day(day: date, *, is_late: bool) -> Iterator[datetime]:
    for hour in LATE_HOURS if is_late else USUAL_HOURS:
        yield datetime.combine(day, time(hour, _MINUTE), timeline.ZONE).astimezone(UTC)


async def make(
    sweeper: runner.Runner,
    account: accounts.Account,
    vendor: simulator.Simulator,
    clock: Clock,
    dates: timeline.Timeline,
    *,
    after: datetime,
    until: datetime,
    told: Told,
) -> None:
    """Sweep from one instant to another. On the blind days the vendor refuses every request."""
    due = instants(after, until)
    with _quiet():
        for done, instant in enumerate(due):
            told(done, len(due))
            clock.set(instant)
            vendor.faults.is_blind = dates.is_blind(timeline.local_day(instant))
            for group in account.collector.endpoint_groups:
                await sweeper.sweep(account, group)
    vendor.faults.is_blind = False
    told(len(due), len(due))


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """That a source failed months ago, on purpose, is no news."""
    logger = logging.getLogger(runner.__name__)
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
