"""What may be known of a school's month by whoever reads what was published: the only way from counts to figures."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from service.exports import shares
from service.exports.published import Number
from service.model import months, protection
from service.model import need as need_model
from service.model.protection import Cell, Level

NO_FIGURE_DAY = "no_figure_day"  # the flag


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``unknown``: the counts that nobody knows, which everybody may know. ``enrolled`` is common knowledge."""

    row: protection.Published
    enrolled: int | None
    unknown: frozenset[str]

    @property
    def has_figures(self) -> bool:
        """False: no day of the month was heard from enough, or the school had closed before that day."""
        return not self.unknown.issuperset(protection.COUNTS)

    @property
    def has_need(self) -> bool:
        """Whether its need is known, told or not."""
        return "need" not in self.unknown

    def cell(self, name: str) -> Cell | None:
        return self.row.cells.get(name)

    @property
    def coverable(self) -> tuple[Cell, Cell] | None:
        """Its need and its adequate connections, where both are told."""
        need, adequate = self.cell("need"), self.cell("adequate")
        return None if need is None or adequate is None else (need, adequate)

    @property
    def unanswered(self) -> Cell | None:
        answered = self.cell("answered")
        return (
            None if answered is None or self.enrolled is None else shares.unanswered(self.enrolled, answered)
        )

    def is_incomplete(self, floor: float) -> bool:
        return shares.is_incomplete(self.cell("loaned"), self.cell("unknown"), floor)


def of(school: months.School | protection.Facts, row: protection.Published) -> Told:
    unknown = frozenset(name for name in protection.COUNTS if school.counts.get(name) is None)
    return Told(row=row, enrolled=school.enrolled, unknown=unknown)


def public(school: months.School) -> months.School:
    """What is published of a school as it is: names, need by an indicator, supports, who is enrolled."""
    return replace(
        school,
        counts={},
        completeness=None,
        coverage_status=None,
        is_need_exceeded=None,
        used_bytes=None,
        devices_used=0,
        uptime=None,
        homework_share=None,
        days_missing=0,
        devices_online=0,
        devices_timed=0,
    )


def numbers(told: Told, terms: shares.Terms) -> dict[str, Number]:
    """Its counts, and the shares that follow from them."""
    found = {name: _count(told, name, terms) for name in protection.COUNTS}
    found["coverage"] = _coverage(told, terms)
    found["coverage_low"] = _share(told, ("need", "adequate", "answered"), _low, terms, is_of_need=True)
    found["coverage_high"] = _share(
        told, ("need", "adequate", "unknown", "loaned"), _high, terms, is_of_need=True
    )
    found["completeness"] = _share(told, ("loaned", "unknown"), _completeness, terms)
    found["response_ratio"] = _share(told, ("answered",), _response, terms)
    found["unmet"] = _unmet(told, terms)
    return found


def days_missing(told: Told, days: int) -> int | None:
    """A day without a word says that there was a loan: only where so much is told."""
    loaned = told.cell("loaned")
    return days if loaned is not None and (loaned.is_exact or loaned.least > 0) else None


def _count(told: Told, name: str, terms: shares.Terms) -> Number:
    cell = told.cell(name)
    return untold(told, (name,), terms) if cell is None else shares.count(cell, terms)


def untold(told: Told, names: tuple[str, ...], terms: shares.Terms) -> Number:
    """Why a figure of these counts cannot be told."""
    if not told.has_figures:
        return Number(symbol=shares.NO_DAY)
    if told.row.level in (Level.BAND, Level.WITHHELD):
        return Number(symbol=shares.WITHHELD)
    if told.unknown & set(names):
        return Number(symbol=shares.UNKNOWN)
    return Number(symbol=shares.HIDDEN if terms.is_strict else shares.WITHHELD)


def _coverage(told: Told, terms: shares.Terms) -> Number:
    """As its band where it has one: that is finer than what ranges of ten come to."""
    if told.is_incomplete(terms.floor):
        need = told.cell("need")
        is_of_none = need is not None and not need.most
        return Number(symbol=shares.NOT_APPLICABLE if is_of_none else shares.INCOMPLETE)
    if told.row.band is not None:
        return shares.band(told.row.band, terms)
    return _share(told, ("need", "adequate"), _together, terms, is_of_need=True)


