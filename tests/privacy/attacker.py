"""Takes everything that was ever published of a district and what everybody knows, and asks of each small number which
values are still possible. Written apart from the product: it reads files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from tests.privacy import counts, reading, search

Truths = Mapping[str, Mapping[str, counts.Truth]]  # by moment, by school
CAP = 60  # of what nothing else bounds


@dataclass(frozen=True, slots=True)
class Release:
    """One package. ``moment``: the month and the state of its facts, which packages with and without a pilot share."""

    moment: str
    tables: Mapping[str, Sequence[reading.Row]]


@dataclass(frozen=True, slots=True)
class Guesses:
    """What everybody may know or guess, and guesses right."""

    same_need: tuple[tuple[search.Name, search.Name], ...] = ()
    loans_are_in_need: bool = False  # with answers of each student, loans to others stay outside
    lines_are_loans: frozenset[str] = frozenset()  # moments
    idle_lines_are_idle_30: frozenset[str] = frozenset()
    nobody_has_more_than_needed: frozenset[str] = frozenset()  # adequate <= need at every school
    completeness_is_of_loaned: frozenset[tuple[str, str]] = frozenset()
    averages_are_of_ten: bool = False  # shown exactly where active_30 is truly 10 or more
    price: Fraction | None = None  # of a line in a month
    dear: tuple[str, Fraction] | None = None  # a school whose loans' lines have another price, and that
    groups: Mapping[str, frozenset[str]] = field(default_factory=dict)  # schools by the group's name


@dataclass(frozen=True, slots=True)
class Leak:
    moment: str
    school: str  # "" of the district
    quantity: counts.Quantity
    value: int
    possible: tuple[int, ...]
    is_undecided: bool = False

    def __str__(self) -> str:
        where = self.school or "the district"
        possible = ", ".join(map(str, self.possible))
        why = " (not settled)" if self.is_undecided else ""
        return f"{self.moment} {where}: {self.quantity} is {self.value}, possible {possible}{why}"


def known(releases: Sequence[Release], truths: Truths, guesses: Guesses) -> search.Knowledge:
    """``truths`` tell only what everybody knows: which schools there are, enrolled, and which counts nobody knows."""
    knowledge = search.Knowledge()
    for moment, schools in truths.items():
        for school, truth in schools.items():
            _common(knowledge, moment, school, truth, guesses)
        for name in ("lines", "idle_lines"):
            knowledge.unknown((moment, "", name), 0, CAP * max(1, len(schools)) * 4)
        _of_money(knowledge, moment, schools, guesses)
    for one, other in guesses.same_need:
        knowledge.add(search.Linear(((one, 1), (other, -1)), least=0, most=0))
    for release in releases:
        _told(knowledge, release, truths[release.moment], guesses)
    return knowledge


def _common(
    knowledge: search.Knowledge, moment: str, school: str, truth: counts.Truth, guesses: Guesses
) -> None:
    enrolled = truth["enrolled"]
    most = CAP if enrolled is None else enrolled
    for name in counts.COUNTS:
        if truth[name] is not None:
            knowledge.unknown((moment, school, name), 0, most)
    larger_first = [
        ("answered", "need"),
        ("loaned", "active_30"),
        ("active_30", "active_7"),
        ("active_7", "adequate"),
        ("idle_30", "idle_60"),
        ("idle_60", "idle_90"),
    ]
    if guesses.loans_are_in_need:
        larger_first.append(("need", "loaned"))
    for larger, smaller in larger_first:
        if truth[larger] is not None and truth[smaller] is not None:
            knowledge.at_least([(moment, school, larger)], [(moment, school, smaller)])
    if truth["loaned"] is not None and truth["unknown"] is not None:
        parts = [(moment, school, "adequate"), (moment, school, "unknown")]
        knowledge.at_least([(moment, school, "loaned")], parts)


def _of_money(
    knowledge: search.Knowledge, moment: str, schools: Mapping[str, counts.Truth], guesses: Guesses
) -> None:
    pairs = [
        ("lines", "loaned", guesses.lines_are_loans),
        ("idle_lines", "idle_30", guesses.idle_lines_are_idle_30),
    ]
    knowledge.at_least([(moment, "", "lines")], [(moment, "", "idle_lines")])
    for lines, loans, moments in pairs:
        names = [(moment, s, loans) for s, truth in schools.items() if truth[loans] is not None]
        if moment in moments:
            terms = (((moment, "", lines), -1), *((name, 1) for name in names))
            knowledge.add(search.Linear(terms, least=0, most=0))


def _told(
    knowledge: search.Knowledge, release: Release, schools: Mapping[str, counts.Truth], guesses: Guesses
) -> None:
    for row in release.tables.get("school_month", ()):
        school = row["school_ncessch"]
        _school(knowledge, _Place(release.moment, {school: schools[school]}), row, guesses)
    for row in release.tables.get("need_groups", ()):
        members = guesses.groups.get(row["name"], frozenset()) & schools.keys()
        if members and row["left_out"] == "0":
            _group(knowledge, _Place(release.moment, {s: schools[s] for s in members}), row, guesses)
    for row in release.tables.get("district_month", ()):
        place = _Place(release.moment, {s: t for s, t in schools.items() if t["need"] is not None})
        _sums(knowledge, place, row)
        _district(knowledge, place, row, guesses)


@dataclass(frozen=True, slots=True)
class _Place:
    """A school, or several together."""

    moment: str
    schools: Mapping[str, counts.Truth]

    def terms(self, *names: str, factor: int = 1) -> tuple[tuple[search.Name, int], ...]:
        return tuple(
            ((self.moment, school, name), factor)
            for name in names
            for school, truth in self.schools.items()
            if truth[name] is not None
        )

    def knows(self, *names: str) -> bool:
        return any(truth[name] is not None for truth in self.schools.values() for name in names)

    @property
    def enrolled(self) -> int | None:
        told = [truth["enrolled"] for truth in self.schools.values()]
        return None if None in told else sum(n or 0 for n in told)


def _sums(knowledge: search.Knowledge, place: _Place, row: reading.Row) -> None:
    """Counts, exact or as ranges."""
    for name in counts.COUNTS:
        figure = reading.count(row, name)
        if figure is not None and place.terms(name):
            _between(knowledge, place.terms(name), figure)


def _between(
    knowledge: search.Knowledge, terms: Sequence[tuple[search.Name, int]], figure: reading.Figure
) -> None:
    least = None if figure.least is None else -(-figure.least.numerator // figure.least.denominator)
    most = None if figure.most is None else figure.most.numerator // figure.most.denominator
    knowledge.add(search.Linear(tuple(terms), least=least, most=most))


@dataclass(frozen=True, slots=True)
class _Ratio:
    """Some counts over others, and a fixed number of students in the lower part."""

    upper: tuple[tuple[search.Name, int], ...]
    lower: tuple[tuple[search.Name, int], ...]
    fixed: int = 0
    is_capped: bool = True  # at 1


def _ratio(knowledge: search.Knowledge, ratio: _Ratio, figure: reading.Figure) -> None:
    if figure.least is not None and figure.least > 0:
        _above(knowledge, ratio, figure.least)
    if figure.most is not None and (figure.most < 1 or not ratio.is_capped):
        _below(knowledge, ratio, figure.most, is_less=figure.is_below_most)


def _above(knowledge: search.Knowledge, ratio: _Ratio, least: Fraction) -> None:
    """upper >= least x lower, in whole numbers."""
    terms = _merged(ratio, least)
    knowledge.add(search.Linear(terms, least=least.numerator * ratio.fixed))


def _below(knowledge: search.Knowledge, ratio: _Ratio, most: Fraction, *, is_less: bool) -> None:
    terms = _merged(ratio, most)
    knowledge.add(search.Linear(terms, most=most.numerator * ratio.fixed - is_less))


def _merged(ratio: _Ratio, bound: Fraction) -> tuple[tuple[search.Name, int], ...]:
    factors: dict[search.Name, int] = {}
    for name, factor in ratio.upper:
        factors[name] = factors.get(name, 0) + factor * bound.denominator
    for name, factor in ratio.lower:
        factors[name] = factors.get(name, 0) - factor * bound.numerator
    return tuple((name, factor) for name, factor in factors.items() if factor)


def _school(knowledge: search.Knowledge, place: _Place, row: reading.Row, guesses: Guesses) -> None:
    _sums(knowledge, place, row)
    _ratios(knowledge, place, row)
    _unmet(knowledge, place, row)
    _average(knowledge, place, row, guesses)
    (school,) = place.schools
    completeness = reading.share(row, "completeness")
    if completeness is not None and (place.moment, school) in guesses.completeness_is_of_loaned:
        heard = place.terms("loaned") + place.terms("unknown", factor=-1)
        _ratio(knowledge, _Ratio(heard, place.terms("loaned")), completeness)


def _group(knowledge: search.Knowledge, place: _Place, row: reading.Row, guesses: Guesses) -> None:
    need = reading.count(row, "need")
    if need is not None:
        _between(knowledge, place.terms("need"), need)
    if place.moment in guesses.nobody_has_more_than_needed:
        _ratios(knowledge, place, row)
        _covered(knowledge, place, row)


def _covered(knowledge: search.Knowledge, place: _Place, row: reading.Row) -> None:
    figure = reading.count(row, "covered")
    if figure is not None and place.knows("adequate"):
        _between(knowledge, place.terms("adequate"), figure)


def _average(knowledge: search.Knowledge, place: _Place, row: reading.Row, guesses: Guesses) -> None:
    """That an average is there tells of the devices; that it is not, only where the rule looks at the truth."""
    if not place.knows("active_30") or "gb_per_active_mean" not in row:
        return
    if row["gb_per_active_mean"]:
        knowledge.add(search.Linear(place.terms("active_30"), least=10))
    elif guesses.averages_are_of_ten and row.get("gb_per_active_mean_symbol", "").startswith("fewer"):
        knowledge.add(search.Linear(place.terms("active_30"), most=9))


def _ratios(knowledge: search.Knowledge, place: _Place, row: reading.Row) -> None:
    if not place.knows("need") or not place.knows("adequate"):
        return
    need, adequate = place.terms("need"), place.terms("adequate")
    possible = {
        "coverage": _Ratio(adequate, need),
        "coverage_high": _Ratio(adequate + place.terms("unknown"), need),
    }
    if place.enrolled is not None and place.knows("answered"):
        answered = place.terms("answered")
        less = tuple((name, -factor) for name, factor in answered)
        possible["coverage_low"] = _Ratio(adequate, need + less, fixed=place.enrolled)
        possible["response_ratio"] = _Ratio(answered, (), fixed=place.enrolled)
    for name, ratio in possible.items():
        figure = reading.share(row, name)
        if figure is not None:
            _ratio(knowledge, ratio, figure)


def _unmet(knowledge: search.Knowledge, place: _Place, row: reading.Row) -> None:
    figure = reading.count(row, "unmet")
    if figure is None or not place.knows("need") or not place.knows("adequate"):
        return
    least = figure.least or None  # of need less adequate; 0 also where there is a surplus
    terms = place.terms("need") + place.terms("adequate", factor=-1)
    _between(knowledge, terms, reading.Figure(least, figure.most))


def _district(knowledge: search.Knowledge, place: _Place, row: reading.Row, guesses: Guesses) -> None:
    if place.moment in guesses.nobody_has_more_than_needed:
        _ratios(knowledge, place, row)
        _unmet(knowledge, place, row)
        _covered(knowledge, place, row)
    for name in ("lines", "idle_lines"):
        figure = reading.count(row, name)
        if figure is not None:
            _between(knowledge, [((place.moment, "", name), 1)], figure)
    if guesses.price:
        _money(knowledge, place, row, guesses)
    _indices(knowledge, place, row, guesses)


def _money(knowledge: search.Knowledge, place: _Place, row: reading.Row, guesses: Guesses) -> None:
    """An amount is a number of lines by their price; by each price, where one school's lines have another."""
    for lines, loans, cost in (("lines", "loaned", "cost"), ("idle_lines", "idle_30", "idle_cost")):
        figure = reading.share(row, cost, decimals=2)
        if figure is not None:
            _ratio(
                knowledge, _Ratio(_paid(place, lines, loans, guesses), (), fixed=1, is_capped=False), figure
            )
    figure = reading.share(row, "cost_per_covered_student", decimals=2)
    if figure is not None and place.knows("adequate"):
        paid = _paid(place, "lines", "loaned", guesses)
        _ratio(knowledge, _Ratio(paid, place.terms("adequate"), is_capped=False), figure)


