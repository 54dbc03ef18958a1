"""The bounds of the district's coverage: no end of coverage is ever beyond them."""

import itertools

from hypothesis import given
from hypothesis import strategies as st

from service.exports import protecting, shares, told, totals_told
from service.exports.published import Number
from service.model import protection
from service.model.protection import Cell, Level
from tests import month_facts

TERMS = shares.Terms(floor=0.0)


def schools(*rows: tuple[dict[str, int | None], Level]) -> list[told.Told]:
    of = month_facts.facts(month_facts.school(at, counts) for at, (counts, _) in enumerate(rows, start=1))
    facts = month_facts.counted(of)
    return [
        told.of(one, protecting.published(one, level)) for one, (_, level) in zip(facts, rows, strict=True)
    ]


def are_in_order(numbers: dict[str, Number], *, places: float = 0.0) -> bool:
    told_ = (numbers[name] for name in ("coverage_low", "coverage", "coverage_high"))
    ends = [(one.least, one.most) for one in told_ if one.least is not None and one.most is not None]
    return all(
        one[0] <= other[0] + places and one[1] <= other[1] + places for one, other in itertools.pairwise(ends)
    )


def test_the_best_case_does_not_start_below_the_figure() -> None:
    """The school's ranges leave room for a surplus that the total of the adequate ones rules out."""
    rows = schools((month_facts.counts(60, 60, 58, 57, 57, 3), Level.TEN))
    totals = {"need": Cell(60, 64), "adequate": Cell(57, 57), "unknown": Cell(3, 3)}
    found = totals_told.numbers(rows, totals, TERMS)

    assert found["coverage"].symbol == "89% to 95%"
    assert found["coverage_high"].symbol == "89% to 100%"
    assert are_in_order(found)


def test_beside_an_exact_figure_a_bound_is_as_fine_as_it_is() -> None:
    rows = schools((month_facts.counts(300, 250, 240, 230, 211, 0, answered=400), Level.TEN))
    totals = {
        "need": Cell(300, 300),
        "adequate": Cell(211, 211),
        "unknown": Cell(0, 4),
        "answered": Cell(395, 404),
    }
    found = totals_told.numbers(rows, totals, TERMS)

    assert found["coverage"].value == 0.7033
    assert (found["coverage_high"].least, found["coverage_high"].symbol) == (0.7033, "70.33% to 72%")
    assert are_in_order(found)


def _cell(count: int, width: int) -> Cell:
    return Cell(count, count) if width == 1 else protection.range_of(count, width)


@given(
    st.lists(st.integers(0, 90), min_size=4, max_size=4),
    st.lists(st.sampled_from([1, 5, 10]), min_size=4, max_size=4),
    st.sampled_from([Level.EXACT, Level.FIVE, Level.TEN]),
)
def test_whatever_is_told_how_finely_the_bounds_are_around_the_figure(
    parts: list[int], widths: list[int], level: Level
) -> None:
    unmet, adequate, unknown, other = parts
    need = unmet + adequate + unknown + 1
    counts = month_facts.counts(
        need, adequate + unknown, adequate, adequate, adequate, unknown, answered=need + other
    )
    rows = schools((counts, level))
    named = {"need": need, "adequate": adequate, "unknown": unknown, "answered": need + other}
    totals = {name: _cell(count, width) for (name, count), width in zip(named.items(), widths, strict=True)}
    found = totals_told.numbers(rows, totals, TERMS)

    assert are_in_order(found, places=0.0001)
    for name, truth in (
        ("coverage_high", (adequate + unknown) / need),
        ("coverage_low", adequate / (500 - other)),
    ):
        number = found[name]
        if number.least is not None and number.most is not None:
            assert number.least - 0.0001 <= min(1, truth) <= number.most + 0.0001, name


def test_a_bound_with_no_room_left_is_exact() -> None:
    rows = schools((month_facts.counts(60, 57, 57, 57, 57, 0), Level.TEN))
    totals = {"need": Cell(60, 60), "adequate": Cell(57, 57), "unknown": Cell(0, 0)}
    found = totals_told.numbers(rows, totals, TERMS)

    assert found["coverage_high"] == found["coverage"] == Number(value=0.95, least=0.95, most=0.95)
