"""A month as it is published: exact where it is told exactly, between true bounds where it is not."""

import dataclasses
import itertools
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.exports import protecting, published, shares
from service.exports.published import Number
from service.model import equity, months, protection
from service.model.protection import Cell, Level
from tests import month_facts

RANGES = [Level.FIVE, Level.TEN, Level.BAND, Level.WITHHELD]


def made(of: months.Facts, *levels: Level, **changed: object) -> published.Published:
    told: protecting.Decision = month_facts.decision(of, levels)
    return published.of(of, told, version="0.1.0", **changed)  # type: ignore[arg-type]


def one(
    counts: Mapping[str, int | None] | None = None, level: Level = Level.EXACT, **changed: object
) -> published.School:
    school = month_facts.school(1, counts, **changed)
    return made(month_facts.facts([school]), level).schools[0]


def text(number: Number) -> tuple[float | None, str, float | None, float | None]:
    return number.value, number.symbol, number.least, number.most


# A school


def test_a_school_that_is_told_exactly_has_the_numbers_of_the_definitions() -> None:
    told = one(month_facts.counts(40, 36, 34, 32, 30, 2, answered=400), enrolled=500)

    assert told.numbers["need"] == Number(value=40, least=40, most=40)
    assert told.numbers["coverage"].value == 0.75
    assert told.numbers["coverage_low"].value == round(30 / 140, 4)
    assert told.numbers["coverage_high"].value == 0.8
    assert told.numbers["completeness"].value == round(34 / 36, 4)
    assert told.numbers["response_ratio"].value == 0.8
    assert told.numbers["unmet"].value == 10
    assert told.flags == ()


def test_a_surplus_covers_nobody_and_is_flagged() -> None:
    told = one(month_facts.counts(20, 30, 28, 26, 25, 0))

    assert told.numbers["coverage"].value == 1
    assert told.numbers["unmet"].value == 0
    assert "need_exceeded" in told.flags


def test_without_students_in_need_coverage_is_not_applicable() -> None:
    told = one(month_facts.counts(0, 3, 3, 3, 3, 0))

    assert told.numbers["coverage"].symbol == "not applicable"
    assert {"no_need", "need_exceeded"} <= set(told.flags)


def test_unknown_need_is_unknown_and_never_zero() -> None:
    told = one(month_facts.counts(None))

    assert text(told.numbers["need"]) == (None, "unknown", None, None)
    assert text(told.numbers["coverage"]) == (None, "unknown", None, None)
    assert told.numbers["loaned"].value == 36
    assert "need_unknown" in told.flags


def test_where_too_few_were_heard_from_only_the_bounds_are_told() -> None:
    told = one(month_facts.counts(40, 30, 20, 20, 20, 4))

    assert told.numbers["coverage"] == Number(symbol="incomplete")
    assert told.numbers["coverage_high"].value == 0.6
    assert "incomplete" in told.flags


def test_without_its_enrolment_the_lower_bound_is_unknown() -> None:
    told = one(enrolled=None)

    assert told.numbers["coverage_low"].symbol == "unknown"
    assert told.numbers["response_ratio"].symbol == "unknown"
    assert told.numbers["coverage"].value == 0.75


def test_ranges_of_five_have_shares_as_whole_percents_rounded_outward() -> None:
    told = one(month_facts.counts(22, 18, 14, 13, 12, 1, answered=150), Level.FIVE)

    assert text(told.numbers["need"]) == (None, "20 to 24", 20, 24)
    assert text(told.numbers["coverage"]) == (None, "41% to 70%", 0.41, 0.7)
    assert text(told.numbers["unmet"]) == (None, "6 to 14", 6, 14)
    assert told.numbers["coverage"].middle == pytest.approx(0.555)
    assert {"ranges_of_five", "maybe_incomplete"} <= set(told.flags)


