"""Bytes to days: what a line's day is taken to be, from counters, intervals and spans."""

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg
import pytest

from tests.fleet import Fleet, device, imei, local, polled


def oct_(day: int) -> date:
    return date(2026, 10, day)


async def basis(f: Fleet, line_id: int, on: date) -> str | None:
    found: str | None = await f.pool.fetchval(
        "SELECT basis::text FROM line_days WHERE line_id = $1 AND on_day = $2 AND account_id = $3",
        line_id,
        on,
        f.account_id,
    )
    return found


async def spans(f: Fleet, line_id: int) -> list[tuple[int, bool]]:
    rows = await f.rows("SELECT * FROM usage_spans WHERE line_id = $1 ORDER BY starts_at", line_id)
    return [(row["total_bytes"], row["is_file"]) for row in rows]


async def test_a_day_is_the_last_total_of_the_providers_day(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)]) as f:
        for at, day_mb, month_mb in (
            ("2026-10-05 10:55", 3, 103),
            ("2026-10-05 23:55", 5, 105),
            ("2026-10-06 00:55", 0.5, 105.5),
            ("2026-10-06 23:55", 2, 107),
        ):
            f.show(1, day_amount_mb=float(day_mb), month_amount_mb=float(month_mb))
            await f.sweep(local(at))
        f.now = local("2026-10-07 00:05")
        await f.refresh()
        line = await f.line_of(1)
        assert [await f.used_mb(line, oct_(day)) for day in (5, 6)] == [5, 2]
        assert await basis(f, line, oct_(5)) == "bucket"


async def test_a_providers_day_is_that_of_the_accounts_zone(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        west = await f.add_account("west", zone="America/Los_Angeles")
        line = await f.line(1)
        await f.usage(line, local("2026-10-06 02:30"), 7, account_id=west)  # 23:30 on the 5th in the west
        await f.usage(line, local("2026-10-07 02:30"), 4, account_id=west)
        await f.computed(oct_(4), oct_(8))
        assert [await f.used_mb(line, oct_(day), west) for day in (5, 6, 7)] == [7, 4, None]


async def test_a_zero_of_another_zones_day_is_known_when_read_near_that_days_end(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        west = await f.add_account("west", zone="America/Los_Angeles")
        late, early = await f.line(1), await f.line(2)
        await f.usage(late, local("2026-10-06 02:30"), 0, account_id=west)
        await f.usage(early, local("2026-10-05 23:55"), 0, account_id=west)  # five to nine in the west
        await f.computed(oct_(5), oct_(6))
        assert await f.used_mb(late, oct_(5), west) == 0
        assert await f.used_mb(early, oct_(5), west) is None


async def test_a_zero_read_long_before_the_days_end_is_unknown(pool: asyncpg.Pool) -> None:
    """Read at most two cadences before the day's end it is known."""
    async with polled(pool, cadence_minutes=60) as f:
        early, late, used = [await f.line(number) for number in (1, 2, 3)]
        await f.usage(early, local("2026-10-05 21:59"), 0)
        await f.usage(late, local("2026-10-05 22:00"), 0)
        await f.usage(used, local("2026-10-05 08:00"), 0.001)
        await f.computed(oct_(5), oct_(5))
        assert await f.used_mb(early, oct_(5)) is None
        assert await f.used_mb(late, oct_(5)) == 0
        assert await f.used_mb(used, oct_(5)) == 0.001


async def test_without_a_day_amount_a_difference_goes_to_the_day_of_its_midpoint(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=None)]) as f:
        for at, month_mb in (("10-05 12:00", 10), ("10-06 06:00", 16), ("10-06 23:00", 20)):
            f.show(1, month_amount_mb=float(month_mb))
            await f.sweep(local(f"2026-{at}"))
        f.now = local("2026-10-07 00:05")
        await f.refresh()
        line = await f.line_of(1)
        assert [await f.used_mb(line, oct_(day)) for day in (5, 6)] == [6, 4]
        assert await basis(f, line, oct_(5)) == "difference"


