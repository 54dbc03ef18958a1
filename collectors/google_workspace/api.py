"""Google's calls: sign-in, the list of devices, the list of telemetry. Only reads."""

import functools
import time
import urllib.parse
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime

import msgspec

from collectors import client, decoding, sign_in
from collectors.google_workspace import keys
from collectors.google_workspace import options as workspace_options

SCOPES = "https://www.googleapis.com/auth/"
DEVICES_SCOPE = SCOPES + "admin.directory.device.chromeos.readonly"
TELEMETRY_SCOPE = SCOPES + "chrome.management.telemetry.readonly"
JWT_BEARER = "urn:ietf:params:oauth:grant-type:jwt-bearer"
TOKEN_SECONDS = 3600  # where the answer does not tell

# Google is asked for no more than is read: no name, note, serial number or path of a unit is ever sent.
DEVICE_FIELDS = (
    "kind,nextPageToken,chromeosdevices(deviceId,status,lastSync,activeTimeRanges,orgUnitId,"
    "lastKnownNetwork/wanIpAddress)"
)
KEY_FIELDS = "kind,nextPageToken,chromeosdevices(deviceId)"
READ_MASK = "device_id,network_status_report"
TELEMETRY_FIELDS = (
    "nextPageToken,devices(deviceId,networkStatusReport(reportTime,connectionState,connectionType,"
    "gatewayIpAddress,gatewayIpv6Address))"
)


class Grant(msgspec.Struct, frozen=True):
    access_token: str
    expires_in: float = TOKEN_SECONDS


GRANT = msgspec.json.Decoder(Grant)
Params = Mapping[str, str | int]
Get = Callable[[str, Params, Mapping[str, str]], Awaitable[bytes]]


class Api:
    """One service account in the name of one admin. Sweeps read through ``reader()``.

    Each API has a token of its own, so a scope that is not delegated stops no other.
    """

    def __init__(
        self,
        http: client.Client,
        options: workspace_options.Options,
        account: keys.ServiceAccount,
        *,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._http = http
        self._options = options
        self._account = account
        self._sign_ins = {
            scope: sign_in.SignIn(functools.partial(self._granted, scope), monotonic=monotonic)
            for scope in (DEVICES_SCOPE, TELEMETRY_SCOPE)
        }

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._http.clock_skew_seconds

    def reader(self) -> "Reader":
        visits = {scope: known.visit() for scope, known in self._sign_ins.items()}
        return Reader(self._options, visits, self._get)

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _get(self, url: str, params: Params, headers: Mapping[str, str]) -> bytes:
        return (await self._http.get(url, params=params, headers=headers)).body

    async def _granted(self, scope: str) -> sign_in.Grant:
        url = self._options.token_url
        assertion = self._account.assertion(
            [scope], subject=self._options.subject, audience=url, now=self._vendor_now()
        )
        answer = await self._http.post(url, form={"assertion": assertion, "grant_type": JWT_BEARER})
        granted = decoding.whole(GRANT, answer.body, "the sign-in's answer")
        return sign_in.Grant(sign_in.bearer(granted.access_token), granted.expires_in)

    def _vendor_now(self) -> int:
        """By Google's clock where it is known: an assertion from the future is refused."""
        return int(time.time() + (self.clock_skew_seconds or 0.0))


class Reader:
    """The lists, read for one sweep. An empty page token is the first page's."""

    def __init__(
        self,
        options: workspace_options.Options,
        visits: Mapping[str, sign_in.Visit],
        get: Get,
    ) -> None:
        self._options = options
        self._visits = visits
        self._get = get

    async def devices(
        self, token: str = "", *, size: int | None = None, fields: str = DEVICE_FIELDS
    ) -> bytes:
        customer = urllib.parse.quote(self._options.customer_id, safe="")
        path = f"/admin/directory/v1/customer/{customer}/devices/chromeos"
        params: dict[str, str | int] = {"projection": "FULL", "maxResults": size or self._options.page_size}
        params |= self._unit() | {"fields": fields} | _page(token)
        return await self._call(DEVICES_SCOPE, self._options.base_url, path, params)

    async def telemetry(self, since: datetime, token: str = "", *, size: int | None = None) -> bytes:
        """Reports from ``since`` (UTC) on, in whole seconds."""
        customer = urllib.parse.quote(self._options.customer_id, safe="")
        path = f"/v1/customers/{customer}/telemetry/devices"
        params: dict[str, str | int] = {
            "readMask": READ_MASK,
            "pageSize": size or self._options.telemetry_page_size,
            "filter": f'reports_timestamp>="{since:%Y-%m-%dT%H:%M:%SZ}"',
            "fields": TELEMETRY_FIELDS,
        }
        return await self._call(TELEMETRY_SCOPE, self._options.telemetry_url, path, params | _page(token))

    def _unit(self) -> dict[str, str | int]:
        if self._options.org_unit_path is None:
            return {}
        return {
            "orgUnitPath": self._options.org_unit_path.strip().lstrip("/"),
            "includeChildOrgunits": "true" if self._options.include_child_orgunits else "false",
        }

    async def _call(self, scope: str, base_url: str, path: str, params: Params) -> bytes:
        url = base_url.rstrip("/") + path
        return await self._visits[scope].call(lambda headers: self._get(url, params, headers))


def _page(token: str) -> dict[str, str | int]:
    return {"pageToken": token} if token else {}
