"""Maps are strict; amounts and periods are what the map says."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import errors
from service.imports import amounts, cells, periods, rows, usage_maps
from tests import files

US = amounts.Notation(",", ".", 1000)
EUROPEAN = amounts.Notation(".", ",", 1000)
DAYS = st.dates(date(2016, 1, 1), date(2026, 10, 1))


@pytest.mark.parametrize("name", usage_maps.shipped())
def test_a_shipped_map_is_valid_and_names_its_account(name: str) -> None:
    assert usage_maps.load(name).account.key.endswith("-files")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("colour = 1", "colour: there is no such setting"),
        ('zone = "Mars/Base"', "no IANA time zone"),
        ("[line]\n", "name the column"),
        ('[usage]\ncolumns = ["a"]', "give one of unit"),
        ('[usage]\ncolumns = ["a"]\nunit = "pounds"', "is no unit"),
        ('[usage]\ncolumns = []\nunit = "B"', "usage.columns"),
        ('[period]\nstarts = "a"', "go together"),
        ('[period]\nday = "a"\nmonth = "b"', "give one of day"),
        ('[period]\nmonth = "b"', "needs its formats"),
        ("[line", "not valid TOML"),
    ],
)
def test_a_mistake_in_a_map_is_named(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(errors.ConfigError, match=message):
        usage_maps.load(str(files.written(tmp_path, "map.toml", text)))


def test_a_map_that_is_not_there_names_those_that_are() -> None:
    with pytest.raises(errors.ConfigError, match="att, generic, t-mobile, verizon"):
        usage_maps.load("sprint")


@pytest.mark.parametrize(
    ("cell", "unit", "notation", "found"),
    [
        ("1,234.5", 1000, US, 1_234_500),
        ("1.234,5", 1000, EUROPEAN, 1_234_500),
        (".5", 1000, US, 500),
        (0.25, 1000, US, 250),
        (3, 1000, US, 3000),
        ("0", 1000, US, 0),
        ("0.0001", 1000, US, 1),
    ],
)
def test_an_amount_is_in_bytes_and_the_least_use_is_use(
    cell: cells.Cell, unit: int, notation: amounts.Notation, found: int
) -> None:
    assert amounts.amount(cell, unit, notation) == found


@pytest.mark.parametrize(
    "cell", ["1,23", "1,2345", "1..2", "1e3", "٣", "inf", float("inf"), float("nan"), True, "-"]
)
def test_what_is_no_amount_is_refused(cell: cells.Cell) -> None:
    with pytest.raises(cells.Invalid):
        amounts.amount(cell, 1, US)


def test_a_unit_is_decimal_or_binary_as_the_carrier_counts() -> None:
    assert amounts.unit_bytes("MB", kilobyte=1000) == 1_000_000
    assert amounts.unit_bytes("mb", kilobyte=1024) == amounts.unit_bytes("MiB", kilobyte=1000) == 1_048_576
    assert amounts.unit_bytes("bytes", kilobyte=1024) == 1


def test_a_cell_may_hold_its_own_unit() -> None:
    assert amounts.amount_with_unit("1.5 GB", US) == 1_500_000_000
    assert amounts.amount_with_unit("0", US) == 0
    for cell in ("5", "5 pounds", "GB"):
        with pytest.raises(cells.Invalid):
            amounts.amount_with_unit(cell, US)


def period_of(way: usage_maps.Period, *values: cells.Cell) -> periods.Period | None:
    row = rows.Row(2, list(values), {column: place for place, column in enumerate(way.columns)})
    return periods.Reader(way, None, date(2026, 11, 15)).read(row)


@given(DAYS)
def test_cycles_follow_one_another_without_a_gap(day: date) -> None:
    way = usage_maps.Period(cycle_end="End")
    cycle = period_of(way, day)
    assert cycle is not None
    assert cycle.last_on == day
    assert 27 <= (cycle.last_on - cycle.first_on).days <= 30
    if day.day <= 28 and (day + timedelta(days=1)).day > 1:
        before = period_of(way, cycle.first_on - timedelta(days=1))
        assert before is not None
        assert before.last_on < cycle.first_on


def test_a_cycle_that_ends_with_the_month_is_the_month() -> None:
    way = usage_maps.Period(cycle_end="End")
    assert period_of(way, "2026-02-28") == periods.Period(date(2026, 2, 1), date(2026, 2, 28))
    assert period_of(way, "2026-11-14") == periods.Period(date(2026, 10, 15), date(2026, 11, 14))


def test_a_month_is_read_by_its_formats() -> None:
    way = usage_maps.Period(month="Month", formats=("%B %Y", "%Y-%m"))
    october = periods.Period(date(2026, 10, 1), date(2026, 10, 31))
    assert period_of(way, "October 2026") == period_of(way, "2026-10") == october
    assert period_of(way, "10/2026") is None


def test_formats_that_read_a_date_in_two_ways_are_refused() -> None:
    way = usage_maps.Period(day="Day", formats=("%m/%d/%Y", "%d/%m/%Y"))
    assert period_of(way, "10/11/2026") is None
    assert period_of(way, "10/31/2026") == periods.Period(date(2026, 10, 31), date(2026, 10, 31))


@pytest.mark.parametrize("text", ["", "2026-10-01", "2026-10-31:2026-10-01", "x:y"])
def test_a_period_of_the_command_line_is_two_dates_in_order(text: str) -> None:
    with pytest.raises(errors.ImportRejected):
        periods.given(text)


def test_a_day_begins_and_ends_at_the_zones_midnights() -> None:
    bounds = periods.Bounds("America/Los_Angeles")
    day = date(2026, 3, 8)  # the clocks go forward
    assert bounds.of(periods.Period(day, day)) == (
        datetime(2026, 3, 8, 8, tzinfo=UTC),
        datetime(2026, 3, 9, 7, tzinfo=UTC),
    )
