"""At school, elsewhere, or not to be told."""

import pytest

from collectors import errors, readings, registry
from collectors.google_workspace import places
from tests.contract.cases import google_workspace

AT_SCHOOL, ELSEWHERE, UNKNOWN = readings.Place.AT_SCHOOL, readings.Place.ELSEWHERE, readings.Place.UNKNOWN
BOTH = ("198.51.100.0/24", "192.0.2.7", "2001:db8:100::/40")


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("198.51.100.0", AT_SCHOOL),
        ("198.51.100.255", AT_SCHOOL),
        ("198.51.101.0", ELSEWHERE),
        ("198.51.99.255", ELSEWHERE),
        ("192.0.2.7", AT_SCHOOL),
        ("192.0.2.8", ELSEWHERE),
        ("2001:db8:100::1", AT_SCHOOL),
        ("2001:0DB8:01ff:ffff:ffff:ffff:ffff:ffff", AT_SCHOOL),
        ("2001:db8:200::1", ELSEWHERE),
        ("::ffff:198.51.100.9", AT_SCHOOL),
        ("::ffff:203.0.113.77", ELSEWHERE),
        ("::ffff:192.168.1.1", UNKNOWN),
        ("10.0.0.1", UNKNOWN),
        ("172.31.255.255", UNKNOWN),
        ("172.32.0.0", ELSEWHERE),
        ("192.168.1.1", UNKNOWN),
        ("100.64.0.1", UNKNOWN),
        ("169.254.1.1", UNKNOWN),
        ("127.0.0.1", UNKNOWN),
        ("0.0.0.1", UNKNOWN),
        ("::1", UNKNOWN),
        ("fe80::1", UNKNOWN),
        ("fe80::1%wlan0", UNKNOWN),
        ("fd12:3456::1", UNKNOWN),
        ("", UNKNOWN),
        ("198.51.100", UNKNOWN),
        ("198.51.100.7/24", UNKNOWN),
        ("school", UNKNOWN),
        ("198.51.100.7\x00", UNKNOWN),
        ("\ud800", UNKNOWN),
    ],
)
def test_address_is_placed_by_the_districts_networks(address: str, place: readings.Place) -> None:
    assert places.Places(BOTH).of(address) is place


def test_without_networks_nothing_is_told() -> None:
    assert {places.Places(()).of(address) for address in ("203.0.113.77", "2001:db8::1", "10.0.0.1")} == {
        UNKNOWN
    }


@pytest.mark.parametrize(
    ("networks", "address"),
    [(("198.51.100.0/24",), "2001:db8:200::1"), (("2001:db8:100::/40",), "203.0.113.77")],
)
def test_of_a_kind_of_address_without_a_network_nothing_is_told(
    networks: tuple[str, ...], address: str
) -> None:
    """The district may well have such addresses and not have said so."""
    assert places.Places(networks).of(address) is UNKNOWN


@pytest.mark.parametrize(
    ("told", "place"),
    [
        ([AT_SCHOOL], AT_SCHOOL),
        ([AT_SCHOOL, AT_SCHOOL], AT_SCHOOL),
        ([UNKNOWN, ELSEWHERE], ELSEWHERE),
        ([AT_SCHOOL, ELSEWHERE], UNKNOWN),
        ([UNKNOWN, UNKNOWN], UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_several_networks_tell_a_place_where_they_agree(
    told: list[readings.Place], place: readings.Place
) -> None:
    assert places.together(told) is place


@pytest.mark.parametrize(
    ("network", "words"),
    [
        ("school", "must hold networks such as"),
        ("198.51.100.7/24", "must hold networks such as"),
        ("0.0.0.0/0", "larger than any district's"),
        ("2000::/3", "larger than any district's"),
        ("10.0.0.0/8", "private ones are used in homes as well"),
        ("192.168.1.0/24", "private ones are used in homes as well"),
        ("fd00::/16", "private ones are used in homes as well"),
        ("100.64.0.0/16", "private ones are used in homes as well"),
    ],
)
def test_network_that_cannot_be_the_districts_is_refused(network: str, words: str) -> None:
    with pytest.raises(errors.OptionsInvalid, match=words):
        registry.validate("google_workspace", google_workspace.OPTIONS | {"school_networks": [network]})
