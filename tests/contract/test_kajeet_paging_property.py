"""Whatever is added to or taken from a list between two pages, the lines that stay are all read."""

import asyncio
from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.kajeet import paging


@dataclass(frozen=True)
class Page:
    total: int
    keys: tuple[int, ...]

    @property
    def count(self) -> int:
        return len(self.keys)

    @property
    def first(self) -> str | None:
        return str(self.keys[0]) if self.keys else None


# Before each page either rows go or rows come, as one of the two would be told by the total.
CHANGES = st.lists(
    st.tuples(st.sampled_from(["go", "come", "stay"]), st.lists(st.integers(0, 400), max_size=5)), max_size=12
)


@settings(max_examples=200, deadline=None)
@given(
    keys=st.sets(st.integers(0, 400), max_size=80),
    changes=CHANGES,
    limit=st.integers(5, 30),
)
def test_line_that_stays_is_never_left_out(
    keys: set[int], changes: list[tuple[str, list[int]]], limit: int
) -> None:
    rows, stayed, pending = set(keys), set(keys), list(changes)

    async def fetch(offset: int) -> Page:
        kind, touched = pending.pop() if pending else ("stay", [])
        if kind == "go":
            rows.difference_update(touched)
            stayed.difference_update(touched)
        elif kind == "come":
            rows.update(touched)
        return Page(len(rows), tuple(sorted(rows)[offset : offset + limit]))

    async def read() -> set[int]:
        return {key async for step in paging.walk(fetch) for key in step.page.keys}

    assert asyncio.run(read()) >= stayed
