"""Sweeps one Control Center account, one request at a time."""

import contextlib
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from collectors import base, fan_out, readings
from collectors.control_center import api as control_center_api
from collectors.control_center import listing, notices, order, parse, search
from collectors.control_center import options as control_center_options

CHANGES, DEVICES, USAGE, SESSIONS = "changes", "devices", "usage", "sessions"

Found = TypeVar("Found")


def endpoint_groups(options: control_center_options.Options) -> Sequence[base.EndpointGroup]:
    """Lines whose record changed, all lines, each line's use, each line's last session."""
    size = options.page_size
    return (
        base.EndpointGroup(
            name=CHANGES,
            cadence=timedelta(minutes=options.changes_minutes),
            page_size=size,
            lists_lines=False,
        ),
        base.EndpointGroup(name=DEVICES, cadence=timedelta(minutes=options.devices_minutes), page_size=size),
        base.EndpointGroup(
            name=USAGE,
            cadence=timedelta(minutes=options.usage_minutes),
            page_size=size,
            line_cost=1,
            priority=1,
        ),
        base.EndpointGroup(
            name=SESSIONS,
            cadence=timedelta(minutes=options.sessions_minutes),
            page_size=size,
            line_cost=1,
            priority=2,
            lists_lines=False,
            overlaps=True,
        ),
    )


class Collector:
    """Searches tell which lines there are; what one used, and when it was connected, is asked line by line."""

    def __init__(self, options: control_center_options.Options, api: control_center_api.Api) -> None:
        self._options = options
        self._api = api
        self._parser = parse.Parser(options.statuses)
        self._notices = notices.Notices(options.list_days_at_most)
        self._beginning = datetime.combine(options.list_since, datetime.min.time(), UTC)

    @property
    def endpoint_groups(self) -> Sequence[base.EndpointGroup]:
        return endpoint_groups(self._options)

    def pages(self, group: base.EndpointGroup, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        """Yield the sweep's pages. Only those of usage and sessions carry a cursor: page numbers of the list
        mean nothing a while later."""
        if group.name == CHANGES:
            return self._change_pages(sweep)
        if group.name == DEVICES:
            return self._device_pages(sweep)
        return self._usage_pages(sweep) if group.name == USAGE else self._session_pages(sweep)

    async def probe(self) -> base.Probe:
        """Read the first page of the list."""
        found = self._search(self._beginning, datetime.now(UTC))
        page = await found.page("1")
        lines = page.count if page.next is None else None
        return base.Probe(lines, self._api.clock_skew_seconds, [*page.page.rejected, *self._doubts(found)])

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _change_pages(self, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        last = min(sweep.since or sweep.instant, sweep.instant)
        since = last - timedelta(hours=self._options.changes_overlap_hours)
        async with contextlib.aclosing(listing.walk(self._search(since, sweep.instant).page)) as steps:
            async for step in steps:
                yield self._page(step, sweep)

    async def _device_pages(self, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        found = self._search(self._beginning, sweep.instant)
        async with contextlib.aclosing(listing.walk(found.page)) as steps:
            async for step in steps:
                yield self._page(step, sweep)
        self._notices.reach(is_cut_short=found.is_cut_short)
        if doubts := self._doubts(found):
            yield readings.Page(rejected=doubts)

    async def _usage_pages(self, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        portions, rejected = await self._portions(sweep)
        if rejected:
            yield readings.Page(rejected=rejected, cursor=sweep.cursor)
        for portion in portions:
            yield await self._usage_page(portion, sweep.instant)

    async def _session_pages(self, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        portions, rejected = await self._portions(sweep)
        if rejected:
            yield readings.Page(rejected=rejected, cursor=sweep.cursor)
        for portion in portions:
            yield await self._session_page(portion, sweep.instant)

    async def _usage_page(self, portion: order.Portion, instant: datetime) -> readings.Page:
        states = self._parser.states(instant)

        async def call(iccid: str) -> readings.Sighting:
            return self._parser.usage(await self._api.usage(iccid), iccid, states, instant)

        found, rejected = await _each(portion, call, "ctdUsages")
        return readings.Page(
            sightings=found, rejected=rejected, unmapped=states.unmapped, cursor=portion.cursor
        )

    async def _session_page(self, portion: order.Portion, instant: datetime) -> readings.Page:
        states = self._parser.states(instant)

        async def call(iccid: str) -> readings.Sighting:
            return self._parser.session(await self._api.session(iccid), iccid, states, instant)

        found, rejected = await _each(portion, call, "sessionInfo")
        return readings.Page(sightings=found, rejected=rejected, cursor=portion.cursor)

    async def _portions(self, sweep: base.Sweep) -> tuple[list[order.Portion], list[readings.Rejection]]:
        """Every line still to be asked. They are listed first: asking takes long, and the list would move on."""
        found = self._search(self._beginning, sweep.instant)
        iccids: list[str] = []
        rejected: list[readings.Rejection] = []
        async for step in listing.walk(found.page):
            iccids += [row.key for row in step.rows]
            rejected += step.rejected
        self._notices.reach(is_cut_short=found.is_cut_short)
        return order.portions(iccids, sweep.cursor), rejected + self._doubts(found)

    def _search(self, since: datetime, instant: datetime) -> search.Search:
        days_at_most = self._options.list_days_at_most
        return search.Search(self._api, self._parser, since=since, instant=instant, days_at_most=days_at_most)

    def _page(self, step: listing.Step, sweep: base.Sweep) -> readings.Page:
        lines = self._parser.lines(step.rows, sweep.instant)
        return readings.Page(sightings=lines.sightings, rejected=step.rejected, unmapped=lines.unmapped)

    def _doubts(self, found: search.Search) -> list[readings.Rejection]:
        days = self._options.list_days_at_most
        reason = f"the vendor refuses list_since: lines unchanged for {days} days are left out"
        return [readings.Rejection("modifiedSince", reason)] if found.is_cut_short else []


async def _each(
    portion: order.Portion, call: Callable[[str], Awaitable[Found]], path: str
) -> tuple[list[Found], list[readings.Rejection]]:
    """One request at a time: the vendor allows a user no more."""
    rejected: list[readings.Rejection] = []
    found = await fan_out.each(portion.iccids, call, rejected, at_once=1, path=path)
    return found, rejected
