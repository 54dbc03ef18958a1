"""How coverage lies over schools of more and of less need, each measure with what it was made of.

What cannot be told is None with a reason, never 0.
"""

import itertools
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from service.model import high_needs

COMPLETENESS_FLOOR = 0.9


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """A school on a day. ``coverage`` None: not known, or no student in need."""

    ncessch: str
    name: str
    enrolled: int | None = None
    need: int | None = None
    loaned: int = 0
    adequate: int = 0
    unknown: int = 0
    coverage: float | None = None
    is_high_needs: bool | None = None
    high_needs_basis: str | None = None
    indicator: str | None = None
    indicator_value: float | None = None
    indicator_year: str | None = None
    waitlist: int | None = None

    @property
    def covered(self) -> int | None:
        return None if self.need is None else min(self.adequate, self.need)

    @property
    def unserved(self) -> int | None:
        return None if self.need is None else max(0, self.need - self.loaned)

    @property
    def need_share(self) -> float | None:
        """What schools are ranked by."""
        return self.need / self.enrolled if self.need is not None and self.enrolled else None

    @property
    def basis(self) -> tuple[str, str] | None:
        """The indicator and its year: schools of different bases are never compared by it."""
        if self.indicator is None or self.indicator_value is None:
            return None
        return self.indicator, self.indicator_year or "year not told"


@dataclass(frozen=True, slots=True)
class Measure:
    """``value`` None: it is undefined, and ``reason`` says why."""

    value: float | None
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Schools as one, those of unknown need left out: a surplus at one never hides a shortage at another."""

    schools: int = 0
    schools_without_need: int = 0
    need: int = 0
    covered: int = 0
    loaned: int = 0
    unknown: int = 0
    coverage: Measure


@dataclass(frozen=True, slots=True, kw_only=True)
class Ranked:
    """A school's place among the students in need, the neediest school first; ties share their midpoint."""

    school: School
    coverage: float
    share: float  # of the students in need: p
    midpoint: float  # of the cumulative share: X


