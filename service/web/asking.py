"""What pages share that ask the database at each visit: whose they are, and what they say where it cannot be read."""

import asyncio
from collections.abc import Awaitable, Callable

import aiohttp.web
from aiohttp import typedefs

from service import errors
from service.store import coverage
from service.web import pages

DEADLINE_SECONDS = 15.0  # of all that one page asks the database

_LATER = "The database does not answer, or the service is just starting. Load the page again in a minute."


def district(request: aiohttp.web.Request, snapshot: coverage.Snapshot | None) -> coverage.District:
    """The district that the address names."""
    if snapshot is None:
        raise aiohttp.web.HTTPServiceUnavailable
    found = snapshot.district(int(request.match_info["district_id"]))
    if found is None:
        raise aiohttp.web.HTTPNotFound
    return found


def answered(
    handler: Callable[[aiohttp.web.Request], Awaitable[aiohttp.web.StreamResponse]],
    *,
    what: str,
    is_long: bool = False,
) -> typedefs.Handler:
    """In time, or with a page that says why not. ``what`` is read; ``is_long``: takes as long to send as it does."""

    async def answer(request: aiohttp.web.Request) -> aiohttp.web.StreamResponse:
        try:
            async with asyncio.timeout(None if is_long else DEADLINE_SECONDS):
                return await handler(request)
        except (errors.DatabaseUnavailable, TimeoutError, aiohttp.web.HTTPServiceUnavailable):
            return pages.message(f"{what} cannot be read now", _LATER, status=503)

    return answer
