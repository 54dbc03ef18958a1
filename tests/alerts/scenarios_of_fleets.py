"""The stories of the rules about lines, allowances and plans; with those about schools, every story but of loans."""

from datetime import date, datetime, timedelta

import asyncpg

from tests import fleet as fleets
from tests.alerts import judging, scenario, scenarios_of_schools
from tests.alerts.scenario import Scenario, World, local
from tests.alerts.scenarios_of_schools import (
    BEFORE,
    BEFORE_ON,
    BREACHED,
    BREACHED_ON,
    NCESSCH,
    RECOVERED,
    RECOVERED_ON,
    story,
)
from tests.fleet import DISTRICT

GB_OF_MB = 1000


async def _line(
    w: World, since: date | None = None, *, until: date | None = None, lost: date | None = None
) -> None:
    """One hotspot and its line, lent from a day on."""
    w.ids["school"] = await w.fleet.school("Cedar Park", ncessch=NCESSCH, need=(100, 90, 12))
    w.ids["line"] = await w.fleet.line(1, seen="2026-07-01 00:00")
    if since is not None:
        w.ids["loan"] = await w.fleet.lend(1, w.ids["school"], since, returned=until)
        await w.pool.execute("UPDATE loans SET lost_on = $1", lost)


async def _plan(w: World, *, gb: int, at_allowance: str = "stop", is_pooled: bool = False) -> None:
    w.ids["plan"] = await w.pool.fetchval(
        "INSERT INTO plans (district_id, plan_key, allowance_bytes, at_allowance, is_pooled)"
        " VALUES ($1, 'basic', $2::bigint * 1000000000, $3::text::at_allowance, $4) RETURNING plan_id",
        DISTRICT,
        gb,
        at_allowance,
        is_pooled,
    )
    await w.pool.execute("UPDATE lines SET plan_id = $1", w.ids["plan"])


async def _used(w: World, on: date, mb: float, *, total_gb: float) -> None:
    """A day's megabytes, and the carrier's total of the month."""
    await w.told(w.ids["line"], on, mb=mb)
    await w.fleet.usage(w.ids["line"], local(f"{on} 23:55"), total_gb * GB_OF_MB, series="cycle")


async def _shelved(w: World) -> None:
    await _line(w, date(2026, 9, 5), until=date(2026, 9, 12))
    await w.told(w.ids["line"], date(2026, 10, 10), BEFORE_ON)


async def _still_active(w: World) -> None:
    await w.told(w.ids["line"], BREACHED_ON)


async def _lent_again(w: World) -> None:
    await w.fleet.lend(1, w.ids["school"], RECOVERED_ON)
    await w.told(w.ids["line"], RECOVERED_ON, mb=20)


async def _lost_a_week(w: World) -> None:
    await _line(w, date(2026, 9, 5), lost=date(2026, 10, 5))
    await w.told(w.ids["line"], date(2026, 10, 10), BEFORE_ON)


async def _lost_two_months(w: World) -> None:
    await _line(w, date(2026, 8, 3), lost=date(2026, 8, 13))
    await w.told(w.ids["line"], date(2026, 10, 10), BEFORE_ON)


async def _suspended(w: World) -> None:
    await w.told(w.ids["line"], RECOVERED_ON, status="suspended")


async def _never_lent(w: World) -> None:
    await _line(w)
    await w.told(w.ids["line"], date(2026, 10, 10), BEFORE_ON)


async def _in_use(w: World) -> None:
    await w.told(w.ids["line"], BREACHED_ON, mb=25)


async def _at_rest(w: World) -> None:
    await w.told(w.ids["line"], RECOVERED_ON)


async def _lent_and_used(w: World) -> None:
    await _line(w, date(2026, 9, 5))
    await w.told(w.ids["line"], date(2026, 10, 10), BEFORE_ON, mb=30)


async def _sim_is_moved(w: World) -> None:
    at = local(f"{BREACHED_ON} 12:00")
    await w.pool.execute("UPDATE line_device_links SET ends_at = $1 WHERE line_id = $2", at, w.ids["line"])
    await w.pool.execute(
        "WITH other AS (INSERT INTO devices (district_id, imei) VALUES ($1, $2) RETURNING device_id)"
        " INSERT INTO line_device_links (district_id, line_id, starts_at, device_id)"
        " SELECT $1, $3, $4, device_id FROM other",
        DISTRICT,
        fleets.imei(2),
        w.ids["line"],
        at,
    )
    await w.told(w.ids["line"], BREACHED_ON, mb=30)


async def _two_weeks_go_by(w: World) -> None:
    await w.told(w.ids["line"], date(2026, 10, 26), mb=30)


async def _three_quarters_less_a_little(w: World) -> None:
    await _line(w, date(2026, 9, 5))
    await _plan(w, gb=10)
    await _used(w, BEFORE_ON, 400, total_gb=7.4)


async def _nine_tenths_less_a_little(w: World) -> None:
    await _line(w, date(2026, 9, 5))
    await _plan(w, gb=10)
    await _used(w, BEFORE_ON, 400, total_gb=8.9)


async def _over_three_quarters(w: World) -> None:
    await _used(w, BREACHED_ON, 200, total_gb=7.6)


async def _over_nine_tenths(w: World) -> None:
    await _used(w, BREACHED_ON, 200, total_gb=9.1)


async def _larger_plan(w: World) -> None:
    await w.pool.execute("UPDATE plans SET allowance_bytes = 20000000000")
    total = await w.pool.fetchval("SELECT max(total_bytes) FROM usage_readings WHERE series = 'cycle'") / 1e9
    await _used(w, RECOVERED_ON, 100, total_gb=total + 0.1)


