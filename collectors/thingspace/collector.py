"""Sweeps one ThingSpace account."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from datetime import UTC, datetime, timedelta

from collectors import base, errors, fan_out, readings, walking
from collectors.thingspace import api as thingspace_api
from collectors.thingspace import lookups, parse
from collectors.thingspace import options as thingspace_options

DEVICES = "devices"
USAGE = "usage"
CONNECTIONS = "connections"

PAGE_SIZE = 2000  # the vendor's; it is not asked for another
CHUNK = 100  # lines stored together: so many are asked for again after an interruption
NO_DEVICE_ID = "without a DeviceId in extendedAttributes a list of more than one page cannot be read"

LookUp = Callable[[parse.Line], Awaitable[lookups.Found]]
Fetched = walking.Fetched[parse.Devices]


def endpoint_groups(options: thingspace_options.Options) -> Sequence[base.EndpointGroup]:
    devices = base.EndpointGroup(
        name=DEVICES, cadence=timedelta(minutes=options.cadence_minutes), page_size=PAGE_SIZE
    )
    return (
        devices,
        _per_line(USAGE, options.usage_minutes, priority=1),
        _per_line(CONNECTIONS, options.connections_minutes, priority=2),
    )


def _per_line(name: str, minutes: int, *, priority: int) -> base.EndpointGroup:
    return base.EndpointGroup(
        name=name,
        cadence=timedelta(minutes=minutes),
        page_size=PAGE_SIZE,
        line_cost=1,
        priority=priority,
        lists_lines=False,
        overlaps=True,
    )


class Collector:
    """Devices are listed every hour; what each used and when it was connected takes a call for each."""

    def __init__(self, options: thingspace_options.Options, api: thingspace_api.Api) -> None:
        self._options = options
        self._api = api
        self._parser = parse.Parser(options.statuses)

    @property
    def endpoint_groups(self) -> Sequence[base.EndpointGroup]:
        return endpoint_groups(self._options)

    def pages(self, group: base.EndpointGroup, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        """Yield the sweep's pages. Their cursor is the largest DeviceId that is done with."""
        reader = self._api.reader()
        listed = self._list(reader, sweep)
        if group.name == DEVICES:
            return _device_pages(listed)
        calls = lookups.Lookups(self._options, reader, sweep)
        return self._line_pages(listed, calls.used if group.name == USAGE else calls.connected)

    async def probe(self) -> base.Probe:
        """Sign in and read the first page of the list: the vendor is not asked for less."""
        start = str(self._options.first_device_id)
        page = (await self._fetch(self._api.reader(), datetime.now(UTC), start)).page
        doubts = []
        if page.count and page.last is None:
            doubts.append(readings.Rejection("devices.extendedAttributes", NO_DEVICE_ID))
        lines = None if page.has_more else page.count
        return base.Probe(lines, self._api.clock_skew_seconds, page.rejected + doubts)

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _line_pages(
        self, listed: AsyncGenerator[parse.Devices, None], look_up: LookUp
    ) -> AsyncGenerator[readings.Page, None]:
        async with contextlib.aclosing(listed) as pages:
            async for page in pages:
                for lines in _chunks(page.lines):
                    yield await self._together(lines, look_up)

    async def _together(self, lines: Sequence[parse.Line], look_up: LookUp) -> readings.Page:
        rejected: list[readings.Rejection] = []
        unmapped: dict[str, int] = {}
        found = await fan_out.each(lines, look_up, rejected, at_once=self._options.at_once, path="devices")
        for one in found:
            rejected += one.rejected
            for word, count in one.unmapped.items():
                unmapped[word] = unmapped.get(word, 0) + count
        return readings.Page(
            sightings=[one.sighting for one in found if one.sighting is not None],
            rejected=rejected,
            unmapped=unmapped,
            cursor=_cursor(lines[-1].device_id),
        )

    async def _list(
        self, reader: thingspace_api.Reader, sweep: base.Sweep
    ) -> AsyncGenerator[parse.Devices, None]:
        async def fetch(at: str) -> Fetched:
            return await self._fetch(reader, sweep.instant, at)

        async with contextlib.aclosing(walking.walk(fetch, self._start(sweep.cursor))) as steps:
            async for step in steps:
                yield step.page

    async def _fetch(self, reader: thingspace_api.Reader, instant: datetime, at: str) -> Fetched:
        answer = await reader.devices(int(at))
        page = self._parser.devices(answer.body, instant=instant, status=answer.status)
        return walking.Fetched(page, answer.body, page.count, _following(page, at))

    def _start(self, cursor: str | None) -> str:
        """A cursor that is no DeviceId begins the sweep anew."""
        number = parse.device_number(cursor)
        return str(self._options.first_device_id if number is None else number)


async def _device_pages(listed: AsyncGenerator[parse.Devices, None]) -> AsyncGenerator[readings.Page, None]:
    async with contextlib.aclosing(listed) as pages:
        async for page in pages:
            yield readings.Page(
                sightings=page.sightings,
                rejected=page.rejected,
                unmapped=page.unmapped,
                cursor=_cursor(page.last),
            )


def _following(page: parse.Devices, at: str) -> str | None:
    """Where the list goes on. Raises ResponseInvalid: it says that it does, but not where, or is not sorted."""
    if not page.has_more:
        return None
    if page.last is None:
        if page.count:
            raise errors.ResponseInvalid(f"the list cannot be read to its end: {NO_DEVICE_ID}")
        return at
    numbers = [line.device_id for line in page.lines if line.device_id is not None]
    if numbers != sorted(numbers):
        raise errors.ResponseInvalid("the list is not sorted by DeviceId: its paging cannot be trusted")
    return str(page.last)


def _cursor(device_id: int | None) -> str | None:
    return None if device_id is None else str(device_id)


def _chunks(lines: Sequence[parse.Line]) -> Iterator[Sequence[parse.Line]]:
    return (lines[start : start + CHUNK] for start in range(0, len(lines), CHUNK))