def test_ranges_of_ten_have_the_true_band_of_coverage() -> None:
    told = one(month_facts.counts(40, 36, 34, 32, 30, 0), Level.TEN)

    assert text(told.numbers["adequate"]) == (None, "30 to 39", 30, 39)
    assert text(told.numbers["coverage"]) == (None, "70% to 80%", 0.7, 0.8)


@pytest.mark.parametrize(
    ("adequate", "told"),
    [
        (2, "<5%"),
        (5, "5% to 10%"),
        (94, "90% to 95%"),
        (95, "90% to 95%"),
        (96, ">95%"),
        (100, ">95%"),
        (60, "60% to 70%"),
    ],
)
def test_a_school_of_a_band_tells_nothing_else(adequate: int, told: str) -> None:
    school = one(month_facts.counts(100, 100, 100, 100, adequate, 0), Level.BAND)

    assert school.numbers["coverage"].symbol == told
    others = {name: number for name, number in school.numbers.items() if name != "coverage"}
    assert set(others.values()) == {Number(symbol="withheld")}
    assert school.flags == ("band_only",)


def test_of_a_school_too_small_to_show_nothing_is_told_but_that() -> None:
    school = one(month_facts.counts(6, 5, 4, 3, 3, 1), Level.WITHHELD, days_missing=9)

    assert set(school.numbers.values()) == {Number(symbol="withheld")}
    assert school.flags == ("withheld",)
    assert school.days_missing is None


def test_counts_beside_the_main_ones_may_be_ranges_by_themselves() -> None:
    school = month_facts.facts([month_facts.school(1, month_facts.counts(waitlist=3))])
    row = protecting.published(
        month_facts.counted(school)[0],
        Level.EXACT,
        {**dict.fromkeys(protection.SIDE, Level.EXACT), "waitlist": Level.FIVE},
    )
    told = published.of(school, protecting.Decision(rows=(row,), totals={}), version="1").schools[0]

    assert told.numbers["waitlist"].symbol == "0 to 4"
    assert told.numbers["idle_30"].value == 0
    assert told.flags[0] == "some_ranges"


# Averages


def test_an_average_is_told_of_ten_devices_and_ten_students() -> None:
    assert one(used_bytes=345 * 10**9, devices_used=30).numbers["gb_per_active_mean"] == Number(value=11.5)
    assert one(homework_share=0.314, devices_timed=10).numbers["pct_usage_outside_school_hours"].value == 31
    assert one(uptime=0.876, devices_online=12).numbers["hotspot_uptime_pct"].value == 88


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ({"devices_used": 9}, "gb_per_active_mean"),
        ({"devices_timed": 9}, "pct_usage_outside_school_hours"),
        ({"uptime": 0.9, "devices_online": 9}, "hotspot_uptime_pct"),
    ],
)
def test_an_average_of_few_devices_is_not_told(changed: dict[str, object], name: str) -> None:
    school = month_facts.facts([month_facts.school(**changed)])  # type: ignore[arg-type]
    assert made(school).schools[0].numbers[name] == Number(symbol="fewer than 10 devices")


def test_an_average_beside_a_range_below_ten_is_not_told_whatever_was_measured() -> None:
    counts = month_facts.counts(22, 18, 9, 9, 9, 0)

    for used in (None, 0, 10**12):
        told = one(counts, Level.FIVE, used_bytes=used, devices_used=30)
        assert told.numbers["gb_per_active_mean"] == Number(symbol="fewer than 10 devices")


def test_what_nobody_measures_is_not_measured_and_a_measured_zero_is_zero() -> None:
    assert one(used_bytes=None).numbers["gb_per_active_mean"].symbol == "not measured"
    assert one(used_bytes=0).numbers["gb_per_active_mean"].value == 0


def test_blind_days_are_told_only_where_a_loan_is() -> None:
    assert one(month_facts.counts(40, 3, 3, 3, 3, 0), Level.FIVE, days_missing=4).days_missing is None
    assert one(month_facts.counts(40, 8, 3, 3, 3, 0), Level.FIVE, days_missing=4).days_missing == 4
    assert one(days_missing=4).days_missing == 4


