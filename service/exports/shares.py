"""Counts, and shares of counts, as they can be told from what is published: exactly, between bounds, or not at all."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fractions import Fraction

from service.exports.published import Number
from service.model import protection
from service.model.protection import Cell

UNKNOWN = "unknown"
WITHHELD = "withheld"
HIDDEN = "*"  # strict: beside a small count, or made of one
NOT_APPLICABLE = "not applicable"
INCOMPLETE = "incomplete"
NO_DAY = "no figure day"
ABOUT = "about"
LOW, HIGH = "<5%", ">95%"
_LOW, _HIGH = Fraction(1, 20), Fraction(19, 20)


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    is_strict: bool = False
    min_n: int = protection.SMALLEST_FREE
    floor: float = 0.9  # completeness below which coverage is not told

    @property
    def fewest(self) -> int:
        """Devices and students that an average is told of."""
        return max(protection.SMALLEST_FREE, self.min_n if self.is_strict else 0)


@dataclass(frozen=True, slots=True)
class Span:
    """What a share lies between."""

    least: Fraction
    most: Fraction

    @property
    def is_exact(self) -> bool:
        return self.least == self.most

    @property
    def middle(self) -> Fraction:
        return (self.least + self.most) / 2


def span(above: Cell, below: Cell, *, highest: int | None = 1) -> Span:
    """A count by another that is above 0."""
    least = Fraction(above.least, max(1, below.most))
    most = Fraction(above.most, max(1, below.least))
    return (
        Span(least, most)
        if highest is None
        else Span(min(least, Fraction(highest)), min(most, Fraction(highest)))
    )


def count(cell: Cell, terms: Terms) -> Number:
    if cell.is_exact:
        return Number(value=cell.least, least=cell.least, most=cell.most)
    symbol = f"{cell.least} to {cell.most}"
    if terms.is_strict and cell.least == 0:
        symbol = f"n<{cell.most + 1}" if cell.most < terms.min_n else f"at most {cell.most}"
    return Number(least=cell.least, most=cell.most, symbol=symbol)


def share(told: Span) -> Number:
    """Exactly, or between whole percents rounded outward."""
    if told.is_exact:
        value = round(float(told.least), 4)
        return Number(value=value, least=value, most=value)
    least, most = outward(told)
    return Number(least=least, most=most, symbol=f"{least:.0%} to {most:.0%}")


def outward(told: Span) -> tuple[float, float]:
    return math.floor(told.least * 100) / 100, math.ceil(told.most * 100) / 100


def hidden(told: Span | None) -> Number:
    """Strict: a share of a count that is not told exactly."""
    if told is not None and told.least > _HIGH:
        return Number(least=float(_HIGH), most=1.0, symbol=HIGH)
    if told is not None and told.most < _LOW:
        return Number(least=0.0, most=float(_LOW), symbol=LOW)
    return Number(symbol=HIDDEN)


def band(told: protection.Band, terms: Terms) -> Number:
    is_low, is_high = told.low == 0, told.high == 1
    if terms.is_strict and not (is_low or is_high):
        return Number(symbol=HIDDEN)
    symbol = LOW if is_low else HIGH if is_high else f"{told.low:.0%} to {told.high:.0%}"
    return Number(least=told.low, most=told.high, symbol=symbol)


def about(middle: Fraction | float, bounds: tuple[float, float] | None, *, digits: int = 2) -> Number:
    """A figure made of middles."""
    least, most = bounds or (None, None)
    return Number(value=rounded(middle, digits), least=least, most=most, symbol=ABOUT)


def rounded(value: Fraction | float, digits: int) -> float:
    """Without a minus before 0."""
    return round(float(value), digits) + 0.0


def covered(need: Cell, adequate: Cell) -> Cell:
    """Students in need with an adequate connection: no more than are in need."""
    return Cell(min(need.least, adequate.least), min(need.most, adequate.most))


def unanswered(enrolled: int, answered: Cell) -> Cell:
    return Cell(max(0, enrolled - answered.most), max(0, enrolled - answered.least))


def plus(*cells: Cell) -> Cell:
    return Cell(sum(cell.least for cell in cells), sum(cell.most for cell in cells))


def less(cell: Cell, other: Cell) -> Cell:
    return Cell(max(0, cell.least - other.most), max(0, cell.most - other.least))


def completeness(loaned: Cell, unknown: Cell) -> Span:
    """Of loans, those that are not unknown; without a loan all are."""
    if not loaned.most or not unknown.most:
        return Span(Fraction(1), Fraction(1))
    lost = span(unknown, loaned)
    return Span(1 - lost.most, 1 - lost.least)


def is_incomplete(loaned: Cell | None, unknown: Cell | None, floor: float) -> bool:
    """For certain: what the ranges leave open counts as heard from."""
    return (
        loaned is not None
        and unknown is not None
        and completeness(loaned, unknown).most < Fraction(str(floor))
    )


def together(schools: Sequence[tuple[Cell, Cell]]) -> Span | None:
    """Coverage of schools of (need, adequate) as one; None: no student can be in need."""
    if not sum(need.most for need, _ in schools):
        return None
    return Span(_extreme(schools, -1), _extreme(schools, 1))


def _extreme(schools: Sequence[tuple[Cell, Cell]], sign: int) -> Fraction:
    """The largest (sign 1) or smallest share that the ranges allow.

    By Dinkelbach: a share is the largest when no school can add to covered - share x need.
    """
    told = [(need, adequate.most if sign > 0 else adequate.least) for need, adequate in schools]
    found = Fraction(1 if sign < 0 else 0)
    while True:
        chosen = [(_best(need, loans, found, sign), loans) for need, loans in told]
        total = sum(need for need, _ in chosen)
        if not total:
            return found
        share_ = Fraction(sum(min(need, loans) for need, loans in chosen), total)
        if (share_ - found) * sign <= 0:
            return found
        found = share_


def _best(need: Cell, loans: int, share_: Fraction, sign: int) -> int:
    turning = min(max(loans, need.least), need.most)
    return max(
        (need.most, turning, need.least),
        key=lambda students: sign * (min(students, loans) - share_ * students),
    )


def capped(
    schools: Iterable[tuple[Cell | None, Cell | None]],
    total: Cell | None,
) -> Cell | None:
    """The sum over schools of a count, each no more than its cap, where the sum of the counts is told too.

    A surplus at one school is no cover for another, so it is taken off. None: it cannot be told.
    """
    pairs = list(schools)
    known = [(one, cap) for one, cap in pairs if one is not None and cap is not None]
    is_all = len(known) == len(pairs)
    if total is None and not is_all:
        return None
    least = sum(min(one.least, cap.least) for one, cap in known)
    most = sum(min(one.most, cap.most) for one, cap in known)
    if total is None:
        return Cell(least, most)
    surplus = plus(*(less(one, cap) for one, cap in known))
    if is_all:
        return Cell(max(least, total.least - surplus.most), min(most, total.most - surplus.least))
    return Cell(least, total.most - surplus.least)
