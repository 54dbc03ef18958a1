"""Data that comes late: what it changes, what it marks as revised, and what it leaves alone."""

from datetime import date, timedelta
from typing import Any

import asyncpg
import pytest

from service.store import imports
from tests.fleet import DISTRICT, Fleet, local, polled


def oct_(day: int) -> date:
    return date(2026, 10, day)


async def revised(f: Fleet, rows: str = "loan_days") -> dict[int, bool]:
    """By day of October: whether any row of it is marked as revised."""
    found = await f.rows(f"SELECT on_day, revised_at FROM {rows} ORDER BY on_day, revised_at NULLS FIRST")
    return {row["on_day"].day: row["revised_at"] is not None for row in found}


async def everything(f: Fleet) -> list[list[dict[str, Any]]]:
    return [
        await f.rows("SELECT * FROM line_days ORDER BY on_day, line_id, account_id"),
        await f.rows("SELECT * FROM loan_days ORDER BY on_day, loan_id"),
        await f.rows("SELECT * FROM school_days ORDER BY on_day, school_id"),
        await f.rows("SELECT * FROM usage_spans ORDER BY line_id, starts_at"),
    ]


async def later_told(f: Fleet, line_id: int, account_id: int, on: date, mb: float) -> None:
    """What an import of a portal's daily figures leaves behind."""
    start, end = local(f"{on} 00:00"), local(f"{on + timedelta(days=1)} 00:00")
    await f.usage(line_id, start, mb, until=end, account_id=account_id)
    await f.pool.execute(
        "INSERT INTO dirty_line_days VALUES ($1, $2, $3, $4)", DISTRICT, account_id, on, line_id
    )
    async with f.pool.acquire() as connection:
        await imports.recompute_from(connection, DISTRICT, on)


async def unread_day(f: Fleet) -> tuple[int, int, int, int]:
    """A hotspot without use that nobody read on 6 October: (line, loan, school, an account of files)."""
    portal = await f.add_account("portal")
    line = await f.line(1)
    school = await f.school("A", need=(100, 80, 20))
    loan = await f.lend(1, school, oct_(5))
    await f.told(line, oct_(5))
    await f.told(line, oct_(7), oct_(9))
    await f.computed(oct_(5), oct_(9))
    return line, loan, school, portal


async def test_a_late_zero_makes_the_days_after_known_and_moves_their_clocks(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line, loan, _, portal = await unread_day(f)
        before = [await f.loan_day(loan, oct_(day)) for day in (6, 9)]
        assert [(row["state"], row["idle_days"]) for row in before] == [("unknown", 1), ("unknown", 4)]
        await later_told(f, line, portal, oct_(6), 0)
        await f.state(line, local("2026-10-06 23:55"))
        await f.mark(oct_(6), oct_(6))
        await f.refresh()
        after = [await f.loan_day(loan, oct_(day)) for day in (6, 9)]
        assert [(row["state"], row["idle_days"]) for row in after] == [("never_used", 2), ("never_used", 5)]


async def test_late_bytes_change_the_days_after_and_mark_the_reported_ones(pool: asyncpg.Pool) -> None:
    """The 10th is the present day: it was not reported yet."""
    async with polled(pool) as f:
        line, loan, school, portal = await unread_day(f)
        assert not any((await revised(f)).values())
        assert not any((await revised(f, "school_days")).values())
        f.now = local("2026-10-10 09:00")
        await later_told(f, line, portal, oct_(6), 20)
        await f.refresh()
        row = await f.loan_day(loan, oct_(9))
        assert (row["state"], row["idle_days"], row["last_used_on"]) == ("adequate", 3, oct_(6))
        assert (await f.school_day(school, oct_(9)))["coverage"] == 1 / 20
        changed = {5: False, 6: True, 7: True, 8: True, 9: True, 10: False}
        assert await revised(f) == changed
        assert (await f.loan_day(loan, oct_(9)))["revised_at"] == f.now
        assert await revised(f, "school_days") == changed


async def test_late_bytes_leave_the_rows_before_them_and_of_other_loans_alone(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        other = await f.line(2)
        await f.told(other, oct_(5), oct_(9), 1)
        bystander = await f.lend(2, await f.school("B"), oct_(5))
        line, loan, _, portal = await unread_day(f)
        before = [await f.loan_day(bystander, oct_(day)) for day in range(5, 10)]
        first = await f.loan_day(loan, oct_(5))
        f.now = local("2026-10-10 09:00")
        await later_told(f, line, portal, oct_(6), 20)
        await f.refresh()
        assert [await f.loan_day(bystander, oct_(day)) for day in range(5, 10)] == before
        assert await f.loan_day(loan, oct_(5)) == first


async def test_what_comes_within_the_lag_is_no_revision(pool: asyncpg.Pool) -> None:
    async with polled(pool, lag_days=2) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), oct_(8))
        await f.computed(oct_(5), oct_(8))  # the 9th has begun: the 6th is the last day whose lag has passed
        for day in (6, 7):
            await f.usage(line, local(f"2026-10-{day:02} 23:56"), 3)
        await f.computed(oct_(6), oct_(8))
        assert (await f.loan_day(loan, oct_(7)))["used_bytes"] == 3_000_000
        marks = await revised(f)
        assert (marks[5], marks[6], marks[7], marks[8]) == (False, True, False, False)