async def test_a_difference_over_36_hours_goes_to_a_day_and_a_longer_one_is_a_span(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        day_and_half, longer = await f.line(1), await f.line(2)
        for line, until in ((day_and_half, "2026-10-07 00:00"), (longer, "2026-10-07 00:01")):
            await f.usage(line, local("2026-10-05 12:00"), 10, series="cycle")
            await f.usage(line, local(until), 18, series="cycle")
        await f.computed(oct_(4), oct_(8))
        assert [await f.used_mb(day_and_half, oct_(day)) for day in (5, 6, 7)] == [None, 8, None]
        assert await spans(f, day_and_half) == []
        assert [await f.used_mb(longer, oct_(day)) for day in (5, 6, 7)] == [None, None, None]
        assert await spans(f, longer) == [(8_000_000, False)]


async def test_a_month_counter_that_falls_is_a_new_cycle(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=None, month_amount_mb=100.0)]) as f:
        await f.sweep(local("2026-10-31 23:00"))
        f.show(1, month_amount_mb=2.0)
        await f.sweep(local("2026-11-01 03:00"))
        f.show(1, month_amount_mb=5.0)
        await f.sweep(local("2026-11-01 23:00"))
        f.now = local("2026-11-02 00:05")
        await f.refresh()
        assert await f.used_mb(await f.line_of(1), date(2026, 11, 1)) == 5


async def test_a_span_of_zero_makes_the_days_within_known_and_zero(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=None, month_amount_mb=50.0)]) as f:
        await f.sweep(local("2026-10-05 12:00"))
        await f.sweep(local("2026-10-09 12:00"))
        await f.refresh()
        line = await f.line_of(1)
        used = [await f.used_mb(line, oct_(day)) for day in range(5, 10)]
        assert used == [None, 0, 0, 0, None]
        assert await basis(f, line, oct_(7)) == "span"


async def test_a_span_of_zero_with_day_amounts_too_makes_the_blind_days_known(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, month_amount_mb=50.0)]) as f:
        await f.sweep(local("2026-10-05 23:00"))
        await f.sweep(local("2026-10-09 23:00"))
        await f.refresh()
        line = await f.line_of(1)
        assert [await f.used_mb(line, oct_(day)) for day in range(5, 10)] == [0, 0, 0, 0, 0]


async def test_a_span_with_bytes_leaves_its_days_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, month_amount_mb=50.0)]) as f:
        await f.sweep(local("2026-10-05 23:00"))
        f.show(1, month_amount_mb=58.0)
        await f.sweep(local("2026-10-09 23:00"))
        await f.refresh()
        line = await f.line_of(1)
        assert [await f.used_mb(line, oct_(day)) for day in range(6, 9)] == [None, None, None]
        assert await spans(f, line) == [(8_000_000, False)]


async def test_a_span_that_holds_a_reset_makes_no_day_known(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=None, month_amount_mb=50.0)]) as f:
        await f.sweep(local("2026-10-29 12:00"))
        f.show(1, month_amount_mb=0.0)
        await f.sweep(local("2026-11-03 12:00"))
        await f.refresh()
        line = await f.line_of(1)
        days = [oct_(30), oct_(31), date(2026, 11, 1), date(2026, 11, 2)]
        assert [await f.used_mb(line, day) for day in days] == [None] * 4


