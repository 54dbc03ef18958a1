"""The workbook of a package, as a spreadsheet opens it."""

import zipfile
from datetime import datetime
from pathlib import Path
from xml.etree import ElementTree

import openpyxl
import pytest
from openpyxl.worksheet.worksheet import Worksheet

from service.exports import tables
from service.exports.writing import package, sheets, workbook
from tests import written

MARK = "PARTIAL: October 2026 is not over & not settled"


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "example"
    folder.mkdir()
    return folder


def _opened(work: Path, *, mark: str = "") -> openpyxl.Workbook:
    written.write(work, mark=mark)
    return openpyxl.load_workbook(work / "workbook.xlsx")


def _texts(sheet: Worksheet) -> list[str]:
    return [cell for row in sheet.iter_rows(values_only=True) for cell in row if isinstance(cell, str)]


def test_it_begins_with_what_it_is_then_notes_charts_and_tables(work: Path) -> None:
    book = _opened(work)
    assert book.sheetnames == ["About", "Coverage by school", "Trend", "notes", "school_month"]
    told = _texts(book["About"])
    assert told[0] == "Example, October 2026"
    assert "District" in told
    assert "Schools by month. One row per school." in told
    assert any("apostrophe" in line for line in told)


def test_the_header_stays_in_view_filters_and_repeats_in_print(work: Path) -> None:
    sheet = _opened(work)["school_month"]
    assert [cell.value for cell in sheet[1]] == list(written.SCHOOLS.names)
    assert sheet.freeze_panes == "D2"  # the name stays too
    assert sheet.auto_filter.ref == "A1:N4"
    assert sheet.print_title_rows == "$1:$1"
    assert sheet.page_setup.orientation == "landscape"
    assert sheet.sheet_properties.pageSetUpPr.fitToPage
    assert (sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight) in ((None, 0), (1, 0))
    assert sheet.oddFooter.left.text == "Example, October 2026"
    assert sheet.oddFooter.right.text == "Page &P of &N"


def test_a_table_too_wide_for_a_page_goes_on_over_pages_with_its_names_on_each(work: Path) -> None:
    names = ("month", "school_name", *(f"a_long_name_of_a_figure_{number}" for number in range(30)))
    columns = tuple(tables.Column(name=name, kind="text", says="x") for name in names)
    with package.Writer(work, title="x") as writer:
        writer.table(tables.Table(name="wide", title="w", says="w", columns=columns, key=("month",)), [])
        writer.table(written.NOTES, [])
        writer.finish()
    book = openpyxl.load_workbook(work / "workbook.xlsx")
    assert not book["wide"].sheet_properties.pageSetUpPr.fitToPage
    assert book["wide"].page_setup.scale == 60
    assert (book["wide"].print_title_cols, book["wide"].print_title_rows) == ("$A:$B", "$1:$1")
    assert book["notes"].sheet_properties.pageSetUpPr.fitToPage


def test_a_long_text_is_wrapped(work: Path) -> None:
    with package.Writer(work, title="x") as writer:
        writer.table(written.NOTES, [("short", "a"), ("long", "word " * 40)])
        writer.finish()
    sheet = openpyxl.load_workbook(work / "workbook.xlsx")["notes"]
    assert [sheet[at].alignment.wrap_text for at in ("B2", "B3")] == [None, True]
    assert 79 < sheet.column_dimensions["B"].width < 82


def test_cells_have_types_and_the_formats_of_their_units(work: Path) -> None:
    sheet = _opened(work)["school_month"]
    row = dict(zip(written.SCHOOLS.names, sheet[2], strict=True))
    assert (row["coverage"].value, row["coverage"].number_format) == (0.8333, "0.0%")
    assert (row["cost"].value, row["cost"].number_format) == (1234.5, "$#,##0.00")
    assert (row["need"].value, row["need"].number_format) == (24, "#,##0")
    assert (row["gb"].value, row["gb"].number_format) == (4.25, "0.0000")
    assert (row["figure_on"].value, row["figure_on"].number_format) == (datetime(2026, 10, 30), "yyyy-mm-dd")  # noqa: DTZ001
    assert row["updated_at"].value == datetime(2026, 11, 1, 4, 30)  # noqa: DTZ001
    assert row["is_high_needs"].value is True
    assert (row["month"].value, row["month"].data_type, row["month"].number_format) == ("2026-10", "s", "@")


def test_a_coarsened_count_is_an_empty_cell_beside_its_symbol(work: Path) -> None:
    sheet = _opened(work)["school_month"]
    assert [cell.value for cell in sheet[3][3:7]] == [None, "5 to 9", 5, 9]


def test_no_cell_is_a_formula(work: Path) -> None:
    book = _opened(work)
    assert book["school_month"]["C2"].value == "=HYPERLINK(1)"
    assert {cell.data_type for sheet in book for row in sheet.iter_rows() for cell in row} == {
        "n",
        "s",
        "d",
        "b",
    }
    with zipfile.ZipFile(work / "workbook.xlsx") as parts:
        for name in parts.namelist():
            if name.startswith("xl/worksheets/sheet"):
                assert b"<f>" not in parts.read(name)


