"""Sweeps one Super SIM account."""

import contextlib
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

from collectors import base, readings, vocabulary, walking
from collectors.super_sim import api as super_sim_api
from collectors.super_sim import options as super_sim_options
from collectors.super_sim import paging, parse, usage, windows

SIMS = "sims"
USAGE = "usage"


def endpoint_groups(options: super_sim_options.Options) -> Sequence[base.EndpointGroup]:
    cadence = timedelta(minutes=options.usage_minutes)
    records = windows.records(options.reread_days, cadence, parse.STEPS[options.granularity])
    return (
        base.EndpointGroup(
            name=SIMS, cadence=timedelta(minutes=options.sims_minutes), page_size=options.page_size
        ),
        base.EndpointGroup(
            name=USAGE,
            cadence=cadence,
            page_size=options.page_size,
            page_cost=records + options.absent_is_zero,
            priority=1,
            lists_lines=False,
            overlaps=True,
        ),
    )


class Collector:
    """SIMs are listed with their states; usage comes for the whole fleet at once."""

    def __init__(self, options: super_sim_options.Options, api: super_sim_api.Api) -> None:
        self._options = options
        self._api = api
        self._meaning = vocabulary.words(parse.STATUSES, options.statuses)
        self._has_named = False

    @property
    def endpoint_groups(self) -> Sequence[base.EndpointGroup]:
        return endpoint_groups(self._options)

    def pages(self, group: base.EndpointGroup, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        reader = self._api.reader()
        return self._usage(reader, sweep) if group.name == USAGE else self._sims(reader, sweep)

    async def probe(self) -> base.Probe:
        """Sign in, and read one row of each list: the right to either may be lacking."""
        reader = self._api.reader()
        rejected = parse.names(await reader.get(self._api.sims_url(1))).rejected
        rejected += parse.doubts(await reader.get(self._api.usage_url(None, 1)))
        return base.Probe(None, self._api.clock_skew_seconds, rejected)

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _sims(
        self, reader: super_sim_api.Reader, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        async def fetch(url: str) -> walking.Fetched[parse.Sims]:
            body = await reader.get(url)
            page = parse.sims(body, instant=sweep.instant, meaning=self._meaning)
            return walking.Fetched(page, body, page.count, page.next)

        starts = [self._api.sims_url(self._options.page_size)]
        place = paging.Place.read(sweep.cursor, starts)
        if place.done:
            return
        async with contextlib.aclosing(paging.walk(fetch, starts, 0, place)) as pages:
            async for page, cursor in pages:
                yield readings.Page(
                    sightings=page.sightings, rejected=page.rejected, unmapped=page.unmapped, cursor=cursor
                )

    async def _usage(
        self, reader: super_sim_api.Reader, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        # what is absent is only known of a sweep that is read as a whole
        whole = base.Sweep(sweep.instant, sweep.since) if self._options.absent_is_zero else sweep
        told = usage.Usage(self._api, reader, self._options, whole)
        if self._options.absent_is_zero or not (self._has_named or told.is_taken_up):
            async with contextlib.aclosing(told.names()) as pages:
                async for page in pages:
                    yield page
            self._has_named = True
        async with contextlib.aclosing(told.records()) as pages:
            async for page in pages:
                yield page
