"""The schools in the order the page shows them: by what is known of them, then the lowest coverage first."""

from collections.abc import Iterable
from dataclasses import dataclass

from service.store import coverage


@dataclass(frozen=True, slots=True)
class Group:
    """Schools of which the same is known. ``heading`` may be empty."""

    heading: str
    note: str
    schools: tuple[coverage.School, ...]


_GROUPS = (
    ("known", "Coverage is known", "Lowest coverage first."),
    (
        "incomplete",
        "Coverage is not known for this day",
        "Too few loans have reported. Coverage lies between the bounds.",
    ),
    (
        "need_unknown",
        "Need is not known",
        "No answer and no count of students in need is valid on this day, so coverage cannot be told.",
    ),
    ("not_applicable", "No student is in need", "By the school's own answers; coverage does not apply."),
    (None, "Not computed yet", "There are no figures for this day."),
)


def groups(schools: Iterable[coverage.School]) -> tuple[Group, ...]:
    """The groups that have schools."""
    listed = sorted(schools, key=_order)
    found = (
        Group(heading, note, tuple(school for school in listed if school.status == status))
        for status, heading, note in _GROUPS
    )
    return tuple(group for group in found if group.schools)


def _order(school: coverage.School) -> tuple[float, float, str]:
    """Between equals: the one that could be worse, then by name."""
    return school.coverage or 0, school.coverage_low or 0, school.name


def lowest_unmet(school: coverage.School) -> int | None:
    """Students in need without an adequate connection if every loan of unknown state were adequate."""
    if school.need is None or school.adequate is None or school.unknown is None:
        return None
    return school.need - min(school.need, school.adequate + school.unknown)
