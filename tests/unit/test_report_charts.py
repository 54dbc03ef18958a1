"""The charts' specs: from published figures, in tones that stay apart without colour."""

import dataclasses
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from service.exports import published
from service.exports.report import charts, content, marks
from tests import published_months

HEX = re.compile(r"#[0-9a-fA-F]{6}")


def specs(month: published.Published) -> dict[str, Any]:
    return {chart.name: chart.spec for chart in content.of(month, language="en").charts}


def rows(month: published.Published, name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = specs(month)[name]["data"]["values"]
    return found


def luminance(tone: str) -> float:
    parts = [int(tone[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_every_tone_of_a_chart_is_one_of_ours() -> None:
    ours = {marks.INK, marks.MARK, marks.RANGE, marks.BOUND, marks.GRID, marks.PAPER}
    for spec in specs(published_months.with_pilot()).values():
        assert set(HEX.findall(json.dumps(spec))) <= ours


def test_printed_in_grey_the_tones_stay_apart() -> None:
    drawn = (marks.MARK, marks.RANGE, marks.BOUND)
    for tone in drawn:
        assert contrast(tone, marks.PAPER) >= 3, tone
    for one, other in itertools.combinations(drawn, 2):
        assert contrast(one, other) >= 1.4, (one, other)
    assert contrast(marks.MARK, marks.RANGE) >= 3
    assert contrast(marks.INK, marks.PAPER) >= 7


def test_a_high_needs_school_has_a_shape_and_a_weight_of_its_own() -> None:
    for row in rows(published_months.month(), "schools"):
        is_high_needs = row["name"] in {one[0] for one in published_months.SCHOOLS if one[2]}
        assert (row["shape"], row["weight"]) == (
            ("diamond", "bold") if is_high_needs else ("circle", "normal")
        )


def test_a_figure_that_is_not_exact_is_drawn_hollow_on_its_range() -> None:
    for row in rows(published_months.month(), "schools"):
        is_range = " to " in row["says"]
        assert row["fill"] == (marks.PAPER if is_range else marks.MARK)
        assert (row["from"] is not None) is is_range


def test_bounds_hold_the_figure() -> None:
    for month in (published_months.month(), published_months.strict(), published_months.of_size(60)):
        for row in rows(month, "schools"):
            assert row["least"] <= row["at"] <= row["most"]


def test_what_is_drawn_of_a_school_is_what_is_published() -> None:
    month = published_months.month()
    told = {one.school.name: one.numbers["coverage"] for one in month.schools}
    drawn = rows(month, "schools")
    assert {row["name"] for row in drawn} == {
        name for name, number in told.items() if number.middle is not None
    }
    for row in drawn:
        assert row["at"] == told[row["name"]].middle
    assert [row["at"] for row in drawn] == sorted((row["at"] for row in drawn), reverse=True)


def test_a_month_that_was_not_released_is_a_gap_in_the_line() -> None:
    points = rows(published_months.month(earlier=published_months.earlier(missing=True)), "trend")
    assert [row["at"] is None for row in points] == [False, True, False, False]


def test_a_chart_names_no_address_and_puts_no_name_into_an_expression() -> None:
    name = "'] + alert(1) + ['"
    month = published_months.of_schools(
        [
            published_months.school(index, (name if index == 0 else row[0], *row[1:]))
            for index, row in enumerate(published_months.SCHOOLS)
        ]
    )
    for spec in specs(month).values():
        assert [url for url in _strings(spec, "url") if url] == []
        for key in ("filter", "expr", "calculate"):
            assert not any("alert" in text for text in _strings(spec, key))


def _strings(part: Any, key: str) -> Iterator[str]:
    """What stands under a key, at any depth."""
    if isinstance(part, dict):
        for name, inside in part.items():
            if name == key and isinstance(inside, str):
                yield inside
            yield from _strings(inside, key)
    if isinstance(part, list):
        for inside in part:
            yield from _strings(inside, key)


@pytest.mark.parametrize(("name", "shown"), [("Short", "Short"), ("x" * 300, "x" * 24 + "…")])
def test_a_long_name_is_shortened(name: str, shown: str) -> None:
    assert charts.shortened(name) == shown


def test_labels_of_the_two_sides_of_a_pilot_never_overlap() -> None:
    ends = [row for row in rows(published_months.with_pilot(), "pilot") if "lifted" in row]
    for place in {row["x"] for row in ends}:
        one, other = (row["lifted"] for row in ends if row["x"] == place)
        assert abs(one - other) >= 14.9


def test_a_chart_is_a_spec_that_holds_all_it_needs() -> None:
    for spec in specs(published_months.with_pilot()).values():
        assert json.loads(json.dumps(spec)) == spec
        assert spec["autosize"] == "none"
        assert spec["$schema"].startswith("https://vega.github.io/schema/vega-lite/")


def test_the_bars_of_a_pilots_sides_are_its_bounds_and_stand_beside_each_other() -> None:
    pilot = published_months.pilot()
    periods = tuple(
        dataclasses.replace(one, coverage=dataclasses.replace(one.coverage, least=0.3, most=0.9))
        for one in pilot.periods
    )
    month = published_months.month(pilot=dataclasses.replace(pilot, periods=periods))
    ends = [row for row in rows(month, "pilot") if "lifted" in row]
    assert [(row["least"], row["most"]) for row in ends] == [(0.3, 0.9)] * 4
    assert len({row["bar"] for row in ends}) == 4
    layers = specs(month)["pilot"]["layer"]
    assert any(layer["mark"]["type"] == "rule" for layer in layers)
