"""What packages are called, and what is loaded before anybody asks for one."""

import re
import subprocess
import sys
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service import exporting
from service.exports import terms
from service.model import months
from tests import program

OCTOBER = months.parse("2026-10")


def name(asked: terms.Asked, *, is_partial: bool = False, revision: int = 1) -> str:
    return terms.folder_name(asked, is_partial=is_partial, revision=revision)


def test_a_folder_tells_month_profile_marks_and_revision() -> None:
    assert name(terms.Asked(month=OCTOBER)) == "2026-10-shareable-r1"
    partial = terms.Asked(month=OCTOBER, is_strict=True)
    assert name(partial, is_partial=True, revision=3) == "2026-10-shareable-partial-strict-r3"
    plain = terms.Asked(month=OCTOBER, profile="inventory", is_deidentified=True)
    assert name(plain) == "2026-10-inventory-deidentified-r1"


def test_a_folder_tells_the_pilot() -> None:
    asked = terms.Asked(month=OCTOBER, pilot=program.PILOTS[0])
    assert name(asked).startswith("2026-10-shareable-evening-calls-")
    assert name(asked).endswith("-r1")


@pytest.mark.parametrize("pilot", ["partial", "strict", "deidentified", "r2", "lessons-partial"])
def test_a_pilot_called_as_a_mark_or_a_revision_is_told_apart_from_it(pilot: str) -> None:
    asked = terms.Asked(month=OCTOBER, pilot=replace(program.PILOTS[0], name=pilot))
    called = name(asked)
    assert called.startswith(f"2026-10-shareable-{pilot}-")
    assert re.fullmatch(r"[0-9a-f]{6}-r1", called.removeprefix(f"2026-10-shareable-{pilot}-"))


def test_a_pilot_whose_name_only_begins_or_goes_on_as_a_mark_keeps_it() -> None:
    for plain in ("strict-lessons", "lessons", "impartial", "r2d2", "year-2"):
        assert terms.slug(plain) == plain


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_two_pilots_never_share_a_folder(one: str, other: str) -> None:
    assert (terms.slug(one) == terms.slug(other)) == (one == other)
    assert set(terms.slug(one)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert 1 <= len(terms.slug(one)) <= 47


def test_a_command_that_makes_no_package_loads_nothing_of_what_makes_them() -> None:
    loaded = f"import service.__main__, sys; print([m for m in {exporting.LIBRARIES} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


@pytest.mark.parametrize("written", ["9999-12", "0001-01", "1999-12", "2101-01"])
def test_a_year_far_away_is_no_month(written: str) -> None:
    with pytest.raises(months.MonthInvalid, match="2000 to 2100"):
        months.parse(written)