# Strict


def strict_school(cells: Mapping[str, Cell], counts: Mapping[str, int | None]) -> published.School:
    of = month_facts.facts([month_facts.school(1, counts)])
    row = protection.Published(
        ncessch=month_facts.ncessch(1), month_on=of.month.first_on, level=Level.TEN, cells=cells
    )
    told = protecting.Decision(rows=(row,), totals={})
    return published.of(of, told, version="1", is_strict=True).schools[0]


def test_strict_writes_small_counts_by_their_limit_and_hides_what_is_made_of_them() -> None:
    counts = month_facts.counts(40, 36, 34, 32, 7, 0)
    told = strict_school({"need": Cell(40, 40), "adequate": Cell(0, 9), "loaned": Cell(36, 36)}, counts)

    assert text(told.numbers["adequate"]) == (None, "n<10", 0, 9)
    assert text(told.numbers["active_7"]) == (None, "*", None, None)
    assert text(told.numbers["coverage"]) == (None, "*", None, None)
    assert text(told.numbers["unmet"]) == (None, "*", None, None)
    assert told.flags == ("small_counts_hidden",)


def test_strict_tells_high_and_low_shares_as_such() -> None:
    low = strict_school(
        {"need": Cell(400, 400), "adequate": Cell(0, 9)}, month_facts.counts(400, 36, 34, 32, 7, 0)
    )

    assert text(low.numbers["coverage"]) == (None, "<5%", 0, 0.05)


def test_strict_asks_more_devices_of_an_average_where_it_hides_more() -> None:
    of = month_facts.facts([month_facts.school(devices_used=14)])
    told = published.of(of, month_facts.decision(of), version="1", is_strict=True, min_n=15)

    assert told.schools[0].numbers["gb_per_active_mean"].symbol == "fewer than 15 devices"


# The district


def test_a_district_that_is_told_exactly_has_its_true_figures() -> None:
    of = month_facts.facts(
        [
            month_facts.school(1, month_facts.counts(40, 36, 34, 32, 30, 2, answered=400)),
            month_facts.school(2, month_facts.counts(20, 30, 28, 26, 25, 0, answered=450)),
            month_facts.school(3, month_facts.counts(None, 10, 10, 10, 10, 0)),
        ]
    )
    numbers = made(of).district.numbers

    assert numbers["need"].value == 60
    assert numbers["adequate"].value == 55
    assert numbers["covered"].value == 50
    assert numbers["unmet"].value == 10
    assert numbers["coverage"].value == round(50 / 60, 4)
    assert numbers["coverage_low"].value == round(55 / (140 + 70), 4)
    assert numbers["coverage_high"].value == round(52 / 60, 4)
    assert numbers["response_ratio"].value == 0.85
    assert made(of).district.schools_without_need == 1


def test_the_measures_of_equity_are_those_of_the_model_to_two_decimals() -> None:
    schools = [
        ("1", True, 200, 80, 24, 0.88),
        ("2", True, 300, 60, 30, 0.61),
        ("3", False, 200, 40, 30, 0.42),
        ("4", False, 400, 20, 22, 0.12),
    ]
    of = month_facts.facts(
        month_facts.school(
            int(number),
            month_facts.counts(need, 40, 40, 40, adequate, 0),
            enrolled=enrolled,
            is_high_needs=is_needy,
            indicator_value=share,
        )
        for number, is_needy, enrolled, need, adequate, share in schools
    )
    numbers = made(of).district.numbers

    assert [numbers[name].value for name in ("coverage_gap", "coverage_ratio", "aci", "rci", "par")] == [
        0.45,
        0.46,
        0.11,
        0.21,
        0.48,
    ]
    assert {numbers[name].symbol for name in ("coverage_gap", "aci", "par")} == {""}


