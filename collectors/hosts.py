"""Which addresses a vendor's credentials may be sent to."""

import urllib.parse
from collections.abc import Sequence
from dataclasses import dataclass

from collectors import errors

LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


@dataclass(frozen=True)
class Hosts:
    """The configured address, and over https every host that ends in one of the vendor's ``suffixes``.

    A suffix begins with a dot: ".meraki.com".
    """

    base_url: str
    suffixes: Sequence[str] = ()

    def allows(self, url: str) -> bool:
        ours = urllib.parse.urlsplit(self.base_url)
        try:
            given = urllib.parse.urlsplit(url)
            has_default_port = given.port in (None, 443)
        except ValueError:
            return False
        if (given.scheme, given.netloc) == (ours.scheme, ours.netloc):
            return True
        return (
            given.scheme == "https"
            and has_default_port
            and (given.hostname or "").endswith(tuple(self.suffixes))
        )

    def checked(self, url: str) -> str:
        """The address, made absolute. Raises ResponseInvalid for one that is not the vendor's."""
        try:
            whole = urllib.parse.urljoin(self.base_url, url)
            host = urllib.parse.urlsplit(whole).hostname
        except ValueError as error:
            raise errors.ResponseInvalid("the answer points to something that is no address") from error
        if not self.allows(whole):
            raise errors.ResponseInvalid(
                f"the answer points to host {host}, which is not the vendor's: credentials are not sent there"
            )
        return whole


def is_local(base_url: str) -> bool:
    """Whether it is a stand-in on this machine that is asked."""
    return urllib.parse.urlsplit(base_url).scheme == "http"


def check_base_url(base_url: str) -> None:
    """Raises ValueError: an address that carries credentials is https, or on this machine."""
    parts = urllib.parse.urlsplit(base_url)
    if not parts.hostname or parts.scheme not in {"https", "http"}:
        raise ValueError("base_url must be an address such as https://api.example.com")
    if parts.username or parts.query or parts.fragment:
        raise ValueError("base_url must not hold a user, a query or a fragment")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise ValueError("base_url must begin with https: it carries credentials")
