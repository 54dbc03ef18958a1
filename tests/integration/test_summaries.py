"""The sums of days: what they are made of, when they are made again, and what is withheld of them."""

import dataclasses
import random
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import asyncpg

import sql
from service import app, config, serving
from service.metrics import withheld
from service.model import costs
from service.store import coverage, migrations, rollups, summaries
from service.store import pool as pools
from tests import factories, reconciled, reporting, told
from tests.fleet import iccid

LAST = date(2026, 11, 20)


async def test_what_is_withheld_beside_small_schools_is_what_metrics_leaves_out(pool: asyncpg.Pool) -> None:
    """Over many small districts, one a day: none, one or several small schools, groups of one, ties."""
    dice = random.Random(20261120)
    await factories.district(pool)
    marks = [None, True, True, True, False, False, False, False]
    schools = {
        await factories.school(pool, f"41019200000{place}", is_high_needs=mark): mark
        for place, mark in enumerate(marks)
    }
    codes = dict(await pool.fetch("SELECT school_id, ncessch FROM schools"))
    days: dict[date, dict[int, int | None]] = {}
    for offset in range(300):
        days[LAST - timedelta(days=offset)] = {
            school: dice.choice([None, 3, 8, 12, 12, 15, 20, 40]) if dice.random() < 0.8 else None
            for school in schools
        }
    district = reconciled.District(pool, 0, 0, 0, 0, 0)
    for day, needs in days.items():
        for district.school_id, need in needs.items():
            status = {} if need else {"need_source": None, "coverage_status": "need_unknown"}
            await district.school_day(day, need=need, loaned=5, **status)
    async with pool.acquire() as connection, connection.transaction():
        await summaries.sum_schools(connection, 1, min(days), max(days), summaries.Limits())
    seen = set()
    for row in await pool.fetch("SELECT * FROM summary_days"):
        needs = days[row["on_day"]]
        listed = [
            coverage.School(
                name="",
                ncessch=codes[school],
                is_high_needs=schools[school],
                high_needs_basis=None,
                need=need,
            )
            for school, need in needs.items()
        ]
        told = withheld.told(listed, 10)
        shown = {codes[school] for school, need in needs.items() if need is not None and need >= 10}
        shown -= {codes[school] for school in row["withheld"]}
        assert shown == {school.ncessch for school in told.schools}, needs
        groups = [[one for one in listed if one.is_high_needs is mark] for mark in (True, False)]
        assert told.is_district_told == (row["is_district_told"] and is_large(listed))
        assert told.are_groups_told == (row["are_groups_told"] and all(map(is_large, groups)))
        seen.add((len(row["withheld"]), row["are_groups_told"], row["is_district_told"]))
    assert {one[0] for one in seen} >= {0, 1, 2}
    assert {one[1] for one in seen} == {True, False}


def is_large(schools: list[coverage.School]) -> bool:
    """What the views ask beside the flags that are kept."""
    needs = [one.need for one in schools if one.need is not None]
    return not needs or sum(needs) >= 10


async def test_a_district_of_one_small_school_has_no_figures_of_its_own(
    pool: asyncpg.Pool, database: str
) -> None:
    district = await reconciled.district(pool)
    await district.school_day(reconciled.DAY, need=6)
    await summed(pool, reconciled.DAY)
    async with reporting.reader(pool, database) as address:
        connection = await asyncpg.connect(address)
        assert await connection.fetch("SELECT * FROM reporting.district_days") == []
        (group,) = await connection.fetch("SELECT * FROM reporting.group_days")
        assert (group["is_withheld"], group["need"], group["coverage"]) == (True, None, None)
        await connection.close()


async def summed(pool: asyncpg.Pool, *days: date) -> int:
    for day in days:
        async with pool.acquire() as connection:
            await summaries.mark(connection, 1, day, day)
    return await summaries.refresh(pool, 1, summaries.Limits())


async def test_a_marked_day_is_summed_up_once(pool: asyncpg.Pool) -> None:
    district = await reconciled.district(pool)
    await district.school_day(reconciled.DAY, adequate=20)
    assert await summed(pool, reconciled.DAY) == 1
    assert await summed(pool) == 0
    await pool.execute("UPDATE school_days SET adequate = 30")
    assert await pool.fetchval("SELECT adequate FROM group_days") == 20
    assert await summed(pool, reconciled.DAY) == 1
    assert await pool.fetchval("SELECT adequate FROM group_days") == 30


async def test_days_are_summed_up_anew_when_other_schools_are_high_needs_or_small(pool: asyncpg.Pool) -> None:
    district = await reconciled.district(pool)
    await district.school_day(reconciled.DAY, need=60)
    district.school_id = district.other_school_id
    await district.school_day(reconciled.DAY, need=30)
    await summed(pool, reconciled.DAY)
    groups = "SELECT school_group, need FROM group_days ORDER BY 1"
    assert [tuple(row) for row in await pool.fetch(groups)] == [("not_told", 90)]
    await pool.execute("UPDATE schools SET is_high_needs = (school_id = $1)", district.other_school_id)
    await summed(pool)
    assert [tuple(row) for row in await pool.fetch(groups)] == [("high_needs", 30), ("others", 60)]
    assert await pool.fetchval("SELECT withheld FROM summary_days") == []
    await summaries.refresh(pool, 1, summaries.Limits(minimum_cell_size=40))
    assert await pool.fetchval("SELECT cardinality(withheld) FROM summary_days") == 1


