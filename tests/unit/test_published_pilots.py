"""A pilot from what was released: the same schools in every month, both sides, before and during."""

from datetime import date

import pytest

from service.exports import earlier, published
from service.exports import pilots as export_pilots
from service.model import months, pilots, protection
from service.model.months import Month
from service.model.protection import Level
from tests import month_facts

OCTOBER = month_facts.MONTH


def facts(adequate: dict[int, int], *, at: int = 0, need: int = 40, unknown: int = 0) -> months.Facts:
    """Schools by number with so many adequate connections."""
    schools = [
        month_facts.school(number, month_facts.counts(need, 38, 38, 38, count, unknown))
        for number, count in adequate.items()
    ]
    return month_facts.facts(schools, month=OCTOBER.away(at))


def released(of: months.Facts, *levels: Level) -> published.EarlierMonth:
    decided = month_facts.decision(of, levels)
    return earlier.of(of.month, list(zip(month_facts.counted(of), decided.rows, strict=True)), decided.totals)


def made(
    now: months.Facts, before: list[published.EarlierMonth], pilot: pilots.Pilot, *levels: Level
) -> published.Pilot:
    told = published.of(now, month_facts.decision(now, levels), version="1", earlier=before, pilot=pilot)
    assert told.pilot is not None
    return told.pilot


def four_months(*levels: Level) -> published.Pilot:
    """The pilot's school goes from 10 and 14 of 40 to 22 and 26, the other from 20 and 20 to 22 and 22."""
    before = [
        released(facts({1: first, 2: second}, at=at), *levels)
        for at, first, second in ((-3, 10, 20), (-2, 14, 20), (-1, 22, 22))
    ]
    return made(facts({1: 26, 2: 22}), before, month_facts.pilot(), *levels)


def test_the_difference_in_differences_comes_from_the_sums_of_the_months() -> None:
    told = four_months()

    assert [period.coverage.value for period in told.periods] == [0.3, 0.6, 0.5, 0.55]
    assert [period.covered.value for period in told.periods] == [12, 24, 20, 22]
    assert told.change.value == 0.3
    assert told.comparison_change.value == 0.05
    assert told.difference == published.Number(value=0.25, least=0.25, most=0.25)
    assert [str(month) for month in told.periods[0].months] == ["2026-07", "2026-08"]


def test_ranges_make_it_about_and_its_bounds_hold_the_exact_difference() -> None:
    told = four_months(Level.FIVE, Level.FIVE)

    assert told.difference.symbol == "about"
    assert told.difference.least is not None
    assert told.difference.most is not None
    assert told.difference.least < 0.25 < told.difference.most
    assert told.periods[0].need.symbol == "about"


def test_each_side_is_told_month_by_month() -> None:
    told = four_months()

    assert [(str(one.side), str(one.months[0]), one.coverage.value) for one in told.by_month[:4]] == [
        ("pilot", "2026-07", 0.25),
        ("pilot", "2026-08", 0.35),
        ("pilot", "2026-09", 0.55),
        ("pilot", "2026-10", 0.65),
    ]


def test_a_school_that_one_month_does_not_tell_counts_in_none() -> None:
    before = [
        released(facts({1: 10, 2: 20, 3: 30}, at=-3), Level.EXACT, Level.EXACT, Level.BAND),
        released(facts({1: 14, 2: 20, 3: 30}, at=-2)),
        released(facts({1: 22, 2: 22, 3: 30}, at=-1)),
    ]
    told = made(facts({1: 26, 2: 22, 3: 30}), before, month_facts.pilot([1, 3], [2]))

    assert {(period.schools, period.left_out) for period in told.periods[:2]} == {(1, 1)}
    assert told.difference.value == 0.25
    assert "left_out_schools" in told.warnings


def test_a_school_that_was_not_heard_from_in_a_month_counts_in_none() -> None:
    before = [released(facts({1: 10, 2: 20}, at=-1, unknown=9))]
    told = made(facts({1: 26, 2: 22}), before, month_facts.pilot(starts_on=date(2026, 10, 1)))

    assert {period.schools for period in told.periods} == {0}
    assert told.difference.symbol == "unknown"


