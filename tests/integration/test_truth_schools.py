"""School days and district days: students, need, coverage and what is not known of it."""

from collections.abc import Sequence
from datetime import date

import asyncpg
import pytest

from service.store import imports
from tests.fleet import DISTRICT, Fleet, polled

DAY = date(2026, 10, 7)


async def lent(
    f: Fleet, school_id: int, use: Sequence[float | None], *, first: int = 1, borrowers: Sequence[str] = ()
) -> list[int]:
    """Loans of one day: each hotspot's MB, None for one that nobody reads."""
    loans = []
    for position, mb in enumerate(use):
        number = first + position
        line = await f.line(number)
        await f.told(line, DAY, mb=mb)
        borrower = borrowers[position] if borrowers else ""
        loans.append(await f.lend(number, school_id, DAY, borrower=borrower))
    return loans


async def counts(f: Fleet, school_id: int, *names: str) -> tuple[object, ...]:
    row = await f.school_day(school_id, DAY)
    return tuple(row[name] for name in names)


async def test_coverage_is_adequate_students_over_need_with_its_bounds(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        await lent(f, school, [5] * 8 + [0, None])
        await f.computed(DAY, DAY)
        row = await f.school_day(school, DAY)
        assert (row["enrolled"], row["answered"], row["need"]) == (100, 80, 20)
        assert (row["loaned"], row["active_7"], row["active_30"]) == (10, 8, 8)
        assert (row["adequate"], row["unknown"], row["never_used"]) == (8, 1, 1)
        assert (row["completeness"], row["coverage_status"]) == (0.9, "known")
        assert (row["coverage"], row["coverage_low"], row["coverage_high"]) == (8 / 20, 8 / 40, 9 / 20)
        assert row["is_need_exceeded"] is False


async def test_below_nine_tenths_known_there_is_no_coverage_but_bounds(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        await lent(f, school, [5] * 8 + [None])
        await f.computed(DAY, DAY)
        row = await f.school_day(school, DAY)
        assert (row["coverage_status"], row["coverage"]) == ("incomplete", None)
        assert row["completeness"] == pytest.approx(8 / 9)
        assert (row["coverage_low"], row["coverage_high"]) == (8 / 40, 9 / 20)


async def test_a_student_takes_the_best_state_of_their_loans_and_counts_once(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        await lent(f, school, [0, 5, 0, 0], borrowers=["ann", "ann", "bob", "bob"])
        await f.computed(DAY, DAY)
        assert await counts(f, school, "loaned", "adequate", "never_used", "active_7") == (2, 1, 1, 1)


async def test_a_student_with_an_unread_hotspot_and_an_unused_one_is_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        await lent(f, school, [0, None], borrowers=["ann", "ann"])
        await f.computed(DAY, DAY)
        assert await counts(f, school, "loaned", "unknown", "never_used") == (1, 1, 0)


async def test_borrowers_that_are_not_told_are_students_of_their_own(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        await lent(f, school, [5, 5])
        await f.computed(DAY, DAY)
        assert await counts(f, school, "loaned", "adequate") == (2, 2)


async def test_a_school_without_loans_is_complete_and_covers_nobody(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        await lent(f, await f.school("B"), [5])
        await f.computed(DAY, DAY)
        row = await f.school_day(school, DAY)
        assert (row["loaned"], row["completeness"], row["coverage_status"]) == (0, 1, "known")
        assert (row["coverage"], row["coverage_low"], row["coverage_high"]) == (0, 0, 0)


async def test_a_need_of_zero_has_no_coverage(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 0))
        await lent(f, await f.school("B"), [5])
        await f.computed(DAY, DAY)
        names = ("coverage_status", "coverage", "is_need_exceeded")
        assert await counts(f, school, *names) == ("not_applicable", None, False)


@pytest.mark.parametrize("mb", [pytest.param(5.0, id="used"), pytest.param(0.0, id="not used")])
async def test_a_need_of_zero_with_loans_is_a_stale_count(pool: asyncpg.Pool, mb: float) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 0))
        await lent(f, school, [mb])
        await f.computed(DAY, DAY)
        names = ("coverage_status", "coverage", "is_need_exceeded")
        assert await counts(f, school, *names) == ("not_applicable", None, True)


async def test_more_adequate_than_need_is_covered_in_full_and_flagged(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 99, 2))
        await lent(f, school, [5, 5, 5])
        await f.computed(DAY, DAY)
        names = ("coverage", "coverage_low", "coverage_high", "is_need_exceeded")
        assert await counts(f, school, *names) == (1, 1, 1, True)


async def test_a_need_that_nobody_has_counted_is_unknown_not_zero(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await lent(f, school, [5])
        await f.computed(DAY, DAY)
        names = ("coverage_status", "coverage", "enrolled", "answered", "need", "loaned", "is_need_exceeded")
        assert await counts(f, school, *names) == ("need_unknown", None, None, None, None, 1, False)


async def needs(f: Fleet, school_id: int, first: date, last: date, days: Sequence[date]) -> list[int | None]:
    line = await f.line(1, seen=f"{first} 00:00")
    await f.told(line, first)
    await f.computed(first, last)
    return [(await f.school_day(school_id, day))["need"] for day in days]


@pytest.mark.parametrize(
    ("as_of", "last_valid"),
    [
        (date(2025, 3, 1), date(2026, 6, 30)),
        (date(2025, 6, 30), date(2026, 6, 30)),
        (date(2024, 7, 1), date(2026, 6, 30)),
    ],
)
async def test_a_count_is_valid_to_the_end_of_the_following_school_year(
    pool: asyncpg.Pool, as_of: date, last_valid: date
) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20), as_of=as_of)
        after = date(2026, 7, 1)
        assert await needs(f, school, last_valid, after, [last_valid, after]) == [20, None]


