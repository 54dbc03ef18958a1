"""The one state of a loan on a day: each state with its reason, and which comes first."""

from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from tests import fleet
from tests.fleet import DISTRICT, Fleet, device, local, polled


def oct_(day: int) -> date:
    return date(2026, 10, day)


async def plan(f: Fleet, **values: Any) -> None:
    """Put every line on a plan of 100 MB a month that stops, or as told otherwise."""
    fields = {
        "allowance_bytes": 100_000_000,
        "allowance_period": "month",
        "cycle_day": 1,
        "at_allowance": "stop",
        **values,
    }
    plan_id = await f.pool.fetchval(
        "INSERT INTO plans (district_id, plan_key, allowance_bytes, allowance_period, cycle_day,"
        " at_allowance) VALUES ($1, 'p', $2, $3::allowance_period, $4, $5::at_allowance) RETURNING plan_id",
        DISTRICT,
        *fields.values(),
    )
    await f.pool.execute("UPDATE lines SET plan_id = $1", plan_id)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"status": "Suspended", "media_center_status": "Checked In"}, "loan_desk"),
        ({"status": "Suspended", "summer_status": "Suspended"}, "season"),
        ({"status": "Suspended"}, "carrier"),
        ({"status": "Deactivated"}, "deactivated"),
    ],
    ids=["loan desk", "season", "carrier", "deactivated"],
)
async def test_a_suspended_line_is_suspended_although_it_was_used_and_at_its_limit(
    pool: asyncpg.Pool, changes: dict[str, str], reason: str
) -> None:
    async with polled(pool, [device(1, day_amount_mb=10.0, month_amount_mb=10.0, month_limit_mb=10.0)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.sweep(local("2026-10-05 23:55"))
        f.show(1, day_amount_mb=0.0, **changes)
        await f.sweep(local("2026-10-06 23:55"))
        f.now = local("2026-10-07 00:05")
        await f.refresh()
        assert await f.state_of(loan, oct_(5)) == ("exhausted", "cycle_allowance")
        assert await f.state_of(loan, oct_(6)) == ("suspended", reason)


async def test_a_suspension_that_nobody_has_read_for_two_cadences_is_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), mb=3, status="suspended", by="carrier", clock="22:00")
        await f.told(line, oct_(6), mb=3, status="suspended", by="carrier", clock="21:59")
        await f.computed(oct_(5), oct_(6))
        assert await f.state_of(loan, oct_(5)) == ("suspended", "carrier")
        assert await f.state_of(loan, oct_(6)) == ("unknown", "status_stale")


async def test_a_loan_whose_device_has_no_line_is_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        await f.told(await f.line(2), oct_(5))
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.computed(oct_(5), oct_(5))
        assert await f.state_of(loan, oct_(5)) == ("unknown", "no_line")


async def test_a_line_in_use_whose_status_is_old_is_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), mb=3, clock="12:00")
        await f.computed(oct_(5), oct_(5))
        row = await f.loan_day(loan, oct_(5))
        assert (row["is_used_7"], row["state"], row["reason"]) == (True, "unknown", "status_stale")


