"""use_7, use_30 and the two clocks of non-use."""

from datetime import date, timedelta

import asyncpg
import pytest

from service.store import imports
from tests.fleet import DISTRICT, Fleet, local, polled

SEPTEMBER = date(2026, 9, 1)


def oct_(day: int) -> date:
    return date(2026, 10, day)


async def clocks(f: Fleet, loan_id: int, on: date) -> tuple[int, int | None]:
    row = await f.loan_day(loan_id, on)
    return row["idle_days"], row["idle_instructional_days"]


async def test_use_is_yes_by_one_known_day_with_bytes_whatever_the_others(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(1))
        await f.told(line, oct_(1), mb=0.000001)
        await f.told(line, oct_(2), oct_(8), None)
        await f.computed(oct_(1), oct_(8))
        row = await f.loan_day(loan, oct_(7))
        assert (row["is_used_7"], row["is_used_30"], row["state"]) == (True, True, "adequate")
        row = await f.loan_day(loan, oct_(8))
        assert (row["is_used_7"], row["is_used_30"], row["state"]) == (None, True, "unknown")


async def test_use_is_no_only_when_every_day_of_the_window_is_known(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(1))
        await f.told(line, oct_(1), oct_(2))
        await f.told(line, oct_(3), mb=None)
        await f.told(line, oct_(4), oct_(10))
        await f.computed(oct_(1), oct_(10))
        use = [(await f.loan_day(loan, oct_(day)))["is_used_7"] for day in range(1, 11)]
        assert use == [False, False, None, None, None, None, None, None, None, False]
        assert (await f.loan_day(loan, oct_(10)))["is_used_30"] is None


async def test_use_30_ends_on_the_thirtieth_day(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1, seen="2026-09-01 00:00")
        loan = await f.lend(1, await f.school("A"), SEPTEMBER)
        await f.told(line, SEPTEMBER, mb=1)
        await f.told(line, date(2026, 9, 2), oct_(1))
        await f.computed(SEPTEMBER, oct_(1))
        assert (await f.loan_day(loan, date(2026, 9, 30)))["is_used_30"] is True
        assert (await f.loan_day(loan, oct_(1)))["is_used_30"] is False


