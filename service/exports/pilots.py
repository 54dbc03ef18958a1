"""A pilot's schools against others, before and during, from the months that were released."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from service.exports import groups, measures, published, shares
from service.exports.published import Number
from service.model import pilots, protection
from service.model.months import Month
from service.model.protection import Cell

FEW_STUDENTS = 30  # in need, on one side: below, one family moves the figure by more than 3 points
FEW_MONTHS = 2  # fewer in a period are one unusual month or none
_Rows = Mapping[Month, Mapping[str, protection.Published]]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Design:
    """What is compared: the months of each period that were released, and of each side the schools told in all."""

    pilot: pilots.Pilot
    rows: _Rows
    wanted: Mapping[pilots.Period, tuple[Month, ...]]
    schools: Mapping[pilots.Side, tuple[str, ...]]

    def released(self, period: pilots.Period) -> tuple[Month, ...]:
        return tuple(month for month in self.wanted[period] if month in self.rows)

    def missing(self, period: pilots.Period) -> tuple[Month, ...]:
        return tuple(month for month in self.wanted[period] if month not in self.rows)

    def named(self, side: pilots.Side) -> tuple[str, ...]:
        return self.pilot.schools if side is pilots.Side.PILOT else self.pilot.comparison


def of(
    pilot: pilots.Pilot,
    month: Month,
    rows: Sequence[protection.Published],
    earlier: Iterable[published.EarlierMonth],
    *,
    terms: shares.Terms,
) -> published.Pilot:
    design = _design(pilot, month, rows, earlier, terms)
    periods = tuple(_period(design, side, period) for side in pilots.Side for period in pilots.Period)
    before, during, before_elsewhere, during_elsewhere = (period.coverage for period in periods)
    change, comparison = _less(during, before), _less(during_elsewhere, before_elsewhere)
    return published.Pilot(
        name=pilot.name,
        question=pilot.question,
        starts_on=pilot.starts_on,
        ends_on=pilot.ends_on,
        periods=periods,
        change=change,
        comparison_change=comparison,
        difference=_less(change, comparison),
        warnings=tuple(_warnings(design, periods)),
        by_month=tuple(_by_month(design)),
    )


def _design(
    pilot: pilots.Pilot,
    month: Month,
    rows: Sequence[protection.Published],
    earlier: Iterable[published.EarlierMonth],
    terms: shares.Terms,
) -> _Design:
    told = {one.month: {row.ncessch: row for row in one.rows} for one in earlier if one.month < month}
    told[month] = {row.ncessch: row for row in rows}
    wanted = spans(pilot, month)
    used = [told[one] for period in pilots.Period for one in wanted[period] if one in told]
    schools = {
        side: tuple(name for name in names if used and all(_is_told(one.get(name), terms) for one in used))
        for side, names in ((pilots.Side.PILOT, pilot.schools), (pilots.Side.COMPARISON, pilot.comparison))
    }
    return _Design(pilot=pilot, rows=told, wanted=wanted, schools=schools)


def spans(pilot: pilots.Pilot, month: Month) -> Mapping[pilots.Period, tuple[Month, ...]]:
    """During: the whole months of the pilot until now. Before: as many, or since ``before_starts_on``."""
    begins = Month(pilot.starts_on.replace(day=1))
    first = begins if pilot.starts_on == begins.first_on else begins.away(1)
    last = month
    if pilot.ends_on is not None and pilot.ends_on < last.last_on:
        ending = Month(pilot.ends_on.replace(day=1))
        last = ending if pilot.ends_on == ending.last_on else ending.away(-1)
    during = tuple(_from(first, last))
    start = begins.away(-len(during))
    if pilot.before_starts_on is not None:
        earliest = Month(pilot.before_starts_on.replace(day=1))
        start = earliest if pilot.before_starts_on == earliest.first_on else earliest.away(1)
    before = tuple(_from(start, begins.away(-1)))
    return {pilots.Period.BEFORE: before, pilots.Period.DURING: during}


def _from(first: Month, last: Month) -> Iterator[Month]:
    while first <= last:
        yield first
        first = first.away(1)


def _is_told(row: protection.Published | None, terms: shares.Terms) -> bool:
    """A school is compared with itself: it counts where every month tells its counts, and was heard from."""
    if row is None or row.cells.get("need") is None or row.cells.get("adequate") is None:
        return False
    return not shares.is_incomplete(row.cells.get("loaned"), row.cells.get("unknown"), terms.floor)


def _period(design: _Design, side: pilots.Side, period: pilots.Period) -> published.PilotPeriod:
    return _over(design, side, period, design.released(period), design.missing(period))


def _by_month(design: _Design) -> Iterator[published.PilotPeriod]:
    for side in pilots.Side:
        for period in pilots.Period:
            for month in design.released(period):
                yield _over(design, side, period, (month,), ())


def _over(
    design: _Design,
    side: pilots.Side,
    period: pilots.Period,
    released: tuple[Month, ...],
    missing: tuple[Month, ...],
) -> published.PilotPeriod:
    schools = design.schools[side]
    told = [design.rows[month][name].cells for month in released for name in schools]
    pairs = [(cells["need"], cells["adequate"]) for cells in told]
    is_whole = all(need.is_exact and adequate.is_exact for need, adequate in pairs)
    return published.PilotPeriod(
        side=side,
        period=period,
        months=released,
        missing=missing,
        schools=len(schools),
        left_out=len(design.named(side)) - len(schools),
        need=_mean([need for need, _ in pairs], len(released), is_whole=is_whole),
        covered=_mean([shares.covered(*pair) for pair in pairs], len(released), is_whole=is_whole),
        coverage=groups.coverage(pairs, is_whole=is_whole) if pairs else Number(symbol=shares.UNKNOWN),
    )


def _mean(cells: Sequence[Cell], over: int, *, is_whole: bool) -> Number:
    """Of the months."""
    if not cells:
        return Number(symbol=shares.UNKNOWN)
    both = shares.plus(*cells)
    least, most = (shares.rounded(Fraction(end, over), 1) for end in (both.least, both.most))
    if is_whole:
        return Number(value=least, least=least, most=most)
    return shares.about(Fraction(both.least + both.most, 2 * over), (least, most), digits=1)


def _less(later: Number, before: Number) -> Number:
    if later.value is None or before.value is None:
        return Number(symbol=shares.UNKNOWN)
    is_about = any(number.symbol.startswith(shares.ABOUT) for number in (later, before))
    value = shares.rounded(later.value - before.value, 4)
    if None in (later.least, later.most, before.least, before.most):
        return Number(value=value, symbol=measures.UNDIRECTED if is_about else "")
    least = shares.rounded((later.least or 0) - (before.most or 0), 4)
    most = shares.rounded((later.most or 0) - (before.least or 0), 4)
    symbol = measures.direction(least, most) if is_about else ""
    return Number(value=value, least=least, most=most, symbol=symbol)


def _warnings(design: _Design, periods: Sequence[published.PilotPeriod]) -> Iterator[str]:
    mine = [one for one in periods if one.side is pilots.Side.PILOT or design.pilot.comparison]
    if 1 in (len(design.pilot.schools), len(design.pilot.comparison)):
        yield "one_school"
    if not design.pilot.comparison:
        yield "no_comparison"
    if any(one.missing for one in periods):
        yield "months_missing"
    if any(len(one.months) < FEW_MONTHS for one in periods):
        yield "few_months"
    if any(one.left_out for one in mine):
        yield "left_out_schools"
    if any(one.need.value is not None and one.need.value < FEW_STUDENTS for one in mine):
        yield "small_need"
