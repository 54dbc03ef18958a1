"""What the rules about lines, plans, filters and signals say of a day."""

import re
from datetime import timedelta

import asyncpg
import pytest

from tests import factories
from tests.alerts import fleet_facts, judging, scenarios_of_fleets
from tests.alerts.fleet_facts import District
from tests.reconciled import DAY, NOW, ago, at


@pytest.fixture
async def d(pool: asyncpg.Pool) -> District:
    return await fleet_facts.district(pool)


async def test_a_line_is_without_a_loan_once_nobody_has_had_it_for_thirty_days(d: District) -> None:
    line_id, device_id = await d.line(seen=ago(300))
    await d.lend(device_id, ago(200), until=ago(29))
    assert await d.judged("line_without_loan") == []
    await d.told(line_id, DAY + timedelta(days=1), status="active")
    (row,) = await d.judged("line_without_loan", DAY + timedelta(days=1))
    assert (row.subject, row.school_id, row.value, row.is_breached) == (
        f"line:{line_id}",
        d.school_id,
        30,
        True,
    )
    assert row.since_at == at(DAY + timedelta(days=1), 0)
    assert row.details == {
        "days": 30, "was_ever_lent": True, "returned_on": ago(29).isoformat(), "monthly_cost": 15.0,
    }  # fmt: skip
    assert await d.breached("line_without_loan", threshold=20) == {f"line:{line_id}"}


async def test_a_line_that_was_never_lent_is_without_a_loan_since_it_was_first_seen(d: District) -> None:
    new, _ = await d.line(seen=ago(29))
    old, _ = await d.line(seen=ago(30))
    assert await d.breached("line_without_loan") == {f"line:{old}"}
    assert new


async def test_a_line_that_is_lent_or_off_or_at_no_home_is_not_without_a_loan(d: District) -> None:
    _, lent = await d.line()
    await d.lend(lent, ago(40))
    _, lent_today = await d.line()
    await d.lend(lent_today, DAY + timedelta(days=1))
    await d.line("suspended")
    await d.line("deactivated")
    await d.line(kind="bus_router")
    await d.line(kind="laptop")
    assert await d.judged("line_without_loan") == []


async def test_whether_an_unlent_line_is_paid_for_is_unknown_where_its_status_is(d: District) -> None:
    silent, _ = await d.line(None)
    stale, _ = await d.line(None)
    await d.told(stale, status="active", is_fresh=False)
    assert await d.unknown("line_without_loan") == {f"line:{silent}", f"line:{stale}"}


@pytest.mark.parametrize(("rule", "days"), [("lost_still_billed", 7), ("lost_still_billed_60", 60)])
async def test_a_lost_hotspots_line_is_told_of_after_so_many_days(d: District, rule: str, days: int) -> None:
    line_id, device_id = await d.line()
    await d.lend(device_id, ago(80), lost=ago(days - 1))
    assert await d.judged(rule) == []
    await d.told(line_id, DAY + timedelta(days=1), status="active")
    (row,) = await d.judged(rule, DAY + timedelta(days=1))
    assert (row.subject, row.school_id, row.value, row.is_breached) == (
        f"line:{line_id}",
        d.school_id,
        days,
        True,
    )
    assert row.since_at == at(DAY + timedelta(days=1), 0)
    assert await d.breached(rule, threshold=days - 1) == {f"line:{line_id}"}


async def test_a_lost_hotspot_that_came_back_or_whose_line_is_off_is_not_told_of(d: District) -> None:
    _, back = await d.line()
    await d.lend(back, ago(80), lost=ago(30), until=ago(2))
    _, back_since = await d.line()
    await d.lend(back_since, ago(80), lost=ago(30), until=DAY + timedelta(days=1))
    _, off = await d.line("suspended")
    await d.lend(off, ago(80), lost=ago(30))
    _, never_lost = await d.line()
    await d.lend(never_lost, ago(80))
    silent, device_id = await d.line(None)
    await d.lend(device_id, ago(80), lost=ago(30))
    assert await d.breached("lost_still_billed") == set()
    assert await d.unknown("lost_still_billed") == {f"line:{silent}"}


