"""Finds out what a reader of everything that was ever released can still not know.

A world is one count for every school, month and name that fits all releases and common knowledge. The promise: for each
protected count, ``width`` consecutive values, the true one among them, are each that of some world. Common knowledge
is what holds of the true counts among the usual (no more used than lent; need the same in two months; one line a
loan): a reader who guesses it guesses right. All programs here are parts of the district's: schools outside keep
their true counts, so that a world which is found is one of the whole, and what is not found counts as none.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial

from service.exports import programs
from service.model import protection

Progress = Callable[[str, int, int], None]  # what, done, of how many
Key = programs.Key  # a school, a count, and what tells its months apart

# Where the first is never more than the second.
_ORDERED = (
    ("active_30", "loaned"),
    ("active_7", "active_30"),
    ("adequate", "active_7"),
    ("need", "answered"),
    ("loaned", "need"),
    ("idle_60", "idle_30"),
    ("idle_90", "idle_60"),
)
_IDLE = ("idle_30", "idle_60", "idle_90")
LINES, IDLE_LINES = "lines", "idle_lines"
TOTALS = (*protection.MAIN, "answered")

Part = tuple[str, int]  # a count and its factor
# What a reader may take a number of lines to be the sum of; each where it is so.
_SUMS: Mapping[str, tuple[tuple[Part, ...], ...]] = {
    LINES: ((("loaned", 1),),),
    IDLE_LINES: ((("loaned", 1), ("active_30", -1)), (("idle_30", 1),)),
}


@dataclass(frozen=True, slots=True)
class Row:
    facts: protection.Facts
    published: protection.Published


@dataclass(frozen=True)
class Release:
    """Its day tells something too: that enough of the district's loans were heard from on it."""

    rows: tuple[Row, ...]
    totals: Mapping[str, protection.Cell] = field(default_factory=dict)

    @cached_property
    def by_school(self) -> Mapping[str, Sequence[Row]]:
        found: dict[str, list[Row]] = {}
        for row in self.rows:
            found.setdefault(row.facts.ncessch, []).append(row)
        return found

    @cached_property
    def day_rows(self) -> Sequence[Row]:
        """Those of which the month's day is chosen: the schools whose need is known."""
        return [row for row in self.rows if _is_of_the_day(row)]

    @cached_property
    def day_loans(self) -> tuple[int, int]:
        """Loans of unknown state, and all loans, of these schools."""
        unknown, loaned = (sum(_count(row, name) for row in self.day_rows) for name in ("unknown", "loaned"))
        return unknown, loaned

    @cached_property
    def sums(self) -> Mapping[tuple[str, tuple[Part, ...]], int]:
        """The true value of everything that a reader may take a total to be the sum of."""
        return {
            (name, parts): sum(
                _count(row, part) * factor for row in self.rows for part, factor in _told(row, name, parts)
            )
            for name in self.totals
            for parts in _sums_of(name)
        }


@dataclass(frozen=True, slots=True)
class Silence:
    """The most of a thousand loans that may be of unknown state where coverage is told: everybody may know that."""

    permille: int = 100

    def factors(self, place: Callable[[str], Key]) -> dict[Key, int]:
        """Of counts: the sum is 0 or less where enough was heard."""
        return {place("unknown"): 1000, place("loaned"): -self.permille}

    def of(self, facts: protection.Facts) -> int:
        return self.weighed(facts.counts.get("unknown") or 0, facts.counts.get("loaned") or 0)

    def weighed(self, unknown: int, loaned: int) -> int:
        return 1000 * unknown - self.permille * loaned

    def is_kept(self, facts: protection.Facts) -> bool:
        return self.of(facts) <= 0


@dataclass(frozen=True, slots=True)
class Asked:
    """A protected count: what it is made of, and its true value."""

    ncessch: str
    quantity: protection.Quantity
    expression: programs.Expression
    truth: int


@dataclass(slots=True)
class Terms:
    width: int = protection.PROTECT_WIDTH
    silence: Silence = field(default_factory=Silence)
    until: float = float("inf")  # of time.monotonic(): later nothing is settled any more
    solved: int = 0

    @property
    def is_over(self) -> bool:
        return time.monotonic() > self.until


def key(facts: protection.Facts, name: str) -> Key:
    """A count that is the same in two releases is one count: need in any months, others within a month."""
    value = facts.counts.get(name)
    return facts.ncessch, name, None if name == "need" else facts.month_on, value


def keys(rows: Iterable[Row]) -> set[Key]:
    return {
        key(row.facts, name) for row in rows for name, count in row.facts.counts.items() if count is not None
    }


def asked(rows: Iterable[Row]) -> tuple[Asked, ...]:
    """Every protected count of some rows, once."""
    found: dict[programs.Expression, Asked] = {}
    for row in rows:
        values = protection.values(row.facts)
        for quantity in protection.QUANTITIES:
            truth = quantity.of(values)
            if truth is not None and protection.is_protected(truth):
                made = _expression(row.facts, quantity)
                found.setdefault(made, Asked(row.facts.ncessch, quantity, made, truth))
    return tuple(found.values())


