"""Allowances of a year, and of a pool of lines: when they are used up, for whom, and until when."""

from datetime import date, timedelta

import asyncpg
import pytest

from tests.fleet import DISTRICT, Fleet, local, polled

YEAR = ("exhausted", "year_allowance")
POOL = ("exhausted", "pool_allowance")
GOOD = ("adequate", None)


async def plan(
    f: Fleet,
    mb: float | None,
    period: str = "year",
    *,
    starts_on: date | None = None,
    cycle_day: int = 1,
    at: str = "stop",
    is_pooled: bool = False,
    key: str = "plan",
) -> int:
    plan_id: int = await f.pool.fetchval(
        "INSERT INTO plans (district_id, plan_key, allowance_bytes, allowance_period, cycle_day, at_allowance,"
        " is_pooled, starts_on) VALUES ($1, $2, $3, $4::allowance_period, $5, $6::at_allowance, $7, $8)"
        " RETURNING plan_id",
        DISTRICT,
        key,
        None if mb is None else round(mb * 1_000_000),
        period,
        cycle_day,
        at,
        is_pooled,
        starts_on,
    )
    return plan_id


async def lent(
    f: Fleet, number: int, plan_id: int | None, on: date, *, school: int | None = None
) -> tuple[int, int]:
    """A hotspot whose line has the plan, and its loan."""
    line = await f.line(number, seen=f"{on} 00:00")
    await f.pool.execute("UPDATE lines SET plan_id = $2 WHERE line_id = $1", line, plan_id)
    school = school or await f.school(f"School {number}")
    return line, await f.lend(number, school, on)


async def used(f: Fleet, line: int, first: date, *mb: float | None) -> None:
    """What a line used, day by day; None: nobody read it."""
    for offset, told in enumerate(mb):
        if told is not None:
            await f.told(line, first + timedelta(days=offset), mb=told)


async def states(f: Fleet, loan: int, first: date, days: int) -> list[tuple[str, str | None]]:
    return [await f.state_of(loan, first + timedelta(days=offset)) for offset in range(days)]


async def computed(f: Fleet, first: date, days: int) -> None:
    await f.computed(first, first + timedelta(days=days - 1))


@pytest.mark.parametrize("at", ["stop", "throttle"])
async def test_a_year_used_up_is_exhausted_until_the_anniversary_of_the_plan(
    pool: asyncpg.Pool, at: str
) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        line, loan = await lent(f, 1, await plan(f, 10, starts_on=date(2024, 10, 10), at=at), first)
        await used(f, line, first, 4, 6, 1, 0, 2, 3)
        await computed(f, first, 6)
        assert await states(f, loan, first, 6) == [GOOD, YEAR, YEAR, YEAR, GOOD, GOOD]


@pytest.mark.parametrize("at", ["charge", "none"])
async def test_a_plan_that_goes_on_is_never_exhausted(pool: asyncpg.Pool, at: str) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        yearly = await lent(f, 1, await plan(f, 10, at=at), first)
        pooled = await lent(f, 2, await plan(f, 10, "month", at=at, is_pooled=True, key="pool"), first)
        for line, _ in (yearly, pooled):
            await used(f, line, first, 40)
        await computed(f, first, 1)
        assert [await f.state_of(loan, first) for _, loan in (yearly, pooled)] == [GOOD, GOOD]


async def test_without_a_first_day_a_year_is_that_of_the_calendar(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 12, 30)
        line, loan = await lent(f, 1, await plan(f, 10), first)
        await used(f, line, first, 11, 1, 1, 1)
        await computed(f, first, 4)
        assert await states(f, loan, first, 4) == [YEAR, YEAR, GOOD, GOOD]


