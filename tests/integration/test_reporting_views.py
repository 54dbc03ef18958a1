"""What a reader sees: one district, no loans, no lines, no school of few students; and that the sums are right."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

import asyncpg
import pytest
import pytest_asyncio

from service.store import embedded, summaries
from service.store import pool as pools
from tests import conftest, dashboards, reporting

LAST = date(2026, 11, 20)
FIRST = LAST - timedelta(days=9)
OTHER = 2


@dataclass(frozen=True)
class Seeded:
    url: str
    pool: asyncpg.Pool
    reader: str  # the address of the role that reads district 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def seeded(server: embedded.Server, template: str) -> AsyncIterator[Seeded]:
    """Two districts with everything, and a reader of the first."""
    name = "reporting_afterbell"
    await conftest._execute(server, f"CREATE DATABASE {name} TEMPLATE {template}")
    url = conftest.database_url(server, name)
    async with pools.connected(url, size=2) as pool:
        await reporting.seed(pool, days=10, last=LAST)
        await reporting.seed(pool, district_id=OTHER, days=10, last=LAST)
        async with reporting.reader(pool, url) as address:
            yield Seeded(url, pool, address)
    await conftest._execute(server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest_asyncio.fixture(loop_scope="module")
async def reader(seeded: Seeded) -> AsyncIterator[asyncpg.Connection]:
    connection = await asyncpg.connect(seeded.reader)
    yield connection
    await connection.close()


pytestmark = pytest.mark.asyncio(loop_scope="module")

RELATIONS = (
    "SELECT relname FROM pg_class WHERE relnamespace = $1::regnamespace AND relkind IN ('r', 'p', 'v', 'm')"
)


async def relations(pool: asyncpg.Pool, schema: str) -> list[str]:
    return sorted(row["relname"] for row in await pool.fetch(RELATIONS, schema))


# One district


async def test_every_view_shows_the_readers_district_and_no_other(
    seeded: Seeded, reader: asyncpg.Connection
) -> None:
    views = await relations(seeded.pool, "reporting")
    assert len(views) >= 17
    for view in views:
        rows = await reader.fetch(f"SELECT DISTINCT district_id FROM reporting.{view}")
        assert [row["district_id"] for row in rows] == [1], view
        asked = await reader.fetch(f"SELECT * FROM reporting.{view} WHERE district_id = {OTHER}")
        assert asked == [], view


async def test_the_owner_who_is_no_reader_sees_nothing_through_the_views(seeded: Seeded) -> None:
    for view in await relations(seeded.pool, "reporting"):
        assert await seeded.pool.fetchval(f"SELECT count(*) FROM reporting.{view}") == 0, view


async def test_no_table_and_no_view_behind_the_views_can_be_read(
    seeded: Seeded, reader: asyncpg.Connection
) -> None:
    behind = await relations(seeded.pool, "public")
    assert {"loans", "need_answers", "school_days", "reader_school_days", "reader_roles"} <= set(behind)
    for name in behind:
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(f'SELECT * FROM public."{name}"')


async def test_no_function_behind_the_views_can_be_called(seeded: Seeded, reader: asyncpg.Connection) -> None:
    for call in (
        "valid_since(2, current_date)",
        "answers_on(2, current_date)",
        "ensure_partitions(now()::date, now()::date)",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            await reader.fetch(f"SELECT * FROM public.{call}")


@pytest.mark.parametrize(
    "condition", ["leak(district_id::text)", "leak(school)", "leak(need::text) AND on_day > '2026-01-01'"]
)
async def test_a_condition_that_tells_what_it_sees_sees_the_readers_district_alone(
    reader: asyncpg.Connection, condition: str
) -> None:
    """A function of the reader's own, cheap, so that the planner would like to ask it first."""
    told: list[str] = []
    reader.add_log_listener(lambda _, message: told.append(message.message))
    await reader.execute("SET default_transaction_read_only = off")
    await reader.execute("""
        CREATE OR REPLACE FUNCTION pg_temp.leak(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS
        $$ BEGIN RAISE NOTICE '%', $1; RETURN true; END $$""")
    rows = await reader.fetch(f"SELECT school, need FROM reporting.school_days WHERE pg_temp.{condition}")
    assert len(rows) == 600
    assert len(told) == 600
    assert str(OTHER) not in told
    assert not [message for message in told if message.isdigit() and 1 < int(message) < 10], (
        "a withheld need was told"
    )


