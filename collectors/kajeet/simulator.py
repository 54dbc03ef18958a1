"""A stand-in for Sentinel over HTTP: the calls that the collector makes, and the portal's CSV export."""

import base64
import csv
import io
import itertools
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from collectors import simulation
from collectors.kajeet import world as kajeet_world

SORTS = {
    "MDN": "mdn",
    "STATUS": "status",
    "MEDIA_CENTER_STATUS": "media_center_status",
    "UICC": "uicc",
    "DEVICE_NAME": "device_name",
    "MONTHLY_LIMIT": "month_limit_mb",
    "MONTHLY_AMOUNT_USED": "month_amount_mb",
    "DAY_AMOUNT_USED": "day_amount_mb",
    "LAST_30_DAYS_USED": "last_30_days_mb",
    "DAILY_LIMIT": "day_limit_mb",
    "FILTER_GROUP": "filter_group",
}
GROUP_SORTS = {"DESCRIPTION": "description", "PARENTCORPID": "parent_key"}
COLUMNS = {
    "IMEI": "imei",
    "MDN": "mdn",
    "STATUS": "status",
    "MEDIA_CENTER_STATUS": "media_center_status",
    "DEVICE_NAME": "device_name",
    "NICKNAME": "nickname",
    "FILTER_GROUP": "filter_group",
    "SUMMER_STATUS": "summer_status",
    "LAST_30_DAYS_USED": "last_30_days_mb",
    "MONTHLY_LIMIT": "month_limit_mb",
    "DAILY_LIMIT": "day_limit_mb",
    "MONTHLY_AMOUNT_USED": "month_amount_mb",
    "DAY_AMOUNT_USED": "day_amount_mb",
    "CORP_ID": "corp_id",
    "CORP_DESCRIPTION": "corp_description",
    "UICC": "uicc",
    "NETWORK": "network",
    "OEM_SERIAL_NUMBER": "serial",
}
ENCODER = msgspec.json.Encoder()
KNOWN_PAGES = 4096  # encoded pages kept; a world of 100,000 devices has 1,000


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What the documentation leaves open, and the credentials that are good."""

    client_id: str = "simulated-client"
    client_secret: str = "simulated-secret"  # noqa: S105
    client_id_field: str = "clientId"
    client_secret_field: str = "clientSecret"  # noqa: S105
    token_path: str = "/v1.0/auth/clientToken"  # noqa: S105
    token_field: str = "token"  # noqa: S105
    token_seconds: int = 3600
    max_limit: int = 100
    # Instants closer than this are shown the same rows, as a vendor's own cache would.
    refresh: timedelta = timedelta(minutes=1)


class Simulator:
    """Serves a world as it is at ``clock()``, with the faults that are asked for.

    ``tokens`` holds those that are good, and when they end.
    """

    def __init__(
        self,
        world: kajeet_world.World,
        clock: Callable[[], datetime] = simulation.utc_now,
        faults: simulation.Faults | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.world = world
        self.faults = faults or simulation.Faults()
        self.settings = settings or Settings()
        self.tokens: dict[str, float] = {}
        self._rows = Rows(world, clock, self.settings.refresh)
        self._serial = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        app.router.add_post(self.settings.token_path, self._token, name="token")
        app.router.add_get("/v1.0/devices/{corp_id}", self._devices, name="devices")
        app.router.add_get("/v1.0/devices/{corp_id}/status", self._statuses, name="statuses")
        app.router.add_get("/v1.0/accountSettings/deviceGroups", self._groups, name="groups")
        return app

    def expire_tokens(self) -> None:
        """Every token given so far is refused from now on."""
        self.tokens.clear()

    def forget(self) -> None:
        """Look at the world anew with the next request, whatever the clock says."""
        self._rows.forget()

    async def _token(self, request: web.Request) -> web.Response:
        given = await request.json()
        asked = (given.get(self.settings.client_id_field), given.get(self.settings.client_secret_field))
        if asked != (self.settings.client_id, self.settings.client_secret):
            return _refused(401, "Bad credentials")
        now = int(time.time())
        token = _jwt({"iat": now, "exp": now + self.settings.token_seconds, "jti": next(self._serial)})
        self.tokens[token] = now + self.settings.token_seconds
        return simulation.answer({self.settings.token_field: token})

    async def _devices(self, request: web.Request) -> web.Response:
        if refusal := self._check(request):
            return refusal
        key, query = request.match_info["corp_id"], request.query
        if query.get("export"):
            return self._export(key, query)
        if refusal := self._check_paging(query, SORTS):
            return refusal
        page = self._rows.devices_page(
            key, SORTS[query["sort"]], query["sortDir"] == "DESC", int(query["offset"]), int(query["limit"])
        )
        return _no_such_group() if page is None else web.Response(body=page, content_type="application/json")

    async def _groups(self, request: web.Request) -> web.Response:
        query = request.query
        if refusal := self._check(request) or self._check_paging(query, GROUP_SORTS):
            return refusal
        rows = self._rows.groups(GROUP_SORTS[query["sort"]], query["sortDir"] == "DESC")
        start = int(query["offset"])
        return simulation.answer(
            {"totalCount": len(rows), "deviceGroups": rows[start : start + int(query["limit"])]}
        )

    async def _statuses(self, request: web.Request) -> web.Response:
        if refusal := self._check(request):
            return refusal
        rows = self._rows.devices(request.match_info["corp_id"])
        return _no_such_group() if rows is None else simulation.answer(sorted({row.status for row in rows}))

    def _export(self, key: str, query: Mapping[str, str]) -> web.Response:
        columns = [name for name in query.get("columns", "").split(",") if name] or list(COLUMNS)
        rows = self._rows.devices(key)
        if rows is None:
            return _no_such_group()
        if query["export"] != "CSV" or not COLUMNS.keys() >= set(columns):
            return _refused(400, "Unknown export or column")
        return web.Response(text=export_csv(rows, columns), content_type="text/csv")

    def _check(self, request: web.Request) -> web.Response | None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        return None if self.tokens.get(token, 0) > time.time() else _refused(401, "Unauthorized")

    def _check_paging(self, query: Mapping[str, str], sorts: Mapping[str, str]) -> web.Response | None:
        """All four are required, as documented."""
        offset, limit = query.get("offset", ""), query.get("limit", "")
        is_good = offset.isdecimal() and limit.isdecimal() and 1 <= int(limit) <= self.settings.max_limit
        if not is_good or query.get("sort") not in sorts or query.get("sortDir") not in {"ASC", "DESC"}:
            return _refused(400, "offset, limit, sort and sortDir are required")
        return None


class Rows:
    """The world's rows at the instant now shown, sorted and encoded once."""

    def __init__(self, world: kajeet_world.World, clock: Callable[[], datetime], refresh: timedelta) -> None:
        self._world = world
        self._clock = clock
        self._refresh = refresh
        self._shown_at: datetime | None = None
        self._lists: dict[tuple[str, str, bool], Sequence[kajeet_world.Device] | None] = {}
        self._pages: dict[tuple[str, str, bool, int, int], bytes] = {}

    def forget(self) -> None:
        self._shown_at = None

    def devices(
        self, key: str, sort: str = "mdn", is_descending: bool = False
    ) -> Sequence[kajeet_world.Device] | None:
        instant = self._instant()
        known = (key, sort, is_descending)
        if known not in self._lists:
            rows = self._world.devices(key, instant)
            self._lists[known] = rows and sorted(rows, key=_sort_key(sort), reverse=is_descending)
        return self._lists[known]

    def devices_page(self, key: str, sort: str, is_descending: bool, offset: int, limit: int) -> bytes | None:
        rows = self.devices(key, sort, is_descending)
        if rows is None:
            return None
        known = (key, sort, is_descending, offset, limit)
        if (page := self._pages.get(known)) is None:
            page = ENCODER.encode({"totalCount": len(rows), "devices": rows[offset : offset + limit]})
            if len(self._pages) < KNOWN_PAGES:
                self._pages[known] = page
        return page

    def groups(self, sort: str, is_descending: bool) -> Sequence[kajeet_world.Group]:
        return sorted(self._world.groups(self._instant()), key=_sort_key(sort), reverse=is_descending)

    def _instant(self) -> datetime:
        """The instant shown: the clock's, or a little before it while the rows are still fresh."""
        now = self._clock()
        if self._shown_at is None or not timedelta() <= now - self._shown_at < self._refresh:
            self._shown_at = now
            self._lists.clear()
            self._pages.clear()
        return self._shown_at


def export_csv(rows: Sequence[kajeet_world.Device], columns: Sequence[str]) -> str:
    """Write the portal's export. Its real header text is not documented: here it is the column's own name."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        values = (getattr(row, COLUMNS[column]) for column in columns)
        writer.writerow(["" if value is None else value for value in values])
    return text.getvalue()


def _sort_key(sort: str) -> Callable[[object], tuple[bool, Any]]:
    """Rows that lack the field come last."""

    def key(row: object) -> tuple[bool, Any]:
        value = getattr(row, sort)
        return (value is None, value)

    return key


def _jwt(claims: Mapping[str, object]) -> str:
    """A token of the right shape. Its signature is none: the stand-in knows its tokens by heart."""
    parts = (ENCODER.encode({"alg": "none", "typ": "JWT"}), ENCODER.encode(claims), b"simulated")
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _refused(status: int, message: str) -> web.Response:
    """The vendor's error shape is not documented."""
    return simulation.answer({"message": message}, status=status)


def _no_such_group() -> web.Response:
    return _refused(404, "No such device group")
