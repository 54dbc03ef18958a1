"""A stand-in for ThingSpace over HTTP: both sign-ins, the list of devices, and the histories of one device."""

import base64
import itertools
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web

from collectors import simulation
from collectors.thingspace import answers
from collectors.thingspace import world as thingspace_world

RETENTION = timedelta(days=365)
Body = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The credentials that are good, and what the vendor decides."""

    key: str = "simulated-key"
    secret: str = "simulated-secret"  # noqa: S105
    username: str = "simulated-user"
    password: str = "simulated-password"  # noqa: S105
    token_seconds: float = 3600
    session_seconds: float = 1200  # without a call
    page_size: int = 2000
    history_rows: int = 500
    leaves_earliest_out: bool = False  # whether a history begins after "earliest" is not documented


class Simulator:
    """Serves a world as it is at ``clock()``, with the faults that are asked for.

    ``monotonic`` is what tokens and sessions age by.
    """

    def __init__(
        self,
        world: thingspace_world.World,
        clock: Callable[[], datetime] = simulation.utc_now,
        faults: simulation.Faults | None = None,
        settings: Settings | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self.world = world
        self.faults = faults or simulation.Faults()
        self.settings = settings or Settings()
        self.asked: list[tuple[str, Body]] = []  # every call that was let in: its route and its body
        self._clock = clock
        self._monotonic = monotonic
        self._bearer = ("", 0.0)  # the token, and when it ends
        self._sessions: dict[str, float] = {}  # by token, when each was last used
        self._serial = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware])
        app.router.add_post("/api/ts/v1/oauth2/token", self._token, name="token")
        app.router.add_post("/api/m2m/v1/session/login", self._login, name="login")
        app.router.add_post("/api/m2m/v1/devices/actions/list", self._devices, name="devices")
        app.router.add_post("/api/m2m/v1/devices/usage/actions/list", self._usage, name="usage")
        app.router.add_post(
            "/api/m2m/v1/devices/connections/actions/listHistory", self._connections, name="connections"
        )
        return app

    def expire_tokens(self) -> None:
        """No OAuth token given so far is good."""
        self._bearer = ("", 0.0)

    def expire_sessions(self) -> None:
        """Every session has been idle for too long."""
        self._sessions = dict.fromkeys(self._sessions, float("-inf"))

    def forget_sessions(self) -> None:
        """No session given so far is known."""
        self._sessions.clear()

    async def _token(self, request: web.Request) -> web.Response:
        pair = f"{self.settings.key}:{self.settings.secret}".encode()
        if request.headers.get("Authorization") != f"Basic {base64.b64encode(pair).decode()}":
            return answers.oauth_refused(401, "invalid_client")
        form = await request.post()
        if (
            request.content_type != "application/x-www-form-urlencoded"
            or form.get("grant_type") != "client_credentials"
        ):
            return answers.oauth_refused(400, "unsupported_grant_type")
        # Asked again before it ends, the vendor gives the same token, with what is left of its hour.
        now = self._monotonic()
        if self._bearer[1] <= now:
            self._bearer = (
                f"token-{next(self._serial)}-{uuid.uuid4().hex}",
                now + self.settings.token_seconds,
            )
        return simulation.answer(
            {
                "access_token": self._bearer[0],
                "scope": "ts.application.rw",
                "token_type": "Bearer",
                "expires_in": int(self._bearer[1] - now),
            }
        )

    async def _login(self, request: web.Request) -> web.Response:
        if not self._has_bearer(request):
            return answers.oauth_refused(401, "invalid_token")
        if await _json(request) != {"username": self.settings.username, "password": self.settings.password}:
            return answers.refused("REQUEST_FAILED.InvalidCredentials")  # the real code is not documented
        session = str(uuid.uuid4())
        self._sessions[session] = self._monotonic()
        return simulation.answer({"sessionToken": session})

    async def _devices(self, request: web.Request) -> web.Response:
        body = await self._let_in(request, answers.LIST_FIELDS)
        if isinstance(body, web.Response):
            return body
        rows: Sequence[thingspace_world.Line] = self.world.lines(self._clock())
        if (account := body.get("accountName")) is not None:
            if rows and account not in {row.account_name for row in rows}:
                return answers.refused("REQUEST_FAILED.AccountNotFound")
            rows = [row for row in rows if row.account_name == account]
        after = body.get("largestDeviceIdSeen", 0)
        if type(after) is not int or after < 0:
            return answers.refused("INPUT_INVALID.LargestDeviceIdSeen")
        rest = sorted((row for row in rows if _number(row) > after), key=_number)
        size = self.settings.page_size
        return answers.page("devices", [answers.device(row) for row in rest[:size]], len(rest) > size)

    async def _usage(self, request: web.Request) -> web.Response:
        found = await self._of_one(request)
        if isinstance(found, web.Response):
            return found
        line, earliest, latest = found
        kept = max(earliest, self._clock() - RETENTION)
        rows = sorted(
            (use for use in line.usage if self._is_in(use.day, kept, latest)), key=lambda use: use.day
        )
        return self._history("usageHistory", [answers.use(use) for use in rows])

    async def _connections(self, request: web.Request) -> web.Response:
        found = await self._of_one(request)
        if isinstance(found, web.Response):
            return found
        line, earliest, latest = found
        rows = sorted(
            (event for event in line.events if self._is_in(event.at, earliest, latest)),
            key=lambda event: event.at,
        )
        return self._history("connectionHistory", [answers.event(event) for event in rows])

    def _is_in(self, at: datetime, earliest: datetime, latest: datetime) -> bool:
        return earliest <= at <= latest and not (self.settings.leaves_earliest_out and at == earliest)

    def _history(self, name: str, rows: Sequence[object]) -> web.Response:
        size = self.settings.history_rows
        return answers.page(name, rows[:size], len(rows) > size)

    async def _of_one(
        self, request: web.Request
    ) -> tuple[thingspace_world.Line, datetime, datetime] | web.Response:
        """The line that is asked for, and the window; or why not."""
        body = await self._let_in(request, answers.HISTORY_FIELDS)
        if isinstance(body, web.Response):
            return body
        earliest, latest = answers.instant(body.get("earliest")), answers.instant(body.get("latest"))
        named = body.get("deviceId")
        if earliest is None or latest is None or earliest > latest or not isinstance(named, dict):
            return answers.refused("INPUT_INVALID.Request")
        if str(named.get("kind")).lower() not in answers.KINDS:
            return answers.refused("INPUT_INVALID.Device.Kind.Invalid")
        line = self.world.line(str(named["kind"]), str(named.get("id")), self._clock())
        return answers.refused("REQUEST_FAILED.DeviceNotFound") if line is None else (line, earliest, latest)

    async def _let_in(self, request: web.Request, fields: frozenset[str]) -> Body | web.Response:
        """The call's body; or the refusal of the bearer, the session or the body, in this order."""
        if not self._has_bearer(request):
            return answers.oauth_refused(401, "invalid_token")
        if (refusal := self._session_refusal(request.headers.get("VZ-M2M-Token"))) is not None:
            return refusal
        body = await _json(request)
        if request.content_type != "application/json" or not isinstance(body, dict) or body.keys() - fields:
            return answers.refused("INPUT_INVALID.Request")
        self.asked.append((request.match_info.route.name or "", body))
        return body

    def _has_bearer(self, request: web.Request) -> bool:
        token, ends_at = self._bearer
        given = request.headers.get("Authorization", "")
        return bool(token) and given == f"Bearer {token}" and self._monotonic() < ends_at

    def _session_refusal(self, token: str | None) -> web.Response | None:
        if token is None:
            return answers.refused("REQUEST_FAILED.SessionToken.Format")
        if token not in self._sessions:
            return answers.refused("INPUT_INVALID.SessionToken.Invalid")
        now = self._monotonic()
        if now - self._sessions[token] > self.settings.session_seconds:
            return answers.refused("REQUEST_FAILED.SessionToken.Expired")
        self._sessions[token] = now
        return None


def _number(line: thingspace_world.Line) -> float:
    """By what the list is sorted. Lines that show no DeviceId come last."""
    return float("inf") if line.device_id is None else line.device_id


async def _json(request: web.Request) -> Any:
    try:
        return msgspec.json.decode(await request.read())
    except msgspec.MsgspecError:
        return None
