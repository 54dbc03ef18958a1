"""Sweeps of gateways: their states, bytes, changes and history."""

import contextlib
from collections.abc import AsyncGenerator, Callable, Sequence
from datetime import timedelta

from collectors import base, errors, fan_out, readings
from collectors.meraki import api as meraki_api
from collectors.meraki import availability, changes, fleet, history, parse, rows, windows
from collectors.meraki import options as meraki_options

AT_ONCE = 4  # calls under way together; the budget spaces them anyway

Pages = AsyncGenerator[readings.Page, None]


class GatewaySweeps:
    """Every sweep walks the gateways anew: ``walk`` makes what does so."""

    def __init__(self, options: meraki_options.Options, walk: Callable[[], fleet.Fleet]) -> None:
        self._options = options
        self._walk = walk
        self._parser = parse.Parser(options)
        self._histories = history.Histories(options)

    async def states(self, sweep: base.Sweep) -> Pages:
        walk = self._walk()
        async with contextlib.aclosing(walk.pages(sweep.cursor)) as pages:
            async for listed in pages:
                facts, rejected = await walk.facts(listed)
                page = self._parser.gateways(listed.gateways, facts, instant=sweep.instant, since=sweep.since)
                yield readings.Page(
                    sightings=page.sightings,
                    rejected=listed.rejected + rejected + page.rejected,
                    unmapped=page.unmapped,
                    cursor=listed.cursor,
                )

    async def usage(self, sweep: base.Sweep) -> Pages:
        async with contextlib.aclosing(self._walk().pages(sweep.cursor)) as pages:
            async for listed in pages:
                sightings, rejected = parse.usage(listed.lines, instant=sweep.instant)
                yield readings.Page(
                    sightings=sightings, rejected=listed.rejected + rejected, cursor=listed.cursor
                )

    async def changes(self, sweep: base.Sweep) -> Pages:
        walk = self._walk()
        async with contextlib.aclosing(walk.pages(sweep.cursor)) as pages:
            async for listed in pages:
                found = await self._changes_of(walk, listed.serials, sweep)
                words = availability.Words(self._options.availabilities)
                yield readings.Page(
                    sightings=changes.sightings(changes.by_gateway(found.rows), listed.lines, words),
                    rejected=listed.rejected + found.rejected,
                    unmapped=words.unmapped,
                    cursor=listed.cursor,
                )

    async def history(self, sweep: base.Sweep) -> Pages:
        """A page for every page of gateways and every window; its cursor moves on with the last of them."""
        walk = self._walk()
        first = timedelta(days=self._options.history_days)
        wanted = list(windows.history(sweep, interval=self._histories.interval, first=first))
        cursor = sweep.cursor
        async with contextlib.aclosing(walk.pages(sweep.cursor)) as pages:
            async for listed in pages:
                for window in wanted:
                    yield await self._history_of(walk, listed, window, sweep, cursor)
                cursor = listed.cursor
                yield readings.Page(rejected=listed.rejected, cursor=cursor)

    async def _changes_of(
        self, walk: fleet.Fleet, serials: Sequence[str], sweep: base.Sweep
    ) -> rows.Batch[rows.Change]:
        """The latest changes; and all that are kept of gateways whose latest do not tell since when."""
        latest = await walk.changes(serials, windows.changes(sweep))
        begun = changes.begun_before(changes.by_gateway(latest.rows), self._options.availabilities)
        if not begun or sweep.since is None:
            return latest
        return latest + await walk.changes(begun, windows.all_changes(sweep))

    async def _history_of(
        self,
        walk: fleet.Fleet,
        listed: fleet.Listed,
        window: windows.Window,
        sweep: base.Sweep,
        cursor: str | None,
    ) -> readings.Page:
        rejected: list[readings.Rejection] = []
        found = await fan_out.each(
            _in_tens(listed.counted),
            lambda serials: walk.history(serials, window),
            rejected,
            at_once=AT_ONCE,
            path="history",
        )
        if rejected and not found:
            # As if it were not read: the next sweep goes back as far.
            raise errors.ResponseInvalid(f"no history of a page can be read: {rejected[0].reason}")
        histories = [row for batch in found for row in batch.rows]
        sightings, wrong = self._histories.sightings(histories, listed.slots, sweep.instant)
        bad = [rejection for batch in found for rejection in batch.rejected]
        return readings.Page(sightings=sightings, rejected=rejected + bad + wrong, cursor=cursor)


def _in_tens(serials: Sequence[str]) -> list[Sequence[str]]:
    size = meraki_api.HISTORY_SERIALS
    return [serials[start : start + size] for start in range(0, len(serials), size)]