_Made = Callable[[Told], shares.Span | None]


def _share(
    told: Told, names: tuple[str, ...], made: _Made, terms: shares.Terms, *, is_of_need: bool = False
) -> Number:
    cells = [told.cell(name) for name in names]
    if None in cells:
        return untold(told, names, terms)
    need = told.cell("need")
    if is_of_need and need is not None and not need.most:
        return Number(symbol=shares.NOT_APPLICABLE)
    span = made(told)
    if span is None:
        return Number(symbol=shares.UNKNOWN)
    if terms.is_strict and not all(cell is not None and cell.is_exact for cell in cells):
        return shares.hidden(span)
    return shares.share(span)


def _together(told: Told) -> shares.Span | None:
    return None if told.coverable is None else shares.together([told.coverable])


def _low(told: Told) -> shares.Span | None:
    """If everyone who has not answered were in need."""
    if told.coverable is None or told.unanswered is None:
        return None
    need, adequate = told.coverable
    return shares.span(adequate, shares.plus(need, told.unanswered))


def _high(told: Told) -> shares.Span | None:
    """If every loan of unknown state were adequate; there are no more loans than are lent."""
    unknown, loaned = told.cell("unknown"), told.cell("loaned")
    if told.coverable is None or unknown is None or loaned is None:
        return None
    need, adequate = told.coverable
    either = shares.plus(adequate, unknown)
    return shares.span(Cell(either.least, max(either.least, min(either.most, loaned.most))), need)


def _completeness(told: Told) -> shares.Span | None:
    loaned, unknown = told.cell("loaned"), told.cell("unknown")
    return None if loaned is None or unknown is None else shares.completeness(loaned, unknown)


def _response(told: Told) -> shares.Span | None:
    answered = told.cell("answered")
    if answered is None or not told.enrolled:
        return None
    return shares.span(answered, Cell(told.enrolled, told.enrolled))


def _unmet(told: Told, terms: shares.Terms) -> Number:
    if told.coverable is None:
        return untold(told, ("need", "adequate"), terms)
    need, adequate = told.coverable
    if terms.is_strict and not (need.is_exact and adequate.is_exact):
        return Number(symbol=shares.HIDDEN)
    return shares.count(shares.less(need, adequate), terms)


def flags(told: Told, numbers_: dict[str, Number], terms: shares.Terms) -> tuple[str, ...]:
    """What a reader of the row has to know, all of it from what is told."""
    if not told.has_figures:
        return (NO_FIGURE_DAY,)
    found = [*_of_level(told, terms), *_of_counts(told)]
    complete = numbers_["completeness"]
    if told.is_incomplete(terms.floor):
        found.append("incomplete")
    elif complete.least is not None and complete.least < terms.floor and complete.value is None:
        found.append("maybe_incomplete")
    ratio = numbers_["response_ratio"]
    if ratio.most is not None and ratio.most < need_model.LOW_RESPONSE:
        found.append("low_response")
    return tuple(found)


_LEVELS = {
    Level.FIVE: "ranges_of_five",
    Level.TEN: "ranges_of_ten",
    Level.BAND: "band_only",
    Level.WITHHELD: "withheld",
}


def _of_level(told: Told, terms: shares.Terms) -> list[str]:
    level = told.row.level
    if terms.is_strict and level is Level.TEN:
        return ["small_counts_hidden"]
    if level in _LEVELS:
        return [_LEVELS[level]]
    is_whole = all(name in told.unknown or _is_exact(told.cell(name)) for name in protection.COUNTS)
    return [] if is_whole else ["some_ranges"]


def _is_exact(cell: Cell | None) -> bool:
    return cell is not None and cell.is_exact


def _of_counts(told: Told) -> list[str]:
    if told.row.level in (Level.BAND, Level.WITHHELD):
        return []
    if not told.has_need:
        return ["need_unknown"]
    need, adequate, loaned = told.cell("need"), told.cell("adequate"), told.cell("loaned")
    found = ["no_need"] if need is not None and not need.most else []
    is_more = need is not None and adequate is not None and adequate.least > need.most
    is_unneeded = need is not None and loaned is not None and not need.most and loaned.least > 0
    return [*found, "need_exceeded"] if is_more or is_unneeded else found
