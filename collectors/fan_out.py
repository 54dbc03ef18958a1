"""One call for each line of a page: some at a time, in order, and one that fails spoils no other."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from collectors import errors, readings

MANY = 10  # lines that do not all fail by chance

Item = TypeVar("Item")
Found = TypeVar("Found")


async def each(
    items: Sequence[Item],
    call: Callable[[Item], Awaitable[Found]],
    rejected: list[readings.Rejection],
    *,
    at_once: int,
    path: str,
) -> list[Found]:
    """Return what was found of each item, in order; note in ``rejected`` those whose answer cannot be used.

    Raises CollectorError where the vendor fails as such, or of many answers none can be used.
    """
    room = asyncio.Semaphore(at_once)

    async def one(item: Item) -> Found | errors.CollectorError:
        async with room:
            try:
                return await call(item)
            except (errors.NotFound, errors.ResponseInvalid) as error:
                return error

    answers = await _together([one(item) for item in items])
    lost = [answer for answer in answers if isinstance(answer, errors.CollectorError)]
    if len(lost) == len(items) >= MANY:
        raise lost[0]
    for index, answer in enumerate(answers):
        if isinstance(answer, errors.CollectorError):
            rejected.append(readings.Rejection(f"{path}[{index}]", _reason(answer)))
    return [answer for answer in answers if not isinstance(answer, errors.CollectorError)]


def _reason(error: errors.CollectorError) -> str:
    return "the vendor does not know this line" if isinstance(error, errors.NotFound) else str(error)


async def _together(calls: Sequence[Awaitable[Found]]) -> list[Found]:
    """Await all; the first to raise ends the others."""
    try:
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(_awaited(call)) for call in calls]
    except BaseExceptionGroup as failed:
        raise failed.exceptions[0] from failed
    return [task.result() for task in tasks]


async def _awaited(call: Awaitable[Found]) -> Found:
    return await call
