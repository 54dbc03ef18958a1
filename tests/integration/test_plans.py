"""Plans stay honest: what a day costs does not grow with the history behind it."""

import json
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

import sql
from service.store import rollups
from tests.performance import seed

TODAY = date(2026, 11, 20)
LINES = 2000
HISTORY = 75  # days: four monthly partitions


@pytest.fixture
async def seeded(pool: asyncpg.Pool) -> asyncpg.Pool:
    account = await seed.fleet(pool, lines=LINES, schools=20, today=TODAY)
    yesterday = TODAY - timedelta(days=1)
    await seed.history(
        pool, account_id=account, lines=LINES, first=TODAY - timedelta(days=HISTORY), last=yesterday
    )
    await seed.one_more_day(pool, account_id=account, lines=LINES, day=TODAY)
    await pool.execute("ANALYZE")
    return pool


async def explained(
    pool: asyncpg.Pool, name: str, *values: object, after: str | None = None
) -> dict[str, Any]:
    """The plan as it ran, after another query where one goes before; what it wrote is rolled back."""
    async with pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        try:
            if after is not None:
                await connection.execute(sql.queries()[after])
            text = await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {sql.queries()[name]}", *values)
        finally:
            await transaction.rollback()
    plan: dict[str, Any] = json.loads(text)[0]["Plan"]
    return plan


def scans(plan: dict[str, Any]) -> Iterator[tuple[str, str, int]]:
    """(relation, kind of node, rows read) of every scan in a plan."""
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        rows = (
            plan["Actual Rows"]
            + plan.get("Rows Removed by Filter", 0)
            + plan.get("Rows Removed by Index Recheck", 0)
        )
        yield plan["Relation Name"], plan["Node Type"], int(rows * plan["Actual Loops"])
    for child in plan.get("Plans", ()):
        yield from scans(child)


def loan_day_values() -> tuple[object, ...]:
    zone, midnight = ZoneInfo(seed.ZONE), datetime.min.time()
    return (
        seed.DISTRICT,
        TODAY,
        datetime(2026, 11, 21, 4, tzinfo=UTC),
        datetime.combine(TODAY - timedelta(days=6), midnight, zone),
        datetime.combine(TODAY + timedelta(days=1), midnight, zone),
        -110.0,
        20,
        16,
        22,
    )


async def test_a_days_states_read_that_day_and_the_one_before(seeded: asyncpg.Pool) -> None:
    found = list(scans(await explained(seeded, "compute_loan_days", *loan_day_values())))
    read = [
        (relation, rows) for relation, _, rows in found if relation.startswith(("line_days", "loan_days"))
    ]
    assert {relation for relation, _ in read} == {"line_days_202611", "loan_days_202611"}
    assert sum(rows for _, rows in read) <= 5 * LINES


async def test_a_days_school_counts_read_that_day(seeded: asyncpg.Pool) -> None:
    now = datetime(2026, 11, 21, 4, tzinfo=UTC)
    async with seeded.acquire() as connection, connection.transaction():
        await rollups.compute_day(
            connection, rollups.District(seed.DISTRICT, seed.ZONE), TODAY, now, rollups.Thresholds()
        )
    found = list(scans(await explained(seeded, "compute_school_days", seed.DISTRICT, TODAY, now, 0.9)))
    read = {relation: rows for relation, _, rows in found if relation.startswith("loan_days")}
    assert read == {"loan_days_202611": LINES}


async def test_an_allowance_goes_on_from_the_day_before(seeded: asyncpg.Pool) -> None:
    """Also where a line has only now been given its plan: what came before is added up once, not every minute."""
    await seeded.execute(
        "INSERT INTO plans (district_id, plan_key, allowance_bytes, allowance_period) VALUES ($1, 'year', 1, 'year')",
        seed.DISTRICT,
    )
    await seeded.execute("UPDATE lines SET plan_id = (SELECT plan_id FROM plans)")
    query = sql.queries()["compute_allowance_days"]
    assert await seeded.fetchval(query, seed.DISTRICT, TODAY) == LINES
    tomorrow = TODAY + timedelta(days=1)
    for day in (TODAY, tomorrow):
        found = list(scans(await explained(seeded, "compute_allowance_days", seed.DISTRICT, day)))
        read = sum(
            rows for relation, _, rows in found if relation.startswith(("line_days", "allowance_days"))
        )
        assert read <= 5 * LINES, day


