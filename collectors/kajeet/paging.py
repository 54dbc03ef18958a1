"""Walks a list by offset while the list changes under it: a row may come twice, none is left out."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from collectors import errors

SPARE_ROWS = 2_000  # how far a list may outgrow twice the length it began with


class Page(Protocol):
    @property
    def total(self) -> int: ...

    @property
    def count(self) -> int: ...

    @property
    def first(self) -> str | None:
        """The key of its first good row."""
        ...


P = TypeVar("P", bound=Page)


@dataclass(frozen=True)
class Step(Generic[P]):
    """A page, and the offset at which the list goes on after it."""

    page: P
    next_offset: int


async def walk(
    fetch: Callable[[int], Awaitable[P]], *, offset: int = 0, total: int | None = None
) -> AsyncGenerator[Step[P], None]:
    """Yield the list's pages from ``offset``. ``total``: how long it was when an earlier walk stopped there.

    Raises ResponseInvalid where the list does not move on or never ends.
    """
    rows, allowed, first = 0, None, None
    while True:
        page = await _moving(fetch, offset, total, first)
        rows += page.count
        allowed = allowed if allowed is not None else 2 * page.total + SPARE_ROWS
        if rows > allowed:
            raise errors.ResponseInvalid("the list never ends: it keeps growing while it is read")
        fallen = max(0, total - page.total) if total is not None else 0
        total, first = page.total, None if fallen else page.first
        # Rows that went from before this page drew later ones forward, over the offset: go back as many.
        offset = max(0, offset - fallen) if fallen else offset + page.count
        yield Step(page, offset)
        if not fallen and offset >= total:
            return


async def _moving(
    fetch: Callable[[int], Awaitable[P]], offset: int, total: int | None, first: str | None
) -> P:
    """Fetch a page that is not empty before the end, nor the last one over again; a second try is fair."""
    for _ in range(2):
        page = await fetch(offset)
        is_empty = page.count == 0 and offset < page.total
        is_repeated = first is not None and page.first == first and page.total == total
        if not is_empty and not is_repeated:
            return page
    fault = "was empty before its end" if is_empty else "gave the same page twice"
    raise errors.ResponseInvalid(
        f"the list {fault} (at row {offset} of {page.total}): its paging cannot be trusted"
    )
