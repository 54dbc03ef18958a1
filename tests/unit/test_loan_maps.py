"""Maps of loan files: those that come with afterbell, those that a district writes, and what they make of a cell."""

import re
from datetime import date, datetime
from pathlib import Path

import pytest

from service import errors
from service.imports import cells, loan_maps, loan_rows, loans
from tests import files

DOCS = Path(__file__).parents[2] / "docs" / "loans.md"
EVENING = datetime.fromisoformat("2026-09-08T23:12")  # of a spreadsheet, which knows no zone
LEAST = ("[columns]", 'device = ["Device"]', 'checked_out_on = "Out"')


def test_the_maps_that_come_with_it_are_those_of_the_documentation_with_their_sources() -> None:
    _, after = DOCS.read_text("utf-8").split("| map | source | shape |\n|---|---|---|\n")
    rows = [line.split("|")[1:3] for line in after.split("\n\n")[0].splitlines()]
    told = {name.strip(" `"): source.strip(" `") for name, source in rows}
    assert told == {name: loan_maps.load(name).source for name in loan_maps.shipped()}


@pytest.mark.parametrize("name", loan_maps.shipped())
def test_a_map_that_comes_with_it_names_no_column_of_names(name: str) -> None:
    read = loan_maps.load(name).columns.model_dump()
    headers = [
        header for told in read.values() for header in ([told] if isinstance(told, str) else told or ())
    ]
    assert not [
        header for header in headers if re.search(r"(?i)full.?name|patron|e.?mail|checked out to", header)
    ]


def test_every_mistake_of_a_map_is_listed(tmp_path: Path) -> None:
    path = files.written(
        tmp_path,
        "map.toml",
        'source = "My System"',
        "[columns]",
        "device = []",
        'ncessch = "NCES"',
        'site = "Site"',
        "[dates]",
        "tymes = true",
        "[schools]",
        'Cedar = "12"',
    )
    with pytest.raises(errors.ConfigError) as caught:
        loan_maps.load(str(path))
    for words in (
        "5 mistake(s)",
        "source:",
        "columns.device:",
        "checked_out_on:",
        "dates.tymes: there is no",
        "schools.Cedar:",
    ):
        assert words in str(caught.value)


@pytest.mark.parametrize(
    ("lines", "words"),
    [
        ((*LEAST, 'ncessch = "A"', 'site = "B"'), "ncessch or site, not both"),
        ((*LEAST, 'status = "State"'), r"status column and its words in \[status\] go together"),
        ((*LEAST, "[status]", 'out = ["Out"]'), "go together"),
        ((*LEAST, "[device_kinds]", 'MiFi = "toaster"'), "device_kinds.MiFi"),
        (("[columns",), "not valid TOML"),
    ],
)
def test_a_map_that_contradicts_itself_is_refused(tmp_path: Path, lines: tuple[str, ...], words: str) -> None:
    with pytest.raises(errors.ConfigError, match=words):
        loan_maps.load(str(files.written(tmp_path, "map.toml", *lines)))


def test_a_map_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(errors.ConfigError, match=r"there is no map kohaa: .*koha"):
        loan_maps.load("kohaa")


def test_a_source_is_given_in_place_of_the_maps() -> None:
    koha = loan_maps.load("koha")
    assert loans.from_source(koha, None) is koha
    assert loans.from_source(koha, "library-2").source == "library-2"
    assert loans.from_source(loan_maps.load("snipe-it"), "other").status == loan_maps.load("snipe-it").status
    with pytest.raises(errors.ConfigError, match="short name"):
        loans.from_source(koha, "My Library")


@pytest.mark.parametrize(
    ("dates", "cell", "day"),
    [
        (loan_maps.Dates(), "2026-09-08", date(2026, 9, 8)),
        (loan_maps.Dates(), "9/8/2026", date(2026, 9, 8)),
        (loan_maps.Dates(), "", None),
        (loan_maps.Dates(times=True), "2026-09-08 23:12:00", date(2026, 9, 8)),
        (loan_maps.Dates(times=True), "9/8/2026 11:12 PM", date(2026, 9, 8)),
        (loan_maps.Dates(times=True), "2026-09-08", date(2026, 9, 8)),
        (loan_maps.Dates(times=True), "2026-09-09T03:12:00Z", date(2026, 9, 8)),
        (loan_maps.Dates(times=True), "2026-09-08T23:12:00.250-07:00", date(2026, 9, 8)),
        (loan_maps.Dates(times=True), EVENING, date(2026, 9, 8)),
        (loan_maps.Dates(), date(2026, 9, 8), date(2026, 9, 8)),
        (loan_maps.Dates(formats=("%d %b %Y", "%d.%m.%Y")), "08.09.2026", date(2026, 9, 8)),
    ],
)
def test_a_date_is_read_as_the_map_says(dates: loan_maps.Dates, cell: cells.Cell, day: date | None) -> None:
    assert loan_rows.day_parser(dates, "America/Los_Angeles")(cell) == day


@pytest.mark.parametrize(
    ("dates", "cell"),
    [
        (loan_maps.Dates(), "2026-09-08 23:12:00"),
        (loan_maps.Dates(), EVENING),
        (loan_maps.Dates(times=True), "9/8/26"),
        (loan_maps.Dates(times=True), "2026-13-08T03:12:00Z"),
        (loan_maps.Dates(formats=("%d %b %Y",)), "2026-09-08"),
    ],
)
def test_a_date_in_another_form_is_refused(dates: loan_maps.Dates, cell: cells.Cell) -> None:
    with pytest.raises(cells.Invalid):
        loan_rows.day_parser(dates, "America/Los_Angeles")(cell)


def test_of_several_device_columns_one_is_enough_and_none_is_not() -> None:
    layout = loan_maps.load("snipe-it")
    header = ["Serial", "Employee No.", "Location", "Checkout Date", "Status", "Type"]
    assert loan_rows.match(header, layout).places["Serial"] == 0
    with pytest.raises(errors.ImportRejected, match=r"lacks the column.s. IMEI, Serial"):
        loan_rows.match(header[1:], layout)
