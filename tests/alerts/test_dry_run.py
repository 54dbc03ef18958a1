"""A rule tried over the past says when it would have fired, and leaves no trace."""

from datetime import date, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from service.model import alert_rules
from service.printed import rules as rules_table
from service.store import alerts, judging, trials
from tests import factories
from tests.alerts import facts

ZONE = ZoneInfo(factories.ZONE)
ONE_DAY = timedelta(days=1)
FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
BY_DAY = """
SELECT p.subject, p.school_id, NULL::timestamptz AS since_at, p.value, '{}'::jsonb AS details, true AS is_breached
FROM past AS p
WHERE p.on_day = $2
"""


async def past(pool: asyncpg.Pool) -> None:
    await factories.district(pool)
    await pool.execute(
        "CREATE TABLE past (on_day date, subject text, school_id bigint, value double precision DEFAULT 1)"
    )


async def breach(
    pool: asyncpg.Pool, first: date, last: date, subject: str = "line:1", school_id: int | None = None
) -> None:
    await pool.execute(
        "INSERT INTO past SELECT day::date, $3, $4 FROM generate_series($1::date, $2::date, interval '1 day') AS day",
        *(first, last, subject, school_id),
    )


def by_day(name: str = "slow", **changes: Any) -> alert_rules.Rule:
    return facts.rule(name, **{"query": BY_DAY, **changes})


async def tried(
    pool: asyncpg.Pool, *rules: alert_rules.Rule, first: date = FIRST, last: date = LAST
) -> trials.Trial:
    return await trials.over(pool, 1, rules or [by_day()], first=first, last=last, zone=ZONE)


def fired(trial: trials.Trial) -> dict[int, int]:
    return {day.on_day.day: day.fired for day in trial.days if day.fired}


async def test_it_says_when_it_would_have_fired(pool: asyncpg.Pool) -> None:
    await past(pool)
    await breach(pool, date(2026, 10, 5), date(2026, 10, 7))
    await breach(pool, date(2026, 10, 20), date(2026, 11, 20))
    await breach(pool, date(2026, 10, 20), date(2026, 10, 20), "line:2")
    trial = await tried(pool)
    assert fired(trial) == {5: 1, 20: 2}
    assert {day.on_day.day: day.cleared for day in trial.days if day.cleared} == {8: 1, 21: 1}
    assert [trial.days[number - 1].open for number in (4, 5, 7, 8, 20, 21)] == [0, 1, 1, 0, 2, 1]
    assert len(trial.days) == 31


async def test_what_was_in_breach_before_fires_on_the_first_day(pool: asyncpg.Pool) -> None:
    await past(pool)
    await breach(pool, date(2026, 9, 1), date(2026, 10, 3))
    assert fired(await tried(pool)) == {1: 1}


async def test_it_waits_reminds_and_holds_back_as_in_earnest(pool: asyncpg.Pool) -> None:
    await past(pool)
    for number in (1, 3, 5, 7, 9):
        await breach(pool, date(2026, 10, number), date(2026, 10, number))
    trial = await tried(pool)
    assert fired(trial) == {1: 1, 3: 1, 5: 1}
    assert [day.on_day.day for day in trial.days if day.held] == [7]
    assert [day.on_day.day for day in trial.days if day.released] == [11], "steady for a day since the tenth"
    await pool.execute("DELETE FROM past")
    await breach(pool, date(2026, 10, 1), date(2026, 10, 9))
    trial = await tried(pool, by_day(fires_after=2 * ONE_DAY, reminder=3 * ONE_DAY))
    assert fired(trial) == {3: 1}
    assert [day.on_day.day for day in trial.days if day.reminded] == [6, 9]


async def test_breaks_and_maintenance_hold_what_is_about_families(pool: asyncpg.Pool) -> None:
    await past(pool)
    school_id = await factories.school(pool)
    await breach(pool, date(2026, 10, 5), date(2026, 10, 9), school_id=school_id)
    its = facts.Facts(pool)
    await its.school_day(school_id, date(2026, 10, 5), is_out_of_session=True)
    starts_at, ends_at = judging.bounds(date(2026, 10, 6), ZONE)
    await alerts.sync_maintenance(
        pool, 1, [alerts.Window(starts_at=starts_at, ends_at=ends_at)], now=facts.NOW
    )
    assert fired(await tried(pool, by_day(about="family"))) == {7: 1}
    assert fired(await tried(pool)) == {5: 1}


async def test_it_reads_the_alerts_of_the_rules_that_it_needs_and_none_that_are_kept(
    pool: asyncpg.Pool,
) -> None:
    await past(pool)
    await breach(pool, date(2026, 10, 5), date(2026, 10, 30))
    old = "SELECT FROM alerts AS a WHERE a.rule = 'slow' AND a.fired_at <= $3 - interval '5 days'"
    query = f"{BY_DAY} AND EXISTS ({old})"
    await pool.execute(
        "INSERT INTO alerts (district_id, rule, subject, state, severity, breached_since_at, fired_at, judged_at)"
        " VALUES (1, 'slow', 'line:1', 'firing', 'info', $1, $1, $1)",
        facts.NOW - 90 * ONE_DAY,
    )
    needy = by_day("needy", query=query, needs=("slow",))
    assert fired(await tried(pool, by_day(), needy)) == {10: 1}
    assert (await tried(pool, by_day(), needy)).rule == "needy"


