"""Whatever the product publishes of a small district, over months, corrections and profiles and with a pilot, leaves
every small number at least five consecutive values."""

import random

import hypothesis
import pytest
from hypothesis import strategies

from tests.privacy import attacking, counts, districts

SMALL = range(1000, 1036)  # two or three schools, a month or two
LARGER = (2, 7)  # up to four schools over three months


@pytest.mark.parametrize("seed", SMALL)
def test_everything_published_of_a_small_district_keeps_the_promise(seed: int) -> None:
    district = districts.any_district(seed, most_schools=3, most_months=2)
    assert not attacking.attack(district).findings


@pytest.mark.parametrize("seed", LARGER)
def test_everything_published_over_three_months_keeps_the_promise(seed: int) -> None:
    assert not attacking.attack(districts.any_district(seed)).findings


@pytest.mark.parametrize("kind", districts.KINDS)
def test_three_months_in_a_row_of_two_schools_keep_the_promise(kind: str) -> None:
    draw = random.Random(kind)
    months = [districts.month(draw, districts.FIRST_ON[0], kind, 2)]
    for month_on in districts.FIRST_ON[1:]:
        months.append(districts.month(draw, month_on, kind, 2, months[-1].schools))
    district = districts.District(tuple(months), need_is_of_students=kind != "surplus")
    assert not attacking.attack(district).findings


@strategies.composite
def schools(draw: strategies.DrawFn) -> dict[str, int | None]:
    """A school of which each count is drawn, so that a failing one shrinks."""
    below = strategies.integers
    enrolled = draw(below(1, 45))
    answered = draw(below(0, enrolled))
    need = draw(below(0, min(answered, 25)))
    loaned = draw(below(0, need))
    active_30 = draw(below(0, loaned))
    active_7 = draw(below(0, active_30))
    adequate = draw(below(0, active_7))
    told: dict[str, int | None] = dict.fromkeys(counts.COUNTS, 0)
    told |= {"enrolled": enrolled, "answered": answered, "need": need, "loaned": loaned}
    told |= {"active_30": active_30, "active_7": active_7, "adequate": adequate}
    idle_30 = draw(below(0, loaned - active_30))
    return told | {"unknown": draw(below(0, loaned - adequate)), "idle_30": idle_30}


@strategies.composite
def drawn_districts(draw: strategies.DrawFn) -> districts.District:
    """Two schools in a month; sometimes the next month too, with the same need at one of them."""
    first = [draw(schools()), draw(schools())]
    months = [_month(0, first)]
    if draw(strategies.booleans()):
        second = draw(schools())
        months.append(_month(1, [first[0], second | {"enrolled": max(second["enrolled"] or 0, 1)}]))
    high_needs = frozenset({districts.ncessch(0)}) if draw(strategies.booleans()) else frozenset()
    pilot = frozenset({districts.ncessch(1)})
    return districts.District(tuple(months), high_needs=high_needs, pilot=pilot)


def _month(place: int, told: list[dict[str, int | None]]) -> districts.Moment:
    named = {districts.ncessch(at): one for at, one in enumerate(told)}
    return districts.moment(districts.FIRST_ON[place], named)


@hypothesis.settings(
    derandomize=True,
    max_examples=12,
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
@hypothesis.given(drawn_districts())
def test_no_drawn_district_breaks_the_promise(district: districts.District) -> None:
    assert not attacking.attack(district).findings
