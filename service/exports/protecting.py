"""Chooses what is told of each school: the least coarse level at which the auditor finds the promise kept.

First each school by itself, with everything that was ever released of it; then the district's totals, which are
coarsened rather than another school. What is not settled in time is coarsened.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from service.exports import auditor, steps, strict, totals
from service.model import equity, protection
from service.model.protection import Level

Progress = auditor.Progress

_COARSER = {Level.EXACT: Level.FIVE, Level.FIVE: Level.TEN, Level.TEN: Level.BAND, Level.BAND: Level.WITHHELD}
_SHARE_FOR_SCHOOLS = 0.6  # of the time: the rest is for the totals


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    width: int = protection.PROTECT_WIDTH
    is_strict: bool = False
    min_n: int = protection.SMALLEST_FREE
    seconds: float = 60.0
    floor: float = equity.COMPLETENESS_FLOOR

    @property
    def limits(self) -> str:
        """What a decision holds for: under others the same counts are decided anew."""
        return f"width {self.width}, least {self.min_n}, floor {self.floor:g}"

    @property
    def silence(self) -> auditor.Silence:
        return auditor.Silence(round(1000 * (1 - self.floor)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """A shareable release as the ledger has it: what it told, and the counts that it was made from."""

    rows: tuple[tuple[protection.Facts, protection.Published], ...]
    totals: Mapping[str, protection.Cell]


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """``totals``: of protection.MAIN and answered over schools of known need, and of lines and idle_lines; one that is
    absent is not told. ``cells_only``: totals that are sums of the schools' ranges and tell nothing new."""

    rows: tuple[protection.Published, ...]  # in the order of the facts
    totals: Mapping[str, protection.Cell]
    cells_only: frozenset[str] = frozenset()
    limits: str = ""  # of the terms it was made by
    seconds: float = 0.0
    solved: int = 0  # integer programs
    unsettled: int = 0  # schools and totals that were coarsened because time ran out
    notes: Mapping[str, int] = field(default_factory=dict)  # what was done, by name


def decide(
    facts: Sequence[protection.Facts],
    earlier: Sequence[Earlier] = (),
    *,
    money: Mapping[str, int] | None = None,
    terms: Terms | None = None,
    progress: Progress | None = None,
) -> Decision:
    """For one district and month. ``money``: lines and idle_lines. Deterministic but for what time does not allow."""
    asked, started, told = terms or Terms(), time.monotonic(), progress or steps.silent
    limits = auditor.Terms(
        width=asked.width, silence=asked.silence, until=started + asked.seconds * _SHARE_FOR_SCHOOLS
    )
    before = [_release(one) for one in earlier]
    history = _history(before)

    def coarser(row: auditor.Row) -> auditor.Row:
        level = Level.WITHHELD if asked.is_strict else _COARSER[row.published.level]
        known = related(row.facts, history.get(row.facts.ncessch, []))
        return settled(row.facts, known, limits, level=level)

    rows, unsettled = _schools(facts, history, asked, limits, told)
    limits.until = started + asked.seconds
    chosen = totals.choose(rows, before, money=money or {}, terms=limits, progress=told, coarser=coarser)
    return Decision(
        rows=tuple(row.published for row in chosen.rows),
        totals=chosen.cells,
        cells_only=chosen.cells_only,
        limits=asked.limits,
        seconds=time.monotonic() - started,
        solved=limits.solved,
        unsettled=unsettled + chosen.unsettled,
        notes={**Counter(str(row.published.level) for row in chosen.rows), **chosen.notes},
    )


def _release(one: Earlier) -> auditor.Release:
    return auditor.Release(tuple(auditor.Row(facts, told) for facts, told in one.rows), one.totals)


def _history(before: Sequence[auditor.Release]) -> dict[str, list[auditor.Row]]:
    """By school, what was released of it."""
    history: dict[str, list[auditor.Row]] = {}
    for release in before:
        for row in release.rows:
            history.setdefault(row.facts.ncessch, []).append(row)
    return history


