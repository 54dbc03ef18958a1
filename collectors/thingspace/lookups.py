"""What one device used, and when it was connected."""

import functools
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from collectors import base, readings
from collectors.thingspace import api as thingspace_api
from collectors.thingspace import connections, history, parse, refusals, usage
from collectors.thingspace import options as thingspace_options

LOOK_BACK = timedelta(days=30)  # for the Start of a connection that was under way

Row = TypeVar("Row", bound=history.Timed)


@dataclass(frozen=True)
class Found:
    """What the calls for one line told, with the events and rows that could not be used.

    ``sighting`` None: the vendor keeps no history of this line.
    """

    sighting: readings.Sighting | None
    rejected: list[readings.Rejection] = field(default_factory=list)
    unmapped: dict[str, int] = field(default_factory=dict)


class Lookups:
    """The calls of one sweep for single lines."""

    def __init__(
        self, options: thingspace_options.Options, reader: thingspace_api.Reader, sweep: base.Sweep
    ) -> None:
        self._reader = reader
        self._instant = sweep.instant
        self._earliest = history.start(sweep, options)
        self._span = timedelta(days=options.span_days)
        self._sources = usage.Sources(options.usage_sources)

    async def used(self, line: parse.Line) -> Found:
        """The line's days. Raises CollectorError."""
        return await _or_unknown(line, self._used(line))

    async def connected(self, line: parse.Line) -> Found:
        """The line's sessions. Raises CollectorError."""
        return await _or_unknown(line, self._connected(line))

    async def _used(self, line: parse.Line) -> Found:
        bare = line.bare()
        found = Found(bare)
        call = functools.partial(self._reader.usage, line.asked_by)
        told = await self._read(history.USAGE, call, self._earliest, self._instant, found)
        days = self._sources.days(told, found.unmapped)
        return Found(msgspec.structs.replace(bare, usage=days), found.rejected, found.unmapped)

    async def _connected(self, line: parse.Line) -> Found:
        bare = line.bare()
        found = Found(bare)
        events = await self._events(line, self._earliest, self._instant, found)
        if connections.begins_midway(events):
            before = await self._events(line, self._earliest - LOOK_BACK, self._earliest, found)
            events = connections.under_way(before) + events
        told = connections.pair(events, found.rejected, instant=self._instant, is_connected=line.is_connected)
        sighting = msgspec.structs.replace(
            bare,
            sessions=told.sessions,
            last_seen_at=told.last_seen_at,
            last_seen_by=None if told.last_seen_at is None else readings.LastSeenBy.SESSION,
        )
        return Found(sighting, found.rejected, found.unmapped)

    async def _events(
        self, line: parse.Line, earliest: datetime, latest: datetime, found: Found
    ) -> list[connections.Event]:
        call = functools.partial(self._reader.connections, line.asked_by)
        rows = await self._read(history.CONNECTIONS, call, earliest, latest, found)
        return connections.events(rows, found.unmapped)

    async def _read(
        self, kind: history.Kind[Row], call: history.Call, earliest: datetime, latest: datetime, found: Found
    ) -> Sequence[Row]:
        return await history.read(kind, call, earliest, latest, found.rejected, span=self._span)


async def _or_unknown(line: parse.Line, look_up: Awaitable[Found]) -> Found:
    """A line that is not in service may have no history, and so may many at once: that is no fault of a sweep."""
    try:
        return await look_up
    except refusals.UnknownDevice:
        if line.is_active:
            raise
    return Found(None, [readings.Rejection("deviceId", "the vendor does not know this line")])
