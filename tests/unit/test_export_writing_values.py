"""Values of a package: whatever the text, every format reads back as the same, and none of it as a formula."""

import csv
import math
import re
import tempfile
from pathlib import Path

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pyarrow import parquet

from service import errors
from service.exports import tables
from service.exports.writing import package, text, values
from service.model import formulas

AWKWARD = st.sampled_from(
    [
        "=1+1",
        "+1",
        "-1",
        "@A1",
        "\t=1",
        "\r",
        "＝1",
        " =1",
        "\x00=1",
        "_x0041_",
        '"',
        ",",
        "\n",
        "'=1",
        "\ud800",
        "﷐",
    ]
)
TEXTS = st.lists(
    st.one_of(st.text(alphabet=st.characters(exclude_categories=())), AWKWARD), min_size=1, max_size=5
)
WORDS = tables.Table(
    name="words",
    title="Words",
    says="One per row.",
    columns=(
        tables.Column(name="number", kind="integer", says="Its number."),
        tables.Column(name="word", kind="text", says="The word."),
    ),
    key=("number",),
)


@settings(max_examples=25, deadline=None)
@given(TEXTS)
def test_any_text_comes_back_from_every_format(texts: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        work = Path(folder)
        with package.Writer(work, title="Words") as writer:
            writer.table(WORDS, list(enumerate(texts)))
            writer.finish()
        expected = [text.clean(one) or None for one in texts]
        assert parquet.read_table(work / "parquet/words.parquet")["word"].to_pylist() == expected
        with (work / "csv/words.csv").open(encoding="utf-8", newline="") as file:
            told = [row[1] for row in csv.reader(file, strict=True)][1:]
        assert told == [formulas.harmless(one or "") for one in expected]
        cells = openpyxl.load_workbook(work / "workbook.xlsx")["words"]["B"][1:]
        assert [_unescaped(cell.value) for cell in cells] == expected
        assert {cell.data_type for cell in cells if cell.value is not None} <= {"s", "inlineStr"}


def _unescaped(value: str | None) -> str | None:
    return None if value is None else openpyxl.utils.escape.unescape(value)


@given(TEXTS)
def test_no_text_in_csv_begins_as_a_formula_does(texts: list[str]) -> None:
    for one in texts:
        told = formulas.harmless(text.clean(one))
        if re.fullmatch(r"-[0-9]+([.][0-9]+)?", told):
            continue  # a number calculates nothing
        assert not told.lstrip(" \n\v\f\u200b\ufeff").startswith(tuple("=+-@＝＋－＠\t\r"))


@pytest.mark.parametrize(
    "plain", ["<5%", ">95%", "-0.06", "-110.0", "*", "n<10", "5 to 9", "East - West", "1+1", "a=b", "'", ""]
)
def test_a_text_that_is_no_formula_stays_as_it_is(plain: str) -> None:
    assert formulas.harmless(plain) == plain


@given(st.floats(allow_nan=False, allow_infinity=False, min_value=-1e12, max_value=1e12))
def test_a_number_is_the_same_in_every_format_and_has_no_exponent(number: float) -> None:
    column = tables.Column(name="n", kind="number", says="A number.")
    table = tables.Table(name="t", title="t", says="t", columns=(column,), key=("n",))
    [settled] = values.settled(table, [(number,)])
    [told] = text.cells(column, settled)
    assert isinstance(told, str)
    assert "e" not in told
    assert told != "-0.0000"
    assert float(told) == settled[0]


def _column(**told: object) -> tables.Column:
    return tables.Column(name="c", says="s", **told)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        (_column(kind="text", is_required=True), None, "no value"),
        (_column(kind="text", is_required=True), "", "no value"),
        (_column(kind="text"), 71, "not text"),
        (_column(kind="text", choices=("a",)), "b71", "none of the choices"),
        (_column(kind="text", pattern="[0-9]{3}"), "7171", "pattern"),
        (_column(kind="integer"), 71.5, "not int"),
        (_column(kind="integer"), True, "not int"),
        (_column(kind="integer"), 2**71, "64 bits"),
        (_column(kind="integer", minimum=0), -71, "below 0"),
        (_column(kind="number", maximum=1), 71, "above 1"),
        (_column(kind="number"), math.nan, "not finite"),
        (_column(kind="number"), math.inf, "not finite"),
        (_column(kind="number"), "71", "not int or float"),
        (_column(kind="boolean"), 1, "not bool"),
        (_column(kind="date"), "71st", "cannot be read"),
        (_column(kind="month"), "2026-13", "not a month"),
        (_column(kind="instant"), "2026-10-01T07:10:00", "offset"),
    ],
)
def test_a_value_that_contradicts_its_column_is_refused_and_not_told(
    tmp_path: Path, column: tables.Column, value: tables.Value, says: str
) -> None:
    table = tables.Table(name="secret", title="t", says="s", columns=(column,), key=("c",))
    with pytest.raises(errors.ExportRefused, match="table secret, column c: ") as refused:
        package.Writer(tmp_path, title="x").table(table, [(value,)])
    assert says in str(refused.value)
    if value is not None:
        assert str(value) not in str(refused.value) or value in ("", 1)
    assert refused.value.__cause__ is None


def test_a_row_of_another_length_is_refused(tmp_path: Path) -> None:
    with pytest.raises(errors.ExportRefused, match="table words: a row has not 2 values"):
        package.Writer(tmp_path, title="x").table(WORDS, [(1, "a"), (2,)])


def test_an_id_keeps_its_zeros_in_every_format(tmp_path: Path) -> None:
    with package.Writer(tmp_path, title="Words") as writer:
        writer.table(WORDS, [(1, "000123")])
        writer.finish()
    assert (tmp_path / "csv/words.csv").read_text().splitlines() == ["number,word", "1,000123"]
    assert openpyxl.load_workbook(tmp_path / "workbook.xlsx")["words"]["B2"].value == "000123"
