"""What a pilot's days come to: coverage of both sides before and during, and the difference of the changes."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta

from service.model import equity, pilot_warnings, pilots

STANDARD_ERRORS = 2


def judge(
    pilot: pilots.Pilot,
    days: Sequence[pilots.Day],
    schools: Sequence[pilots.SchoolPeriod],
    *,
    reported_on: date,
    unknown_schools: Sequence[str] = (),
    floor: float = equity.COMPLETENESS_FLOOR,
) -> pilots.Result:
    spans = {
        pilots.Period.BEFORE: (pilot.first(reported_on), pilot.starts_on - timedelta(days=1)),
        pilots.Period.DURING: (pilot.starts_on, pilot.through(reported_on)),
    }
    cells = {
        (side, period): _cell(pilot, side, period, spans[period], days, schools, floor)
        for side in pilots.Side
        for period in pilots.Period
    }
    change, comparison_change = _change(cells, pilots.Side.PILOT), _change(cells, pilots.Side.COMPARISON)
    difference = _difference(change, comparison_change)
    lowest, highest = _bounds(cells)
    chance = by_chance(cells) if difference.value is not None else None
    result = pilots.Result(
        pilot=pilot,
        before_on=spans[pilots.Period.BEFORE],
        during_on=spans[pilots.Period.DURING],
        cells=tuple(cells.values()),
        schools=tuple(schools),
        unknown_schools=tuple(unknown_schools),
        change=change,
        comparison_change=comparison_change,
        difference=difference,
        lowest=lowest,
        highest=highest,
        by_chance=chance,
        warnings=(),
        points=tuple(_point(day, floor, pilot.min_need) for day in days),
    )
    return replace(result, warnings=tuple(pilot_warnings.of(result, days)))


def _cell(
    pilot: pilots.Pilot,
    side: pilots.Side,
    period: pilots.Period,
    span: tuple[date, date],
    days: Sequence[pilots.Day],
    schools: Sequence[pilots.SchoolPeriod],
    floor: float,
) -> pilots.Cell:
    known = {day.on_day: day for day in days if day.side is side and span[0] <= day.on_day <= span[1]}
    used, left_out = [], dict[str, int]()
    for on_day in _dates(*span):
        reason = "not computed" if on_day not in known else known[on_day].left_out(floor)
        if reason is None:
            used.append(known[on_day])
        else:
            left_out[reason] = left_out.get(reason, 0) + 1
    need = sum(day.need for day in used)
    covered = sum(day.covered for day in used)
    mine = [one for one in schools if one.side is side and one.period is period]
    coverage = _coverage(need, covered, len(used), pilot.min_need)
    is_told = coverage.value is not None
    return pilots.Cell(
        side=side,
        period=period,
        days=len(used),
        left_out=left_out,
        need=need / len(used) if used else 0.0,
        covered=covered / len(used) if used else 0.0,
        coverage=coverage,
        low=_low(used) if is_told else None,
        high=sum(day.covered_at_most for day in used) / need if is_told else None,
        need_sources=tuple(sorted({source for one in mine for source in one.need_sources})),
    )


def _dates(first: date, last: date) -> Iterator[date]:
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)


def _coverage(need: int, covered: int, days: int, min_need: int) -> equity.Measure:
    if not days:
        return equity.Measure(None, "no day can be used")
    if need / days < min_need:
        return equity.Measure(None, f"fewer than {min_need} students in need: no figure is told")
    return equity.Measure(covered / need)


def _low(used: Iterable[pilots.Day]) -> float | None:
    """Unknown as soon as it is on one day how many have not answered."""
    days = list(used)
    need = sum(day.need_at_most or 0 for day in days)
    if not need or any(day.need_at_most is None for day in days):
        return None
    return sum(day.covered_of_most for day in days) / need


_Cells = Mapping[tuple[pilots.Side, pilots.Period], pilots.Cell]


def _change(cells: _Cells, side: pilots.Side) -> equity.Measure:
    before, during = (cells[side, period].coverage for period in pilots.Period)
    if before.value is None:
        return equity.Measure(None, f"coverage before is not told: {before.reason}")
    if during.value is None:
        return equity.Measure(None, f"coverage during is not told: {during.reason}")
    return equity.Measure(during.value - before.value)


def _difference(change: equity.Measure, comparison: equity.Measure) -> equity.Measure:
    if change.value is None:
        return equity.Measure(None, f"pilot schools: {change.reason}")
    if comparison.value is None:
        return equity.Measure(None, f"comparison schools: {comparison.reason}")
    return equity.Measure(change.value - comparison.value)


def _bounds(cells: _Cells) -> tuple[float | None, float | None]:
    lowest, highest = 0.0, 0.0
    for (side, period), cell in cells.items():
        if cell.low is None or cell.high is None:
            return None, None
        adds = (side is pilots.Side.PILOT) == (period is pilots.Period.DURING)
        lowest += cell.low if adds else -cell.high
        highest += cell.high if adds else -cell.low
    return lowest, highest


def by_chance(cells: _Cells) -> float:
    """Two binomial standard errors of the difference; two covered and two others added to each cell (Agresti and
    Caffo, plus four), so that a share of 0 or 1 is not taken for certain. Days are not counted as new students."""
    variance = 0.0
    for cell in cells.values():
        share = (cell.covered + 2) / (cell.need + 4)
        variance += share * (1 - share) / (cell.need + 4)
    return STANDARD_ERRORS * math.sqrt(variance)


def _point(day: pilots.Day, floor: float, min_need: int) -> pilots.Point:
    reason = day.left_out(floor)
    return pilots.Point(
        side=day.side,
        on_day=day.on_day,
        coverage=None if reason or day.need < min_need else day.covered / day.need,
        is_skipped=not day.in_session,
    )