async def test_a_day_wholly_covered_is_25_hours_when_clocks_go_back(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        whole, short = await f.line(1), await f.line(2)
        for line, until in ((whole, "2026-11-02 00:00"), (short, "2026-11-01 23:30")):
            await f.usage(line, local("2026-10-30 00:00"), 9, series="cycle")
            await f.usage(line, local(until), 9, series="cycle")
        await f.computed(oct_(29), date(2026, 11, 2))
        days = [oct_(30), oct_(31), date(2026, 11, 1)]
        assert [await f.used_mb(whole, day) for day in days] == [0, 0, 0]
        assert [await f.used_mb(short, day) for day in days] == [0, 0, None]


@pytest.mark.parametrize(
    ("before", "at", "after"),
    [
        ("2026-03-07 23:30", "2026-03-08 23:30", "2026-03-09 00:30"),
        ("2026-10-31 23:30", "2026-11-01 23:30", "2026-11-02 00:30"),
        ("2028-02-28 23:30", "2028-02-29 23:30", "2028-03-01 00:30"),
    ],
    ids=["23 hours", "25 hours", "leap day"],
)
async def test_a_day_is_one_day_however_long(pool: asyncpg.Pool, before: str, at: str, after: str) -> None:
    async with polled(pool, [device(1, month_amount_mb=None)]) as f:
        for text, mb in ((before, 1.0), (at, 5.0), (after, 0.25)):
            f.show(1, day_amount_mb=mb)
            await f.sweep(local(text))
        await f.refresh()
        line = await f.line_of(1)
        rows = await f.rows(
            "SELECT on_day, used_bytes FROM line_days WHERE line_id = $1 ORDER BY on_day", line
        )
        days = [date.fromisoformat(text[:10]) for text in (before, at, after)]
        assert [(row["on_day"], row["used_bytes"]) for row in rows] == list(
            zip(days, (1_000_000, 5_000_000, 250_000), strict=True)
        )


@pytest.mark.parametrize("on", [date(2026, 3, 7), date(2026, 11, 1)], ids=["before 23 hours", "of 25 hours"])
async def test_the_midpoint_of_a_difference_is_taken_in_local_time(pool: asyncpg.Pool, on: date) -> None:
    """Half past eleven in the evening is the next day in UTC, and under the other offset too."""
    async with polled(pool) as f:
        line = await f.line(1)
        await f.usage(line, local(f"{on} 23:00"), 1, series="cycle")
        await f.usage(line, local(f"{on} 23:58"), 4, series="cycle")
        await f.computed(on, on + timedelta(days=1))
        assert await f.used_mb(line, on) == 3
        assert await f.used_mb(line, on + timedelta(days=1)) is None


async def test_intervals_of_a_day_add_up_and_come_before_its_bucket(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        noon, midnight = local("2026-10-05 12:00"), local("2026-10-06 00:00")
        await f.usage(line, local("2026-10-05 00:00"), 3, until=noon)
        await f.usage(line, noon, 4, until=midnight)
        await f.usage(line, local("2026-10-05 23:55"), 9)
        await f.computed(oct_(5), oct_(5))
        assert await f.used_mb(line, oct_(5)) == 7
        assert await basis(f, line, oct_(5)) == "interval"


async def test_an_interval_of_a_providers_day_is_the_line_day_of_the_same_date(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        far = await f.add_account("far", zone="Pacific/Auckland")
        line = await f.line(1)
        at = datetime(2026, 10, 5, tzinfo=ZoneInfo("Pacific/Auckland"))
        await f.usage(line, at, 6, until=at + timedelta(days=1), account_id=far)
        await f.computed(oct_(3), oct_(6))
        assert [await f.used_mb(line, oct_(day), far) for day in (4, 5, 6)] == [None, 6, None]


async def test_a_line_that_was_away_while_others_came_is_made_good_when_it_is_back(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool, [device(1, month_amount_mb=50.0), device(2)]) as f:
        for day in range(5, 10):
            f.hide(1) if day == 6 else None
            f.show(1, month_amount_mb=50.0) if day == 9 else None
            await f.sweep(local(f"2026-10-{day:02} 23:55"))
            await f.refresh()
        assert [await f.used_mb(await f.line_of(1), oct_(day)) for day in range(5, 10)] == [0] * 5


async def test_a_span_that_a_late_reading_divides_is_no_span_any_more(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        for at, total in (("05 12:00", 10), ("07 12:00", 18)):
            await f.usage(line, local(f"2026-10-{at}"), total, series="cycle")
        await f.computed(oct_(4), oct_(7))
        assert await spans(f, line) == [(8_000_000, False)]
        await f.usage(line, local("2026-10-06 11:00"), 13, series="cycle")
        await f.computed(oct_(4), oct_(7))
        assert [await f.used_mb(line, oct_(day)) for day in (5, 6)] == [3, 5]
        assert await spans(f, line) == []


async def test_a_correction_replaces_what_it_corrects(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        start, end = local("2026-10-05 00:00"), local("2026-10-06 00:00")
        await f.usage(line, start, 3, until=end)
        await f.computed(oct_(5), oct_(6))
        await f.usage(line, start, 2, until=end)
        await f.computed(oct_(5), oct_(6))
        assert await f.used_mb(line, oct_(5)) == 2


async def test_an_interval_of_zero_over_the_whole_day_is_a_known_zero(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        await f.usage(line, local("2026-10-05 00:00"), 0, until=local("2026-10-06 00:00"))
        await f.computed(oct_(5), oct_(5))
        assert await f.used_mb(line, oct_(5)) == 0


async def test_a_difference_of_zero_over_a_morning_does_not_make_the_day_known(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        for at in ("08:00", "12:00"):
            await f.usage(line, local(f"2026-10-05 {at}"), 40, series="cycle")
        await f.computed(oct_(5), oct_(5))
        assert await f.used_mb(line, oct_(5)) is None


async def test_the_status_of_a_day_is_the_last_read_within_two_cadences_of_its_end(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool, cadence_minutes=60) as f:
        fresh, stale = await f.line(1), await f.line(2)
        await f.state(fresh, local("2026-10-05 22:00"), "suspended", by="carrier")
        await f.state(stale, local("2026-10-05 21:59"), "suspended", by="carrier")
        await f.computed(oct_(5), oct_(5))
        rows = await f.rows("SELECT line_id, status::text FROM line_days WHERE on_day = $1", oct_(5))
        status = {row["line_id"]: row["status"] for row in rows}
        assert (status.get(fresh), status.get(stale)) == ("suspended", None)


async def test_carrier_and_router_are_both_kept_and_never_summed(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        router = await f.add_account("router", rank=5)
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), mb=10)
        await f.usage(line, local("2026-10-05 00:00"), 25, until=local("2026-10-06 00:00"), account_id=router)
        await f.computed(oct_(5), oct_(5))
        assert await f.used_mb(line, oct_(5)) == 10
        assert await f.used_mb(line, oct_(5), router) == 25
        assert (await f.loan_day(loan, oct_(5)))["used_bytes"] == 10_000_000


async def test_a_carriers_zero_comes_before_a_routers_bytes(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        router = await f.add_account("router", rank=5)
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), mb=0)
        await f.usage(line, local("2026-10-05 23:50"), 25, account_id=router)
        await f.computed(oct_(5), oct_(5))
        row = await f.loan_day(loan, oct_(5))
        assert (row["used_bytes"], row["is_used_7"]) == (0, False)


async def test_where_the_carrier_does_not_know_the_router_is_asked(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        router = await f.add_account("router", rank=5)
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), mb=0, clock="12:00")
        await f.state(line, local("2026-10-05 23:55"))
        await f.usage(line, local("2026-10-05 23:50"), 25, account_id=router)
        await f.computed(oct_(5), oct_(5))
        row = await f.loan_day(loan, oct_(5))
        assert (row["used_bytes"], row["state"]) == (25_000_000, "adequate")


async def test_of_two_sources_of_a_rank_the_finer_is_used(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        other = await f.add_account("other", rank=1)
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), mb=10)
        await f.usage(line, local("2026-10-05 00:00"), 12, until=local("2026-10-06 00:00"), account_id=other)
        await f.computed(oct_(5), oct_(5))
        assert (await f.loan_day(loan, oct_(5)))["used_bytes"] == 12_000_000


async def test_on_the_day_of_a_sim_swap_the_loans_bytes_are_the_sum_of_its_sims(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=3.0)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.sweep(local("2026-10-05 10:55"))
        f.hide(1)
        f.show(2, imei=imei(1), day_amount_mb=4.0)
        await f.sweep(local("2026-10-05 23:55"))
        f.show(2, day_amount_mb=0.0, month_amount_mb=0.0)
        await f.sweep(local("2026-10-06 23:55"))
        f.now = local("2026-10-07 00:05")
        await f.refresh()
        assert (await f.loan_day(loan, oct_(5)))["used_bytes"] == 7_000_000
        after = await f.loan_day(loan, oct_(6))
        assert (after["used_bytes"], after["state"], after["last_used_on"]) == (0, "adequate", oct_(5))


async def test_a_loan_keeps_its_old_sims_use_and_needs_no_word_of_it_afterwards(pool: asyncpg.Pool) -> None:
    """The day of the swap is unknown: nobody read the old SIM at its end."""
    async with polled(pool, [device(1, day_amount_mb=3.0, month_amount_mb=None)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.sweep(local("2026-10-05 23:55"))
        f.hide(1)
        f.show(2, imei=imei(1), day_amount_mb=0.0, month_amount_mb=None)
        for day in range(6, 14):
            await f.sweep(local(f"2026-10-{day:02} 23:55"))
        f.now = local("2026-10-14 00:05")
        await f.refresh()
        assert await f.state_of(loan, oct_(11)) == ("adequate", None)
        row = await f.loan_day(loan, oct_(13))
        assert (row["state"], row["is_used_30"], row["idle_days"]) == ("idle", True, 7)


async def test_a_sim_swapped_out_at_midnight_is_not_held_on_the_day_that_begins(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.sweep(local("2026-10-05 23:55"))
        f.hide(1)
        f.show(2, imei=imei(1))
        await f.sweep(local("2026-10-06 00:00"))
        await f.sweep(local("2026-10-06 23:55"))
        f.now = local("2026-10-07 00:05")
        await f.refresh()
        assert (await f.loan_day(loan, oct_(6)))["used_bytes"] == 0


async def test_an_old_line_is_closed_after_a_whole_sweep_without_it(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)]) as f:
        await f.sweep(local("2026-10-05 10:55"))
        f.hide(1)
        f.show(2, imei=imei(1))
        at = local("2026-10-05 11:55")
        await f.sweep(at)
        links = await f.rows("SELECT line_id, ends_at FROM line_device_links ORDER BY line_id")
        assert {row["line_id"]: row["ends_at"] for row in links} == {
            await f.line_of(1): at,
            await f.line_of(2): None,
        }


async def test_a_lines_day_belongs_to_the_last_device_that_held_it(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, day_amount_mb=3.0)]) as f:
        school = await f.school("A")
        first, second = await f.lend(1, school, oct_(5)), await f.lend(2, school, oct_(5))
        await f.sweep(local("2026-10-05 10:55"))
        f.show(1, imei=imei(2), day_amount_mb=8.0)
        await f.sweep(local("2026-10-05 23:55"))
        f.now = local("2026-10-06 00:05")
        await f.refresh()
        assert (await f.loan_day(second, oct_(5)))["used_bytes"] == 8_000_000
        row = await f.loan_day(first, oct_(5))
        assert (row["used_bytes"], row["state"], row["reason"]) == (None, "unknown", "no_line")


async def test_a_line_that_moved_at_midnight_belongs_to_its_old_device_the_day_before(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool, [device(1, day_amount_mb=3.0)]) as f:
        school = await f.school("A")
        first, second = await f.lend(1, school, oct_(5)), await f.lend(2, school, oct_(5))
        await f.sweep(local("2026-10-05 23:55"))
        f.show(1, imei=imei(2), day_amount_mb=0.5, month_amount_mb=3.5)
        await f.sweep(local("2026-10-06 00:00"))
        f.now = local("2026-10-06 00:05")
        await f.refresh()
        assert (await f.loan_day(first, oct_(5)))["used_bytes"] == 3_000_000
        assert (await f.loan_day(second, oct_(5)))["used_bytes"] is None


async def test_sweeps_of_a_day_are_one_row_of_its_line(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1)]) as f:
        for hour in range(4):
            await f.sweep(local("2026-10-05 20:55") + timedelta(hours=hour))
            await f.refresh()
        assert await pool.fetchval("SELECT count(*) FROM line_days WHERE on_day = '2026-10-05'") == 1