async def test_a_line_at_its_monthly_limit_is_exhausted_until_the_month_ends_also_while_blind(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool, [device(1, month_limit_mb=100.0)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(28))
        f.show(1, day_amount_mb=9.0, month_amount_mb=99.999)
        await f.sweep(local("2026-10-28 23:55"))
        f.show(1, month_amount_mb=100.0)
        await f.sweep(local("2026-10-29 23:55"))
        f.now = local("2026-11-02 00:05")
        await f.refresh()
        assert await f.state_of(loan, oct_(28)) == ("adequate", None)
        for day in (29, 30, 31):
            row = await f.loan_day(loan, oct_(day))
            assert (row["state"], row["reason"]) == ("exhausted", "cycle_allowance")
            assert row["exhausted_until_on"] == oct_(31)
        assert (await f.loan_day(loan, date(2026, 11, 1)))["state"] == "unknown"


async def test_a_limit_reached_before_the_sweeps_failed_is_still_reached(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=9.0, month_amount_mb=100.0, month_limit_mb=100.0)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.sweep(local("2026-10-05 10:00"))
        f.now = local("2026-10-07 00:05")
        await f.mark(oct_(5), oct_(6))
        await f.refresh()
        assert await f.state_of(loan, oct_(5)) == ("exhausted", "cycle_allowance")
        assert await f.state_of(loan, oct_(6)) == ("exhausted", "cycle_allowance")


async def test_a_new_month_ends_exhaustion(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=9.0, month_amount_mb=100.0, month_limit_mb=100.0)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(31))
        await f.sweep(local("2026-10-31 23:55"))
        f.show(1, day_amount_mb=0.0, month_amount_mb=0.0)
        await f.sweep(local("2026-11-01 23:55"))
        f.now = local("2026-11-02 00:05")
        await f.refresh()
        assert await f.state_of(loan, oct_(31)) == ("exhausted", "cycle_allowance")
        assert await f.state_of(loan, date(2026, 11, 1)) == ("adequate", None)


async def exhausted_until(f: Fleet, **values: Any) -> date | None:
    """The last day of the period of a plan that is used up on 10 October."""
    line = await f.line(1)
    loan = await f.lend(1, await f.school("A"), oct_(10))
    await f.told(line, oct_(10), mb=100)
    await f.usage(line, local("2026-10-10 23:55"), 100, series="cycle")
    await plan(f, **values)
    await f.computed(oct_(10), oct_(10))
    until: date | None = (await f.loan_day(loan, oct_(10)))["exhausted_until_on"]
    return until


async def test_a_cycle_ends_the_day_before_its_cycle_day(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        assert await exhausted_until(f, allowance_period="cycle", cycle_day=15) == oct_(14)


async def test_a_cycle_that_began_this_month_ends_in_the_next(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        assert await exhausted_until(f, allowance_period="cycle", cycle_day=10) == date(2026, 11, 9)


async def test_a_month_is_a_calendar_month_whatever_the_cycle_day(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        assert await exhausted_until(f, allowance_period="month", cycle_day=15) == oct_(31)


@pytest.mark.parametrize(
    ("at_allowance", "state"),
    [("stop", "exhausted"), ("throttle", "exhausted"), ("charge", "adequate"), ("none", "adequate")],
)
async def test_only_a_plan_that_stops_or_throttles_is_exhausted(
    pool: asyncpg.Pool, at_allowance: str, state: str
) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), mb=5)
        await f.usage(line, local("2026-10-05 23:55"), 100, series="cycle")
        await plan(f, at_allowance=at_allowance)
        await f.computed(oct_(5), oct_(5))
        assert (await f.loan_day(loan, oct_(5)))["state"] == state


async def test_a_daily_cap_counts_when_reached_on_three_of_the_last_seven_days(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(1))
        for day in range(1, 12):
            at = local(f"2026-10-{day:02} 23:55")
            await f.usage(line, at, 500 if day in (2, 4, 6) else 499.999)
            await f.state(line, at, day_limit_mb=500)
        await f.computed(oct_(1), oct_(11))
        states = await f.rows("SELECT state::text, reason::text FROM loan_days ORDER BY on_day")
        exhausted = [day for day, row in enumerate(states, 1) if row["state"] == "exhausted"]
        assert exhausted == [6, 7, 8]
        assert await f.state_of(loan, oct_(6)) == ("exhausted", "day_allowance")
        assert await f.state_of(loan, oct_(9)) == ("adequate", None)


async def test_a_daily_cap_found_late_counts_on_the_days_after_too(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(1))
        for day in range(1, 6):
            at = local(f"2026-10-{day:02} 23:55")
            await f.usage(line, at, 500 if day in (2, 5) else 10)
            await f.state(line, at, day_limit_mb=500)
        await f.computed(oct_(1), oct_(5))
        assert (await f.loan_day(loan, oct_(5)))["state"] == "adequate"
        await f.usage(line, local("2026-10-01 23:55"), 500)
        await pool.execute("INSERT INTO dirty_line_days VALUES ($1, $2, $3)", DISTRICT, f.account_id, oct_(1))
        f.now = local("2026-10-06 00:10")
        await f.refresh()
        assert await f.state_of(loan, oct_(5)) == ("exhausted", "day_allowance")


async def test_exhausted_comes_before_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.state(line, local("2026-10-05 23:55"))
        await f.usage(line, local("2026-10-05 23:55"), 100, series="cycle")
        await plan(f)
        await f.computed(oct_(5), oct_(5))
        row = await f.loan_day(loan, oct_(5))
        assert (row["is_used_7"], row["state"], row["reason"]) == (None, "exhausted", "cycle_allowance")


async def test_a_line_exhausted_while_blind_is_so_for_its_next_borrower_too(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        school = await f.school("A")
        await f.lend(1, school, oct_(5), borrower="before", returned=oct_(7))
        loan = await f.lend(1, school, oct_(7), borrower="after")
        await f.told(line, oct_(5), mb=100)
        await f.usage(line, local("2026-10-05 23:55"), 100, series="cycle")
        await plan(f)
        await f.computed(oct_(5), oct_(7))
        assert await f.state_of(loan, oct_(7)) == ("exhausted", "cycle_allowance")


async def test_use_that_no_source_tells_of_is_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), mb=None)
        await f.computed(oct_(5), oct_(5))
        assert await f.state_of(loan, oct_(5)) == ("unknown", "usage_unknown")


