"""Rules about unused hotspots, judged day after day: one loan is told of by one rule at a time."""

from collections.abc import Sequence
from datetime import date, timedelta

import asyncpg

from service.alerting import evaluate, rules
from tests.alerts import judging, lent
from tests.alerts.lent import NOW, Lent

NAMES = ("never_used", "idle_early", "idle_30", "idle_60_notice", "idle_90_terminate")
FIRST = date(2026, 8, 31)  # a Monday, and the first day of school


async def day(loans: Lent, loan_id: int, number: int, state: str, *, off: Sequence[str] = ()) -> None:
    """The loan's so manyeth day without use, judged on the next morning."""
    on = FIRST + timedelta(days=number - 1)
    weeks, rest = divmod(number, 7)
    school_days = 5 * weeks + min(rest, 5)
    idle, taught = (number, school_days) if state != "adequate" else (0, 0)
    await loans.unused(idle, taught, state=state, on=on, loan_id=loan_id)
    await loans.pool.execute("UPDATE districts SET computed_through_on = $1", on + timedelta(days=1))
    in_force = [judging.rule(name, "erate_2024") for name in NAMES if name not in off]
    await evaluate.district(loans.pool, 1, rules.in_order(in_force), now=NOW + (on - lent.DAY))


async def told(loans: Lent) -> list[tuple[int, str, str]]:
    """What was said, with the loan's day that it was said of."""
    rows = await loans.pool.fetch(
        "SELECT a.rule, f.kind::text AS kind, (f.evidence ->> 'judged_on')::date AS on_day"
        " FROM flips AS f JOIN alerts AS a USING (district_id, alert_id)"
        " WHERE f.kind IN ('fired', 'cleared') ORDER BY f.flip_id"
    )
    return [((row["on_day"] - FIRST).days + 1, row["kind"], row["rule"]) for row in rows]


async def open_rules(loans: Lent) -> set[str]:
    rows = await loans.pool.fetch("SELECT rule FROM alerts WHERE state = 'firing'")
    return {row["rule"] for row in rows}


async def test_one_rule_after_the_other_tells_of_a_hotspot_that_is_never_used(pool: asyncpg.Pool) -> None:
    loans = await lent.lent(pool)
    loan_id = await loans.lend(FIRST)
    for number in range(1, 93):
        await day(loans, loan_id, number, "never_used")
        firing = await open_rules(loans)
        assert len(firing - {"idle_90_terminate"}) <= 1
    assert await told(loans) == [
        (7, "fired", "never_used"),
        (18, "fired", "idle_early"),  # 14 days of school
        (18, "cleared", "never_used"),
        (30, "fired", "idle_30"),
        (30, "cleared", "idle_early"),
        (60, "fired", "idle_60_notice"),
        (60, "cleared", "idle_30"),
        (90, "fired", "idle_90_terminate"),
    ]
    taken = await pool.fetch(
        "SELECT rule, details ->> 'taken_over_by' AS by FROM alerts WHERE state = 'clear'"
    )
    assert {row["rule"]: row["by"] for row in taken} == {
        "never_used": "idle_early",
        "idle_early": "idle_30",
        "idle_30": "idle_60_notice",
    }
    await day(loans, loan_id, 93, "adequate")
    assert await open_rules(loans) == set()
    assert (await told(loans))[-2:] == [
        (93, "cleared", "idle_60_notice"),
        (93, "cleared", "idle_90_terminate"),
    ]


async def test_where_a_rule_is_off_the_one_before_goes_on(pool: asyncpg.Pool) -> None:
    loans = await lent.lent(pool)
    loan_id = await loans.lend(FIRST)
    for number in range(29, 32):
        await day(loans, loan_id, number, "idle", off=["idle_30"])
    assert await open_rules(loans) == {"idle_early"}
    await day(loans, loan_id, 32, "idle")
    assert await open_rules(loans) == {"idle_30"}
    await day(loans, loan_id, 33, "idle", off=["idle_30"])
    assert await open_rules(loans) == {"idle_early"}


async def test_blind_days_end_no_turn_and_begin_none(pool: asyncpg.Pool) -> None:
    loans = await lent.lent(pool)
    loan_id = await loans.lend(FIRST)
    await day(loans, loan_id, 20, "idle")
    for number in range(40, 45):
        await day(loans, loan_id, number, "unknown")
        assert await open_rules(loans) == {"idle_early"}
    is_judged = await pool.fetchval("SELECT is_judged FROM alerts WHERE rule = 'idle_early'")
    assert is_judged is False
    await day(loans, loan_id, 45, "idle")
    assert await open_rules(loans) == {"idle_30"}
