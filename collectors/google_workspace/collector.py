"""Sweeps one Google Workspace: students' Chromebooks, and when telemetry saw them online."""

import contextlib
import math
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Sequence
from datetime import UTC, datetime, timedelta

from collectors import base, errors, readings, walking
from collectors.google_workspace import api as workspace_api
from collectors.google_workspace import options as workspace_options
from collectors.google_workspace import parse

DEVICES = "devices"
TELEMETRY = "telemetry"
LONGEST_LOOK_BACK = timedelta(days=14)  # after an outage; an answer has a most

Fetch = Callable[[str], Awaitable[walking.Fetched[parse.List]]]
Steps = AsyncGenerator[walking.Fetched[parse.List], None]


def endpoint_groups(options: workspace_options.Options) -> Sequence[base.EndpointGroup]:
    devices = base.EndpointGroup(
        name=DEVICES,
        cadence=timedelta(minutes=options.cadence_minutes),
        page_size=options.page_size,
        overlaps=True,
    )
    telemetry = base.EndpointGroup(
        name=TELEMETRY,
        cadence=timedelta(minutes=options.telemetry_cadence_minutes),
        page_size=options.telemetry_page_size,
        page_cost=_telemetry_page_cost(options),
        priority=2,
        lists_lines=False,
        overlaps=True,
    )
    return (devices, telemetry) if options.telemetry else (devices,)


def _telemetry_page_cost(options: workspace_options.Options) -> int:
    """Telemetry knows no path of a unit, so the keys of the unit's devices are listed as well."""
    if options.org_unit_path is None:
        return 1
    return 1 + math.ceil(options.telemetry_page_size / options.page_size)


class Collector:
    """Devices are listed four times a day, telemetry is read as often as devices report it."""

    def __init__(self, options: workspace_options.Options, api: workspace_api.Api) -> None:
        self._options = options
        self._api = api
        self._parser = parse.Parser(options)

    @property
    def endpoint_groups(self) -> Sequence[base.EndpointGroup]:
        return endpoint_groups(self._options)

    def pages(self, group: base.EndpointGroup, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        reader = self._api.reader()
        if group.name == TELEMETRY:
            return self._telemetry_pages(reader, sweep)
        return _pages(_resumed(self._devices(reader, sweep.instant), sweep.cursor))

    async def probe(self) -> base.Probe:
        """Sign in and read one row of each list. Google tells no total."""
        reader = self._api.reader()
        now = datetime.now(UTC)
        rejected = self._parser.devices(await reader.devices(size=1), instant=now).rejected
        if self._options.telemetry:
            body = await reader.telemetry(now - timedelta(days=1), size=1)
            rejected += self._parser.telemetry(body, since=now, instant=now).rejected
        return base.Probe(None, self._api.clock_skew_seconds, rejected)

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _telemetry_pages(
        self, reader: workspace_api.Reader, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        within = None if self._options.org_unit_path is None else await self._keys(reader, sweep.instant)
        # the filter may leave nothing of a page
        steps = _resumed(self._telemetry(reader, sweep, within), sweep.cursor, may_be_empty=True)
        async with contextlib.aclosing(_pages(steps)) as pages:
            async for page in pages:
                yield page

    def _devices(
        self, reader: workspace_api.Reader, instant: datetime, fields: str = workspace_api.DEVICE_FIELDS
    ) -> Fetch:
        async def fetch(token: str) -> walking.Fetched[parse.List]:
            body = await reader.devices(token, fields=fields)
            page = self._parser.devices(body, instant=instant)
            return walking.Fetched(page, body, page.count, page.next)

        return fetch

    def _telemetry(
        self, reader: workspace_api.Reader, sweep: base.Sweep, within: Collection[str] | None
    ) -> Fetch:
        overlap = timedelta(hours=self._options.telemetry_overlap_hours)
        last = min(sweep.since or sweep.instant, sweep.instant)  # the clock may have been set back in between
        since = max(last - overlap, sweep.instant - LONGEST_LOOK_BACK)

        async def fetch(token: str) -> walking.Fetched[parse.List]:
            body = await reader.telemetry(since, token)
            page = self._parser.telemetry(body, since=since, instant=sweep.instant, within=within)
            return walking.Fetched(page, body, page.count, page.next)

        return fetch

    async def _keys(self, reader: workspace_api.Reader, instant: datetime) -> set[str]:
        """The keys of the devices in the configured unit."""
        fetch = self._devices(reader, instant, workspace_api.KEY_FIELDS)
        async with contextlib.aclosing(walking.walk(fetch, "")) as steps:
            return {device.device_key async for step in steps for device in step.page.devices}


async def _pages(steps: Steps) -> AsyncGenerator[readings.Page, None]:
    async with contextlib.aclosing(steps):
        async for step in steps:
            yield readings.Page(
                student_devices=step.page.devices,
                rejected=step.page.rejected,
                unmapped=step.page.unmapped,
                cursor=step.next,
            )


async def _resumed(fetch: Fetch, cursor: str | None, *, may_be_empty: bool = False) -> Steps:
    """Go on at a page token; one that Google takes no longer begins the list anew."""
    if cursor:
        is_begun = False
        try:
            async with contextlib.aclosing(walking.walk(fetch, cursor, may_be_empty=may_be_empty)) as steps:
                async for step in steps:
                    is_begun = True
                    yield step
        except errors.ResponseInvalid:
            if is_begun:
                raise
        else:
            return
    async with contextlib.aclosing(walking.walk(fetch, "", may_be_empty=may_be_empty)) as steps:
        async for step in steps:
            yield step
