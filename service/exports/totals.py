"""Chooses how exactly the district's totals are told, so that no school is found out by what is missing from them."""

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service.exports import auditor, programs
from service.model import protection
from service.model.protection import Cell, Level

Progress = auditor.Progress
Coarser = Callable[[auditor.Row], auditor.Row]  # the same school, told of more coarsely

_SHARES = {Level.EXACT: 0.5, Level.TEN: 0.6}  # of the time that is left; the rest is for what was told before
_BLOCKS = (4, 12, 40)  # schools whose counts move together, the others staying as they are


@dataclass(frozen=True, slots=True, kw_only=True)
class Chosen:
    rows: tuple[auditor.Row, ...]
    cells: Mapping[str, Cell]
    cells_only: frozenset[str] = frozenset()
    unsettled: int = 0
    notes: Mapping[str, int] = field(default_factory=dict)


def choose(
    rows: Sequence[auditor.Row],
    before: Sequence[auditor.Release],
    *,
    money: Mapping[str, int],
    terms: auditor.Terms,
    progress: Progress,
    coarser: Coarser,
) -> Chosen:
    """Exact, else as ranges of ten, else as sums of the schools' own ranges; then nothing is said that the schools do
    not, and only what earlier totals make of their new ranges is to be judged."""
    told, is_over = tuple(rows), False
    for level, share in _SHARES.items():
        cells, part = _cells(told, money, level), _part(terms, share)
        is_kept = bool(cells) and _is_kept(told, before, cells, part, progress)
        terms.solved += part.solved
        if is_kept:
            return Chosen(rows=told, cells=cells, unsettled=int(is_over), notes={f"totals_{level}": 1})
        is_over |= part.is_over
    mended = _mended(told, before, terms, progress, coarser)
    sums = {name: cell for name in auditor.TOTALS if (cell := _sum(mended, name)) is not None}
    return Chosen(
        rows=mended,
        cells=sums,
        cells_only=frozenset(sums),
        unsettled=int(is_over or terms.is_over),
        notes={
            "totals_of_ranges": 1,
            "schools_beside_earlier_totals": sum(a is not b for a, b in zip(told, mended, strict=True)),
        },
    )


def _cells(rows: Sequence[auditor.Row], money: Mapping[str, int], level: Level) -> dict[str, Cell]:
    """None at all where an exact total, or a difference of two, is itself a small number of students."""
    counts = totals(rows)
    if level is Level.EXACT and _has_small(counts):
        return {}
    told = {name: count for name in auditor.TOTALS if (count := counts[name]) is not None}
    return {
        **{name: cell for name, count in told.items() if (cell := protection.cell(count, level)) is not None},
        **_of_lines(money, level),
    }


def _part(terms: auditor.Terms, share: float) -> auditor.Terms:
    """A part of the time that is left."""
    now = time.monotonic()
    until = now + max(0.0, terms.until - now) * share
    return auditor.Terms(width=terms.width, silence=terms.silence, until=until)


def _mended(
    rows: tuple[auditor.Row, ...],
    before: Sequence[auditor.Release],
    terms: auditor.Terms,
    progress: Progress,
    coarser: Coarser,
) -> tuple[auditor.Row, ...]:
    """Without new totals: coarsened until what was told before, totals too, and the month's day give nobody away."""
    while True:
        news, tight = _news(rows, before, terms), _tight(rows, terms.silence)
        if not news and not tight:
            return rows
        broken = _broken(rows, before, terms, progress, of=None if news else tight)
        chosen = _first_told(rows, (news & broken, news, broken, {row.facts.ncessch for row in rows}))
        if not broken or not chosen:
            return rows
        rows = tuple(coarser(row) if row.facts.ncessch in chosen else row for row in rows)


def _first_told(rows: Sequence[auditor.Row], choices: Sequence[set[str]]) -> set[str]:
    """Of the first choice that has any: the schools that can be told of more coarsely."""
    told = {row.facts.ncessch for row in rows if row.published.level is not Level.WITHHELD}
    return next((schools & told for schools in choices if schools & told), set())


def _news(rows: Sequence[auditor.Row], before: Sequence[auditor.Release], terms: auditor.Terms) -> set[str]:
    """Schools whose row says more than their earlier ones of a count that they share; what was told together with that
    count may say more now."""
    history: dict[str, list[auditor.Row]] = {}
    for release in before:
        for row in release.rows:
            history.setdefault(row.facts.ncessch, []).append(row)
    return {
        row.facts.ncessch
        for row in rows
        if row.facts.ncessch in history and _is_news(row, history[row.facts.ncessch], terms)
    }


