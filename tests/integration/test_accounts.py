"""What the configuration says of districts, plans and accounts, as it reaches their rows."""

import dataclasses
from datetime import UTC, date, datetime, timedelta

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


async def test_a_group_out_of_the_configuration_leads_to_no_school(pool: asyncpg.Pool) -> None:
    await pool.execute("INSERT INTO districts (district_id, name, time_zone) VALUES (1, 'N', $1)", ZONE)
    await pool.execute("INSERT INTO schools (district_id, ncessch, name) VALUES (1, '990000100001', 'A')")
    both = dataclasses.replace(ACCOUNT, groups={"5001": "990000100001", "5002": "990000100001"})
    one = dataclasses.replace(ACCOUNT, groups={"5001": "990000100001"})
    for account in (both, one):
        await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, accounts=[account])])
    rows = await pool.fetch("SELECT group_key, school_id IS NULL FROM provider_groups ORDER BY 1")
    assert [tuple(row) for row in rows] == [("5001", False), ("5002", True)]


async def test_a_command_beside_the_service_leaves_the_cadence_that_was_planned(pool: asyncpg.Pool) -> None:
    source = (await accounts.sync(pool, [NORTHFIELD]))[DISTRICT, "kajeet"]
    await accounts.set_cadence(pool, source, timedelta(hours=3))
    await accounts.sync(pool, [NORTHFIELD])
    assert await pool.fetchval("SELECT cadence FROM accounts") == timedelta(hours=3)
    slower = dataclasses.replace(ACCOUNT, cadence=timedelta(hours=6))
    await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, accounts=[slower])])
    assert await pool.fetchval("SELECT cadence FROM accounts") == timedelta(hours=6)


async def test_an_account_out_of_the_configuration_is_waited_for_no_more(pool: asyncpg.Pool) -> None:
    slow = dataclasses.replace(ACCOUNT, key="slow", lag_days=5)
    await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, accounts=[ACCOUNT, slow])])
    now = datetime(2026, 10, 10, 16, tzinfo=UTC)
    before = (await coverage.snapshot(pool, now=now)).districts[0].due_on
    await accounts.sync(pool, [NORTHFIELD])
    after = (await coverage.snapshot(pool, now=now)).districts[0].due_on
    assert after - before == timedelta(days=5)


async def test_nobody_is_told_that_an_account_out_of_the_configuration_is_not_read(
    pool: asyncpg.Pool,
) -> None:
    gone = dataclasses.replace(ACCOUNT, key="gone")
    await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, accounts=[ACCOUNT, gone])])
    await accounts.sync(pool, [NORTHFIELD])
    (district,) = (await coverage.snapshot(pool, now=datetime(2026, 10, 10, 16, tzinfo=UTC))).districts
    assert [source.account_key for source in district.sources] == ["kajeet"]


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


POOL = accounts.Plan(
    key="pool",
    allowance_bytes=10_000_000,
    allowance_period="year",
    cycle_day=12,
    at_allowance="throttle",
    monthly_cost="14.99",
    is_pooled=True,
    provider="T-Mobile",
    download_mbps=50,
    upload_mbps=5.5,
    starts_on=date(2025, 8, 15),
    ends_on=date(2027, 8, 15),
)


async def test_a_plan_is_as_the_configuration_says(pool: asyncpg.Pool) -> None:
    for plan in (dataclasses.replace(POOL, is_pooled=False, provider="another", starts_on=None), POOL):
        await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, plans=[plan])])
    row = await pool.fetchrow("SELECT *, monthly_cost::text AS cost FROM plans")
    assert row is not None
    told = dataclasses.asdict(POOL)
    assert {name: row[name] for name in told if name not in ("key", "monthly_cost")} == {
        name: value for name, value in told.items() if name not in ("key", "monthly_cost")
    }
    assert (row["plan_key"], row["cost"], row["is_configured"]) == ("pool", "14.99", True)


async def test_a_plan_out_of_the_configuration_may_be_imported_again(pool: asyncpg.Pool) -> None:
    other = dataclasses.replace(POOL, key="other")
    for plans in ([POOL, other], [other]):
        await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, plans=plans)])
    rows = await pool.fetch("SELECT plan_key, is_configured FROM plans ORDER BY 1")
    assert [tuple(row) for row in rows] == [("other", True), ("pool", False)]


async def test_a_line_whose_plan_an_import_told_keeps_it(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1), device(2)]) as f:
        await f.sweep()
        lines = [await f.line_of(number) for number in (1, 2)]
        own = await pool.fetchval(
            "INSERT INTO plans (district_id, plan_key) VALUES (1, 'own') RETURNING plan_id"
        )
        await pool.execute(
            "UPDATE lines SET plan_id = $1, is_plan_told = true WHERE line_id = $2", own, lines[0]
        )
        planned = dataclasses.replace(ACCOUNT, plan_key="pool")
        await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, plans=[POOL], accounts=[planned])])
        rows = await pool.fetch(
            "SELECT plan_key FROM lines JOIN plans USING (district_id, plan_id) ORDER BY line_id"
        )
        assert [row["plan_key"] for row in rows] == ["own", "pool"]


async def test_whether_a_plan_or_a_line_is_filtered_is_kept_and_forgotten_with_what_told_it(
    pool: asyncpg.Pool,
) -> None:
    plan = accounts.Plan(
        key="p", allowance_bytes=None, allowance_period="month", cycle_day=1, at_allowance="stop",
        monthly_cost=None, is_filtered=False,
    )  # fmt: skip
    await accounts.sync(pool, [dataclasses.replace(NORTHFIELD, plans=[plan])])
    assert await pool.fetchval("SELECT is_filtered FROM plans") is False
    async with polled(pool, [device(1, filter_group="K-8"), device(2, filter_group=""), device(3)]) as f:
        await f.sweep()
        told = "SELECT s.is_filtered FROM latest_states AS s JOIN provider_keys USING (line_id) ORDER BY provider_key"
        assert [row["is_filtered"] for row in await pool.fetch(told)] == [True, False, None]
        f.show(1, filter_group=None)
        await f.sweep(f.now + timedelta(hours=1))
        assert [row["is_filtered"] for row in await pool.fetch(told)] == [None, False, None]
