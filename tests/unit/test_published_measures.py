"""Measures of equity of schools that are told as ranges: their bounds hold what is true, or no direction is told."""

import hypothesis
import pytest
from hypothesis import strategies as st

from service.exports import measures, protecting, published, shares
from service.exports.report import words
from service.model import equity, months, protection
from service.model.protection import Cell, Level
from tests import month_facts

MEASURES = ("coverage_gap", "coverage_ratio", "aci", "rci", "par")


def made(of: months.Facts, *levels: Level, is_strict: bool = False, **told: object) -> published.District:
    decided = month_facts.decision(of, levels, **told)  # type: ignore[arg-type]
    return published.of(of, decided, version="1", is_strict=is_strict).district


def district(*schools: tuple[int, int, int]) -> months.Facts:
    """Of need, adequate and enrolled; high-needs schools and others in turns."""
    return month_facts.facts(
        month_facts.school(number, month_facts.counts(need, need, need, need, adequate, 0), enrolled=enrolled)
        for number, (need, adequate, enrolled) in enumerate(schools, start=1)
    )


@hypothesis.settings(deadline=None, max_examples=60)
@hypothesis.given(
    st.lists(st.tuples(st.integers(10, 60), st.floats(0, 1), st.integers(60, 400)), min_size=4, max_size=6),
    st.sampled_from([Level.FIVE, Level.TEN]),
)
def test_the_bounds_hold_what_exact_counts_come_to(drawn: list[tuple[int, float, int]], level: Level) -> None:
    of = district(*((need, int(need * share), enrolled) for need, share, enrolled in drawn))
    exact, told = made(of).numbers, made(of, *[level] * len(drawn)).numbers
    for name in MEASURES:
        true, number = exact[name].value, told[name]
        if true is None or number.value is None or number.least is None or number.most is None:
            continue
        assert number.least <= number.value <= number.most
        assert number.least - 0.011 <= true <= number.most + 0.011, name


def test_a_school_of_exact_counts_has_an_index_without_a_width() -> None:
    schools = [
        measures.School(need=Cell(need, need), adequate=Cell(adequate, adequate), enrolled=enrolled)
        for need, adequate, enrolled in ((80, 24, 200), (60, 30, 300), (40, 30, 200), (20, 18, 400))
    ]
    model = [
        equity.School(
            ncessch=str(at),
            name="",
            enrolled=enrolled,
            need=need,
            adequate=adequate,
            coverage=adequate / need,
        )
        for at, (need, adequate, enrolled) in enumerate(
            ((80, 24, 200), (60, 30, 300), (40, 30, 200), (20, 18, 400))
        )
    ]
    found = equity.concentration(model)
    for bounds, true in (
        (measures.absolute(schools), found.absolute.value),
        (measures.relative(measures.absolute(schools), schools), found.relative.value),
    ):
        assert bounds == pytest.approx((true, true))


def test_a_direction_is_told_only_where_the_bounds_are_apart() -> None:
    apart = made(district((50, 10, 100), (50, 48, 400)), Level.FIVE, Level.FIVE).numbers
    assert apart["coverage_gap"].symbol == "about"
    assert (apart["coverage_gap"].least or 0) > 0
    near = made(district((12, 6, 100), (14, 7, 400)), Level.TEN, Level.TEN).numbers
    for name in ("coverage_gap", "coverage_ratio", "aci", "rci"):
        assert near[name].symbol == "about, direction unknown", name


def test_beside_a_school_that_is_left_out_no_bounds_are_told() -> None:
    of = district((50, 10, 100), (50, 48, 400), (50, 12, 100), (50, 47, 400), (50, 13, 100))
    numbers = made(of, Level.BAND).numbers
    for name in MEASURES:
        assert numbers[name].value is not None
        assert numbers[name].symbol == "about, direction unknown"
        assert numbers[name].least is None


def test_the_gap_is_that_of_the_two_figures_that_are_told() -> None:
    found = made(district((50, 10, 100), (50, 38, 400)), Level.FIVE, Level.FIVE)
    needy, others = (group.coverage.value for group in found.groups)
    assert needy is not None
    assert others is not None
    assert found.numbers["coverage_gap"].value == round(others - needy, 2)


def strict(*hidden: int) -> published.District:
    """Four schools, some with a small count that is hidden."""
    of = district((50, 10, 100), (50, 38, 400), (50, 20, 100), (50, 30, 400), (50, 20, 100), (50, 30, 400))
    rows = []
    for at, row in enumerate(month_facts.decision(of).rows):
        cells = dict(row.cells)
        if at in hidden:
            cells["adequate"] = Cell(0, 9)
        rows.append(
            protection.Published(
                ncessch=row.ncessch,
                month_on=row.month_on,
                level=Level.TEN if at in hidden else Level.EXACT,
                cells=cells,
            )
        )
    decided = protecting.Decision(rows=tuple(rows), totals=month_facts.totals(of))
    return published.of(of, decided, version="1", is_strict=True).district


def test_by_the_strict_rule_a_hidden_school_is_in_no_figure_of_a_group() -> None:
    needy, others = strict(1).groups
    assert (others.schools, others.left_out) == (2, 1)
    assert others.coverage.value == 0.6
    assert (needy.schools, needy.left_out) == (3, 0)


def test_of_too_few_schools_that_are_told_there_is_no_measure() -> None:
    found = strict(1, 3)
    assert {found.numbers[name].symbol for name in MEASURES} == {"undefined"}
    assert found.undefined["coverage_gap"] == "too few of the other schools are told: 1 of 3"
    assert strict(1).numbers["coverage_gap"].value is not None


def test_a_large_number_made_of_hidden_counts_is_told_by_its_most() -> None:
    terms = shares.Terms(is_strict=True)
    assert shares.count(Cell(0, 9), terms).symbol == "n<10"
    assert shares.count(Cell(0, 75), terms).symbol == "at most 75"
    assert shares.count(Cell(0, 9), shares.Terms()).symbol == "0 to 9"
    words_ = [
        words.Words(language).count_in_text(shares.count(Cell(0, 75), terms)) for language in ("en", "es")
    ]
    assert words_ == ["at most 75", "como máximo 75"]
