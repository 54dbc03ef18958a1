"""The Dashboard API's calls. Only reads, and none that tells of places, towers or addresses."""

import urllib.parse
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence

import msgspec

from collectors import client, errors, hosts, walking
from collectors.meraki import links, rows
from collectors.meraki import options as meraki_options
from collectors.meraki.windows import Window

Params = Sequence[tuple[str, str | int]]
Read = Callable[[bytes], rows.Batch[rows.Row]]

PAGING = frozenset({"perPage", "startingAfter", "endingBefore"})
FEWEST = 3  # rows that a page may be asked to hold
HISTORY_SERIALS = 10  # the most that one call for the history takes
CHANGES_PER_PAGE = 1000
# Never location, owner, IP or SSID.
STUDENT_FIELDS = ("lastConnected",)
STUDENT_SIM_FIELDS = ("iccid", "imei")


class Refusal(msgspec.Struct, frozen=True):
    """Meraki's own words for a call that it does not accept. They may quote the request: never shown."""

    errors: list[str]


REFUSAL = msgspec.json.Decoder(Refusal)


class Api:
    """One organisation."""

    def __init__(
        self, http: client.Client, options: meraki_options.Options, credentials: Mapping[str, str]
    ) -> None:
        self._http = http
        self._options = options
        self._base_url = options.base_url.rstrip("/")
        self._hosts = hosts.Hosts(options.base_url, options.suffixes())
        self._headers = {"authorization": f"Bearer {credentials['api_key']}"}

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._http.clock_skew_seconds

    def gateways(self, per_page: int) -> str:
        """The address of the list of gateways and their uplinks."""
        path = "/uplinks/statuses" if self._options.appliances else "/cellularGateway/uplink/statuses"
        return self._of_organization(
            path, [("perPage", per_page), *_list("networkIds[]", self._options.network_ids)]
        )

    def availabilities(self, serials: Sequence[str]) -> str:
        return self._of_organization("/devices/availabilities", _whole(serials))

    def inventory(self, serials: Sequence[str]) -> str:
        return self._of_organization("/devices", _whole(serials))

    def slots(self, serials: Sequence[str]) -> str:
        """The address of the current cycle's bytes."""
        return self._of_organization("/devices/cellular/data/usage/byDevice", _whole(serials))

    def history(self, serials: Sequence[str], window: Window) -> str:
        given = [("perPage", HISTORY_SERIALS), *_list("serials[]", serials), *window.params]
        return self._of_organization(
            "/devices/cellular/data/usage/history/byDevice/byInterval",
            [*given, ("interval", self._options.history_interval_seconds)],
        )

    def changes(self, serials: Sequence[str], window: Window) -> str:
        given = [("perPage", CHANGES_PER_PAGE), *_list("serials[]", serials), *window.params]
        return self._of_organization("/devices/availabilities/changeHistory", given)

    def students(self, network_id: str, per_page: int, *, with_sims: bool = False) -> str:
        fields = (*STUDENT_FIELDS, *STUDENT_SIM_FIELDS) if with_sims else STUDENT_FIELDS
        return self._url(
            f"/networks/{_quoted(network_id)}/sm/devices",
            [("perPage", per_page), *_list("fields[]", fields)],
        )

    def student_use(self, network_id: str, device_key: str) -> str:
        path = f"/networks/{_quoted(network_id)}/sm/devices/{_quoted(device_key)}/cellularUsageHistory"
        return self._url(path, [])

    def goes_on(self, start: str, cursor: str | None) -> bool:
        """Whether a cursor is the address of a later page of the list that starts at ``start``."""
        if cursor is None or not self._hosts.allows(cursor):
            return False
        return _list_of(cursor) == _list_of(start)

    def walk(self, start: str, read: Read[rows.Row]) -> AsyncGenerator[walking.Fetched[rows.Batch[rows.Row]]]:
        """Yield a list's pages from an address. Raises CollectorError."""

        async def fetch(url: str) -> walking.Fetched[rows.Batch[rows.Row]]:
            answer = await self._get(url)
            batch = read(answer.body)
            return walking.Fetched(batch, answer.body, batch.count, links.next_of(answer.headers.get("link")))

        return walking.walk(fetch, start)

    async def whole(self, start: str, read: Read[rows.Row]) -> rows.Batch[rows.Row]:
        """Read all pages of a list that is known to be short. Raises CollectorError."""
        found: rows.Batch[rows.Row] = rows.Batch([], [])
        async for fetched in self.walk(start, read):
            found += fetched.page
        return found

    async def first(self, start: str, read: Read[rows.Row]) -> rows.Batch[rows.Row]:
        return read((await self._get(start)).body)

    async def check_organization(self) -> None:
        """Raises NotFound where Meraki does not know the organisation, or the key may not see it."""
        await self._get(self._of_organization("/devices/availabilities", [("perPage", FEWEST)]))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _get(self, url: str) -> client.Answer:
        return await self._http.get(self._hosts.checked(url), headers=self._headers)

    def _of_organization(self, path: str, params: Params) -> str:
        return self._url(f"/organizations/{_quoted(self._options.organization_id)}{path}", params)

    def _url(self, path: str, params: Params) -> str:
        query = urllib.parse.urlencode(params)
        return f"{self._base_url}{path}{query and '?'}{query}"


def judge(answer: client.Answer) -> errors.CollectorError | None:
    """Meraki may say 400 where 404 is meant: of a product that the organisation does not own."""
    if answer.status != 400:
        return None
    try:
        REFUSAL.decode(answer.body)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    return errors.NotFound(
        "Meraki did not accept the request (400): check organization_id and the network ids, and that the "
        "organisation owns the product"
    )


def _list_of(url: str) -> tuple[str, list[tuple[str, str]]]:
    """Which list an address is a page of: its path and filters, on whichever shard."""
    parts = urllib.parse.urlsplit(url)
    given = urllib.parse.parse_qsl(parts.query)
    return parts.path, sorted((name, value) for name, value in given if name not in PAGING)


def _whole(serials: Sequence[str]) -> Params:
    """All of these devices on one page."""
    return [("perPage", max(FEWEST, len(serials))), *_list("serials[]", serials)]


def _list(name: str, values: Sequence[str]) -> Params:
    return [(name, value) for value in values]


def _quoted(text: str) -> str:
    return urllib.parse.quote(text, safe="")
