"""What the lines cost, as exactly as the number of lines is told: a known price tells the one from the other."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction

from service.exports import shares
from service.exports.published import Number
from service.model import months
from service.model.protection import Cell

_FIGURES = 2  # of an amount that is told about


@dataclass(frozen=True, slots=True)
class _Amount:
    """``middle`` None: nothing between the bounds is likelier. ``most`` None: there is no such bound."""

    middle: Fraction | None
    least: Fraction
    most: Fraction | None

    @property
    def is_exact(self) -> bool:
        return self.least == self.middle == self.most


def numbers(
    money: months.Money, totals: Mapping[str, Cell], terms: shares.Terms, *, why_not_each: str = ""
) -> dict[str, Number]:
    """``totals``: lines and idle_lines as told, and adequate. ``why_not_each``: the symbol in place of the cost per
    student, where adequate is not of all the students that the lines are for."""
    lines, idle = totals.get("lines"), totals.get("idle_lines")
    return {
        "lines": _count(lines, terms),
        "idle_lines": _count(idle, terms),
        "cost": _told("lines", money, totals),
        "idle_cost": _told("idle_lines", money, totals),
        "cost_per_covered_student": Number(symbol=why_not_each) if why_not_each else _each(money, totals),
    }


def _count(cell: Cell | None, terms: shares.Terms) -> Number:
    return Number(symbol=shares.WITHHELD) if cell is None else shares.count(cell, terms)


def tells_of_lines(totals: Mapping[str, Cell]) -> bool:
    """Whether it is told that there are lines: without that, neither may their prices, nor what else is said of them,
    tell that there is one."""
    lines = totals.get("lines")
    return lines is not None and (lines.is_exact or lines.least > 0)


def _amount(lines: Cell, money: months.Money) -> _Amount | None:
    """By the number of lines as told and their prices alone: beside it, an exact cost of lines of several prices, or
    of some without one, would tell how many there are of each.

    None: a price is not known.
    """
    if not lines.most:
        return _Amount(Fraction(0), Fraction(0), Fraction(0))
    if money.without_price or money.lowest_price is None or money.highest_price is None:
        return None
    lowest, highest = Fraction(money.lowest_price), Fraction(money.highest_price)
    least, most = lowest * lines.least, highest * lines.most
    middle = lowest * (lines.least + lines.most) / 2 if lowest == highest else None
    return _Amount(middle, least, most)


def _told(name: str, money: months.Money, totals: Mapping[str, Cell]) -> Number:
    lines = totals.get(name)
    if lines is None or not (lines.is_exact or tells_of_lines(totals)):
        return Number(symbol=shares.WITHHELD)
    amount = _amount(lines, money)
    return Number(symbol=shares.UNKNOWN) if amount is None else _number(amount)


def _number(amount: _Amount) -> Number:
    least, most = _down(amount.least), None if amount.most is None else _up(amount.most)
    if amount.middle is not None and amount.is_exact:
        value = shares.rounded(amount.middle, 2)
        return Number(value=value, least=value, most=value)
    return Number(least=least, most=most, symbol=_symbol(amount.middle, least, most))


def _symbol(middle: Fraction | None, least: float, most: float | None) -> str:
    if middle is not None:
        return f"about ${_few_figures(middle):,}"
    return f"at least {_dollars(least)}" if most is None else f"{_dollars(least)} to {_dollars(most)}"


def _dollars(amount: float) -> str:
    return f"${amount:,.2f}".removesuffix(".00")


def _down(amount: Fraction) -> float:
    return math.floor(amount * 100) / 100


def _up(amount: Fraction) -> float:
    return math.ceil(amount * 100) / 100


def _few_figures(amount: Fraction) -> int | float:
    found = float(f"{float(amount):.{_FIGURES}g}")
    return int(found) if found == int(found) else found


def _each(money: months.Money, totals: Mapping[str, Cell]) -> Number:
    """Of a student with an adequate connection, from what is told of both."""
    lines, adequate = totals.get("lines"), totals.get("adequate")
    if adequate is None or lines is None or not tells_of_lines(totals):
        return Number(symbol=shares.WITHHELD)
    cost = _amount(lines, money)
    if cost is None:
        return Number(symbol=shares.UNKNOWN)
    if not adequate.most:
        return Number(symbol=shares.NOT_APPLICABLE)
    middle = None if cost.middle is None else cost.middle * 2 / (adequate.least + adequate.most)
    most = None if cost.most is None or not adequate.least else cost.most / adequate.least
    return _number(_Amount(middle, cost.least / adequate.most, most))