async def test_it_leaves_no_trace(pool: asyncpg.Pool) -> None:
    await past(pool)
    await breach(pool, FIRST, LAST)
    async with pool.acquire() as connection:  # the very connection it had
        await connection.execute("SELECT 1")
    its = facts.Facts(pool, [by_day()])
    await pool.execute("UPDATE districts SET computed_through_on = $1", facts.DAY + ONE_DAY)
    for size in (1, 2):
        await tried(pool)
        assert await pool.fetchval("SELECT count(*) FROM alerts") == size - 1
        assert await pool.fetchval("SELECT count(*) FROM flips") == size - 1
        await its.judged()
    assert await its.kinds() == ["fired"]
    assert [run.rule for run in await alerts.runs(pool, 1)] == ["slow"]


async def test_a_rule_that_fails_says_why(pool: asyncpg.Pool) -> None:
    await past(pool)
    with pytest.raises(judging.RuleFailed, match="gives no column school_id"):
        await tried(pool, by_day(query="SELECT 'line:1' AS subject"))
    assert await pool.fetchval("SELECT count(*) FROM alerts") == 0


async def test_a_rule_may_only_read_on_every_day(pool: asyncpg.Pool) -> None:
    await past(pool)
    await pool.execute(
        "CREATE FUNCTION written() RETURNS boolean LANGUAGE sql AS"
        " $$ INSERT INTO past VALUES ('2026-01-01', 'line:9'); SELECT true $$"
    )
    query = f"{BY_DAY} AND CASE WHEN $2 > '2026-10-03' THEN written() ELSE true END"
    await breach(pool, FIRST, LAST)
    with pytest.raises(judging.RuleFailed, match="may only read"):
        await tried(pool, by_day(query=query))


async def test_a_day_is_judged_at_six_of_the_next_also_when_clocks_change(pool: asyncpg.Pool) -> None:
    await past(pool)
    query = (
        "SELECT 'line:1' AS subject, NULL::bigint AS school_id, $3 AS since_at, 1::float AS value,"
        f" NULL::jsonb AS details, $3 AT TIME ZONE '{factories.ZONE}' = $2 + interval '30 hours' AS is_breached"
    )
    trial = await tried(pool, by_day(query=query), first=date(2026, 10, 30), last=date(2026, 11, 3))
    assert [day.open for day in trial.days] == [1, 1, 1, 1, 1]


async def test_what_judges_the_present_is_counted_now(pool: asyncpg.Pool) -> None:
    its = await facts.made(pool, facts.rule(is_dated=False))
    await its.tell()
    await its.tell(subject="line:2")
    assert await trials.at_present(pool, 1, its.rules, now=facts.NOW) == 2
    assert await pool.fetchval("SELECT count(*) FROM alerts") == 0


async def test_totals_are_by_school_the_most_first(pool: asyncpg.Pool) -> None:
    await past(pool)
    oak, elm = (
        await factories.school(pool, name="Oak"),
        await factories.school(pool, "410192000002", name="Elm"),
    )
    await breach(pool, date(2026, 10, 5), date(2026, 10, 6), "line:1", oak)
    await breach(pool, date(2026, 10, 5), date(2026, 10, 6), "line:2", elm)
    await breach(pool, date(2026, 10, 8), date(2026, 10, 8), "line:2", elm)
    await breach(pool, date(2026, 10, 8), date(2026, 10, 8), "district")
    told = [(one.school, one.ncessch, one.fired) for one in (await tried(pool)).schools]
    assert told == [("Elm", "410192000002", 2), (None, None, 1), ("Oak", "410192000001", 1)]


def day(on: date, fired: int, **changes: int) -> trials.TrialDay:
    counts = dict.fromkeys(("cleared", "held", "released", "reminded", "escalated", "open"), 0)
    return trials.TrialDay(on_day=on, fired=fired, **{**counts, **changes})


def test_each_month_has_a_line_with_a_mark_for_each_day() -> None:
    days = [day(date(2026, 9, 29) + number * ONE_DAY, count) for number, count in enumerate((0, 1, 8, 0, 4))]
    assert list(rules_table.timeline(days)) == [
        f"2026-09  {' ' * 28}·▁         1",
        f"2026-10  █·▄{' ' * 28}       12",
    ]


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [
        (date(2026, 10, 1), date(2026, 10, 31), "in October 2026"),
        (date(2026, 2, 1), date(2026, 2, 28), "in February 2026"),
        (date(2026, 12, 1), date(2026, 12, 31), "in December 2026"),
        (date(2026, 10, 1), date(2026, 11, 30), "from 2026-10-01 to 2026-11-30"),
        (date(2026, 10, 2), date(2026, 10, 31), "from 2026-10-02 to 2026-10-31"),
        (date(2026, 10, 2), date(2026, 10, 2), "on 2026-10-02"),
    ],
)
def test_a_period_is_said_in_words(first: date, last: date, said: str) -> None:
    assert rules_table.period(first, last) == said


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((0, 0), "would not have fired"),
        ((1, 0), "would have fired once"),
        ((1000, 14), "would have fired 1,014 times"),
    ],
)
def test_how_often_is_said_in_words(counts: tuple[int, int], said: str) -> None:
    days = tuple(day(FIRST + number * ONE_DAY, count) for number, count in enumerate(counts))
    trial = trials.Trial(rule="slow", days=days, schools=())
    assert rules_table.headline(trial) == f"slow {said} from 2026-10-01 to 2026-10-02"
