"""Figures of a published month by name, and what can be said of two of them without guessing."""

from collections.abc import Iterable, Mapping

from service.exports import published

Number = published.Number
_NONE = Number()


def of(numbers: Mapping[str, Number], name: str) -> Number:
    """Unknown where the month does not tell it."""
    return numbers.get(name, _NONE)


def is_told(number: Number) -> bool:
    return number.middle is not None or number.symbol.startswith("about ")


def is_exact(number: Number) -> bool:
    return number.value is not None and number.symbol != "about"


def ends(number: Number) -> tuple[float, float] | None:
    """What it is at least and at most."""
    if number.value is not None and is_exact(number):
        return number.value, number.value
    if number.least is not None and number.most is not None:
        return number.least, number.most
    return None if number.value is None else (number.value, number.value)


def is_above(one: Number, other: Number) -> bool:
    """For certain: the least of the one is above the most of the other."""
    mine, its = ends(one), ends(other)
    return mine is not None and its is not None and mine[0] > its[1]


def least(numbers: Iterable[Number]) -> float | None:
    found = [end for number in numbers if (end := ends(number))]
    return min((low for low, _ in found), default=None)


def most(numbers: Iterable[Number]) -> float | None:
    found = [end for number in numbers if (end := ends(number))]
    return max((high for _, high in found), default=None)


def by_coverage(schools: Iterable[published.School]) -> list[published.School]:
    """Those whose coverage is told, the lowest first; ties by name."""
    told = [school for school in schools if is_told(of(school.numbers, "coverage"))]
    return sorted(
        told,
        key=lambda school: (
            of(school.numbers, "coverage").middle or 0.0,
            school.school.name,
            school.school.ncessch,
        ),
    )
