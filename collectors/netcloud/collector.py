"""Sweeps one NetCloud Manager account: its modems, what they used, their signal, and when their routers were online."""

import contextlib
import functools
import math
from collections.abc import AsyncGenerator, Sequence
from datetime import timedelta

import msgspec

from collectors import base, readings, walking
from collectors.netcloud import api as netcloud_api
from collectors.netcloud import options as netcloud_options
from collectors.netcloud import paging, parse, samples

MODEMS, USAGE, SIGNAL, STATES = "modems", "usage", "signal", "states"

MODEM_FIELDS = "id,router,iccid,imei,mdn"
METRICS_FIELDS = "id,update_ts,rsrp,rsrq,sinr"
USAGE_FIELDS = "net_device,bytes_in,bytes_out,period,uptime,created_at,created_at_timeuuid"

SAMPLE_MINUTES = 60  # routers report every hour unless they were told otherwise


def endpoint_groups(options: netcloud_options.Options) -> Sequence[base.EndpointGroup]:
    """Use is asked for a batch of modems at a time: a request that lists them, and those for their samples."""
    modems = base.EndpointGroup(
        name=MODEMS, cadence=timedelta(minutes=options.modems_minutes), page_size=options.page_size
    )
    added = functools.partial(base.EndpointGroup, lists_lines=False, overlaps=True)
    usage = added(
        name=USAGE,
        cadence=timedelta(minutes=options.usage_minutes),
        page_size=batch_size(options),
        page_cost=1 + _sample_pages(options),
        priority=1,
    )
    signal = added(
        name=SIGNAL,
        cadence=timedelta(minutes=options.signal_minutes),
        page_size=options.page_size,
        priority=2,
    )
    states = added(
        name=STATES,
        cadence=timedelta(minutes=options.states_minutes),
        page_size=batch_size(options),
        page_cost=2,
        priority=2,
    )
    return (modems, usage, signal, *((states,) if options.read_state_samples else ()))


def batch_size(options: netcloud_options.Options) -> int:
    return min(options.page_size, samples.MOST_IDS)


def _sample_pages(options: netcloud_options.Options) -> int:
    """How many pages a batch's samples fill when every sweep comes in time."""
    each = math.ceil((options.usage_minutes + options.overlap_minutes) / SAMPLE_MINUTES)
    return math.ceil(each * batch_size(options) / options.page_size)


class Collector:
    """Routers' states every quarter of an hour; what they report themselves as often as they report it."""

    def __init__(self, options: netcloud_options.Options, api: netcloud_api.Api) -> None:
        self._options = options
        self._api = api
        self._parser = parse.Parser(options)

    @property
    def endpoint_groups(self) -> Sequence[base.EndpointGroup]:
        return endpoint_groups(self._options)

    def pages(self, group: base.EndpointGroup, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        sweeps = {
            MODEMS: self._modem_pages,
            USAGE: self._usage_pages,
            SIGNAL: self._signal_pages,
            STATES: self._state_pages,
        }
        return sweeps[group.name](sweep)

    async def probe(self) -> base.Probe:
        """Read one modem. NetCloud does not tell how many there are."""
        body = await self._api.get(self._api.url(netcloud_api.NET_DEVICES, self._modem_params(1)))
        page = self._parser.modems(body, instant=parse.EARLIEST)
        return base.Probe(None, self._api.clock_skew_seconds, page.rejected)

    async def aclose(self) -> None:
        await self._api.aclose()

    async def _modem_pages(self, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        async with contextlib.aclosing(self._modems(sweep, self._options.page_size)) as steps:
            async for step in steps:
                page = step.page
                yield readings.Page(
                    sightings=page.sightings,
                    rejected=page.rejected,
                    unmapped=page.unmapped,
                    cursor=step.next,
                )

    async def _signal_pages(self, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        params: dict[str, str | int] = {"limit": self._options.page_size, **self._fields(METRICS_FIELDS)}
        if sweep.since is not None:
            params["update_ts__gt"] = samples.text(samples.overlapping(sweep.since, sweep, self._options))
        read = self._parser.signals
        walk = paging.by_id(self._api, netcloud_api.METRICS, params, read, cursor=sweep.cursor)
        async with contextlib.aclosing(walk) as steps:
            async for step in steps:
                yield readings.Page(
                    sightings=step.page.sightings, rejected=step.page.rejected, cursor=step.next
                )

    async def _usage_pages(self, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        async with contextlib.aclosing(self._modems(sweep, batch_size(self._options))) as steps:
            async for step in steps:
                lines = step.page.sightings
                found = await self._usage(sweep, [line.provider_key for line in lines])
                told = [(line, found.of(line.provider_key)) for line in lines]
                yield readings.Page(
                    sightings=[_named(line, usage=usage) for line, usage in told if usage],
                    rejected=step.page.rejected + found.rejected,
                    cursor=step.next,
                )

    async def _state_pages(self, sweep: base.Sweep) -> AsyncGenerator[readings.Page, None]:
        async with contextlib.aclosing(self._modems(sweep, batch_size(self._options))) as steps:
            async for step in steps:
                router_ids = step.page.router_ids
                found = await self._states(sweep, sorted({router for router in router_ids if router}))
                told = zip(step.page.sightings, map(found.of, router_ids), strict=True)
                yield readings.Page(
                    sightings=[_named(line, states=states) for line, states in told if states],
                    rejected=step.page.rejected + found.rejected,
                    unmapped=found.unmapped,
                    cursor=step.next,
                )

    async def _usage(self, sweep: base.Sweep, ids: Sequence[str]) -> samples.Gathered[readings.Usage]:
        params = samples.window(sweep, self._options) | {"net_device__in": ",".join(ids)}
        walk = paging.by_next(
            self._api, netcloud_api.USAGE_SAMPLES, params | self._fields(USAGE_FIELDS), self._parser.usage
        )
        return await _gathered(ids, walk)

    async def _states(self, sweep: base.Sweep, ids: Sequence[str]) -> samples.Gathered[readings.State]:
        params = samples.window(sweep, self._options) | {"router__in": ",".join(ids)}
        walk = paging.by_next(self._api, netcloud_api.STATE_SAMPLES, params, self._parser.states)
        return await _gathered(ids, walk)

    def _modems(self, sweep: base.Sweep, limit: int) -> AsyncGenerator[walking.Fetched[parse.Modems], None]:
        read = functools.partial(self._parser.modems, instant=sweep.instant)
        params = self._modem_params(limit)
        return paging.by_id(self._api, netcloud_api.NET_DEVICES, params, read, cursor=sweep.cursor)

    def _modem_params(self, limit: int) -> dict[str, str | int]:
        return {"is_asset": "true", "expand": "router", "limit": limit, **self._fields(MODEM_FIELDS)}

    def _fields(self, names: str) -> dict[str, str | int]:
        return {"fields": names} if self._options.select_fields else {}


async def _gathered(
    ids: Sequence[str], walk: AsyncGenerator[parse.Samples[samples.R], None]
) -> samples.Gathered[samples.R]:
    """Read a batch's samples; a batch of none needs no request."""
    found = samples.Gathered[samples.R](ids)
    async with contextlib.aclosing(walk) as pages:
        return await found.read(pages) if ids else found


def _named(
    line: readings.Sighting,
    *,
    usage: tuple[readings.Usage, ...] = (),
    states: tuple[readings.State, ...] = (),
) -> readings.Sighting:
    """The line as the list names it, with other readings: those of the list are the modems group's to tell."""
    return msgspec.structs.replace(line, usage=usage, states=states, last_seen_at=None, last_seen_by=None)
