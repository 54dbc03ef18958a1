"""Threads for what takes long: whoever is cancelled still waits for his, as it may write where he clears up."""

import asyncio
import contextlib
import contextvars
import functools
from collections.abc import Callable
from typing import TypeVar

PATIENCE = 10.0  # seconds, for what was told to stop; it looks up between steps

Result = TypeVar("Result")


def nothing() -> None:
    """Nobody is going to stop it."""


async def run(
    work: Callable[[], Result],
    *,
    stop: Callable[[], None] = nothing,
    patience: float | None = PATIENCE,
) -> Result:
    """``stop``: called where nobody waits for the result any more. ``patience`` None: until it has ended."""
    # No task of its own: a loop that closes cancels every task, and this one would end before its thread.
    context = contextvars.copy_context()
    thread = asyncio.get_running_loop().run_in_executor(None, functools.partial(context.run, work))
    try:
        return await asyncio.shield(thread)
    except asyncio.CancelledError:
        stop()
        await _ended(thread, patience)
        raise


async def _ended(thread: asyncio.Future[Result], patience: float | None) -> None:
    """However often the task is cancelled meanwhile. What went wrong in the thread is of no interest any more."""
    thread.add_done_callback(lambda done: done.cancelled() or done.exception())
    loop = asyncio.get_running_loop()
    until = None if patience is None else loop.time() + patience
    while not thread.done() and (until is None or loop.time() < until):
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.wait({thread}, timeout=None if until is None else until - loop.time())
