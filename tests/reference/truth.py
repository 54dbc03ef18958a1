"""Everything that is true of a district, day by day."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from tests.reference import calendar, days, described, fleet, line_days, loans, need, schools, states


@dataclass(frozen=True)
class Truth:
    line_days: dict[tuple[date, int, str], line_days.LineDay]
    loan_days: dict[tuple[date, int], schools.LoanDay]
    school_days: dict[tuple[date, int], schools.SchoolDay]


def of(district: described.District, first: date, last: date) -> Truth:
    known = fleet.Fleet(district, first)
    calendars = calendar.Calendar(district)
    loan_days = {
        (day, loan.number): _loan_day(known, calendars, loan, day)
        for day in days.between(first, last)
        for loan in district.loans
        if loans.is_open(loan, day) and need.is_home_connection(district, loan)
    }
    return Truth(
        line_days=dict(_line_days(known, first, last)),
        loan_days=loan_days,
        school_days={
            (day, school.number): schools.of_day(
                district,
                calendars,
                school.number,
                day,
                [row for (on, _), row in loan_days.items() if on == day],
            )
            for day in days.between(first, last)
            for school in district.schools
        },
    )


def _line_days(
    known: fleet.Fleet, first: date, last: date
) -> Iterator[tuple[tuple[date, int, str], line_days.LineDay]]:
    for day in days.between(first, last):
        for line, account in known.sources:
            yield (day, line, account), known.line_day(line, account, day)


def _loan_day(
    known: fleet.Fleet, calendars: calendar.Calendar, loan: described.Loan, day: date
) -> schools.LoanDay:
    use = loans.of_day(known, calendars, loan, day)
    return schools.LoanDay(loan, use, states.of_day(known, loan, day, use))
