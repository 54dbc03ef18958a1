"""What takes long, aside: it tells how far it is, and ends where nobody waits for it any more."""

import asyncio
import threading

import pytest

from service.exports import steps, terms


async def test_work_aside_tells_how_far_it_is_and_gives_its_result() -> None:
    told: list[tuple[str, int, int]] = []

    def work(progress: terms.Progress) -> str:
        progress("schools", 1, 2)
        return "done"

    assert await steps.aside(lambda *step: told.append(step), work) == "done"
    assert told == [("schools", 1, 2)]


async def test_work_that_nobody_waits_for_ends_at_its_next_step() -> None:
    begun, is_left, ended = threading.Event(), threading.Event(), threading.Event()

    def work(progress: terms.Progress) -> None:
        begun.set()
        is_left.wait(10)
        try:
            progress("schools", 1, 2)
        except steps.Stopped:
            ended.set()
            raise

    task = asyncio.create_task(steps.aside(steps.silent, work))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    is_left.set()
    assert await asyncio.to_thread(ended.wait, 10)
