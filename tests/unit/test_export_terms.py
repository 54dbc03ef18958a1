"""What packages are called, and what is loaded before anybody asks for one."""

import subprocess
import sys

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


@given(st.text(min_size=1, max_size=80), st.text(min_size=1, max_size=80))
def test_two_pilots_never_share_a_folder(one: str, other: str) -> None:
    assert (terms.slug(one) == terms.slug(other)) == (one == other)
    assert set(terms.slug(one)) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert 1 <= len(terms.slug(one)) <= 47


def test_a_command_that_makes_no_package_loads_nothing_of_what_makes_them() -> None:
    loaded = f"import service.__main__, sys; print([m for m in {exporting.LIBRARIES} if m in sys.modules])"
    found = subprocess.run([sys.executable, "-c", loaded], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"
