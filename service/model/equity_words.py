"""The measures of equity in words: for the terminal and for the page alike."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from service.model import equity, high_needs

NOT_TOLD = "undefined"
EVEN = 0.005  # an index below this is no difference
_NAMED = 20  # schools that a sentence lists


@dataclass(frozen=True, slots=True)
class Told:
    """A measure: its name, its value, and what it was made of or why it is undefined."""

    name: str
    value: str
    made_of: str


def measures(found: equity.Equity) -> Iterator[Told]:
    both = f"others: {_counts(found.others)}; high-needs: {_counts(found.high_needs)}"
    index = found.concentration
    made_of = (
        f"{len(index.ranked)} schools ranked by need / enrolled, their coverage and share of students in need"
    )
    yield Told("gap: others less high-needs", points(found.gap), _why(found.gap, both))
    yield Told("ratio: high-needs / others", number(found.ratio), _why(found.ratio, "below 1 is inequity"))
    yield Told("concentration, absolute (ACI)", number(index.absolute, "+"), _why(index.absolute, made_of))
    mean = f"ACI / mean coverage {percent(index.mean)}"
    yield Told("concentration, relative (RCI)", number(index.relative, "+"), _why(index.relative, mean))
    yield Told(
        "best band less the district (PAR)", points(found.risk.value), _why(found.risk.value, _best(found))
    )


def _why(measure: equity.Measure, made_of: str) -> str:
    return measure.reason or made_of


def _best(found: equity.Equity) -> str:
    best = found.risk.best
    if best is None:
        return ""
    return (
        f"best: {band(best.name)} ({basis(found.risk.basis)}): {_counts(best.group)}; "
        f"district: {_counts(found.district)}"
    )


def band(name: str) -> str:
    """``mid-low need`` for mid_low."""
    return f"{name.replace('_', '-')} need"


def basis(told: tuple[str, str] | None) -> str:
    """The indicator and its year, as ``FRPL 2025-26``."""
    return "no basis" if told is None else f"{high_needs.NAMES[high_needs.Indicator(told[0])]} {told[1]}"


def _counts(group: equity.Group) -> str:
    return f"{group.covered:,} of {group.need:,} in need ({percent(group.coverage.value)})"


def percent(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1%}"


def points(measure: equity.Measure) -> str:
    return NOT_TOLD if measure.value is None else f"{measure.value * 100:+.1f} points"


def number(measure: equity.Measure, sign: str = "") -> str:
    return NOT_TOLD if measure.value is None else f"{measure.value:{sign}.3f}"


def sentences(found: equity.Equity) -> Iterator[str]:
    yield side(found.concentration.relative.value)
    yield from remarks(found)


def remarks(found: equity.Equity) -> Iterator[str]:
    """What is left out of which measure, and on what basis schools are high-needs."""
    if found.bases:
        yield f"High-needs by: {'; '.join(found.bases)}."
    if found.unmarked:
        yield f"Not marked as high-needs or not, so in neither group: {_names(found.unmarked)}."
    for reason, schools in _by_reason(found.concentration.left_out):
        yield f"Not ranked, as {reason}: {_names(schools)}."
    for reason, schools in _by_reason(found.risk.left_out):
        yield f"In no band, as {reason}: {_names(schools)}."


def _by_reason(left_out: Iterable[equity.LeftOut]) -> list[tuple[str, list[equity.School]]]:
    found: dict[str, list[equity.School]] = {}
    for one in left_out:
        found.setdefault(one.reason, []).append(one.school)
    return sorted(found.items())


def _names(schools: Iterable[equity.School]) -> str:
    names = [school.name for school in schools]
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def side(index: float | None) -> str:
    """On which side coverage lies, in words."""
    if index is None:
        return "It cannot be told on which side coverage lies."
    if index >= EVEN:
        return "Coverage lies with the less needy schools."
    if index <= -EVEN:
        return "Coverage lies with the needier schools."
    return "Coverage lies evenly over schools of more and of less need."
