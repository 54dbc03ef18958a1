"""Which school gets the next hotspots: one at a time to where most students in need have none."""

import heapq
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from service.model import equity

HIGH_NEEDS_FIRST = "high-needs first"
LONGER_WAITLIST = "longer waitlist"
LOWER_ID = "lower NCES id"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """What one school gets, and what it may buy. Students are whole, an estimate is not."""

    school: equity.School
    hotspots: int
    unserved_before: int  # after the reclaim
    unserved_after: int
    ties: tuple[str, ...]  # what decided where schools had the same unserved need
    is_own_rate: bool  # the estimate is made with the school's own share of adequate loans
    rate: float | None  # None: no loan's state is known anywhere
    most_gained: int  # students, if every hotspot becomes adequate: an upper bound
    likely_gained: float | None  # students, at ``rate``

    @property
    def reason(self) -> str:
        said = f"{self.unserved_before:,} of {self.school.need or 0:,} students in need without a loan"
        return f"{said}; ties: {', '.join(self.ties)}" if self.ties else said

    def coverage_with(self, gained: float | None) -> float | None:
        """None: coverage before is not known, or nothing is gained that could be told."""
        if self.school.coverage is None or gained is None or not self.school.need:
            return None
        return ((self.school.covered or 0) + gained) / self.school.need


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    asked: int
    shares: tuple[Share, ...]  # the largest share first
    left_over: int  # no school has an unserved need for these
    unserved_before: int
    unserved_after: int
    without_need: tuple[equity.School, ...]  # their need is not known: they can get none
    before: equity.Measure  # the district's coverage
    at_most: float | None
    likely: float | None


@dataclass(slots=True)
class _Waiting:
    school: equity.School
    unserved: int
    hotspots: int = 0
    ties: set[str] = field(default_factory=set)


def plan(
    schools: Iterable[equity.School],
    hotspots: int,
    *,
    reclaimed: Mapping[str, int] | None = None,
    floor: float = equity.COMPLETENESS_FLOOR,
) -> Plan:
    """``reclaimed``: by NCESSCH, students in need whose loan is taken back first."""
    known = list(schools)
    waiting = [_waiting(school, (reclaimed or {}).get(school.ncessch, 0)) for school in known]
    queue = [one for one in waiting if one is not None]
    before = sum(one.unserved for one in queue)
    given = _give(queue, hotspots)
    rate = _rate(known)
    shares = tuple(_share(one, rate) for one in sorted(queue, key=_by_share) if one.hotspots)
    district = equity.group(known, floor=floor)
    return Plan(
        asked=hotspots,
        shares=shares,
        left_over=hotspots - given,
        unserved_before=before,
        unserved_after=before - given,
        without_need=tuple(school for school in known if school.need is None),
        before=district.coverage,
        at_most=_coverage(district, [share.most_gained for share in shares]),
        likely=_coverage(district, [share.likely_gained for share in shares]),
    )


def _waiting(school: equity.School, reclaimed: int) -> _Waiting | None:
    if school.need is None:
        return None
    return _Waiting(school, max(0, school.need - max(0, school.loaned - reclaimed)))


def _give(queue: Iterable[_Waiting], hotspots: int) -> int:
    """One at a time; returns how many were given."""
    heap = [(_order(one), one) for one in queue if one.unserved]
    heapq.heapify(heap)
    for given in range(hotspots):
        if not heap:
            return given
        _, one = heap[0]
        _note_tie(one, heap)
        one.hotspots += 1
        one.unserved -= 1
        if one.unserved:
            heapq.heapreplace(heap, (_order(one), one))
        else:
            heapq.heappop(heap)
    return hotspots


_Order = tuple[int, bool, int, str]


def _order(one: _Waiting) -> _Order:
    return (
        -one.unserved,
        one.school.is_high_needs is not True,
        -(one.school.waitlist or 0),
        one.school.ncessch,
    )


def _note_tie(one: _Waiting, heap: list[tuple[_Order, _Waiting]]) -> None:
    """The one that comes next is among the first three of a heap."""
    after = min((order for order, _ in heap[1:3]), default=None)
    first = heap[0][0]
    if after is None or after[0] != first[0]:
        return
    if after[1] != first[1]:
        one.ties.add(HIGH_NEEDS_FIRST)
    else:
        one.ties.add(LONGER_WAITLIST if after[2] != first[2] else LOWER_ID)


def _rate(schools: Iterable[equity.School]) -> float | None:
    """The share of adequate among loans whose state is known."""
    known = list(schools)
    loaned = sum(school.loaned - school.unknown for school in known)
    return sum(school.adequate for school in known) / loaned if loaned else None


def _share(one: _Waiting, district_rate: float | None) -> Share:
    school = one.school
    own = _rate([school])
    rate = district_rate if own is None else own
    unmet = (school.need or 0) - (school.covered or 0)
    return Share(
        school=school,
        hotspots=one.hotspots,
        unserved_before=one.unserved + one.hotspots,
        unserved_after=one.unserved,
        ties=tuple(name for name in (HIGH_NEEDS_FIRST, LONGER_WAITLIST, LOWER_ID) if name in one.ties),
        is_own_rate=own is not None,
        rate=rate,
        most_gained=min(one.hotspots, unmet),
        likely_gained=None if rate is None else min(one.hotspots * rate, unmet),
    )


def _by_share(one: _Waiting) -> tuple[int, _Order]:
    return -one.hotspots, _order(one)


def _coverage(district: equity.Group, gained: Iterable[float | None]) -> float | None:
    told = list(gained)
    if district.coverage.value is None or None in told:
        return None
    return (district.covered + sum(amount or 0 for amount in told)) / district.need
