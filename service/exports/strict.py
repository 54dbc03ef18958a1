"""The rule that most states print: counts below a number are hidden, and whatever would give them away.

Harsher than ranges and emptier. What it leaves is audited like any other release, and hidden further where needed.
"""

from collections.abc import Mapping, Sequence

from service.exports import auditor
from service.model import protection
from service.model.protection import Cell, Level

# Told of first: what is worth most to a reader is hidden last.
_BY_USE = (
    "need",
    "adequate",
    "loaned",
    "answered",
    "active_7",
    "active_30",
    "unknown",
    "waitlist",
    "idle_30",
)


def hidden(facts: Sequence[protection.Facts], *, min_n: int) -> list[protection.Published]:
    """Every school's month with its small counts as ``n<N`` and their complements hidden, each column with none or
    several hidden, so that no total gives a single one away."""
    rows = [_own(one, min_n) for one in facts]
    for name in auditor.TOTALS:
        rows = _complemented(facts, rows, name)
    return rows


def _own(facts: protection.Facts, min_n: int) -> protection.Published:
    told = {name: count for name, count in facts.counts.items() if count is not None}
    small = {name for name, count in told.items() if count < min_n}
    unsaid = {name for name in told if name not in small and _is_complement(facts, name, min_n)}
    cells = {
        name: Cell(0, min_n - 1) if name in small else Cell(count, count)
        for name, count in told.items()
        if name not in unsaid
    }
    return _row(facts, cells)


def _is_complement(facts: protection.Facts, name: str, min_n: int) -> bool:
    """Whether the count, beside another that is told, gives a small difference away: the smaller of both is hidden."""
    values = protection.values(facts)
    return any(
        0 < (quantity.of(values) or 0) < min_n and name in quantity.minus
        for quantity in protection.QUANTITIES
        if quantity.minus
    )


def _complemented(
    facts: Sequence[protection.Facts], rows: list[protection.Published], name: str
) -> list[protection.Published]:
    counted = [
        at
        for at, one in enumerate(facts)
        if one.counts.get("need") is not None and one.counts.get(name) is not None
    ]
    exact = [at for at in counted if (cell := rows[at].cells.get(name)) is not None and cell.is_exact]
    if len(counted) - len(exact) != 1 or not exact:
        return rows
    smallest = min(exact, key=lambda at: (facts[at].counts[name] or 0, facts[at].ncessch))
    mended = list(rows)
    mended[smallest] = _without(facts[smallest], rows[smallest], {name})
    return mended


def settled(
    facts: protection.Facts,
    row: protection.Published,
    known: Sequence[auditor.Row],
    limits: auditor.Terms,
) -> auditor.Row:
    """The row with as much more hidden as the promise asks for."""
    while True:
        audited = auditor.Row(facts, row)
        broken = auditor.alone([*known, audited], limits)
        if not broken or not row.cells:
            return audited
        names = {name for one in broken for name in (*one.quantity.plus, *one.quantity.minus)} & set(
            row.cells
        )
        row = _without(facts, row, names or set(row.cells))


def _without(facts: protection.Facts, row: protection.Published, names: set[str]) -> protection.Published:
    """Without the least useful of some cells."""
    order = {name: at for at, name in enumerate(_BY_USE)}
    last = max(names, key=lambda name: (order.get(name, len(order)), name))
    return _row(facts, {name: cell for name, cell in row.cells.items() if name != last})


def _row(facts: protection.Facts, cells: Mapping[str, Cell]) -> protection.Published:
    """Level ten where something is hidden: of ranges and bands it has none."""
    told = sum(count is not None for count in facts.counts.values())
    is_whole = len(cells) == told and all(cell.is_exact for cell in cells.values())
    level = Level.EXACT if is_whole else Level.TEN if cells else Level.WITHHELD
    return protection.Published(ncessch=facts.ncessch, month_on=facts.month_on, level=level, cells=cells)
