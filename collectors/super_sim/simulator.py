"""A stand-in for Super SIM over HTTP, as KORE and as Twilio: sign-in, the list of SIMs, and usage."""

import base64
import bisect
import itertools
import time
import urllib.parse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aiohttp import web

from collectors import hosts, simulation
from collectors.super_sim import options as super_sim_options
from collectors.super_sim import refusals, simulated_usage
from collectors.super_sim import world as super_sim_world

STATUSES = frozenset({"new", "ready", "active", "inactive", "scheduled"})
MOST_ROWS, USUAL_ROWS = 1000, 50  # a page


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Whose stand-in it is, the credentials that are good, and what the documentation leaves open."""

    platform: super_sim_options.Platform = "twilio"
    client_id: str = "simulated-client"
    client_secret: str = "simulated-secret"  # noqa: S105
    account_sid: str = "AC00000000000000000000000000000001"
    auth_token: str = "simulated-token"  # noqa: S105
    token_seconds: int = 3600
    cuts_open_period: bool = False  # the present day's record ends now, not at its end


class Simulator:
    """Serves a world as it is at ``clock()``, with the faults that are asked for.

    ``tokens`` holds those that are good, and when they end.
    """

    def __init__(
        self,
        world: super_sim_world.World,
        clock: Callable[[], datetime] = simulation.utc_now,
        faults: simulation.Faults | None = None,
        settings: Settings | None = None,
    ) -> None:
        self.world = world
        self.faults = faults or simulation.Faults()
        self.settings = settings or Settings()
        self.tokens: dict[str, float] = {}
        self._clock = clock
        self._serial = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware, refusals.middleware])
        if self.settings.platform == "kore":
            app.router.add_post("/api-services/v1/auth/token", self._token, name="token")
        app.router.add_get("/v1/Sims", self._sims, name="sims")
        app.router.add_get("/v1/UsageRecords", self._usage, name="usage")
        return app

    def expire_tokens(self) -> None:
        """Every token given so far is refused from now on."""
        self.tokens.clear()

    async def _token(self, request: web.Request) -> web.Response:
        given = await request.post()
        if request.content_type != "application/x-www-form-urlencoded" or "grant_type" not in given:
            return simulation.answer({"code": 400, "message": "Bad Request"}, status=400)
        asked = (given["grant_type"], given.get("client_id"), given.get("client_secret"))
        if asked != ("client_credentials", self.settings.client_id, self.settings.client_secret):
            refusal = {"error": "invalid_client", "error_description": "Invalid client credentials"}
            return simulation.answer(refusal, status=401)
        seconds = self.settings.token_seconds
        token = f"simulated.{next(self._serial)}.{time.time_ns()}"
        self.tokens[token] = time.time() + seconds
        return simulation.answer(
            {"access_token": token, "expires_in": seconds, "token_type": "Bearer", "scope": "email"}
        )

    async def _sims(self, request: web.Request) -> web.Response:
        self._check(request)
        rows = self._listed(request.query)
        size = page_size(request.query)
        after = request.query.get("PageToken", "").removeprefix("PA")
        start = bisect.bisect_right(rows, after, key=lambda sim: sim.sid)
        page = rows[start : start + size]
        token = f"PA{page[-1].sid}" if start + size < len(rows) else None
        return listed(request, "sims", page, size, token)

    async def _usage(self, request: web.Request) -> web.Response:
        self._check(request)
        asked = simulated_usage.Asked.read(
            request.query, self._clock(), cuts_open_period=self.settings.cuts_open_period
        )
        size = page_size(request.query)
        records = asked.records(self.world, request.query.get("PageToken", "").removeprefix("PA"))
        found = list(itertools.islice(records, size + 1))
        token = f"PA{found[size - 1][0]}" if len(found) > size else None
        return listed(request, "usage_records", [record for _, record in found[:size]], size, token)

    def _listed(self, query: Mapping[str, str]) -> list[super_sim_world.Sim]:
        if query.get("Status", "new") not in STATUSES:
            raise refusals.Refused("Status is not one of those known")
        wanted = {"status": query.get("Status"), "fleet_sid": query.get("Fleet"), "iccid": query.get("Iccid")}
        asked = {name: value for name, value in wanted.items() if value is not None}
        rows = self.world.sims(self._clock())
        found = [row for row in rows if all(getattr(row, name) == value for name, value in asked.items())]
        return sorted(found, key=lambda sim: sim.sid)

    def _check(self, request: web.Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if self.settings.platform == "kore":
            is_good = scheme == "Bearer" and self.tokens.get(given, 0) > time.time()
        else:
            pair = f"{self.settings.account_sid}:{self.settings.auth_token}".encode()
            is_good = scheme == "Basic" and given == base64.b64encode(pair).decode()
        if not is_good:
            raise refusals.Refused("Authenticate", refusals.UNAUTHORIZED, status=401)


def page_size(query: Mapping[str, str]) -> int:
    asked = query.get("PageSize", str(USUAL_ROWS))
    if not asked.isdecimal() or not 1 <= int(asked) <= MOST_ROWS:
        raise refusals.Refused(f"PageSize must be from 1 to {MOST_ROWS}")
    return int(asked)


def listed(
    request: web.Request, key: str, rows: Sequence[object], size: int, token: str | None
) -> web.Response:
    """A page, with the addresses of those around it. That of the page before this one is not kept."""
    page = int(request.query.get("Page", "0"))
    kept = {name: value for name, value in request.query.items() if name not in {"Page", "PageToken"}}

    def address(number: int, token: str | None) -> str:
        place = {"PageSize": str(size), "Page": str(number)} | ({} if token is None else {"PageToken": token})
        return f"{_origin(request)}{request.path}?{urllib.parse.urlencode(kept | place)}"

    meta = {
        "key": key,
        "page": page,
        "page_size": size,
        "url": address(page, request.query.get("PageToken")),
        "first_page_url": address(0, None),
        "previous_page_url": None,
        "next_page_url": None if token is None else address(page + 1, token),
    }
    return simulation.answer({key: rows, "meta": meta})


def _origin(request: web.Request) -> str:
    """Under the name that it was asked by; only on this machine without https."""
    scheme = "http" if request.url.host in hosts.LOOPBACK else "https"
    return f"{scheme}://{request.host}"
