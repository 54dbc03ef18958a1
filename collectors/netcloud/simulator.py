"""A stand-in for NetCloud Manager's API v2: the lists that the collector reads, as strict as the vendor about them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from collectors import simulation
from collectors.netcloud import api
from collectors.netcloud import world as netcloud_world

Row = dict[str, Any]

MOST_ROWS = 500
MOST_IN = 100
DEFAULT_ROWS = 20
COMMON = {"limit", "offset", "fields"}
SERIES = {"created_at__gt", "created_at__lt", "order_by"}
KNOWN = {  # of the vendor's filters those that are served; any other is refused
    api.NET_DEVICES: COMMON | {"id__gt", "is_asset", "expand"},
    api.METRICS: COMMON | {"id__gt", "update_ts__gt"},
    api.USAGE_SAMPLES: COMMON | SERIES | {"net_device", "net_device__in"},
    api.STATE_SAMPLES: COMMON | SERIES | {"router", "router__in"},
}


@dataclass(frozen=True, kw_only=True)
class Settings:
    """``host`` is what answers name in addresses: the vendor's differs from the one that was asked.

    None: the one that was asked. ``is_ordered``: lists come by rising ids.
    """

    keys: Mapping[str, str] = field(
        default_factory=lambda: {name: f"simulated {name}" for name in api.HEADERS}
    )
    host: str | None = None
    is_ordered: bool = True


class Refused(Exception):
    """A request that the vendor does not accept: 409, which has nothing to do with throttling."""


class Simulator:
    """Serves a world that may change from request to request."""

    def __init__(
        self,
        world: netcloud_world.World,
        faults: simulation.Faults | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.world = world
        self.faults = faults or simulation.Faults()
        self.settings = settings or Settings()

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        for endpoint in KNOWN:
            app.router.add_get(api.path(endpoint), self._list, name=endpoint)
            app.router.add_get(api.path(endpoint).rstrip("/"), _add_slash, name=f"{endpoint}_unslashed")
        return app

    async def _list(self, request: web.Request) -> web.Response:
        if any(request.headers.get(name) != key for name, key in self.settings.keys.items()):
            return _refused(401, "Authentication credentials were not accepted")
        endpoint = request.match_info.route.name or ""
        try:
            rows = self._rows(endpoint, request.query, self._host(request))
            return self._page(request, rows)
        except Refused as refusal:
            return _refused(409, str(refusal))

    def _rows(self, endpoint: str, query: Mapping[str, str], host: str) -> Sequence[Row]:
        if unknown := set(query) - KNOWN[endpoint]:
            raise Refused(f"unknown filter {min(unknown)}")
        match endpoint:
            case api.NET_DEVICES:
                return self._net_devices(query, host)
            case api.METRICS:
                return self._metrics(query, host)
            case api.USAGE_SAMPLES:
                rows = [netcloud_world.usage_row(sample, host) for sample in self.world.usage]
                return _series(rows, query, "net_device")
            case _:
                rows = [netcloud_world.state_row(sample, host) for sample in self.world.states]
                return _series(rows, query, "router")

    def _net_devices(self, query: Mapping[str, str], host: str) -> Sequence[Row]:
        expand = set(filter(None, query.get("expand", "").split(",")))
        if expand - {"router", "account"}:
            raise Refused("cannot expand that")
        modems = self.world.modems
        if "is_asset" in query:
            modems = [modem for modem in modems if modem.is_asset is (query["is_asset"] == "true")]
        rows = [netcloud_world.modem_row(modem, host, is_expanded="router" in expand) for modem in modems]
        return self._by_id(rows, query)

    def _metrics(self, query: Mapping[str, str], host: str) -> Sequence[Row]:
        rows = [netcloud_world.metrics_row(metrics, host) for metrics in self.world.metrics]
        if "update_ts__gt" in query:
            after = _instant(query["update_ts__gt"])
            rows = [row for row in rows if row["update_ts"] and _instant(row["update_ts"]) > after]
        return self._by_id(rows, query)

    def _by_id(self, rows: Sequence[Row], query: Mapping[str, str]) -> Sequence[Row]:
        ordered = sorted(rows, key=lambda row: int(row["id"])) if self.settings.is_ordered else rows
        after = _whole(query.get("id__gt", "-1"))
        return [row for row in ordered if int(row["id"]) > after]

    def _page(self, request: web.Request, rows: Sequence[Row]) -> web.Response:
        query = request.query
        limit, offset = _whole(query.get("limit", str(DEFAULT_ROWS))), _whole(query.get("offset", "0"))
        if not 1 <= limit <= MOST_ROWS:
            raise Refused(f"limit must be 1 to {MOST_ROWS}")
        wanted = set(filter(None, query.get("fields", "").split(",")))
        page = [
            {name: value for name, value in row.items() if not wanted or name in wanted}
            for row in rows[offset : offset + limit]
        ]

        def at(place: int) -> str:
            return f"{self._host(request)}{request.path}?{urlencode({**query, 'offset': place})}"

        return simulation.answer(
            {
                "data": page,
                "meta": {
                    "limit": limit,
                    "next": at(offset + limit) if offset + limit < len(rows) else None,
                    "offset": offset,
                    "previous": at(max(0, offset - limit)) if offset else None,
                },
            }
        )

    def _host(self, request: web.Request) -> str:
        return self.settings.host or f"{request.scheme}://{request.host}"


def _series(rows: Sequence[Row], query: Mapping[str, str], owner: str) -> Sequence[Row]:
    """Samples of the devices that are asked for: without a filter there are none to be had."""
    asked = query.get(f"{owner}__in", query.get(owner, ""))
    ids = [part for part in asked.split(",") if part]
    if not ids:
        raise Refused(f"a filter by {owner} is required")
    if len(ids) > MOST_IN:
        raise Refused(f"at most {MOST_IN} values in one filter")
    if query.get("order_by", "created_at_timeuuid") != "created_at_timeuuid":
        raise Refused("cannot order by that")
    after = _instant(query.get("created_at__gt", "1970-01-01T00:00:00+00:00"))
    before = _instant(query.get("created_at__lt", "9999-01-01T00:00:00+00:00"))
    return sorted(
        (
            row
            for row in rows
            if row[owner].rstrip("/").rpartition("/")[2] in ids
            and after < _instant(row["created_at"]) < before
        ),
        key=lambda row: (row["created_at"], row["created_at_timeuuid"]),
    )


def _instant(text: str) -> datetime:
    """UTC is meant where no zone is given. A plus sign that was sent bare arrives as a space."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError as error:
        raise Refused("not an instant") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise Refused("not a number") from error


async def _add_slash(request: web.Request) -> web.Response:
    query = f"?{request.query_string}" if request.query_string else ""
    return web.Response(status=301, headers={"Location": f"{request.path}/{query}"})


def _refused(status: int, message: str) -> web.Response:
    return simulation.answer({"exception": {"type": "error", "message": message}}, status=status)
