"""A whole attack on a pretend district: make its packages, find what is still possible, and let the product tell other
worlds that the attacker holds possible: they must look the same, or the attacker has missed something that is told."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from tests.privacy import attacker, counts, districts, guessing, made, search

MOST_TWINS = 6


@dataclass(frozen=True, slots=True)
class Attacked:
    packages: list[made.Package]
    leaks: list[attacker.Leak]
    differences: list[str]  # in what is told of another possible world
    twins: list[districts.District]  # some of the worlds that stay possible

    @property
    def levels(self) -> list[str]:
        return [str(row.level) for package in self.packages for row in package.decision.rows]

    @property
    def findings(self) -> list[str]:
        return [*map(str, self.leaks), *self.differences]


def attack(district: districts.District, *, width: int = 5) -> Attacked:
    packages = made.packages(district)
    releases = [release for package in packages for release in package.releases]
    guesses = guessing.of(district)
    knowledge = attacker.known(releases, district.truths, guesses)
    truth = _world(district)
    wrong = [f"what is told is not true: {rule}" for rule in knowledge.contradicts(truth)]
    if wrong:
        return Attacked(packages, [], wrong, [])
    attacking = attacker.Attack(knowledge)
    before = attacker.Attack(attacker.known([], district.truths, guesses))
    leaks = list(attacker.found(attacking, before, district.truths, width=width))
    worlds = [truth | world for world in attacking.worlds[:: max(1, len(attacking.worlds) // MOST_TWINS)]]
    differences = [f"not possible: {rule}" for world in worlds for rule in knowledge.contradicts(world)]
    twins = [twin_of(district, world) for world in worlds]
    differences += [told for twin in twins for told in _differences(twin, packages)]
    return Attacked(packages, leaks, differences, twins)


def _world(district: districts.District) -> search.World:
    world: search.World = {}
    for moment in district.moments:
        world[moment.name, "", "lines"] = moment.lines
        world[moment.name, "", "idle_lines"] = moment.idle_lines
        for school, told in moment.schools.items():
            known = {name: value for name in counts.COUNTS if (value := told[name]) is not None}
            world |= {(moment.name, school, name): value for name, value in known.items()}
    return world


def _differences(twin: districts.District, packages: Sequence[made.Package]) -> Iterator[str]:
    for package, other in zip(packages, made.again(twin, packages), strict=True):
        yield from _different(package.cells, other.cells)
        yield from _different(package.with_pilot, other.with_pilot)


def twin_of(district: districts.District, world: search.World) -> districts.District:
    return replace(district, moments=tuple(_twin(moment, world) for moment in district.moments))


def _twin(moment: districts.Moment, world: search.World) -> districts.Moment:
    schools: districts.Schools = {
        school: told
        | {name: world[moment.name, school, name] for name in counts.COUNTS if told[name] is not None}
        for school, told in moment.schools.items()
    }
    lines, idle = world[moment.name, "", "lines"], world[moment.name, "", "idle_lines"]
    return replace(moment, schools=schools, lines=lines, idle_lines=idle)


def _different(one: made.Cells, other: made.Cells) -> Iterator[str]:
    for table, rows in one.items():
        for row, twin in zip(rows, other[table], strict=True):
            name = row.get("school_ncessch") or row.get("name") or ""
            yield from (
                f"{table} {name} {column}: {cell!r}, in another possible world {twin[column]!r}"
                for column, cell in row.items()
                if twin[column] != cell
            )
