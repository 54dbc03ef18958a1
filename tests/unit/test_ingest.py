"""Pages into batches: fetching overlaps with writing, memory stays flat, and nothing fetched is dropped."""

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from collectors import errors, readings
from service.polling import ingest

AT = datetime(2026, 10, 5, 16, tzinfo=UTC)
STATE = readings.State(AT, readings.LineStatus.ACTIVE, "active")
USAGE = readings.Usage(readings.UsageKind.COUNTER, readings.UsageSeries.DAY, AT, 5)


def page(number: int, lines: int = 100, usage: int = 3) -> readings.Page:
    """``usage`` readings and a state for each line."""
    rows = [readings.Sighting(f"{number}-{n}", usage=(USAGE,) * usage, states=(STATE,)) for n in range(lines)]
    return readings.Page(sightings=rows, cursor=str(number), total=1000 + number, unmapped={"odd": 1})


class Source:
    """Yields pages, and tells how many it was asked for."""

    def __init__(self, count: int, *, lines: int = 100, fails_after: int | None = None) -> None:
        self.asked = 0
        self.is_closed = False
        self._count = count
        self._lines = lines
        self._fails_after = fails_after

    async def pages(self) -> AsyncIterator[readings.Page]:
        try:
            for number in range(self._count):
                if number == self._fails_after:
                    raise errors.Unavailable("gone")
                self.asked += 1
                await asyncio.sleep(0)
                yield page(number, self._lines)
        finally:
            self.is_closed = True


class Written:
    """Takes batches; ``before`` runs ahead of each."""

    def __init__(self, before: Callable[[], Any] | None = None) -> None:
        self.batches: list[ingest.Batch] = []
        self._before = before

    async def __call__(self, batch: ingest.Batch) -> None:
        if self._before is not None:
            await self._before()
        self.batches.append(batch)

    @property
    def keys(self) -> list[str]:
        return [sighting.provider_key for batch in self.batches for sighting in batch.sightings]


@pytest.fixture(autouse=True)
async def lost() -> AsyncIterator[list[dict[str, Any]]]:
    """What went to the loop's last resort: after each test nothing, and no task runs on."""
    lost: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: lost.append(context))
    before = asyncio.all_tasks()
    yield lost
    assert asyncio.all_tasks() - before - {asyncio.current_task()} == set()
    gc.collect()
    await asyncio.sleep(0)
    assert lost == []


async def test_small_pages_share_a_batch_of_ten_thousand_rows() -> None:
    written = Written()
    await ingest.run(Source(60).pages(), written)
    assert [batch.rows for batch in written.batches] == [10_000, 10_000, 4_000]
    assert [batch.pages for batch in written.batches] == [25, 25, 10]
    assert [batch.is_last for batch in written.batches] == [False, False, True]
    assert [batch.cursor for batch in written.batches] == ["24", "49", "59"]
    assert [batch.total for batch in written.batches] == [1024, 1049, 1059]
    assert [batch.unmapped for batch in written.batches] == [{"odd": 25}, {"odd": 25}, {"odd": 10}]
    assert written.keys == [f"{number}-{n}" for number in range(60) for n in range(100)]


async def test_a_page_larger_than_a_batch_is_one_batch() -> None:
    written = Written()
    await ingest.run(Source(2, lines=4_000).pages(), written)
    assert [(batch.rows, batch.is_last) for batch in written.batches] == [
        (16_000, False),
        (16_000, False),
        (0, True),
    ]


async def test_an_empty_source_ends_with_an_empty_last_batch() -> None:
    written = Written()
    await ingest.run(Source(0).pages(), written)
    assert [(batch.pages, batch.is_last) for batch in written.batches] == [(0, True)]


async def test_what_a_source_yielded_before_it_failed_is_written_and_the_error_comes_after() -> None:
    written = Written()
    with pytest.raises(errors.Unavailable):
        await ingest.run(Source(5, fails_after=2).pages(), written)
    assert [(batch.pages, batch.is_last) for batch in written.batches] == [(2, False)]


async def test_a_source_that_fails_at_once_writes_nothing() -> None:
    written = Written()
    with pytest.raises(errors.Unavailable):
        await ingest.run(Source(5, fails_after=0).pages(), written)
    assert written.batches == []


async def test_fetching_goes_on_while_a_batch_is_written_but_only_so_far() -> None:
    source = Source(300)
    ahead: list[int] = []

    async def wait() -> None:
        await asyncio.sleep(0.02)  # a slow database
        ahead.append(source.asked - 10 * len(written.batches))

    written = Written(wait)
    await ingest.run(source.pages(), written, rows=4_000)
    assert len(written.keys) == 30_000
    # What is being written, what is queued, and what is being put together.
    assert 10 < max(ahead) <= 31


async def test_a_writer_that_fails_ends_the_fetch() -> None:
    source = Source(1000)

    async def fail() -> None:
        if len(written.batches) == 2:
            raise ConnectionError

    written = Written(fail)
    with pytest.raises(ConnectionError):
        await ingest.run(source.pages(), written, rows=400)
    assert len(written.batches) == 2
    assert source.asked <= 6


async def test_a_writer_that_fails_after_the_source_did_leaves_no_error_to_the_log(
    lost: list[dict[str, Any]],
) -> None:
    async def fail() -> None:
        await asyncio.sleep(0.02)  # the source fails meanwhile
        raise ConnectionError

    with pytest.raises(ConnectionError):
        await ingest.run(Source(5, fails_after=1).pages(), Written(fail), rows=400)
    gc.collect()
    found = [context["message"] for context in lost]
    lost.clear()
    assert found == []


@pytest.mark.parametrize("rows", [400, 10_000_000], ids=["while writing", "while fetching"])
async def test_a_cancelled_run_ends_its_fetch(rows: int) -> None:
    source = Source(10**9)
    written = Written(lambda: asyncio.sleep(3600))
    running = asyncio.create_task(ingest.run(source.pages(), written, rows=rows))
    async with asyncio.timeout(5):
        while source.asked < 2:
            await asyncio.sleep(0.005)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
    asked = source.asked
    await asyncio.sleep(0.02)
    assert source.asked == asked
    assert written.batches == []


async def test_a_run_cancelled_twice_ends_its_fetch() -> None:
    source = Source(10**9)
    running = asyncio.create_task(ingest.run(source.pages(), Written(lambda: asyncio.sleep(3600)), rows=400))
    await asyncio.sleep(0.02)
    running.cancel()
    await asyncio.sleep(0)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    await asyncio.sleep(0.1)
    assert asyncio.all_tasks() == {asyncio.current_task()}
