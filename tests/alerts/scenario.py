"""A rule's story from end to end: a district in order, what goes wrong, what puts it right, and when each is seen."""

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from tests import fleet as fleets
from tests.fleet import DISTRICT, ZONE

local = fleets.local  # an instant from district-local text: '2026-10-12 06:00'


@dataclass
class World:
    """A fleet that readings are put into, and what a story has to find again, by name.

    ``fleet`` makes schools, loans, lines and readings; ``pool`` takes any other fact. Nothing is computed until time
    ``passes``: then the roll-ups run as they do in the service, and the judged day is ``reported_on``.
    """

    fleet: fleets.Fleet
    ids: dict[str, int] = field(default_factory=dict)
    _passed_at: datetime | None = None
    _touched_on: date | None = None

    @property
    def pool(self) -> asyncpg.Pool:
        return self.fleet.pool

    async def told(
        self, line_id: int, first: date, last: date | None = None, mb: float | None = 0.0, **changes: str
    ) -> None:
        """One reading a day: its megabytes (None: no figure) and the line's status."""
        self.touched(first)
        await self.fleet.told(line_id, first, last, mb, **changes)

    def touched(self, on: date) -> None:
        """Facts from this day on are new: have it computed again."""
        self._touched_on = on if self._touched_on is None else min(self._touched_on, on)

    async def passes(self, to: datetime) -> None:
        """Time goes on to ``to``, and what came in by then is computed."""
        today = _day(to)
        since = today if self._passed_at is None else _day(self._passed_at)
        if self._passed_at is None or self._touched_on is not None:
            since = min(filter(None, (since - timedelta(days=1), self._touched_on)))
        self.fleet.now = to
        await self.fleet.mark(since - timedelta(days=1), today)
        await self.fleet.refresh()
        self._passed_at, self._touched_on = to, None

    async def reported_on(self) -> date:
        """The day that rules judge now."""
        on: date = await self.pool.fetchval(
            "SELECT on_day FROM reconciliation_days WHERE district_id = $1", DISTRICT
        )
        return on


Step = Callable[[World], Awaitable[None]]


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """``setup`` meets an empty district with one Kajeet account (see ``world``).

    The rule is not in breach at ``before``; after ``breach`` it is at ``breached``; after ``recover`` it no longer is
    at ``recovered``. A step makes the facts of the time up to its instant, and no others: they are in the past of the
    instant that follows it. Whoever plays a scenario lets time pass (``World.passes``) to each instant before
    judging. What the rule waits for (``fires_after``, ``clears_after``) comes on top: judge again that much later.
    """

    rule: str
    setup: Step
    breach: Step
    recover: Step
    before: datetime
    breached: datetime
    recovered: datetime
    profile: str = "local"
    # instants between before and breached, after the step breach, at which the rules that this one needs are
    # evaluated as well: their alerts are what it reads
    evaluated: tuple[datetime, ...] = ()


@contextlib.asynccontextmanager
async def world(pool: asyncpg.Pool, now: datetime) -> AsyncIterator[World]:
    """District 1 (Northfield, New York time) with an account ``kajeet`` of hourly cadence, and nothing else."""
    async with fleets.polled(pool, now=now) as fleet:
        yield World(fleet)


def _day(instant: datetime) -> date:
    return instant.astimezone(ZoneInfo(ZONE)).date()