def _is_news(row: auditor.Row, known: Sequence[auditor.Row], terms: auditor.Terms) -> bool:
    shared = auditor.keys([row]) & auditor.keys(known)
    is_integral = any(one.published.band is not None for one in (row, *known))
    old, new = (
        auditor.program_of(told, silence=terms.silence, is_integral=is_integral)
        for told in (known, [*known, row])
    )
    return any(None in (reach := _reach(new, key)) or reach != _reach(old, key) for key in shared)


def _tight(rows: Sequence[auditor.Row], silence: auditor.Silence) -> set[str]:
    """Schools that cannot be anywhere in their ranges while the others stay: that enough of the district's loans were
    heard from, on the month's day, holds them."""
    told = auditor.Release(tuple(rows)).day_rows
    together = sum(silence.of(row.facts) for row in told)
    if together > 0:
        return set()
    return {row.facts.ncessch for row in told if together - silence.of(row.facts) + _worst(row, silence) > 0}


def _worst(row: auditor.Row, silence: auditor.Silence) -> int:
    unknown, loaned = (row.published.cells.get(name) for name in ("unknown", "loaned"))
    enrolled = row.facts.enrolled or 10 * protection.SMALLEST_FREE
    most = enrolled if unknown is None else unknown.most
    return 1000 * most - silence.permille * (0 if loaned is None else loaned.least)


def _reach(program: programs.Program, key: programs.Key) -> tuple[int | None, int | None]:
    one = programs.Expression(((key, 1),))
    low, high = (program.extreme(one, is_most=is_most) for is_most in (False, True))
    return (None if low is None else low[key]), (None if high is None else high[key])


def totals(rows: Sequence[auditor.Row]) -> dict[str, int | None]:
    """With how many are enrolled at the schools whose need is known, which is no secret."""
    enrolled = [row.facts.enrolled for row in rows if row.facts.counts.get("need") is not None]
    is_known = bool(enrolled) and None not in enrolled
    told = {name: total(rows, name) for name in auditor.TOTALS}
    return {**told, "enrolled": sum(count or 0 for count in enrolled) if is_known else None}


def total(rows: Sequence[auditor.Row], name: str) -> int | None:
    """Over the schools whose need is known; None: there is none, or a count is missing."""
    counts = [row.facts.counts for row in rows if row.facts.counts.get("need") is not None]
    told = [one.get(name) for one in counts]
    return None if not told or None in told else sum(value or 0 for value in told)


def _sum(rows: Sequence[auditor.Row], name: str) -> Cell | None:
    """What the schools' ranges come to; None: a school's is not told."""
    counted = [row for row in rows if row.facts.counts.get("need") is not None]
    cells = [row.published.cells.get(name) for row in counted]
    if not cells or None in cells:
        return None
    return Cell(sum(cell.least for cell in cells if cell), sum(cell.most for cell in cells if cell))


def _has_small(counts: Mapping[str, int | None]) -> bool:
    """A total is a number of students too, and so is the difference of two."""
    return any(protection.is_protected(quantity.of(counts)) for quantity in protection.QUANTITIES)


def _of_lines(money: Mapping[str, int], level: Level) -> dict[str, Cell]:
    """Lines are no students, but a price tells how many there are. Few are a range wherever they stand."""
    return {
        name: Cell(count, count)
        if level is Level.EXACT and count >= protection.SMALLEST_FREE
        else protection.range_of(count, 10)
        for name, count in money.items()
    }


@dataclass(frozen=True, slots=True)
class _Known:
    """What is judged together: each school's new row with its earlier ones, and all releases."""

    by_school: Mapping[str, Sequence[auditor.Row]]
    releases: Sequence[auditor.Release]

    @property
    def hidden(self) -> list[str]:
        return [school for school, rows in self.by_school.items() if auditor.asked(rows)]

    @property
    def movable(self) -> list[str]:
        return [school for school, rows in self.by_school.items() if not _is_fixed(rows)]


def _is_kept(
    rows: tuple[auditor.Row, ...],
    before: Sequence[auditor.Release],
    cells: Mapping[str, Cell],
    terms: auditor.Terms,
    progress: Progress,
) -> bool:
    release = auditor.Release(rows, cells)
    known = _Known(_by_school(rows, before), [*before, release])
    hidden, movable = known.hidden, known.movable
    for at, block in enumerate(_blocks(hidden, movable, _BLOCKS[0])):
        if _block_broken(block, known, movable, terms):
            return False
        progress("totals", min((at + 1) * _BLOCKS[0], len(hidden)), len(hidden))
    return _totals_are_kept(release, known, movable, terms)


