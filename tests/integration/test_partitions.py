"""Partitions are made and dropped while others read and write, and no reader loses a transaction by it."""

import asyncio
from datetime import date

import asyncpg
import pytest

import sql
from tests.integration.test_sweep_faults import WAITING

MONTH = date(2031, 5, 1)
TABLES = (
    "usage_readings",
    "state_readings",
    "signal_readings",
    "session_readings",
    "line_days",
    "loan_days",
    "allowance_days",
    "student_device_days",
)
MAKE = "SELECT ensure_partitions($1, $1)"
OLD = date(2031, 4, 1)


@pytest.mark.parametrize("held", ["ACCESS SHARE", "ROW EXCLUSIVE"])
async def test_partitions_are_made_while_others_read_and_write(pool: asyncpg.Pool, held: str) -> None:
    async with pool.acquire() as other, pool.acquire() as maker, other.transaction():
        await other.execute(f"LOCK TABLE lines, {', '.join(TABLES)} IN ACCESS SHARE MODE")
        await other.execute(f"LOCK TABLE {', '.join(TABLES)} IN {held} MODE")
        await maker.execute("SET lock_timeout = '1s'")
        assert await maker.fetchval(MAKE, MONTH) == len(TABLES)
        assert await maker.fetchval(MAKE, MONTH) == 0


CONSTRAINTS = """
SELECT contype::text AS kind, pg_get_constraintdef(oid) AS says FROM pg_constraint
WHERE conrelid = $1::regclass ORDER BY 1, 2
"""
INDEXES = "SELECT count(*) FROM pg_index WHERE indrelid = $1::regclass"
BOUNDS = "SELECT pg_get_expr(relpartbound, oid) FROM pg_class WHERE oid = $1::regclass"


@pytest.mark.parametrize("table", TABLES)
async def test_a_partition_has_the_keys_and_checks_of_its_table(pool: asyncpg.Pool, table: str) -> None:
    await pool.execute(MAKE, MONTH)
    partition = f"{table}_203105"
    assert await pool.fetch(CONSTRAINTS, partition) == await pool.fetch(CONSTRAINTS, table) != []
    assert await pool.fetchval(INDEXES, partition) == await pool.fetchval(INDEXES, table) > 0
    hours = " 00:00:00+00" if table.endswith("readings") else ""
    assert await pool.fetchval(BOUNDS, partition) == (
        f"FOR VALUES FROM ('2031-05-01{hours}') TO ('2031-06-01{hours}')"
    )


async def _waits(pool: asyncpg.Pool, dropping: asyncio.Task[str]) -> None:
    """For a lock; on a slow machine it may have given up before we look."""
    while not dropping.done() and not await pool.fetchval(WAITING):
        await asyncio.sleep(0.01)


async def test_dropping_gives_way_to_a_reader_that_would_wait_for_it_in_turn(pool: asyncpg.Pool) -> None:
    await pool.execute(MAKE, OLD)
    drop = sql.queries()["drop_partition"]
    async with pool.acquire() as reader, reader.transaction():
        await reader.fetchval("SELECT count(*) FROM lines")  # which the partition's foreign key names
        dropping = asyncio.create_task(pool.execute(drop, "usage_readings", "usage_readings_203104"))
        await _waits(pool, dropping)
        assert await reader.fetchval("SELECT count(*) FROM usage_readings") == 0
        with pytest.raises(asyncpg.LockNotAvailableError):
            await dropping
    await pool.execute(drop, "usage_readings", "usage_readings_203104")
    assert await pool.fetchval("SELECT to_regclass('usage_readings_203104')") is None


async def test_dropping_that_waits_several_times_still_gives_way(database: str) -> None:
    """One after the other: for a reader of the table, a writer of lines, and a reader of lines who waits in turn."""
    drop = sql.queries()["drop_partition"]
    async with asyncpg.create_pool(database, min_size=4, max_size=5) as pool:
        await pool.execute(MAKE, OLD)
        async with pool.acquire() as holder, pool.acquire() as writer, pool.acquire() as reader:
            first, second, third = (one.transaction() for one in (holder, writer, reader))
            for one in (first, second, third):
                await one.start()
            await holder.execute("LOCK TABLE usage_readings IN ACCESS SHARE MODE")
            await writer.execute("LOCK TABLE lines IN ROW EXCLUSIVE MODE")
            await reader.execute("LOCK TABLE lines IN ACCESS SHARE MODE")
            dropping = asyncio.create_task(pool.execute(drop, "usage_readings", "usage_readings_203104"))
            await _waits(pool, dropping)
            reading = asyncio.create_task(reader.fetchval("SELECT count(*) FROM usage_readings"))
            await asyncio.sleep(0.12)
            await first.rollback()
            await asyncio.sleep(0.12)
            await second.rollback()
            assert await reading == 0
            with pytest.raises(asyncpg.LockNotAvailableError):
                await dropping
            await third.rollback()