async def test_a_plan_of_the_29th_of_february_begins_anew_on_the_28th_in_other_years(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        first = date(2027, 2, 26)
        line, loan = await lent(f, 1, await plan(f, 10, starts_on=date(2024, 2, 29)), first)
        await used(f, line, first, 11, 1, 1, 1)
        await computed(f, first, 4)
        assert await states(f, loan, first, 4) == [YEAR, YEAR, GOOD, GOOD]


async def test_blind_days_keep_what_was_used_and_add_nothing(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        line, loan = await lent(f, 1, await plan(f, 10), first)
        await used(f, line, first, 9, None, 0, 1, None, None)
        await computed(f, first, 6)
        unread = ("unknown", "status_stale")
        assert await states(f, loan, first, 6) == [GOOD, unread, GOOD, YEAR, YEAR, YEAR]


async def test_the_vendors_own_total_counts_where_it_is_larger(pool: asyncpg.Pool) -> None:
    """A fleet that is read for the first time in mid-year."""
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        line, loan = await lent(f, 1, await plan(f, 100), first)
        await used(f, line, first, 1, 1)
        await f.usage(line, local("2026-10-06 12:00"), 99, series="cycle")
        await f.usage(line, local("2026-10-07 12:00"), 100, series="cycle")
        await computed(f, first, 2)
        assert await states(f, loan, first, 2) == [GOOD, YEAR]


async def test_a_total_of_a_cycle_that_began_before_the_period_is_not_the_periods(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        line, loan = await lent(f, 1, await plan(f, 100, starts_on=date(2025, 10, 6)), first)
        await used(f, line, first, 1, 1)
        await f.usage(line, local("2026-10-07 12:00"), 150, series="cycle")  # since the 1st
        await computed(f, first, 2)
        assert await states(f, loan, first, 2) == [GOOD, GOOD]


async def test_on_a_periods_first_day_a_total_may_be_of_the_one_before(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 1)
        line, loan = await lent(f, 1, await plan(f, 100, "month", is_pooled=True), first)
        await used(f, line, first, 1, 1)
        await f.usage(line, local("2026-10-01 00:30"), 150, series="cycle")
        await f.usage(line, local("2026-10-02 12:00"), 2, series="cycle")
        await computed(f, first, 2)
        assert await states(f, loan, first, 2) == [GOOD, GOOD]


async def test_a_plan_that_is_told_in_mid_year_is_summed_from_its_beginning(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 9, 28)
        line, loan = await lent(f, 1, None, first)
        await used(f, line, first, 4, 4, 4, 1)
        await computed(f, first, 3)
        assert await states(f, loan, first, 3) == [GOOD, GOOD, GOOD]
        await pool.execute("UPDATE lines SET plan_id = $1", await plan(f, 10, starts_on=date(2025, 9, 29)))
        last = first + timedelta(days=3)
        await f.computed(last, last)
        assert await f.state_of(loan, last) == GOOD  # 4 + 4 + 1 since the 29th
        await used(f, line, last + timedelta(days=1), 1)
        await f.computed(last, last + timedelta(days=1))
        assert await f.state_of(loan, last + timedelta(days=1)) == YEAR


async def test_late_data_raise_every_day_after_them(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        line, loan = await lent(f, 1, await plan(f, 10), first)
        await used(f, line, first, 1, None, 1, 1)
        await computed(f, first, 4)
        assert (await states(f, loan, first, 4))[-1] == GOOD
        late = first + timedelta(days=1)
        await used(f, line, late, 8)
        await f.pool.execute(
            "INSERT INTO dirty_line_days (district_id, account_id, on_day) VALUES ($1, $2, $3)",
            DISTRICT,
            f.account_id,
            late,
        )
        await f.refresh()
        assert await states(f, loan, first, 4) == [GOOD, GOOD, YEAR, YEAR]
        rows = await f.rows("SELECT carried_bytes + used_bytes AS bytes FROM allowance_days ORDER BY on_day")
        assert [row["bytes"] for row in rows] == [1_000_000, 9_000_000, 10_000_000, 11_000_000, 11_000_000]


async def test_a_correction_takes_back_what_was_never_used(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        line, loan = await lent(f, 1, await plan(f, 10), first)
        await used(f, line, first, 11, 1)
        await computed(f, first, 2)
        assert await states(f, loan, first, 2) == [YEAR, YEAR]
        await used(f, line, first, 3)
        await computed(f, first, 2)
        assert await states(f, loan, first, 2) == [GOOD, GOOD]


async def test_a_larger_plan_is_not_exhausted_any_more(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        line, loan = await lent(f, 1, await plan(f, 10), first)
        await used(f, line, first, 11, 1, 1)
        await computed(f, first, 2)
        assert await states(f, loan, first, 2) == [YEAR, YEAR]
        await pool.execute("UPDATE plans SET allowance_bytes = 100 * 1000 * 1000")
        third = first + timedelta(days=2)
        await f.computed(third, third)
        assert await f.state_of(loan, third) == GOOD
        await pool.execute("UPDATE lines SET plan_id = NULL")
        await f.computed(third, third)
        assert await f.rows("SELECT FROM allowance_days WHERE on_day = $1", third) == []


async def pool_of(
    f: Fleet, first: date, *, period: str = "month", cycle_day: int = 1
) -> list[tuple[int, int]]:
    """Two lent hotspots and a line on the shelf, in one pool of 30 MB."""
    plan_id = await plan(f, 10, period, cycle_day=cycle_day, is_pooled=True)
    lines = [await lent(f, number, plan_id, first) for number in (1, 2)]
    shelf = await f.line(3)
    await f.pool.execute("UPDATE lines SET plan_id = $2 WHERE line_id = $1", shelf, plan_id)
    return lines


async def test_a_pool_is_used_up_by_all_its_lines_together_and_for_all_of_them(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 29)
        (heavy, heavy_loan), (light, light_loan) = await pool_of(f, first)
        _, other_loan = await lent(f, 4, await plan(f, 10, "month", key="other"), first)
        await used(f, heavy, first, 20, 8, 1, 1, 1)
        await used(f, light, first, 1, 1, 1, 1, 1)
        await computed(f, first, 5)
        expected = [GOOD, POOL, POOL, GOOD, GOOD]  # 30 MB on the second day; a new month on the fourth
        assert await states(f, heavy_loan, first, 5) == expected
        assert await states(f, light_loan, first, 5) == expected
        assert (await f.state_of(other_loan, first + timedelta(days=1)))[1] != "pool_allowance"


async def test_a_pool_begins_anew_with_its_cycle(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 10)
        (heavy, loan), (light, _) = await pool_of(f, first, period="cycle", cycle_day=12)
        await used(f, heavy, first, 31, 1, 1)
        await used(f, light, first, 1, 1, 1)
        await computed(f, first, 3)
        assert await states(f, loan, first, 3) == [POOL, POOL, GOOD]


async def test_a_pool_of_a_year_is_a_pool(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 31)
        (heavy, loan), (light, light_loan) = await pool_of(f, first, period="year")
        await used(f, heavy, first, 29, 0)
        await used(f, light, first, 0, 1)
        await computed(f, first, 2)
        assert await states(f, loan, first, 2) == [GOOD, POOL]
        assert (await states(f, light_loan, first, 2))[1] == POOL


async def test_in_a_pool_a_line_may_use_more_than_its_share(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        (heavy, loan), _ = await pool_of(f, first)
        await used(f, heavy, first, 25)
        await f.usage(heavy, local("2026-10-06 23:50"), 25, series="cycle")
        await f.state(heavy, local("2026-10-06 23:58"), cycle_limit_mb=10)
        await computed(f, first, 1)
        assert await f.state_of(loan, first) == GOOD


async def test_a_pool_is_told_by_the_vendors_totals_where_days_are_missing(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first = date(2026, 10, 6)
        (heavy, loan), (light, light_loan) = await pool_of(f, first)
        await used(f, heavy, first, 1)
        await used(f, light, first, 10)
        await f.usage(heavy, local("2026-10-06 23:50"), 20, series="cycle")
        await computed(f, first, 1)
        assert [await f.state_of(of, first) for of in (loan, light_loan)] == [POOL, POOL]
