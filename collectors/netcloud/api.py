"""NetCloud Manager's calls: every one carries all four keys, and every address ends in a slash. Only reads."""

import urllib.parse
from collections.abc import Mapping

from collectors import client, hosts
from collectors.netcloud import options as netcloud_options

NET_DEVICES = "net_devices"
METRICS = "net_device_metrics"
USAGE_SAMPLES = "net_device_usage_samples"
STATE_SAMPLES = "router_state_samples"

SUFFIX = ".cradlepointecm.com"
HEADERS = {
    "X-CP-API-ID": "cp_api_id",
    "X-CP-API-KEY": "cp_api_key",
    "X-ECM-API-ID": "ecm_api_id",
    "X-ECM-API-KEY": "ecm_api_key",
}
CREDENTIALS = frozenset(HEADERS.values())

Params = Mapping[str, str | int]


def suffixes(base_url: str) -> tuple[str, ...]:
    """Where the vendor's answers may lead to. From a stand-in on this machine nothing leads to the vendor."""
    return () if hosts.is_local(base_url) else (SUFFIX,)


class Api:
    """One account."""

    def __init__(
        self, http: client.Client, options: netcloud_options.Options, credentials: Mapping[str, str]
    ) -> None:
        self._http = http
        self._base_url = options.base_url.rstrip("/")
        self._hosts = hosts.Hosts(self._base_url, suffixes(self._base_url))
        self._headers = {header: credentials[name] for header, name in HEADERS.items()}
        self._headers["Content-Type"] = "application/json"

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._http.clock_skew_seconds

    def url(self, endpoint: str, params: Params) -> str:
        """The address of a list. The plus sign of an instant is sent as %2B: a bare one would be a space."""
        return f"{self._base_url}{path(endpoint)}?{urllib.parse.urlencode(params, safe=',')}"

    def leads_to(self, url: str, endpoint: str) -> bool:
        """Whether an address that was kept is still one of the vendor's, and of this list."""
        whole = urllib.parse.urljoin(self._base_url, url)
        return self._hosts.allows(whole) and urllib.parse.urlsplit(whole).path == path(endpoint)

    async def get(self, url: str) -> bytes:
        """Read a page at an address of ours or of ``meta.next``. Raises CollectorError."""
        return (await self._http.get(self._hosts.checked(url), headers=self._headers)).body

    async def aclose(self) -> None:
        await self._http.aclose()


def path(endpoint: str) -> str:
    return f"/api/v2/{endpoint}/"