def _schools(
    facts: Sequence[protection.Facts],
    history: Mapping[str, Sequence[auditor.Row]],
    asked: Terms,
    limits: auditor.Terms,
    told: Progress,
) -> tuple[list[auditor.Row], int]:
    first = strict.hidden(facts, min_n=asked.min_n) if asked.is_strict else [None] * len(facts)
    rows, unsettled = [], 0
    for at, (one, hidden) in enumerate(zip(facts, first, strict=True)):
        known = related(one, history.get(one.ncessch, []))
        if limits.is_over:
            unsettled += 1
            rows.append(auditor.Row(one, published(one, Level.WITHHELD)))
        elif hidden is not None:
            rows.append(strict.settled(one, hidden, known, limits))
        else:
            rows.append(settled(one, known, limits))
        told("schools", at + 1, len(facts))
    return rows, unsettled


def related(facts: protection.Facts, history: Sequence[auditor.Row]) -> list[auditor.Row]:
    """What was released of a school and shares a count with its new row, or with such a row, and so on: revisions of a
    month, months of the same need."""
    reached = auditor.keys([auditor.Row(facts, published(facts, Level.WITHHELD))])
    found: list[auditor.Row] = []
    left = list(history)
    while near := [row for row in left if not reached.isdisjoint(auditor.keys([row]))]:
        for row in near:
            left.remove(row)
            found.append(row)
            reached |= auditor.keys([row])
    return found


def settled(
    facts: protection.Facts,
    known: Sequence[auditor.Row],
    limits: auditor.Terms,
    *,
    level: Level = Level.EXACT,
) -> auditor.Row:
    """The least coarse row, from a level on, that keeps the promise beside what is known."""
    sides = {name: side_level(facts.counts.get(name), level) for name in protection.SIDE}
    if level is Level.EXACT and _has_small_main(facts):
        level = Level.FIVE
        sides = {name: max(told, level, key=_rank) for name, told in sides.items()}
    while True:
        row = auditor.Row(facts, published(facts, level, sides, silence=limits.silence))
        broken = auditor.alone([*known, row], limits)
        if not broken or level is Level.WITHHELD:
            return row
        of_sides = [_sides_of(one) for one in broken]
        if all(of_sides) and any(sides[name] is not Level.WITHHELD for names in of_sides for name in names):
            for name in set().union(*of_sides):
                sides[name] = _COARSER.get(sides[name], Level.WITHHELD)
        else:
            level = _COARSER[level]
            sides = {name: max(told, level, key=_rank) for name, told in sides.items()}


def side_level(count: int | None, level: Level) -> Level:
    """A side count below 10 is a range wherever it stands: were a 0 told, a range would say that it is none."""
    return (
        Level.FIVE
        if level is Level.EXACT and count is not None and count < protection.SMALLEST_FREE
        else level
    )


def _has_small_main(facts: protection.Facts) -> bool:
    values = protection.values(facts)
    return any(
        protection.is_protected(quantity.of(values))
        for quantity in protection.QUANTITIES
        if not {*quantity.plus, *quantity.minus} - set(protection.MAIN)
    )


def _sides_of(one: auditor.Asked) -> set[str]:
    return {*one.quantity.plus, *one.quantity.minus} & set(protection.SIDE)


_RANKS = {level: rank for rank, level in enumerate(Level)}


def _rank(level: Level) -> int:
    return _RANKS[level]


def published(
    facts: protection.Facts,
    level: Level,
    sides: Mapping[str, Level] | None = None,
    *,
    silence: auditor.Silence | None = None,
) -> protection.Published:
    """A school's month at a level. Where there is no band of coverage to tell, as no student is in need or too few
    loans were heard from, its absence would say so: such a school is withheld."""
    levels = {**dict.fromkeys(protection.MAIN, level), **(sides or dict.fromkeys(protection.SIDE, level))}
    if level in (Level.BAND, Level.WITHHELD):
        levels = dict.fromkeys(protection.COUNTS, Level.WITHHELD)
    cells = {
        name: cell
        for name, count in facts.counts.items()
        if count is not None and (cell := protection.cell(count, levels[name])) is not None
    }
    bare = protection.Published(ncessch=facts.ncessch, month_on=facts.month_on, level=level, cells=cells)
    need, covered = facts.counts.get("need"), facts.covered
    if level not in (Level.TEN, Level.BAND):
        return bare
    if need is None and level is Level.TEN:  # which everybody may know
        return bare
    if not need or covered is None or not (silence or auditor.Silence()).is_kept(facts):
        return replace(bare, level=Level.WITHHELD, cells={})
    return replace(bare, band=protection.band_of(covered, need))
