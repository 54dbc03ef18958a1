"""What storing a sweep costs beside a bare COPY of all rows it writes, into the same tables with their keys."""

import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from collectors import base, readings
from service.metrics import Metrics
from service.polling import accounts, runner
from service.store import pool as pools
from tests.fleet import iccid, imei
from tests.performance.one_sweep import make_source

_BATCH = 10_000
_PAGE = 100
_FIRST = datetime(2026, 10, 5, 12, tzinfo=UTC)
_ORDER = (
    "lines",
    "devices",
    "line_device_links",
    "provider_keys",
    "latest_states",
    "usage_readings",
    "state_readings",
)
_EACH_SWEEP = ("latest_states", "usage_readings", "state_readings")

OpenDatabase = Callable[[], AbstractAsyncContextManager[str]]


@dataclass(frozen=True)
class Ratio:
    what: str
    rows: int
    ours: float  # seconds
    bare: float  # seconds


class FromMemory:
    """A collector whose pages are there already: what is left is the database's part."""

    endpoint_groups = (base.EndpointGroup(name="devices", cadence=timedelta(hours=1), page_size=_PAGE),)

    def __init__(self, lines: int, *, repeat_every: int | None = None) -> None:
        self._lines = lines
        self._repeat_every = repeat_every

    async def pages(
        self, group: base.EndpointGroup, sweep: base.Sweep
    ) -> AsyncGenerator[readings.Page, None]:
        for n, first in enumerate(range(0, self._lines, _PAGE)):
            page = _page(range(first, min(first + _PAGE, self._lines)), sweep.instant, self._lines)
            yield page
            if self._repeat_every and n % self._repeat_every == 0:
                yield page

    async def probe(self) -> base.Probe:
        return base.Probe(self._lines, 0.0)

    async def aclose(self) -> None:
        return


def _page(numbers: range, at: datetime, total: int) -> readings.Page:
    return readings.Page(sightings=[_sighting(n, at) for n in numbers], total=total)


def _sighting(n: int, at: datetime) -> readings.Sighting:
    series = readings.UsageSeries
    return readings.Sighting(
        provider_key=f"21{n:08d}",
        mdn=f"21{n:08d}",
        iccid=iccid(n),
        imei=imei(n),
        usage=(
            readings.Usage(readings.UsageKind.COUNTER, series.DAY, at, n * 1000),
            readings.Usage(readings.UsageKind.COUNTER, series.CYCLE, at, n * 10_000),
            readings.Usage(readings.UsageKind.GAUGE, series.LAST_30_DAYS, at, n * 10_000),
        ),
        states=(readings.State(at, readings.LineStatus.ACTIVE, "active", None, True),),
    )


async def measure(database: OpenDatabase, lines: int) -> list[Ratio]:
    """A fleet's first sweep, a later one, and one in which a tenth of the pages come twice."""
    async with database() as dsn, pools.connected(dsn, size=4) as pool:
        ours = [
            await _sweep(pool, FromMemory(lines), _FIRST),
            await _sweep(pool, FromMemory(lines), _FIRST + timedelta(hours=1)),
            await _sweep(pool, FromMemory(lines, repeat_every=10), _FIRST + timedelta(hours=2)),
        ]
        first = await _rows(pool, _ORDER, _FIRST)
        later = await _rows(pool, _EACH_SWEEP, _FIRST + timedelta(hours=2))
    async with database() as dsn, pools.connected(dsn, size=1) as pool:
        await make_source(pool)
        bare_first = await _copy(pool, first)
        await pool.execute("TRUNCATE latest_states")
        bare_later = await _copy(pool, later)
    return [
        Ratio("first sweep of a fleet", _count(first), ours[0], bare_first),
        Ratio("a later sweep", _count(later), ours[1], bare_later),
        Ratio("a later sweep, a tenth of the pages twice", _count(later), ours[2], bare_later),
    ]


async def _sweep(pool: pools.Pool, collector: FromMemory, at: datetime) -> float:
    account = accounts.Account("kajeet", await make_source(pool), collector)
    began = time.perf_counter()
    result = await runner.Runner(pool, lambda: at, Metrics()).sweep(account, collector.endpoint_groups[0])
    assert result.outcome == "succeeded", result
    return time.perf_counter() - began


Rows = dict[str, tuple[list[str], list[asyncpg.Record]]]


async def _rows(pool: pools.Pool, tables: tuple[str, ...], at: datetime) -> Rows:
    found: Rows = {}
    for table in tables:
        where = f" WHERE starts_at = '{at.isoformat()}'" if table.endswith("_readings") else ""
        records = await pool.fetch(f"SELECT * FROM {table}{where}")
        found[table] = (list(records[0].keys()), records)
    return found


async def _copy(pool: pools.Pool, rows: Rows) -> float:
    """COPY in batches of the service's size, a transaction each."""
    async with pool.acquire() as connection, _partitions(connection):
        began = time.perf_counter()
        for table, (columns, records) in rows.items():
            for start in range(0, len(records), _BATCH):
                await _copy_batch(connection, table, columns, records[start : start + _BATCH])
        return time.perf_counter() - began


async def _copy_batch(connection: Any, table: str, columns: list[str], records: list[asyncpg.Record]) -> None:
    await connection.copy_records_to_table(table, columns=columns, records=records)


@contextlib.asynccontextmanager
async def _partitions(connection: pools.Connection) -> AsyncIterator[None]:
    await connection.execute("SELECT ensure_partitions($1, $1)", _FIRST.date())
    yield


def _count(rows: Rows) -> int:
    return sum(len(records) for _, records in rows.values())
