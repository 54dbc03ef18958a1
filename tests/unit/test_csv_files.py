"""Files for spreadsheets do nothing by themselves, and what cannot be written is said."""

from pathlib import Path

import pytest

from service import errors
from service.printed import csv_files


@pytest.mark.parametrize(
    "text", ["=1+1", "+1", "-1+1", "@SUM(A1)", "\t=1", "\r=1", " =1", "\n=1", "\u200b=1", "＝1", "＠A1"]
)
def test_a_text_is_never_a_formula(tmp_path: Path, text: str) -> None:
    path = tmp_path / "list.csv"
    assert csv_files.write(path, ("school",), [(text,)]) == 1
    assert path.read_bytes().split(b"\r\n", 1)[1].lstrip(b'"').startswith(b"'" + text.encode())


@pytest.mark.parametrize("number", ["-1", "-0.06", "-110.0"])
def test_a_text_that_is_a_plain_negative_number_stays_as_it_is(tmp_path: Path, number: str) -> None:
    path = tmp_path / "list.csv"
    csv_files.write(path, ("change",), [(number,)])
    assert path.read_text("utf-8").splitlines() == ["change", number]


def test_figures_stay_figures_and_what_is_not_known_is_empty(tmp_path: Path) -> None:
    path = tmp_path / "list.csv"
    csv_files.write(path, ("school", "days", "change"), [("Alder, the first", None, -3)])
    assert path.read_text("utf-8").splitlines() == ["school,days,change", '"Alder, the first",,-3']


def test_a_folder_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(errors.ConfigError, match=r"cannot write .*none"):
        csv_files.write(tmp_path / "none" / "list.csv", ("school",), [])