async def test_used_and_then_not_for_seven_days_is_idle_and_never_used_is_another_thing(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        used, never = await f.line(1), await f.line(2)
        loan, other = await f.lend(1, school, oct_(1)), await f.lend(2, school, oct_(1))
        await f.told(used, oct_(1), mb=2)
        await f.told(used, oct_(2), oct_(8))
        await f.told(never, oct_(1), oct_(8))
        await f.computed(oct_(1), oct_(8))
        assert await f.state_of(loan, oct_(7)) == ("adequate", None)
        assert await f.state_of(loan, oct_(8)) == ("idle", None)
        assert await f.state_of(other, oct_(1)) == ("never_used", None)
        assert await f.state_of(other, oct_(8)) == ("never_used", None)


async def test_bytes_of_a_span_are_use_so_the_loan_is_not_never_used(pool: asyncpg.Pool) -> None:
    """The span's days are unknown, but bytes were moved since the loan's start."""
    async with polled(pool, [device(1, month_amount_mb=0.0)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(1))
        await f.sweep(local("2026-10-01 23:55"))
        f.show(1, month_amount_mb=800.0)
        for day in range(5, 13):
            await f.sweep(local(f"2026-10-{day:02} 23:55"))
        f.now = local("2026-10-13 00:05")
        await f.refresh()
        row = await f.loan_day(loan, oct_(12))
        assert (row["is_used_7"], row["state"]) == (False, "idle")


async def test_bytes_of_a_portals_month_are_use_so_the_loan_is_not_never_used(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        portal = await f.add_account("portal")
        line = await f.line(1, seen="2026-09-01 00:00")
        loan = await f.lend(1, await f.school("A"), date(2026, 9, 1))
        await f.span(line, portal, date(2026, 9, 1), oct_(1), 50)
        await f.told(line, date(2026, 9, 1), mb=None)
        await f.told(line, oct_(1), oct_(8))
        await f.computed(date(2026, 9, 1), oct_(8))
        row = await f.loan_day(loan, oct_(8))
        assert (row["is_used_7"], row["state"]) == (False, "idle")


@pytest.mark.parametrize(
    ("samples", "state"),
    [
        ([-111.0] * 20, ("weak", "signal")),
        ([-111.0] * 19, ("adequate", None)),
        ([-110.0] * 20, ("adequate", None)),
        ([-110.5] * 11 + [-80.0] * 9, ("weak", "signal")),
        ([-125.0] * 9 + [-80.0] * 11, ("adequate", None)),
        ([-111.0] * 19 + [None], ("adequate", None)),
    ],
    ids=["20 below", "19 below", "at the floor", "median below", "median above", "one not measured"],
)
async def test_a_used_line_is_weak_by_the_median_of_twenty_samples(
    pool: asyncpg.Pool, samples: list[float | None], state: tuple[str, str | None]
) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), date(2026, 9, 30))
        await f.told(line, oct_(7), mb=5)
        for number, rsrp in enumerate(samples):
            await f.signal(line, local("2026-10-01 00:00") + timedelta(hours=number), rsrp)
        await f.computed(oct_(7), oct_(7))
        assert await f.state_of(loan, oct_(7)) == state


async def test_samples_of_more_than_seven_days_ago_are_no_evidence(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), date(2026, 9, 30))
        await f.told(line, oct_(7), mb=5)
        await f.signal(line, local("2026-09-30 23:59"), -120)
        for minute in range(19):
            await f.signal(line, local("2026-10-01 00:00") + timedelta(minutes=minute), -120)
        await f.computed(oct_(7), oct_(7))
        assert await f.state_of(loan, oct_(7)) == ("adequate", None)


