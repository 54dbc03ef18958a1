"""What the truth costs. By hand: ``python -m tests.performance.truth [LINESxDAYS ...]``.

Each size is a database of districts of 2,000 lines and 20 schools. Printed for each: seconds, rows and blocks that the
server read, and the peak memory of this process; and how the nightly run grows with the lines, as an exponent.
"""

import argparse
import asyncio
import contextlib
import math
import resource
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import asyncpg
from rich.console import Console
from rich.table import Table

import sql
from service.model import reallocation
from service.store import costs, coverage, embedded, equity, migrations, reclaim, reconciliation, rollups
from service.store import pool as pools
from tests.performance import districts

TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 4, 30, tzinfo=UTC)  # late in its evening
SIZES = ("10000x40", "100000x40", "1000000x40", "100000x365")
SETTINGS = {"max_wal_size": "8GB", "shared_buffers": "2GB", "checkpoint_timeout": "1h", "fsync": "off"}
_READ = """
SELECT sum(tup_returned + tup_fetched)::bigint AS rows, sum(blks_hit + blks_read)::bigint AS blocks
FROM pg_stat_database WHERE datname = current_database()
"""
_out = Console()

Step = Callable[[asyncpg.Pool], Awaitable[object]]


@dataclass(frozen=True)
class Cost:
    what: str
    seconds: float
    rows: int
    blocks: int
    peak_mb: float


async def nightly(pool: asyncpg.Pool) -> None:
    """From the readings of a day to its states and counts, in every district; the day before is judged in full too."""
    for district in await rollups.districts(pool):
        days = await rollups.refresh(pool, district, now=NOW, thresholds=rollups.Thresholds())
        assert days == 2, days


async def again(pool: asyncpg.Pool) -> None:
    """The same day computed again, as after an import: no row changes."""
    await pool.execute("INSERT INTO dirty_loan_days SELECT district_id, $1 FROM districts", TODAY)
    for district in await rollups.districts(pool):
        await rollups.refresh(pool, district, now=NOW, thresholds=rollups.Thresholds())


async def one_district(pool: asyncpg.Pool) -> None:
    await rollups.refresh(
        pool,
        rollups.District(1, districts.ZONE),
        now=NOW + timedelta(days=1),
        thresholds=rollups.Thresholds(),
    )


async def coverage_of_all(pool: asyncpg.Pool) -> None:
    await coverage.snapshot(pool, now=NOW)


