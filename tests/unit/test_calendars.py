"""Rows of a calendar become days."""

from datetime import date

from service.model import calendars
from service.model.calendars import DayKind, Range


def test_a_range_of_school_days_has_no_weekends() -> None:
    found = calendars.days([Range(date(2026, 9, 4), date(2026, 9, 8), DayKind.INSTRUCTIONAL)])
    assert [day.day for _, day in found] == [4, 7, 8]


def test_a_break_has_every_day() -> None:
    assert len(calendars.days([Range(date(2026, 12, 19), date(2027, 1, 3), DayKind.BREAK)])) == 16


def test_a_saturday_that_is_named_is_a_school_day() -> None:
    saturday = date(2026, 9, 5)
    assert calendars.days([Range(saturday, saturday, DayKind.INSTRUCTIONAL)]) == {
        (None, saturday): DayKind.INSTRUCTIONAL
    }


def test_a_later_row_overrides_an_earlier_one_of_the_same_school_only() -> None:
    monday = date(2026, 9, 7)
    found = calendars.days(
        [
            Range(monday, monday, DayKind.INSTRUCTIONAL),
            Range(monday, monday, DayKind.HALF_DAY, "410192000001"),
            Range(monday, monday, DayKind.HOLIDAY),
        ]
    )
    assert found == {(None, monday): DayKind.HOLIDAY, ("410192000001", monday): DayKind.HALF_DAY}


def test_the_bounds_are_those_of_each_school() -> None:
    found = calendars.bounds(
        [
            Range(date(2026, 9, 1), date(2026, 9, 30), DayKind.INSTRUCTIONAL),
            Range(date(2026, 11, 2), date(2026, 11, 3), DayKind.BREAK),
            Range(date(2026, 9, 9), date(2026, 9, 9), DayKind.HALF_DAY, "410192000001"),
        ]
    )
    assert found[None] == (date(2026, 9, 1), date(2026, 11, 3))
    assert found["410192000001"] == (date(2026, 9, 9), date(2026, 9, 9))