@pytest.mark.parametrize("level", [Level.FIVE, Level.TEN, Level.BAND, Level.WITHHELD])
def test_a_measure_beside_a_school_that_is_not_told_exactly_is_about(level: Level) -> None:
    of = month_facts.facts([month_facts.school(number) for number in range(1, 9)])
    told = made(of, level).district

    assert told.numbers["coverage_gap"].symbol.startswith("about")
    assert [group.left_out for group in told.groups] == [int(level in (Level.BAND, Level.WITHHELD)), 0]


def test_a_measure_without_a_value_says_why() -> None:
    of = month_facts.facts([month_facts.school(1, is_high_needs=None)])
    district = made(of).district

    assert district.numbers["coverage_gap"] == Number(symbol="undefined")
    assert "high-needs" in district.undefined["coverage_gap"]


def test_totals_that_are_not_told_are_withheld_and_those_nobody_knows_unknown() -> None:
    of = month_facts.facts([month_facts.school()])
    told = published.of(of, month_facts.decision(of, told={}), version="1").district.numbers
    unasked = month_facts.facts([month_facts.school(1, month_facts.counts(None))])

    assert {told[name].symbol for name in ("need", "coverage", "unmet", "cost")} == {"withheld"}
    assert made(unasked).district.numbers["need"].symbol == "unknown"
    assert made(unasked).district.numbers["coverage"].symbol == "unknown"


# Without a figure day


def _without_counts(number: int) -> months.School:
    nothing = dict.fromkeys(protection.COUNTS)
    return month_facts.school(number, nothing, coverage_status=None, need_source=None)


def test_a_month_without_a_figure_day_says_so_and_not_that_need_is_unknown() -> None:
    told = made(month_facts.facts([_without_counts(1), _without_counts(2)], figure_on=None))
    district = told.district

    assert {one.flags for one in told.schools} == {("no_figure_day",)}
    assert {one.numbers[name].symbol for one in told.schools for name in protection.COUNTS} == {
        "no figure day"
    }
    assert {district.numbers[name].symbol for name in ("need", "coverage", "completeness")} == {
        "no figure day"
    }
    assert district.numbers["cost_per_covered_student"].symbol == "no figure day"
    assert (district.schools_without_need, district.schools_without_day) == (0, 2)
    assert not any(district.levels.values())
    assert "exact" not in " ".join(told.protection_notes)


def test_a_school_that_closed_before_the_figure_day_has_no_level_and_no_unknown_need() -> None:
    told = made(month_facts.facts([month_facts.school(1), _without_counts(2)]))
    gone = next(one for one in told.schools if one.school.ncessch == month_facts.ncessch(2))

    assert gone.flags == ("no_figure_day",)
    assert gone.numbers["need"].symbol == "no figure day"
    assert told.district.schools_without_need == 0
    assert told.district.levels[Level.EXACT] == 1
    assert "Of 1 schools: 1 with exact counts." in told.protection_notes
    assert told.district.numbers["cost_per_covered_student"].value == 60


# Money


def test_an_exact_number_of_lines_has_its_exact_cost() -> None:
    numbers = made(month_facts.facts([month_facts.school()])).district.numbers

    assert numbers["cost"].value == 1800
    assert numbers["idle_cost"].value == 300
    assert numbers["cost_per_covered_student"].value == 60


def test_cost_per_student_is_made_of_what_is_told_of_both() -> None:
    of = month_facts.facts([month_facts.school()])
    told = {**month_facts.totals(of), "adequate": Cell(30, 39)}
    number = published.of(of, month_facts.decision(of, told=told), version="1").district.numbers[
        "cost_per_covered_student"
    ]

    assert text(number) == (None, "about $52", 46.15, 60)


