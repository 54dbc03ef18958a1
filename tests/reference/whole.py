"""The district's figures on a day, over the schools whose need is known."""

from collections.abc import Iterable
from dataclasses import dataclass

from tests.reference.schools import SchoolDay


@dataclass(frozen=True)
class DistrictDay:
    schools_with_need: int
    schools_without_need: int
    need: int | None
    loaned: int | None
    adequate: int | None
    covered: int | None  # a surplus at one school never hides a shortage at another
    unserved: int | None
    coverage: float | None  # whatever the completeness


def of_schools(rows: Iterable[SchoolDay]) -> DistrictDay:
    every = list(rows)
    known = [(row.need.need, row.counts) for row in every if row.need.need is not None]
    if not known:
        return DistrictDay(0, len(every), None, None, None, None, None, None)
    need = sum(needed for needed, _ in known)
    covered = sum(min(counts.by_state["adequate"], needed) for needed, counts in known)
    return DistrictDay(
        schools_with_need=len(known),
        schools_without_need=len(every) - len(known),
        need=need,
        loaned=sum(counts.loaned for _, counts in known),
        adequate=sum(counts.by_state["adequate"] for _, counts in known),
        covered=covered,
        unserved=sum(max(0, needed - counts.loaned) for needed, counts in known),
        coverage=covered / need if need else None,
    )
