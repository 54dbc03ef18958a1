"""The stories of the rules about schools, sources of data, and the alerts themselves."""

from datetime import date, datetime, timedelta

from tests.alerts.scenario import Scenario, Step, World, local
from tests.fleet import DISTRICT

BEFORE = local("2026-10-12 06:00")  # the judged day is 11 October
BREACHED = local("2026-10-13 06:00")
RECOVERED = local("2026-10-14 06:00")
BEFORE_ON, BREACHED_ON, RECOVERED_ON = date(2026, 10, 11), date(2026, 10, 12), date(2026, 10, 13)
NCESSCH = "990000100001"
LENT = range(1, 9)


async def _school_of_eight(w: World, since: date) -> None:
    """Ten students in need, eight hotspots on loan and used every day since."""
    w.ids["school"] = await w.fleet.school("Cedar Park", ncessch=NCESSCH, need=(100, 90, 10))
    for number in LENT:
        w.ids[f"line {number}"] = await w.fleet.line(number, seen="2026-09-20 00:00")
        await w.fleet.lend(number, w.ids["school"], date(2026, 9, 20))
    await _used(w, since, BEFORE_ON)


async def _used(w: World, first: date, last: date) -> None:
    for number in LENT:
        await w.told(w.ids[f"line {number}"], first, last, mb=50)


async def _need(w: World, as_of: date, need: int, *, answered: int = 90) -> None:
    w.touched(as_of)
    await w.pool.execute(
        "INSERT INTO need_counts VALUES ($1, $2, $3, 100, $4, $5)",
        DISTRICT,
        w.ids["school"],
        as_of,
        answered,
        need,
    )


async def _two_weeks_less_a_day(w: World) -> None:
    await _school_of_eight(w, date(2026, 9, 27))
    await _need(w, date(2026, 9, 29), 16)


async def _another_day(w: World) -> None:
    await _used(w, BREACHED_ON, BREACHED_ON)


async def _need_as_it_was(w: World) -> None:
    await _need(w, RECOVERED_ON, 10)
    await _used(w, RECOVERED_ON, RECOVERED_ON)


async def _covered_for_a_week(w: World) -> None:
    await _school_of_eight(w, date(2026, 10, 3))


async def _need_grows(w: World) -> None:
    await _need(w, BREACHED_ON, 12)
    await _used(w, BREACHED_ON, BREACHED_ON)


async def _a_month_unused(w: World) -> None:
    w.ids["school"] = await w.fleet.school("Cedar Park", ncessch=NCESSCH, need=(100, 90, 10))
    w.ids["line"] = await w.fleet.line(1, seen="2026-09-08 00:00")
    await w.fleet.lend(1, w.ids["school"], date(2026, 9, 8))
    await w.told(w.ids["line"], date(2026, 9, 8), BEFORE_ON, mb=0)


async def _waitlist(w: World, on: date, requests: int) -> None:
    await w.pool.execute(
        "INSERT INTO waitlist_counts VALUES ($1, $2, $3, $4)", DISTRICT, w.ids["school"], on, requests
    )
    await w.told(w.ids["line"], on, mb=0)


async def _students_wait(w: World) -> None:
    await _waitlist(w, BREACHED_ON, 4)


async def _nobody_waits(w: World) -> None:
    await _waitlist(w, RECOVERED_ON, 0)


async def _asked_school(w: World) -> None:
    w.ids["school"] = await w.fleet.school("Cedar Park", ncessch=NCESSCH, need=(100, 90, 10))
    w.ids["line"] = await w.fleet.line(1, seen="2026-10-01 00:00")
    await w.told(w.ids["line"], date(2026, 10, 10), BEFORE_ON)


async def _few_answer(w: World) -> None:
    await _need(w, BREACHED_ON, 12, answered=60)
    await w.told(w.ids["line"], BREACHED_ON)


async def _more_answer(w: World) -> None:
    await _need(w, RECOVERED_ON, 15, answered=85)
    await w.told(w.ids["line"], RECOVERED_ON)


async def _read(w: World) -> None:
    w.fleet.show(1)
    await w.fleet.sweep(BEFORE - timedelta(minutes=30))


async def _silence(w: World) -> None:
    """Nobody reads the account any more."""


async def _read_again(w: World) -> None:
    await w.fleet.sweep(RECOVERED - timedelta(minutes=30))


async def _quiet(w: World) -> None:
    """All is well."""


async def _rule_fails(w: World) -> None:
    await w.pool.execute(
        "INSERT INTO rule_runs (district_id, rule, evaluated_at, seconds, breached, unjudged, failing_since_at)"
        " VALUES ($1, 'our_own_rule', $2, 0.1, 0, 0, $2)",
        DISTRICT,
        BREACHED - timedelta(hours=1),
    )


async def _rule_works(w: World) -> None:
    await w.pool.execute("UPDATE rule_runs SET failing_since_at = NULL WHERE rule = 'our_own_rule'")


async def _channel_fails(w: World) -> None:
    await w.pool.execute(
        "INSERT INTO channels (district_id, channel_key, failing_since_at) VALUES ($1, 'spare-channel', $2)",
        DISTRICT,
        BREACHED - timedelta(hours=1),
    )


async def _channel_works(w: World) -> None:
    await w.pool.execute("UPDATE channels SET failing_since_at = NULL WHERE channel_key = 'spare-channel'")


STORIES = {
    "coverage_below_target": (_two_weeks_less_a_day, _another_day, _need_as_it_was),
    "coverage_below_60": (_two_weeks_less_a_day, _another_day, _need_as_it_was),
    "coverage_drop": (_covered_for_a_week, _need_grows, _need_as_it_was),
    "demand_gap": (_a_month_unused, _students_wait, _nobody_waits),
    "need_stale": (_asked_school, _few_answer, _more_answer),
    "data_stale": (_read, _silence, _read_again),
    "rule_failing": (_quiet, _rule_fails, _rule_works),
    "channel_failing": (_quiet, _channel_fails, _channel_works),
}


def story(rule: str, steps: tuple[Step, Step, Step], recovered: datetime = RECOVERED) -> Scenario:
    """Of one day and the next."""
    setup, breach, recover = steps
    return Scenario(
        rule=rule,
        setup=setup,
        breach=breach,
        recover=recover,
        before=BEFORE,
        breached=BREACHED,
        recovered=recovered,
    )


SCENARIOS = {rule: story(rule, steps) for rule, steps in STORIES.items()}
