"""Grade codes are kept as OneRoster writes them, and counted in bands."""

import pytest

from service.model import grades
from service.model.grades import Band


@pytest.mark.parametrize(
    ("text", "code"),
    [("KG", "KG"), ("k", "KG"), ("1", "01"), (" 05 ", "05"), ("12", "12"), ("Other", "OTHER"), ("ug", "UG")],
)
def test_a_grade_is_kept_as_its_code(text: str, code: str) -> None:
    assert grades.code(text) == code


@pytest.mark.parametrize("text", ["", "14", "Freshman", "2019-04-01", "5th"])
def test_what_is_no_grade_is_not_kept(text: str) -> None:
    assert grades.code(text) is None


def test_every_code_has_its_band() -> None:
    told = {code: grades.band(code) for code in grades.CODES}
    elementary = {"TK", "KG", "01", "02", "03", "04", "05"}
    assert {code for code, band in told.items() if band is Band.ELEMENTARY} == elementary
    assert {code for code, band in told.items() if band is Band.MIDDLE} == {"06", "07", "08"}
    assert {code for code, band in told.items() if band is Band.HIGH} == {"09", "10", "11", "12"}
    assert {code for code, band in told.items() if band is Band.OTHER} == {
        *("IT", "PR", "PK", "13", "PS", "UG", "OTHER")
    }


def test_a_grade_that_is_not_told_is_in_no_other_band() -> None:
    assert grades.band(None) is Band.NOT_TOLD
