"""Students of a school on a day, by the best state of their open loans, and the coverage that makes."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from tests.reference import calendar, described, loans, need, states

ORDER = ("adequate", "unknown", "weak", "exhausted", "idle", "never_used", "suspended")
FLOOR = 0.9


@dataclass(frozen=True)
class LoanDay:
    loan: described.Loan
    use: loans.Use
    judged: states.Judged


@dataclass(frozen=True)
class Counts:
    loaned: int
    active_30: int
    active_7: int
    by_state: dict[str, int]


@dataclass(frozen=True)
class SchoolDay:
    need: need.Need
    counts: Counts
    status: str
    completeness: float
    coverage: float | None
    low: float | None
    high: float | None
    is_need_exceeded: bool
    is_instructional: bool | None
    is_out_of_session: bool
    served_outside_need: int | None
    unattributed: int | None


def of_day(
    district: described.District,
    calendars: calendar.Calendar,
    school: int,
    day: date,
    loan_days: Iterable[LoanDay],
) -> SchoolDay:
    known = need.of_school(district, school, day)
    at_home = list(loan_days)
    if known.source == "answers":
        served = _by_student(district, day, known, at_home)
    else:
        served = _by_borrower(_presumed(district, school, day, at_home))
    counts = count(served)
    complete = _completeness(counts)
    return SchoolDay(
        need=known,
        counts=counts,
        status=_status(known, complete),
        completeness=complete,
        coverage=_coverage(known, counts, complete),
        low=_low(known, counts),
        high=_high(known, counts),
        is_need_exceeded=_is_exceeded(known, counts),
        is_instructional=calendars.is_instructional(school, day),
        is_out_of_session=calendars.is_out_of_session(school, day),
        served_outside_need=_outside(district, known, school, day, at_home),
        unattributed=_unattributed(district, known, school, day, at_home),
    )


def _presumed(district: described.District, school: int, day: date, rows: list[LoanDay]) -> list[LoanDay]:
    """What the school lent, but for what is known to be for students of a school that has asked them."""
    idle = _serving_nobody(district, day, rows)
    return [
        row
        for row in rows
        if row.loan.school == school
        and _school_of(district, row.loan, day) == school
        and (row.loan.borrower or row in idle)
    ]


def _by_borrower(rows: Iterable[LoanDay]) -> list[list[LoanDay]]:
    """One list per student; a loan that names nobody is a student of its own."""
    grouped: dict[object, list[LoanDay]] = {}
    for row in rows:
        grouped.setdefault(row.loan.borrower or row.loan.number, []).append(row)
    return list(grouped.values())


def _by_student(
    district: described.District, day: date, known: need.Need, rows: list[LoanDay]
) -> list[list[LoanDay]]:
    """The loans that serve each student in need: their own and, in household mode, their home's."""
    homes = {answer.student: answer.household for answer in need.valid(district, day)}
    served = [
        [row for row in rows if need.serves(district, row.loan, student, homes.get(student, ""))]
        for student in known.students
    ]
    return [found for found in served if found]


def count(served: list[list[LoanDay]]) -> Counts:
    best = [min((row.judged.state for row in rows), key=ORDER.index) for rows in served]
    return Counts(
        loaned=len(served),
        active_30=sum(1 for rows in served if any(row.use.is_used_30 for row in rows)),
        active_7=sum(1 for rows in served if any(row.use.is_used_7 for row in rows)),
        by_state={state: best.count(state) for state in ORDER},
    )


def _completeness(counts: Counts) -> float:
    return (counts.loaned - counts.by_state["unknown"]) / counts.loaned if counts.loaned else 1.0


def _status(known: need.Need, complete: float) -> str:
    if known.need is None:
        return "need_unknown"
    if known.need == 0:
        return "not_applicable"
    return "known" if complete >= FLOOR else "incomplete"


def _coverage(known: need.Need, counts: Counts, complete: float) -> float | None:
    if not known.need or complete < FLOOR:
        return None
    return min(counts.by_state["adequate"], known.need) / known.need


def _low(known: need.Need, counts: Counts) -> float | None:
    if not known.need or known.enrolled is None or known.answered is None:
        return None
    unanswered = max(0, known.enrolled - known.answered)
    return min(1.0, counts.by_state["adequate"] / (known.need + unanswered))


def _high(known: need.Need, counts: Counts) -> float | None:
    if not known.need:
        return None
    return min(1.0, (counts.by_state["adequate"] + counts.by_state["unknown"]) / known.need)


def _is_exceeded(known: need.Need, counts: Counts) -> bool:
    if known.need is None:
        return False
    return counts.by_state["adequate"] > known.need or (known.need == 0 and counts.loaned > 0)


def _outside(
    district: described.District, known: need.Need, school: int, day: date, rows: list[LoanDay]
) -> int | None:
    """Borrowers of loans that serve no student in need, at their own school."""
    if known.source != "answers":
        return None
    idle = _serving_nobody(district, day, rows)
    return len(
        {
            row.loan.borrower
            for row in idle
            if row.loan.borrower and _school_of(district, row.loan, day) == school
        }
    )


def _unattributed(
    district: described.District, known: need.Need, school: int, day: date, rows: list[LoanDay]
) -> int | None:
    if known.source != "answers":
        return None
    idle = _serving_nobody(district, day, rows)
    return sum(1 for row in idle if row.loan.school == school and not row.loan.borrower)


def _serving_nobody(district: described.District, day: date, rows: list[LoanDay]) -> list[LoanDay]:
    in_need = [
        answer
        for answer in need.valid(district, day)
        if need.is_usable(answer)
        and need.is_in_need(district, answer)
        and need.school_of(district, answer, day) is not None
    ]
    return [
        row
        for row in rows
        if not any(need.serves(district, row.loan, answer.student, answer.household) for answer in in_need)
    ]


def _school_of(district: described.District, loan: described.Loan, day: date) -> int:
    """The borrower's own, where it has asked its students; else the one that lent."""
    own = _borrowers_school(district, loan, day)
    if own is None or need.of_school(district, own, day).source != "answers":
        return loan.school
    return own


def _borrowers_school(district: described.District, loan: described.Loan, day: date) -> int | None:
    """By the roster, else by the answer."""
    rows = [row for row in district.enrollments if row.student == loan.borrower]
    if rows:
        return next((row.school for row in rows if need.is_there(row, day)), None)
    told = [answer for answer in need.valid(district, day) if answer.student == loan.borrower]
    return next((answer.school for answer in told if need.is_usable(answer)), None)
