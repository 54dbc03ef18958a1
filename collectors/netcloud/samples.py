"""Series of samples: which to ask for, and each of them once."""

from collections.abc import AsyncGenerator, Collection
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from collectors import base, readings
from collectors.netcloud import options as netcloud_options
from collectors.netcloud import parse

SETTLING = timedelta(seconds=60)  # a younger sample may still be on its way
MOST_IDS = 100  # in one filter

R = TypeVar("R")


def window(sweep: base.Sweep, options: netcloud_options.Options) -> dict[str, str | int]:
    """Ask for samples from a little before the last sweep to those that have settled, in their order."""
    end = sweep.instant - SETTLING
    start = sweep.instant - timedelta(days=options.history_days)
    if sweep.since is not None:
        start = overlapping(sweep.since, sweep, options) - SETTLING
    return {
        "created_at__gt": text(start),
        "created_at__lt": text(end),
        "order_by": "created_at_timeuuid",
        "limit": options.page_size,
    }


def overlapping(since: datetime, sweep: base.Sweep, options: netcloud_options.Options) -> datetime:
    """A little before the last sweep; before this one, where the clock was set back in between."""
    return min(since, sweep.instant) - timedelta(minutes=options.overlap_minutes)


def text(at: datetime) -> str:
    return at.isoformat(timespec="microseconds")


class Gathered(Generic[R]):
    """The samples of those that were asked for. Pages overlap where samples arrive while they are read."""

    def __init__(self, asked: Collection[str]) -> None:
        self.rejected: list[readings.Rejection] = []
        self.unmapped: dict[str, int] = {}
        self._found: dict[str, dict[str | datetime, R]] = {of: {} for of in asked}

    async def read(self, pages: AsyncGenerator[parse.Samples[R], None]) -> "Gathered[R]":
        async for page in pages:
            self._add(page)
        return self

    def of(self, key: str | None) -> tuple[R, ...]:
        """The readings of one modem or router, in the order in which they came."""
        return tuple(self._found.get(key or "", {}).values())

    def _add(self, page: parse.Samples[R]) -> None:
        self.rejected += page.rejected
        for word, count in page.unmapped.items():
            self.unmapped[word] = self.unmapped.get(word, 0) + count
        for sample in page.samples:
            if (known := self._found.get(sample.of)) is not None:
                known[sample.unique] = sample.reading
            else:
                self.rejected.append(readings.Rejection("data", "a sample of one that was not asked for"))
