"""Where credentials may be sent."""

import pytest

from collectors import errors, hosts

OURS = hosts.Hosts("https://api.meraki.com/api/v1", [".meraki.com"])


@pytest.mark.parametrize(
    ("url", "is_ours"),
    [
        ("https://api.meraki.com/api/v1/x?y=z", True),
        ("https://n123.meraki.com/api/v1", True),
        ("https://n123.meraki.com:443/api/v1", True),
        ("https://n123.meraki.com:8443/api/v1", False),
        ("http://n123.meraki.com/api/v1", False),
        ("http://api.meraki.com/api/v1", False),
        ("https://meraki.com.example/x", False),
        ("https://evilmeraki.com/x", False),
        ("https://n1.meraki.com@evil.example/x", False),
        ("ftp://n1.meraki.com/x", False),
        ("https://[/x", False),
        ("https://api.meraki.com:99999999/x", False),
    ],
)
def test_only_the_vendors_hosts_over_https_are_allowed(url: str, is_ours: bool) -> None:
    assert OURS.allows(url) is is_ours


def test_without_a_suffix_only_the_configured_address_is() -> None:
    alone = hosts.Hosts("https://supersim.twilio.com")
    assert alone.allows("https://supersim.twilio.com/v1/Sims?Page=1")
    assert not alone.allows("https://api.twilio.com/v1/Sims")


def test_an_address_elsewhere_is_named_by_its_host_alone() -> None:
    with pytest.raises(errors.ResponseInvalid, match=r"points to host evil\.example") as caught:
        OURS.checked("https://evil.example/path?token=secret")
    assert "secret" not in str(caught.value)
    for odd in ("https://[/x?token=secret", "https://api.meraki.com:abc/x"):
        with pytest.raises(errors.ResponseInvalid, match="points to") as caught:
            OURS.checked(odd)
        assert "secret" not in str(caught.value)
    assert OURS.checked("/api/v1/next") == "https://api.meraki.com/api/v1/next"


@pytest.mark.parametrize(
    "url", ["x", "https://", "ftp://a.example", "http://a.example", "https://u:p@a.example"]
)
def test_a_base_url_that_would_give_credentials_away_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="base_url must") as caught:
        hosts.check_base_url(url)
    assert "u:p" not in str(caught.value)


def test_a_stand_in_on_this_machine_needs_no_https() -> None:
    hosts.check_base_url("http://127.0.0.1:8080/rws")
    assert hosts.is_local("http://127.0.0.1:8080")
    assert not hosts.is_local("https://api.meraki.com")
