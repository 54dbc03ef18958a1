"""Control Center's calls: search devices, usage of the cycle, last session. Only reads."""

import urllib.parse
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

from collectors import client, sign_in
from collectors.control_center import options as control_center_options

DEVICES = "/rws/api/v1/devices"
USAGE_FIELDS = ("iccid", "msisdn", "imei", "status", "ctdDataUsage", "overageLimitReached")
SESSION_FIELDS = ("iccid", "dateSessionStarted", "dateSessionEnded")


class Api:
    """One account. The API key goes with every request, as the password."""

    def __init__(
        self, http: client.Client, options: control_center_options.Options, credentials: Mapping[str, str]
    ) -> None:
        self._http = http
        self._options = options
        self._devices = options.base_url.rstrip("/") + DEVICES
        self._headers = sign_in.basic(credentials["username"], credentials["api_key"])

    @property
    def clock_skew_seconds(self) -> float | None:
        return self._http.clock_skew_seconds

    async def devices(self, since: datetime, page: int) -> bytes:
        """A page, from 1 on, of the devices whose record changed since then, the longest unchanged first."""
        params: dict[str, str | int] = {
            "modifiedSince": written(since),
            "pageSize": self._options.page_size,
            "pageNumber": page,
        }
        if self._options.account_id:
            params["accountId"] = self._options.account_id
        return await self._get(self._devices, params)

    async def usage(self, iccid: str) -> bytes:
        """What a device used since its billing cycle began."""
        return await self._get(self._of(iccid, "ctdUsages"), self._partial(USAGE_FIELDS))

    async def session(self, iccid: str) -> bytes:
        """The data session that a device is in, or was in last."""
        return await self._get(self._of(iccid, "sessionInfo"), self._partial(SESSION_FIELDS))

    async def aclose(self) -> None:
        await self._http.aclose()

    def _of(self, iccid: str, call: str) -> str:
        return f"{self._devices}/{urllib.parse.quote(iccid, safe='')}/{call}"

    def _partial(self, fields: Sequence[str]) -> Mapping[str, str]:
        return {"fields": ",".join(fields)} if self._options.partial_responses else {}

    async def _get(self, url: str, params: Mapping[str, str | int]) -> bytes:
        return (await self._http.get(url, params=params, headers=self._headers)).body


def written(at: datetime) -> str:
    """An instant as the vendor wants it: to the second, with an offset whose + has to be percent-encoded."""
    return at.astimezone(UTC).isoformat(timespec="seconds")