def _paid(place: _Place, lines: str, loans: str, guesses: Guesses) -> tuple[tuple[search.Name, int], ...]:
    """In whole dollars, as the prices are."""
    price = guesses.price or Fraction(0)
    school, dear = guesses.dear or ("", price)
    more = (((place.moment, school, loans), int(dear - price)),) if school else ()
    return (((place.moment, "", lines), int(price)), *more)


def _indices(knowledge: search.Knowledge, place: _Place, row: reading.Row, guesses: Guesses) -> None:
    """Figures that are no sums of counts: looked at world by world."""
    measures: dict[str, Callable[[Mapping[str, tuple[int, int, int]]], Fraction | None]] = {
        "aci": _aci,
        "rci": _rci,
    }
    high = guesses.groups.get("high-needs")
    if high is not None:
        measures["coverage_gap"] = lambda schools: _gap(schools, high)
        measures["coverage_ratio"] = lambda schools: _gap_ratio(schools, high)
    for name, measure in measures.items():
        figure = reading.share(row, name, decimals=2)
        if figure is not None:
            may_be_undefined = row.get(f"{name}_symbol", "").endswith("direction unknown")
            knowledge.add(_check(place, figure, measure, may_be_undefined=may_be_undefined))


def _check(
    place: _Place,
    figure: reading.Figure,
    measure: Callable[[Mapping[str, tuple[int, int, int]]], Fraction | None],
    *,
    may_be_undefined: bool,
) -> search.Check:
    """``may_be_undefined``: as told of a measure whose ranges hold a district where it is not defined."""
    names = place.terms("need") + place.terms("adequate")

    def holds(world: Mapping[search.Name, int]) -> bool:
        value = measure({s: _point(place, s, world) for s in place.schools})
        if value is None:
            return may_be_undefined
        return (figure.least is None or value >= figure.least) and (
            figure.most is None or value <= figure.most
        )

    return search.Check(tuple(name for name, _ in names), holds)