async def test_a_zero_read_at_noon_is_unknown_again_once_the_day_has_ended_unseen(pool: asyncpg.Pool) -> None:
    """The rollup runs after every sweep, so the day was judged as far as it had come."""
    async with polled(pool, [device(1, month_amount_mb=None)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.sweep(local("2026-10-05 12:00"))
        await f.refresh()
        assert (await f.loan_day(loan, oct_(5)))["used_bytes"] == 0
        f.now = local("2026-10-06 00:05")
        await f.refresh()
        assert await f.used_mb(await f.line_of(1), oct_(5)) is None
        row = await f.loan_day(loan, oct_(5))
        assert (row["state"], row["reason"], row["idle_days"]) == ("unknown", "status_stale", 0)


async def test_a_day_judged_at_noon_is_judged_again_when_sweeps_come_back(pool: asyncpg.Pool) -> None:
    async with polled(pool, [device(1, month_amount_mb=None)]) as f:
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.sweep(local("2026-10-05 12:00"))
        await f.refresh()
        await f.sweep(local("2026-10-06 12:00"))
        await f.refresh()
        assert await f.used_mb(await f.line_of(1), oct_(5)) is None
        assert await f.state_of(loan, oct_(5)) == ("unknown", "status_stale")


async def test_an_outage_over_midnight_is_made_good_by_a_counter_that_has_not_moved(
    pool: asyncpg.Pool,
) -> None:
    """A later poll that covers a past day makes it known, after 20 hours as after 40."""
    async with polled(pool, [device(1, month_amount_mb=50.0)]) as f:
        await f.sweep(local("2026-10-04 23:55"))
        await f.sweep(local("2026-10-05 14:00"))
        await f.sweep(local("2026-10-06 10:00"))
        await f.refresh()
        assert await f.used_mb(await f.line_of(1), oct_(5)) == 0


async def test_a_providers_day_that_ends_after_ours_is_judged_as_of_its_own_end(pool: asyncpg.Pool) -> None:
    """At 03:00 here the day ends in the west; by then nobody had read the line for three hours."""
    async with polled(pool) as f:
        west = await f.add_account("west", zone="America/Los_Angeles")
        line = await f.line(1)
        await f.usage(line, local("2026-10-05 23:55"), 0, account_id=west)
        await f.computed(oct_(5), oct_(5))
        f.now = local("2026-10-06 04:00")
        await f.refresh()
        f.now = local("2026-10-07 00:05")
        await f.refresh()
        assert await f.used_mb(line, oct_(5), west) is None


async def test_parts_of_a_day_are_of_the_districts_day_whatever_the_providers_zone(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        router = await f.add_account("router", zone="UTC")
        line = await f.line(1)
        evening = local("2026-10-06 21:00")  # already the 7th in UTC
        await f.usage(line, evening, 5, series="part", until=evening + timedelta(hours=2), account_id=router)
        await f.computed(date(2026, 10, 6), date(2026, 10, 7))
        assert await f.used_mb(line, date(2026, 10, 6), router) == 5
        assert await f.used_mb(line, date(2026, 10, 7), router) is None