async def test_use_counts_as_after_the_return_from_the_day_after_it(d: District) -> None:
    line_id, device_id = await d.line()
    await d.lend(device_id, ago(40), until=DAY)
    await d.told(line_id, mb=5)
    assert await d.judged("use_after_return") == []
    await d.told(line_id, DAY + timedelta(days=1), mb=5)
    (row,) = await d.judged("use_after_return", DAY + timedelta(days=1))
    assert (row.subject, row.school_id, row.value, row.is_breached) == (
        f"line:{line_id}",
        d.school_id,
        5,
        True,
    )
    assert row.since_at == at(DAY + timedelta(days=1), 0)
    assert row.details["days_since_return"] == 1
    assert await d.judged("use_after_return", DAY + timedelta(days=1), threshold=5) == []


async def test_what_a_counter_adds_over_the_night_after_the_return_may_be_older(d: District) -> None:
    line_id, device_id = await d.line()
    await d.lend(device_id, ago(40), until=ago(1))
    await d.told(line_id, mb=5)
    await d.pool.execute("UPDATE line_days SET basis = 'difference' WHERE line_id = $1", line_id)
    assert await d.unknown("use_after_return") == {f"line:{line_id}"}
    await d.pool.execute("UPDATE loans SET returned_on = returned_on - 1")
    assert await d.breached("use_after_return") == {f"line:{line_id}"}


@pytest.mark.parametrize(("returned", "first"), [(10, 8), (40, 30)])
async def test_use_after_the_return_is_since_its_first_day_of_a_month(
    d: District, returned: int, first: int
) -> None:
    line_id, device_id = await d.line()
    await d.lend(device_id, ago(90), until=ago(returned))
    for days, mb in ((returned + 1, 5), (returned, 5), (first + 1, first - 8), (first, 5), (3, 5), (0, 5)):
        await d.told(line_id, ago(days), mb=mb)
    (row,) = await d.judged("use_after_return")
    assert (row.since_at, row.value, row.is_breached) == (at(ago(first), 0), 5, True)


async def test_first_use_is_over_the_threshold_by_the_best_source_and_not_of_the_night_of_the_return(
    d: District,
) -> None:
    line_id, device_id = await d.line()
    await d.lend(device_id, ago(90), until=ago(10))
    await d.told(line_id, ago(9), mb=5)  # a difference, below: it may be older than the return
    await d.told(line_id, ago(8), mb=0)
    await d.told(line_id, ago(8), mb=50, account_id=d.router_account_id)
    await d.told(line_id, ago(7), mb=1)
    await d.told(line_id, ago(6), mb=4)
    await d.told(line_id, mb=5)
    await d.pool.execute("UPDATE line_days SET basis = 'difference' WHERE on_day = $1", ago(9))
    (row,) = await d.judged("use_after_return", threshold=2)
    assert row.since_at == at(ago(6), 0)
    (row,) = await d.judged("use_after_return")
    assert row.since_at == at(ago(7), 0)


@pytest.mark.parametrize("rule", ["use_after_return", "use_unassigned"])
async def test_first_use_is_in_this_hotspot(d: District, rule: str) -> None:
    """What the line moved in another device says nothing of this one."""
    line_id, device_id = await d.line()
    if rule == "use_after_return":
        await d.lend(device_id, ago(90), until=ago(20))
    for days in (40, 12, 5, 0):
        await d.told(line_id, ago(days), mb=5)
    (row,) = await d.judged(rule)
    assert row.since_at == at(ago(12), 0)
    await d.pool.execute("UPDATE line_device_links SET starts_at = $1", at(ago(12), 1))
    (row,) = await d.judged(rule)
    assert row.since_at == at(ago(5), 0)


async def test_no_use_after_the_return_is_told_of_where_it_is_lent_again_or_not_used(d: District) -> None:
    for mb, again in ((5, DAY), (5, DAY + timedelta(days=1)), (0, None)):
        line_id, device_id = await d.line()
        await d.lend(device_id, ago(40), until=ago(10))
        if again:
            await d.lend(device_id, again)
        await d.told(line_id, mb=mb)
    assert await d.judged("use_after_return") == []


async def test_use_after_the_return_is_unknown_on_a_blind_day_and_by_the_best_source(d: District) -> None:
    blind, device_id = await d.line()
    await d.lend(device_id, ago(40), until=ago(10))
    two, device_id = await d.line()
    await d.lend(device_id, ago(40), until=ago(10))
    await d.told(two, mb=0)
    await d.told(two, mb=50, account_id=d.router_account_id)
    assert await d.breached("use_after_return") == set()
    assert await d.unknown("use_after_return") == {f"line:{blind}"}


