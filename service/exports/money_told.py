"""What the lines cost, as exactly as the number of lines is told: a known price tells the one from the other."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from service.exports import shares
from service.exports.published import Number
from service.model import months
from service.model.protection import Cell

_FIGURES = 2  # of an amount that is told about


@dataclass(frozen=True, slots=True)
class _Amount:
    """``least`` or ``most`` None: there is no bound."""

    middle: Fraction
    least: Fraction | None
    most: Fraction | None

    @property
    def is_exact(self) -> bool:
        return self.least == self.middle == self.most


def numbers(money: months.Money, totals: Mapping[str, Cell], terms: shares.Terms) -> dict[str, Number]:
    """``totals``: lines and idle_lines as told, and adequate."""
    lines, idle = totals.get("lines"), totals.get("idle_lines")
    return {
        "lines": _count(lines, terms),
        "idle_lines": _count(idle, terms),
        "cost": _told("lines", money, money.cost, totals),
        "idle_cost": _told("idle_lines", money, money.idle_cost, totals),
        "cost_per_covered_student": _each(money, totals),
    }


def _count(cell: Cell | None, terms: shares.Terms) -> Number:
    return Number(symbol=shares.WITHHELD) if cell is None else shares.count(cell, terms)


def tells_of_lines(totals: Mapping[str, Cell]) -> bool:
    """Whether it is told that there are lines: without that, neither may their prices, nor what else is said of them,
    tell that there is one."""
    lines = totals.get("lines")
    return lines is not None and (lines.is_exact or lines.least > 0)


def _amount(lines: Cell, money: months.Money, cost: Decimal) -> _Amount | None:
    """Where the lines are a range, by their prices alone: a mean price would tell how many there are of each.

    None: a price is not known.
    """
    if lines.is_exact:
        exact = Fraction(cost)
        return None if money.lines and money.without_price == money.lines else _Amount(exact, exact, exact)
    if money.without_price or money.lowest_price is None or money.highest_price is None:
        return None
    lowest, highest = Fraction(money.lowest_price), Fraction(money.highest_price)
    middle = (lowest + highest) * (lines.least + lines.most) / 4
    return _Amount(middle, lowest * lines.least, highest * lines.most)


def _told(name: str, money: months.Money, cost: Decimal, totals: Mapping[str, Cell]) -> Number:
    lines = totals.get(name)
    if lines is None or not (lines.is_exact or tells_of_lines(totals)):
        return Number(symbol=shares.WITHHELD)
    amount = _amount(lines, money, cost)
    return Number(symbol=shares.UNKNOWN) if amount is None else _number(amount)


def _number(amount: _Amount) -> Number:
    least, most = _down(amount.least), _up(amount.most)
    if amount.is_exact:
        value = shares.rounded(amount.middle, 2)
        return Number(value=value, least=value, most=value)
    return Number(least=least, most=most, symbol=f"about ${_few_figures(amount.middle):,}")


def _down(amount: Fraction | None) -> float | None:
    return None if amount is None else math.floor(amount * 100) / 100


def _up(amount: Fraction | None) -> float | None:
    return None if amount is None else math.ceil(amount * 100) / 100


def _few_figures(amount: Fraction) -> int | float:
    found = float(f"{float(amount):.{_FIGURES}g}")
    return int(found) if found == int(found) else found


def _each(money: months.Money, totals: Mapping[str, Cell]) -> Number:
    """Of a student with an adequate connection, from what is told of both."""
    lines, adequate = totals.get("lines"), totals.get("adequate")
    if adequate is None or lines is None or not tells_of_lines(totals):
        return Number(symbol=shares.WITHHELD)
    cost = _amount(lines, money, money.cost)
    if cost is None or money.without_price:
        return Number(symbol=shares.UNKNOWN)
    if not adequate.most:
        return Number(symbol=shares.NOT_APPLICABLE)
    middle = cost.middle * 2 / (adequate.least + adequate.most)
    least = None if cost.least is None else cost.least / adequate.most
    most = None if cost.most is None or not adequate.least else cost.most / adequate.least
    return _number(_Amount(middle, least, most))