async def test_answers_of_years_ago_are_not_read(seeded: asyncpg.Pool) -> None:
    await seeded.execute(
        "INSERT INTO need_answers (district_id, student, answered_on, has_access)"
        " SELECT $1, md5(n::text), $2::date - 365 * years - 30, false"
        " FROM generate_series(1, $3::integer) AS n CROSS JOIN generate_series(0, 9) AS years",
        seed.DISTRICT,
        TODAY,
        LINES,
    )
    await seeded.execute("ANALYZE need_answers")
    now = datetime(2026, 11, 21, 4, tzinfo=UTC)
    found = list(scans(await explained(seeded, "compute_school_days", seed.DISTRICT, TODAY, now, 0.9)))
    # of two school years' answers, once as they are and once to look whether a newer one stands against them
    assert sum(rows for relation, _, rows in found if relation == "need_answers") <= 2 * 2 * LINES


async def test_line_days_read_the_days_readings(seeded: asyncpg.Pool) -> None:
    """Readings of another month are not looked at."""
    await seeded.execute("SELECT ensure_partitions('2026-08-01', '2026-11-30')")
    first, last = datetime(2026, 11, 18, tzinfo=UTC), datetime(2026, 11, 23, tzinfo=UTC)
    values = (seed.DISTRICT, 1, TODAY, TODAY, datetime(2026, 11, 21, 4, tzinfo=UTC), None, first, last)
    account = await seeded.fetchval("SELECT account_id FROM accounts")
    plan = await explained(seeded, "compute_line_days", values[0], account, *values[2:])
    windows = [relation for relation, node, rows in scans(plan) if relation.startswith("state_readings")]
    assert set(windows) == {"state_readings_202611"}


async def test_a_line_is_looked_up_by_its_key(seeded: asyncpg.Pool) -> None:
    account = await seeded.fetchval("SELECT account_id FROM accounts")
    keys = "\x1f".join(str(2_000_000_000 + n) for n in range(1, 501))
    identities = "\x1f".join("_" * 24 + "0123abcd" for _ in range(500))
    now = datetime(2026, 11, 21, 4, tzinfo=UTC)
    plan = await explained(seeded, "look_up_sighted", seed.DISTRICT, account, keys, identities, now, now)
    found = list(scans(plan))
    assert {node for _, node, _ in found} <= {"Index Scan", "Index Only Scan", "Function Scan"}
    assert sum(rows for _, _, rows in found) <= 3 * 500


async def test_disagreement_reads_the_seven_days_and_nothing_of_a_single_account(
    seeded: asyncpg.Pool,
) -> None:
    values = ([seed.DISTRICT], [TODAY - timedelta(days=1)], 0.1)

    async def read() -> int:
        found = scans(await explained(seeded, "source_disagreements", *values))
        return sum(rows for relation, _, rows in found if relation.startswith("line_days"))

    assert await read() == 0
    await seeded.execute(
        "INSERT INTO accounts (district_id, account_key, collector, time_zone) VALUES ($1, 'portal', 'file', $2)",
        seed.DISTRICT,
        seed.ZONE,
    )
    assert 6 * LINES < await read() <= 8 * LINES


async def test_a_line_that_is_one_with_another_is_found_line_by_line(seeded: asyncpg.Pool) -> None:
    """Readings and days of the whole fleet are not looked at."""
    pairs = ([1], [2])
    await seeded.execute("DELETE FROM latest_states WHERE line_id = 2")
    await seeded.execute("SELECT ensure_partitions('2026-08-01', '2026-11-30')")
    for name in ("drop_repeated_latest_states", "move_latest_states", "move_line_keys", "move_links"):
        found = scans(await explained(seeded, name, seed.DISTRICT, *pairs))
        assert sum(rows for relation, _, rows in found if relation != "same") <= 20, name
    plan = await explained(seeded, "move_line_days", seed.DISTRICT, *pairs, TODAY, after="join_by_lookups")
    found = scans(plan)
    assert sum(rows for relation, _, rows in found if relation.startswith("line_days")) <= 5 * HISTORY
