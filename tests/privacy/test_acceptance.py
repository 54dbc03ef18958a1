"""The acceptance tests of protection, by hand: what must be hidden, and what may still be told."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date

from tests.privacy import attacking, counts, districts, made

SEPTEMBER, OCTOBER = districts.FIRST_ON[:2]


def school(need: int, *, loaned: int = 0, active: int | None = None, **told: int) -> dict[str, int | None]:
    """Every loan is in good use, but for what is told."""
    used = loaned if active is None else active
    found: dict[str, int | None] = dict.fromkeys(counts.COUNTS, 0)
    found |= {"enrolled": 400, "answered": 300, "need": need, "loaned": loaned}
    found |= dict.fromkeys(("active_30", "active_7", "adequate"), used)
    return found | told


def district(*schools: Mapping[str, int | None], month_on: date = SEPTEMBER) -> districts.District:
    told = {districts.ncessch(place): dict(one) for place, one in enumerate(schools)}
    return districts.District((districts.moment(month_on, told),))


def row(package: made.Package, place: int = 0) -> dict[str, str]:
    wanted = districts.ncessch(place)
    return next(row for row in package.cells["school_month"] if row["school_ncessch"] == wanted)


def total(package: made.Package) -> dict[str, str]:
    return package.cells["district_month"][0]


def test_strict_hides_both_parts_of_two_and_tells_the_total() -> None:
    """Total 15 = 10 + 5: neither part is told, total 15 is."""
    found = attacking.attack(replace(district(school(10), school(5)), profiles=(True,)))
    (package,) = found.packages
    assert [row(package, place)["need"] for place in (0, 1)] == ["", ""]
    assert total(package)["need"] == "15"
    assert not found.findings


def test_of_three_schools_one_with_need_7_nothing_pins_a_small_count() -> None:
    schools = [school(7, loaned=5), school(40, loaned=20), school(60, loaned=30)]
    found = attacking.attack(district(*schools))
    (package,) = found.packages
    assert not found.findings
    assert row(package)["need"] == ""
    assert row(package)["need_symbol"]
    assert total(package)["need"] or total(package)["need_symbol"]


def test_a_difference_of_two_between_loaned_and_active_coarsens_the_row() -> None:
    """need 40, loaned 40, active 38: two students are protected."""
    found = attacking.attack(
        district(school(40, loaned=40, active=38), school(60, loaned=20), school(80, loaned=45))
    )
    (package,) = found.packages
    assert not found.findings
    assert row(package)["level"] != "exact"
    assert not (row(package)["loaned"] and row(package)["active_30"])


def test_a_month_with_9_cannot_be_rebuilt_from_the_month_before_with_12() -> None:
    others = [school(60, loaned=20), school(80, loaned=45)]
    first = district(school(12), *others)
    second = district(school(9), *others, month_on=OCTOBER)
    found = attacking.attack(replace(first, moments=first.moments + second.moments))
    assert not found.findings
    assert row(found.packages[1])["need"] == ""


def test_a_count_of_12_beside_large_schools_is_told_exactly_where_nothing_is_small() -> None:
    """Protection is not the same as an empty file."""
    schools = [
        school(100, loaned=60, active=45),
        school(90, loaned=50, active=35),
        school(120, loaned=80, active=60),
    ]
    found = attacking.attack(district(*schools))
    assert found.levels == ["exact"] * 3
    assert total(found.packages[0])["need"] == "310"
    assert not found.findings


def test_a_correction_that_moves_a_school_from_9_to_10_does_not_tell_that_it_had_9() -> None:
    others = [school(8), school(60, loaned=20), school(80, loaned=45)]
    before = district(school(9), *others)
    after = district(school(10), *others)
    corrected = replace(after.moments[0], revision=2)
    found = attacking.attack(replace(before, moments=(*before.moments, corrected)))
    assert not found.findings


def test_three_months_with_the_same_need_and_more_loans_each_keep_the_promise() -> None:
    months = [
        district(
            school(23, loaned=loans, active=loans), school(70, loaned=20 + loans), month_on=month_on
        ).moments[0]
        for month_on, loans in zip(districts.FIRST_ON, (6, 11, 17), strict=True)
    ]
    assert not attacking.attack(districts.District(tuple(months))).findings


def test_a_district_without_any_need_is_told_and_nobody_is_found() -> None:
    found = attacking.attack(district(school(0), school(0)))
    assert not found.findings


def test_a_single_tiny_school_is_not_found_by_the_lines_that_are_paid_for() -> None:
    """One line per loan at a known price: the cost is a number of students."""
    found = attacking.attack(district(school(7, loaned=7), school(90, loaned=60, active=45)))
    assert not found.findings


def test_a_plain_package_after_a_strict_one_of_the_same_month_tells_no_more_together() -> None:
    """Adequate 6 and 14: a total of 20 to 29 and ranges of five together would leave the first four values."""
    first = school(14, loaned=11, active=8, adequate=6, unknown=5, answered=32, enrolled=44)
    second = school(24, loaned=18, active=15, adequate=14, answered=33, enrolled=34)
    assert not attacking.attack(replace(district(first, second), profiles=(True, False))).findings


def test_few_idle_loans_are_not_found_by_the_idle_lines_that_are_paid_for() -> None:
    """A line per loan: 13 idle lines are the 9 and the 4 idle loans of two schools."""
    first = school(58, loaned=44, active=33, idle_30=9)
    second = school(56, loaned=47, active=41, idle_30=4)
    assert not attacking.attack(district(first, second)).findings
