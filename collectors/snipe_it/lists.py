"""Reads whole lists. One that changes while it is read is read again: whatever is absent counts as returned."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field, replace
from typing import Protocol, TypeVar

from collectors import errors, readings, walking
from collectors.snipe_it import parse
from collectors.snipe_it.api import HARDWARE, USERS, Api

TRIES = 3

Told = Callable[[int], None]  # how many rows were read so far


class Page(Protocol):
    @property
    def total(self) -> int: ...

    @property
    def count(self) -> int: ...


P = TypeVar("P", bound=Page)
L = TypeVar("L")


class Changed(errors.ResponseInvalid):
    """The list is not the one that its first page was of."""


@dataclass(frozen=True, slots=True)
class Listed:
    """Every asset, and those that could not be read."""

    assets: list[parse.Asset] = field(default_factory=list)
    rejected: list[readings.Rejection] = field(default_factory=list)


async def assets(api: Api, told: Told = lambda count: None) -> Listed:
    """All assets, archived ones too, each with the number of the user who has it. Raises CollectorError."""
    kept = {} if api.options.category_id is None else {"category_id": api.options.category_id}
    usual = await _again(lambda: _assets(api, kept, told))
    archived = await _again(lambda: _assets(api, {**kept, "status": "Archived"}, told))
    # a server may be set to list what is archived with the rest
    every = {asset.id: asset for asset in (*usual.assets, *archived.assets)}
    return Listed(await _with_numbers(api, list(every.values())), [*usual.rejected, *archived.rejected])


async def _with_numbers(api: Api, found: list[parse.Asset]) -> list[parse.Asset]:
    if all(asset.number is not None for asset in found):
        return found
    numbers = await _again(lambda: _numbers(api))
    return [
        replace(asset, number=numbers.get(asset.user_id or 0, "")) if asset.number is None else asset
        for asset in found
    ]


async def _again(read: Callable[[], Awaitable[L]]) -> L:
    for _ in range(TRIES - 1):
        try:
            return await read()
        except Changed:
            continue
    return await read()


async def _assets(api: Api, filters: Mapping[str, str | int], told: Told) -> Listed:
    listed = Listed()
    seen: set[int] = set()
    parsed = _parser(api)
    async with aclosing(_pages(api, HARDWARE, filters, parsed)) as pages:
        async for page in pages:
            _check_new(seen, [asset.id for asset in page.assets])
            listed.assets.extend(page.assets)
            listed.rejected.extend(page.rejected)
            told(len(listed.assets))
    return listed


def _parser(api: Api) -> Callable[[bytes], parse.Assets]:
    return lambda body: parse.assets(body, imei_field=api.options.imei_field)


async def _numbers(api: Api) -> dict[int, str]:
    numbers: dict[int, str] = {}
    async with aclosing(_pages(api, USERS, {}, parse.users)) as pages:
        async for page in pages:
            numbers |= page.numbers
    return numbers


def _check_new(seen: set[int], ids: list[int]) -> None:
    if not seen.isdisjoint(ids):
        raise Changed("the list told an asset twice: it changed while it was read; try again")
    seen.update(ids)


async def _pages(
    api: Api, resource: str, filters: Mapping[str, str | int], parsed: Callable[[bytes], P]
) -> AsyncGenerator[P, None]:
    """The pages of a list. Raises Changed where its length is not that of the first page."""
    total: int | None = None

    async def fetch(at: str) -> walking.Fetched[P]:
        nonlocal total
        body = await api.page(resource, int(at), filters)
        page = parsed(body)
        total = page.total if total is None else total
        if page.total != total:
            raise Changed("the list changed while it was read; try again")
        after = int(at) + page.count
        return walking.Fetched(page, body, page.count, str(after) if after < total else None)

    async with aclosing(walking.walk(fetch, "0")) as steps:
        async for step in steps:
            yield step.page