async def test_a_school_year_begins_when_the_district_says(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        await pool.execute("UPDATE districts SET school_year_starts = '08-15'")
        school = await f.school("A", need=(100, 80, 20), as_of=date(2025, 8, 14))
        days = [date(2026, 8, 14), date(2026, 8, 15)]
        assert await needs(f, school, days[0], days[1], days) == [20, None]


async def test_a_count_is_valid_from_its_day_until_the_next(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20), as_of=date(2026, 10, 6))
        await pool.execute(
            "INSERT INTO need_counts VALUES ($1, $2, '2026-10-08', 100, 90, 30)", DISTRICT, school
        )
        days = [date(2026, 10, day) for day in (5, 6, 7, 8)]
        assert await needs(f, school, days[0], days[-1], days) == [None, 20, 20, 30]


async def test_a_count_that_comes_late_is_on_every_day_it_is_valid_for(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        days = [date(2026, 10, day) for day in (5, 6, 7)]
        assert await needs(f, school, days[0], days[-1], days) == [None, None, None]
        await pool.execute(
            "INSERT INTO need_counts VALUES ($1, $2, '2026-10-05', 100, 90, 30)", DISTRICT, school
        )
        async with pool.acquire() as connection:
            await imports.recompute_from(connection, DISTRICT, days[0])
        await f.refresh()
        assert [(await f.school_day(school, day))["need"] for day in days] == [30, 30, 30]


async def test_a_calendar_that_comes_late_is_on_every_day_it_lists(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        days = [date(2026, 10, day) for day in (5, 6, 7)]
        await needs(f, school, days[0], days[-1], days)
        await f.calendar(days[0], days[-1], "break")
        async with pool.acquire() as connection:
            await imports.recompute_from(connection, DISTRICT, days[0])
        await f.refresh()
        assert [(await f.school_day(school, day))["is_out_of_session"] for day in days] == [True] * 3


async def test_a_school_is_out_of_session_in_a_break_only(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school, at_work = await f.school("A"), await f.school("B")
        monday, tuesday, wednesday, thursday = (date(2026, 10, day) for day in (5, 6, 7, 8))
        saturday, last = date(2026, 10, 10), date(2026, 10, 12)
        await f.calendar(monday, last)
        await f.calendar(tuesday, tuesday, "half_day")
        await f.calendar(wednesday, wednesday, "holiday")
        await f.calendar(thursday, thursday, "break")
        await f.calendar(thursday, thursday, "instructional", school=at_work)
        await f.told(await f.line(1), monday)
        await f.computed(monday, last)
        told = []
        for day in (monday, tuesday, wednesday, thursday, saturday):
            row = await f.school_day(school, day)
            told.append((row["is_instructional"], row["is_out_of_session"]))
        assert told == [(True, False), (True, False), (False, False), (False, True), (False, False)]
        row = await f.school_day(at_work, thursday)
        assert (row["is_instructional"], row["is_out_of_session"]) == (True, False)


async def test_without_a_calendar_nobody_says_whether_school_is_in_session(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await lent(f, school, [5])
        await f.computed(DAY, DAY)
        assert await counts(f, school, "is_instructional", "is_out_of_session") == (None, False)


async def test_a_loan_is_credited_to_the_school_that_held_it_that_day(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first, second = await f.school("A"), await f.school("B")
        before = date(2026, 10, 6)
        await f.lend(1, first, before, borrower="ann", returned=DAY)
        await f.lend(1, second, DAY, borrower="ann")
        await f.told(await f.line(1), before, DAY, 5)
        await f.computed(before, DAY)
        for day, loaned in ((before, (1, 0)), (DAY, (0, 1))):
            rows = [await f.school_day(school, day) for school in (first, second)]
            assert tuple(row["loaned"] for row in rows) == loaned
            assert tuple(row["adequate"] for row in rows) == loaned


async def test_every_state_is_counted_in_its_own_column(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=(100, 80, 20))
        await lent(f, school, [5, 0, None])
        suspended = await f.line(4)
        await f.told(suspended, DAY, mb=5, status="suspended", by="carrier")
        await f.lend(4, school, DAY)
        await f.computed(DAY, DAY)
        states = ("adequate", "unknown", "weak", "exhausted", "idle", "never_used", "suspended")
        assert await counts(f, school, *states) == (1, 1, 0, 0, 0, 1, 1)
        assert await counts(f, school, "loaned", "active_7", "completeness") == (4, 2, 0.75)


async def district_day(f: Fleet) -> dict[str, object]:
    return (await f.rows("SELECT * FROM district_days WHERE on_day = $1", DAY))[0]


async def test_a_surplus_at_one_school_never_hides_a_shortage_at_another(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        await lent(f, await f.school("A", need=(10, 10, 1)), [5, 5, 5])
        await lent(f, await f.school("B", need=(10, 10, 3)), [5], first=4)
        await f.computed(DAY, DAY)
        row = await district_day(f)
        assert (row["covered"], row["need"], row["adequate"]) == (2, 4, 4)
        assert row["coverage_if_complete"] == 0.5
        assert (row["unserved"], row["completeness"]) == (2, 1)


async def test_schools_without_a_need_count_stay_outside_the_districts_coverage(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        await lent(f, await f.school("A", need=(10, 8, 4)), [5])
        await lent(f, await f.school("B"), [5, 5], first=2)
        await f.computed(DAY, DAY)
        row = await district_day(f)
        assert (row["schools_with_need"], row["schools_without_need"]) == (1, 1)
        assert (row["covered"], row["coverage_if_complete"]) == (1, 0.25)
        assert (row["coverage_low"], row["coverage_high"]) == (1 / 6, 0.25)