async def test_a_line_in_use_that_was_never_lent_is_unassigned(d: District) -> None:
    line_id, device_id = await d.line()
    await d.told(line_id, mb=0.5)
    bus, _ = await d.line(kind="bus_router")
    await d.told(bus, mb=500)
    returned, was_lent = await d.line()
    await d.lend(was_lent, ago(40), until=ago(10))
    await d.told(returned, mb=500)
    (row,) = await d.judged("use_unassigned")
    assert (row.subject, row.school_id, row.value, row.is_breached) == (f"line:{line_id}", None, 0.5, True)
    await d.lend(device_id, DAY + timedelta(days=1))
    assert await d.judged("use_unassigned") == []


async def test_an_unassigned_line_is_of_the_school_whose_group_it_is_in(d: District) -> None:
    line_id, _ = await d.line()
    await d.told(line_id, mb=1)
    await factories.group(d.pool, d.account_id, "g1", school_id=d.other_school_id)
    await factories.latest_state(d.pool, line_id, d.account_id, read_at=NOW, group_key="g1")
    assert [row.school_id for row in await d.judged("use_unassigned")] == [d.other_school_id]
    blind, _ = await d.line()
    assert await d.unknown("use_unassigned") == {f"line:{blind}"}


async def test_a_moved_sim_is_told_of_for_two_weeks(d: District) -> None:
    line_id, device_id = await d.line()
    await d.lend(device_id, ago(40))
    await d.moved(line_id, await d.device(), at(ago(13)))
    (row,) = await d.judged("sim_swap")
    assert (row.subject, row.school_id, row.since_at) == (f"line:{line_id}", d.school_id, at(ago(13)))
    assert row.details == {
        "moved_on": ago(13).isoformat(), "was_on_loan": True, "is_in_lent_device": False,
    }  # fmt: skip
    assert await d.judged("sim_swap", DAY + timedelta(days=1)) == []
    assert await d.judged("sim_swap", ago(14)) == []


async def test_a_sim_that_is_new_or_back_where_it_was_is_not_swapped(d: District) -> None:
    await d.line()
    line_id, device_id = await d.line()
    other = await d.device()
    await d.moved(line_id, other, at(ago(5)))
    await d.moved(line_id, device_id, at(ago(3)))
    # back in its own device is a move again: from the other device
    assert await d.breached("sim_swap") == {f"line:{line_id}"}
    fresh = await factories.line(d.pool, observed_since=at(ago(2)))
    await factories.link(d.pool, fresh, other, starts_at=at(ago(2)))
    assert f"line:{fresh}" not in await d.breached("sim_swap")


async def test_a_plan_ends_within_thirty_days_as_long_as_it_has_lines(d: District) -> None:
    plan_id = await d.plan(ends_on=DAY + timedelta(days=31))
    line_id, _ = await d.line()
    assert await d.judged("plan_end") == []
    (row,) = await d.judged("plan_end", DAY + timedelta(days=1))
    assert (row.subject, row.value, row.is_breached) == (f"plan:{plan_id}", 30, True)
    assert row.since_at == at(DAY + timedelta(days=1), 0)
    assert row.details == {"ends_on": "2026-11-20", "days_left": 30, "lines": 1}
    await d.pool.execute("UPDATE lines SET plan_id = NULL WHERE line_id = $1", line_id)
    assert await d.judged("plan_end", DAY + timedelta(days=1)) == []


async def test_a_plan_that_has_ended_is_told_of_while_a_line_of_it_is_active(d: District) -> None:
    plan_id = await d.plan(ends_on=ago(3))
    line_id, _ = await d.line()
    assert await d.breached("plan_end") == {f"plan:{plan_id}"}
    await d.told(line_id, status="deactivated")
    assert await d.judged("plan_end") == []


async def test_whether_lines_of_a_plan_that_has_ended_are_active_is_unknown_on_a_blind_day(
    d: District,
) -> None:
    plan_id = await d.plan(ends_on=ago(3))
    line_id, _ = await d.line(None)
    assert await d.unknown("plan_end") == {f"plan:{plan_id}"}
    await d.told(line_id, status="active")
    assert await d.breached("plan_end") == {f"plan:{plan_id}"}


