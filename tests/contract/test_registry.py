"""Collectors by name, and what is said of options that do not fit."""

from pathlib import Path

import pytest

from collectors import budget, errors, registry
from tests.contract import cases

ROOT = Path(__file__).parents[2]
CREDENTIALS = {"client_id": "a", "client_secret": "b"}


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, r"options\.corp_ids is missing"),
        ({"corp_ids": []}, r"options\.corp_ids: expected list of length >= 1"),
        ({"corp_ids": ["1", 2]}, r"options\.corp_ids\[1\]: expected str, got int"),
        ({"corp_ids": ["1", "1"]}, "names a group twice"),
        ({"page_sise": 5}, r"options\.page_sise is not known; known there: corp_ids, .*page_size"),
        ({"page_size": "5"}, r"options\.page_size: expected int, got str"),
        ({"page_size": 0}, r"options\.page_size: expected int >= 1"),
        ({"megabyte_bytes": 1000}, r"options\.megabyte_bytes must be one of 1000000, 1048576"),
        ({"statuses": {"x": "dead"}}, r"options\.statuses.* must be one of active, suspended"),
        ({"media_center_statuses": {"x": "y"}}, "must be one of loan_desk, none"),
        ({"fields": {"imeii": "x"}}, r"options\.fields\.imeii is not known; known there: .*imei"),
        ({"fields": {"imei": "mdn"}}, r"options\.fields: two fields are both called mdn"),
        ({"fields": {"key": ""}}, r"options\.fields\.key: expected str"),
        ({"fields": {"key": "a`b"}}, "a field's name may hold"),
        ({"base_url": "http://kajeet.example"}, "base_url must begin with https"),
        ({"base_url": "https://me:secret@kajeet.example"}, "base_url must not hold a user"),
        ({"base_url": "kajeet"}, "base_url must be an address"),
        ({"token_path": "v1/token"}, "token_path must begin with /"),
        ({"devices_path": "/devices"}, "devices_path must hold {corp_id}"),
    ],
)
def test_wrong_option_is_named_in_plain_words(options: dict[str, object], words: str) -> None:
    given = options if not options or "corp_ids" in options else {"corp_ids": ["1"]} | options
    with pytest.raises(errors.OptionsInvalid, match=words) as caught:
        registry.validate("kajeet", given)
    assert "$" not in str(caught.value)
    assert "secret" not in str(caught.value)


def test_unknown_collector_is_told_with_those_that_are_known() -> None:
    with pytest.raises(errors.OptionsInvalid, match=r"no collector is called kajet; known: .*kajeet"):
        registry.validate("kajet", {})


def test_missing_credential_is_named() -> None:
    with pytest.raises(errors.OptionsInvalid, match="needs the credentials client_secret"):
        registry.validate("kajeet", {"corp_ids": ["1"]}, {"client_id"})


def test_credentials_are_those_that_the_sign_in_asks_for() -> None:
    options = {"corp_ids": ["1"], "token_body": {"key": "{api_key}"}}
    registry.validate("kajeet", options, {"api_key"})


def test_accounts_that_share_a_credential_share_a_budget() -> None:
    one, other = (
        registry.spending("kajeet", {"corp_ids": [corp_id], "requests_per_second": rate}, CREDENTIALS)
        for corp_id, rate in (("1", 5.0), ("2", 3.0))
    )
    assert one.fingerprint == other.fingerprint
    assert one.terms.strictest(other.terms) == budget.Terms(3.0)


def folder_of(name: str) -> str:
    """The folder that has its stand-in, tests and page: where one case of it, or of its folder, is tested."""
    known = {case.collector: case.folder for case in cases.every()}
    known |= {folder: folder for folder in known.values()}
    assert name in known, f"no case of {name}"
    return known[name]


@pytest.mark.parametrize("name", sorted(registry.COLLECTORS))
def test_every_collector_has_a_case_a_simulator_fixtures_tests_and_a_page(name: str) -> None:
    folder = folder_of(name)
    assert (ROOT / "collectors" / folder / "simulator.py").is_file()
    assert (ROOT / "tests" / "fixtures" / folder / "manifest.toml").is_file()
    assert list((ROOT / "tests" / "contract").glob(f"test_{folder}_*.py"))
    assert (ROOT / "docs" / "collectors" / f"{folder}.md").is_file()


def test_every_option_of_every_collector_is_in_its_page() -> None:
    for name, entry in registry.COLLECTORS.items():
        page = (ROOT / "docs" / "collectors" / f"{folder_of(name)}.md").read_text(encoding="utf-8")
        missing = [option for option in entry.options.__struct_fields__ if f"`{option}`" not in page]
        assert not missing, name
