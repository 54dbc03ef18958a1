"""What a student's answer can say, and what the answers of a school are worth."""

from datetime import date
from enum import StrEnum

LOW_RESPONSE = 0.7  # SETDA's survey of states calls 70 % and above a high response


class AccessType(StrEnum):
    RESIDENTIAL_BROADBAND = "residential_broadband"
    CELLULAR_NETWORK = "cellular_network"
    HOT_SPOT = "hot_spot"
    COMMUNITY_WIFI = "community_wifi"
    SATELLITE = "satellite"
    DIAL_UP = "dial_up"
    OTHER = "other"
    NONE = "none"
    UNKNOWN = "unknown"


class Barrier(StrEnum):
    NOT_AVAILABLE = "not_available"
    NOT_AFFORDABLE = "not_affordable"
    NOT_DESIRED = "not_desired"
    OTHER = "other"


class Performance(StrEnum):
    YES = "yes"
    SOMETIMES = "sometimes"
    NO = "no"


def remark(
    *,
    source: str | None,
    response_ratio: float | None,
    valid: int,
    expiring: int,
    expired: int,
    year_ends_on: date,
) -> str:
    """What a coordinator should know of a school's answers, the gravest first; '' where they are good.

    Of the ``valid`` answers ``expiring`` are of the school year before, and hold to the end of this one only;
    ``expired`` hold no longer.
    """
    if source is None:
        return (
            f"need is unknown: {expired:,} answers are too old"
            if expired
            else "need is unknown: nobody was asked"
        )
    if response_ratio is None:
        return "how many are enrolled is not known: import the roster"
    if response_ratio > 1:
        return "more have answered than are enrolled: import the roster again"
    if response_ratio < LOW_RESPONSE:
        return f"stale: {response_ratio:.1%} answered, below {LOW_RESPONSE:.0%}"
    if 2 * expiring > valid:
        return f"stale: {expiring:,} answers hold only until {year_ends_on}"
    return ""


def doubts(*, students: int, in_roster: int, roster: int, with_loan: int, borrowers: int) -> list[str]:
    """What is odd about the ``students`` who answered, beside those of the roster and of the open loans.

    Where none of them is known, the number is most likely another one than in the other files.
    """
    found = []
    if students and roster and not in_roster:
        found.append(f"none of the {students:,} students is in the roster: is it the same number?")
    elif roster and in_roster < students:
        missing = students - in_roster
        found.append(f"{missing:,} student(s) not in the roster: each counts at the school of their answer")
    if students and borrowers and not with_loan:
        found.append(
            f"none of the {students:,} students has an open loan: do the loans have the same number?"
        )
    return found
