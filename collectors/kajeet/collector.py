"""Sweeps one Kajeet Sentinel account."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import msgspec

from collectors import base, readings
from collectors.kajeet import api as kajeet_api
from collectors.kajeet import groups, paging, parse
from collectors.kajeet import options as kajeet_options

DEVICES = "devices"
GROUPS = "groups"
GROUPS_CADENCE = timedelta(days=1)


def endpoint_groups(options: kajeet_options.Options) -> Sequence[base.EndpointGroup]:
    devices = base.EndpointGroup(
        name=DEVICES, cadence=timedelta(minutes=options.cadence_minutes), page_size=options.page_size
    )
    groups = base.EndpointGroup(
        name=GROUPS, cadence=GROUPS_CADENCE, page_size=options.page_size, priority=1, lists_lines=False
    )
    return (groups, devices) if options.discover_groups else (devices,)


class Collector:
    """Devices are listed every hour, device groups once a day and only if they are to be discovered."""

    def __init__(self, options: kajeet_options.Options, api: kajeet_api.Api) -> None:
        self._options = options
        self._api = api
        self._parser = parse.Parser(options)
        self._order: Sequence[str] | None = None if options.discover_groups else options.corp_ids

    @property
    def endpoint_groups(self) -> Sequence[base.EndpointGroup]:
        return endpoint_groups(self._options)

    def pages(self, group: base.EndpointGroup, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        """Yield the sweep's pages. Lines of a nested group come with its key before those of its parent."""
        reader = self._api.reader()
        if group.name == GROUPS:
            return self._group_pages(reader)
        return self._device_pages(reader, sweep)

    async def probe(self) -> base.Probe:
        """Sign in and read one row of every configured group."""
        reader = self._api.reader()
        lines, rejected = 0, []
        for corp_id in self._options.corp_ids:
            body = await reader.devices(corp_id, 0, 1)
            lines += self._parser.total(body)
            rejected += self._parser.doubts(body)
        return base.Probe(lines, self._api.clock_skew_seconds, rejected)

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _device_pages(
        self, reader: kajeet_api.Reader, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        order = self._order or await self._discover(reader)
        place = Place.read(sweep.cursor, order)
        earlier = 0  # lines that the lists before this one hold
        for corp_id in order[order.index(place.corp_id) :]:
            start = place if corp_id == place.corp_id else Place(corp_id)
            listed = 0
            async with contextlib.aclosing(self._list(reader, sweep, start)) as pages:
                async for page in pages:
                    listed = page.total or 0
                    yield msgspec.structs.replace(page, total=earlier + listed)
            if (
                not self._options.discover_groups
            ):  # where groups are nested, the last list holds the others' lines
                earlier += listed

    async def _list(
        self, reader: kajeet_api.Reader, sweep: base.Sweep, place: "Place"
    ) -> AsyncGenerator[readings.Page, None]:
        async def fetch(offset: int) -> parse.Devices:
            body = await reader.devices(place.corp_id, offset, self._options.page_size)
            return self._parser.devices(body, instant=sweep.instant, group_key=place.corp_id)

        walk = paging.walk(fetch, offset=place.offset, total=place.total)
        async with contextlib.aclosing(walk) as steps:
            async for step in steps:
                yield _page(step, place.corp_id)

    async def _group_pages(self, reader: kajeet_api.Reader) -> AsyncGenerator[readings.Page, None]:
        found: list[readings.Group] = []
        async with contextlib.aclosing(self._list_groups(reader)) as pages:
            async for page in pages:
                found += page.groups
                yield readings.Page(groups=page.groups, rejected=page.rejected)
        self._order = groups.leaves_first(found, self._options.corp_ids)

    async def _discover(self, reader: kajeet_api.Reader) -> Sequence[str]:
        found = [group async for page in self._list_groups(reader) for group in page.groups]
        self._order = groups.leaves_first(found, self._options.corp_ids)
        return self._order

    async def _list_groups(self, reader: kajeet_api.Reader) -> AsyncGenerator[parse.Groups, None]:
        async def fetch(offset: int) -> parse.Groups:
            return self._parser.groups(await reader.groups(offset, self._options.page_size))

        async with contextlib.aclosing(paging.walk(fetch)) as steps:
            async for step in steps:
                yield step.page


def _page(step: paging.Step[parse.Devices], corp_id: str) -> readings.Page:
    devices = step.page
    return readings.Page(
        sightings=devices.sightings,
        rejected=devices.rejected,
        unmapped=devices.unmapped,
        cursor=Place(corp_id, step.next_offset, devices.total).cursor,
        total=devices.total,
    )


@dataclass(frozen=True)
class Place:
    """Where in an account's lists a sweep stands; ``total`` is the length of the list when it was left."""

    corp_id: str
    offset: int = 0
    total: int | None = None

    @property
    def cursor(self) -> str:
        return f"{self.corp_id}:{self.offset}:{self.total}"

    @classmethod
    def read(cls, cursor: str | None, order: Sequence[str]) -> "Place":
        """Read a cursor. One that fits this account no longer begins the sweep anew."""
        match (cursor or "").rsplit(":", 2):
            case [corp_id, offset, total] if corp_id in order and offset.isdecimal() and total.isdecimal():
                return cls(corp_id, int(offset), int(total))
            case _:
                return cls(order[0])
