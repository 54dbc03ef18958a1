"""A stand-in for the Dashboard API, with its paging and its refusals."""

import functools
import urllib.parse
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from aiohttp import web
from aiohttp.typedefs import Handler

from collectors import simulation
from collectors.meraki import world as meraki_world

ROOT = "/api/v1"
ORGANIZATION = ROOT + "/organizations/{organization}"
SYSTEMS_MANAGER = ROOT + "/networks/{network}/sm/devices"
MONTH = timedelta(days=31)
LOOKBACK = timedelta(days=366)
INTERVALS = (300, 1200, 14_400, 86_400)
STUDENT_FIELDS = frozenset(
    {"ip", "lastConnected", "location", "ownerEmail", "publicIp", "imei", "iccid", "meid"}
)

Row = meraki_world.Row
Keyed = Sequence[tuple[str, Callable[[], Row]]]  # what makes a row, with the key that it is paged by


@dataclass
class Settings:
    """``absent``: routes of products that are not owned. ``base_url``: where links lead; else where it is asked."""

    organization: str = "549236"
    api_key: str = "simulated-key"
    absent: set[str] = field(default_factory=set)
    absent_status: int = 404
    has_empty_refusals: bool = False
    has_quoted_links: bool = False
    base_url: str | None = None


class Refused(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class Window:
    start: datetime
    end: datetime


class Simulator:
    def __init__(
        self,
        world: meraki_world.World,
        clock: Callable[[], datetime] = simulation.utc_now,
        *,
        settings: Settings | None = None,
    ) -> None:
        self.world = world
        self.settings = settings or Settings()
        self.faults = simulation.Faults()
        self._clock = clock

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware, self._refusals])
        for path, name, handler in (
            ("/cellularGateway/uplink/statuses", "uplinks", self._gateway_uplinks),
            ("/uplinks/statuses", "all_uplinks", self._all_uplinks),
            ("/devices", "inventory", self._inventory),
            ("/devices/availabilities", "availabilities", self._availabilities),
            ("/devices/availabilities/changeHistory", "changes", self._changes),
            ("/devices/cellular/data/usage/byDevice", "slots", self._slots),
            ("/devices/cellular/data/usage/history/byDevice/byInterval", "history", self._history),
        ):
            app.router.add_get(ORGANIZATION + path, handler, name=name)
        app.router.add_get(SYSTEMS_MANAGER, self._students, name="students")
        use = SYSTEMS_MANAGER + "/{device}/cellularUsageHistory"
        app.router.add_get(use, self._student_use, name="student_use")
        return app

    @web.middleware
    async def _refusals(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            self._check(request)
            return await handler(request)
        except Refused as refused:
            if refused.status == 404 and self.settings.has_empty_refusals:
                return web.Response(status=404)
            return simulation.answer({"errors": [str(refused)]}, status=refused.status)
        except web.HTTPNotFound:
            return web.Response(status=404)

    def _check(self, request: web.Request) -> None:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if self.settings.api_key not in (bearer, request.headers.get("X-Cisco-Meraki-API-Key")):
            raise Refused(401, "No valid authentication method found")
        if request.match_info.get("organization", self.settings.organization) != self.settings.organization:
            raise Refused(404, "")
        if request.match_info.route.name in self.settings.absent:
            raise Refused(self.settings.absent_status, "This organization has no such product")

    async def _gateway_uplinks(self, request: web.Request) -> web.Response:
        found = [row for row in self._gateways(request) if row.product == "cellularGateway"]
        return self._bare(request, [(row.serial, row.uplink_row) for row in found], most=1000, usual=1000)

    async def _all_uplinks(self, request: web.Request) -> web.Response:
        found = [(row.serial, row.uplink_row) for row in self._gateways(request)]
        return self._bare(request, found, most=1000, usual=1000)

    async def _inventory(self, request: web.Request) -> web.Response:
        found = [(row.serial, row.inventory_row) for row in self._gateways(request)]
        return self._bare(request, found, most=5000, usual=1000)

    async def _availabilities(self, request: web.Request) -> web.Response:
        found = [(row.serial, row.availability_row) for row in self._gateways(request)]
        return self._bare(request, found, most=1000, usual=1000)

    async def _changes(self, request: web.Request) -> web.Response:
        """The latest first; the order is not documented."""
        window = self._window(request, kept=MONTH)
        found = [
            (f"{9e9 - change[0].timestamp():.3f}-{row.serial}", functools.partial(row.change_row, *change))
            for row in self._gateways(request)
            for change in row.changes
            if window.start <= change[0] < window.end
        ]
        return self._bare(request, found, most=1000, usual=1000)

    async def _slots(self, request: web.Request) -> web.Response:
        if len(request.query.getall("serials[]", [])) > 1000:
            raise Refused(400, "'serials' may hold 1000 values at most")
        found = [(row.serial, row.slots_row) for row in self._gateways(request) if row.slots]
        return self._in_items(request, found, most=1000, usual=100)

    async def _history(self, request: web.Request) -> web.Response:
        serials = request.query.getall("serials[]", [])
        if not 1 <= len(serials) <= 10:
            raise Refused(400, "'serials' must hold 1 to 10 values")
        interval = int(request.query.get("interval", "86400"))
        if interval not in INTERVALS:
            raise Refused(400, "'interval' must be one of 300, 1200, 14400, 86400")
        window = self._window(request, kept=LOOKBACK)
        found = [
            (row.serial, functools.partial(_history_row, row, window, interval))
            for row in self._gateways(request)
        ]
        return self._in_items(request, found, most=10, usual=5)

    async def _students(self, request: web.Request) -> web.Response:
        fields = request.query.getall("fields[]", [])
        if unknown := sorted(set(fields) - STUDENT_FIELDS):
            raise Refused(400, f"'fields' does not know {unknown[0]}")
        found = [
            (student.key, functools.partial(student.row, fields)) for student in self._of_network(request)
        ]
        return self._bare(request, found, most=1000, usual=1000)

    async def _student_use(self, request: web.Request) -> web.Response:
        for student in self._of_network(request):
            if student.key == request.match_info["device"]:
                return simulation.answer(list(student.days))
        raise Refused(404, "Device not found")

    def _of_network(self, request: web.Request) -> list[meraki_world.Student]:
        network = request.match_info["network"]
        found = [student for student in self.world.students if student.network_id == network]
        if not found:
            raise Refused(404, "Network not found")
        return found

    def _gateways(self, request: web.Request) -> list[meraki_world.Gateway]:
        """Those that the filters mean; a filter that is not given means all."""
        serials = set(request.query.getall("serials[]", []))
        networks = set(request.query.getall("networkIds[]", []))
        if "serials" in request.query or "networkIds" in request.query:
            raise Refused(400, "lists are named with brackets")
        return [
            row
            for row in self.world.gateways
            if (not serials or row.serial in serials) and (not networks or row.network_id in networks)
        ]

    def _window(self, request: web.Request, *, kept: timedelta) -> Window:
        now, query = self._clock(), request.query
        end = datetime.fromisoformat(query["t1"]) if "t1" in query else now
        span = timedelta(seconds=float(query.get("timespan", 86_400)))
        start = datetime.fromisoformat(query["t0"]) if "t0" in query else end - span
        if start < now - kept:
            raise Refused(400, f"'t0' lies more than {kept.days} days ago")
        if end - start > MONTH:
            raise Refused(400, "'t1' lies more than 31 days after 't0'")
        return Window(start, end)

    def _bare(self, request: web.Request, found: Keyed, *, most: int, usual: int) -> web.Response:
        rows, _, headers = self._page(request, found, most, usual)
        return simulation.answer(rows, headers=headers)

    def _in_items(self, request: web.Request, found: Keyed, *, most: int, usual: int) -> web.Response:
        rows, remaining, headers = self._page(request, found, most, usual)
        counts = {"items": {"total": len(found), "remaining": remaining}}
        return simulation.answer({"items": rows, "meta": {"counts": counts}}, headers=headers)

    def _page(
        self, request: web.Request, found: Keyed, most: int, usual: int
    ) -> tuple[list[Row], int, Mapping[str, str]]:
        """A page by key, so that rows that go away shift no other."""
        size = int(request.query.get("perPage", usual))
        if not 3 <= size <= most:
            raise Refused(400, f"'perPage' must be between 3 and {most}")
        after = request.query.get("startingAfter", "")
        rest = sorted((keyed for keyed in found if keyed[0] > after), key=lambda keyed: keyed[0])
        page, remaining = rest[:size], max(0, len(rest) - size)
        links = [("first", "")]
        if remaining:
            links.append(("next", page[-1][0]))
        headers = {"Link": ", ".join(self._link(request, rel, key) for rel, key in links)}
        return [make() for _, make in page], remaining, headers

    def _link(self, request: web.Request, rel: str, after: str) -> str:
        """Meraki leaves the quotes around the relation away."""
        given = [(name, value) for name, value in request.query.items() if name != "startingAfter"]
        query = urllib.parse.urlencode([*given, ("startingAfter", after)])
        base = self.settings.base_url or f"{request.scheme}://{request.host}{ROOT}"
        quote = '"' if self.settings.has_quoted_links else ""
        return f"<{base}{request.path.removeprefix(ROOT)}?{query}>; rel={quote}{rel}{quote}"


def _history_row(row: meraki_world.Gateway, window: Window, interval: int) -> Row:
    """Whole intervals in UTC; the last one may not be over yet. Amounts are integers."""
    start = window.start.timestamp() // interval * interval
    intervals = [_interval(row.slots, at, interval) for at in _steps(start, window.end.timestamp(), interval)]
    return {"serial": row.serial, "intervals": intervals}


def _interval(slots: Sequence[meraki_world.Slot], start: float, interval: int) -> Row:
    by_sim = [
        {"name": slot.sim or slot.name, "total": slot.bytes_per_second * interval}
        for slot in slots
        if slot.bytes_per_second is not None
    ]
    return {
        "startTs": _text(start),
        "endTs": _text(start + interval),
        "usage": {"total": sum(sim["total"] for sim in by_sim), "bySim": by_sim},
    }


def _steps(start: float, end: float, step: int) -> Iterable[float]:
    while start < end:
        yield start
        start += step


def _text(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
