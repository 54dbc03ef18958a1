"""The district's counts and shares, from the totals that are told and, where a surplus matters, the schools' rows."""

import math
from collections.abc import Mapping, Sequence

from service.exports import shares
from service.exports.published import Number
from service.exports.told import Told
from service.model import protection
from service.model.protection import Cell

COUNTS = (*protection.MAIN, "answered")


def numbers(schools: Sequence[Told], totals: Mapping[str, Cell], terms: shares.Terms) -> dict[str, Number]:
    """Over the schools whose need is known. ``covered``: adequate connections without any school's surplus."""
    counted = [one for one in schools if one.has_need]
    untold = _untold(schools)
    cells: dict[str, Cell | None] = {name: totals.get(name) for name in COUNTS}
    need, adequate = cells["need"], cells["adequate"]
    cells["covered"] = covered = _covered(counted, need, adequate)
    cells["unmet"] = None if need is None or covered is None else shares.less(need, covered)
    made = {name: untold if cell is None else shares.count(cell, terms) for name, cell in cells.items()}
    spans = _spans(counted, totals, covered)
    made |= {name: untold if span is None else shares.share(span) for name, span in spans.items()}
    made |= _in_order(made, spans["coverage"])
    if need is not None and not need.most:
        made |= dict.fromkeys(
            ("coverage", "coverage_low", "coverage_high"), Number(symbol=shares.NOT_APPLICABLE)
        )
    elif shares.is_incomplete(totals.get("loaned"), totals.get("unknown"), terms.floor):
        made["coverage"] = Number(symbol=shares.INCOMPLETE)
    return made


def _untold(schools: Sequence[Told]) -> Number:
    if not any(one.has_figures for one in schools):
        return Number(symbol=shares.NO_DAY)
    return Number(symbol=shares.WITHHELD if any(one.has_need for one in schools) else shares.UNKNOWN)


def _covered(schools: Sequence[Told], need: Cell | None, adequate: Cell | None) -> Cell | None:
    found = shares.capped([(one.cell("adequate"), one.cell("need")) for one in schools], adequate)
    return None if found is None else _at_most(found, need)


def _at_most(cell: Cell, need: Cell | None) -> Cell:
    return cell if need is None else Cell(min(cell.least, need.most), min(cell.most, need.most))


def _spans(
    schools: Sequence[Told], totals: Mapping[str, Cell], covered: Cell | None
) -> dict[str, shares.Span | None]:
    need, loaned, unknown = totals.get("need"), totals.get("loaned"), totals.get("unknown")
    return {
        "coverage": None if need is None or covered is None else shares.span(covered, need),
        "coverage_low": _low(schools, totals),
        "coverage_high": _high(schools, totals),
        "completeness": None if loaned is None or unknown is None else shares.completeness(loaned, unknown),
        "response_ratio": _response(schools, totals.get("answered")),
    }


def _in_order(made: Mapping[str, Number], coverage: shares.Span | None) -> dict[str, Number]:
    """The best case is never below coverage, though it is made of counts that may be told more coarsely.

    The worst case may be above it: where more are served than are in need, those may be of who has not answered.
    """
    if coverage is None:
        return {}
    least, most = _ends(coverage)
    return {"coverage_high": _at_least(made["coverage_high"], least, most)}


def _ends(coverage: shares.Span) -> tuple[float, float]:
    """As finely as it is told, rounded outward."""
    if not coverage.is_exact:
        return shares.outward(coverage)
    return math.floor(coverage.least * 10_000) / 10_000, math.ceil(coverage.most * 10_000) / 10_000


def _at_least(number: Number, least: float, most: float) -> Number:
    if number.least is None or number.most is None:
        return number
    low, high = max(number.least, least), max(number.most, most)
    if low == high:
        return Number(value=low, least=low, most=high)
    return Number(least=low, most=high, symbol=f"{100 * low:g}% to {100 * high:g}%")


def _low(schools: Sequence[Told], totals: Mapping[str, Cell]) -> shares.Span | None:
    """If everyone who has not answered were in need."""
    need, adequate, answered = totals.get("need"), totals.get("adequate"), totals.get("answered")
    enrolled = _enrolled(schools)
    if need is None or answered is None or enrolled is None:
        return None
    most_in_need = [_most_in_need(one) for one in schools]
    covered = shares.capped(
        [(one.cell("adequate"), cap) for one, cap in zip(schools, most_in_need, strict=True)], adequate
    )
    if covered is None:
        return None
    told = [cap for cap in most_in_need if cap is not None]
    if len(told) == len(schools) and all(cap.is_exact for cap in told):
        return shares.span(covered, shares.plus(*told))
    behind = sum(_more_than_enrolled(one) for one in schools)
    unanswered = shares.unanswered(enrolled, answered)
    return shares.span(covered, shares.plus(need, Cell(unanswered.least, unanswered.most + behind)))


def _most_in_need(one: Told) -> Cell | None:
    need, unanswered = one.cell("need"), one.unanswered
    return None if need is None or unanswered is None else shares.plus(need, unanswered)


def _more_than_enrolled(one: Told) -> int:
    """Answers beyond a roster that is behind: they are nobody else's."""
    answered = one.cell("answered")
    return 0 if answered is None or one.enrolled is None else max(0, answered.most - one.enrolled)


def _high(schools: Sequence[Told], totals: Mapping[str, Cell]) -> shares.Span | None:
    """If every loan of unknown state were adequate."""
    need, adequate, unknown = totals.get("need"), totals.get("adequate"), totals.get("unknown")
    if need is None or adequate is None or unknown is None:
        return None
    either = [(_either(one), one.cell("need")) for one in schools]
    covered = shares.capped(either, shares.plus(adequate, unknown))
    return None if covered is None else shares.span(_at_most(covered, need), need)


def _either(one: Told) -> Cell | None:
    adequate, unknown = one.cell("adequate"), one.cell("unknown")
    return None if adequate is None or unknown is None else shares.plus(adequate, unknown)


def _enrolled(schools: Sequence[Told]) -> int | None:
    told = [one.enrolled for one in schools]
    return None if None in told else sum(number or 0 for number in told)


def _response(schools: Sequence[Told], answered: Cell | None) -> shares.Span | None:
    enrolled = _enrolled(schools)
    if answered is None or not enrolled:
        return None
    return shares.span(answered, Cell(enrolled, enrolled))
