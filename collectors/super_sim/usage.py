"""Sweeps the usage of a fleet: one paged call for each span of time."""

import contextlib
from collections.abc import AsyncGenerator
from datetime import datetime

from collectors import base, readings, walking
from collectors.super_sim import api as super_sim_api
from collectors.super_sim import options as super_sim_options
from collectors.super_sim import paging, parse, windows, zeros


class Usage:
    """One sweep. Usage names no line but by the vendor's own id, so who is who may have to be told first."""

    def __init__(
        self,
        api: super_sim_api.Api,
        reader: super_sim_api.Reader,
        options: super_sim_options.Options,
        sweep: base.Sweep,
    ) -> None:
        self._reader = reader
        self._options = options
        self._windows = windows.windows(sweep, options.reread_days)
        self._starts = [api.usage_url(window, options.page_size) for window in self._windows]
        self._names_start = api.sims_url(options.page_size)
        self._place = paging.Place.read(sweep.cursor, self._starts)
        self._created: dict[str, datetime] = {}  # of the SIMs that may be told a 0

    @property
    def is_taken_up(self) -> bool:
        """Whether an interrupted sweep goes on, which had told who is who."""
        return self._place != paging.Place()

    async def names(self) -> AsyncGenerator[readings.Page, None]:
        async def fetch(url: str) -> walking.Fetched[parse.Sims]:
            body = await self._reader.get(url)
            page = parse.names(body)
            return walking.Fetched(page, body, page.count, page.next)

        async with contextlib.aclosing(walking.walk(fetch, self._names_start)) as steps:
            async for step in steps:
                if self._options.absent_is_zero:
                    self._created.update(step.page.created)
                yield readings.Page(sightings=step.page.sightings, rejected=step.page.rejected)

    async def records(self) -> AsyncGenerator[readings.Page, None]:
        for index in range(self._place.done, len(self._starts)):
            window = self._zeros(index) if self._options.absent_is_zero else self._window(index)
            async with contextlib.aclosing(window) as pages:
                async for page in pages:
                    yield page

    async def _window(self, index: int) -> AsyncGenerator[readings.Page, None]:
        async def fetch(url: str) -> walking.Fetched[parse.Records]:
            body = await self._reader.get(url)
            page = parse.usage(body, window=self._windows[index], granularity=self._options.granularity)
            return walking.Fetched(page, body, page.count, page.next)

        async with contextlib.aclosing(paging.walk(fetch, self._starts, index, self._place)) as steps:
            async for page, cursor in steps:
                yield readings.Page(sightings=page.sightings, rejected=page.rejected, cursor=cursor)

    async def _zeros(self, index: int) -> AsyncGenerator[readings.Page, None]:
        """A window, and after it what it has no record of. Such a sweep can only be read as a whole."""
        granularity = self._options.granularity
        told = zeros.Told(self._windows[index], parse.STEPS[granularity], parse.SERIES[granularity])
        is_whole = True
        async with contextlib.aclosing(self._window(index)) as pages:
            async for page in pages:
                told.note(page.sightings)
                is_whole = is_whole and not page.rejected
                yield readings.Page(sightings=page.sightings, rejected=page.rejected)
        if is_whole:  # a record that cannot be read is of one of them
            for sightings in told.pages(self._created):
                yield readings.Page(sightings=sightings)
