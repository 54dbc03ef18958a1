"""Pilots from rows in the database: before and during, pilot and comparison, and what is left out."""

from dataclasses import replace
from datetime import date, timedelta

import asyncpg
import pytest

from service.model import pilot_words, pilots
from service.store import pilots as pilot_rows
from tests import ledger
from tests.ledger import OTHER, SCHOOL, TODAY

START = date(2026, 10, 19)
PILOT = pilots.Pilot(
    name="evening calls",
    question="Do calls at home raise use?",
    schools=(SCHOOL,),
    comparison=(OTHER,),
    starts_on=START,
    ends_on=date(2026, 11, 1),
)


@pytest.fixture
async def book(pool: asyncpg.Pool) -> ledger.Ledger:
    return await ledger.ledger(pool)


async def told(book: ledger.Ledger, school: str, first: date, last: date, **values: object) -> None:
    """School days; weekends are none."""
    for offset in range((last - first).days + 1):
        day = first + timedelta(days=offset)
        await book.school_day(school, day, **{"is_instructional": day.weekday() < 5, **values})  # type: ignore[arg-type]


async def judged(book: ledger.Ledger, pilot: pilots.Pilot = PILOT) -> pilots.Result:
    return await pilot_rows.judged(book.pool, 1, pilot, reported_on=TODAY)


async def test_the_difference_in_differences_is_of_summed_counts(book: ledger.Ledger) -> None:
    two_weeks = timedelta(days=14)
    await told(book, SCHOOL, START - two_weeks, START - timedelta(days=1), adequate=10)
    await told(book, SCHOOL, START, START + timedelta(days=6), adequate=20)
    await told(book, SCHOOL, START + timedelta(days=7), START + timedelta(days=13), adequate=50)
    await told(book, OTHER, START - two_weeks, START - timedelta(days=1), adequate=30, need=60)
    await told(book, OTHER, START, START + timedelta(days=13), adequate=36, need=60)
    found = await judged(book)
    assert found.before_on == (START - two_weeks, START - timedelta(days=1))
    during = found.cell(pilots.Side.PILOT, pilots.Period.DURING)
    assert (during.days, during.need, during.covered, during.left_out) == (
        10, 40, 30, {"no school on the day": 4},
    )  # fmt: skip
    assert found.change.value == pytest.approx(30 / 40 - 10 / 40)
    assert found.comparison_change.value == pytest.approx(36 / 60 - 30 / 60)
    assert found.difference.value == pytest.approx(0.4)
    assert pilot_words.sentence(found) == (
        "Coverage of the pilot schools rose by 50.0 points, that of the comparison schools rose by 10.0 points: "
        "a difference of +40.0 points."
    )


async def test_days_that_cannot_be_used_are_counted_with_their_reason(book: ledger.Ledger) -> None:
    days = [START + timedelta(days=offset) for offset in range(5)]
    await book.school_day(SCHOOL, days[0])
    await book.school_day(SCHOOL, days[1], unknown=10)
    await book.school_day(SCHOOL, days[2], need=None, enrolled=None, answered=None)
    await book.school_day(SCHOOL, days[3], need=0)
    await book.school_day(SCHOOL, days[4], is_instructional=False)
    cell = (await judged(book)).cell(pilots.Side.PILOT, pilots.Period.DURING)
    assert (cell.days, cell.left_out) == (
        1,
        {
            "too few loans have reported": 1,
            "need is not known": 1,
            "no student in need": 1,
            "no school on the day": 1,
            "not computed": 9,
        },
    )


async def test_a_school_of_unknown_need_is_not_in_the_counts(book: ledger.Ledger) -> None:
    both = replace(PILOT, schools=(SCHOOL, OTHER), comparison=())
    await book.school_day(SCHOOL, START, adequate=10, unknown=1)
    await book.school_day(OTHER, START, adequate=25, unknown=9, need=None, enrolled=None, answered=None)
    cell = (await judged(book, both)).cell(pilots.Side.PILOT, pilots.Period.DURING)
    assert (cell.days, cell.need, cell.covered) == (1, 40, 10)
    assert cell.low == pytest.approx(10 / 60)
    assert cell.high == pytest.approx(11 / 40)


async def test_bounds_need_to_know_who_has_not_answered(book: ledger.Ledger) -> None:
    await book.school_day(SCHOOL, START, enrolled=None)
    cell = (await judged(book)).cell(pilots.Side.PILOT, pilots.Period.DURING)
    assert (cell.low, cell.coverage.value) == (None, 0.25)


async def test_a_pilot_that_goes_on_is_judged_to_the_reported_day(book: ledger.Ledger) -> None:
    found = await judged(book, replace(PILOT, ends_on=None))
    assert found.during_on == (START, TODAY)
    assert found.before_on[0] == START - (TODAY - START + timedelta(days=1))
    later = await judged(book, replace(PILOT, starts_on=TODAY + timedelta(days=9), ends_on=None))
    assert "not_begun" in {one.code for one in later.warnings}


async def test_a_need_that_is_known_otherwise_is_warned_of(book: ledger.Ledger) -> None:
    await told(book, SCHOOL, START - timedelta(days=14), START - timedelta(days=1))
    await told(book, SCHOOL, START, START + timedelta(days=13), need_source="answers", need=60)
    warned = {one.code: one.sentence for one in (await judged(book)).warnings}
    assert "by totals before and by answers during" in warned["need_source"]
    assert "from 40 to 60 students" in warned["need_changed"]


async def test_a_school_that_is_not_imported_is_named(book: ledger.Ledger) -> None:
    odd = replace(PILOT, comparison=(OTHER, "999999999999"))
    found = await judged(book, odd)
    assert found.unknown_schools == ("999999999999",)
    assert "unknown_school" in {one.code for one in found.warnings}
    assert await pilot_rows.unknown_schools(book.pool, 1, odd.comparison) == ["999999999999"]
