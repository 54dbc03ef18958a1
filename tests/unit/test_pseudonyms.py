"""Pseudonyms are stable under one key, and tell nothing without it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import pseudonyms

KEY = b"0123456789abcdef0123456789abcdef"
ONE = pseudonyms.Pseudonymizer(KEY)
OTHER = pseudonyms.Pseudonymizer(KEY[::-1])


def test_case_and_space_around_a_number_make_no_other_borrower() -> None:
    assert ONE.borrower(" ab12 ") == ONE.borrower("AB12")


@given(st.text(min_size=1).filter(lambda text: text.strip() != ""))
def test_a_pseudonym_depends_on_the_kind_and_on_the_key(text: str) -> None:
    assert len({ONE.borrower(text), ONE.household(text), OTHER.borrower(text), OTHER.household(text)}) == 4


def test_not_told_stays_not_told() -> None:
    assert ONE.borrower("  ") == ""


def test_a_pseudonym_is_hmac_sha256_in_hexadecimal() -> None:
    assert len(ONE.borrower("7")) == 64
    assert set(ONE.borrower("7")) <= set("0123456789abcdef")


@pytest.mark.parametrize("key", [b"", b"short", b"a" * 64])
def test_a_key_that_could_be_guessed_is_refused(key: bytes) -> None:
    with pytest.raises(pseudonyms.WeakKey):
        pseudonyms.Pseudonymizer(key)


def test_the_key_is_in_no_representation() -> None:
    assert "0123" not in repr(ONE)
    assert ONE.fingerprint != OTHER.fingerprint