@pytest.mark.parametrize("dear", [1, 7, 119])
def test_an_exact_number_of_lines_of_two_prices_has_no_exact_cost(dear: int) -> None:
    paid = month_facts.money(cost=15 * Decimal(120 - dear) + 31 * dear, highest_price=Decimal(31))
    numbers = made(month_facts.facts([month_facts.school()], money=paid)).district.numbers

    assert text(numbers["cost"]) == (None, "$1,800 to $3,720", 1800, 3720)
    assert text(numbers["idle_cost"]) == (None, "$300 to $620", 300, 620)
    assert text(numbers["cost_per_covered_student"]) == (None, "$60 to $124", 60, 124)


def test_cost_per_student_has_no_upper_bound_where_maybe_nobody_is_covered() -> None:
    paid = month_facts.money(highest_price=Decimal(31))
    of = month_facts.facts([month_facts.school()], money=paid)
    told = {**month_facts.totals(of), "adequate": Cell(0, 9)}
    numbers = published.of(of, month_facts.decision(of, told=told), version="1").district.numbers

    assert text(numbers["cost_per_covered_student"]) == (None, "at least $200", 200, None)


def test_cost_per_student_is_unknown_while_the_need_of_a_school_is() -> None:
    of = month_facts.facts([month_facts.school(1), month_facts.school(2, month_facts.counts(None))])
    numbers = made(of).district.numbers

    assert numbers["cost"].value == 1800
    assert text(numbers["cost_per_covered_student"]) == (None, "unknown", None, None)


def test_cost_is_unknown_where_a_price_is_missing() -> None:
    school = month_facts.school()
    without = month_facts.money(
        12, 2, without_price=12, cost=Decimal(0), highest_price=None, lowest_price=None
    )
    partly = month_facts.money(12, 2, without_price=1)

    assert made(month_facts.facts([school], money=without)).district.numbers["cost"].symbol == "unknown"
    assert made(month_facts.facts([school], money=partly)).district.numbers["cost"].symbol == "unknown"
    assert made(month_facts.facts([school], money=partly)).district.numbers["idle_cost"].symbol == "unknown"
    assert (
        made(month_facts.facts([school], money=partly)).district.numbers["cost_per_covered_student"].symbol
        == "unknown"
    )


def test_cost_per_student_is_not_applicable_where_nobody_is_covered() -> None:
    of = month_facts.facts([month_facts.school(1, month_facts.counts(40, 30, 0, 0, 0, 0))])

    assert made(of).district.numbers["cost_per_covered_student"].symbol == "not applicable"


# Bounds


@st.composite
def schools(draw: st.DrawFn, number: int) -> months.School:
    loaned = draw(st.integers(0, 50))
    adequate = draw(st.integers(0, loaned))
    need = draw(st.integers(0, 50))
    enrolled = draw(st.integers(60, 300))
    answered = draw(st.integers(need, max(need, enrolled)))
    unknown = draw(st.integers(0, loaned - adequate))
    counts = month_facts.counts(need, loaned, loaned, loaned, adequate, unknown, answered=answered)
    return month_facts.school(number, counts, enrolled=enrolled)


@st.composite
def districts(draw: st.DrawFn) -> tuple[months.Facts, protecting.Decision]:
    numbers = range(1, draw(st.integers(1, 4)) + 1)
    of = month_facts.facts([draw(schools(number)) for number in numbers])
    levels = [draw(st.sampled_from(Level)) for _ in numbers]
    told = month_facts.totals(of, draw(st.sampled_from([Level.EXACT, Level.TEN])))
    return of, month_facts.decision(of, levels, told=told)