async def _steady(w: World) -> None:
    await _line(w, date(2026, 9, 5))
    await _plan(w, gb=10)
    for day in range(5, 12):
        await _used(w, date(2026, 10, day), 200, total_gb=0.2 * (day - 1))


async def _a_day_of_video(w: World) -> None:
    await _used(w, BREACHED_ON, 3000, total_gb=5)


async def _nearly_used_up(w: World) -> None:
    await _line(w, date(2026, 9, 5))
    await _plan(w, gb=10)
    await _used(w, BEFORE_ON, 400, total_gb=9.5)


async def _nearly_slowed_down(w: World) -> None:
    await _line(w, date(2026, 9, 5))
    await _plan(w, gb=10, at_allowance="throttle")
    await _used(w, BEFORE_ON, 400, total_gb=9.5)


async def _used_up(w: World) -> None:
    await _used(w, BREACHED_ON, 700, total_gb=10.2)


async def _pool_nearly_low(w: World) -> None:
    await _line(w, date(2026, 9, 5))
    await _plan(w, gb=10, is_pooled=True)
    await _used(w, BEFORE_ON, 400, total_gb=8.9)


async def _plan_of_a_month_and_a_day(w: World) -> None:
    await _lent_and_used(w)
    await _plan(w, gb=10)
    await w.pool.execute("UPDATE plans SET ends_on = '2026-11-11'")


async def _a_day_goes_by(w: World) -> None:
    await w.told(w.ids["line"], BREACHED_ON, mb=30)


async def _plan_is_renewed(w: World) -> None:
    await w.pool.execute("UPDATE plans SET ends_on = '2027-11-11'")


async def _signals(w: World, first: date, last: date, rsrp_dbm: float, *, a_day: int) -> None:
    for day in range((last - first).days + 1):
        at = local(f"{first + timedelta(days=day)} 06:00")
        for n in range(a_day):
            await w.fleet.signal(w.ids["line"], at + timedelta(minutes=20 * n), rsrp_dbm)


async def _fair_signal(w: World) -> None:
    await _lent_and_used(w)
    await _signals(w, date(2026, 10, 6), BEFORE_ON, -100, a_day=4)


async def _weak_signal(w: World) -> None:
    await w.told(w.ids["line"], BREACHED_ON, mb=30)
    await _signals(w, BREACHED_ON, BREACHED_ON, -118, a_day=30)


async def _good_signal(w: World) -> None:
    await w.told(w.ids["line"], RECOVERED_ON, mb=30)
    await _signals(w, RECOVERED_ON, RECOVERED_ON, -95, a_day=24)


async def _filtered(w: World) -> None:
    w.ids["school"] = await w.fleet.school("Cedar Park", ncessch=NCESSCH, need=(100, 90, 12))
    await w.fleet.lend(1, w.ids["school"], date(2026, 9, 5))
    await _swept(w, BEFORE, "K-8")


async def _unfiltered(w: World) -> None:
    await _swept(w, BREACHED, "")


async def _filtered_again(w: World) -> None:
    await _swept(w, RECOVERED, "Grades 9-12")


async def _swept(w: World, before: datetime, filter_group: str) -> None:
    w.fleet.show(1, filter_group=filter_group)
    await w.fleet.sweep(before - timedelta(minutes=30))


STORIES = {
    "line_without_loan": (_shelved, _still_active, _lent_again),
    "lost_still_billed": (_lost_a_week, _still_active, _suspended),
    "lost_still_billed_60": (_lost_two_months, _still_active, _suspended),
    "use_after_return": (_shelved, _in_use, _at_rest),
    "use_unassigned": (_never_lent, _in_use, _at_rest),
    "cap_75": (_three_quarters_less_a_little, _over_three_quarters, _larger_plan),
    "cap_90": (_nine_tenths_less_a_little, _over_nine_tenths, _larger_plan),
    "cap_100": (_nearly_used_up, _used_up, _larger_plan),
    "throttled": (_nearly_slowed_down, _used_up, _larger_plan),
    "cap_projected": (_steady, _a_day_of_video, _larger_plan),
    "pool_running_out": (_pool_nearly_low, _over_nine_tenths, _larger_plan),
    "plan_end": (_plan_of_a_month_and_a_day, _a_day_goes_by, _plan_is_renewed),
    "poor_signal": (_fair_signal, _weak_signal, _good_signal),
    "no_filter": (_filtered, _unfiltered, _filtered_again),
}
SWAPPED = (_lent_and_used, _sim_is_moved, _two_weeks_go_by)
SCENARIOS = {
    **{rule: story(rule, steps) for rule, steps in STORIES.items()},
    "sim_swap": story("sim_swap", SWAPPED, recovered=local("2026-10-27 06:00")),
    **scenarios_of_schools.SCENARIOS,
}


async def breached(pool: asyncpg.Pool, told: Scenario) -> list[bool]:
    """Whether the story's rule finds anything before, when it should, and when it no longer should."""
    found = []
    async with scenario.world(pool, told.before) as w:
        steps = (
            (told.setup, told.before),
            (told.breach, told.breached),
            (told.recover, told.recovered),
        )
        for step, instant in steps:
            await step(w)
            await w.passes(instant)
            rows = await judging.judge(
                pool, told.rule, on=await w.reported_on(), now=instant, profile=told.profile
            )
            assert not judging.unknown(rows), f"{told.rule} at {instant}: nothing is unknown in its story"
            found.append(bool(judging.breached(rows)))
    return found
