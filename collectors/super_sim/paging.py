"""Reads one list after another by the addresses that the vendor gives, and says where to go on."""

import contextlib
import hashlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

from collectors import walking

P = TypeVar("P")


@dataclass(frozen=True)
class Place:
    """Where a sweep stands: how many of its lists are done, and the address at which the next goes on.

    ``url`` None: at its beginning.
    """

    done: int = 0
    url: str | None = None

    def cursor(self, starts: Sequence[str]) -> str:
        return f"{_mark(starts)}:{self.done}:{self.url or ''}"

    @classmethod
    def read(cls, cursor: str | None, starts: Sequence[str]) -> "Place":
        """Read a cursor. One of other lists, as after a change of options, begins the sweep anew."""
        mark, _, rest = (cursor or "").partition(":")
        done, _, url = rest.partition(":")
        is_ours = mark == _mark(starts) and done.isdecimal()
        return cls(int(done), url or None) if is_ours else cls()


async def walk(
    fetch: Callable[[str], Awaitable[walking.Fetched[P]]], starts: Sequence[str], index: int, place: Place
) -> AsyncGenerator[tuple[P, str], None]:
    """Yield the pages of one of the lists, each with the cursor after it. Raises as walking.walk does."""
    start = place.url if place.url is not None and index == place.done else starts[index]
    async with contextlib.aclosing(walking.walk(fetch, start)) as steps:
        async for step in steps:
            after = Place(index + 1) if step.next is None else Place(index, step.next)
            yield step.page, after.cursor(starts)


def _mark(starts: Sequence[str]) -> str:
    """A digest of what is asked for: a place in a list by the day is none in one by the hour."""
    return hashlib.blake2b("\n".join(starts).encode(), digest_size=8).hexdigest()
