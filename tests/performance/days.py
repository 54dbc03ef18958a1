"""The cost of deciding a day's loan states and counting its school days."""

import time
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from service.store import pool as pools
from service.store import rollups
from tests.performance import seed

_TODAY = date(2026, 11, 20)
_SCHOOLS = 1000


@dataclass(frozen=True)
class Told:
    first: float  # seconds: every row is new
    again: float  # seconds: no row changes


async def measure(dsn: str, *, lines: int, history: int) -> Told:
    async with pools.connected(dsn, size=2) as pool:
        account = await seed.fleet(pool, lines=lines, schools=_SCHOOLS, today=_TODAY)
        yesterday = _TODAY - timedelta(days=1)
        await seed.history(
            pool, account_id=account, lines=lines, first=_TODAY - timedelta(days=history), last=yesterday
        )
        await seed.one_more_day(pool, account_id=account, lines=lines, day=_TODAY)
        # The day's line days are there: what is measured is what follows from them.
        await pool.execute("UPDATE districts SET computed_through_on = $1", _TODAY)
        await pool.execute("VACUUM ANALYZE")
        return Told(await _compute(pool), await _compute(pool))


async def _compute(pool: pools.Pool) -> float:
    """As the service does it: everything that is marked, and the present day."""
    began = time.perf_counter()
    await pool.execute(
        "INSERT INTO dirty_loan_days VALUES ($1, $2) ON CONFLICT DO NOTHING", seed.DISTRICT, _TODAY
    )
    days = await rollups.refresh(
        pool,
        rollups.District(seed.DISTRICT, seed.ZONE),
        now=datetime(2026, 11, 20, 23, tzinfo=UTC),
        thresholds=rollups.Thresholds(),
    )
    assert days == 1
    return time.perf_counter() - began
