"""Reads the list of devices while it moves.

It is sorted by when a device's record changed. One that changes while the list is read goes to the end, and those
behind it close up: one of them slips over the border to a page that was read. The one that went turns up once more
at the end, and that gives the move away: then the list is read again.
"""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterable
from dataclasses import dataclass, field

from collectors import errors, readings, walking
from collectors.control_center import parse

MOST_PASSES = 4
SPARE_ROWS = 2_000  # how many rows more than thrice its devices a list may give
KEPT_MOVING = readings.Rejection(
    "devices", "the list moved each time it was read: a line may be missing until the next sweep"
)

Fetch = Callable[[str], Awaitable[walking.Fetched[parse.Listed]]]


@dataclass(frozen=True)
class Step:
    """The devices of a page that were not seen before."""

    rows: list[parse.Device]
    rejected: list[readings.Rejection]


@dataclass
class Pass:
    """One reading of the list."""

    rows: int = 0
    keys: set[str] = field(default_factory=set)

    @property
    def has_moved(self) -> bool:
        return self.rows > len(self.keys)

    def add(self, rows: Iterable[parse.Device]) -> None:
        """Raises ResponseInvalid where the list gives the same devices over and over."""
        for row in rows:
            self.rows += 1
            self.keys.add(row.key)
        if self.rows > 3 * len(self.keys) + SPARE_ROWS:
            raise errors.ResponseInvalid(
                "the list never ends: it gives the same devices over and over, its paging cannot be trusted"
            )


async def walk(fetch: Fetch) -> AsyncGenerator[Step, None]:
    """Yield every device once. Raises ResponseInvalid where the paging cannot be trusted."""
    known: set[str] = set()
    for number in range(MOST_PASSES):
        before, current = len(known), Pass()
        async with contextlib.aclosing(walking.walk(fetch, "1")) as pages:
            async for fetched in pages:
                current.add(fetched.page.rows)
                new = _unknown(fetched.page.rows, known)
                if number == 0:  # the same rows are bad the second time
                    yield Step(new, fetched.page.rejected)
                elif new:
                    yield Step(new, [])
        if not current.has_moved or (number > 0 and len(known) == before):
            return
    yield Step([], [KEPT_MOVING])


def _unknown(rows: Iterable[parse.Device], known: set[str]) -> list[parse.Device]:
    """Those that are not known yet; from now on they are."""
    new = []
    for row in rows:
        if (key := row.key) not in known:
            known.add(key)
            new.append(row)
    return new
