"""Cells of a file are read strictly, with a reason that helps."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.imports import cells


@pytest.mark.parametrize(
    "cell",
    [
        "2026-10-05",
        "10/5/2026",
        "10/05/2026",
        "2026-10-05T00:00:00",
        date(2026, 10, 5),
        datetime(2026, 10, 5),  # noqa: DTZ001
    ],
)
def test_iso_us_and_spreadsheet_dates_are_read(cell: cells.Cell) -> None:
    assert cells.day(cell) == date(2026, 10, 5)


@pytest.mark.parametrize(
    "text", ["10/5/26", "5.10.2026", "13/10/2026", "2026-02-30", "46300", "Oct 5, 2026", "10-5-2026"]
)
def test_a_date_that_could_be_another_day_is_refused(text: str) -> None:
    with pytest.raises(cells.Invalid):
        cells.day(text)


@pytest.mark.parametrize("cell", ["3.55737E+14", "3E14", 8.9148e19, 8914800000080013970, 1.5])
def test_an_identifier_that_a_spreadsheet_has_rounded_is_refused(cell: cells.Cell) -> None:
    with pytest.raises(cells.Invalid, match="as text"):
        cells.identifier(cell)


def test_a_number_that_the_spreadsheet_kept_whole_is_an_identifier() -> None:
    assert cells.identifier(490154203237518.0) == "490154203237518"


def test_a_portal_may_wrap_numbers_as_formulas() -> None:
    assert cells.identifier('="0410192000001"') == "0410192000001"


def test_a_school_number_without_its_leading_zero_is_refused_with_the_reason() -> None:
    with pytest.raises(cells.Invalid, match="leading zero is lost"):
        cells.ncessch("10000500870")


@pytest.mark.parametrize(("cell", "count"), [("0", 0), ("1,234", 1234), (12.0, 12), (7, 7)])
def test_whole_numbers_are_counts(cell: cells.Cell, count: int) -> None:
    assert cells.count(cell) == count


@pytest.mark.parametrize("cell", ["", "<10", "-1", "1.5", 1.5, "12,34", "1e3", True, "9999999999"])
def test_anything_else_is_no_count(cell: cells.Cell) -> None:
    with pytest.raises(cells.Invalid):
        cells.count(cell)


@pytest.mark.parametrize(
    ("cell", "answer"), [("Yes", True), ("n", False), ("", None), (True, True), ("0", False)]
)
def test_yes_no_and_not_told_are_three_things(cell: cells.Cell, answer: bool | None) -> None:
    assert cells.yes_no(cell) is answer


def test_control_characters_are_refused() -> None:
    with pytest.raises(cells.Invalid):
        cells.label("a\x00b")


def reason(parse: Callable[[cells.Cell], Any], cell: cells.Cell) -> str:
    """Why the parser refuses the cell; '' where it does not."""
    try:
        parse(cell)
    except cells.Invalid as error:
        return str(error)
    return ""


@given(
    st.text(min_size=6)
    | st.floats()
    | st.integers()
    | st.booleans()
    | st.dates()
    | st.datetimes()
    | st.times()
)
def test_no_cell_breaks_a_parser_or_is_repeated_by_it(cell: cells.Cell) -> None:
    parsers: list[Callable[[cells.Cell], Any]] = [
        cells.label,
        cells.identifier,
        cells.ncessch,
        cells.day,
        cells.count,
        cells.yes_no,
    ]
    for parse in parsers:
        assert not isinstance(cell, str) or cell not in reason(parse, cell)