async def test_the_window_begins_with_the_loan_and_leaves_out_the_previous_borrowers_use(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        school = await f.school("A")
        before = await f.lend(1, school, oct_(1), borrower="before", returned=oct_(4))
        after = await f.lend(1, school, oct_(4), borrower="after")
        await f.told(line, oct_(1), mb=None)
        await f.told(line, oct_(2), oct_(3), 9)
        await f.told(line, oct_(4), oct_(5))
        await f.computed(oct_(1), oct_(5))
        assert (await f.loan_day(before, oct_(3)))["is_used_7"] is True
        row = await f.loan_day(after, oct_(5))
        assert (row["is_used_7"], row["is_used_30"], row["state"]) == (False, False, "never_used")
        assert (row["last_used_on"], row["idle_days"]) == (None, 2)


async def test_the_day_of_a_handover_is_the_next_borrowers(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        school = await f.school("A")
        before = await f.lend(1, school, oct_(1), borrower="before", returned=oct_(2))
        after = await f.lend(1, school, oct_(2), borrower="after")
        await f.told(line, oct_(1))
        await f.told(line, oct_(2), mb=4)
        await f.computed(oct_(1), oct_(2))
        assert (await f.loan_day(before, oct_(1)))["used_bytes"] == 0
        assert (await f.loan_day(after, oct_(2)))["used_bytes"] == 4_000_000
        assert set(await f.states(oct_(2))) == {after}


async def test_a_portals_month_is_its_own_window_and_flagged_coarse(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        portal = await f.add_account("portal")
        line = await f.line(1, seen="2026-09-01 00:00")
        loan = await f.lend(1, await f.school("A"), SEPTEMBER)
        await f.span(line, portal, SEPTEMBER, oct_(1), 50)
        await f.told(line, SEPTEMBER, date(2026, 9, 15), None)
        await f.computed(SEPTEMBER, date(2026, 9, 15))
        row = await f.loan_day(loan, date(2026, 9, 15))
        assert (row["is_used_7"], row["is_used_30"], row["is_coarse"]) == (True, True, True)
        assert row["state"] == "adequate"


async def test_a_portals_month_of_nothing_makes_each_of_its_days_a_known_0(pool: asyncpg.Pool) -> None:
    """Also for the clocks: a fleet that only a portal's files tell of has idle lines too."""
    async with polled(pool) as f:
        portal = await f.add_account("portal")
        line = await f.line(1, seen="2026-08-31 00:00")
        loan = await f.lend(1, await f.school("A"), SEPTEMBER)
        last = date(2026, 9, 30)
        await f.span(line, portal, SEPTEMBER, oct_(1), 0)
        await f.computed(SEPTEMBER, last)
        row = await f.loan_day(loan, last)
        assert (row["state"], row["is_used_7"], row["is_coarse"], row["idle_days"]) == (
            "never_used",
            False,
            False,
            30,
        )
        assert await f.used_mb(line, last, portal) == 0
        assert await f.used_mb(line, oct_(1), portal) is None


async def test_a_portals_month_that_is_corrected_takes_its_known_0_back(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        portal = await f.add_account("portal")
        line = await f.line(1, seen="2026-08-31 00:00")
        loan = await f.lend(1, await f.school("A"), SEPTEMBER)
        last = date(2026, 9, 30)
        await f.span(line, portal, SEPTEMBER, oct_(1), 0)
        await f.computed(SEPTEMBER, last)
        await pool.execute("UPDATE usage_spans SET total_bytes = 50000000")
        await f.computed(SEPTEMBER, last)
        assert await f.used_mb(line, last, portal) is None
        row = await f.loan_day(loan, last)
        assert (row["is_used_7"], row["is_coarse"], row["idle_days"]) == (True, True, 0)


async def test_where_days_are_known_the_portals_month_is_not_asked(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        portal = await f.add_account("portal")
        line = await f.line(1, seen="2026-09-01 00:00")
        loan = await f.lend(1, await f.school("A"), SEPTEMBER)
        await f.span(line, portal, SEPTEMBER, oct_(1), 50)
        await f.told(line, SEPTEMBER, date(2026, 9, 7))
        await f.computed(SEPTEMBER, date(2026, 9, 7))
        row = await f.loan_day(loan, date(2026, 9, 7))
        assert (row["is_used_7"], row["is_coarse"]) == (False, False)


async def test_a_portals_month_that_began_before_the_loan_does_not_prove_its_use(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        portal = await f.add_account("portal")
        school = await f.school("A")
        line = await f.line(1, seen="2026-09-01 00:00")
        await f.lend(1, school, SEPTEMBER, borrower="before", returned=date(2026, 9, 3))
        loan = await f.lend(1, school, date(2026, 9, 3), borrower="after")
        await f.span(line, portal, SEPTEMBER, oct_(1), 50)
        await f.told(line, SEPTEMBER, date(2026, 9, 4), None)
        await f.computed(SEPTEMBER, date(2026, 9, 4))
        row = await f.loan_day(loan, date(2026, 9, 4))
        assert (row["is_used_7"], row["state"]) == (None, "unknown")


async def test_a_portals_month_is_seen_by_a_loan_that_began_within_it(pool: asyncpg.Pool) -> None:
    """An import marks the first day that it touches; the loan is younger than that."""
    async with polled(pool) as f:
        portal = await f.add_account("portal")
        line = await f.line(1, seen="2026-09-01 00:00")
        other = await f.line(2, seen="2026-09-01 00:00")
        loan = await f.lend(1, await f.school("A"), date(2026, 9, 3))
        await f.told(other, SEPTEMBER)
        await f.told(line, date(2026, 9, 3), date(2026, 9, 4), None)
        await f.computed(SEPTEMBER, date(2026, 9, 4))
        assert (await f.loan_day(loan, date(2026, 9, 4)))["is_used_7"] is None
        await f.span(line, portal, SEPTEMBER, oct_(1), 0)
        async with pool.acquire() as connection:
            await imports.recompute_from(connection, DISTRICT, SEPTEMBER)
        await f.refresh()
        assert (await f.loan_day(loan, date(2026, 9, 4)))["is_used_7"] is False


async def test_without_a_calendar_only_the_calendar_clock_runs(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(1))
        await f.told(line, oct_(1), mb=5)
        await f.told(line, oct_(2), oct_(4))
        await f.computed(oct_(1), oct_(4))
        assert await clocks(f, loan, oct_(1)) == (0, None)
        assert await clocks(f, loan, oct_(4)) == (3, None)


async def test_the_instructional_clock_leaves_out_weekends_holidays_and_breaks(pool: asyncpg.Pool) -> None:
    """Thursday the 8th is the last day of use; 12 October is a holiday, the 15th and 16th are a break."""
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(8))
        await f.calendar(oct_(1), oct_(31))
        await f.calendar(oct_(12), oct_(12), "holiday")
        await f.calendar(oct_(14), oct_(14), "half_day")
        await f.calendar(oct_(15), oct_(16), "break")
        await f.told(line, oct_(8), mb=5)
        await f.told(line, oct_(9), oct_(19))
        await f.computed(oct_(8), oct_(19))
        counted = [await clocks(f, loan, oct_(day)) for day in range(8, 20)]
        assert counted == [
            (0, 0),
            (1, 1),
            (2, 1),
            (3, 1),
            (4, 1),
            (5, 2),
            (6, 3),
            (7, 3),
            (8, 3),
            (9, 3),
            (10, 3),
            (11, 4),
        ]


async def test_use_sets_both_clocks_back(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.calendar(oct_(1), oct_(31))
        await f.told(line, oct_(5), oct_(6))
        await f.told(line, oct_(7), mb=1)
        await f.told(line, oct_(8))
        await f.computed(oct_(5), oct_(8))
        assert await clocks(f, loan, oct_(6)) == (2, 2)
        assert await clocks(f, loan, oct_(7)) == (0, 0)
        assert await clocks(f, loan, oct_(8)) == (1, 1)


async def test_blind_days_pause_both_clocks(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.calendar(oct_(1), oct_(31))
        await f.told(line, oct_(5), oct_(6))
        await f.told(line, oct_(9))
        await f.computed(oct_(5), oct_(9))
        assert await clocks(f, loan, oct_(8)) == (2, 2)
        assert await clocks(f, loan, oct_(9)) == (3, 3)


async def test_the_bytes_of_a_span_set_the_clocks_back_although_nobody_knows_their_day(
    pool: asyncpg.Pool,
) -> None:
    """Both clocks count the days since the last use: it was between the 6th and the 8th."""
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.calendar(oct_(1), oct_(31))
        await f.told(line, oct_(5))
        await f.told(line, oct_(9))
        for day, total in ((5, 10), (9, 900)):
            await f.usage(line, local(f"2026-10-{day:02} 23:55"), total, series="cycle")
        await f.computed(oct_(5), oct_(9))
        assert await clocks(f, loan, oct_(9)) == (1, 1)


@pytest.mark.parametrize(("by", "counted"), [("loan_desk", (2, 2)), ("season", (2, 2)), ("carrier", (4, 4))])
async def test_only_days_suspended_by_the_district_pause_the_clocks(
    pool: asyncpg.Pool, by: str, counted: tuple[int, int]
) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.calendar(oct_(1), oct_(31))
        await f.told(line, oct_(5))
        await f.told(line, oct_(6), oct_(7), status="suspended", by=by)
        await f.told(line, oct_(8))
        await f.computed(oct_(5), oct_(8))
        assert await clocks(f, loan, oct_(8)) == counted


async def test_a_school_may_differ_from_the_districts_calendar(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        closed, open_ = await f.school("Closed"), await f.school("Open")
        loans = [await f.lend(1, closed, oct_(5)), await f.lend(2, open_, oct_(5))]
        for number in (1, 2):
            await f.told(await f.line(number), oct_(5), oct_(7))
        await f.calendar(oct_(1), oct_(31))
        await f.calendar(oct_(6), oct_(6), "holiday", school=closed)
        await f.calendar(oct_(7), oct_(7), "holiday")
        await f.calendar(oct_(7), oct_(7), "instructional", school=open_)
        await f.computed(oct_(5), oct_(7))
        assert [await clocks(f, loan, oct_(7)) for loan in loans] == [(3, 1), (3, 3)]
        days = [(await f.school_day(school, oct_(7)))["is_instructional"] for school in (closed, open_)]
        assert days == [False, True]


async def test_idle_days_begin_with_the_first_observation(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1, seen="2026-10-05 08:00")
        other = await f.line(2)
        loan = await f.lend(1, await f.school("A"), oct_(1))
        await f.told(other, oct_(1))
        await f.told(line, oct_(5), oct_(12))
        await f.computed(oct_(1), oct_(12))
        row = await f.loan_day(loan, oct_(12))
        assert (row["observed_since_on"], row["idle_days"], row["state"]) == (oct_(5), 8, "never_used")


async def test_a_loan_that_began_after_the_first_observation_is_observed_since_its_start(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(1), oct_(5))
        await f.computed(oct_(1), oct_(5))
        assert (await f.loan_day(loan, oct_(5)))["observed_since_on"] == oct_(5)


async def test_clocks_count_a_day_of_25_hours_once(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(31))
        await f.told(line, oct_(31), date(2026, 11, 2))
        await f.state(line, local("2026-11-01 00:30") + timedelta(hours=1))
        await f.computed(oct_(31), date(2026, 11, 2))
        assert await clocks(f, loan, date(2026, 11, 2)) == (3, None)
