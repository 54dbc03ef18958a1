"""Walks NetCloud's lists. Where a list comes by rising ids it goes on after the last one; else as ``meta.next`` says.

A list that shrinks while it is read by offset would skip a row for each that went; after an id none is.
"""

import contextlib
from collections.abc import AsyncGenerator, Callable
from typing import TypeVar

from collectors import walking
from collectors.netcloud import api as netcloud_api
from collectors.netcloud import parse

P = TypeVar("P", bound=parse.Listed)


async def by_id(
    api: netcloud_api.Api,
    endpoint: str,
    params: netcloud_api.Params,
    read: Callable[[bytes], P],
    *,
    cursor: str | None = None,
) -> AsyncGenerator[walking.Fetched[P], None]:
    """Yield a list's pages, after ``cursor`` (an earlier page's ``next``) if it still fits."""

    async def fetch(place: str) -> walking.Fetched[P]:
        after = {"id__gt": place} if place else {}
        url = place if "/" in place else api.url(endpoint, {**params, **after})
        body = await api.get(url)
        page = read(body)
        following = None if page.next is None else page.last_id or page.next
        return walking.Fetched(page, body, page.count, following)

    start = cursor if cursor is not None and _fits(api, endpoint, cursor) else ""
    async with contextlib.aclosing(walking.walk(fetch, start)) as steps:
        async for step in steps:
            yield step


async def by_next(
    api: netcloud_api.Api, endpoint: str, params: netcloud_api.Params, read: Callable[[bytes], P]
) -> AsyncGenerator[P, None]:
    """Yield the pages of a series of samples, which have no rising id. A page may be empty before the end."""

    async def fetch(url: str) -> walking.Fetched[P]:
        body = await api.get(url)
        page = read(body)
        return walking.Fetched(page, body, page.count, page.next)

    walk = walking.walk(fetch, api.url(endpoint, params), may_be_empty=True)
    async with contextlib.aclosing(walk) as steps:
        async for step in steps:
            yield step.page


def _fits(api: netcloud_api.Api, endpoint: str, cursor: str) -> bool:
    is_id = cursor.isascii() and cursor.isdecimal()
    return is_id or ("/" in cursor and api.leads_to(cursor, endpoint))