def test_a_mark_is_on_every_sheet_and_every_printed_page(work: Path) -> None:
    book = _opened(work, mark=MARK)
    for sheet in book:
        assert sheet["A1"].value == MARK
        assert sheet.oddFooter.center.text.replace("&&", "&") == MARK
        assert MARK in sheet.oddHeader.center.text.replace("&&", "&")
    assert book["school_month"].freeze_panes == "D3"
    assert book["school_month"].print_title_rows == "$2:$2"


C = "{http://schemas.openxmlformats.org/drawingml/2006/chart}"


def _chart(work: Path, number: int) -> ElementTree.Element:
    with zipfile.ZipFile(work / "workbook.xlsx") as parts:
        return ElementTree.fromstring(parts.read(f"xl/charts/chart{number}.xml"))  # noqa: S314 (our own)


def _cached(element: ElementTree.Element) -> list[str | None]:
    return [value.text for value in element.iter(f"{C}v")]


def test_a_bar_chart_draws_its_rows_with_bounds(work: Path) -> None:
    sheet = _opened(work)["Coverage by school"]
    assert [cell.value for cell in sheet[4]][:4] == ["School", "Coverage", "Least", "Most"]
    assert [cell.value for cell in sheet[5]][:4] == ["East", 0.7, 0.6, 0.8]
    drawn = _chart(work, 1)
    [series] = drawn.iter(f"{C}ser")
    assert [at.text for at in series.iter(f"{C}f")] == [
        "'Coverage by school'!$A$5:$A$7",
        "'Coverage by school'!$B$5:$B$7",
    ]
    assert _cached(series.find(f"{C}cat")) == ["East", "West", "North"]  # type: ignore[arg-type]
    assert _cached(series.find(f"{C}val")) == ["0.7", "0.5"]  # type: ignore[arg-type]
    bars = series.find(f"{C}errBars")
    assert bars is not None
    assert [float(at or 0) for at in _cached(bars)] == [0.1, 0, 0, 0.1, 0, 0]
    assert drawn.find(f".//{C}catAx/{C}scaling/{C}orientation").get("val") == "maxMin"  # type: ignore[union-attr]
    assert drawn.find(f".//{C}valAx/{C}numFmt").get("formatCode") == "0%"  # type: ignore[union-attr]


def test_a_line_chart_draws_each_series_so_that_grey_tells_them_apart(work: Path) -> None:
    _opened(work)
    series = list(_chart(work, 2).iter(f"{C}ser"))
    assert len(series) == 2
    assert [one.find(f"{C}marker/{C}symbol").get("val") for one in series] == ["circle", "square"]  # type: ignore[union-attr]


def test_a_chart_has_words_for_who_does_not_see_it(work: Path) -> None:
    _opened(work)
    with zipfile.ZipFile(work / "workbook.xlsx") as parts:
        drawing = parts.read("xl/drawings/drawing1.xml").decode()
    assert 'descr="Bars of coverage: East 70%, West 50%."' in drawing


def test_it_tells_no_time_of_its_making(work: Path) -> None:
    properties = _opened(work).properties
    assert properties.created == properties.modified == datetime(1980, 1, 1)  # noqa: DTZ001
    with zipfile.ZipFile(work / "workbook.xlsx") as parts:
        assert {entry.date_time[0] for entry in parts.infolist()} == {1980}


def test_a_table_with_too_many_rows_is_left_to_the_other_files(
    work: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workbook, "MOST_ROWS", 2)
    book = _opened(work)
    assert book.sheetnames == ["About", "Coverage by school", "Trend", "notes"]
    told = _texts(book["About"])
    at = told.index("school_month")
    assert told[at + 1].startswith("Not in this workbook")
    assert "csv/school_month.csv" in told[at + 1]


def test_sheets_have_names_that_a_workbook_takes() -> None:
    long = "a" * 40
    found = sheets.names(["About", "about", "What/why?", long, long, "'", "[x]:*\\"])
    assert found == ["About", "about 2", "What why", "a" * 31, "a" * 29 + " 2", "Sheet", "x"]


def test_a_text_longer_than_a_cell_holds_is_cut_in_the_workbook_only(work: Path) -> None:
    long = "x" * 40_000
    with package.Writer(work, title="x") as writer:
        writer.table(written.NOTES, [("long", long)])
        writer.finish()
    assert openpyxl.load_workbook(work / "workbook.xlsx")["notes"]["B2"].value == "x" * 32_767
    assert long in (work / "csv/notes.csv").read_text()


def test_a_date_that_spreadsheets_do_not_know_is_told_as_text(work: Path) -> None:
    column = tables.Column(name="on", kind="date", says="A day.")
    table = tables.Table(name="days", title="d", says="d", columns=(column,), key=("on",))
    with package.Writer(work, title="x") as writer:
        writer.table(table, [("1850-01-01",)])
        writer.finish()
    assert openpyxl.load_workbook(work / "workbook.xlsx")["days"]["A2"].value == "1850-01-01"