def _expression(facts: protection.Facts, quantity: protection.Quantity) -> programs.Expression:
    factors: dict[programs.Key, int] = {}
    constant = 0
    for names, sign in ((quantity.plus, 1), (quantity.minus, -1)):
        for name in names:
            if name == "enrolled":
                constant += sign * (facts.enrolled or 0)
            else:
                factors[key(facts, name)] = sign
    return programs.Expression(tuple(factors.items()), constant)


def alone(rows: Sequence[Row], terms: Terms) -> tuple[Asked, ...]:
    """The protected counts of one school that its own rows, of all months, tell too much of."""
    wanted = asked(rows)
    if not wanted:
        return ()
    is_integral = any(row.published.band is not None for row in rows)
    program = program_of(rows, silence=terms.silence, is_integral=is_integral)
    worlds: list[programs.World] = []
    broken = tuple(
        one for one in wanted if not is_kept(program, one, terms, worlds=worlds, is_whole=not is_integral)
    )
    terms.solved += program.solved
    return broken


def is_kept(
    program: programs.Program,
    one: Asked,
    terms: Terms,
    *,
    worlds: list[programs.World] | None = None,
    is_whole: bool = False,
) -> bool:
    """Whether enough consecutive values stay possible. ``is_whole``: all between the extremes are."""
    known = [] if worlds is None else worlds
    seen = {one.truth, *(max(0, one.expression.of(world)) for world in known)}
    if is_whole:
        return _is_wide(program, one, terms, seen, known)
    return _has_run(program, one, terms, seen, known)


def _is_wide(
    program: programs.Program, one: Asked, terms: Terms, seen: set[int], worlds: list[programs.World]
) -> bool:
    """Whether the extremes are far enough apart; looked for only where no known worlds are."""
    for is_most in (True, False):
        if max(seen) - min(seen) + 1 >= terms.width:
            return True
        found = program.extreme(one.expression, is_most=is_most)
        if found is None:
            return False
        worlds.append(found)
        seen.add(max(0, one.expression.of(found)))
    return max(seen) - min(seen) + 1 >= terms.width


def _has_run(
    program: programs.Program, one: Asked, terms: Terms, seen: set[int], worlds: list[programs.World]
) -> bool:
    """Walk up from the truth, then down, until the run is long enough or a value has no world."""
    least = most = one.truth
    for step in (1, -1):
        while most - least + 1 < terms.width:
            value = most + 1 if step > 0 else least - 1
            if value < 0 or not (value in seen or _is_possible(program, one, value, terms, worlds)):
                break
            least, most = min(least, value), max(most, value)
    return most - least + 1 >= terms.width


def _is_possible(
    program: programs.Program, one: Asked, value: int, terms: Terms, worlds: list[programs.World]
) -> bool:
    if terms.is_over:
        return False
    found = program.world(one.expression, value, or_less=value == 0)  # a surplus is no students either
    if found is not None:
        worlds.append(found)
    return found is not None


def program_of(
    rows: Sequence[Row],
    releases: Sequence[Release] = (),
    *,
    silence: Silence | None = None,
    is_integral: bool = True,
) -> programs.Program:
    """What is known of some rows: their cells, common knowledge, and the totals of their releases."""
    program = programs.Program()
    for row in rows:
        _tell_cells(program, row)
    for row in rows:
        _tell_order(program, row)
        _tell_unused(program, row, is_integral=is_integral)
        _tell_band(program, row, silence or Silence())
    schools = dict.fromkeys(row.facts.ncessch for row in rows)
    for release in releases:
        _tell_totals(program, release, schools)
        _tell_day(program, release, schools, silence or Silence())
    return program


def _tell_cells(program: programs.Program, row: Row) -> None:
    most = row.facts.enrolled
    for name, value in row.facts.counts.items():
        if value is None:
            continue
        cell = row.published.cells.get(name)
        # Where more are told than are enrolled, nobody goes by that bound.
        limit = max(value, 10 * protection.SMALLEST_FREE) if most is None else max(value, most)
        if cell is None:
            program.count(key(row.facts, name), 0, limit)
        else:
            program.count(key(row.facts, name), cell.least, max(value, min(cell.most, limit)))


def _tell_order(program: programs.Program, row: Row) -> None:
    counts = row.facts.counts
    for smaller, larger in _ORDERED:
        low, high = counts.get(smaller), counts.get(larger)
        if low is not None and high is not None and low <= high:
            program.at_most([key(row.facts, smaller)], key(row.facts, larger))
    adequate, unknown, loaned = (counts.get(name) for name in ("adequate", "unknown", "loaned"))
    if adequate is not None and unknown is not None and loaned is not None and adequate + unknown <= loaned:
        names = [key(row.facts, "adequate"), key(row.facts, "unknown")]
        program.at_most(names, key(row.facts, "loaned"))


