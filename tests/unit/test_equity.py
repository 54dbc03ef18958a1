"""Gap, ratio, concentration indices and PAR, against other formulas and against what must not change them."""

import itertools
import math
from dataclasses import replace
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import equity, equity_words


def school(number: int = 1, *, need: int | None = 60, adequate: int = 30, **told: object) -> equity.School:
    """A school with a known coverage wherever its need is known and not 0."""
    coverage = min(adequate, need) / need if need else None
    values: dict[str, object] = {"enrolled": 400, "loaned": adequate, "coverage": coverage, **told}
    return equity.School(
        ncessch=f"{number:012d}",
        name=f"School {number}",
        need=need,
        adequate=adequate,
        **values,  # type: ignore[arg-type]
    )


@st.composite
def many(draw: st.DrawFn) -> list[equity.School]:
    """Of few sizes, so that ties are common."""
    rows = st.tuples(st.integers(1, 12), st.integers(0, 15), st.sampled_from((12, 20, 40, 300)))
    found = draw(st.lists(rows, min_size=1, max_size=12))
    return [
        school(number, need=need, adequate=adequate, enrolled=enrolled)
        for number, (need, adequate, enrolled) in enumerate(found)
    ]


def relative_by_covariance(schools: list[equity.School]) -> Fraction | None:
    """RCI = 2 cov(y, X) / mean with weights, in exact numbers."""
    total = sum(one.need or 0 for one in schools)
    rows = []
    for one in schools:
        rank = Fraction(one.need or 0, one.enrolled or 1)
        before = sum(o.need or 0 for o in schools if Fraction(o.need or 0, o.enrolled or 1) > rank)
        tied = sum(o.need or 0 for o in schools if Fraction(o.need or 0, o.enrolled or 1) == rank)
        value = Fraction(min(one.adequate, one.need or 0), one.need or 1)
        rows.append((Fraction(one.need or 0, total), (before + Fraction(tied, 2)) / total, value))
    mean = sum((p * y for p, _, y in rows), Fraction(0))
    if mean == 0:
        return None
    middle = sum((p * x for p, x, _ in rows), Fraction(0))
    covariance = sum((p * (x - middle) * (y - mean) for p, x, y in rows), Fraction(0))
    return 2 * covariance / mean


@given(many())
def test_the_indices_are_those_of_the_covariance(schools: list[equity.School]) -> None:
    found = equity.concentration(schools)
    expected = relative_by_covariance(schools)
    if expected is None:
        assert (found.absolute.value, found.relative.value) == (0, None)
        assert found.relative.reason == "mean coverage is 0"
        return
    assert found.mean is not None
    assert found.relative.value == pytest.approx(float(expected), abs=1e-12)
    assert found.absolute.value == pytest.approx(float(expected) * found.mean, abs=1e-12)


@given(many())
def test_the_relative_index_is_what_the_curve_leaves_out(schools: list[equity.School]) -> None:
    found = equity.concentration(schools)
    points = equity.curve(found.ranked)
    assert points[0] == (0.0, 0.0)
    assert points[-1][0] == pytest.approx(1)
    area = sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in itertools.pairwise(points))
    if found.relative.value is not None:
        assert points[-1][1] == pytest.approx(1)
        assert found.relative.value == pytest.approx(1 - 2 * area, abs=1e-9)


@given(many(), st.randoms(use_true_random=False))
def test_the_order_of_the_schools_changes_nothing(schools: list[equity.School], dice: object) -> None:
    shuffled = list(schools)
    dice.shuffle(shuffled)  # type: ignore[attr-defined]
    assert equity.of(shuffled).concentration.relative == equity.of(schools).concentration.relative


@given(many())
def test_a_school_in_two_equal_halves_changes_nothing(schools: list[equity.School]) -> None:
    doubled = [
        replace(one, need=2 * (one.need or 0), enrolled=2 * (one.enrolled or 0), adequate=2 * one.adequate)
        for one in schools
    ]
    halves = [replace(one, ncessch=f"9{one.ncessch[1:]}") for one in schools] + schools
    whole, split = equity.concentration(doubled), equity.concentration(halves)
    for one, other in ((whole.absolute, split.absolute), (whole.relative, split.relative)):
        assert (one.value is None) == (other.value is None)
        assert one.value is None or math.isclose(one.value, other.value or 0, abs_tol=1e-12)


@given(many(), st.integers(1, 5))
def test_equal_coverage_everywhere_is_no_inequity(schools: list[equity.School], tenths: int) -> None:
    equal = [
        replace(one, need=10 * (one.need or 0), adequate=tenths * (one.need or 0), coverage=tenths / 10)
        for one in schools
    ]
    found = equity.concentration(equal)
    assert found.relative.value == pytest.approx(0, abs=1e-12)
    assert (
        equity_words.side(found.relative.value)
        == "Coverage lies evenly over schools of more and of less need."
    )


