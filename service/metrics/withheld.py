"""Which schools /metrics leaves out, so that no figure of few students can be read, or worked out from others."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from service.store import coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """``are_groups_told``: whether the figures of the high-needs schools, and of the others, give none away.

    ``is_district_told`` says so of the district's. Neither is told of too few students. ``is_all_told``: no school has
    few students in need; else what is made of each school's coverage, as an index, could be solved for a small one's.
    """

    schools: tuple[coverage.School, ...]
    withheld: int  # schools that are not among them
    is_district_told: bool
    are_groups_told: bool
    is_all_told: bool


def told(schools: Sequence[coverage.School], minimum_cell_size: int) -> Told:
    """A school that is left out alone, in its district or in its group, takes the next smallest with it: else its
    figures are those of all less those of the others."""
    known = [school for school in schools if school.need is not None]
    hidden = {school.ncessch for school in known if (school.need or 0) < minimum_cell_size}
    while added := _next(known, hidden):
        hidden.add(added)
    shown = tuple(school for school in known if school.ncessch not in hidden)
    return Told(
        schools=shown,
        withheld=len(schools) - len(shown),
        is_district_told=_is_told(known, hidden, minimum_cell_size),
        are_groups_told=all(_is_told(group, hidden, minimum_cell_size) for group in _groups(known)[:2]),
        is_all_told=not any(0 < (school.need or 0) < minimum_cell_size for school in known),
    )


def _is_told(together: Sequence[coverage.School], hidden: set[str], minimum_cell_size: int) -> bool:
    """Whether the sums of schools are of enough students, and leave out no school alone."""
    is_large = sum(school.need or 0 for school in together) >= minimum_cell_size
    return not together or (is_large and len(_among(together, hidden)) != 1)


def _next(known: Sequence[coverage.School], hidden: set[str]) -> str | None:
    """The school to leave out too; None: nobody's figures can be worked out, or nothing can be done about it."""
    for together in (*_groups(known), known):
        if len(_among(together, hidden)) == 1 and len(together) > 1:
            rest = (school for school in together if school.ncessch not in hidden)
            return min(rest, key=lambda school: (school.need or 0, school.ncessch)).ncessch
    return None


def _groups(known: Iterable[coverage.School]) -> tuple[list[coverage.School], ...]:
    """The high-needs schools, the others, and those of which it is not told."""
    schools = list(known)
    return tuple([one for one in schools if one.is_high_needs is mark] for mark in (True, False, None))


def _among(schools: Iterable[coverage.School], hidden: set[str]) -> list[str]:
    return [school.ncessch for school in schools if school.ncessch in hidden]