async def test_a_signal_is_poor_by_the_median_of_a_week_and_enough_samples(d: District) -> None:
    good, _ = await d.lent_line()
    weak, loan = await d.lent_line()
    noisy, noisy_loan = await d.lent_line()
    few, few_loan = await d.lent_line()
    await d.signals(good, -110, -15)
    await d.signals(weak, -110.5, -9)
    await d.signals(noisy, -90, -15.5)
    await d.signals(few, -120, samples=19)
    assert await d.breached("poor_signal") == {loan, noisy_loan}
    assert await d.unknown("poor_signal") == {few_loan}
    by_loan = {row.subject: row for row in await d.judged("poor_signal")}
    assert by_loan[loan].value == -110.5
    assert by_loan[noisy_loan].value is None
    assert by_loan[noisy_loan].details["median_rsrq_db"] == -16
    assert await d.breached("poor_signal", threshold=-115) == {noisy_loan}


async def test_a_signal_counts_since_the_hotspot_was_lent(d: District) -> None:
    line_id, _ = await d.lent_line(since=ago(1))
    await d.signals(line_id, -120)
    assert await d.breached("poor_signal") == set()


async def test_a_signal_is_that_of_a_hotspot(d: District) -> None:
    line_id, device_id = await d.line(kind="bus_router")
    await d.lend(device_id, ago(60))
    await d.signals(line_id, -120)
    assert await d.judged("poor_signal") == []


async def test_an_alert_of_a_signal_stands_while_nothing_is_measured(d: District) -> None:
    _, loan = await d.lent_line()
    await d.stands("poor_signal", loan)
    assert await d.unknown("poor_signal") == {loan}


@pytest.mark.parametrize(
    ("line", "plan", "is_breached"),
    [
        (False, None, True), (False, True, True), (None, False, True),
        (True, False, False), (True, None, False), (None, True, False), (None, None, False),
    ],
)  # fmt: skip
async def test_a_line_is_unfiltered_by_what_is_told_of_it_or_else_of_its_plan(
    d: District, line: bool | None, plan: bool | None, is_breached: bool
) -> None:
    await d.plan(is_filtered=plan)
    line_id, device_id = await d.line()
    await d.lend(device_id, ago(40))
    await factories.latest_state(d.pool, line_id, d.account_id, read_at=NOW)
    await d.pool.execute("UPDATE latest_states SET is_filtered = $1", line)
    rows = await d.judged("no_filter")
    assert [(row.subject, row.school_id, row.is_breached) for row in rows] == (
        [(f"line:{line_id}", d.school_id, True)] if is_breached else []
    )


async def test_whether_a_line_is_filtered_may_become_unknown(d: District) -> None:
    line_id, _ = await d.line()
    await factories.latest_state(d.pool, line_id, d.account_id, read_at=NOW)
    await d.stands("no_filter", f"line:{line_id}")
    assert await d.unknown("no_filter") == {f"line:{line_id}"}


async def test_a_line_that_is_off_needs_no_filter(d: District) -> None:
    await d.plan(is_filtered=False)
    line_id, _ = await d.line()
    await factories.latest_state(d.pool, line_id, d.account_id, read_at=NOW, status="suspended")
    silent, _ = await d.line()
    assert await d.judged("no_filter") == []
    assert silent


# Where use has begun: 31 days, of which September has eleven.
LOOKING_BACK = {"use_after_return": {"202609"}, "use_unassigned": {"202609"}}


@pytest.mark.parametrize("name", sorted(scenarios_of_fleets.SCENARIOS))
async def test_a_rule_reads_the_month_of_its_days_alone(d: District, name: str) -> None:
    await d.pool.execute("SELECT ensure_partitions('2026-01-01', '2026-12-31')")
    rule = judging.rule(name)
    plan = await d.pool.fetchval(
        f"EXPLAIN (FORMAT JSON) SELECT FROM ({rule.query}) AS judged WHERE ($1::integer, $2::date, $3::timestamptz,"
        " $4::double precision, $5::text) IS NOT DISTINCT FROM ($1, $2, $3, $4, $5)",
        factories.DISTRICT,
        DAY,
        NOW,
        rule.threshold,
        rule.clock,
    )
    assert set(re.findall(r"_(2026\d\d)\b", plan)) <= {"202610"} | LOOKING_BACK.get(name, set())


@pytest.mark.parametrize("name", sorted(scenarios_of_fleets.SCENARIOS))
async def test_each_story_breaches_and_recovers(pool: asyncpg.Pool, name: str) -> None:
    assert await scenarios_of_fleets.breached(pool, scenarios_of_fleets.SCENARIOS[name]) == [
        False,
        True,
        False,
    ]