async def coverage_of_one(pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        await connection.fetch(sql.queries()["coverage_schools"], [1], [TODAY])


async def costs_of_one(pool: asyncpg.Pool) -> None:
    await costs.of(pool, 1, time_zone=districts.ZONE, month=TODAY, reported_on=TODAY)


async def reconciliation_of_one(pool: asyncpg.Pool) -> None:
    await reconciliation.keep(pool, 1, now=NOW)


async def reconciliation_of_all(pool: asyncpg.Pool) -> None:
    for district in await rollups.districts(pool):
        await reconciliation.keep(pool, district.district_id, now=NOW)


async def reallocation_of_one(pool: asyncpg.Pool) -> None:
    """The reclaim list, whom it would be taken from, and where its hotspots would go."""
    await _reallocated(pool, 1)


async def reallocation_of_all(pool: asyncpg.Pool) -> None:
    for district in await rollups.districts(pool):
        await _reallocated(pool, district.district_id)


async def _reallocated(pool: asyncpg.Pool, district_id: int) -> None:
    listed = await reclaim.of(pool, district_id, TODAY)
    taken = await reclaim.students(pool, listed)
    schools = await equity.schools(pool, district_id, TODAY)
    reallocation.plan(schools, len(listed.items), reclaimed=taken)


STEPS: dict[str, Step] = {
    "nightly: a day and the one before, all districts": nightly,
    "the same day again, nothing changed": again,
    "the next day of one district": one_district,
    "coverage of one district": coverage_of_one,
    "coverage of all districts (a page's snapshot)": coverage_of_all,
    "reconciliation of one district": reconciliation_of_one,
    "reconciliation of all districts": reconciliation_of_all,
    "reclaim and reallocation of one district": reallocation_of_one,
    "reclaim and reallocation of all districts": reallocation_of_all,
    "costs of one district, a month": costs_of_one,
}


async def measured(pool: asyncpg.Pool, what: str, step: Step) -> Cost:
    before = await _read(pool)
    began = time.perf_counter()
    await step(pool)
    seconds = time.perf_counter() - began
    after = await _read(pool)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return Cost(what, seconds, after["rows"] - before["rows"], after["blocks"] - before["blocks"], peak)


async def _read(pool: asyncpg.Pool) -> asyncpg.Record:
    """What the server's sessions have read by now."""
    await pool.execute("SELECT pg_stat_force_next_flush()")
    await pool.expire_connections()
    await asyncio.sleep(1.5)  # a session tells of itself when it ends, or a second later
    await pool.execute("SELECT pg_stat_clear_snapshot()")
    return await pool.fetchrow(_READ)


@contextlib.asynccontextmanager
async def database(server: embedded.Server) -> AsyncIterator[asyncpg.Pool]:
    name = f"truth_{time.monotonic_ns()}"
    connection = await asyncpg.connect(server.dsn())
    await connection.execute(f"CREATE DATABASE {name}")
    before, _, query = server.dsn().partition("?")
    async with pools.connected(f"{before.rpartition('/')[0]}/{name}?{query}", size=2) as pool:
        await migrations.migrate(pool)
        yield pool
    await connection.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await connection.close()


async def run(server: embedded.Server, size: districts.Size) -> list[Cost]:
    async with database(server) as pool:
        with _out.status(f"making {size.lines:,} lines x {size.days} days"):
            began = time.perf_counter()
            await districts.seed(pool, size, today=TODAY)
        _out.print(f"made {size.lines:,} lines x {size.days} days in {time.perf_counter() - began:.0f} s")
        steps = []
        for what, step in STEPS.items():
            with _out.status(what):
                steps.append(await measured(pool, what, step))
        return steps


def show(size: districts.Size, steps: list[Cost]) -> None:
    title = f"{size.lines:,} lines, {size.days} days, {size.districts:,} districts"
    table = Table(title=title, title_justify="left")
    table.add_column("what")
    for heading in ("seconds", "rows read", "blocks", "peak MB"):
        table.add_column(heading, justify="right")
    for cost in steps:
        table.add_row(
            cost.what, f"{cost.seconds:.2f}", f"{cost.rows:,}", f"{cost.blocks:,}", f"{cost.peak_mb:.0f}"
        )
    _out.print(table)


def show_growth(told: list[tuple[districts.Size, list[Cost]]]) -> None:
    """Between the smallest and the largest number of lines of the same history."""
    by_days: dict[int, list[tuple[districts.Size, list[Cost]]]] = {}
    for size, steps in told:
        by_days.setdefault(size.days, []).append((size, steps))
    for days, same in by_days.items():
        (small, first), (large, last) = min(same, key=_lines), max(same, key=_lines)
        if small.lines == large.lines:
            continue
        for one, other in zip(first, last, strict=True):
            exponent = math.log(other.seconds / one.seconds) / math.log(large.lines / small.lines)
            _out.print(
                f"{one.what}, {days} days, {small.lines:,} to {large.lines:,} lines: exponent {exponent:.2f}"
            )


def _lines(told: tuple[districts.Size, list[Cost]]) -> int:
    return told[0].lines


async def main(sizes: list[districts.Size], folder: Path) -> None:
    folder.chmod(0o711)
    told = []
    async with embedded.Server(folder / "server", settings=SETTINGS) as server:
        for size in sizes:
            steps = await run(server, size)
            show(size, steps)
            told.append((size, steps))
    show_growth(told)
    _out.print(f"the server's folder can go: {folder}")


def _size(text: str) -> districts.Size:
    lines, _, days = text.partition("x")
    return districts.Size(int(lines), int(days))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("sizes", nargs="*", type=_size, default=[_size(text) for text in SIZES])
    chosen = parser.parse_args().sizes
    asyncio.run(main(chosen, Path(tempfile.mkdtemp(prefix="afterbell-benchmark-"))))