def _point(place: _Place, school: str, world: Mapping[search.Name, int]) -> tuple[int, int, int]:
    """Need, covered, enrolled."""
    need = world[place.moment, school, "need"]
    return need, min(need, world[place.moment, school, "adequate"]), place.schools[school]["enrolled"] or 1


def _coverage(schools: Sequence[tuple[int, int, int]]) -> Fraction | None:
    need = sum(n for n, _, _ in schools)
    return Fraction(sum(c for _, c, _ in schools), need) if need else None


def _gap(schools: Mapping[str, tuple[int, int, int]], high: frozenset[str]) -> Fraction | None:
    low = _coverage([p for s, p in schools.items() if s in high])
    rest = _coverage([p for s, p in schools.items() if s not in high])
    return None if low is None or rest is None else rest - low


def _gap_ratio(schools: Mapping[str, tuple[int, int, int]], high: frozenset[str]) -> Fraction | None:
    low = _coverage([p for s, p in schools.items() if s in high])
    rest = _coverage([p for s, p in schools.items() if s not in high])
    return None if low is None or not rest else low / rest


def _aci(schools: Mapping[str, tuple[int, int, int]]) -> Fraction | None:
    points = [point for point in schools.values() if point[0]]
    total = sum(need for need, _, _ in points)
    if not total:
        return None
    index, before = Fraction(0), 0
    for share in sorted({Fraction(n, e) for n, _, e in points}, reverse=True):
        tied = [point for point in points if Fraction(point[0], point[2]) == share]
        weight = sum(need for need, _, _ in tied)
        middle = (before + Fraction(weight, 2)) / total
        index += sum(Fraction(covered, total) * (2 * middle - 1) for _, covered, _ in tied)
        before += weight
    return index