async def test_the_server_tells_a_reader_nothing_of_the_columns_behind_the_views(
    reader: asyncpg.Connection, seeded: Seeded
) -> None:
    await seeded.pool.execute("ANALYZE school_days")
    assert await seeded.pool.fetchval("SELECT count(*) FROM pg_stats WHERE tablename = 'school_days'") > 0
    assert await reader.fetchval("SELECT count(*) FROM pg_stats WHERE schemaname = 'public'") == 0


async def test_a_reader_can_become_nobody_else(seeded: Seeded, reader: asyncpg.Connection) -> None:
    async with reporting.reader(seeded.pool, seeded.url, OTHER) as other:
        name = other.split("//")[1].partition(":")[0]
        owner = await seeded.pool.fetchval("SELECT current_user")
        for role in (name, owner):
            with pytest.raises(asyncpg.PostgresError):
                await reader.execute(f'SET ROLE "{role}"')
            with pytest.raises(asyncpg.PostgresError):
                await reader.execute(f'SET SESSION AUTHORIZATION "{role}"')
        connection = await asyncpg.connect(other)
        assert await connection.fetchval("SELECT district_id FROM reporting.districts") == OTHER
        await connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "CREATE TABLE reporting.mine (n integer)",
        "CREATE TABLE public.mine (n integer)",
        "CREATE SCHEMA mine",
        "CREATE OR REPLACE VIEW reporting.districts AS SELECT 1",
        "UPDATE reporting.schools SET name = ''",
        "DELETE FROM reporting.districts",
        "ALTER TABLE reporting.schools OWNER TO CURRENT_USER",
    ],
)
async def test_a_reader_can_change_nothing(reader: asyncpg.Connection, statement: str) -> None:
    refused = (
        asyncpg.ReadOnlySQLTransactionError,
        asyncpg.InsufficientPrivilegeError,
        asyncpg.ObjectNotInPrerequisiteStateError,  # a view that cannot be written through
    )
    with pytest.raises(refused):
        await reader.execute(statement)
    await reader.execute("SET default_transaction_read_only = off")
    with pytest.raises(refused[1:]):
        await reader.execute(statement)
    assert await reader.fetchval("SELECT count(*) FROM reporting.districts") == 1


async def test_a_readers_sessions_are_short_and_only_read(reader: asyncpg.Connection) -> None:
    told = [
        await reader.fetchval(f"SHOW {name}")
        for name in ("default_transaction_read_only", "statement_timeout", "search_path")
    ]
    assert told == ["on", "30s", "reporting"]
    assert await reader.fetchval("SELECT rolconnlimit FROM pg_roles WHERE rolname = current_user") == 20


async def test_every_view_is_a_barrier_and_those_behind_are_granted_to_nobody(seeded: Seeded) -> None:
    rows = await seeded.pool.fetch(
        "SELECT relname, relnamespace::regnamespace::text AS schema, reloptions, relacl::text FROM pg_class"
        " WHERE relkind = 'v' AND relnamespace IN ('public'::regnamespace, 'reporting'::regnamespace)"
    )
    for row in rows:
        if row["schema"] == "reporting":
            assert row["reloptions"] == ["security_barrier=true"], row["relname"]
        else:
            assert row["relacl"] is None, row["relname"]


async def test_no_view_has_a_loan_a_line_a_device_or_an_instant_of_their_use(seeded: Seeded) -> None:
    rows = await seeded.pool.fetch(
        "SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod) AS type FROM pg_attribute AS a"
        " JOIN pg_class AS c ON c.oid = a.attrelid"
        " WHERE c.relnamespace = 'reporting'::regnamespace AND a.attnum > 0"
    )
    forbidden = {
        "iccid",
        "imei",
        "mdn",
        "serial",
        "borrower",
        "household",
        "subject",
        "details",
        "provider_key",
        "student",
    }
    assert not [row for row in rows if row["attname"] in forbidden or (row["attname"].endswith("_id")
                and row["attname"] != "district_id")]  # fmt: skip
    finer = {
        row["relname"]
        for row in rows
        if row["type"].startswith("timestamp") and row["attname"] not in ("day_at", "month_at")
    }
    assert finer == {"accounts", "channels", "rules"}  # of the service itself, not of families


# Schools of few students


