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
    return number.value is not None and not number.symbol.startswith("about")


def ends(number: Number) -> tuple[float, float] | None:
    """What it is at least and at most."""
    if number.value is not None and is_exact(number):
        return number.value, number.value
    if number.least is not None and number.most is not None:
        return number.least, number.most
    return None  # about, without bounds: nothing is certain


def is_above(one: Number, other: Number) -> bool:
    """For certain: the least of the one is above the most of the other."""
    mine, its = ends(one), ends(other)
    return mine is not None and its is not None and mine[0] > its[1]


def difference(one: Number, other: Number) -> Number:
    """The one less the other, of shares as they are told, so that a reader who subtracts them finds the same."""
    mine, its = ends(one), ends(other)
    if one.value is not None and other.value is not None:
        is_about = not (is_exact(one) and is_exact(other))
        return Number(value=told(one.value) - told(other.value), symbol="about" if is_about else "")
    if mine is None or its is None:
        return Number(symbol="unknown")
    return Number(least=told(mine[0]) - told(its[1]), most=told(mine[1]) - told(its[0]))


def told(share: float) -> float:
    """As in words: to one decimal of a percent."""
    return round(share * 100, 1) / 100


def may_be_none(number: Number, none: float = 0.0) -> bool:
    """Whether it may lie on either side of none: of a difference, its direction cannot be told."""
    if is_exact(number):
        return False
    found = ends(number)
    return found is None or found[0] <= none <= found[1]


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
