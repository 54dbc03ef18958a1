"""What a coordinator is told of a school's answers, and what is odd about an import."""

from datetime import date

import pytest

from service.model import need

YEAR_ENDS_ON = date(2027, 6, 30)


def remark(
    *,
    ratio: float | None = 0.8,
    valid: int = 100,
    expiring: int = 0,
    expired: int = 0,
    source: str | None = "answers",
) -> str:
    return need.remark(
        source=source,
        response_ratio=ratio,
        valid=valid,
        expiring=expiring,
        expired=expired,
        year_ends_on=YEAR_ENDS_ON,
    )


def test_good_answers_need_no_remark() -> None:
    assert remark(ratio=0.7) == ""


def test_below_seventy_percent_is_stale() -> None:
    assert remark(ratio=0.694) == "stale: 69.4% answered, below 70%"


@pytest.mark.parametrize(("expiring", "is_stale"), [(50, False), (51, True)])
def test_answers_most_of_which_end_with_the_school_year_are_stale(expiring: int, is_stale: bool) -> None:
    told = f"stale: {expiring} answers hold only until 2027-06-30"
    assert remark(expiring=expiring) == (told if is_stale else "")


def test_nobody_asked_is_not_the_same_as_asked_too_long_ago() -> None:
    assert remark(source=None, ratio=None) == "need is unknown: nobody was asked"
    assert remark(source=None, ratio=None, expired=1200) == "need is unknown: 1,200 answers are too old"


def test_without_the_enrolled_no_ratio_is_told() -> None:
    assert remark(ratio=None) == "how many are enrolled is not known: import the roster"
    assert remark(ratio=1.01) == "more have answered than are enrolled: import the roster again"


def doubts(in_roster: int, with_loan: int, *, roster: int = 800, borrowers: int = 40) -> list[str]:
    return need.doubts(
        students=512, in_roster=in_roster, roster=roster, with_loan=with_loan, borrowers=borrowers
    )


def test_students_whom_nobody_knows_have_perhaps_another_number() -> None:
    assert doubts(0, 0) == [
        "none of the 512 students is in the roster: is it the same number?",
        "none of the 512 students has an open loan: do the loans have the same number?",
    ]


def test_some_students_may_be_missing_in_the_roster() -> None:
    assert doubts(500, 3) == ["12 student(s) not in the roster: each counts at the school of their answer"]


def test_without_roster_and_loans_there_is_nothing_to_doubt() -> None:
    assert doubts(0, 0, roster=0, borrowers=0) == []
    assert doubts(512, 1) == []