async def test_a_withheld_school_shows_that_it_is_and_nothing_else(reader: asyncpg.Connection) -> None:
    rows = await reader.fetch("SELECT * FROM reporting.school_days WHERE is_withheld AND on_day = $1", LAST)
    assert {row["ncessch"] for row in rows} >= {"000010000005", "000010000006", "000010000039"}
    flags = {"is_high_needs", "is_withheld", "is_out_of_session", "is_instructional"}
    named = {"district_id", "on_day", "day_at", "ncessch", "school", *flags}
    for row in rows:
        told = {name for name, value in row.items() if value is not None} - named
        assert told <= {"coverage_status"}
        assert row["coverage_status"] in (None, "need_unknown")


async def test_alerts_and_costs_name_no_withheld_school(reader: asyncpg.Connection) -> None:
    hidden = {
        row[0]
        for row in await reader.fetch(
            "SELECT ncessch FROM reporting.school_days WHERE is_withheld AND on_day = $1", LAST
        )
    }
    for view in ("alerts", "school_cost_months"):
        named = {row[0] for row in await reader.fetch(f"SELECT DISTINCT ncessch FROM reporting.{view}")}
        assert None in named
        assert len(named) > 40
        assert not named & hidden, view


# The sums


async def test_a_district_has_the_figures_that_pages_and_metrics_show(
    seeded: Seeded, reader: asyncpg.Connection
) -> None:
    shared = ("enrolled", "answered", "need", "loaned", "active_30", "active_7", "adequate", "unknown", "covered",
              "unserved", "completeness", "coverage_low", "coverage_high", "schools_with_need", "schools_without_need",
              "is_out_of_session")  # fmt: skip
    columns = ", ".join(shared)
    expected = await seeded.pool.fetch(
        f"SELECT on_day, {columns}, CASE WHEN completeness >= 0.9 THEN coverage_if_complete END AS coverage"
        " FROM public.district_days WHERE district_id = 1 ORDER BY on_day"
    )
    found = await reader.fetch(
        f"SELECT on_day, {columns}, coverage FROM reporting.district_days ORDER BY on_day"
    )
    assert len(found) == 10
    for row, want in zip(found, expected, strict=True):
        assert dict(row) == pytest.approx(dict(want))
    groups = await reader.fetch("SELECT * FROM reporting.group_days WHERE on_day = $1", LAST)
    want = await seeded.pool.fetchrow(
        "SELECT * FROM public.district_days WHERE district_id = 1 AND on_day = $1", LAST
    )
    by_group = {row["school_group"]: row["coverage"] for row in groups}
    assert by_group["high_needs"] == pytest.approx(want["high_needs_coverage_if_complete"])
    assert by_group["others"] == pytest.approx(want["other_coverage_if_complete"])


async def test_a_panel_takes_nobody_who_is_not_heard_from_for_unconnected(reader: asyncpg.Connection) -> None:
    (query,) = [one for one in dashboards.queries() if one.panel.startswith("Coverage by school")]
    first, last = (datetime(day.year, day.month, day.day, tzinfo=UTC) for day in (FIRST, LAST))
    rows = await reader.fetch(dashboards.sql(query.text, starts_at=first, ends_at=last, values={}))
    assert {row["Without a connection"] for row in rows if row["Status"] == "incomplete"} == {None}
    assert None not in {row["Without a connection"] for row in rows if row["Status"] == "known"}


async def test_only_days_that_are_reported_and_summed_up_are_shown(
    seeded: Seeded, reader: asyncpg.Connection
) -> None:
    days = "SELECT max(on_day) FROM reporting.school_days"
    await seeded.pool.execute(
        "UPDATE districts SET computed_through_on = $1 WHERE district_id = 1", LAST - timedelta(days=2)
    )
    try:
        assert await reader.fetchval(days) == LAST - timedelta(days=2)
    finally:
        await seeded.pool.execute("UPDATE districts SET computed_through_on = $1 WHERE district_id = 1", LAST)
    async with seeded.pool.acquire() as connection:
        await connection.execute("DELETE FROM summary_days WHERE district_id = 1 AND on_day = $1", LAST)
        assert await reader.fetchval(days) == LAST - timedelta(days=1)
        async with connection.transaction():
            await summaries.sum_schools(connection, 1, LAST, LAST, summaries.Limits())
    assert await reader.fetchval(days) == LAST