async def test_the_evening_of_the_present_day_is_no_revision(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), clock="12:00")
        f.now = local("2026-10-05 12:05")
        await f.mark(oct_(5), oct_(5))
        await f.refresh()
        await f.told(line, oct_(5), mb=4)
        await f.computed(oct_(5), oct_(5))
        row = await f.loan_day(loan, oct_(5))
        assert (row["used_bytes"], row["revised_at"]) == (4_000_000, None)


async def test_computing_again_changes_nothing(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        line, _, _, _ = await unread_day(f)
        await f.calendar(oct_(1), oct_(31))
        for day in (5, 9):
            await f.usage(line, local(f"2026-10-{day:02} 12:00"), 7, series="cycle")
        await f.mark(oct_(5), oct_(10))
        await f.refresh()
        before = await everything(f)
        assert all(before)
        await f.mark(oct_(5), oct_(10))
        f.now += timedelta(minutes=7)
        await f.refresh()
        assert await everything(f) == before


async def test_a_returned_loan_has_no_more_days(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        loan = await f.lend(1, school, oct_(5), returned=oct_(7))
        await f.told(await f.line(1), oct_(5), oct_(8), 5)
        await f.computed(oct_(5), oct_(8))
        rows = await f.rows("SELECT on_day FROM loan_days WHERE loan_id = $1 ORDER BY on_day", loan)
        assert [row["on_day"] for row in rows] == [oct_(5), oct_(6)]
        assert [(await f.school_day(school, oct_(day)))["loaned"] for day in (6, 7)] == [1, 0]


async def test_a_loan_returned_on_its_first_day_has_no_day(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        await f.lend(1, await f.school("A"), oct_(5), returned=oct_(5))
        await f.told(await f.line(1), oct_(5), mb=5)
        await f.computed(oct_(5), oct_(5))
        assert await f.states(oct_(5)) == {}


async def test_a_return_that_is_corrected_backwards_takes_the_days_after_away(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        loan = await f.lend(1, school, oct_(5))
        await f.told(await f.line(1), oct_(5), oct_(9), 5)
        await f.computed(oct_(5), oct_(9))
        await pool.execute("UPDATE loans SET returned_on = $2 WHERE loan_id = $1", loan, oct_(7))
        async with pool.acquire() as connection:
            await imports.recompute_from(connection, DISTRICT, oct_(7))
        await f.refresh()
        rows = await f.rows("SELECT on_day FROM loan_days WHERE loan_id = $1 ORDER BY on_day", loan)
        assert [row["on_day"] for row in rows] == [oct_(5), oct_(6)]
        assert [(await f.school_day(school, oct_(day)))["loaned"] for day in (6, 7, 8, 9)] == [1, 0, 0, 0]
        assert (await f.school_day(school, oct_(9)))["revised_at"] is not None


async def test_a_return_that_is_taken_back_gives_the_days_after_back(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        loan = await f.lend(1, await f.school("A"), oct_(5), returned=oct_(6))
        await f.told(await f.line(1), oct_(5), oct_(8), 5)
        await f.computed(oct_(5), oct_(8))
        await pool.execute("UPDATE loans SET returned_on = NULL WHERE loan_id = $1", loan)
        async with pool.acquire() as connection:
            await imports.recompute_from(connection, DISTRICT, oct_(6))
        await f.refresh()
        assert [(await f.loan_day(loan, oct_(day)))["state"] for day in (6, 7, 8)] == ["adequate"] * 3


async def test_a_loan_that_is_told_late_has_its_days_from_the_start(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await f.told(await f.line(1), oct_(5), oct_(8), 5)
        await f.computed(oct_(5), oct_(8))
        loan = await f.lend(1, school, oct_(6))
        await f.refresh()
        rows = await f.rows(
            "SELECT on_day, state::text FROM loan_days WHERE loan_id = $1 ORDER BY on_day", loan
        )
        days = [(row["on_day"].day, row["state"]) for row in rows if row["on_day"] < oct_(9)]
        assert days == [(6, "adequate"), (7, "adequate"), (8, "adequate")]


@pytest.mark.parametrize("mb", [0.0, 5.0])
async def test_an_export_file_does_not_change_what_the_carrier_said(pool: asyncpg.Pool, mb: float) -> None:
    async with polled(pool) as f:
        portal = await f.add_account("portal")
        line = await f.line(1)
        loan = await f.lend(1, await f.school("A"), oct_(5))
        await f.told(line, oct_(5), oct_(6), mb)
        await f.computed(oct_(5), oct_(6))
        before = await f.loan_day(loan, oct_(5))
        await later_told(f, line, portal, oct_(5), 99)
        await f.refresh()
        assert await f.loan_day(loan, oct_(5)) == before
        assert await f.used_mb(line, oct_(5), portal) == 99
