"""Sweeps one account of a described platform."""

import contextlib
import functools
from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime, time, timedelta

import msgspec

from collectors import base, fan_out, readings, walking
from collectors.described import api as described_api
from collectors.described import description as descriptions
from collectors.described import paging, parse
from collectors.described.options import Settings

LINES = "lines"
USAGE = "usage"
AT_ONCE = 8  # calls for single lines; the budget sets the pace
PROBED_ROWS = 10


def endpoint_groups(settings: Settings) -> Sequence[base.EndpointGroup]:
    options = settings.options
    lines = base.EndpointGroup(
        name=LINES, cadence=timedelta(minutes=options.cadence_minutes), page_size=settings.page_size
    )
    usage = base.EndpointGroup(
        name=USAGE,
        cadence=timedelta(minutes=options.usage_cadence_minutes),
        page_size=settings.page_size,
        line_cost=1,
        priority=1,
        lists_lines=False,
        overlaps=True,
    )
    return (lines,) if settings.description.usage is None else (lines, usage)


class Collector:
    """Lists the lines; where the platform tells days line by line, asks for those of each."""

    def __init__(self, settings: Settings, api: described_api.Api) -> None:
        self._settings = settings
        self._api = api
        self._parser = parse.Parser(settings)
        self._paging = paging.of(settings.description.lines.paging, settings.page_size)

    @property
    def endpoint_groups(self) -> Sequence[base.EndpointGroup]:
        return endpoint_groups(self._settings)

    def pages(self, group: base.EndpointGroup, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        reader = self._api.reader()
        described = self._settings.description.usage
        if group.name == USAGE and described is not None:
            return self._usage_pages(described, reader, sweep)
        return self._line_pages(reader, sweep)

    async def probe(self) -> base.Probe:
        """Sign in and read a few rows. Names what does not fit, and fields that tell nothing."""
        size = min(PROBED_ROWS, self._settings.page_size)
        answer = await self._api.reader().lines(self._paging.first(size))
        lines = self._parser.lines(answer, instant=datetime.now(UTC))
        lines.check_fit()
        doubts = lines.rejected + self._parser.doubts(answer)
        return base.Probe(lines.total, self._api.clock_skew_seconds, doubts)

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _line_pages(
        self, reader: described_api.Reader, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        async with contextlib.aclosing(self._listed(reader, sweep)) as pages:
            async for fetched in pages:
                yield _page(fetched)

    async def _usage_pages(
        self, described: descriptions.Usage, reader: described_api.Reader, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        parser = parse.UsageParser(described, self._settings.options.megabyte_bytes)
        window = written(*self._window(described, sweep), described.times)

        async def call(line: readings.Sighting) -> tuple[readings.Sighting, list[readings.Rejection]]:
            answer = await reader.usage(described, line.provider_key, window)
            days, rejected = parser.days(answer, instant=sweep.instant)
            return _bare(line, days), rejected

        async with contextlib.aclosing(self._listed(reader, sweep)) as pages:
            async for fetched in pages:
                listed = _page(fetched)
                rejected = list(listed.rejected)
                found = await fan_out.each(
                    listed.sightings, call, rejected, at_once=AT_ONCE, path=self._parser.name
                )
                rejected += [rejection for _, some in found for rejection in some]
                sightings = [line for line, _ in found]
                yield msgspec.structs.replace(listed, sightings=sightings, rejected=rejected, unmapped={})

    async def _listed(
        self, reader: described_api.Reader, sweep: base.Sweep
    ) -> AsyncGenerator[walking.Fetched[parse.Lines], None]:
        """The list's pages. Raises ResponseInvalid where the first rows that there are fit the description not once."""
        has_fit = sweep.cursor is not None  # what was stored before did fit
        read = functools.partial(self._parser.lines, instant=sweep.instant)

        async def fetch(at: str) -> walking.Fetched[parse.Lines]:
            return await self._paging.fetch(at, reader.lines, read)

        start = self._paging.start(sweep.cursor)
        walk = walking.walk(fetch, start, may_be_empty=self._paging.may_be_empty)
        async with contextlib.aclosing(walk) as pages:
            async for fetched in pages:
                if not has_fit:
                    fetched.page.check_fit()
                has_fit = has_fit or bool(fetched.page.sightings)
                yield fetched

    def _window(self, described: descriptions.Usage, sweep: base.Sweep) -> tuple[datetime, datetime]:
        """From the beginning of a day of UTC to the sweep's instant."""
        options = self._settings.options
        if sweep.since is None:
            days = options.history_days
        else:
            days = (sweep.instant.date() - sweep.since.date()).days + options.reread_days
        first = sweep.instant.date() - timedelta(days=min(days, described.most_days))
        return datetime.combine(first, time(), UTC), sweep.instant


def written(starts_at: datetime, ends_at: datetime, times: str) -> dict[str, str]:
    """A window as the platform wants it written."""
    if times == "date":
        return {"from": starts_at.date().isoformat(), "to": ends_at.date().isoformat()}
    return {"from": str(int(starts_at.timestamp())), "to": str(int(ends_at.timestamp()))}


def _bare(line: readings.Sighting, days: Sequence[readings.Usage]) -> readings.Sighting:
    """A line with nothing but what it is called, and its days."""
    return readings.Sighting(line.provider_key, line.mdn, line.iccid, line.imei, usage=tuple(days))


def _page(fetched: walking.Fetched[parse.Lines]) -> readings.Page:
    lines = fetched.page
    return readings.Page(
        sightings=lines.sightings,
        rejected=lines.rejected,
        unmapped=lines.unmapped,
        cursor=fetched.next,
        total=lines.total,
    )