def truth(schools_: list[Mapping[str, int]]) -> dict[str, Fraction]:
    """By the definitions, school by school."""
    need = sum(one["need"] for one in schools_)
    most = [one["need"] + one["enrolled"] - one["answered"] for one in schools_]
    covered = sum(min(one["need"], one["adequate"]) for one in schools_)
    low = sum(min(one["adequate"], cap) for one, cap in zip(schools_, most, strict=True))
    high = sum(min(one["need"], one["adequate"] + one["unknown"]) for one in schools_)
    loaned = sum(one["loaned"] for one in schools_)
    unknown = Fraction(sum(one["unknown"] for one in schools_), max(1, loaned))
    found = {
        "covered": Fraction(covered),
        "unmet": Fraction(need - covered),
        "completeness": 1 - unknown,
        "response_ratio": Fraction(
            sum(one["answered"] for one in schools_), sum(one["enrolled"] for one in schools_)
        ),
    }
    if need:
        found |= {"coverage": Fraction(covered, need), "coverage_high": Fraction(high, need)}
        found["coverage_low"] = Fraction(low, sum(most))
    return found


def holds(number: Number, value: Fraction) -> bool:
    if number.least is None or number.most is None:
        return number.symbol in {"withheld", "incomplete", "unknown", "not applicable"}
    return number.least - 1e-4 <= value <= number.most + 1e-4


def plain(school: months.School) -> dict[str, int]:
    return {name: count or 0 for name, count in school.counts.items()} | {"enrolled": school.enrolled or 0}


@settings(max_examples=150, deadline=None)
@given(districts())
def test_the_truth_lies_between_the_bounds_of_every_figure(
    drawn: tuple[months.Facts, protecting.Decision],
) -> None:
    of, decision = drawn
    told = published.of(of, decision, version="1")

    for school in told.schools:
        counts = plain(next(one for one in of.schools if one.ncessch == school.school.ncessch))
        for name, value in truth([counts]).items():
            assert name == "covered" or holds(school.numbers[name], value), (school.level, name)
    for name, value in truth([plain(school) for school in of.schools]).items():
        assert holds(told.district.numbers[name], value), name
    assert_group_holds(of, told, told.district.groups[0])


def assert_group_holds(of: months.Facts, told: published.Published, group: published.Group) -> None:
    counted = {
        one.school.ncessch
        for one in told.schools
        if one.school.is_high_needs and one.level not in (Level.BAND, Level.WITHHELD)
    }
    values = truth([plain(school) for school in of.schools if school.ncessch in counted]) if counted else {}
    for number, name in ((group.adequate, "covered"), (group.coverage, "coverage")):
        if name in values:
            assert holds(number, values[name])
    if (
        group.coverage.value is not None
        and group.coverage.least is not None
        and group.coverage.most is not None
    ):
        assert group.coverage.least <= group.coverage.value <= group.coverage.most


CELLS = st.tuples(st.integers(0, 6), st.integers(0, 3)).map(lambda ends: Cell(ends[0], ends[0] + ends[1]))


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=3))
def test_coverage_of_ranges_together_is_as_far_apart_as_counts_in_them_can_make_it(
    pairs: list[tuple[Cell, Cell]],
) -> None:
    cells = list(itertools.chain.from_iterable(pairs))
    found = set()
    for values in itertools.product(*(range(cell.least, cell.most + 1) for cell in cells)):
        needs, loans = values[::2], values[1::2]
        if sum(needs):
            found.add(Fraction(sum(map(min, needs, loans)), sum(needs)))
    span = shares.together(pairs)

    assert (span is None) == (not found)
    if span is not None:
        assert (span.least, span.most) == (min(found), max(found))


def test_schools_come_by_name() -> None:
    of = month_facts.facts([month_facts.school(1, name="Zeta"), month_facts.school(2, name="Alpha")])

    assert [school.school.name for school in made(of).schools] == ["Alpha", "Zeta"]


def test_nothing_of_the_present_time_is_published() -> None:
    of = month_facts.facts([month_facts.school()])
    later = dataclasses.replace(
        of, sources=tuple(dataclasses.replace(s, last_success_at=None) for s in of.sources)
    )

    assert made(of) == made(later)
    assert made(of).facts.month == months.Month(date(2026, 10, 1))


def test_the_floor_of_the_model_is_the_one_that_is_used_unless_told() -> None:
    assert shares.Terms().floor == equity.COMPLETENESS_FLOOR
