"""The district's figure, the gap, and how coverage lies over schools of more and of less need."""

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True)
class SchoolCoverage:
    need: int
    enrolled: int
    coverage: Fraction


def mean(schools: Sequence[SchoolCoverage]) -> Fraction | None:
    total = sum(school.need for school in schools)
    return sum((school.need * school.coverage for school in schools), Fraction(0)) / total if total else None


def gap(others: Sequence[SchoolCoverage], high_needs: Sequence[SchoolCoverage]) -> Fraction | None:
    low, high = mean(high_needs), mean(others)
    return None if low is None or high is None else high - low


def ratio(others: Sequence[SchoolCoverage], high_needs: Sequence[SchoolCoverage]) -> Fraction | None:
    low, high = mean(high_needs), mean(others)
    return low / high if low is not None and high else None


def relative_index(schools: Sequence[SchoolCoverage]) -> Fraction | None:
    """RCI as twice the covariance of coverage and rank over the mean; undefined at mean 0."""
    average = mean(schools)
    if not average:
        return None
    total = sum(school.need for school in schools)
    ranked = [
        (Fraction(school.need, total), midpoint(schools, school), school.coverage) for school in schools
    ]
    middle = sum((share * rank for share, rank, _ in ranked), Fraction(0))
    covariance = sum(
        (share * (rank - middle) * (value - average) for share, rank, value in ranked), Fraction(0)
    )
    return 2 * covariance / average


def absolute_index(schools: Sequence[SchoolCoverage]) -> Fraction | None:
    average, relative = mean(schools), relative_index(schools)
    if average == 0:
        return Fraction(0)
    return None if average is None or relative is None else relative * average


def midpoint(schools: Sequence[SchoolCoverage], school: SchoolCoverage) -> Fraction:
    """The middle of the school's place among the students in need, the neediest school first; ties share it."""
    total = sum(known.need for known in schools)
    share = rank(school)
    before = sum(known.need for known in schools if rank(known) > share)
    tied = sum(known.need for known in schools if rank(known) == share)
    return (before + Fraction(tied, 2)) / total


def rank(school: SchoolCoverage) -> Fraction:
    return Fraction(school.need, school.enrolled)


def attributable_risk(bands: Sequence[Sequence[SchoolCoverage]]) -> Fraction | None:
    """The best band's coverage less the district's."""
    average = mean([school for band in bands for school in band])
    known = [value for band in bands if (value := mean(band)) is not None]
    return None if average is None else max(known) - average
