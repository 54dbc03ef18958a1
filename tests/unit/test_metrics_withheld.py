"""What /metrics leaves out: schools with few students in need, and whatever their figures could be worked out from."""

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import metrics
from service.metrics import withheld
from service.store import coverage
from tests import snapshots
from tests.observed import observed, value

SCHOOLS = len(snapshots.SCHOOLS)


def school(at: int, need: int | None, *, is_high_needs: bool | None = False) -> coverage.School:
    row = snapshots.SchoolRow(name=f"School {at}", need=need, is_high_needs=is_high_needs)
    return snapshots.school(row, index=at)


def shown(*schools: coverage.School) -> list[int | None]:
    """The need of those that are told."""
    return [one.need for one in withheld.told(schools, 10).schools]


def names(made: metrics.Metrics) -> set[str]:
    return {
        sample.labels["school"]
        for family in made.registry.collect()
        for sample in family.samples
        if "school" in sample.labels
    }


def test_small_schools_and_those_of_unknown_need_are_left_out_and_counted() -> None:
    made = observed()
    left_out = {
        snapshots.ncessch(at)
        for at, row in enumerate(snapshots.SCHOOLS)
        if row.name in (snapshots.SMALL, snapshots.NEED_UNKNOWN, snapshots.NOT_APPLICABLE)
    }
    assert names(made) == {snapshots.ncessch(at) for at in range(SCHOOLS)} - left_out
    assert value(made, "district_schools_withheld") == 3


def test_the_minimum_cell_size_is_a_setting() -> None:
    made = observed(minimum_cell_size=0)
    small = [row.name for row in snapshots.SCHOOLS].index(snapshots.SMALL)
    assert value(made, "school_students_in_need", school=snapshots.ncessch(small)) == 4
    assert value(made, "district_schools_withheld") == 1  # of unknown need


def test_none_is_left_out_where_all_are_large() -> None:
    assert shown(school(0, 40), school(1, 30)) == [40, 30]


def test_one_small_school_alone_takes_the_next_smallest_with_it() -> None:
    assert shown(school(0, 40), school(1, 4), school(2, 30), school(3, 50)) == [40, 50]


def test_a_school_without_need_is_a_small_one() -> None:
    assert shown(school(0, 40), school(1, 0), school(2, 30), school(3, 50)) == [40, 50]


def test_two_small_schools_of_a_group_take_no_other_with_them() -> None:
    assert shown(school(0, 40), school(1, 4), school(2, 3)) == [40]


def test_schools_of_unknown_need_are_in_no_total_and_hide_nothing() -> None:
    assert shown(school(0, 40), school(1, 4), school(2, None), school(3, 30), school(4, 50)) == [40, 50]


def test_small_schools_of_different_groups_each_take_one_of_their_group_with_them() -> None:
    """The coverage of both groups is told: together with the district's counts, one each could be worked out."""
    needy = [school(at, need, is_high_needs=True) for at, need in enumerate((4, 60, 70))]
    others = [school(at, need) for at, need in enumerate((5, 40, 50), start=3)]
    assert shown(*needy, *others) == [70, 50]


def test_of_two_as_small_the_choice_is_always_the_same() -> None:
    schools = [school(at, 30) for at in range(4)] + [school(4, 4)]
    told = {one.ncessch for one in withheld.told(schools, 10).schools}
    again = {one.ncessch for one in withheld.told(schools[::-1], 10).schools}
    assert told == again == {snapshots.ncessch(at) for at in (1, 2, 3)}


def test_a_group_of_one_small_school_hides_the_groups_and_one_more_school() -> None:
    only = school(0, 4, is_high_needs=True)
    told = withheld.told([only, school(1, 40), school(2, 50), school(3, 60)], 10)
    assert [one.need for one in told.schools] == [60]
    assert not told.are_groups_told
    assert told.is_district_told