def _broken(
    rows: tuple[auditor.Row, ...],
    before: Sequence[auditor.Release],
    terms: auditor.Terms,
    progress: Progress,
    *,
    of: set[str] | None,
) -> set[str]:
    """The schools of which too much is told. ``of`` None: asked of all."""
    known = _Known(_by_school(rows, before), [*before, auditor.Release(rows)])
    hidden = [school for school in known.hidden if of is None or school in of]
    movable = known.movable
    broken: set[str] = set()
    for at, block in enumerate(_blocks(hidden, movable, _BLOCKS[0])):
        if terms.is_over:
            return broken.union(hidden[at * _BLOCKS[0] :])
        broken |= {one.ncessch for one in _block_broken(block, known, movable, terms)}
        progress("earlier totals", min((at + 1) * _BLOCKS[0], len(hidden)), len(hidden))
    return broken


def _by_school(
    rows: Sequence[auditor.Row], before: Sequence[auditor.Release]
) -> dict[str, list[auditor.Row]]:
    """Each school's new row, and every row of a release that shares a count with these, or with those, and so on: what
    is told of one school sharpens what was told of others together with it, also of schools that are gone."""
    found = {row.facts.ncessch: [row] for row in rows}
    reached, left = auditor.keys(rows), list(before)
    while near := [release for release in left if not reached.isdisjoint(auditor.keys(release.rows))]:
        for release in near:
            left.remove(release)
            reached |= auditor.keys(release.rows)
            for row in release.rows:
                found.setdefault(row.facts.ncessch, []).append(row)
    return found


def _is_fixed(rows: Sequence[auditor.Row]) -> bool:
    return all(row.published.level is Level.EXACT for row in rows)


def _blocks(hidden: Sequence[str], movable: Sequence[str], size: int) -> Iterator[list[str]]:
    """Schools to be judged together, filled up with others that can move."""
    for at in range(0, len(hidden), size):
        block = list(hidden[at : at + size])
        others = (school for school in movable if school not in block)
        yield [*block, *itertools.islice(others, size - len(block))]


def _block_broken(
    block: Sequence[str], known: _Known, movable: Sequence[str], terms: auditor.Terms
) -> list[auditor.Asked]:
    """What a block cannot keep by itself, a larger one may."""
    wanted = [one for school in block for one in auditor.asked(known.by_school[school])]
    for size in _BLOCKS:
        chosen = list(block) + _others(block, movable, size - len(block))
        wanted = _not_kept(wanted, chosen, known, terms)
        if not wanted or terms.is_over or len(chosen) < size:
            break
    return wanted


def _others(block: Sequence[str], movable: Sequence[str], missing: int) -> list[str]:
    """The schools that come next in the list, from the block on, round to its beginning."""
    if missing <= 0:
        return []
    start = movable.index(block[0]) if block[0] in movable else 0
    turned = itertools.islice(itertools.cycle(movable), start, start + len(movable))
    return list(itertools.islice((school for school in turned if school not in block), missing))


def _not_kept(
    wanted: Sequence[auditor.Asked], schools: Sequence[str], known: _Known, terms: auditor.Terms
) -> list[auditor.Asked]:
    rows = [row for school in schools for row in known.by_school[school]]
    program = auditor.program_of(rows, known.releases, silence=terms.silence)
    worlds: list[programs.World] = []
    broken = [one for one in wanted if not auditor.is_kept(program, one, terms, worlds=worlds)]
    terms.solved += program.solved
    return broken


def _totals_are_kept(
    release: auditor.Release, known: _Known, movable: Sequence[str], terms: auditor.Terms
) -> bool:
    """The protected ones among the totals and their differences."""
    for size in _BLOCKS:
        schools = movable[:size]
        wanted = _asked_of_totals(release, schools)
        if not wanted or not _not_kept(wanted, schools, known, terms):
            return True
        if len(schools) < size:
            return False
    return False


def _asked_of_totals(release: auditor.Release, schools: Sequence[str]) -> list[auditor.Asked]:
    counts = totals(release.rows)
    return [
        auditor.Asked("", quantity, _of_total(release, quantity, set(schools)), truth)
        for quantity in protection.QUANTITIES
        if (truth := quantity.of(counts)) is not None and protection.is_protected(truth)
    ]


def _of_total(
    release: auditor.Release, quantity: protection.Quantity, inside: set[str]
) -> programs.Expression:
    """The difference as one of the counts of schools that may move; the others are in its constant."""
    factors: dict[programs.Key, int] = {}
    constant = 0
    for names, sign in ((quantity.plus, 1), (quantity.minus, -1)):
        for name in names:
            for row in release.rows:
                if row.facts.counts.get("need") is None:
                    continue
                if name == "enrolled":
                    constant += sign * (row.facts.enrolled or 0)
                elif row.facts.ncessch in inside:
                    place = auditor.key(row.facts, name)
                    factors[place] = factors.get(place, 0) + sign
                else:
                    constant += sign * (row.facts.counts[name] or 0)
    return programs.Expression(tuple(factors.items()), constant)
