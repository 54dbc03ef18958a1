"""Plans that are not in the configuration, and the plans of single lines."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest

from service import errors
from service.imports import line_plans, outcomes, plans, undoing
from service.store import accounts
from tests import factories, files

TODAY = date(2026, 10, 15)
PLANS = (
    "plan,provider,allowance_mb,allowance_gb,period,cycle_day,pooled,at_allowance,monthly_cost,download_mbps,"
    "upload_mbps,starts_on,ends_on"
)
ICCID = "8901260000000000014"
KEPT = ("imports", "import_changes", "dirty_line_days", "dirty_loan_days")


@pytest.fixture
async def district(pool: asyncpg.Pool) -> int:
    return await factories.district(pool)


async def imported(pool: asyncpg.Pool, folder: Path, *lines: str, dry_run: bool = False) -> outcomes.Outcome:
    path = files.written(folder, "plans.csv", PLANS, *lines)
    return await plans.run(pool, factories.DISTRICT, path, today=TODAY, dry_run=dry_run)


async def given(pool: asyncpg.Pool, folder: Path, *lines: str, dry_run: bool = False) -> outcomes.Outcome:
    path = files.written(folder, "line-plans.csv", "line,plan", *lines)
    return await line_plans.run(pool, factories.DISTRICT, path, today=TODAY, dry_run=dry_run)


def reasons(outcome: outcomes.Outcome) -> list[tuple[int, str]]:
    return [(problem.row, problem.column) for problem in outcome.problems]


async def told_line(pool: asyncpg.Pool, account_id: int, **names: str) -> int:
    """A line that the account lists."""
    line_id = await factories.line(pool, **names)  # type: ignore[arg-type]
    await pool.execute(
        "INSERT INTO provider_keys (district_id, account_id, provider_key, line_id, identity) "
        "VALUES ($1, $2, $3, $4, '')",
        factories.DISTRICT,
        account_id,
        f"key-{line_id}",
        line_id,
    )
    return line_id


async def test_a_plan_comes_in_whole(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    outcome = await imported(
        pool,
        tmp_path,
        'P10M,T-Mobile,,100,Year,,no,stop,"$1,015.50",25,3.5,2026-08-15,2027-08-15',
        "Kajeet 500,,500,,cycle,5,yes,throttle,,,,,",
    )
    assert (outcome.added, outcome.rejected) == (2, 0)
    yearly = await files.only(pool, "SELECT * FROM plans WHERE plan_key = 'P10M'")
    assert (yearly["allowance_bytes"], yearly["allowance_period"]) == (100 * 10**9, "year")
    assert (yearly["monthly_cost"], yearly["provider"]) == (Decimal("1015.50"), "T-Mobile")
    assert (yearly["starts_on"], yearly["ends_on"]) == (date(2026, 8, 15), date(2027, 8, 15))
    assert (yearly["download_mbps"], yearly["upload_mbps"]) == (25, 3.5)
    pool_plan = await files.only(pool, "SELECT * FROM plans WHERE plan_key = 'Kajeet 500'")
    assert (pool_plan["allowance_bytes"], pool_plan["cycle_day"]) == (500 * 10**6, 5)
    assert (pool_plan["is_pooled"], pool_plan["at_allowance"], pool_plan["monthly_cost"]) == (
        True,
        "throttle",
        None,
    )
    assert not pool_plan["is_configured"]


async def test_what_is_left_out_is_by_the_month_and_stops(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    path = files.written(tmp_path, "plans.csv", "plan,monthly_cost", "Unlimited,15")
    await plans.run(pool, district, path, today=TODAY)
    row = await files.only(pool, "SELECT * FROM plans")
    assert (row["allowance_bytes"], row["allowance_period"], row["at_allowance"]) == (None, "month", "stop")
    assert (row["cycle_day"], row["is_pooled"], row["monthly_cost"]) == (1, False, 15)


async def test_whether_a_plan_is_filtered_is_known_only_where_it_is_told(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    told = files.written(tmp_path, "plans.csv", "plan,filtered", "yes,yes", "no,no", "silent,")
    await plans.run(pool, district, told, today=TODAY)
    found = await pool.fetch("SELECT plan_key, is_filtered FROM plans ORDER BY plan_id")
    assert [tuple(row) for row in found] == [("yes", True), ("no", False), ("silent", None)]
    corrected = files.written(tmp_path, "plans.csv", "plan,filtered", "yes,no", "no,no", "silent,")
    assert (await plans.run(pool, district, corrected, today=TODAY)).changed == 1


async def test_a_plan_of_the_configuration_is_refused(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await pool.execute(
        "INSERT INTO plans (district_id, plan_key, is_configured, monthly_cost) VALUES (1, 'gold', true, 20)"
    )
    outcome = await imported(pool, tmp_path, "gold,,,,,,,,1,,,,")
    assert outcome.problems[0].reason == "is in the configuration: change it there"
    assert await pool.fetchval("SELECT monthly_cost FROM plans") == 20


async def test_plans_that_cannot_be_are_refused(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    outcome = await imported(
        pool,
        tmp_path,
        ",,5,,,,,,,,,,",
        "a,,5,5,,,,,,,,,",
        "b,,0,,,,,,,,,,",
        "c,,5,,decade,,,,,,,,",
        "d,,5,,cycle,29,,,,,,,",
        "e,,,,,,yes,,,,,,",
        "f,,5,,,,,block,,,,,",
        "g,,5,,,,,,-1,,,,",
        "h,,5,,,,,,nan,,,,",
        "i,,5,,,,,,,,,2026-08-15,2026-08-15",
        "j,,5,,,,,,15,,,,",
        "j,,5,,,,,,16,,,,",
        "k,,5,,day,,yes,,,,,,",
    )
    assert reasons(outcome) == [
        (2, "plan"), (3, "allowance_gb"), (4, "allowance_mb"), (5, "period"), (6, "cycle_day"), (7, "pooled"),
        (8, "at_allowance"), (9, "monthly_cost"), (10, "monthly_cost"), (11, "ends_on"), (13, "plan"),
        (14, "pooled"),
    ]  # fmt: skip
    assert await pool.fetchval("SELECT array_agg(plan_key) FROM plans") == ["j"]


async def test_plans_again_change_nothing_and_a_changed_one_has_its_lines_days_computed_again(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    account_id = await factories.account(pool)
    other = await factories.account(pool, "other")
    line_id = await told_line(pool, account_id, iccid=ICCID)
    await told_line(pool, other, mdn="+15035550102")
    await imported(pool, tmp_path, "p,,500,,,,,,15,,,,")
    await given(pool, tmp_path, f"{ICCID},p")
    await pool.execute("DELETE FROM dirty_line_days")
    again = await imported(pool, tmp_path, "p,,500,,,,,,15,,,,")
    assert (again.added, again.changed, again.unchanged) == (0, 0, 1)
    assert await pool.fetchval("SELECT count(*) FROM dirty_line_days") == 0
    changed = await imported(pool, tmp_path, "p,,900,,,,,,15,,,,")
    assert changed.changed == 1
    marked = await pool.fetch("SELECT DISTINCT account_id, line_id FROM dirty_line_days")
    assert [tuple(row) for row in marked] == [(account_id, 0)]
    bounds = await pool.fetchrow("SELECT min(on_day), max(on_day) FROM dirty_line_days")
    assert tuple(bounds) == (date(2026, 9, 14), TODAY)
    assert await pool.fetchval("SELECT min(on_day) FROM dirty_loan_days") == date(2026, 9, 14)
    assert line_id


async def test_a_dry_run_of_plans_keeps_nothing(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    before = await files.contents(pool)
    assert (await imported(pool, tmp_path, "p,,500,,,,,,15,,,,", dry_run=True)).added == 1
    assert await files.contents(pool) == before


async def test_lines_get_their_plans_by_sim_or_number(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await imported(pool, tmp_path, "p,,500,,,,,,,,,,", "q,,900,,,,,,,,,,")
    by_sim = await factories.line(pool, iccid=ICCID)
    by_number = await factories.line(pool, mdn="+15035550102")
    outcome = await given(pool, tmp_path, f"{ICCID[:-1]},p", "(503) 555-0102,q", f"{ICCID},p")
    assert (outcome.changed, outcome.repeated, outcome.rejected) == (2, 1, 0)
    found = await pool.fetch(
        "SELECT line_id, plan_key, is_plan_told FROM lines JOIN plans USING (district_id, plan_id) ORDER BY line_id"
    )
    assert [tuple(row) for row in found] == [(by_sim, "p", True), (by_number, "q", True)]
    again = await given(pool, tmp_path, f"{ICCID[:-1]},p", "(503) 555-0102,q", f"{ICCID},p")
    assert (again.changed, again.unchanged) == (0, 2)


async def test_a_number_is_of_the_sim_that_has_it_last(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await imported(pool, tmp_path, "p,,500,,,,,,,,,,")
    await factories.line(pool, mdn="+15035550102")
    later = factories.OBSERVED_SINCE.replace(month=9)
    newest = await factories.line(pool, mdn="+15035550102", observed_since=later)
    await given(pool, tmp_path, "503-555-0102,p")
    assert await pool.fetchval("SELECT array_agg(line_id) FROM lines WHERE is_plan_told") == [newest]


async def test_lines_that_cannot_be_are_refused(pool: asyncpg.Pool, district: int, tmp_path: Path) -> None:
    await imported(pool, tmp_path, "p,,500,,,,,,,,,,", "q,,900,,,,,,,,,,")
    await factories.line(pool, iccid=ICCID)
    outcome = await given(
        pool,
        tmp_path,
        "8901260000000000022,p",
        "503-555-0199,p",
        "front desk,p",
        f"{ICCID},r",
        ",p",
        f"{ICCID},p",
        f"{ICCID},q",
    )
    assert reasons(outcome) == [
        (2, "line"), (3, "line"), (4, "line"), (5, "plan"), (6, "line"), (8, "line"),
    ]  # fmt: skip
    assert (outcome.accepted, outcome.changed) == (1, 1)


async def test_the_accounts_plan_leaves_a_told_one_alone_and_undo_gives_it_back(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    account_id = await factories.account(pool)
    line_id = await told_line(pool, account_id, iccid=ICCID)
    await imported(pool, tmp_path, "p,,500,,,,,,,,,,")
    before = await files.contents(pool, without=KEPT)
    await given(pool, tmp_path, f"{ICCID},p")
    await accounts.sync(
        pool,
        [
            accounts.District(
                district_id=district, name="District 1", time_zone=factories.ZONE, school_year_starts="07-01"
            )
        ],
    )
    assert await pool.fetchval("SELECT plan_id IS NOT NULL FROM lines WHERE line_id = $1", line_id)
    await pool.execute("DELETE FROM dirty_line_days")
    await undoing.run(pool, district, "line-plans", today=TODAY)
    assert await pool.fetchval("SELECT plan_id FROM lines WHERE line_id = $1", line_id) is None
    assert await pool.fetchval("SELECT min(on_day) FROM dirty_line_days") == date(2026, 9, 14)
    await pool.execute("UPDATE accounts SET is_in_use = true")
    assert await files.contents(pool, without=KEPT) == before


async def test_plans_that_lines_are_on_cannot_be_undone_first(
    pool: asyncpg.Pool, district: int, tmp_path: Path
) -> None:
    await imported(pool, tmp_path, "p,,500,,,,,,,,,,")
    await factories.line(pool, iccid=ICCID)
    await given(pool, tmp_path, f"{ICCID},p")
    with pytest.raises(errors.ImportRejected, match="is in use by now"):
        await undoing.run(pool, district, "plans", today=TODAY)
    await undoing.run(pool, district, "line-plans", today=TODAY)
    await undoing.run(pool, district, "plans", today=TODAY)
    assert await pool.fetchval("SELECT count(*) FROM plans") == 0