def _rci(schools: Mapping[str, tuple[int, int, int]]) -> Fraction | None:
    index, mean = _aci(schools), _coverage(list(schools.values()))
    return None if index is None or not mean else index / mean


def leaks(
    releases: Sequence[Release], truths: Truths, guesses: Guesses | None = None, *, width: int = 5
) -> list[Leak]:
    """The small numbers of which fewer than ``width`` consecutive values around the true one are possible."""
    guessed = guesses or Guesses()
    attack, before = Attack(known(releases, truths, guessed)), Attack(known([], truths, guessed))
    return list(found(attack, before, truths, width=width))


def found(attack: "Attack", before: "Attack", truths: Truths, *, width: int) -> Iterator[Leak]:
    """``before``: with nothing published. Of three enrolled students nobody needs to be told that there are no more."""
    for small in smalls(truths):
        leak = attack.of(small, width)
        if leak is None:
            continue
        known_anyway = before.of(small, width)
        if known_anyway is None or leak.is_undecided or len(leak.possible) < len(known_anyway.possible):
            yield leak


@dataclass(frozen=True, slots=True)
class Small:
    """A number that must stay hidden."""

    moment: str
    school: str
    quantity: counts.Quantity
    value: int
    terms: tuple[tuple[search.Name, int], ...]
    fixed: int  # what enrolled adds


