"""Migrations of real databases: by two at once, failing, edited, and newer than the program."""

import asyncio
import logging
from collections.abc import AsyncIterator

import asyncpg
import pytest

import sql
from service import errors
from service.store import migrations
from service.store import pool as pools

BAD = "CREATE TABLE half_done (n integer); INSERT INTO half_done VALUES (1); SELECT 1 / 0;"


@pytest.fixture
async def empty(empty_url: str) -> AsyncIterator[asyncpg.Pool]:
    async with pools.connected(empty_url, size=6) as opened:
        yield opened


async def tables(pool: asyncpg.Pool) -> set[str]:
    rows = await pool.fetch("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {row["tablename"] for row in rows}


async def recorded(pool: asyncpg.Pool) -> list[str]:
    return [row["name"] for row in await pool.fetch("SELECT name FROM schema_migrations ORDER BY name")]


async def locks(pool: asyncpg.Pool) -> int:
    found: int = await pool.fetchval(
        "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    return found


NAMES = [name for name, _ in sql.migrations()]


async def test_an_empty_database_gets_every_migration_and_then_no_more(empty: asyncpg.Pool) -> None:
    assert await migrations.migrate(empty) == NAMES
    await migrations.check(empty)
    assert await migrations.migrate(empty) == []
    assert await recorded(empty) == NAMES
    assert await locks(empty) == 0


async def test_a_database_without_the_schema_is_refused_with_the_way_out(empty: asyncpg.Pool) -> None:
    with pytest.raises(errors.SchemaMismatch, match="run `afterbell migrate`") as caught:
        await migrations.check(empty)
    assert caught.value.exit_code == 3
    assert NAMES[0] in str(caught.value)


async def test_of_two_migrations_at_once_one_waits_and_finds_nothing_left(empty: asyncpg.Pool) -> None:
    applied = await asyncio.gather(*(migrations.migrate(empty) for _ in range(4)))
    assert sorted(applied) == [[], [], [], NAMES]
    assert await recorded(empty) == NAMES
    assert await locks(empty) == 0


async def test_a_migration_that_fails_leaves_nothing_of_itself_and_all_before_it(
    pool: asyncpg.Pool, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    good = ("9001_good.sql", "CREATE TABLE good (n integer);")
    files = [
        *sql.migrations(),
        good,
        ("9002_bad.sql", BAD),
        ("9003_after.sql", "CREATE TABLE after (n integer);"),
    ]
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrations.migrate(pool, files)
    assert {"good", "half_done", "after"} & await tables(pool) == {"good"}
    assert await recorded(pool) == [*NAMES, "9001_good.sql"]
    assert await locks(pool) == 0
    assert [record.getMessage() for record in caplog.records] == ["applied migration 9001_good.sql"]
    mended = [*files[:-2], ("9002_bad.sql", "CREATE TABLE half_done (n integer);"), files[-1]]
    assert await migrations.migrate(pool, mended) == ["9002_bad.sql", "9003_after.sql"]


async def test_a_first_migration_that_fails_leaves_an_empty_database(empty: asyncpg.Pool) -> None:
    name, text = sql.migrations()[0]
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrations.migrate(empty, [(name, text + BAD)])
    assert await tables(empty) == set()
    assert await migrations.migrate(empty) == NAMES


async def test_a_schema_newer_than_the_program_is_refused_and_stays(pool: asyncpg.Pool) -> None:
    newer = [*sql.migrations(), ("9001_newer.sql", "CREATE TABLE newer (n integer);")]
    await migrations.migrate(pool, newer)
    for step in (migrations.check, migrations.migrate):
        with pytest.raises(
            errors.SchemaMismatch, match=r"9001_newer\.sql.*written by a newer afterbell"
        ) as caught:
            await step(pool)
        assert "Upgrade afterbell, or restore the backup" in str(caught.value)
    assert "newer" in await tables(pool)
    assert await locks(pool) == 0


async def test_an_edited_migration_is_refused_and_nothing_after_it_is_applied(pool: asyncpg.Pool) -> None:
    name, text = sql.migrations()[0]
    edited = [(name, text + "\n-- a small correction"), ("9001_more.sql", "CREATE TABLE more (n integer);")]
    with pytest.raises(errors.SchemaMismatch, match=f"{name} was applied in another form"):
        await migrations.migrate(pool, edited)
    assert "more" not in await tables(pool)
    await pool.execute("UPDATE schema_migrations SET checksum = 'another'")
    with pytest.raises(errors.SchemaMismatch, match="must never be edited"):
        await migrations.check(pool)


async def test_a_cancelled_migration_lets_go_of_its_lock(empty: asyncpg.Pool) -> None:
    slow = [(NAMES[0], sql.migrations()[0][1] + "SELECT pg_sleep(30);")]
    migrating = asyncio.create_task(migrations.migrate(empty, slow))
    async with asyncio.timeout(5):
        while not await locks(empty):
            await asyncio.sleep(0.01)
    migrating.cancel()
    with pytest.raises(asyncio.CancelledError):
        await migrating
    assert await tables(empty) == set()
    assert await asyncio.wait_for(migrations.migrate(empty), 20) == NAMES


async def test_a_database_that_holds_something_else_is_not_written_over(
    empty: asyncpg.Pool,
) -> None:
    await empty.execute("CREATE TABLE districts (n integer)")
    with pytest.raises(asyncpg.DuplicateTableError):
        await migrations.migrate(empty)
    assert await tables(empty) == {"districts"}
