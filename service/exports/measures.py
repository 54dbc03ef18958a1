"""How far measures of equity may be off where schools are told as ranges: what each is at least and at most."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
from numpy import typing as npt

from service.exports import shares
from service.exports.published import Number
from service.model.protection import Cell

UNDIRECTED = "about, direction unknown"  # the symbol of a figure that may lie on either side of none
_NONE = {"coverage_ratio": 1.0}  # of the others, 0 is neither more nor less

Bounds = tuple[float, float]
_Numbers = npt.NDArray[np.double]


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
    pairs = _Pairs(schools, total)
    found = [pairs.of(at) for at in range(len(schools) - 1)]
    return max(-1.0, math.fsum(low for low, _ in found)), min(1.0, math.fsum(high for _, high in found))


class _Pairs:
    """Every pair of schools: thousands of schools make millions of them."""

    def __init__(self, schools: Sequence[School], total: Cell) -> None:
        self._total = total
        self._least = np.array([one.need.least for one in schools], dtype=np.int64)
        self._most = np.array([one.need.most for one in schools], dtype=np.int64)
        self._enrolled = np.array([one.enrolled for one in schools], dtype=np.int64)
        coverages = [one.coverage for one in schools]
        self._low = np.array([float(one.least) for one in coverages])
        self._high = np.array([float(one.most) for one in coverages])

    def of(self, at: int) -> Bounds:
        """The sum over the pairs of a school with those after it."""
        others = slice(at + 1, None)
        low, high = self._signed(at, others)
        light = self._least[at] * self._least[others] / self._total.most**2
        heavy = np.minimum(0.25, self._most[at] * self._most[others] / self._total.least**2)
        return (
            float(np.minimum(low * light, low * heavy).sum()),
            float(np.maximum(high * light, high * heavy).sum()),
        )

    def _signed(self, at: int, others: slice) -> tuple[_Numbers, _Numbers]:
        """How far apart their coverages are, the less needy one's first; either way where the ranges leave open
        which it is, and 0 where both are alike."""
        least, most = self._low[others] - self._high[at], self._high[others] - self._low[at]
        mine = self._least[at] * self._enrolled[others], self._most[at] * self._enrolled[others]
        its = self._least[others] * self._enrolled[at], self._most[others] * self._enrolled[at]
        needier, less = mine[0] > its[1], mine[1] < its[0]
        alike = (mine[0] == its[0]) & (mine[1] == its[1]) & (mine[0] == mine[1])
        widest = np.maximum(np.abs(least), np.abs(most))
        none = np.zeros_like(widest)
        return (
            np.select([needier, less, alike], [least, -most, none], -widest),
            np.select([needier, less, alike], [most, -least, none], widest),
        )


def relative(found: Bounds | None, schools: Sequence[School]) -> Bounds | None:
    """The absolute one by the mean coverage."""
    mean = shares.together([(one.need, one.adequate) for one in schools])
    if found is None or mean is None or not mean.least:
        return None
    by = (float(mean.least), float(mean.most))
    return max(-1.0, min(found[0] / one for one in by)), min(1.0, max(found[1] / one for one in by))