def test_a_district_of_one_small_school_has_no_counts() -> None:
    rows = [row for row in snapshots.SCHOOLS if row.name == snapshots.SMALL]
    made = observed(rows=rows)
    assert names(made) == set()
    assert value(made, "district_students_in_need") is None
    assert value(made, "district_coverage_ratio") is None
    assert value(made, "district_coverage_gap_ratio") is None
    assert value(made, "district_schools_withheld") == 1


def test_a_district_of_few_students_has_no_figures_however_many_schools_it_has() -> None:
    row = next(row for row in snapshots.SCHOOLS if row.name == snapshots.SMALL)
    made = observed(rows=[replace(row, need=4), replace(row, name="Another", need=5)])
    told = {
        family.name
        for family in made.registry.collect()
        if family.samples and re.search("student|coverage|loan|concentration|risk", family.name)
    }
    assert told == set()


def test_a_group_of_few_students_is_not_told() -> None:
    needy = [school(0, 3, is_high_needs=True), school(1, 4, is_high_needs=True)]
    told = withheld.told([*needy, school(2, 40), school(3, 50)], 10)
    assert (told.is_district_told, told.are_groups_told) == (True, False)


def test_no_measure_is_made_of_a_school_that_is_left_out() -> None:
    """The best of four bands may be one small school: the risk would tell its coverage."""
    rows = snapshots.SCHOOLS
    assert value(observed(rows=rows), "district_attributable_risk_ratio") is None
    assert value(observed(rows=rows), "district_concentration_index") is None
    large = [row for row in rows if row.name != snapshots.SMALL]
    assert value(observed(rows=large), "district_attributable_risk_ratio") is not None
    assert value(observed(rows=large), "district_concentration_index") is not None


@given(
    st.lists(
        st.tuples(st.none() | st.integers(0, 30), st.sampled_from([True, False, None])),
        min_size=1,
        max_size=12,
    )
)
def test_nowhere_is_one_school_left_out_alone(told: list[tuple[int | None, bool | None]]) -> None:
    """Unless it is the only one of its group or district, whose figures are left out then."""
    schools = [school(at, need, is_high_needs=mark) for at, (need, mark) in enumerate(told)]
    found = withheld.told(schools, 10)
    known = [one for one in schools if one.need is not None]
    hidden = [one for one in known if one not in found.schools]
    assert all((one.need or 0) >= 10 for one in found.schools)
    assert len(hidden) != 1 or len(known) == 1
    total = sum(one.need or 0 for one in known)
    assert found.is_district_told == (len(hidden) != 1 and (total >= 10 or not known))
    assert found.is_all_told == all(one in found.schools or not one.need or one.need >= 10 for one in known)
    for mark in (True, False, None):
        among = [one for one in hidden if one.is_high_needs is mark]
        assert len(among) != 1 or len([one for one in known if one.is_high_needs is mark]) == 1
        assert len(among) != 1 or mark is None or not found.are_groups_told


def test_groups_are_told_where_they_hide_nobody() -> None:
    made = observed()
    high, others = (
        value(made, "district_high_needs_coverage_ratio"),
        value(made, "district_others_coverage_ratio"),
    )
    assert high is not None
    assert others is not None
    assert value(made, "district_coverage_gap_ratio") == pytest.approx(others - high)
    assert value(made, "district_high_needs_to_others_ratio") == pytest.approx(high / others)


def test_no_figure_of_a_withheld_school_follows_from_the_others() -> None:
    """What the district has beyond the schools that are told belongs to two schools at least."""
    made = observed(rows=[*snapshots.SCHOOLS[:4], replace(snapshots.SCHOOLS[0], name="Small", need=6)])
    needs = {
        sample.labels["school"]: sample.value
        for family in made.registry.collect()
        if family.name == "afterbell_school_students_in_need"
        for sample in family.samples
    }
    whole = value(made, "district_students_in_need")
    assert whole is not None
    assert whole - sum(needs.values()) == 6 + 35  # Small and Desert Willow
    assert len(needs) == 3
