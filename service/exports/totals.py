"""Chooses how exactly the district's totals are told, so that no school is found out by what is missing from them."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from service.exports import auditor, programs
from service.model import protection
from service.model.protection import Cell, Level

Progress = auditor.Progress

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
) -> Chosen:
    """Exact, else as ranges of ten, else as sums of the schools' own ranges."""
    told = tuple(rows)
    counts = totals(told)
    for level in (Level.EXACT, Level.TEN):
        if level is Level.EXACT and _has_small(counts):
            continue
        cells = {
            name: cell
            for name in auditor.TOTALS
            if (told_count := counts[name]) is not None and (cell := protection.cell(told_count, level))
        }
        cells |= _of_lines(money, level)
        if _is_kept(told, before, cells, terms, progress):
            return Chosen(rows=told, cells=cells, notes={f"totals_{level}": 1})
    sums = {name: cell for name in auditor.TOTALS if (cell := _sum(told, name)) is not None}
    return Chosen(
        rows=told,
        cells=sums,
        cells_only=frozenset(sums),
        unsettled=int(terms.is_over),
        notes={"totals_of_ranges": 1},
    )


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


def _is_kept(
    rows: tuple[auditor.Row, ...],
    before: Sequence[auditor.Release],
    cells: Mapping[str, Cell],
    terms: auditor.Terms,
    progress: Progress,
) -> bool:
    release = auditor.Release(rows, cells)
    releases = [*before, release]
    by_school = _by_school(rows, before)
    hidden = [school for school, known in by_school.items() if auditor.asked(known)]
    movable = [school for school, known in by_school.items() if not _is_fixed(known)]
    for at, block in enumerate(_blocks(hidden, movable, _BLOCKS[0])):
        if not _block_is_kept(block, by_school, releases, movable, terms):
            return False
        progress("totals", min((at + 1) * _BLOCKS[0], len(hidden)), len(hidden))
    return _totals_are_kept(release, by_school, releases, movable, terms)


def _by_school(
    rows: Sequence[auditor.Row], before: Sequence[auditor.Release]
) -> dict[str, list[auditor.Row]]:
    """Each school's new row, and the earlier ones that share a count with it."""
    needs = {row.facts.ncessch: (row.facts.month_on, row.facts.counts.get("need")) for row in rows}
    found = {row.facts.ncessch: [row] for row in rows}
    for release in before:
        for row in release.rows:
            month_on, need = needs.get(row.facts.ncessch, (None, None))
            told = row.facts.counts.get("need")
            if row.facts.month_on == month_on or (need is not None and told == need):
                found[row.facts.ncessch].append(row)
    return found


def _is_fixed(rows: Sequence[auditor.Row]) -> bool:
    return all(row.published.level is Level.EXACT for row in rows)


def _blocks(hidden: Sequence[str], movable: Sequence[str], size: int) -> Iterator[list[str]]:
    """Schools to be judged together, filled up with others that can move."""
    for at in range(0, len(hidden), size):
        block = list(hidden[at : at + size])
        yield block + [school for school in movable if school not in block][: max(0, size - len(block))]


def _block_is_kept(
    block: Sequence[str],
    by_school: Mapping[str, Sequence[auditor.Row]],
    releases: Sequence[auditor.Release],
    movable: Sequence[str],
    terms: auditor.Terms,
) -> bool:
    """What a block cannot keep by itself, a larger one may."""
    wanted = [one for school in block for one in auditor.asked(by_school[school])]
    for size in _BLOCKS:
        chosen = list(block) + _others(block, movable, size - len(block))
        wanted = _not_kept(wanted, chosen, by_school, releases, terms)
        if not wanted:
            return True
        if terms.is_over or len(chosen) < size:
            return False
    return False


def _others(block: Sequence[str], movable: Sequence[str], missing: int) -> list[str]:
    """The schools that come next in the list, from the block on, round to its beginning."""
    if missing <= 0:
        return []
    start = movable.index(block[0]) if block[0] in movable else 0
    turned = [*movable[start:], *movable[:start]]
    return [school for school in turned if school not in block][:missing]


def _not_kept(
    wanted: Sequence[auditor.Asked],
    schools: Sequence[str],
    by_school: Mapping[str, Sequence[auditor.Row]],
    releases: Sequence[auditor.Release],
    terms: auditor.Terms,
) -> list[auditor.Asked]:
    rows = [row for school in schools for row in by_school[school]]
    program = auditor.program_of(rows, releases)
    worlds: list[programs.World] = []
    broken = [one for one in wanted if not auditor.is_kept(program, one, terms, worlds=worlds)]
    terms.solved += program.solved
    return broken


def _totals_are_kept(
    release: auditor.Release,
    by_school: Mapping[str, Sequence[auditor.Row]],
    releases: Sequence[auditor.Release],
    movable: Sequence[str],
    terms: auditor.Terms,
) -> bool:
    """The protected ones among the totals and their differences."""
    for size in _BLOCKS:
        schools = movable[:size]
        wanted = _asked_of_totals(release, schools)
        if not wanted or not _not_kept(wanted, schools, by_school, releases, terms):
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
