"""The tables and charts of a shareable package, and what a revision changes in them."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from service.exports import changes, earlier, notes, published, shareable
from service.exports.tables import Row, Table
from service.exports.writing import package
from service.model import months, protection
from service.model.protection import Level
from tests import columns, month_facts, published_months

# Section 8 D of the domain, the columns beside a figure left out.
SCHOOL_MONTH = [
    "month",
    "district_leaid",
    "school_ncessch",
    "school_name",
    "high_needs_flag",
    "need_basis",
    "need_value",
    "need_year",
    "enrolled",
    "answered",
    "response_ratio",
    "need",
    "loaned",
    "active_7",
    "active_30",
    "adequate",
    "unknown",
    "coverage",
    "coverage_low",
    "coverage_high",
    "completeness",
    "waitlist",
    "idle_30",
    "idle_60",
    "idle_90",
    "lost_month",
    "gb_per_active_mean",
    "hotspot_uptime_pct",
    "pct_usage_outside_school_hours",
    "other_support_library_hours",
    "other_support_activity_bus",
    "data_days_missing",
    "suppression_flags",
]
ENDINGS = ("_symbol", "_least", "_most")

FACTS = month_facts.facts(
    [
        month_facts.school(1, month_facts.counts(22, 18, 14, 13, 12, 0), name='Zeta, of the "North"'),
        month_facts.school(2, month_facts.counts(120, 90, 84, 80, 77, 2, lost=12)),
        month_facts.school(3, month_facts.counts(None), name="=Alpha"),
        month_facts.school(4, month_facts.counts(50, 40, 40, 39, 30, 0)),
        month_facts.school(5, month_facts.counts(7, 5, 5, 5, 5, 0)),
    ]
)
LEVELS = (Level.FIVE, Level.EXACT, Level.EXACT, Level.TEN, Level.WITHHELD)


def told(of: months.Facts = FACTS, **changed: object) -> published.Published:
    decided = month_facts.decision(of, LEVELS[: len(of.schools)])
    return published.of(of, decided, version="0.1.0", **changed)  # type: ignore[arg-type]


def by_name(made: published.Published) -> dict[str, tuple[Table, list[Row]]]:
    return {table.name: (table, rows) for table, rows in shareable.tables(made)}


def records(made: published.Published, name: str) -> list[dict[str, object]]:
    table, rows = by_name(made)[name]
    return [dict(zip(table.names, row, strict=True)) for row in rows]


def before(away: int) -> published.EarlierMonth:
    of = dataclasses.replace(FACTS, month=month_facts.MONTH.away(away))
    decided = month_facts.decision(of, LEVELS)
    return earlier.of(of.month, list(zip(month_facts.counted(of), decided.rows, strict=True)), decided.totals)


def with_everything() -> published.Published:
    return told(earlier=[before(-2), before(-1)], pilot=month_facts.pilot([1, 2], [4]), revision=2)


def test_the_columns_of_schools_are_those_of_the_domain_in_its_order() -> None:
    names = by_name(told())["school_month"][0].names
    plain = [name for name in names if not name.endswith(ENDINGS)]

    assert plain[: len(SCHOOL_MONTH)] == SCHOOL_MONTH
    assert plain[len(SCHOOL_MONTH) :] == ["unmet", "figure_on", "level", "is_partial", "version"]


def test_schools_come_by_name_with_their_counts_as_they_are_told() -> None:
    rows = {str(row["school_name"]): row for row in records(told(), "school_month")}

    assert list(rows) == sorted(rows)
    small, large = rows['Zeta, of the "North"'], rows["School 2"]
    assert [small[f"need{end}"] for end in ("", *ENDINGS)] == [None, "20 to 24", 20, 24]
    assert [large[f"need{end}"] for end in ("", *ENDINGS)] == [120, None, 120, 120]
    assert rows["=Alpha"]["need_symbol"] == "unknown"
    assert rows["School 5"]["level"] == rows["School 5"]["suppression_flags"] == "withheld"
    assert large["lost_month"] == 12
    assert large["data_days_missing"] == 0


def test_the_district_has_one_row_with_how_many_schools_are_told_how() -> None:
    (row,) = records(told(), "district_month")

    assert [row[f"schools_{level}"] for level in Level] == [2, 1, 1, 0, 1]
    assert row["schools_without_need"] == 1
    assert row["need"] == 199
    assert row["cost"] == 1800


def test_groups_are_told_with_the_schools_that_are_left_out() -> None:
    rows = {row["name"]: row for row in records(told(), "need_groups")}

    assert rows["high-needs"]["left_out"] == 2
    assert rows["others"]["schools"] == 2
    assert rows["low"]["basis"] == "frpl of 2025-26"
    assert rows["others"]["coverage_symbol"] == "about"


def test_coverage_of_every_released_month_is_in_the_trend() -> None:
    rows = records(told(earlier=[before(-1), before(-2)]), "trend")

    assert [row["month"] for row in rows if row["place"] == "district"] == ["2026-08", "2026-09", "2026-10"]
    assert len(rows) == 3 * 6


def test_a_pilot_has_tables_of_its_own_and_none_without_one() -> None:
    with_pilot = by_name(told(pilot=month_facts.pilot([1], [2, 4]), earlier=[before(-1)]))

    assert {"pilot_month", "pilot_periods", "pilot_effect"} <= set(with_pilot)
    assert not {name for name in by_name(told()) if name.startswith("pilot")}
    assert [row["side"] for row in records(with_everything(), "pilot_periods")] == ["pilot"] * 2 + [
        "comparison"
    ] * 2


@pytest.mark.parametrize("made", [told(), with_everything(), told(is_partial=True), told(is_strict=True)])
def test_every_key_is_of_one_row(made: published.Published) -> None:
    for table, rows in shareable.tables(made):
        at = [table.names.index(name) for name in table.key]
        keys = [tuple(row[i] for i in at) for row in rows]
        assert len(keys) == len(set(keys)), table.name
        assert all(value is not None for key in keys for value in key), table.name


def test_the_notes_tell_what_is_in_force_and_what_is_not_known() -> None:
    found = {(row["section"], row["name"]): row for row in records(with_everything(), "notes")}

    assert found["thresholds", "completeness_floor"]["value"] == "0.9"
    assert found["figures", "day"]["value"] == "2026-10-30"
    assert found["figures", "school_days"]["value"] == "22"
    assert found["sources", "north"]["says"] == "Nothing was heard from it on 3 day(s) of the month."
    assert found["protection", "schools ten"]["value"] == "1"
    assert found["package", "rules"]["value"] == "afterbell 0.1.0"
    assert found["not known", "need"]["says"] == "Need is not known at: =Alpha."
    assert ("pilot", "one_school") in found
    assert {name for section, name in found if section == "symbols"} == set(notes.SYMBOLS)


def test_a_threshold_below_zero_is_worded_and_is_no_formula() -> None:
    of = dataclasses.replace(FACTS, thresholds={"rsrp_floor_dbm": -110.0, "signal_samples": 20})
    cells_ = changes.as_cells(shareable.tables(told(of)))["notes"]

    assert cells_["thresholds rsrp_floor_dbm"]["value"] == "below -110 dBm"
    assert cells_["thresholds signal_samples"]["value"] == "20"


def test_groups_know_which_of_the_schools_left_out_have_an_unknown_need() -> None:
    needy, others = told().district.groups

    assert (needy.left_out, needy.without_need) == (2, 1)
    assert (others.left_out, others.without_need) == (0, 0)


def test_a_month_without_a_figure_day_or_a_calendar_says_so() -> None:
    nothing = dict.fromkeys(protection.COUNTS)
    of = month_facts.facts([month_facts.school(1, nothing)], figure_on=None, instructional_days=None)
    found = {(row["section"], row["name"]): row for row in records(told(of), "notes")}

    assert found["figures", "day"]["value"] is None
    assert found["figures", "school_days"]["says"] == "No calendar: every day counts."
    row, district = records(told(of), "school_month")[0], records(told(of), "district_month")[0]
    assert (row["need_symbol"], row["level"], row["suppression_flags"]) == (
        "no figure day",
        None,
        "no_figure_day",
    )
    assert (district["schools_exact"], district["schools_without_day"]) == (0, 1)
    assert ("not known", "need") not in found


def test_every_symbol_and_flag_that_a_table_has_is_explained_in_the_notes() -> None:
    """But for ranges, which explain themselves."""
    for made in (with_everything(), told(is_strict=True), *published_months_all()):
        for table, rows in shareable.tables(made):
            for row in rows:
                for name, value in zip(table.names, row, strict=True):
                    if name.endswith("_symbol") and isinstance(value, str):
                        assert (
                            value in notes.SYMBOLS
                            or value[0].isdigit()
                            or value.startswith(("about $", "n<", "at most "))
                        ), value
                    if name == "suppression_flags" and isinstance(value, str):
                        assert set(value.split()) <= set(notes.FLAGS)


def published_months_all() -> list[published.Published]:
    return [published_months.unknown_month(), published_months.strict()]


def test_the_dictionary_has_every_column_of_every_table_that_is_there() -> None:
    made = with_everything()
    listed = {(row["table"], row["column"]) for row in records(made, "data_dictionary")}

    assert listed == {(table.name, name) for table, _ in shareable.tables(made) for name in table.names}


def test_the_page_of_columns_says_what_the_tables_say() -> None:
    assert columns.PAGE.read_text("utf-8") == columns.page(), "write it anew: python -m tests.columns"


def test_every_table_is_on_the_page() -> None:
    made = {table.name for table, _ in shareable.tables(with_everything())}

    assert made == {table.name for table in columns.TABLES}


def test_the_rows_beside_a_chart_say_that_they_are_middles_of_ranges() -> None:
    headings = [chart.columns[1:] for chart in shareable.charts(with_everything())]
    assert headings == [("coverage (middle of range)", "least", "most")] * 4


def test_the_notes_say_how_the_files_write_texts() -> None:
    found = {row["name"]: str(row["says"]) for row in records(told(), "notes") if row["section"] == "files"}
    assert "has an apostrophe before it" in found["apostrophes"]


def test_charts_draw_the_middle_with_its_bounds_and_leave_out_what_is_not_told() -> None:
    schools, trend, groups, sides = shareable.charts(with_everything())

    assert [row[0] for row in schools.rows] == ['Zeta, of the "North"', "School 2", "School 4"]
    assert all(len(row) == len(schools.columns) for row in schools.rows)
    for chart in (schools, trend, groups, sides):
        for _, middle, least, most in chart.rows:
            assert isinstance(middle, float)
            assert isinstance(least, float)
            assert isinstance(most, float)
            assert 0 <= least <= middle <= most <= 1
    assert "2 cannot be drawn" in schools.says


def test_a_month_of_which_nothing_is_known_has_no_chart() -> None:
    assert shareable.charts(published_months.unknown_month()) == []


def test_many_schools_are_drawn_from_both_ends() -> None:
    of = month_facts.facts(
        month_facts.school(n, month_facts.counts(100, 95, 95, 95, n % 90, 0)) for n in range(1, 101)
    )
    chart = shareable.charts(published.of(of, month_facts.decision(of), version="1"))[0]

    assert len(chart.rows) == 60
    assert "The 30 lowest and the 30 highest of 100" in chart.says


def test_a_package_of_these_tables_is_accepted_by_frictionless(tmp_path: Path) -> None:
    made = with_everything()
    listed = changes.of({}, changes.as_cells(shareable.tables(told())), "new_version")
    made = dataclasses.replace(made, changes=listed)
    with package.Writer(tmp_path, title="A month") as writer:
        for table, rows in shareable.tables(made):
            writer.table(table, rows)
        writer.charts(shareable.charts(made))
        writer.finish()
    found = subprocess.run(
        [sys.executable, "-m", "frictionless", "validate", "--json", "datapackage.json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert json.loads(found.stdout)["valid"], found.stdout[-3000:]


# What a revision changes


def cells(
    of: months.Facts, *levels: Level, **changed: object
) -> Mapping[str, Mapping[str, Mapping[str, str]]]:
    made = published.of(of, month_facts.decision(of, levels), version="1", **changed)  # type: ignore[arg-type]
    return changes.as_cells(shareable.tables(made))


def test_the_ledger_gets_a_large_table_in_parts() -> None:
    of = month_facts.facts(
        month_facts.school(n, month_facts.counts(100, 95, 95, 95, n % 90, 0)) for n in range(1, 1202)
    )
    tables = shareable.tables(published.of(of, month_facts.decision(of), version="1"))
    parts = [part for name, part in changes.in_parts(tables) if name == "school_month"]
    assert [len(part) for part in parts] == [500, 500, 201]
    assert changes.as_cells(tables)["school_month"] == {**parts[0], **parts[1], **parts[2]}


def two(need: int = 40, adequate: int = 30, *, days: int | None = 22, **changed: object) -> months.Facts:
    first = month_facts.school(1, month_facts.counts(need, 36, 34, 32, adequate, 0, answered=210), **changed)
    return month_facts.facts([first, month_facts.school(2)], instructional_days=days)


def test_a_revision_lists_the_cells_that_differ_with_what_they_were() -> None:
    listed = changes.of(cells(two()), cells(two(adequate=31)), "late_data")
    found = {(one.table, one.key, one.column): (one.old, one.new, one.why) for one in listed}

    key = f"2026-10 {month_facts.ncessch(1)}"
    assert found["school_month", key, "adequate"] == ("30", "31", "late_data")
    assert found["school_month", key, "coverage"] == ("0.7500", "0.7750", "late_data")
    assert ("district_month", "2026-10", "adequate") in found
    assert not [one for one in listed if month_facts.ncessch(2) in one.key]


@pytest.mark.parametrize(
    ("after", "why"),
    [
        (two(adequate=31), ("late_data",)),
        (two(need=41), ("need_corrected",)),
        (two(enrolled=501), ("roster_corrected",)),
        (two(days=21), ("calendar_corrected",)),
        (
            dataclasses.replace(two(), money=month_facts.money(price=month_facts.PRICE + 1)),
            ("prices_corrected",),
        ),
        (dataclasses.replace(two(), thresholds={"completeness_floor": 0.8}), ("settings_changed",)),
        (dataclasses.replace(two(adequate=31), thresholds={"min_mbps": 3}), ("settings_changed",)),
        (dataclasses.replace(two(need=41), need_mode="household"), ("settings_changed",)),
        (two(name="Renamed"), ("settings_changed",)),
        (two(is_high_needs=False), ("settings_changed",)),
        (two(indicator_value=0.9), ("settings_changed",)),
        (two(library_hours=9.0), ("settings_changed",)),
        (two(library_hours=9.0, adequate=31), ("settings_changed", "late_data")),
        (two(used_bytes=10**12), ("late_data",)),
        (
            dataclasses.replace(
                two(), schools=(*two().schools, month_facts.school(3, month_facts.counts(None)))
            ),
            ("need_corrected",),
        ),
        (two(), ("no_visible_change",)),
        (two(need=41, adequate=31), ("need_corrected", "late_data")),
    ],
)
def test_why_a_revision_is_there_follows_from_the_cells(after: months.Facts, why: tuple[str, ...]) -> None:
    assert changes.reasons(cells(two()), cells(after)) == why


def test_an_earlier_month_that_was_issued_anew_is_no_late_data() -> None:
    before, after = ({"trend": {"2026-09 1": {"coverage": share}}} for share in ("0.4", "0.5"))

    assert changes.reasons(before, after) == ("other",)


def test_a_pilots_question_is_a_setting() -> None:
    before, after = (
        {"notes": {"pilot name": {"says": question}}} for question in ("Do they help?", "How much?")
    )

    assert changes.reasons(before, after) == ("settings_changed",)


def test_a_new_name_is_blamed_for_no_figure() -> None:
    listed = changes.of(cells(two()), cells(two(adequate=31, name="Renamed")), "settings_changed")
    why = {(one.table, one.column): one.why for one in listed}

    assert why["school_month", "school_name"] == "settings_changed"
    assert why["school_month", "adequate"] == why["school_month", "coverage"] == "late_data"


def test_beside_a_new_version_a_cell_keeps_its_own_reason() -> None:
    before, after = cells(two()), cells(two(need=41))
    both = changes.both(changes.reasons(before, after), "new_version")
    listed = changes.of(before, after, changes.default(both))

    assert both == ("new_version", "need_corrected")
    assert {one.why for one in listed} == {"need_corrected"}
    assert {one.why for one in changes.of(before, after, changes.default(("new_version",)))} == {
        "new_version"
    }


def test_that_a_figure_day_was_found_is_no_protection() -> None:
    nothing = month_facts.facts(
        [month_facts.school(1, dict.fromkeys(protection.COUNTS)), month_facts.school(2)]
    )
    listed = changes.of(cells(nothing), cells(two()), "late_data")

    assert "protection_changed" not in {one.why for one in listed}


def test_more_lines_are_no_change_of_prices() -> None:
    after = dataclasses.replace(two(), money=month_facts.money(130, 20))

    assert changes.reasons(cells(two()), cells(after)) == ("late_data",)


def test_what_changes_within_a_range_is_told_neither_by_a_cell_nor_by_a_reason() -> None:
    first = month_facts.facts(
        [month_facts.school(1, month_facts.counts(22, 18, 14, 13, 12, 0, answered=150))]
    )
    second = month_facts.facts(
        [month_facts.school(1, month_facts.counts(24, 18, 14, 13, 14, 0, answered=150))]
    )
    told_first, told_second = (
        changes.as_cells(
            shareable.tables(
                published.of(
                    of,
                    month_facts.decision(of, [Level.FIVE], told=month_facts.totals(first, Level.FIVE)),
                    version="1",
                )
            )
        )
        for of in (first, second)
    )

    assert changes.of(told_first, told_second, "late_data") == ()
    assert changes.reasons(told_first, told_second) == ("no_visible_change",)


def test_a_row_that_is_told_at_another_level_changed_for_the_students_protection() -> None:
    listed = changes.of(cells(two()), cells(two(), Level.FIVE), "late_data")

    assert {one.why for one in listed if one.table == "school_month"} == {"protection_changed"}


def test_a_row_that_is_new_or_gone_is_listed_as_such() -> None:
    three = dataclasses.replace(two(), schools=(*two().schools, month_facts.school(3)))
    added, gone = (
        changes.of(*pair, "late_data")
        for pair in ((cells(two()), cells(three)), (cells(three), cells(two())))
    )
    key = f"2026-10 {month_facts.ncessch(3)}"

    assert [(one.old, one.new) for one in added if (one.table, one.key) == ("school_month", key)] == [
        ("", "told")
    ]
    assert [(one.old, one.new) for one in gone if (one.table, one.key) == ("school_month", key)] == [
        ("told", "")
    ]


def test_the_number_of_the_revision_is_no_change() -> None:
    assert changes.of(cells(two()), cells(two(), revision=2), "new_version") == ()


def test_the_ledger_gets_no_cells_of_changes_or_of_the_dictionary() -> None:
    assert set(cells(two(), revision=2)) == {
        "school_month",
        "district_month",
        "need_groups",
        "trend",
        "notes",
    }


def test_a_changed_cell_is_a_row_of_the_table_of_changes() -> None:
    listed = changes.of(cells(two()), cells(two(adequate=31)), "late_data")
    made = dataclasses.replace(told(two(), revision=2), changes=listed)

    assert records(made, "changes")[0]["why"] == "late_data"
    assert "changes" not in by_name(told(two()))


def test_a_month_that_is_partial_says_so_in_every_row() -> None:
    made = told(is_partial=True)

    assert all(row["is_partial"] is True for row in records(made, "school_month"))
    assert records(made, "district_month")[0]["is_partial"] is True
    assert date(2026, 10, 30).isoformat() in {row["figure_on"] for row in records(made, "school_month")}
