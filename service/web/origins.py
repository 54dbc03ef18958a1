"""Where a request comes from, as far as a browser tells: what keeps other sites' pages from using ours."""

import ipaddress
from dataclasses import dataclass
from urllib.parse import urlsplit

import aiohttp.web

_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """``page_address`` is where people reach the pages, as https://afterbell.district.example."""

    host: str = "127.0.0.1"  # that is listened on
    page_address: str | None = None

    def is_ours(self, request: aiohttp.web.Request) -> bool:
        """Whether the Host header names this service.

        Where nobody signs in, a page of another site could otherwise have its own name lead to this machine, and read
        what we answer (DNS rebinding).
        """
        name = _name(f"//{request.host}")
        return _is_loopback(name) or (name != "" and name in (self.host, _name(self.page_address or "")))

    def is_from_us(self, request: aiohttp.web.Request) -> bool:
        """Whether a form was sent from one of our pages. Every browser tells, so one that does not is refused."""
        site, origin = request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin", "")
        if site not in (None, "same-origin"):
            return False
        scheme = origin.partition(":")[0]
        ours = (_authority(f"{scheme}://{request.host}"), _authority(self.page_address or ""))
        return _authority(origin) != "" and _authority(origin) in ours

    def was_https(self, request: aiohttp.web.Request) -> bool:
        """Whether the browser sent a form by https, whatever a proxy in front speaks with us."""
        return request.headers.get("Origin", "").startswith("https://")


def _authority(address: str) -> str:
    """``example.org``, or ``example.org:8080`` where the port is not its scheme's own; "" for what is no address."""
    try:
        parts = urlsplit(address)
        port = parts.port
    except ValueError:
        return ""
    is_usual = port in (None, _PORTS.get(parts.scheme))
    return (parts.hostname or "") if is_usual else f"{parts.hostname}:{port}"


def _name(address: str) -> str:
    try:
        return urlsplit(address).hostname or ""
    except ValueError:
        return ""


def _is_loopback(name: str) -> bool:
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")
