"""Reads a list as a whole, and again from its beginning where it changed meanwhile."""

import contextlib
import hashlib
from collections.abc import AsyncGenerator, Callable, Collection
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from collectors import client, errors, walking
from collectors.ed_fi import api as ed_fi_api
from collectors.ed_fi import parse

TRIES = 3
TOTAL = "total-count"  # header: the length of the whole list
Progress = Callable[[int], None]  # told the number of items read so far


class Item(Protocol):
    @property
    def key(self) -> object:
        """What the list has once only."""
        ...


T = TypeVar("T", bound=Item)


@dataclass(slots=True)
class Listed(Generic[T]):
    """A whole list: its items and those that cannot be read, by their place from 1; ``sha256`` of all its pages."""

    items: list[tuple[int, T]] = field(default_factory=list)
    refused: list[tuple[int, parse.Refused]] = field(default_factory=list)
    count: int = 0
    sha256: str = ""


class _Changed(Exception):
    """The list is not the one that it was when it was begun."""


async def associations(
    api: ed_fi_api.Api, *, wanted: Collection[str], progress: Progress | None = None
) -> Listed[parse.Association]:
    """Every association of a student that the key may see. Raises CollectorError."""

    def read(body: bytes) -> parse.Page[parse.Association]:
        return parse.associations(body, wanted=wanted)

    return await _whole(api, ed_fi_api.ASSOCIATIONS, read, progress)


async def schools(api: ed_fi_api.Api) -> Listed[parse.School]:
    """Every school that the key may see. Raises CollectorError."""
    return await _whole(api, ed_fi_api.SCHOOLS, parse.schools, None)


async def _whole(
    api: ed_fi_api.Api, resource: str, read: Callable[[bytes], parse.Page[T]], progress: Progress | None
) -> Listed[T]:
    for _ in range(TRIES):
        try:
            return await _once(api, resource, read, progress)
        except _Changed:
            continue
    raise errors.Unavailable(
        f"the list {resource} changed while it was read, {TRIES} times over: try again when less is written to it"
    )


async def _once(
    api: ed_fi_api.Api, resource: str, read: Callable[[bytes], parse.Page[T]], progress: Progress | None
) -> Listed[T]:
    listed: Listed[T] = Listed()
    seen: set[object] = set()
    digest = hashlib.sha256()
    async with contextlib.aclosing(_pages(api, resource, read)) as pages:
        async for fetched in pages:
            digest.update(fetched.body)
            _append(listed, fetched.page, seen)
            if progress is not None:
                progress(listed.count)
    listed.sha256 = digest.hexdigest()
    return listed


def _append(listed: Listed[T], page: parse.Page[T], seen: set[object]) -> None:
    """Add a page. An item that comes twice was moved by another that came or went: some other was then missed."""
    start = listed.count + 1
    for index, item in page.items:
        if item.key in seen:
            raise _Changed
        seen.add(item.key)
        listed.items.append((start + index, item))
    listed.refused += [(start + refused.index, refused) for refused in page.refused]
    listed.count += page.count


async def _pages(
    api: ed_fi_api.Api, resource: str, read: Callable[[bytes], parse.Page[T]]
) -> AsyncGenerator[walking.Fetched[parse.Page[T]], None]:
    total: int | None = None

    async def fetch(at: str) -> walking.Fetched[parse.Page[T]]:
        nonlocal total
        answer = await api.page(resource, int(at))
        page = read(answer.body)
        told = _total(answer)
        if int(at) > 0 and told != total:
            raise _Changed
        total = told
        return walking.Fetched(page, answer.body, page.count, _next(int(at) + page.count, page.count, total))

    async with contextlib.aclosing(walking.walk(fetch, "0")) as pages:
        async for fetched in pages:
            yield fetched


def _next(after: int, count: int, total: int | None) -> str | None:
    """Where the list goes on. A host that does not tell its length is asked until a page is empty."""
    goes_on = count > 0 if total is None else after < total
    return str(after) if goes_on else None


def _total(answer: client.Answer) -> int | None:
    told = answer.headers.get(TOTAL, "").strip()
    return int(told) if told.isdecimal() else None
