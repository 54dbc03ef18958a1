"""What takes long, aside: it tells how far it is, and ends where nobody waits for it any more."""

import asyncio
import threading
import time

import pytest

from service.exports import steps, terms, threads


async def test_work_aside_tells_how_far_it_is_and_gives_its_result() -> None:
    told: list[tuple[str, int, int]] = []

    def work(progress: terms.Progress) -> str:
        progress("schools", 1, 2)
        return "done"

    assert await steps.aside(lambda *step: told.append(step), work) == "done"
    assert told == [("schools", 1, 2)]


async def test_work_that_nobody_waits_for_ends_at_its_next_step_and_is_waited_for() -> None:
    begun, is_left, ended = threading.Event(), threading.Event(), threading.Event()

    def work(progress: terms.Progress) -> None:
        begun.set()
        is_left.wait(10)
        try:
            while not ended.wait(0.01):
                progress("schools", 1, 2)
        except steps.Stopped:
            time.sleep(0.2)  # as what clears up after itself
            ended.set()
            raise

    task = asyncio.create_task(steps.aside(steps.silent, work))
    await asyncio.to_thread(begun.wait, 10)
    is_left.set()
    task.cancel()
    await asyncio.sleep(0.05)
    task.cancel()  # impatiently
    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


async def test_work_that_does_not_look_up_is_waited_for_so_long_and_no_longer() -> None:
    begun, is_left = threading.Event(), threading.Event()

    def work() -> None:
        begun.set()
        is_left.wait(10)

    task = asyncio.create_task(threads.run(work, patience=0.1))
    await asyncio.to_thread(begun.wait, 10)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not is_left.is_set()
    is_left.set()


async def test_what_goes_wrong_in_a_thread_is_told_to_whoever_waits() -> None:
    def work() -> None:
        raise KeyError

    with pytest.raises(KeyError):
        await threads.run(work)
