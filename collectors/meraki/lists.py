"""Walks lists one after another, so that an interrupted sweep can go on where it was."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Generic

from collectors import errors, walking
from collectors.meraki import api as meraki_api
from collectors.meraki import offers, rows


@dataclass(frozen=True)
class Source:
    """A list: what the log calls it, and the address of its first page."""

    what: str
    start: str


@dataclass(frozen=True)
class Step(Generic[rows.Row]):
    """A page of the list with the number ``at``; ``cursor`` is where the walk goes on."""

    at: int
    batch: rows.Batch[rows.Row]
    cursor: str | None


Fetched = walking.Fetched[rows.Batch[rows.Row]]


async def walk(
    api: meraki_api.Api,
    offered: offers.Offers,
    sources: Sequence[Source],
    read: meraki_api.Read[rows.Row],
    cursor: str | None,
) -> AsyncGenerator[Step[rows.Row], None]:
    """Yield pages from a cursor on; one that fits no longer begins anew. Raises CollectorError."""
    resumed = next((at for at, source in enumerate(sources) if api.goes_on(source.start, cursor)), None)
    for at in range(resumed or 0, len(sources)):
        after = sources[at + 1].start if at + 1 < len(sources) else None
        pages = _list(api, offered, sources[at], read, cursor if at == resumed else None)
        async with contextlib.aclosing(pages) as fetched:
            async for page in fetched:
                yield Step(at, page.page, page.next or after)


async def _list(
    api: meraki_api.Api,
    offered: offers.Offers,
    source: Source,
    read: meraki_api.Read[rows.Row],
    cursor: str | None,
) -> AsyncGenerator["Fetched[rows.Row]", None]:
    """Yield one list's pages; from its start where Meraki no longer knows the place of the cursor."""
    for start in filter(None, (cursor, source.start)):
        try:
            async with contextlib.aclosing(_from(api, offered, source, read, start)) as pages:
                async for page in pages:
                    yield page
        except errors.NotFound:
            if start == source.start:
                raise
        else:
            return


async def _from(
    api: meraki_api.Api,
    offered: offers.Offers,
    source: Source,
    read: meraki_api.Read[rows.Row],
    start: str,
) -> AsyncGenerator["Fetched[rows.Row]", None]:
    is_first = start == source.start
    try:
        async with contextlib.aclosing(api.walk(start, read)) as pages:
            async for page in pages:
                is_first = False
                offered.give(source.what)
                yield page
    except errors.NotFound as error:
        if not is_first:
            raise
        await offered.refuse(source.what, error)
