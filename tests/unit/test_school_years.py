"""From first and last days to school years and their days."""

from datetime import date

from service.model import calendars, school_years
from service.model.calendars import DayKind, Range
from service.model.school_years import Year

FIRST, LAST = date(2026, 9, 1), date(2026, 9, 18)


def test_a_year_goes_from_the_earliest_first_to_the_latest_last_day() -> None:
    found = school_years.years(
        [date(2026, 9, 2), date(2026, 9, 1), date(2027, 8, 31)],
        [date(2027, 6, 10), date(2027, 6, 15)],
        starts="07-01",
    )
    assert found == [Year(date(2026, 9, 1), date(2027, 6, 15))]


def test_two_years_are_two() -> None:
    found = school_years.years(
        [date(2026, 9, 1), date(2025, 9, 2)], [date(2026, 6, 12), date(2027, 6, 15)], starts="07-01"
    )
    assert [year.first_on.year for year in found] == [2025, 2026]


def test_a_year_that_ends_before_it_begins_is_none() -> None:
    assert school_years.years([date(2027, 6, 15)], [date(2026, 9, 1)], starts="07-01") == []


def test_a_named_school_day_stands_before_a_break_and_a_break_before_a_holiday() -> None:
    told = [
        Range(date(2026, 9, 7), date(2026, 9, 7), DayKind.INSTRUCTIONAL),
        Range(date(2026, 9, 7), date(2026, 9, 9), DayKind.BREAK),
        Range(date(2026, 9, 8), date(2026, 9, 8), DayKind.HOLIDAY),
        Range(date(2026, 9, 9), date(2026, 9, 9), DayKind.HALF_DAY),
    ]
    days = calendars.days(school_years.ranges([Year(FIRST, LAST)], told, None))
    kinds = [days[None, date(2026, 9, day)] for day in (4, 7, 8, 9, 10)]
    assert kinds == ["instructional", "instructional", "break", "break", "instructional"]


def test_what_lies_outside_the_year_is_left_out_and_what_goes_over_its_end_is_cut() -> None:
    told = [
        Range(date(2026, 8, 3), date(2026, 8, 4), DayKind.BREAK),
        Range(date(2026, 9, 17), date(2026, 10, 2), DayKind.BREAK),
    ]
    days = calendars.days(school_years.ranges([Year(FIRST, LAST)], told, None))
    assert min(day for _, day in days) == FIRST
    assert max(day for _, day in days) == LAST
    assert days[None, date(2026, 9, 18)] == "break"
