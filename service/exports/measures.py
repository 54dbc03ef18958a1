"""How far measures of equity may be off where schools are told as ranges: what each is at least and at most."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from service.exports import shares
from service.exports.published import Number
from service.model.protection import Cell

UNDIRECTED = "about, direction unknown"  # the symbol of a figure that may lie on either side of none
_NONE = {"coverage_ratio": 1.0}  # of the others, 0 is neither more nor less

Bounds = tuple[float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    need: Cell
    adequate: Cell
    enrolled: int

    @property
    def coverage(self) -> shares.Span:
        """Somewhere from nothing to all, where nobody need be in need."""
        return shares.together([(self.need, self.adequate)]) or shares.Span(Fraction(0), Fraction(1))


def number(name: str, value: float, bounds: Bounds | None, *, is_about: bool) -> Number:
    """To two decimals, its bounds outward."""
    told = shares.rounded(value, 2)
    if not is_about:
        return Number(value=told, least=told, most=told)
    if bounds is None:
        return Number(value=told, symbol=UNDIRECTED)
    least, most = min(told, _down(bounds[0])), max(told, _up(bounds[1]))
    return Number(value=told, least=least, most=most, symbol=direction(least, most, _NONE.get(name, 0.0)))


def direction(least: float, most: float, none: float = 0.0) -> str:
    return UNDIRECTED if least <= none <= most else shares.ABOUT


def _down(value: float) -> float:
    return math.floor(round(value * 100, 6)) / 100 + 0.0


def _up(value: float) -> float:
    return math.ceil(round(value * 100, 6)) / 100 + 0.0


def ends(number_: Number) -> Bounds | None:
    if number_.least is None or number_.most is None:
        return None
    return number_.least, number_.most


def gap(others: Number, needy: Number) -> Bounds | None:
    high, low = ends(others), ends(needy)
    return None if high is None or low is None else (high[0] - low[1], high[1] - low[0])


def ratio(others: Number, needy: Number) -> Bounds | None:
    high, low = ends(others), ends(needy)
    if high is None or low is None or high[0] <= 0:
        return None
    return low[0] / high[1], low[1] / high[0]


def risk(bands: Sequence[Number], district: Number) -> Bounds | None:
    """Of the best band less the district."""
    told, all_ = [found for band in bands if (found := ends(band))], ends(district)
    if not told or all_ is None:
        return None
    return max(low for low, _ in told) - all_[1], max(high for _, high in told) - all_[0]


def absolute(schools: Sequence[School]) -> Bounds | None:
    """Of the concentration index: the sum over pairs of schools of both their shares of the students in need times the
    less needy one's coverage less the needier one's."""
    total = Cell(sum(one.need.least for one in schools), sum(one.need.most for one in schools))
    if not total.least:
        return None
    least = most = 0.0
    told = [(one, float(one.coverage.least), float(one.coverage.most)) for one in schools]
    for (one, low, high), (other, its_low, its_high) in itertools.combinations(told, 2):
        weights = (
            one.need.least * other.need.least / total.most**2,
            min(0.25, one.need.most * other.need.most / total.least**2),
        )
        apart = _signed(_order(one, other), its_low - high, its_high - low)
        least += min(apart[0] * weight for weight in weights)
        most += max(apart[1] * weight for weight in weights)
    return max(-1.0, least), min(1.0, most)


def _order(one: School, other: School) -> int | None:
    """1: the one is needier for certain; -1: the other; 0: they are alike; None: the ranges leave it open."""
    mine = one.need.least * other.enrolled, one.need.most * other.enrolled
    its = other.need.least * one.enrolled, other.need.most * one.enrolled
    if mine[0] > its[1]:
        return 1
    if mine[1] < its[0]:
        return -1
    return 0 if mine == its and mine[0] == mine[1] else None


def _signed(order: int | None, least: float, most: float) -> Bounds:
    if order is None:
        widest = max(abs(least), abs(most))
        return -widest, widest
    return (least, most) if order > 0 else (-most, -least) if order < 0 else (0.0, 0.0)


def relative(schools: Sequence[School]) -> Bounds | None:
    """The same by the mean coverage."""
    found, mean = absolute(schools), shares.together([(one.need, one.adequate) for one in schools])
    if found is None or mean is None or not mean.least:
        return None
    by = (float(mean.least), float(mean.most))
    return max(-1.0, min(found[0] / one for one in by)), min(1.0, max(found[1] / one for one in by))