def test_months_that_were_not_released_are_told_as_missing() -> None:
    told = made(facts({1: 26, 2: 22}), [released(facts({1: 22, 2: 22}, at=-1))], month_facts.pilot())

    assert [str(month) for month in told.periods[0].missing] == ["2026-07", "2026-08"]
    assert told.periods[0].coverage.symbol == "unknown"
    assert told.change.symbol == told.difference.symbol == "unknown"
    assert {"months_missing", "few_months", "one_school"} <= set(told.warnings)


def test_without_comparison_schools_there_is_a_change_and_no_difference() -> None:
    before = [released(facts({1: 10, 2: 10}, at=-1))]
    told = made(facts({1: 20, 2: 20}), before, month_facts.pilot([1, 2], [], starts_on=date(2026, 10, 1)))

    assert told.change.value == 0.25
    assert told.difference.symbol == "unknown"
    assert "no_comparison" in told.warnings
    assert "left_out_schools" not in told.warnings


def test_few_students_in_need_are_warned_of() -> None:
    told = made(
        facts({1: 8, 2: 9}, need=12),
        [released(facts({1: 8, 2: 9}, at=-1, need=12))],
        month_facts.pilot(starts_on=date(2026, 10, 1)),
    )

    assert "small_need" in told.warnings


@pytest.mark.parametrize(
    ("changed", "before", "during"),
    [
        ({}, ["2026-07", "2026-08"], ["2026-09", "2026-10"]),
        ({"starts_on": date(2026, 9, 2)}, ["2026-08"], ["2026-10"]),
        ({"ends_on": date(2026, 9, 30)}, ["2026-08"], ["2026-09"]),
        ({"ends_on": date(2026, 10, 30)}, ["2026-08"], ["2026-09"]),
        ({"before_starts_on": date(2026, 5, 2)}, ["2026-06", "2026-07", "2026-08"], ["2026-09", "2026-10"]),
        ({"starts_on": date(2026, 11, 1)}, [], []),
    ],
)
def test_only_whole_months_are_used(changed: dict[str, object], before: list[str], during: list[str]) -> None:
    found = export_pilots.spans(month_facts.pilot(**changed), OCTOBER)  # type: ignore[arg-type]

    assert [str(month) for month in found[pilots.Period.BEFORE]] == before
    assert [str(month) for month in found[pilots.Period.DURING]] == during


def test_a_later_month_is_no_part_of_an_earlier_package() -> None:
    later = released(facts({1: 38, 2: 38}, at=1))
    before = released(facts({1: 10, 2: 10}, at=-1))
    pilot = month_facts.pilot(starts_on=date(2026, 10, 1))

    assert made(facts({1: 20, 2: 20}), [before, later], pilot) == made(facts({1: 20, 2: 20}), [before], pilot)


def test_an_earlier_month_has_the_figures_that_were_told_then() -> None:
    told = released(facts({1: 10, 2: 20}, at=-1), Level.TEN)

    assert told.month == Month(date(2026, 9, 1))
    assert told.district["coverage"].value == 0.375
    assert told.schools[month_facts.ncessch(1)].symbol == "20% to 30%"
    assert {row.level for row in told.rows} == {protection.Level.TEN, protection.Level.EXACT}


def test_a_difference_whose_ranges_hold_none_is_marked_in_the_table() -> None:
    before = [released(facts({1: 20, 2: 20}, at=-1), Level.TEN, Level.TEN)]
    told = made(
        facts({1: 22, 2: 21}), before, month_facts.pilot(starts_on=date(2026, 10, 1)), Level.TEN, Level.TEN
    )

    assert told.difference.symbol == "about, direction unknown"
    assert told.difference.least is not None
    assert told.difference.most is not None
    assert told.difference.least < 0 < told.difference.most
