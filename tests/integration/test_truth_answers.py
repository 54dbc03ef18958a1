"""Need by student: which answer counts, whose school it belongs to, what makes need, and which loans serve it."""

from datetime import date, timedelta

import asyncpg
import pytest

from service.store import imports
from tests.fleet import Fleet, polled
from tests.students import ASKED_ON, DAY, answer, borrow, counts, enroll, names

NEED = ("need_source", "enrolled", "answered", "need")
TOTAL = (100, 80, 20)


async def need(f: Fleet, school_id: int, on: date = DAY) -> tuple[object, ...]:
    return await counts(f, school_id, NEED, on)


async def computed(f: Fleet, on: date = DAY) -> None:
    """A day that is computed though no loan is read on it."""
    line = await f.line(900, seen=f"{on} 00:00")
    await f.told(line, on)
    await f.computed(on, on)


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        pytest.param({"has_access": False}, (1, 1), id="answer No"),
        pytest.param({"has_access": True}, (1, 0), id="answer Yes"),
        pytest.param({"access_type": "none"}, (1, 1), id="None"),
        pytest.param({"access_type": "dial_up"}, (1, 1), id="Dial-up"),
        pytest.param({"access_type": "cellular_network"}, (1, 1), id="Cellular Network"),
        pytest.param({"access_type": "residential_broadband"}, (1, 0), id="Residential Broadband"),
        pytest.param({"access_type": "hot_spot"}, (1, 0), id="a hotspot that is not ours"),
        pytest.param({"access_type": "community_wifi"}, (1, 0), id="Community Provided Wi-Fi"),
        pytest.param({"access_type": "satellite"}, (1, 0), id="Satellite"),
        pytest.param({"access_type": "other"}, (1, 0), id="Other"),
        pytest.param({"performance": "no"}, (1, 1), id="performance No"),
        pytest.param({"performance": "sometimes"}, (1, 0), id="performance Sometimes"),
        pytest.param({"performance": "yes"}, (1, 0), id="performance Yes"),
        pytest.param({"by_staff": True}, (1, 1), id="documented by staff"),
        pytest.param({"has_access": True, "performance": "no"}, (1, 1), id="Yes, but performance No"),
        pytest.param({"has_access": True, "access_type": "cellular_network"}, (1, 1), id="Yes, by phone"),
        pytest.param({"has_access": True, "by_staff": True}, (1, 1), id="Yes, but staff know better"),
        pytest.param({"has_access": False, "access_type": "satellite"}, (1, 1), id="No, with a type"),
        pytest.param({"has_access": True, "access_type": "unknown"}, (1, 0), id="Yes, type Unknown"),
    ],
)
async def test_what_an_answer_says_of_need(
    pool: asyncpg.Pool, told: dict[str, object], expected: tuple[int, int]
) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await enroll(pool, school, "ann", "bob")
        await answer(pool, school, "ann", **told)  # type: ignore[arg-type]
        await computed(f)
        assert await need(f, school) == ("answers", 2, *expected)


