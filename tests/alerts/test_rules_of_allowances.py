"""What the rules about data allowances say of a day."""

from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from tests.alerts import fleet_facts
from tests.alerts.fleet_facts import GB, POOL, YEAR, District
from tests.reconciled import DAY, ago


@pytest.fixture
async def d(pool: asyncpg.Pool) -> District:
    return await fleet_facts.district(pool)


@pytest.mark.parametrize(("rule", "below", "reached"), [("cap_75", 7.4, 7.5), ("cap_90", 8.9, 9.0)])
async def test_a_hotspot_is_near_its_monthly_allowance(
    d: District, rule: str, below: float, reached: float
) -> None:
    await d.plan(allowance_bytes=10 * GB)
    line_id, loan = await d.lent_line()
    await d.total(line_id, below)
    assert await d.judged(rule) == []
    await d.total(line_id, reached)
    (row,) = await d.judged(rule)
    assert (row.subject, row.school_id, row.is_breached) == (loan, d.school_id, True)
    assert row.value == pytest.approx(10 * reached)
    assert row.details == {
        "used_percent": 10 * reached, "used_gb": reached, "allowance_gb": 10.0, "period": "month",
    }  # fmt: skip
    assert await d.judged(rule, threshold=95) == []


async def test_the_vendors_own_limit_stands_before_the_plans(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    small, loan = await d.lent_line()
    await d.limit(small, 5)
    await d.total(small, 4)
    large, _ = await d.lent_line()
    await d.limit(large, 20)
    await d.total(large, 9)
    assert await d.breached("cap_75") == {loan}


async def test_the_best_source_alone_says_how_much_is_used(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    line_id, _ = await d.lent_line()
    await d.total(line_id, 5)
    await d.total(line_id, 9, account_id=d.router_account_id)
    assert await d.judged("cap_75") == []


@pytest.mark.parametrize(
    "plan",
    [
        {"allowance_bytes": None},
        {"allowance_bytes": 10 * GB, "at_allowance": "charge"},
        {"allowance_bytes": 10 * GB, "at_allowance": "none"},
        {"allowance_bytes": 10 * GB, "allowance_period": "day"},
        POOL,
    ],
)
async def test_no_share_is_told_of_a_plan_without_an_end_or_of_a_day_or_of_a_pool(
    d: District, plan: dict[str, Any]
) -> None:
    await d.plan(**plan)
    line_id, _ = await d.lent_line()
    await d.total(line_id, 9.5)
    assert await d.judged("cap_75") == []
    assert await d.judged("cap_projected") == []


async def test_a_yearly_allowance_is_judged_by_what_was_added_up(d: District) -> None:
    await d.plan(**YEAR)
    line_id, loan = await d.lent_line()
    await d.carried(line_id, 74, starts_on=date(2026, 1, 1), ends_on=date(2026, 12, 31))
    assert await d.judged("cap_75") == []
    await d.pool.execute("UPDATE allowance_days SET told_bytes = 91000000000")
    assert await d.breached("cap_75") == {loan}
    (row,) = await d.judged("cap_90")
    assert (row.value, row.details["period"]) == (91, "year")


async def test_what_nobody_has_on_loan_is_near_no_allowance(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    line_id, device_id = await d.line()
    await d.lend(device_id, ago(40), until=DAY + timedelta(days=1))
    await d.total(line_id, 9.5)
    assert await d.judged("cap_75") == []


async def test_nobody_is_asked_about_the_data_or_the_signal_of_a_lost_hotspot(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    line_id, loan = await d.lent_line()
    await d.total(line_id, 9.5)
    await d.signals(line_id, -120)
    await d.state(int(loan.removeprefix("loan:")), DAY, state="exhausted", reason="cycle_allowance")
    rules = ("cap_75", "cap_90", "cap_100", "poor_signal")
    assert [await d.breached(rule) for rule in rules] == [{loan}] * 4
    await d.pool.execute("UPDATE loans SET lost_on = $1", DAY)
    assert [await d.judged(rule) for rule in rules] == [[]] * 4


async def test_an_alert_stands_while_no_total_is_told(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    line_id, loan = await d.lent_line()
    for rule in ("cap_75", "cap_90", "cap_projected"):
        await d.stands(rule, loan)
        assert await d.unknown(rule) == {loan}
    await d.total(line_id, 1)
    for rule in ("cap_75", "cap_90", "cap_projected"):
        assert await d.judged(rule) == []


async def test_a_forecast_goes_on_at_the_pace_of_the_last_seven_known_days(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    line_id, loan = await d.lent_line()
    for days in range(8):  # one of them unknown
        if days != 3:
            await d.told(line_id, ago(days), mb=300, status="active")
    await d.total(line_id, 6.6)  # 11 days are left of October: 6.6 and 3.3
    assert await d.judged("cap_projected") == []
    await d.total(line_id, 6.7)
    (row,) = await d.judged("cap_projected")
    assert (row.subject, row.school_id, row.is_breached) == (loan, d.school_id, True)
    assert row.value == pytest.approx(100)
    assert row.details == {
        "used_percent": 67, "forecast_percent": 100, "days_left": 11, "runs_out_on": "2026-10-31",
    }  # fmt: skip


async def test_a_forecast_goes_by_the_totals_of_a_week_apart_where_both_are_told(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    line_id, loan = await d.lent_line()
    await d.total(line_id, 3.5, ago(7))
    await d.total(line_id, 6)  # 2.5 GB in seven days: 3.9 in eleven
    assert await d.judged("cap_projected") == []
    await d.total(line_id, 6.1)  # 2.6 GB, and 4.1
    assert await d.breached("cap_projected") == {loan}
    await d.total(line_id, 9, ago(7))  # of the cycle before
    assert await d.unknown("cap_projected") == {loan}


async def test_in_the_first_week_of_a_period_all_of_its_total_is_the_weeks(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB, allowance_period="cycle", cycle_day=14)
    line_id, loan = await d.lent_line()
    await d.total(line_id, 2.2)  # of the first seven days; 24 days are left
    assert await d.judged("cap_projected") == []
    await d.total(line_id, 2.3)
    assert await d.breached("cap_projected") == {loan}


async def test_a_forecast_needs_seven_days_that_are_known(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    line_id, loan = await d.lent_line()
    for days in range(6):
        await d.told(line_id, ago(days), mb=900, status="active")
    await d.total(line_id, 8)
    assert await d.unknown("cap_projected") == {loan}


async def test_a_forecast_is_of_the_plans_own_cycle_and_of_what_is_not_yet_used_up(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB, allowance_period="cycle", cycle_day=21)
    line_id, _ = await d.lent_line()
    for days in range(7):
        await d.told(line_id, ago(days), mb=900, status="active")
    await d.total(line_id, 9.9)  # the cycle ends today
    assert await d.judged("cap_projected") == []
    await d.plan(cycle_day=15)  # it began five days ago: too short for a pace
    assert await d.judged("cap_projected") == []
    await d.plan(cycle_day=14)
    assert len(await d.breached("cap_projected")) == 1
    await d.total(line_id, 10)
    assert await d.judged("cap_projected") == []


async def test_a_yearly_allowance_that_will_not_last_is_told_of_early(d: District) -> None:
    await d.plan(**YEAR)
    line_id, loan = await d.lent_line()
    await d.carried(line_id, 97, starts_on=date(2026, 6, 23), ends_on=date(2027, 6, 22))  # day 120
    for days in range(7):
        await d.told(line_id, ago(days), mb=800, status="active")
    (row,) = await d.judged("cap_projected")
    assert (row.subject, row.details["runs_out_on"]) == (loan, "2026-10-24")


async def test_what_is_used_up_is_told_of_by_what_happens_there(d: District) -> None:
    await d.plan(allowance_bytes=10 * GB)
    _, loan = await d.lent_line()
    loan_id = int(loan.removeprefix("loan:"))
    await d.state(loan_id, DAY, state="exhausted", reason="cycle_allowance")
    (row,) = await d.judged("cap_100")
    assert (row.subject, row.school_id, row.is_breached, row.details["period"]) == (
        loan,
        d.school_id,
        True,
        "cycle",
    )
    assert await d.judged("throttled") == []
    await d.plan(at_allowance="throttle")
    assert await d.breached("throttled") == {loan}
    assert await d.judged("cap_100") == []


async def test_a_pool_that_is_used_up_is_not_told_of_hotspot_by_hotspot(d: District) -> None:
    await d.plan(**POOL)
    _, loan = await d.lent_line()
    await d.state(int(loan.removeprefix("loan:")), DAY, state="exhausted", reason="pool_allowance")
    assert await d.judged("cap_100") == await d.judged("throttled") == []


@pytest.mark.parametrize("rule", ["cap_100", "throttled"])
async def test_whether_data_is_used_up_is_unknown_with_the_state(d: District, rule: str) -> None:
    for state, reason in (("unknown", "status_stale"), ("adequate", None)):
        _, loan = await d.lent_line()
        await d.state(int(loan.removeprefix("loan:")), DAY, state=state, reason=reason)
        await d.stands(rule, loan)
        assert await d.unknown(rule) == ({loan} if state == "unknown" else set())
        await d.pool.execute("DELETE FROM alerts")


async def test_a_pool_runs_out_by_its_lines_together(d: District) -> None:
    plan_id = await d.plan(**POOL)
    month = {"starts_on": date(2026, 10, 1), "ends_on": date(2026, 10, 31)}
    for gb in (12, 5.9):
        line_id, _ = await d.line()
        await d.carried(line_id, gb, **month)
    assert await d.judged("pool_running_out") == []
    await d.pool.execute("UPDATE allowance_days SET used_bytes = 200000000")
    (row,) = await d.judged("pool_running_out")
    assert (row.subject, row.school_id, row.is_breached) == (f"plan:{plan_id}", None, True)
    assert row.value == pytest.approx(91.5)
    assert row.details == {"used_percent": 91, "days_left": 11, "lines": 2}


async def test_a_pool_that_will_not_last_is_told_of_by_the_pace_of_a_week(d: District) -> None:
    await d.plan(**POOL)
    month = {"starts_on": date(2026, 10, 1), "ends_on": date(2026, 10, 31)}
    line_id, _ = await d.line()
    await d.carried(line_id, 3, ago(7), **month)
    await d.carried(line_id, 6, **month)  # 3 GB a week and 11 days left: 10.7 of 10
    (row,) = await d.judged("pool_running_out")
    assert row.details["forecast_percent"] == 107
    assert row.value == pytest.approx(107.14, abs=0.01)
    await d.pool.execute(
        "UPDATE allowance_days SET period_starts_on = '2026-09-01' WHERE on_day = $1", ago(7)
    )
    assert await d.judged("pool_running_out") == []


async def test_whether_a_pool_will_last_is_unknown_on_a_day_of_which_nobody_told(d: District) -> None:
    plan_id = await d.plan(**POOL)
    month = {"starts_on": date(2026, 10, 1), "ends_on": date(2026, 10, 31)}
    line_id, _ = await d.line(None)
    await d.carried(line_id, 3, ago(7), **month)
    await d.carried(line_id, 3.1, **month)
    assert await d.unknown("pool_running_out") == {f"plan:{plan_id}"}
    await d.told(line_id, status="active")
    assert await d.judged("pool_running_out") == []
    await d.carried(line_id, 0, ago(3), **month)
    await d.pool.execute("UPDATE allowance_days SET carried_bytes = 9000000000 WHERE on_day = $1", DAY)
    await d.pool.execute("DELETE FROM line_days")
    assert await d.breached("pool_running_out") == {f"plan:{plan_id}"}, "a total only grows"
