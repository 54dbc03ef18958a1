"""The internal package against the database: what every line did in a month, by hand."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import asyncpg
import pytest

from service.model import months
from service.store import costs
from tests import factories, fleet, packaged, reconciled

FIRST, LAST = date(2026, 10, 1), date(2026, 10, 31)
MB = 1_000_000


def october(day: int) -> date:
    return date(2026, 10, day)


def days(first: int, last: int) -> Iterator[date]:
    return (october(day) for day in range(first, last + 1))


@pytest.fixture
async def district(pool: asyncpg.Pool) -> reconciled.District:
    made = await reconciled.district(pool)
    await pool.execute("UPDATE districts SET computed_through_on = '2026-11-05'")
    return made


async def told(
    district: reconciled.District, line_id: int, first: int, last: int, *, mb: float | None = 0.0, **more: Any
) -> None:
    for day in days(first, last):
        await district.told(line_id, day, mb=mb, **more)


async def loan_day(pool: asyncpg.Pool, loan_id: int, on: date = LAST, **values: object) -> None:
    """What was computed of a loan on a day."""
    told: dict[str, object] = {
        "district_id": factories.DISTRICT, "on_day": on, "loan_id": loan_id, "school_id": None, "state": "idle",
        "is_coarse": False, "idle_days": 0, "computed_at": reconciled.NOW,
    } | values  # fmt: skip
    told["school_id"] = await pool.fetchval("SELECT school_id FROM loans WHERE loan_id = $1", loan_id)
    await pool.execute("SELECT ensure_partitions($1, $1)", on)
    places = ", ".join(f"${place}" for place in range(1, len(told) + 1))
    await pool.execute(f"INSERT INTO loan_days ({', '.join(told)}) VALUES ({places})", *told.values())


async def calendar(pool: asyncpg.Pool) -> None:
    """School from Monday to Friday, from September to November."""
    await pool.execute(
        "INSERT INTO calendar_days SELECT $1, d::date,"
        " (CASE WHEN extract(isodow FROM d) < 6 THEN 'instructional' ELSE 'break' END)::day_kind"
        " FROM generate_series('2026-09-01'::date, '2026-11-30', interval '1 day') AS d",
        factories.DISTRICT,
    )


async def alert(
    pool: asyncpg.Pool, rule: str, subject: str, *flips: tuple[str, datetime], **more: Any
) -> int:
    states = {"fired": "firing", "cleared": "clear"}
    alert_id: int = await pool.fetchval(
        "INSERT INTO alerts (district_id, rule, subject, school_id, state, severity, breached_since_at, judged_at)"
        " VALUES ($1, $2, $3, $4, 'firing', $5, $6, $6) RETURNING alert_id",
        factories.DISTRICT,
        rule,
        subject,
        more.get("school_id"),
        more.get("severity", "high"),
        flips[0][1],
    )
    state = "clear"
    for kind, at in flips:
        after = states.get(kind, state)
        await pool.execute(
            "INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, created_at)"
            " VALUES ($1, $2, $3::flip_kind, $4::alert_state, $5::alert_state, 'breach', $6)",
            factories.DISTRICT,
            alert_id,
            kind,
            state,
            after,
            at,
        )
        state = after
    return alert_id


async def test_a_line_that_was_used_is_told_in_every_column(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, device_id = await district.line(status=None)
    await calendar(pool)
    await district.lend(device_id, date(2026, 9, 1))
    await told(district, line_id, 1, 20, mb=100, status="active")
    await told(district, line_id, 21, 31, status="active")
    assert await packaged.line(pool, line_id) == {
        "period_start": "2026-10-01",
        "period_end": "2026-10-31",
        "line_key": f"line-{line_id}",
        "device_key": f"device-{device_id}",
        "device_type": "hotspot",
        "school_ncessch": "410192000001",
        "bytes_total": 20 * 100 * MB,
        "bytes_up": None,
        "bytes_down": None,
        "session_count": None,
        "days_with_use": 20,
        "last_used_date": "2026-10-20",
        "consecutive_days_unused": 11,
        "consecutive_instructional_days_unused": 8,  # 21 to 23, and 26 to 30 October
        "days_without_data": 0,
        "notice_60_sent_at": None,
        "terminate_after": None,
        "terminated_at": None,
        "is_in_service": True,
        "cost_period": 15.0,
        "idle_cost_period": 0.0,
        "cap_pct": None,
        "throttled_days": None,
        "usage_source": "carrier",
        "source_updated_at": "2026-10-31",
    }


async def test_blind_days_are_counted_and_never_taken_for_days_without_use(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, _ = await district.line(status=None)
    await told(district, line_id, 1, 5, mb=2)
    await told(district, line_id, 6, 10)
    await told(district, line_id, 11, 20, mb=None)
    await told(district, line_id, 21, 25)
    found = await packaged.line(pool, line_id)
    assert found["bytes_total"] == 10 * MB
    assert found["days_without_data"] == 10 + 6
    assert found["consecutive_days_unused"] == 10  # the blind days pause the clock
    assert found["consecutive_instructional_days_unused"] is None  # no calendar
    assert found["idle_cost_period"] == 0
    assert found["source_updated_at"] == "2026-10-25"


async def test_a_line_of_which_nothing_is_known_has_no_figure_at_all(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, _ = await district.line(status=None, has_plan=False)
    found = await packaged.line(pool, line_id)
    unknown = (
        "bytes_total", "days_with_use", "last_used_date", "consecutive_days_unused", "session_count", "cost_period",
        "consecutive_instructional_days_unused", "idle_cost_period", "cap_pct", "throttled_days", "usage_source",
        "source_updated_at",
    )  # fmt: skip
    assert {name: found[name] for name in unknown} == dict.fromkeys(unknown)
    assert found["days_without_data"] == 31


async def test_zeros_on_some_days_do_not_make_a_line_idle(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    partly, _ = await district.line(status=None)
    wholly, _ = await district.line(status=None)
    await told(district, partly, 1, 30)
    await told(district, wholly, 1, 31)
    found = await packaged.lines(pool)
    assert found[f"line-{partly}"]["idle_cost_period"] is None
    assert found[f"line-{wholly}"]["idle_cost_period"] == 15
    assert found[f"line-{wholly}"]["bytes_total"] == 0


async def test_a_line_first_seen_within_the_month_lacks_only_the_days_since(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, _ = await district.line(status=None, seen=october(11))
    await told(district, line_id, 12, 31, mb=1)
    assert (await packaged.line(pool, line_id))["days_without_data"] == 1


async def test_bytes_that_two_sources_tell_are_counted_once_the_carrier_first(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, _ = await district.line(status=None)
    await told(district, line_id, 1, 10, mb=100)
    await told(district, line_id, 1, 20, mb=90, account_id=district.router_account_id)
    found = await packaged.line(pool, line_id)
    assert found["bytes_total"] == (10 * 100 + 10 * 90) * MB
    assert found["days_with_use"] == 20
    only, _ = await district.line(status=None)
    await told(district, only, 1, 3, mb=1, account_id=district.router_account_id)
    assert found["usage_source"] == "carrier"  # as many days as the other
    assert (await packaged.line(pool, only))["usage_source"] == "device"


async def span(
    pool: asyncpg.Pool,
    line_id: int,
    account_id: int,
    starts: datetime,
    ends: datetime,
    mb: float,
    *,
    is_file: bool,
) -> None:
    await pool.execute(
        "INSERT INTO usage_spans VALUES ($1, $2, $3, $4, $5, $6, $7)",
        factories.DISTRICT,
        line_id,
        account_id,
        starts,
        ends,
        round(mb * MB),
        is_file,
    )


async def test_use_of_several_days_counts_where_no_day_of_it_is_known(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, _ = await district.line(status=None)
    other, _ = await district.line(status=None)
    for one in (line_id, other):
        await told(district, one, 1, 5, mb=10)
        ends = reconciled.at(october(9))
        await span(pool, one, district.account_id, reconciled.at(october(5)), ends, 300, is_file=False)
    await told(district, other, 7, 7, mb=1, account_id=district.router_account_id)
    found = await packaged.lines(pool)
    assert found[f"line-{line_id}"]["bytes_total"] == 350 * MB
    assert found[f"line-{other}"]["bytes_total"] == 51 * MB  # its day 7 is part of the 300 MB
    third, _ = await district.line(status=None)
    await told(district, third, 1, 5, mb=10)
    starts, ends = reconciled.at(october(20)), reconciled.at(october(24))
    await span(pool, third, district.router_account_id, starts, ends, 40, is_file=False)
    assert (await packaged.line(pool, third))["bytes_total"] == 50 * MB  # never a sum over sources


async def test_a_files_month_stands_in_where_no_day_is_known(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    used, _ = await district.line(status=None)
    idle, _ = await district.line(status=None)
    across, _ = await district.line(status=None)
    file = await factories.account(pool, "portal", collector="file", rank=3)
    ends = reconciled.at(date(2026, 11, 1), 0)
    await span(pool, used, file, reconciled.at(FIRST, 0), ends, 700, is_file=True)
    await span(pool, idle, file, reconciled.at(FIRST, 0), ends, 0, is_file=True)
    await span(
        pool,
        across,
        file,
        reconciled.at(date(2026, 9, 15), 0),
        reconciled.at(october(15), 0),
        9,
        is_file=True,
    )
    found = await packaged.lines(pool)
    assert found[f"line-{used}"]["bytes_total"] == 700 * MB
    assert found[f"line-{used}"]["days_with_use"] is None
    assert found[f"line-{used}"]["days_without_data"] == 31
    assert found[f"line-{used}"]["idle_cost_period"] == 0
    assert found[f"line-{used}"]["usage_source"] == "file"
    assert found[f"line-{idle}"]["bytes_total"] == 0
    assert found[f"line-{idle}"]["days_without_data"] == 0
    assert found[f"line-{idle}"]["idle_cost_period"] == 15
    assert found[f"line-{across}"]["bytes_total"] is None  # who knows on which side of the month it was
    await told(district, used, 3, 3, mb=5, account_id=file)
    assert (await packaged.line(pool, used))["bytes_total"] == 5 * MB  # the day is part of the 700 MB


async def test_the_loans_clock_goes_back_before_the_month_where_the_line_was_in_its_device_for_as_long(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, device_id = await district.line(status=None)
    loan_id = await district.lend(device_id, date(2026, 8, 1))
    await told(district, line_id, 1, 31)
    await loan_day(pool, loan_id, idle_days=66, idle_instructional_days=40, last_used_on=date(2026, 8, 26))
    found = await packaged.line(pool, line_id)
    assert found["consecutive_days_unused"] == 66
    assert found["consecutive_instructional_days_unused"] == 40
    assert found["last_used_date"] == "2026-08-26"


async def test_a_sim_that_moved_is_in_its_last_device_and_has_no_clock_of_the_sim_before(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, old = await district.line(status=None)
    new = await district.device()
    moved_at = reconciled.at(october(20))
    await pool.execute("UPDATE line_device_links SET ends_at = $1", moved_at)
    await factories.link(pool, line_id, new, starts_at=moved_at)
    await district.lend(old, date(2026, 9, 1))
    loan_id = await district.lend(new, date(2026, 7, 1))
    await loan_day(pool, loan_id, idle_days=90, last_used_on=date(2026, 8, 2))
    await told(district, line_id, 1, 24, mb=3)
    await told(district, line_id, 25, 31)
    found = await packaged.line(pool, line_id)
    assert found["device_key"] == f"device-{new}"
    assert found["consecutive_days_unused"] == 7
    assert found["last_used_date"] == "2026-10-24"
    assert found["bytes_total"] == 72 * MB


async def test_a_swapped_device_leaves_its_line_without_a_school_where_the_new_one_is_not_lent(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, device_id = await district.line(status=None)
    await district.lend(device_id, date(2026, 8, 1), until=date(2026, 9, 15))
    found = await packaged.line(pool, line_id)
    assert found["school_ncessch"] is None
    await district.lend(device_id, date(2026, 9, 20), until=october(5))
    again = await factories.loan(pool, device_id, district.other_school_id, october(12))
    assert again
    assert (await packaged.line(pool, line_id))["school_ncessch"] == "410192000002"  # of the last loan


async def test_days_that_the_district_suspended_pause_the_clock(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, _ = await district.line(status=None)
    await told(district, line_id, 1, 31)
    await told(district, line_id, 11, 20, status="suspended")
    await pool.execute("UPDATE line_days SET suspended_by = 'season' WHERE status = 'suspended'")
    assert (await packaged.line(pool, line_id))["consecutive_days_unused"] == 21


async def test_a_notice_tells_when_the_line_may_be_ended_while_it_stands(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    fired = datetime(2026, 9, 20, 17, 30, tzinfo=UTC)
    cases = {
        "stands": (("fired", fired),),
        "ended in the month": (("fired", fired), ("cleared", datetime(2026, 10, 5, tzinfo=UTC))),
        "ended before": (("fired", fired), ("cleared", datetime(2026, 9, 28, tzinfo=UTC))),
        "ended later": (("fired", fired), ("cleared", datetime(2026, 11, 3, tzinfo=UTC))),
        "came later": (("fired", datetime(2026, 11, 2, tzinfo=UTC)),),
    }
    made = {}
    for name, flips in cases.items():
        line_id, device_id = await district.line(status=None)
        loan_id = await district.lend(device_id, date(2026, 7, 1))
        await alert(pool, "idle_60_notice", f"loan:{loan_id}", *flips)
        made[name] = f"line-{line_id}"
    found = await packaged.lines(pool)
    told = {
        name: (found[key]["notice_60_sent_at"], found[key]["terminate_after"]) for name, key in made.items()
    }
    given = "2026-09-20T17:30:00Z"
    assert told == {
        "stands": (given, "2026-10-20"),
        "ended in the month": (given, None),
        "ended before": (None, None),
        "ended later": (given, "2026-10-20"),  # what came after the month is not told
        "came later": (None, None),
    }


async def swapped(pool: asyncpg.Pool, district: reconciled.District) -> tuple[int, int, int]:
    """A device on loan since July with the SIM that it had until 20 October, and the SIM that it had from then on."""
    old, device_id = await district.line(status=None)
    await pool.execute("UPDATE line_device_links SET ends_at = $1", reconciled.at(october(20)))
    seen = reconciled.at(october(20))
    new = await factories.line(pool, plan_id=district.plan_id, observed_since=seen)
    await factories.link(pool, new, device_id, starts_at=seen)
    return old, new, await district.lend(device_id, date(2026, 7, 1))


async def test_a_notice_and_a_clock_are_those_of_the_sim_that_was_in_the_device(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    old, new, loan_id = await swapped(pool, district)
    await alert(pool, "idle_60_notice", f"loan:{loan_id}", ("fired", reconciled.at(october(2))))
    await told(district, old, 1, 19)
    await told(district, new, 20, 31, mb=50)
    await loan_day(pool, loan_id, idle_days=0, last_used_on=LAST, observed_since_on=date(2026, 7, 1))
    found = await packaged.lines(pool)
    names = (
        "school_ncessch",
        "notice_60_sent_at",
        "terminate_after",
        "consecutive_days_unused",
        "last_used_date",
    )
    assert [tuple(found[f"line-{one}"][name] for name in names) for one in (old, new)] == [
        ("410192000001", "2026-10-02T19:00:00Z", "2026-11-01", 19, None),
        ("410192000001", None, None, 0, "2026-10-31"),
    ]


async def test_a_line_has_no_school_of_a_loan_that_ended_before_it_came_into_the_device(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    device_id = await district.device()
    await district.lend(device_id, date(2026, 8, 1), until=october(5))
    line_id = await factories.line(pool, plan_id=district.plan_id, observed_since=reconciled.at(FIRST))
    await factories.link(pool, line_id, device_id, starts_at=reconciled.at(october(20)))
    found = await packaged.line(pool, line_id)
    assert (found["device_key"], found["school_ncessch"]) == (f"device-{device_id}", None)


@pytest.mark.parametrize(("used", "unused"), [(False, 75), (True, 0)])
async def test_a_sim_that_was_put_into_a_spare_keeps_its_school_its_notice_and_its_clock(
    pool: asyncpg.Pool, district: reconciled.District, used: bool, unused: int
) -> None:
    line_id, lent = await district.line(status=None)
    await pool.execute("UPDATE line_device_links SET ends_at = $1", reconciled.at(october(30)))
    await factories.link(pool, line_id, await district.device(), starts_at=reconciled.at(october(30)))
    loan_id = await district.lend(lent, date(2026, 8, 1))
    await alert(pool, "idle_60_notice", f"loan:{loan_id}", ("fired", reconciled.at(october(15))))
    await told(district, line_id, 1, 30)
    await told(district, line_id, 31, 31, mb=3.0 * used)
    await loan_day(pool, loan_id, idle_days=75, last_used_on=date(2026, 8, 15))
    found = await packaged.line(pool, line_id)
    assert (found["device_key"], found["school_ncessch"]) == (f"device-{lent}", "410192000001")
    assert found["notice_60_sent_at"] is not None
    assert found["consecutive_days_unused"] == unused


async def test_a_line_ends_on_the_day_that_it_is_first_told_deactivated(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    ended, _ = await district.line(status=None)
    gone, _ = await district.line(status=None)
    await told(district, ended, 1, 12, status="active")
    await told(district, ended, 13, 31, status="deactivated")
    await told(district, gone, 1, 31, status="deactivated")
    found = await packaged.lines(pool)
    assert found[f"line-{ended}"]["terminated_at"] == "2026-10-13"
    assert found[f"line-{ended}"]["is_in_service"] is True
    assert found[f"line-{gone}"]["terminated_at"] is None  # before the month
    assert found[f"line-{gone}"]["is_in_service"] is False
    assert found[f"line-{gone}"]["cost_period"] is None


async def test_a_line_that_ends_on_the_first_ended_in_that_month_where_it_was_in_service_before(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    made = {}
    for name, status in (("served", "active"), ("ended", "deactivated"), ("unknown", None)):
        made[name], _ = await district.line(status=None)
        for day in range(20, 28):  # and nobody knows of the days after it
            await district.told(made[name], date(2026, 9, day), mb=0, status=status)
        await told(district, made[name], 1, 31, status="deactivated")
    late, _ = await district.line(status=None)
    await district.told(late, date(2026, 9, 30), mb=0, status="active")
    await told(district, late, 3, 31, status="deactivated")
    found = await packaged.lines(pool)
    ended = {name: found[f"line-{line_id}"]["terminated_at"] for name, line_id in made.items()}
    assert ended == {"served": "2026-10-01", "ended": None, "unknown": None}
    assert found[f"line-{made['served']}"]["is_in_service"] is False
    assert found[f"line-{late}"]["terminated_at"] == "2026-10-03"  # first told


async def test_the_allowance_is_the_plans_and_unknown_where_another_limit_was_in_force(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    await pool.execute(
        "UPDATE plans SET allowance_bytes = 20000000000, allowance_period = 'month', at_allowance = 'throttle'"
    )
    made = {}
    for name, reached_from in (("by plan", 29), ("a lower limit", 20), ("a higher limit", 40)):
        made[name], _ = await district.line(status=None)
        await told(district, made[name], 1, 31, mb=400)
        await pool.execute(
            "UPDATE line_days SET cycle_bytes = 700000000::bigint * extract(day FROM on_day)::bigint,"
            " has_reached_cycle_limit = extract(day FROM on_day) >= $2 WHERE line_id = $1",
            made[name],
            reached_from,
        )
    made["untold"], _ = await district.line(status=None)
    await told(district, made["untold"], 1, 31, mb=1)
    found = await packaged.lines(pool)
    told_of = {name: found[f"line-{line_id}"] for name, line_id in made.items()}
    assert {name: (row["cap_pct"], row["throttled_days"]) for name, row in told_of.items()} == {
        "by plan": (108.5, 3),
        "a lower limit": (None, 12),
        "a higher limit": (None, 0),
        "untold": (None, None),
    }


async def test_a_month_gone_by_does_not_change_with_the_newest_state_of_a_line(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    await pool.execute("UPDATE plans SET allowance_bytes = 20000000000, allowance_period = 'month'")
    used, _ = await district.line(status=None)
    await told(district, used, 1, 31, mb=10)
    await pool.execute("UPDATE line_days SET cycle_bytes = 5000000000")
    gone, _ = await district.line(status=None)
    await district.told(gone, date(2026, 6, 30), mb=None, status="active")
    await district.told(gone, date(2026, 7, 1), mb=None, status="deactivated")
    untold, _ = await district.line(status=None)
    for line_id in (used, gone):
        at = reconciled.at(date(2026, 9, 30))
        await factories.latest_state(pool, line_id, district.account_id, read_at=at, status="deactivated")
    before = await packaged.lines(pool)
    assert before[f"line-{used}"]["cap_pct"] == 25.0
    kept = [before[f"line-{one}"] for one in (used, gone, untold)]
    assert [(row["is_in_service"], row["cost_period"]) for row in kept] == [
        (None, 15.0),  # the source tells no status by day
        (False, None),
        (None, 15.0),
    ]
    await pool.execute(
        "UPDATE latest_states SET read_at = '2026-12-15T00:00Z', status = 'active', cycle_limit_bytes = 5000000000"
    )
    assert await packaged.lines(pool) == before


async def test_a_yearly_and_a_pooled_allowance_are_told_at_the_months_end(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    yearly, _ = await district.line(status=None)
    pooled = [(await district.line(status=None))[0] for _ in range(2)]
    plans = {}
    for name, is_pooled in (("year", False), ("pool", True)):
        plans[name] = await pool.fetchval(
            "INSERT INTO plans (district_id, plan_key, allowance_bytes, allowance_period, is_pooled)"
            " VALUES ($1, $2, 100000000000, 'year', $3) RETURNING plan_id",
            factories.DISTRICT,
            name,
            is_pooled,
        )
    await pool.execute("UPDATE lines SET plan_id = $1 WHERE line_id = $2", plans["year"], yearly)
    await pool.execute("UPDATE lines SET plan_id = $1 WHERE line_id = ANY ($2)", plans["pool"], pooled)
    await pool.execute("SELECT ensure_partitions($1, $1)", LAST)
    rows = [(yearly, "year", 60, 5), (pooled[0], "pool", 150, 10), (pooled[1], "pool", 0, 0)]
    for line_id, plan, carried, used in rows:
        for day in (30, 31):
            await pool.execute(
                "INSERT INTO allowance_days VALUES ($1, $2, $3, $4, '2026-07-01', '2027-06-30', $5, $6, NULL, $7)",
                factories.DISTRICT,
                october(day),
                line_id,
                plans[plan],
                carried * 1000 * MB,
                used * 1000 * MB,
                plan == "pool" and day == 31,
            )
    found = await packaged.lines(pool)
    assert [found[f"line-{one}"]["cap_pct"] for one in (yearly, *pooled)] == [65.0, 80.0, 80.0]
    assert [found[f"line-{one}"]["throttled_days"] for one in (yearly, *pooled)] == [0, 1, 1]


async def test_sessions_are_those_that_began_in_the_local_month_as_one_source_tells(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    november = months.parse("2026-11")  # the clock goes back on the first
    line_id, _ = await district.line(status=None)
    await pool.execute("SELECT ensure_partitions('2026-10-01', '2026-12-31')")
    told = [
        (district.account_id, "2026-11-01 06:59+00"),  # still October: 23:59
        (district.account_id, "2026-11-01 07:00+00"),
        (district.account_id, "2026-12-01 07:59+00"),  # still November
        (district.account_id, "2026-12-01 08:00+00"),
        (district.router_account_id, "2026-11-09 08:00+00"),
    ]
    for account_id, at in told:
        await pool.execute(
            "INSERT INTO session_readings VALUES ($1, $2, $3, 'session', 'connection', $4)",
            factories.DISTRICT,
            line_id,
            account_id,
            datetime.fromisoformat(at),
        )
    found = await packaged.line(pool, line_id, packaged.facts(november))
    assert found["session_count"] == 2
    assert (await packaged.line(pool, line_id))["session_count"] == 1


async def test_costs_add_up_to_what_the_service_says_of_the_month(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    used, device_id = await district.line(status=None)
    await district.lend(device_id, date(2026, 9, 1))
    idle, _ = await district.line(status=None)
    await district.line(status=None)
    off, _ = await district.line(status=None)
    bus, _ = await district.line(status=None, kind="bus_router")
    await told(district, used, 1, 31, mb=1)
    await told(district, idle, 1, 31)
    await told(district, bus, 1, 31, mb=1)
    await told(district, off, 1, 31, status="deactivated")
    told_costs = await costs.of(
        pool, factories.DISTRICT, time_zone=factories.ZONE, month=FIRST, reported_on=date(2026, 11, 4)
    )
    home = [row for row in (await packaged.lines(pool)).values() if row["device_type"] == "hotspot"]
    assert sum(row["cost_period"] or 0 for row in home) == float(told_costs.district.all_lines.cost) == 45
    assert sum(row["idle_cost_period"] or 0 for row in home) == float(told_costs.district.idle.cost) == 15


async def test_a_line_first_seen_after_the_month_is_not_in_it(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    await district.line(status=None, seen=date(2026, 11, 1))
    assert await packaged.lines(pool) == {}


async def test_a_month_that_goes_on_ends_with_its_last_day_with_figures(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, _ = await district.line(status=None)
    await told(district, line_id, 1, 12, mb=1)
    found = await packaged.line(pool, line_id, packaged.facts(through_on=october(10)))
    assert (found["period_end"], found["bytes_total"], found["days_without_data"]) == (
        "2026-10-10",
        10 * MB,
        0,
    )


async def test_alerts_are_counted_by_rule_and_school_as_they_stood_at_the_months_end(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    def at(day: int, hour: int = 12) -> datetime:
        return reconciled.at(october(day), hour)

    here = {"school_id": district.school_id}
    september, november = datetime(2026, 9, 20, tzinfo=UTC), datetime(2026, 11, 2, tzinfo=UTC)
    await alert(
        pool, "idle_30", "loan:1", ("fired", at(3)), ("acknowledged", at(4)), ("cleared", at(5)), **here
    )
    await alert(pool, "idle_30", "loan:2", ("fired", at(3)), ("snoozed", at(6)), ("escalated", at(9)), **here)
    await alert(pool, "idle_30", "loan:3", ("fired", september), ("cleared", november), **here)
    await alert(pool, "idle_30", "loan:4", ("fired", at(7)), ("cleared", at(7, 16)))
    await alert(
        pool, "idle_30", "loan:5", ("fired", september), ("cleared", september + timedelta(days=1)), **here
    )
    await alert(pool, "data_stale", "account:kajeet", ("fired", november), severity="critical")
    names = (
        "fired",
        "cleared",
        "acknowledged",
        "snoozed",
        "escalated",
        "open_at_month_end",
        "median_hours_to_clear",
    )
    found = (await packaged.internal_tables(pool))["alerts_month"]
    assert [
        (row["rule"], row["severity"], row["school_ncessch"], *(row[name] for name in names)) for row in found
    ] == [
        ("idle_30", "high", "", 1, 1, 0, 0, 0, 0, 4.0),
        ("idle_30", "high", "410192000001", 2, 1, 1, 1, 1, 2, 48.0),
    ]


async def test_the_lists_tell_what_to_ask_back_and_where_it_would_go(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    line_id, device_id = await district.line(status=None)
    loan_id = await district.lend(device_id, date(2026, 8, 1))
    await loan_day(pool, loan_id, idle_days=45, last_used_on=date(2026, 9, 16))
    await district.school_day(LAST, need=60, loaned=40)
    found = await packaged.internal_tables(pool, packaged.facts(figure_on=LAST))
    assert found["reclaim"] == [
        {
            "kind": "idle",
            "school_ncessch": "410192000001",
            "school_name": "School 001",
            "device_key": f"device-{device_id}",
            "line_key": f"line-{line_id}",
            "loan_key": f"loan-{loan_id}",
            "days": 45,
            "is_at_least": False,
            "since_on": "2026-09-17",
            "monthly_cost": 15.0,
        }
    ]
    (share,) = found["reallocation"]
    assert (share["school_ncessch"], share["hotspots"]) == ("410192000001", 1)
    assert (share["need"], share["loaned"], share["unserved_before"], share["unserved_after"]) == (
        60,
        40,
        21,
        20,
    )


async def test_no_cell_tells_a_number_of_a_device_a_line_or_a_borrower(
    pool: asyncpg.Pool, district: reconciled.District
) -> None:
    imei, iccid, mdn, serial = fleet.imei(7), fleet.iccid(7), "+12125550107", "SN-SECRET-7"
    borrower = packaged.KEY.borrower("4711")
    device_id = await factories.device(pool, imei, serial=serial)
    line_id = await factories.line(
        pool,
        iccid=iccid,
        mdn=mdn,
        device_id=device_id,
        plan_id=district.plan_id,
        observed_since=reconciled.at(FIRST),
    )
    loan_id = await district.lend(device_id, date(2026, 8, 1), borrower=borrower)
    await told(district, line_id, 1, 31)
    await loan_day(pool, loan_id, idle_days=45)
    await alert(pool, "idle_60_notice", f"loan:{loan_id}", ("fired", reconciled.at(october(2))))
    found = await packaged.internal_tables(pool, packaged.facts(figure_on=LAST))
    text = repr(found)
    assert f"line-{line_id}" in text
    for secret in (imei, iccid, mdn, serial, borrower):
        assert secret not in text