async def test_an_answer_without_anything_usable_is_no_answer(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await answer(pool, school, "ann", access_type="unknown")
        await answer(pool, school, "bob")
        await answer(pool, school, "cho", has_access=False)
        await computed(f)
        assert await need(f, school) == ("answers", None, 1, 1)


async def test_answers_of_which_none_is_usable_leave_the_schools_total_in_force(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school, uncounted = await f.school("A", need=TOTAL), await f.school("B")
        await answer(pool, school, "ann", access_type="unknown")
        await answer(pool, uncounted, "bob", access_type="unknown")
        await computed(f)
        assert await need(f, school) == ("totals", *TOTAL)
        assert await need(f, uncounted) == (None, None, None, None)


async def test_answers_stand_before_the_schools_total(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school, other = await f.school("A", need=TOTAL), await f.school("B", need=TOTAL)
        await enroll(pool, school, *names("student", 30))
        await answer(pool, school, *names("student", 9), has_access=False)
        await answer(pool, school, *[f"student{n}" for n in range(9, 25)], has_access=True)
        await computed(f)
        assert await need(f, school) == ("answers", 30, 25, 9)
        assert await need(f, other) == ("totals", *TOTAL)


async def test_our_own_hotspot_is_need_as_lending_must_not_remove_its_own_denominator(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await answer(pool, school, "ann", "bob", "cho", has_access=True, access_type="hot_spot")
        await borrow(f, school, 1, 5, borrower="ann", on=ASKED_ON)  # on the very day
        await borrow(f, school, 2, 5, borrower="bob", on=ASKED_ON + timedelta(days=1))  # it was another's
        await borrow(f, school, 3, 5, borrower="cho", on=ASKED_ON - timedelta(days=9))
        await pool.execute("UPDATE loans SET returned_on = $1 WHERE borrower = 'cho'", ASKED_ON)
        await f.computed(DAY, DAY)
        assert await need(f, school) == ("answers", None, 3, 1)
        names = ("loaned", "adequate", "coverage", "served_outside_need")
        assert await counts(f, school, names) == (1, 1, 1, 1)


async def test_our_own_hotspot_stays_need_after_it_is_returned(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await answer(pool, school, "ann", has_access=True, access_type="hot_spot")
        await borrow(f, school, 1, 5, borrower="ann", on=ASKED_ON)
        await pool.execute("UPDATE loans SET returned_on = $1", ASKED_ON + timedelta(days=9))
        await f.computed(DAY, DAY)
        assert await need(f, school) == ("answers", None, 1, 1)
        assert await counts(f, school, ("loaned", "coverage")) == (0, 0)


async def test_a_bus_router_is_nobodys_hotspot(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await answer(pool, school, "ann", has_access=True, access_type="hot_spot")
        await borrow(f, school, 1, 5, borrower="ann", on=ASKED_ON, kind="bus_router")
        await f.computed(DAY, DAY)
        assert await need(f, school) == ("answers", None, 1, 0)


async def test_the_newest_answer_up_to_the_day_counts(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        days = [date(2026, 10, day) for day in (5, 6, 7)]
        await answer(pool, school, "ann", on=days[0], has_access=False)
        await answer(pool, school, "ann", on=days[1], has_access=True)
        await answer(pool, school, "ann", on=days[2], access_type="unknown")
        line = await f.line(1, seen=f"{days[0]} 00:00")
        await f.told(line, days[0], days[2])
        await f.computed(days[0], days[2])
        told = [await need(f, school, day) for day in days]
        assert told == [("answers", None, 1, 1), ("answers", None, 1, 0), (None, None, None, None)]


@pytest.mark.parametrize(
    ("answered_on", "last_valid"),
    [
        (date(2025, 3, 1), date(2026, 6, 30)),
        (date(2025, 6, 30), date(2026, 6, 30)),
        (date(2024, 7, 1), date(2026, 6, 30)),
    ],
)
async def test_an_answer_is_valid_to_the_end_of_the_following_school_year(
    pool: asyncpg.Pool, answered_on: date, last_valid: date
) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        after = last_valid + timedelta(days=1)
        await answer(pool, school, "ann", on=answered_on, has_access=False)
        await answer(pool, school, "bob", on=after, has_access=True)
        line = await f.line(1, seen=f"{last_valid} 00:00")
        await f.told(line, last_valid, after)
        await f.computed(last_valid, after)
        assert await need(f, school, last_valid) == ("answers", None, 1, 1)
        assert await need(f, school, after) == ("answers", None, 1, 0)


async def test_the_roster_says_whose_student_it_is_and_the_answer_where_it_knows_nobody(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        first, second = await f.school("A"), await f.school("B")
        await answer(pool, first, "moved", "left", "never listed", "to come", has_access=False)
        await answer(pool, None, "placed", "nowhere", has_access=False)
        await enroll(pool, second, "moved", "placed")
        await enroll(pool, first, "left", ends_on=DAY)  # the first day no longer
        await enroll(pool, second, "to come", starts_on=DAY + timedelta(days=1))
        await computed(f)
        assert await need(f, first) == ("answers", None, 1, 1)  # never listed
        assert await need(f, second) == ("answers", 2, 2, 2)


async def test_a_student_who_moves_takes_need_and_loan_along(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        first, second = await f.school("A"), await f.school("B")
        before = DAY - timedelta(days=1)
        await enroll(pool, first, "ann", ends_on=DAY)
        await enroll(pool, second, "ann", starts_on=DAY)
        await enroll(pool, first, "bob")
        await answer(pool, first, "ann", has_access=False)
        await answer(pool, first, "bob", has_access=True)
        line = await f.line(1, seen=f"{before} 00:00")
        await f.told(line, before, DAY, 5)
        await f.lend(1, first, before, borrower="ann")
        await f.computed(before, DAY)
        names = ("enrolled", "need", "loaned", "adequate")
        assert await counts(f, first, names, before) == (2, 1, 1, 1)
        assert await counts(f, first, names, DAY) == (1, 0, 0, 0)
        assert await counts(f, second, names, DAY) == (1, 1, 1, 1)


async def test_enrolled_is_the_rosters_then_the_totals_and_else_unknown(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        listed = await f.school("A", need=TOTAL)
        counted = await f.school("B", need=TOTAL)
        neither = await f.school("C")
        await enroll(pool, listed, *names("listed", 8))
        for school, student in ((listed, "listed0"), (counted, "counted"), (neither, "neither")):
            await answer(pool, school, student, has_access=False)
        await computed(f)
        figures = ("enrolled", "answered", "need", "coverage", "coverage_low", "coverage_high")
        assert await counts(f, listed, figures) == (8, 1, 1, 0, 0, 0)
        assert await counts(f, counted, figures) == (100, 1, 1, 0, 0, 0)
        assert await counts(f, neither, figures) == (None, 1, 1, 0, None, 0)


async def test_a_roster_alone_changes_nothing_of_a_total(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        counted, uncounted = await f.school("A", need=TOTAL), await f.school("B")
        await enroll(pool, counted, *names("a", 8))
        await enroll(pool, uncounted, *names("b", 9))
        await computed(f)
        assert await need(f, counted) == ("totals", *TOTAL)
        assert await need(f, uncounted) == (None, 9, None, None)


async def test_a_roster_behind_the_answers_leaves_nobody_unanswered(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await enroll(pool, school, "ann")
        await answer(pool, school, "ann", "bob", "cho", has_access=False)
        await borrow(f, school, 1, 5, borrower="bob")
        await f.computed(DAY, DAY)
        figures = ("enrolled", "answered", "need", "coverage", "coverage_low")
        assert await counts(f, school, figures) == (1, 3, 3, 1 / 3, 1 / 3)


async def test_students_in_need_are_counted_by_the_best_of_their_loans_and_the_rest_stays_outside(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await enroll(pool, school, *names("student", 20))
        await answer(pool, school, *names("student", 10), has_access=False)
        await answer(pool, school, "student10", "student11", has_access=True)
        await borrow(f, school, 1, 5, borrower="student0")
        await borrow(f, school, 2, 0, borrower="student0")
        await borrow(f, school, 3, 0, borrower="student1")
        await borrow(f, school, 4, None, borrower="student2")
        await borrow(f, school, 5, 5, borrower="student10")  # not in need
        await borrow(f, school, 6, 5, borrower="student10")
        await borrow(f, school, 7, 5, borrower="student19")  # has not answered
        await borrow(f, school, 8, 5)
        await borrow(f, school, 9, None)
        await f.computed(DAY, DAY)
        assert await need(f, school) == ("answers", 20, 12, 10)
        states = ("loaned", "active_30", "active_7", "adequate", "unknown", "never_used")
        assert await counts(f, school, states) == (3, 1, 1, 1, 1, 1)
        assert await counts(f, school, ("served_outside_need", "unattributed")) == (2, 2)
        row = await f.school_day(school, DAY)
        assert row["completeness"] == pytest.approx(2 / 3)
        assert (row["coverage_status"], row["coverage"]) == ("incomplete", None)
        assert (row["coverage_low"], row["coverage_high"]) == (1 / 18, 2 / 10)


async def test_loans_to_others_never_make_the_need_look_exceeded(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await answer(pool, school, "ann", "bob", has_access=True)
        await borrow(f, school, 1, 5, borrower="ann")
        await f.computed(DAY, DAY)
        figures = ("need", "loaned", "coverage_status", "is_need_exceeded", "served_outside_need")
        assert await counts(f, school, figures) == (0, 0, "not_applicable", False, 1)


async def test_a_student_is_counted_at_their_own_school_whichever_lent_the_hotspot(
    pool: asyncpg.Pool,
) -> None:
    async with polled(pool) as f:
        own, lender = await f.school("A"), await f.school("B")
        await enroll(pool, own, "ann", "bob")
        await enroll(pool, lender, "cho")
        await answer(pool, own, "ann", "cho", has_access=False)
        await borrow(f, lender, 1, 5, borrower="ann")
        await borrow(f, lender, 2, 5, borrower="bob")  # has not answered: outside need, at their own school
        await borrow(f, lender, 3, 5, borrower="stranger")  # nobody knows: at the school that lent it
        await f.computed(DAY, DAY)
        figures = ("need", "loaned", "adequate", "served_outside_need", "unattributed")
        assert await counts(f, own, figures) == (1, 1, 1, 1, 0)
        assert await counts(f, lender, figures) == (1, 0, 0, 1, 0)


async def test_where_only_totals_are_known_nobody_can_say_what_is_outside_need(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        counted, asked = await f.school("A", need=TOTAL), await f.school("B")
        await answer(pool, asked, "ann", has_access=False)
        await borrow(f, counted, 1, 5, borrower="bob")
        await borrow(f, counted, 2, 5)
        await f.computed(DAY, DAY)
        figures = ("loaned", "adequate", "served_outside_need", "unattributed")
        assert await counts(f, counted, figures) == (2, 2, None, None)
        assert await counts(f, asked, figures) == (0, 0, 0, 0)


async def test_a_loan_across_schools_of_totals_and_of_answers_counts_once(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        counted, asked = await f.school("A", need=TOTAL), await f.school("B")
        await enroll(pool, asked, "ann", "bob", "cho")
        await enroll(pool, counted, "dee", "eli")
        await answer(pool, asked, "ann", has_access=False)
        await answer(pool, asked, "bob", has_access=True)
        for number, borrower in enumerate(("ann", "bob", "cho", "dee", "stranger", ""), start=1):
            await borrow(f, counted, number, 5, borrower=borrower)
        await borrow(f, asked, 7, 5, borrower="eli")
        await f.computed(DAY, DAY)
        figures = ("need_source", "loaned", "adequate", "served_outside_need", "unattributed")
        assert await counts(f, counted, figures) == ("totals", 3, 3, None, None)
        assert await counts(f, asked, figures) == ("answers", 1, 1, 3, 0)  # bob, cho and eli are outside
        told = await f.rows("SELECT loaned FROM district_days WHERE on_day = $1", DAY)
        assert told[0]["loaned"] == 4


async def test_the_newest_of_many_answers_alone_counts(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A")
        await enroll(pool, school, "ann")
        for month, has_access in ((8, False), (9, True), (10, False)):
            await answer(pool, school, "ann", on=date(2026, month, 1), has_access=has_access)
        rows = await f.rows(
            "SELECT on_day::date, a.is_in_need FROM unnest($1::date[]) AS on_day,"
            " answers_on(1, on_day) AS a ORDER BY on_day",
            [date(2026, month, 2) for month in (8, 9, 10)],
        )
        assert [row["is_in_need"] for row in rows] == [True, False, True]


async def test_an_answer_that_comes_late_revises_the_days_it_is_valid_for(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        school = await f.school("A", need=TOTAL)
        days = [date(2026, 10, day) for day in (5, 6, 7)]
        line = await f.line(1, seen=f"{days[0]} 00:00")
        await f.told(line, days[0], days[2])
        await f.computed(days[0], days[2])
        assert [await need(f, school, day) for day in days] == [("totals", *TOTAL)] * 3
        await answer(pool, school, "ann", on=days[1], has_access=False)
        async with pool.acquire() as connection:
            await imports.recompute_from(connection, 1, days[1])
        await f.refresh()
        told = [await need(f, school, day) for day in days]
        assert told == [("totals", *TOTAL), ("answers", 100, 1, 1), ("answers", 100, 1, 1)]
        today = days[2] + timedelta(days=1)
        revised = [(await f.school_day(school, day))["revised_at"] is not None for day in (*days, today)]
        assert revised == [False, True, True, False]  # the present day was not reported yet


async def district_day(f: Fleet) -> dict[str, object]:
    return (await f.rows("SELECT * FROM district_days WHERE on_day = $1", DAY))[0]


async def test_a_district_does_not_know_its_students_where_a_school_does_not(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        listed, unlisted = await f.school("A"), await f.school("B")
        await f.school("C")  # need unknown: outside all sums
        await enroll(pool, listed, *names("student", 10))
        await answer(pool, listed, *names("student", 4), has_access=False)
        await answer(pool, unlisted, "ann", "bob", has_access=False)
        await borrow(f, listed, 1, 5, borrower="student0")
        await borrow(f, unlisted, 2, 5, borrower="ann")
        await borrow(f, unlisted, 3, 5)
        await f.computed(DAY, DAY)
        row = await district_day(f)
        assert (row["answered"], row["need"], row["covered"]) == (6, 6, 2)
        assert (row["coverage_if_complete"], row["coverage_high"]) == (2 / 6, 2 / 6)
        assert (row["enrolled"], row["coverage_low"]) == (None, None)
        assert (row["served_outside_need"], row["unattributed"]) == (0, 1)
        await enroll(pool, unlisted, "ann", "bob", "cho")
        await f.computed(DAY, DAY)
        row = await district_day(f)
        assert (row["enrolled"], row["coverage_low"]) == (13, 2 / 13)


async def test_a_district_of_totals_does_not_know_what_is_outside_need(pool: asyncpg.Pool) -> None:
    async with polled(pool) as f:
        await borrow(f, await f.school("A", need=TOTAL), 1, 5)
        await f.computed(DAY, DAY)
        row = await district_day(f)
        assert (row["served_outside_need"], row["unattributed"]) == (None, None)
