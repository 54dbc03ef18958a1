"""What an attacker may guess of a district, where the guess is right."""

import itertools
from fractions import Fraction

from tests.privacy import attacker, districts, search


def of(district: districts.District) -> attacker.Guesses:
    moments = district.moments
    return attacker.Guesses(
        same_need=_same_need(moments),
        loans_are_in_need=district.need_is_of_students,
        lines_are_loans=frozenset(m.name for m in moments if m.lines == _sum(m, "loaned")),
        idle_lines_are_idle_30=frozenset(m.name for m in moments if m.idle_lines == _sum(m, "idle_30")),
        nobody_has_more_than_needed=frozenset(m.name for m in moments if _has_no_surplus(m)),
        completeness_is_of_loaned=frozenset((m.name, school) for m in moments for school in m.schools),
        price=Fraction(district.price),
        dear=None if district.dear is None else (district.dear[0], Fraction(district.dear[1])),
        groups={"high-needs": district.high_needs, "others": _others(district)},
    )


def _sum(moment: districts.Moment, name: str) -> int:
    return sum(told[name] or 0 for told in moment.schools.values())


def _has_no_surplus(moment: districts.Moment) -> bool:
    known = [told for told in moment.schools.values() if told["need"] is not None]
    return all((told["adequate"] or 0) <= (told["need"] or 0) for told in known)


def _same_need(moments: tuple[districts.Moment, ...]) -> tuple[tuple[search.Name, search.Name], ...]:
    """Of a school from one release to the next: the next month, or the same month corrected."""
    return tuple(
        ((one.name, school, "need"), (other.name, school, "need"))
        for one, other in itertools.pairwise(moments)
        for school, told in one.schools.items()
        if told["need"] is not None and told["need"] == other.schools[school]["need"]
    )


def _others(district: districts.District) -> frozenset[str]:
    return frozenset(district.moments[0].schools) - district.high_needs