async def test_samples_of_another_borrower_or_another_device_are_no_evidence(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        lent, moved = await f.line(1), await f.line(2)
        await f.lend(1, school, oct_(1), borrower="before", returned=oct_(6))
        loan = await f.lend(1, school, oct_(6), borrower="after")
        other = await f.lend(3, school, oct_(1))
        await pool.execute(
            "UPDATE line_device_links SET ends_at = $2 WHERE line_id = $1", moved, local("2026-10-06 00:00")
        )
        await pool.execute(
            "INSERT INTO line_device_links (district_id, line_id, starts_at, device_id)"
            " SELECT 1, $1, $2, device_id FROM loans WHERE loan_id = $3",
            moved,
            local("2026-10-06 00:00"),
            other,
        )
        for line in (lent, moved):
            await f.told(line, oct_(7), mb=5)
            for hour in range(100):
                await f.signal(line, local("2026-10-01 00:00") + timedelta(hours=hour), -120)
        await f.computed(oct_(7), oct_(7))
        assert [await f.state_of(of, oct_(7)) for of in (loan, other)] == [("adequate", None)] * 2


async def test_a_line_without_use_is_not_called_weak(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(7))
        await f.told(line, oct_(7), mb=0)
        for minute in range(20):
            await f.signal(line, local("2026-10-07 17:00") + timedelta(minutes=minute), -120)
        await f.computed(oct_(7), oct_(7))
        assert await f.state_of(loan, oct_(7)) == ("never_used", None)


@pytest.mark.parametrize(
    ("kind", "online", "offline", "state"),
    [
        ("fixed_router", 9, 11, ("weak", "offline_evenings")),
        ("fixed_router", 10, 10, ("adequate", None)),
        ("fixed_router", 0, 19, ("adequate", None)),
        ("hotspot", 0, 20, ("adequate", None)),
    ],
    ids=["under half", "half", "too few", "battery hotspot"],
)
async def test_a_fixed_router_offline_in_the_homework_window_is_weak(
    pool: asyncpg.Pool, kind: str, online: int, offline: int, state: tuple[str, str | None]
) -> None:
    async with polled(pool) as f:
        line = await f.line(1, kind=kind)
        loan = await f.lend(1, await f.school("A"), oct_(7))
        await f.told(line, oct_(7), mb=5)
        for number in range(online + offline):
            at = local("2026-10-07 16:00") + timedelta(minutes=18 * number)  # the twentieth at 21:42
            await f.state(line, at, online=number < online)
        await f.computed(oct_(7), oct_(7))
        assert await f.state_of(loan, oct_(7)) == state


async def test_a_fixed_router_offline_outside_the_homework_window_is_no_fault(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1, kind="fixed_router")
        loan = await f.lend(1, await f.school("A"), oct_(7))
        await f.told(line, oct_(7), mb=5)
        for number in range(20):
            await f.state(line, local("2026-10-07 10:01") + timedelta(minutes=18 * number), online=False)
            await f.state(line, local("2026-10-07 22:00") + timedelta(minutes=number), online=False)
        await f.computed(oct_(7), oct_(7))
        assert await f.state_of(loan, oct_(7)) == ("adequate", None)


async def test_a_line_that_is_suspended_without_a_reason_is_so_at_the_carrier(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(7))
        await f.told(line, oct_(7), mb=5, status="suspended")
        await f.computed(oct_(7), oct_(7))
        assert await f.state_of(loan, oct_(7)) == ("suspended", "carrier")


@pytest.mark.parametrize("source", ["day interval", "parts", "cycle counter"])
async def test_a_daily_allowance_is_used_up_whatever_tells_the_days_bytes(
    pool: asyncpg.Pool, source: str
) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        await f.told(line, oct_(4), mb=None)
        plan = await pool.fetchval(
            "INSERT INTO plans (district_id, plan_key, allowance_bytes, allowance_period)"
            " VALUES (1, 'day', 40000000, 'day') RETURNING plan_id"
        )
        await pool.execute("UPDATE lines SET plan_id = $1", plan)
        loan = await f.lend(1, await f.school("A"), oct_(4))
        for day in (5, 6, 7):
            begun = local(f"2026-10-{day:02} 00:00")
            if source == "day interval":
                await f.usage(line, begun, 40, until=begun + timedelta(days=1))
            elif source == "parts":
                for hour in (0, 12):
                    part = begun + timedelta(hours=hour)
                    await f.usage(line, part, 20, series="part", until=part + timedelta(hours=12))
            else:
                await f.usage(line, begun + timedelta(hours=1), 40 * (day - 5), series="cycle")
                await f.usage(line, begun + timedelta(hours=23), 40 * (day - 4), series="cycle")
            await f.told(line, oct_(day), mb=None)
        await f.computed(oct_(4), oct_(7))
        assert (await f.state_of(loan, oct_(6)))[0] != "exhausted"
        assert await f.state_of(loan, oct_(7)) == ("exhausted", "day_allowance")


async def test_bytes_before_the_device_held_the_line_are_not_the_loans(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1, seen="2026-09-20 00:00")
        await pool.execute("UPDATE line_device_links SET starts_at = $1", local("2026-10-01 00:00"))
        loan = await f.lend(1, await f.school("A"), date(2026, 9, 15))
        portal = await f.add_account("portal")
        await f.span(line, portal, date(2026, 9, 20), date(2026, 9, 25), 50)
        await f.told(line, oct_(1), oct_(8))
        await f.computed(oct_(1), oct_(8))
        assert await f.state_of(loan, oct_(8)) == ("never_used", None)


@pytest.mark.parametrize("kind", ["bus_router", "laptop"])
async def test_a_bus_router_or_a_laptop_is_never_a_home_connection(pool: asyncpg.Pool, kind: str) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20), as_of=oct_(1))
        await f.told(await f.line(1, kind=kind), oct_(5), mb=5)
        await f.lend(1, school, oct_(5))
        await f.computed(oct_(5), oct_(5))
        row = await f.school_day(school, oct_(5))
        assert (row["loaned"], row["adequate"], row["active_7"], row["coverage"]) == (0, 0, 0, 0)


async def test_a_device_that_turns_out_to_be_a_laptop_was_never_a_home_connection(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20), as_of=oct_(1))
        await f.told(await f.line(1), oct_(5), mb=5)
        await f.lend(1, school, oct_(5))
        await f.computed(oct_(5), oct_(5))
        await pool.execute("UPDATE devices SET kind = 'laptop' WHERE imei = $1", fleet.imei(1))
        await f.computed(oct_(5), oct_(5))
        assert (await f.school_day(school, oct_(5)))["loaned"] == 0
