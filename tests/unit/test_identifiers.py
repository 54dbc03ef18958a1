"""Identifiers come to one normal form, or are refused without being repeated."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from service.model import identifiers

DIGITS = "0123456789"


def digits(length: int) -> st.SearchStrategy[str]:
    return st.text(DIGITS, min_size=length, max_size=length).filter(lambda text: len(set(text)) > 1)


def several(text: str) -> bool:
    return len(set(text)) > 1


@given(digits(14))
def test_an_imei_is_the_same_with_and_without_its_check_digit_and_with_a_software_version(body: str) -> None:
    whole = identifiers.imei(body)
    assert len(whole) == 15
    assert identifiers.imei(whole) == whole == identifiers.imei(body + "01")


@given(digits(14), st.integers(0, 13), st.integers(1, 9))
def test_one_wrong_digit_of_an_imei_is_found(body: str, place: int, shift: int) -> None:
    whole = identifiers.imei(body)
    wrong = whole[:place] + str((int(whole[place]) + shift) % 10) + whole[place + 1 :]
    with pytest.raises(identifiers.Invalid):
        identifiers.imei(wrong)


def test_an_imei_may_have_separators() -> None:
    assert identifiers.imei(" 49-015420-323751-8 ") == "490154203237518"


@given(digits(19).filter(lambda text: several(text[:18])))
def test_an_iccid_is_found_whatever_form_it_comes_in(payload: str) -> None:
    whole = identifiers.with_luhn(payload)
    stored_from_either = {identifiers.iccid(whole), identifiers.iccid(payload)}
    for told in (whole, payload):
        assert stored_from_either & set(identifiers.iccid_forms(told))
    assert identifiers.iccid(whole) in identifiers.iccid_forms(payload)
    assert identifiers.iccid(payload) in identifiers.iccid_forms(whole)


@given(digits(18) | digits(19) | digits(20))
def test_the_normal_form_of_an_iccid_is_its_own_normal_form(text: str) -> None:
    normal = identifiers.iccid(text)
    assert identifiers.iccid(normal) == normal
    assert 18 <= len(normal) <= 20
    assert normal in identifiers.iccid_forms(text)


def test_the_filler_at_the_end_of_an_iccid_is_dropped() -> None:
    assert identifiers.iccid("8914800000080013970F") == identifiers.iccid("8914800000080013970")


@pytest.mark.parametrize("text", ["5035550123", "(503) 555-0123", "1 503 555 0123", "+15035550123"])
def test_a_north_american_number_becomes_e164(text: str) -> None:
    assert identifiers.mdn(text) == "+15035550123"


def test_a_foreign_number_keeps_its_country() -> None:
    assert identifiers.mdn("+44 20 7946 0018") == "+442079460018"


@pytest.mark.parametrize(
    "text", ["", "555-0123", "25035550123", "0035550123", "+05035550123", "503555012x", "٥٠٣٥٥٥٠١٢٣"]
)
def test_what_is_no_phone_number_is_refused(text: str) -> None:
    with pytest.raises(identifiers.Invalid):
        identifiers.mdn(text)


def test_a_serial_is_trimmed_and_upper_cased() -> None:
    assert identifiers.serial(" ab-12c ") == "AB-12C"


@pytest.mark.parametrize("text", ["", "  ", "n/a", "Unknown", "0000", "AB 12", "x" * 65, "a\x00b"])
def test_a_placeholder_is_no_serial(text: str) -> None:
    with pytest.raises(identifiers.Invalid):
        identifiers.serial(text)


@pytest.mark.parametrize("parse", [identifiers.imei, identifiers.iccid])
def test_a_number_of_equal_digits_names_nothing(parse: Callable[[str], str]) -> None:
    for length in (14, 15, 16, 18, 19, 20):
        with pytest.raises(identifiers.Invalid):
            parse("0" * length)


@given(st.text(min_size=1))
def test_no_parser_fails_otherwise_or_repeats_what_it_was_given(text: str) -> None:
    for parse in (identifiers.imei, identifiers.iccid, identifiers.mdn, identifiers.serial):
        try:
            normal = parse(text)
        except identifiers.Invalid as error:
            reason = str(error)
        else:
            reason = ""
            assert parse(normal) == normal
        assert len(text) < 6 or text not in reason


@pytest.mark.parametrize(
    "text",
    ["35 573736 007346 2", "355737360073462", "35573736007346", "3557373600734601", "35-573736-007346-2"],
)
def test_an_imei_is_one_however_a_vendor_writes_it(text: str) -> None:
    assert identifiers.imei(text) == "355737360073462"


@pytest.mark.parametrize(
    "text",
    [
        "89148000000800139702",
        "8914 8000 0008 0013 9702",
        "89148000000800139702F",
        "89148000000800139702 f",
        "8914800000080013970",
        " 8914-8000-0008-0013-970 ",
    ],
)
def test_an_iccid_is_one_however_a_vendor_writes_it(text: str) -> None:
    assert "89148000000800139702" in identifiers.iccid_forms(text)
    assert identifiers.iccid(text) in identifiers.iccid_forms("89148000000800139702")


@pytest.mark.parametrize(
    "text",
    ["521-267-1508", "5212671508", "15212671508", "1-521-267-1508", "+15212671508", "+1 (521) 267.1508"],
)
def test_a_number_is_one_however_a_vendor_writes_it(text: str) -> None:
    assert identifiers.mdn(text) == "+15212671508"


@pytest.mark.parametrize("text", ["wn2307ab001234", "WN2307AB001234", " Wn2307aB001234\t"])
def test_a_serial_number_is_one_whatever_its_case(text: str) -> None:
    assert identifiers.serial(text) == "WN2307AB001234"
