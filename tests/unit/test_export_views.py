"""How many schools a package tells at which level, in words."""

from service.web import export_views


def test_levels_are_told_in_words() -> None:
    assert export_views.levels({"exact": 7, "ten": 4}) == "11 schools: 7 exact, 4 in ranges of ten"
    assert export_views.levels({"withheld": 1}) == "1 school: 1 withheld"


def test_a_strict_package_has_no_ranges_of_ten() -> None:
    told = export_views.levels({"exact": 7, "ten": 4}, is_strict=True)
    assert told == "11 schools: 7 exact, 4 with something hidden"
