"""What the configuration says of districts, plans and accounts, as it reaches their rows."""

import dataclasses
from datetime import UTC, datetime, timedelta

import asyncpg

from service.store import accounts, coverage
from tests.fleet import DISTRICT, ZONE, device, polled

ACCOUNT = accounts.Account(
    key="kajeet",
    collector="kajeet",
    time_zone=ZONE,
    lag_days=0,
    rank=1,
    cadence=timedelta(hours=1),
    plan_key=None,
)
NORTHFIELD = accounts.District(
    district_id=DISTRICT, name="Northfield", time_zone=ZONE, school_year_starts="07-01", accounts=[ACCOUNT]
)


async def test_a_vendors_group_leads_to_its_school_once_the_school_is_known(pool: asyncpg.Pool) -> None:
    mapped = dataclasses.replace(ACCOUNT, groups={"5001": "990000100001"})
    district = dataclasses.replace(NORTHFIELD, accounts=[mapped])
    await accounts.sync(pool, [district])
    assert await pool.fetchval("SELECT count(*) FROM provider_groups") == 0
    school = await pool.fetchval(
        "INSERT INTO schools (district_id, ncessch, name) VALUES (1, '990000100001', 'A') RETURNING school_id"
    )
    await accounts.sync(pool, [district])
    assert await pool.fetchval("SELECT school_id FROM provider_groups WHERE group_key = '5001'") == school


async def test_an_account_out_of_the_configuration_is_waited_for_no_more(pool: asyncpg.Pool) -> None:
    slow = dataclasses.replace(ACCOUNT, key="slow", lag_days=5)
    await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, accounts=[ACCOUNT, slow])])
    now = datetime(2026, 10, 10, 16, tzinfo=UTC)
    before = (await coverage.snapshot(pool, now=now)).districts[0].due_on
    await accounts.sync(pool, [NORTHFIELD])
    after = (await coverage.snapshot(pool, now=now)).districts[0].due_on
    assert after - before == timedelta(days=5)


async def test_a_plan_that_is_given_later_reaches_the_lines_that_are_there(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)]) as f:
        await f.sweep()
        plan = accounts.Plan(
            key="ten",
            allowance_bytes=10**10,
            allowance_period="month",
            cycle_day=1,
            at_allowance="stop",
            monthly_cost="12.50",
        )
        planned = dataclasses.replace(ACCOUNT, plan_key="ten")
        await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, plans=[plan], accounts=[planned])])
        assert await pool.fetchval("SELECT count(*) FROM lines WHERE plan_id IS NOT NULL") == 1
        assert str(await pool.fetchval("SELECT monthly_cost FROM plans")) == "12.50"


async def test_writing_the_same_configuration_again_changes_nothing(pool: asyncpg.Pool) -> None:
    first = await accounts.sync(pool, [NORTHFIELD])
    assert await accounts.sync(pool, [NORTHFIELD]) == first
    assert await pool.fetchval("SELECT count(*) FROM accounts") == 1
