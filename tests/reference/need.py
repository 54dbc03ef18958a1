"""Who is in need on a day: by each student's answer, else by the school's totals."""

from dataclasses import dataclass
from datetime import date

from tests.reference import days, described, loans

CANNOT = ("none", "dial_up", "cellular_network")
NEVER_AT_HOME = ("bus_router", "laptop")


@dataclass(frozen=True)
class Need:
    source: str | None
    enrolled: int | None = None
    answered: int | None = None
    need: int | None = None
    students: frozenset[str] = frozenset()  # in need; only where answers tell


def of_school(district: described.District, school: int, day: date) -> Need:
    answers = [answer for answer in valid(district, day) if school_of(district, answer, day) == school]
    usable = [answer for answer in answers if is_usable(answer)]
    enrolled = _enrolled(district, school, day)
    total = _latest_total(district, school, day)
    if usable:
        students = frozenset(answer.student for answer in usable if is_in_need(district, answer))
        known = enrolled or (total.enrolled if total else None)
        return Need("answers", known, len(usable), len(students), students)
    if total:
        return Need("totals", total.enrolled, total.answered, total.need)
    return Need(None, enrolled)


def _latest_total(district: described.District, school: int, day: date) -> described.NeedTotal | None:
    told = [total for total in district.totals if total.school == school and total.as_of_on <= day]
    last = max(told, key=lambda total: total.as_of_on, default=None)
    return last if last and day <= days.valid_until(last.as_of_on, district.school_year_starts) else None


def _enrolled(district: described.District, school: int, day: date) -> int | None:
    students = {row.student for row in district.enrollments if row.school == school and is_there(row, day)}
    return len(students) or None


def valid(district: described.District, day: date) -> list[described.Answer]:
    """Each student's newest answer, where it still counts."""
    newest: dict[str, described.Answer] = {}
    for answer in sorted(district.answers, key=lambda answer: answer.answered_on):
        if answer.answered_on <= day:
            newest[answer.student] = answer
    year = district.school_year_starts
    return [answer for answer in newest.values() if day <= days.valid_until(answer.answered_on, year)]


def school_of(district: described.District, answer: described.Answer, day: date) -> int | None:
    rows = [row for row in district.enrollments if row.student == answer.student]
    if not rows:
        return answer.school
    return next((row.school for row in rows if is_there(row, day)), None)


def is_usable(answer: described.Answer) -> bool:
    has_type = answer.access_type not in (None, described.UNKNOWN_ACCESS)
    return answer.has_access is not None or has_type or answer.performance is not None or answer.is_documented


def is_in_need(district: described.District, answer: described.Answer) -> bool:
    cannot = answer.has_access is False or answer.access_type in CANNOT or answer.performance == "no"
    return cannot or answer.is_documented or is_our_hotspot(district, answer)


def is_our_hotspot(district: described.District, answer: described.Answer) -> bool:
    """A loan of ours was open when the student said that the access is a hotspot."""
    return answer.access_type == "hot_spot" and any(
        loans.is_open(loan, answer.answered_on)
        and is_home_connection(district, loan)
        and serves(district, loan, answer.student, answer.household)
        for loan in district.loans
    )


def is_home_connection(district: described.District, loan: described.Loan) -> bool:
    kind = next(device.kind for device in district.devices if device.number == loan.device)
    return kind not in NEVER_AT_HOME


def serves(district: described.District, loan: described.Loan, student: str, household: str) -> bool:
    at_home = district.need_mode == "household" and household != "" and loan.household == household
    return loan.borrower == student or at_home


def is_there(row: described.Enrollment, day: date) -> bool:
    return row.starts_on <= day and (row.ends_on is None or day < row.ends_on)