def test_the_index_is_positive_where_the_less_needy_are_covered() -> None:
    needy, other = school(1, need=100, adequate=10), school(2, need=20, adequate=20)
    found = equity.concentration([needy, other])
    assert found.absolute.value is not None
    assert found.absolute.value > 0
    assert equity_words.side(found.relative.value) == "Coverage lies with the less needy schools."
    turned = equity.concentration([replace(needy, coverage=1.0), replace(other, coverage=0.1)])
    assert equity_words.side(turned.relative.value) == "Coverage lies with the needier schools."


def test_schools_that_cannot_be_ranked_are_named_and_the_others_weigh_anew() -> None:
    left_out = [
        school(1, enrolled=None),
        school(2, coverage=None),
        school(3, need=None),
        school(4, need=0),
    ]
    found = equity.concentration([*left_out, school(5), school(6, need=20)])
    assert {one.school.ncessch: one.reason for one in found.left_out} == {
        left_out[0].ncessch: "enrolment is not known",
        left_out[1].ncessch: "coverage is not known",
        left_out[2].ncessch: "need is not known",
        left_out[3].ncessch: "no student is in need",
    }
    assert sum(one.share for one in found.ranked) == pytest.approx(1)
    assert found == replace(equity.concentration([school(5), school(6, need=20)]), left_out=found.left_out)


def test_without_any_school_to_rank_the_indices_are_undefined_not_0() -> None:
    found = equity.concentration([school(need=None)])
    assert (found.absolute.value, found.relative.value, found.mean) == (None, None, None)
    assert equity_words.side(None) == "It cannot be told on which side coverage lies."
    assert equity.curve(found.ranked) == ((0.0, 0.0),)


def test_gap_and_ratio_are_of_the_two_groups_as_wholes() -> None:
    needy = [school(1, adequate=15, is_high_needs=True), school(2, need=40, adequate=60, is_high_needs=True)]
    others = [school(3, adequate=45, is_high_needs=False), school(4, is_high_needs=None)]
    found = equity.of([*needy, *others])
    assert (found.high_needs.covered, found.high_needs.need) == (55, 100)
    assert found.gap.value == pytest.approx(45 / 60 - 55 / 100)
    assert found.ratio.value == pytest.approx((55 / 100) / (45 / 60))
    assert [one.ncessch for one in found.unmarked] == [others[1].ncessch]


@pytest.mark.parametrize(
    ("needy", "other", "gap", "ratio"),
    [
        (school(1), school(2, adequate=0), "", "coverage of the other schools is 0"),
        (school(1, need=None), school(2), "no school of known need", "no school of known need"),
        (school(1, need=0, adequate=0), school(2), "no student in need", "no student in need"),
        (
            school(1, loaned=60, unknown=20),
            school(2),
            "only 66.7% of its loans have reported, and 90% are needed",
            "66.7%",
        ),
    ],
    ids=["others at 0", "need unknown", "no need", "blind"],
)
def test_what_is_undefined_says_why(needy: equity.School, other: equity.School, gap: str, ratio: str) -> None:
    found = equity.of([replace(needy, is_high_needs=True), replace(other, is_high_needs=False)])
    assert (found.gap.value is None) == bool(gap)
    assert gap in (found.gap.reason or "")
    assert found.ratio.value is None
    assert ratio in (found.ratio.reason or "")


def banded(number: int, share: float | None, *, kind: str = "frpl", **told: object) -> equity.School:
    year = "2025-26"
    return school(number, indicator=kind, indicator_value=share, indicator_year=year, **told)  # type: ignore[arg-type]


def test_par_is_the_best_band_less_the_district() -> None:
    schools = [
        banded(1, 0.25, adequate=54),
        banded(2, 0.251, adequate=30),
        banded(3, 0.75, adequate=24),
        banded(4, 1.04, adequate=12),
    ]
    risk = equity.of(schools).risk
    assert [band.group.covered for band in risk.bands] == [54, 30, 24, 12]
    assert risk.best is not None
    assert (risk.best.name, risk.basis) == ("low", ("frpl", "2025-26"))
    assert risk.value.value == pytest.approx(54 / 60 - 120 / 240)


def test_bands_never_mix_bases() -> None:
    schools = [
        banded(1, 0.1, adequate=30),
        banded(2, 0.2, kind="isp", adequate=60),
        banded(3, None, kind="title1"),
        school(4),
        banded(5, 0.9, adequate=20),
    ]
    risk = equity.of(schools).risk
    assert risk.basis == ("frpl", "2025-26")
    assert sum(band.group.need for band in risk.bands) == 120
    assert {one.school.ncessch[-1]: one.reason for one in risk.left_out} == {
        "2": "its indicator is isp of 2025-26",
        "3": "its indicator (title1) has no number",
        "4": "no indicator is told",
    }


def test_par_without_an_indicator_or_a_known_coverage_is_undefined() -> None:
    assert equity.of([school()]).risk.value.reason == "no school has an indicator of need with a number"
    blind = banded(1, 0.5, loaned=60, unknown=30)
    assert equity.of([blind]).risk.value.reason == "no band has a known coverage"
    half = equity.of([banded(1, 0.5), school(2, loaned=600, unknown=300)]).risk.value.reason
    assert half is not None
    assert half.startswith("coverage of the district is not told: only")
