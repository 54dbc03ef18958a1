"""Walks a list by what each page says of the next; a vendor that goes round in circles is found out."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from collectors import errors

MOST_PAGES = 100_000
MOST_EMPTY_PAGES = 3  # in a row, of a list that says it goes on

P = TypeVar("P")


@dataclass(frozen=True)
class Fetched(Generic[P]):
    """A page as it came: its rows read, its bytes, how many rows the vendor sent, and where the list goes on.

    ``next`` None: this was the last page.
    """

    page: P
    body: bytes
    count: int
    next: str | None


async def walk(
    fetch: Callable[[str], Awaitable[Fetched[P]]], start: str, *, may_be_empty: bool = False
) -> AsyncGenerator[Fetched[P], None]:
    """Yield the list's pages from ``start``.

    ``may_be_empty``: the vendor says that a page without rows need not be the last. Raises ResponseInvalid where
    the list does not move on, is empty before its end, or never ends.
    """
    seen = {start}
    at, empty, before = start, 0, b""
    for _ in range(MOST_PAGES):
        fetched = await _moving(fetch, at, before, may_be_empty=may_be_empty)
        empty = 0 if fetched.count else empty + 1
        if empty > MOST_EMPTY_PAGES:
            raise errors.ResponseInvalid(
                "the list gives one empty page after another: its paging cannot be trusted"
            )
        yield fetched
        if fetched.next is None:
            return
        if fetched.next in seen:
            raise errors.ResponseInvalid(
                "the list leads back to a page that was read: its paging cannot be trusted"
            )
        seen.add(fetched.next)
        at, before = fetched.next, fetched.body
    raise errors.ResponseInvalid(f"the list never ends: it goes on after {MOST_PAGES} pages")


async def _moving(
    fetch: Callable[[str], Awaitable[Fetched[P]]], at: str, before: bytes, *, may_be_empty: bool
) -> Fetched[P]:
    """Fetch a page that is not the last one over again, nor empty before the end; a second try is fair."""
    for _ in range(2):
        fetched = await fetch(at)
        is_empty = fetched.count == 0 and fetched.next is not None and not may_be_empty
        is_repeated = fetched.count > 0 and fetched.body == before
        if not is_empty and not is_repeated:
            return fetched
    fault = "was empty before its end" if is_empty else "gave the same page twice"
    raise errors.ResponseInvalid(f"the list {fault}: its paging cannot be trusted")