@dataclass(frozen=True, slots=True)
class LeftOut:
    school: School
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Concentration:
    absolute: Measure
    relative: Measure
    mean: float | None  # coverage of the ranked schools together
    ranked: tuple[Ranked, ...]
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True)
class Band:
    name: str
    group: Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """Population attributable risk: the best band's coverage less the district's."""

    value: Measure
    basis: tuple[str, str] | None  # indicator and year
    bands: tuple[Band, ...]  # the four, the least needy first
    best: Band | None
    left_out: tuple[LeftOut, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Equity:
    district: Group
    high_needs: Group
    others: Group
    unmarked: tuple[School, ...]  # not told whether high-needs: in neither group
    bases: tuple[str, ...]  # of the high-needs list
    gap: Measure
    ratio: Measure
    concentration: Concentration
    risk: Risk


def of(schools: Iterable[School], *, floor: float = COMPLETENESS_FLOOR) -> Equity:
    known = list(schools)
    district = group(known, floor=floor)
    needy = group([school for school in known if school.is_high_needs], floor=floor)
    others = group([school for school in known if school.is_high_needs is False], floor=floor)
    return Equity(
        district=district,
        high_needs=needy,
        others=others,
        unmarked=tuple(school for school in known if school.is_high_needs is None),
        bases=tuple(sorted({s.high_needs_basis for s in known if s.is_high_needs and s.high_needs_basis})),
        gap=_of_both(others, needy, lambda high, low: high - low),
        ratio=_ratio(others, needy),
        concentration=concentration(known),
        risk=risk(known, district, floor=floor),
    )


def group(schools: Sequence[School], *, floor: float = COMPLETENESS_FLOOR) -> Group:
    known = [school for school in schools if school.need is not None]
    need = sum(school.need or 0 for school in known)
    covered = sum(school.covered or 0 for school in known)
    loaned = sum(school.loaned for school in known)
    unknown = sum(school.unknown for school in known)
    return Group(
        schools=len(known),
        schools_without_need=len(schools) - len(known),
        need=need,
        covered=covered,
        loaned=loaned,
        unknown=unknown,
        coverage=_coverage(known, need, covered, 1 - unknown / loaned if loaned else 1.0, floor),
    )


def _coverage(known: Sequence[School], need: int, covered: int, completeness: float, floor: float) -> Measure:
    if not known:
        return Measure(None, "no school of known need")
    if not need:
        return Measure(None, "no student in need")
    if completeness < floor:
        return Measure(
            None, f"only {completeness:.1%} of its loans have reported, and {floor:.0%} are needed"
        )
    return Measure(covered / need)


def _of_both(others: Group, needy: Group, made: Callable[[float, float], float]) -> Measure:
    high, low = others.coverage.value, needy.coverage.value
    if low is None:
        return Measure(None, f"coverage of the high-needs schools is not told: {needy.coverage.reason}")
    if high is None:
        return Measure(None, f"coverage of the other schools is not told: {others.coverage.reason}")
    return Measure(made(high, low))


def _ratio(others: Group, needy: Group) -> Measure:
    if others.coverage.value == 0 and needy.coverage.value is not None:
        return Measure(None, "coverage of the other schools is 0")
    return _of_both(others, needy, lambda high, low: low / high)


def concentration(schools: Iterable[School]) -> Concentration:
    """ACI = sum of p (2 X - 1) y, and RCI = ACI / mean (WHO HEAT)."""
    placed, left_out = [], []
    for school in schools:
        reason = _unranked(school)
        if reason is None:
            placed.append(school)
        else:
            left_out.append(LeftOut(school, reason))
    ranked = _ranked(placed)
    if not ranked:
        none = Measure(None, "no school has a known coverage, a known need and a known enrolment")
        return Concentration(absolute=none, relative=none, mean=None, ranked=(), left_out=tuple(left_out))
    absolute = sum(one.share * (2 * one.midpoint - 1) * one.coverage for one in ranked)
    mean = sum(one.share * one.coverage for one in ranked)
    relative = Measure(absolute / mean) if mean else Measure(None, "mean coverage is 0")
    return Concentration(
        absolute=Measure(absolute),
        relative=relative,
        mean=mean,
        ranked=ranked,
        left_out=tuple(left_out),
    )


def _unranked(school: School) -> str | None:
    if school.need is None:
        return "need is not known"
    if school.need == 0:
        return "no student is in need"
    if school.coverage is None:
        return "coverage is not known"
    return "enrolment is not known" if not school.enrolled else None


def _ranked(schools: Iterable[School]) -> tuple[Ranked, ...]:
    ordered = sorted(schools, key=lambda school: (-(school.need_share or 0), school.ncessch))
    total = sum(school.need or 0 for school in ordered)
    found: list[Ranked] = []
    before = 0
    for _, ties in itertools.groupby(ordered, key=lambda school: school.need_share):
        tied = list(ties)
        together = sum(school.need or 0 for school in tied)
        midpoint = (before + together / 2) / total
        found += [
            Ranked(
                school=school,
                coverage=school.coverage or 0.0,
                share=(school.need or 0) / total,
                midpoint=midpoint,
            )
            for school in tied
        ]
        before += together
    return tuple(found)


def risk(schools: Sequence[School], district: Group, *, floor: float = COMPLETENESS_FLOOR) -> Risk:
    """Over the bands of one basis: the one that most students in need are in."""
    basis = _main_basis(schools)
    inside = [school for school in schools if basis is not None and school.basis == basis]
    bands = tuple(
        Band(name, group([s for s in inside if high_needs.band(s.indicator_value or 0) == name], floor=floor))
        for name in high_needs.BANDS
    )
    told = [band for band in bands if band.group.coverage.value is not None]
    best = max(told, key=lambda band: band.group.coverage.value or 0, default=None)
    return Risk(
        value=_risk(basis, best, district),
        basis=basis,
        bands=bands if basis else (),
        best=best,
        left_out=tuple(LeftOut(s, _unbanded(s)) for s in schools if s.basis != basis) if basis else (),
    )


def _main_basis(schools: Iterable[School]) -> tuple[str, str] | None:
    need: dict[tuple[str, str], int] = {}
    for school in schools:
        if school.basis is not None:
            need[school.basis] = need.get(school.basis, 0) + (school.need or 0)
    return min(need, key=lambda basis: (-need[basis], basis), default=None)


def _unbanded(school: School) -> str:
    if school.indicator is None:
        return "no indicator is told"
    if school.indicator_value is None:
        return f"its indicator ({school.indicator}) has no number"
    return f"its indicator is {' of '.join(school.basis or ())}"


def _risk(basis: tuple[str, str] | None, best: Band | None, district: Group) -> Measure:
    if basis is None:
        return Measure(None, "no school has an indicator of need with a number")
    if best is None or best.group.coverage.value is None:
        return Measure(None, "no band has a known coverage")
    if district.coverage.value is None:
        return Measure(None, f"coverage of the district is not told: {district.coverage.reason}")
    return Measure(best.group.coverage.value - district.coverage.value)


def curve(ranked: Sequence[Ranked]) -> tuple[tuple[float, float], ...]:
    """The concentration curve: cumulative share of students in need, the neediest school first, and of those covered.

    Ties are one step. The relative index is 1 - 2 x the area under it.
    """
    total = sum(one.share * one.coverage for one in ranked)
    points = [(0.0, 0.0)]
    for _, ties in itertools.groupby(ranked, key=lambda one: one.midpoint):
        x, y = points[-1]
        tied = list(ties)
        step = sum(one.share * one.coverage for one in tied)
        points.append((x + sum(one.share for one in tied), y + (step / total if total else 0.0)))
    return tuple(points)
