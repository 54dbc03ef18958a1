"""How long each panel takes on a year of data: ``python -m tests.performance.panels [--schools N] [--days N]``.

Every query runs as the reader of one of two such districts, several times; told is the fastest, and the first.
"""

import argparse
import asyncio
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg

from service.store import embedded, migrations
from service.store import pool as pools
from tests import dashboards, reporting

LAST = date(2026, 11, 20)
AIM_MS = 200
SETTINGS = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


@dataclass(frozen=True, kw_only=True)
class Told:
    query: dashboards.Query
    rows: int
    first_ms: float
    best_ms: float


async def measured(address: str, *, days: int, runs: int, values: Mapping[str, str]) -> list[Told]:
    ends_at = datetime.combine(LAST + timedelta(days=1), datetime.min.time(), UTC)
    starts_at = ends_at - timedelta(days=days)
    connection = await asyncpg.connect(address, statement_cache_size=0)  # Grafana plans each anew
    told = []
    try:
        for query in dashboards.queries():
            if query.shape != "promql":
                text = dashboards.sql(query.text, starts_at=starts_at, ends_at=ends_at, values=values)
                told.append(await _timed(connection, query, text, runs))
    finally:
        await connection.close()
    return told


async def _timed(connection: asyncpg.Connection, query: dashboards.Query, text: str, runs: int) -> Told:
    took = []
    for _ in range(runs):
        began = time.perf_counter()
        rows = await connection.fetch(text)
        took.append((time.perf_counter() - began) * 1000)
    return Told(query=query, rows=len(rows), first_ms=took[0], best_ms=min(took))


async def seeded(dsn: str, *, schools: int, days: int, runs: int) -> list[Told]:
    async with pools.connected(dsn, size=2) as pool:
        await migrations.migrate(pool)
        began = time.perf_counter()
        for district_id in (1, 2):
            await reporting.seed(pool, district_id=district_id, schools=schools, days=days, last=LAST)
        await pool.execute("VACUUM ANALYZE")
        print(f"{schools} schools, {days} days, two districts: seeded in {time.perf_counter() - began:.0f} s")
        async with reporting.reader(pool, dsn) as address:
            values = {"school": "000010000033", "account": "carrier"}
            return await measured(address, days=days, runs=runs, values=values)


def show(told: list[Told]) -> None:
    for one in sorted(told, key=lambda one: -one.best_ms):
        mark = "" if one.best_ms < AIM_MS else "  above the aim"
        print(
            f"{one.best_ms:8.1f} ms (first {one.first_ms:7.1f})  {one.rows:6} rows  "
            f"{one.query.board}: {one.query.panel}{mark}"
        )
    print(f"{sum(one.best_ms < AIM_MS for one in told)} of {len(told)} under {AIM_MS} ms")


async def main() -> None:
    parser = argparse.ArgumentParser(description="Times every panel's query.")
    parser.add_argument("--schools", type=int, default=1000)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--runs", type=int, default=5)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="afterbell-panels-") as folder:
        Path(folder).chmod(0o711)
        async with embedded.Server(Path(folder) / "server", settings=SETTINGS) as server:
            show(await seeded(server.dsn(), schools=chosen.schools, days=chosen.days, runs=chosen.runs))


if __name__ == "__main__":
    asyncio.run(main())
