"""What takes too long to be read each minute: costs, the reclaim list and pilots; kept for an hour or a new day."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

import asyncpg

from service.model import costs, equity, pilots
from service.store import costs as cost_rows
from service.store import pilots as pilot_rows
from service.store import reclaim, summaries

KEPT = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    read_at: datetime
    costs: costs.Costs
    reclaim: reclaim.Reclaim
    pilots: tuple[pilots.Result, ...]


@dataclass(slots=True)
class Kept:
    """By district: the reported day, and what was read for it."""

    _programs: dict[int, tuple[date, Program]] = field(default_factory=dict)

    def last(self, district_id: int) -> Program | None:
        """As it was read last, of whichever day; None: not yet."""
        known = self._programs.get(district_id)
        return None if known is None else known[1]

    async def program(
        self,
        pool: asyncpg.Pool,
        district_id: int,
        reported_on: date,
        *,
        now: datetime,
        time_zone: str,
        pilots: Sequence[pilots.Pilot] = (),
        reclaim_days: int = reclaim.DAYS,
        floor: float = equity.COMPLETENESS_FLOOR,
    ) -> Program:
        """Raises DatabaseUnavailable."""
        known = self._programs.get(district_id)
        if known is not None and known[0] == reported_on and now - known[1].read_at < KEPT:
            return known[1]
        found = Program(
            read_at=now,
            costs=await cost_rows.of(
                pool,
                district_id,
                time_zone=time_zone,
                month=costs.latest_month(reported_on),
                reported_on=reported_on,
                floor=floor,
            ),
            reclaim=await reclaim.of(pool, district_id, reported_on, days=reclaim_days),
            pilots=tuple(
                [
                    await pilot_rows.judged(pool, district_id, pilot, reported_on=reported_on, floor=floor)
                    for pilot in pilots
                ]
            ),
        )
        await summaries.keep_costs(pool, found.costs, now=now)
        self._programs[district_id] = reported_on, found
        return found