async def test_lines_are_counted_by_account_status_and_plan(pool: asyncpg.Pool) -> None:
    district = await reconciled.district(pool)
    for mb in (None, 0, 0, 5):
        line, _ = await district.line("active")
        await district.told(line, mb=mb)
    line, _ = await district.line("suspended", has_plan=False)
    await district.told(line, account_id=district.router_account_id, mb=7)
    await pool.execute("UPDATE line_days SET has_reached_day_limit = true WHERE line_id = $1", line)
    await summed(pool, reconciled.DAY)
    rows = await pool.fetch(
        "SELECT account_id, status::text, lines, lines_used, lines_idle, lines_at_limit, used_bytes::bigint"
        " FROM fleet_days ORDER BY account_id, status"
    )
    assert [tuple(row) for row in rows] == [
        (district.account_id, "active", 4, 1, 2, 0, 5_000_000),
        (district.account_id, "suspended", 1, 0, 0, 1, None),
        (district.router_account_id, "unknown", 1, 1, 0, 1, 7_000_000),
    ]
    (plan,) = await pool.fetch(
        "SELECT plan_id, lines, lines_at_limit, lines_carried, period_bytes FROM plan_days"
    )
    assert tuple(plan) == (district.plan_id, 4, 0, 0, None)


async def test_a_pools_use_is_that_of_its_lines(pool: asyncpg.Pool) -> None:
    district = await reconciled.district(pool)
    for told_bytes, exhausted in ((None, False), (900, True)):
        line, _ = await district.line("active")
        await pool.execute(
            "INSERT INTO allowance_days VALUES (1, $1, $2, $3, $1, $1, 300, 200, $4, $5)",
            reconciled.DAY, line, district.plan_id, told_bytes, exhausted,
        )  # fmt: skip
    await summed(pool, reconciled.DAY)
    (plan,) = await pool.fetch(
        "SELECT lines, lines_at_limit, lines_carried, period_bytes::bigint FROM plan_days"
    )
    assert tuple(plan) == (2, 1, 2, 1400)


async def test_signal_is_that_of_the_medians_of_the_lines_on_the_local_day(pool: asyncpg.Pool) -> None:
    district = await reconciled.district(pool)
    await pool.execute("SELECT ensure_partitions($1, $2)", reconciled.DAY, reconciled.DAY + timedelta(days=1))
    for values in ((-90, -91, -150), (-115, -116, -117), (-100,)):
        line, _ = await district.line("active")
        for place, value in enumerate(values):
            await pool.execute(
                "INSERT INTO signal_readings (district_id, line_id, account_id, kind, series, starts_at, rsrp_dbm)"
                " VALUES (1, $1, $2, 'sample', 'modem', $3, $4)",
                line, district.router_account_id, reconciled.at(reconciled.DAY, 21 + place), value,
            )  # fmt: skip
    line, _ = await district.line("active")
    await pool.execute(
        "INSERT INTO signal_readings (district_id, line_id, account_id, kind, series, starts_at, rsrp_dbm)"
        " VALUES (1, $1, $2, 'sample', 'modem', $3, -60)",
        line, district.router_account_id, reconciled.at(reconciled.DAY + timedelta(days=1), 0),
    )  # fmt: skip
    await summed(pool, reconciled.DAY)
    (row,) = await pool.fetch("SELECT lines, samples, lines_weak, median_rsrp_dbm FROM signal_days")
    assert tuple(row) == (3, 7, 1, -100)


async def test_sweeps_and_flips_are_counted_by_local_day_and_counted_again_while_it_goes_on(
    pool: asyncpg.Pool,
) -> None:
    await reporting.seed(pool, schools=8, days=3, last=LAST)
    polls = "SELECT sum(runs), sum(runs) FILTER (WHERE outcome = 'failed') FROM poll_days"
    runs, failed = await pool.fetchrow(polls)
    assert (runs, failed) == tuple(await pool.fetchrow(
        "SELECT count(*), count(*) FILTER (WHERE outcome = 'failed') FROM poll_runs"
    ))  # fmt: skip
    await pool.execute(
        "UPDATE poll_runs SET outcome = 'failed' WHERE poll_run_id = (SELECT max(poll_run_id) FROM poll_runs)"
    )
    flips = await pool.fetchval("SELECT sum(flips) FROM flip_days")
    await pool.execute(
        "INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, created_at)"
        " SELECT 1, alert_id, 'cleared', 'firing', 'clear', 'cleared', $1 FROM alerts LIMIT 1",
        datetime(2026, 11, 21, 6, tzinfo=UTC),  # the evening of the 20th
    )
    await summaries.refresh(pool, 1, summaries.Limits())
    assert tuple(await pool.fetchrow(polls)) == (runs, failed + 1)
    assert await pool.fetchval("SELECT sum(flips) FROM flip_days") == flips + 1
    assert await pool.fetchval("SELECT max(on_day) FROM flip_days") == LAST


