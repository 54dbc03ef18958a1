"""When a pilot's numbers say something, and the warnings where they do not."""

import math
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest

from service.model import pilot_results, pilot_words, pilots

START = date(2026, 10, 19)
PILOT = pilots.Pilot(
    name="calls",
    question="Do calls raise use?",
    schools=("000000000001", "000000000002"),
    comparison=("000000000003", "000000000004"),
    starts_on=START,
    ends_on=START + timedelta(days=19),
)
BOTH = (pilots.Side.PILOT, pilots.Side.COMPARISON)
COVERED = {
    (pilots.Side.PILOT, pilots.Period.BEFORE): 400,
    (pilots.Side.PILOT, pilots.Period.DURING): 600,
    (pilots.Side.COMPARISON, pilots.Period.BEFORE): 400,
    (pilots.Side.COMPARISON, pilots.Period.DURING): 420,
}


def days(*, need: int = 1000, count: int = 20, **changed: object) -> Iterator[pilots.Day]:
    """Every student has answered, and every loan is heard from."""
    for side in BOTH:
        for offset in range(-count, count):
            day = START + timedelta(days=offset)
            covered = COVERED[side, PILOT.period(day)] * need // 1000
            made = pilots.Day(
                side=side, on_day=day, schools=2, in_session=2, without_need=0, need=need, covered=covered, loaned=need,
                unknown=0, covered_at_most=covered, need_at_most=need, covered_of_most=covered, has_calendar=True,
            )  # fmt: skip
            yield replace(made, **changed)  # type: ignore[arg-type]


def judged(made: Iterator[pilots.Day], pilot: pilots.Pilot = PILOT) -> pilots.Result:
    return pilot_results.judge(pilot, list(made), [], reported_on=START + timedelta(days=60))


def codes(result: pilots.Result) -> set[str]:
    return {one.code for one in result.warnings}


def test_enough_students_and_days_are_not_warned_of() -> None:
    result = judged(days())
    assert result.difference.value == pytest.approx(0.18)
    assert result.lowest == pytest.approx(0.18)
    assert result.highest == pytest.approx(0.18)
    assert codes(result) == set()


def test_the_range_of_chance_is_of_students_not_of_their_days() -> None:
    result = judged(days())
    assert result.by_chance is not None
    shares = [(covered + 2) / 1004 for covered in COVERED.values()]
    assert result.by_chance == pytest.approx(2 * math.sqrt(sum(p * (1 - p) / 1004 for p in shares)))
    assert judged(days(count=40)).by_chance == result.by_chance


@pytest.mark.parametrize(
    ("need", "expected"),
    [(400, set()), (60, {"within_chance"}), (29, {"few_students", "within_chance"})],
)
def test_few_students_are_warned_of(need: int, expected: set[str]) -> None:
    assert codes(judged(days(need=need))) == expected


def test_too_few_students_have_no_figure_at_all() -> None:
    result = judged(days(need=9))
    assert result.change.value is None
    assert result.by_chance is None
    assert "fewer than 10 students in need: no figure is told" in pilot_words.sentence(result)
    assert {(cell.low, cell.high) for cell in result.cells} == {(None, None)}
    assert {point.coverage for point in result.points} == {None}
    assert judged(days(need=9), replace(PILOT, min_need=5)).change.value is not None


def test_few_days_are_warned_of() -> None:
    assert "few_days" not in codes(judged(days(count=10)))
    few = judged(days(count=9))
    assert [one.code for one in few.warnings].count("few_days") == 4
    assert "Only 9 day(s) can be used (pilot schools, before)" in few.warnings[0].sentence


def test_one_school_and_no_comparison_are_warned_of() -> None:
    alone = replace(PILOT, schools=PILOT.schools[:1], comparison=())
    made = [day for day in days() if day.side is pilots.Side.PILOT]
    result = judged(iter(made), alone)
    assert codes(result) == {"one_school", "no_comparison"}
    assert result.difference.value is None
    assert pilot_words.sentence(result) == (
        "Coverage of the pilot schools rose by 20.0 points; a difference to other schools cannot be told."
    )


def test_a_change_within_what_is_unknown_is_warned_of() -> None:
    result = judged(days(covered_at_most=700, loaned=1000, unknown=90))
    assert result.lowest == pytest.approx(0.6 - 0.7 - (0.7 - 0.4))
    assert "within_bounds" in codes(result)
    assert "not even its direction" in next(
        one.sentence for one in result.warnings if one.code == "within_bounds"
    )


def test_a_comparison_that_is_not_known_gives_no_difference() -> None:
    made = [day for day in days() if day.side is pilots.Side.PILOT]
    result = judged(iter(made))
    assert result.difference.reason == "comparison schools: coverage before is not told: no day can be used"
    assert result.cell(pilots.Side.COMPARISON, pilots.Period.BEFORE).left_out == {"not computed": 20}


def test_days_without_a_calendar_count_and_are_told_of() -> None:
    assert codes(judged(days(has_calendar=False))) == {"no_calendar"}


def test_a_school_that_counts_in_one_period_only_is_named() -> None:
    one = pilots.SchoolPeriod(
        side=pilots.Side.PILOT, period=pilots.Period.BEFORE, ncessch="000000000001", name="Alder", days=20,
        days_heard=20, need=100, covered=50, need_sources=("totals",),
    )  # fmt: skip
    during = replace(one, period=pilots.Period.DURING)
    added = replace(during, ncessch="000000000002")
    result = pilot_results.judge(
        PILOT, list(days()), [one, during, added], reported_on=START + timedelta(days=60)
    )
    assert [w.sentence for w in result.warnings] == ["Counted in one of the two periods only: 000000000002."]
    assert one.coverage(5) == 0.5
    assert one.coverage(6) is None


@pytest.mark.parametrize(
    ("change", "words"),
    [(0.0004, "stayed the same"), (0.01, "rose by 1.0 points"), (-0.123, "fell by 12.3 points")],
)
def test_a_change_is_told_in_points(change: float, words: str) -> None:
    result = judged(days())
    moved = replace(result, change=replace(result.change, value=change))
    assert f"Coverage of the pilot schools {words}" in pilot_words.sentence(moved)
