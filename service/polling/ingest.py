"""Pages of readings into rows: fetching overlaps with writing, and small pages share a transaction."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

from collectors import readings

BATCH_ROWS = 10_000  # readings a transaction: small vendor pages are written together
LONGEST_SECONDS = 60.0  # that pages of a slow vendor wait for others: what is read is soon safe
_FEW = 8  # readings of one line in a snapshot; a longer history differs from line to line
_QUEUED_BATCHES = 1  # one is written while the next is fetched: memory stays flat, whatever the fleet


@dataclass
class Batch:
    """Pages that are written in one transaction. ``is_last`` ends the sweep, and may be empty."""

    sightings: list[readings.Sighting] = field(default_factory=list)
    student_devices: list[readings.StudentDevice] = field(default_factory=list)
    groups: list[readings.Group] = field(default_factory=list)
    rejected: list[readings.Rejection] = field(default_factory=list)
    unmapped: dict[str, int] = field(default_factory=dict)
    cursor: str | None = None
    total: int | None = None
    pages: int = 0
    rows: int = 0
    is_last: bool = False

    def add(self, page: readings.Page) -> None:
        self.sightings += page.sightings
        self.student_devices += page.student_devices
        self.groups += page.groups
        self.rejected += page.rejected
        for status, count in page.unmapped.items():
            self.unmapped[status] = self.unmapped.get(status, 0) + count
        self.cursor = page.cursor
        self.total = page.total if page.total is not None else self.total
        self.pages += 1
        self.rows += _rows(page)


def _rows(page: readings.Page) -> int:
    """About how many: rows of one list are alike, so the first stands for all of a snapshot."""
    if page.student_devices:
        return sum(1 + len(device.active_days) + len(device.whereabouts) for device in page.student_devices)
    if not page.sightings:
        return 0
    first = page.sightings[0]
    if len(first.usage) + len(first.sessions) > _FEW:
        return sum(_readings(seen) for seen in page.sightings)
    return len(page.sightings) * _readings(first)


def _readings(seen: readings.Sighting) -> int:
    return max(1, len(seen.usage) + len(seen.states) + len(seen.signals) + len(seen.sessions))


async def batches(pages: AsyncIterator[readings.Page], *, rows: int = BATCH_ROWS) -> AsyncIterator[Batch]:
    """Put pages together. When the source fails, what it had yielded comes first, then its error."""
    batch, began = Batch(), time.monotonic()
    try:
        async for page in pages:
            batch.add(page)
            if batch.rows >= rows or time.monotonic() - began >= LONGEST_SECONDS:
                yield batch
                batch, began = Batch(), time.monotonic()
    except Exception:
        if batch.pages:
            yield batch
        raise
    batch.is_last = True
    yield batch


async def run(
    pages: AsyncIterator[readings.Page], write: Callable[[Batch], Awaitable[None]], *, rows: int = BATCH_ROWS
) -> None:
    """Write every batch while the next is fetched. Raises what the source or the writer raises."""
    queue: asyncio.Queue[Batch | None] = asyncio.Queue(_QUEUED_BATCHES)

    async def fetch() -> None:
        try:
            async for batch in batches(pages, rows=rows):
                await queue.put(batch)
        finally:
            await queue.put(None)

    fetching = asyncio.create_task(fetch())
    try:
        while (batch := await queue.get()) is not None:
            await write(batch)
        await fetching  # its error, if it had one
    finally:
        if not fetching.done():
            await _stopped(fetching, queue)
        elif not fetching.cancelled():
            fetching.exception()  # looked at here, where the writer's own error is on its way out


async def _stopped(fetching: asyncio.Task[None], queue: asyncio.Queue[Batch | None]) -> None:
    """Cancel the fetch; it may be waiting for room in the queue, twice."""
    fetching.cancel()
    while not fetching.done():
        while not queue.empty():
            queue.get_nowait()
        await asyncio.wait({fetching}, timeout=0.05)