async def test_days_that_were_computed_by_an_older_version_are_summed_up_after_the_migration(
    empty_url: str,
) -> None:
    files = sql.migrations()
    before = [name for name, _ in files].index("0006_reporting.sql")
    async with pools.connected(empty_url, size=2) as pool:
        await migrations.migrate(pool, files[:before])
        district = await reconciled.district(pool)
        await district.school_day(reconciled.DAY)
        await migrations.migrate(pool, files)
        rows = await pool.fetch("SELECT district_id, on_day FROM dirty_summary_days")
        assert [tuple(row) for row in rows] == [(1, reconciled.DAY)]
        assert await summed(pool) == 1
        assert await pool.fetchval("SELECT need FROM group_days") == 60


async def test_the_service_sums_up_by_its_settings(pool: asyncpg.Pool, database: str) -> None:
    district = await reconciled.district(pool)
    await district.school_day(reconciled.DAY, need=60)
    async with pool.acquire() as connection:
        await summaries.mark(connection, 1, reconciled.DAY, reconciled.DAY)
    settings = {
        "database": {"url": database},
        "web": {"minimum_cell_size": 70},
        "thresholds": {"completeness_floor": 0.8},
        "districts": [{"id": 1, "name": "Lab District", "time_zone": factories.ZONE}],
    }
    async with app.with_config(config.Config.model_validate(settings)) as ready:
        await serving.sum_up(ready)
    row = await pool.fetchrow("SELECT minimum_cell_size, completeness_floor FROM summaries")
    assert tuple(row) == (70, 0.8)
    assert await pool.fetchval("SELECT count(*) FROM group_days") == 1


async def test_days_that_are_computed_are_marked_and_shown_once_summed_up(
    pool: asyncpg.Pool, database: str
) -> None:
    """From the rollup to a reader's view."""
    fleet = await told.fleet(pool)
    await fleet.tell("carrier", told.START, told.sight("one", iccid=iccid(1)))
    now = told.START + timedelta(days=2)
    ours = rollups.District(factories.DISTRICT, factories.ZONE)
    assert await rollups.refresh(pool, ours, now=now, thresholds=rollups.Thresholds()) > 0
    days = await pool.fetchval("SELECT count(*) FROM dirty_summary_days")
    assert days > 0
    assert await summed(pool) == days
    assert await pool.fetchval("SELECT count(*) FROM dirty_summary_days") == 0
    async with reporting.reader(pool, database) as address:
        connection = await asyncpg.connect(address)
        assert await connection.fetchval("SELECT reported_on FROM reporting.districts") is not None
        await connection.close()


async def test_the_costs_of_a_complete_month_are_kept_and_those_of_one_that_goes_on_are_not(
    pool: asyncpg.Pool,
) -> None:
    await factories.district(pool)
    school = await factories.school(pool)
    code = await pool.fetchval("SELECT ncessch FROM schools")
    idle, used = (
        costs.Lines(lines=2, with_cost=1, cost=Decimal(15)),
        costs.Lines(lines=3, with_cost=3, cost=Decimal(45)),
    )
    found = costs.Costs(
        district_id=1,
        first_on=date(2026, 10, 1),
        last_on=date(2026, 10, 31),
        months=1,
        is_complete=True,
        figure_on=None,
        district=costs.Cost(ncessch=None, name=None),
        schools=(
            costs.Cost(
                ncessch=code,
                name="",
                idle=idle,
                used=used,
                unknown=costs.Lines(lines=4, with_cost=4, cost=Decimal(60)),
            ),
            costs.Cost(ncessch=None, name=None, used=used),
        ),
        other_lines=costs.NONE,
        not_in_service=costs.NONE,
    )
    rows = "SELECT school_id, lines, lines_idle, lines_known, cost, idle_cost, without_cost FROM cost_months ORDER BY 1"
    await summaries.keep_costs(pool, dataclasses.replace(found, is_complete=False), now=reconciled.NOW)
    assert await pool.fetch(rows) == []
    for _ in range(2):
        await summaries.keep_costs(pool, found, now=reconciled.NOW)
    assert [tuple(row) for row in await pool.fetch(rows)] == [
        (0, 3, 0, 3, 45, 0, 0),
        (school, 9, 2, 5, 120, 15, 1),
    ]
    await summaries.keep_costs(
        pool, dataclasses.replace(found, schools=found.schools[:1]), now=reconciled.NOW
    )
    assert [row["school_id"] for row in await pool.fetch(rows)] == [school]