def smalls(truths: Truths) -> Iterator[Small]:
    for moment, schools in truths.items():
        for school, truth in schools.items():
            for quantity in counts.OF_SCHOOLS:
                if quantity.is_small(truth):
                    yield _small_of(_Place(moment, {school: truth}), school, quantity)
        known_need = {s: t for s, t in schools.items() if t["need"] is not None}
        for quantity in counts.OF_THE_DISTRICT:
            place = _Place(moment, known_need)
            told = [t[n] for t in known_need.values() for n in (*quantity.plus, *quantity.minus)]
            if told and None not in told and _small_of(place, "", quantity).value in counts.SMALL:
                yield _small_of(place, "", quantity)


def _small_of(place: _Place, school: str, quantity: counts.Quantity) -> Small:
    plus = [n for n in quantity.plus if n != "enrolled"]
    terms = place.terms(*plus) + place.terms(*quantity.minus, factor=-1)
    fixed = (place.enrolled or 0) if "enrolled" in quantity.plus else 0
    value = fixed + sum(f * (place.schools[n[1]][n[2]] or 0) for n, f in terms)
    return Small(place.moment, school, quantity, max(0, value), terms, fixed)


class Attack:
    """Keeps the worlds that it finds: each shows a value of every number in it."""

    def __init__(self, knowledge: search.Knowledge) -> None:
        self.knowledge = knowledge
        self.search = search.Search(knowledge)
        self.worlds: list[search.World] = []  # that show a value, of the unknowns connected with it

    def of(self, small: Small, width: int) -> Leak | None:
        possible = {small.value} | {v for w in self.worlds if (v := self._value(small, w)) is not None}
        try:
            for step in (1, -1):
                value = small.value + step
                while (
                    value >= 0
                    and len(_run(possible, small.value)) < width
                    and self._is_possible(small, value, possible)
                ):
                    value += step
        except search.Undecided:
            return Leak(
                small.moment, small.school, small.quantity, small.value, _run(possible, small.value), True
            )
        run = _run(possible, small.value)
        if len(run) >= width:
            return None
        return Leak(small.moment, small.school, small.quantity, small.value, run)

    def _value(self, small: Small, world: search.World) -> int | None:
        low, high = self.search.low, self.search.high
        if not all(name in world or low[name] == high[name] for name, _ in small.terms):
            return None
        return max(0, small.fixed + sum(f * world.get(name, low[name]) for name, f in small.terms))

    def _is_possible(self, small: Small, value: int, possible: set[int]) -> bool:
        if value not in possible:
            # 0 is also what a difference below 0 counts as.
            least = None if value == 0 else value - small.fixed
            world = self.search.world(search.Linear(small.terms, least=least, most=value - small.fixed))
            if world is None:
                return False
            self.worlds.append(world)
            possible.add(value)
        return True


def _run(possible: set[int], value: int) -> tuple[int, ...]:
    """The consecutive values around one."""
    first = last = value
    while first - 1 in possible:
        first -= 1
    while last + 1 in possible:
        last += 1
    return tuple(range(first, last + 1))