def _tell_unused(program: programs.Program, row: Row, *, is_integral: bool) -> None:
    """Nobody is both idle for 30 days and active in 30: idle_30 <= loaned - active_30.

    Beside differences alone it is told as what follows of it for either side, which is all there is to it.
    """
    idle, loaned, active = (row.facts.counts.get(name) for name in ("idle_30", "loaned", "active_30"))
    if idle is None or loaned is None or active is None or idle + active > loaned:
        return
    names = {name: key(row.facts, name) for name in ("idle_30", "loaned", "active_30")}
    if is_integral:
        program.at_most([names["idle_30"], names["active_30"]], names["loaned"])
        return
    least = max(program.bounds(key(row.facts, n))[0] for n in _IDLE if row.facts.counts.get(n) is not None)
    unused: dict[Key, int] = {names["loaned"]: 1, names["active_30"]: -1}
    program.between(unused, least, float("inf"))
    most = _most_lent(program, row) - max(
        _least(program, row, n) for n in ("active_30", "active_7", "adequate")
    )
    low, high = program.bounds(names["idle_30"])
    program.count(names["idle_30"], low, max(idle, min(high, most)))


def _most_lent(program: programs.Program, row: Row) -> int:
    loaned, need = row.facts.counts["loaned"] or 0, row.facts.counts.get("need")
    most = program.bounds(key(row.facts, "loaned"))[1]
    return most if need is None or loaned > need else min(most, program.bounds(key(row.facts, "need"))[1])


def _least(program: programs.Program, row: Row, name: str) -> int:
    return 0 if row.facts.counts.get(name) is None else program.bounds(key(row.facts, name))[0]


def _tell_band(program: programs.Program, row: Row, silence: Silence) -> None:
    """Coverage lies in its band, and enough loans were heard from to tell it. Shares are whole percents."""
    band, need, adequate = row.published.band, row.facts.counts.get("need"), row.facts.counts.get("adequate")
    if band is None or need is None or adequate is None:
        return
    if _is_told(row, "unknown", "loaned") and silence.is_kept(row.facts):
        heard = silence.factors(partial(key, row.facts))
        program.between(heard, -float("inf"), 0)
    names: dict[Key, int] = {key(row.facts, "adequate"): 100, key(row.facts, "need"): 0}
    low, high = round(band.low * 100), round(band.high * 100)
    above = {**names, key(row.facts, "need"): -low}
    is_last = band.low == protection.BANDS[-2]
    program.between(above, 1 if is_last else 0, float("inf"))
    if adequate <= need:
        program.at_most([key(row.facts, "adequate")], key(row.facts, "need"))
        is_closed = is_last or band.high == protection.BANDS[-2]
        program.between({**names, key(row.facts, "need"): -high}, -float("inf"), 0 if is_closed else -1)
    program.count(key(row.facts, "need"), 1, max(1, program.bounds(key(row.facts, "need"))[1]))


def _tell_totals(program: programs.Program, release: Release, schools: Iterable[str]) -> None:
    """Counts that the program does not have stay as they are. A sum that the true counts do not fit is none: that one
    line is lent with each loan, or none lies idle unlent, need not be so."""
    rows = _rows_of(release.by_school, schools)
    for name, cell in release.totals.items():
        for parts in _sums_of(name):
            outside = release.sums[name, parts]
            if not cell.least <= outside <= cell.most:
                continue
            factors: dict[Key, int] = {}
            for row in rows:
                for part, factor in _told(row, name, parts):
                    place = key(row.facts, part)
                    if program.has(place):
                        factors[place] = factors.get(place, 0) + factor
                        outside -= _count(row, part) * factor
            if factors:
                program.between(factors, cell.least - outside, cell.most - outside)


def _sums_of(name: str) -> tuple[tuple[Part, ...], ...]:
    return _SUMS.get(name, (((name, 1),),))


def _told(row: Row, name: str, parts: Sequence[Part]) -> Iterator[Part]:
    """The counts that a total is the sum of: those of the schools whose need is known; of lines, of every school."""
    counts = row.facts.counts
    if name not in TOTALS or counts.get("need") is not None:
        yield from (part for part in parts if counts.get(part[0]) is not None)


def _count(row: Row, name: str) -> int:
    return row.facts.counts[name] or 0


def _is_told(row: Row, *names: str) -> bool:
    return all(row.facts.counts.get(name) is not None for name in names)


def _is_of_the_day(row: Row) -> bool:
    return _is_told(row, "need", "unknown", "loaned")


def _rows_of(by_school: Mapping[str, Sequence[Row]], schools: Iterable[str]) -> list[Row]:
    return [row for school in schools for row in by_school.get(school, ())]


def _tell_day(program: programs.Program, release: Release, schools: Iterable[str], silence: Silence) -> None:
    """On the day of the figures enough was heard from the district."""
    outside = silence.weighed(*release.day_loans)
    if outside > 0:
        return
    factors = Counter[Key]()
    for row in filter(_is_of_the_day, _rows_of(release.by_school, schools)):
        told = silence.factors(partial(key, row.facts))
        if all(program.has(place) for place in told):
            factors.update(told)
            outside -= silence.of(row.facts)
    if factors:
        program.between(factors, -float("inf"), -outside)
