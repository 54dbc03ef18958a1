"""Never an alert about a family from a break, maintenance, a blind collector, or data that is still to come."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from service.store import alerts, judging
from tests import factories
from tests.alerts import facts
from tests.alerts.facts import DAY, HOUR, NOW

ONE_DAY = timedelta(days=1)
ZONE = ZoneInfo(factories.ZONE)


def midnight(on: date) -> datetime:
    return datetime(on.year, on.month, on.day, tzinfo=ZONE)


async def family(pool: asyncpg.Pool) -> facts.Facts:
    its = await facts.made(pool, facts.rule(about="family"))
    await its.tell(subject="loan:1")
    return its


async def count(pool: asyncpg.Pool) -> int:
    found: int = await pool.fetchval("SELECT count(*) FROM alerts")
    return found


async def test_a_break_of_the_school_on_the_judged_day_holds_it(pool: asyncpg.Pool) -> None:
    its = await family(pool)
    here, there = await its.school(), await its.school("410192000002")
    await its.school_day(here, is_out_of_session=True)
    await its.school_day(here, DAY - ONE_DAY)
    await its.school_day(there)
    await its.tell(subject="loan:1", school_id=here)
    await its.tell(subject="loan:2", school_id=there)
    await its.judged()
    assert await pool.fetch("SELECT subject FROM alerts") == [("loan:2",)]


@pytest.mark.parametrize("is_told", [True, False])
async def test_what_stands_is_not_judged_in_a_break_and_does_not_end_in_it(
    pool: asyncpg.Pool, is_told: bool
) -> None:
    its = await family(pool)
    school_id = await its.school()
    await its.tell(subject="loan:1", school_id=school_id)
    await its.lend(1, school_id)
    await its.judged()
    await its.school_day(school_id, is_out_of_session=True)
    await its.judged(HOUR)
    alert = await its.alert("loan:1")
    assert (alert.state, alert.is_judged) == ("firing", False)
    await (its.tell(False, "loan:1", school_id=school_id) if is_told else its.forget("loan:1"))
    await its.judged(HOUR)
    assert await its.kinds("loan:1") == ["fired"]
    await pool.execute("UPDATE school_days SET is_out_of_session = false")
    await its.judged(HOUR)
    assert await its.kinds("loan:1") == ["fired", "cleared"]


@pytest.mark.parametrize("is_told", [True, False])
async def test_what_stands_does_not_end_while_a_day_is_told_in_part(
    pool: asyncpg.Pool, is_told: bool
) -> None:
    its = await family(pool)
    await its.lend(1, await its.school())
    await its.judged()
    await pool.execute("INSERT INTO dirty_loan_days VALUES (1, $1)", DAY)
    await (its.tell(False, "loan:1") if is_told else its.forget("loan:1"))
    await its.judged(HOUR)
    assert ((await its.alert("loan:1")).is_judged, await its.kinds("loan:1")) == (False, ["fired"])
    await pool.execute("DELETE FROM dirty_loan_days")
    await its.judged(HOUR)
    assert await its.kinds("loan:1") == ["fired", "cleared"]


async def test_what_is_gone_ends_in_a_break_too(pool: asyncpg.Pool) -> None:
    its = await family(pool)
    school_id = await its.school()
    await its.lend(1, school_id)
    await its.tell(subject="loan:1", school_id=school_id)
    await its.judged()
    await its.school_day(school_id, is_out_of_session=True)
    await pool.execute("UPDATE loans SET returned_on = $1", DAY + ONE_DAY)
    await its.forget("loan:1")
    await its.judged(HOUR)
    assert (await its.flips("loan:1"))[-1].reason == "gone"


async def test_a_break_holds_no_alert_about_the_fleet(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(about="fleet"))
    school_id = await its.school()
    await its.school_day(school_id, is_out_of_session=True)
    await its.tell(school_id=school_id)
    await its.judged()
    assert await its.state() == "firing"


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "is_held"),
    [
        (NOW - HOUR, NOW + HOUR, True),
        (NOW, NOW + HOUR, True),
        (NOW - HOUR, NOW, False),
        (NOW + HOUR, NOW + 2 * HOUR, False),
        (midnight(DAY) - HOUR, midnight(DAY) + HOUR, True),
        (midnight(DAY) - HOUR, midnight(DAY), False),
        (midnight(DAY + ONE_DAY) - HOUR, midnight(DAY + ONE_DAY), True),
        (midnight(DAY + ONE_DAY), midnight(DAY + ONE_DAY) + HOUR, False),
    ],
)
@pytest.mark.parametrize("account", ["", "carrier"])
async def test_maintenance_holds_it_now_and_on_the_judged_day(
    pool: asyncpg.Pool, account: str, starts_at: datetime, ends_at: datetime, is_held: bool
) -> None:
    its = await family(pool)
    window = alerts.Window(starts_at=starts_at, ends_at=ends_at, account_key=account)
    await alerts.sync_maintenance(pool, 1, [window], now=NOW - 99 * HOUR)
    found = await its.judged()
    assert (await count(pool) == 0) is is_held
    assert found.waits == ("maintenance" if is_held else None)


async def test_maintenance_that_is_over_stays_written_down(pool: asyncpg.Pool) -> None:
    await factories.district(pool)
    over = alerts.Window(starts_at=NOW - 2 * HOUR, ends_at=NOW - HOUR)
    to_come = alerts.Window(starts_at=NOW + HOUR, ends_at=NOW + 2 * HOUR)
    await alerts.sync_maintenance(pool, 1, [over, to_come], now=NOW)
    await alerts.sync_maintenance(pool, 1, [], now=NOW)
    assert await pool.fetchval("SELECT array_agg(ends_at) FROM maintenance_windows") == [over.ends_at]


async def test_a_window_that_is_moved_is_written_anew(pool: asyncpg.Pool) -> None:
    await factories.district(pool)
    for hours in (2, 3):
        window = alerts.Window(starts_at=NOW + HOUR, ends_at=NOW + hours * HOUR)
        await alerts.sync_maintenance(pool, 1, [window, window], now=NOW)
    assert await pool.fetchval("SELECT array_agg(ends_at) FROM maintenance_windows") == [NOW + 3 * HOUR]


async def test_days_that_are_still_to_be_computed_hold_it(pool: asyncpg.Pool) -> None:
    its = await family(pool)
    await pool.execute("UPDATE districts SET computed_through_on = $1", DAY - ONE_DAY)
    found = await its.judged()
    assert (found.judged_on, found.waits, await count(pool)) == (DAY - ONE_DAY, "behind", 0)


@pytest.mark.parametrize("table", ["dirty_loan_days (district_id, on_day) VALUES (1, $1)"])
@pytest.mark.parametrize(("on", "is_held"), [(DAY, True), (DAY - 3 * ONE_DAY, True), (DAY + ONE_DAY, False)])
async def test_days_that_are_marked_hold_it(pool: asyncpg.Pool, table: str, on: date, is_held: bool) -> None:
    its = await family(pool)
    await pool.execute(f"INSERT INTO {table}", on)
    assert ((await its.judged()).waits == "partly_told") is is_held


@pytest.mark.parametrize(
    ("read_at", "is_held"),
    [
        (midnight(DAY) - HOUR, False),  # blind all day: the rules themselves know nothing of it
        (midnight(DAY), True),
        (midnight(DAY + ONE_DAY) - HOUR, True),
        (midnight(DAY + ONE_DAY), False),
    ],
)
async def test_a_source_that_told_a_part_of_the_day_holds_it(
    pool: asyncpg.Pool, read_at: datetime, is_held: bool
) -> None:
    its = await family(pool)
    account_id = await factories.account(pool)
    await pool.execute(
        "INSERT INTO watermarks (district_id, account_id, endpoint_group, last_success_at) VALUES (1, $1, 'lines', $2)",
        *(account_id, read_at),
    )
    assert ((await its.judged()).waits == "partly_told") is is_held
    await pool.execute("UPDATE accounts SET is_in_use = false")
    assert (await its.judged(HOUR)).waits is None


async def test_only_what_is_about_a_family_waits(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(), facts.rule("late", about="family"))
    await its.tell()
    await its.tell(rule="late")
    await pool.execute("INSERT INTO dirty_loan_days VALUES (1, $1)", DAY)
    await its.judged()
    assert await pool.fetch("SELECT rule FROM alerts") == [("slow",)]


async def test_an_alert_that_waits_neither_reminds_nor_escalates(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(about="family", reminder=HOUR, escalates_after=2 * HOUR))
    await its.tell()
    await its.judged()
    await alerts.snooze(pool, 1, (await its.alert()).alert_id, now=NOW, until=NOW + HOUR, actor="it")
    await pool.execute("INSERT INTO dirty_loan_days VALUES (1, $1)", DAY)
    for _ in range(3):
        await its.judged(HOUR)
    assert await its.kinds() == ["fired", "snoozed"]


async def test_the_reported_day_alone_is_judged(pool: asyncpg.Pool) -> None:
    query = (
        "SELECT 'district' AS subject, NULL::bigint AS school_id, NULL::timestamptz AS since_at,"
        " ($2::date - date '2026-01-01')::double precision AS value, NULL::jsonb AS details, true AS is_breached"
    )
    its = await facts.made(pool, facts.rule(query=query))
    await factories.account(pool, lag_days=2)
    assert (await its.judged()).judged_on == DAY - 2 * ONE_DAY
    assert (await its.alert("district")).value == (DAY - 2 * ONE_DAY - date(2026, 1, 1)).days


async def test_without_a_reported_day_only_what_judges_the_present_is_judged(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(), facts.rule("late", is_dated=False))
    await pool.execute("UPDATE districts SET computed_through_on = NULL")
    await its.tell()
    await its.tell(rule="late")
    found = await its.judged()
    assert (found.judged_on, [run.rule for run in found.runs]) == (None, ["late"])
    assert "judged_on" not in (await its.flips(rule="late"))[0].evidence


async def test_a_day_has_as_many_hours_as_its_clock(pool: asyncpg.Pool) -> None:
    starts_at, ends_at = judging.bounds(date(2026, 11, 1), ZONE)
    assert (ends_at.timestamp() - starts_at.timestamp()) == 25 * 3600


async def test_a_day_is_told_in_part_until_its_provider_had_all_of_it(pool: asyncpg.Pool) -> None:
    """A provider that needs two days: what was read a day after the judged one may still lack something."""
    its = await family(pool)
    account_id = await factories.account(pool)
    await pool.execute("UPDATE accounts SET lag_days = 2")
    its.now += 2 * ONE_DAY
    await pool.execute(
        "INSERT INTO watermarks (district_id, account_id, endpoint_group, cadence, last_success_at)"
        " VALUES (1, $1, 'lines', $2, $3)",
        *(account_id, HOUR, midnight(DAY + 3 * ONE_DAY) - HOUR),
    )
    found = await its.judged()
    assert (found.judged_on, found.waits, await count(pool)) == (DAY, "partly_told", 0)
    await pool.execute("UPDATE watermarks SET last_success_at = $1", midnight(DAY + 3 * ONE_DAY))
    assert (await its.judged()).waits is None
    assert await count(pool) == 1
