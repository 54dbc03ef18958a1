"""A stand-in for Google over HTTP: the sign-in of service accounts, the Directory's devices, Chrome's telemetry."""

import base64
import itertools
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

import jwt
import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler
from cryptography.hazmat.primitives.asymmetric import rsa

from collectors import simulation
from collectors.google_workspace import api, selection
from collectors.google_workspace import options as workspace_options
from collectors.google_workspace import world as workspace_world

MOST_SECONDS_AHEAD = 3660  # of an assertion's end; Google allows an hour
RECENT = timedelta(days=1)  # what telemetry tells where it is not asked for a time; Google does not say
STANDARD = frozenset({"alt", "fields", "prettyPrint", "quotaUser", "key"})
DEVICE_PARAMETERS = STANDARD | {
    "projection",
    "maxResults",
    "pageToken",
    "orgUnitPath",
    "includeChildOrgunits",
    "query",
    "orderBy",
    "sortOrder",
}
TELEMETRY_PARAMETERS = STANDARD | {"readMask", "pageSize", "pageToken", "filter"}
ORDERS = {"annotatedLocation", "annotatedUser", "lastSync", "notes", "serialNumber", "status"}
LIST_FIELDS = {"kind", "etag", "nextPageToken", "chromeosdevices"}
TELEMETRY_FIELDS = {"nextPageToken", "devices"}


Read = TypeVar("Read")


class Refused(Exception):
    """Google's own refusal: a status and a reason."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        self.reason = reason


@dataclass(frozen=True, kw_only=True)
class Settings:
    """Who may do what, and how long a token lasts.

    ``ignores_fields``: a partial response is not understood, and everything is sent.
    """

    public_key: rsa.RSAPublicKey
    email: str = "reader@simulated.iam.gserviceaccount.com"
    subject: str = "admin@district.example"
    scopes: Iterable[str] = (api.DEVICES_SCOPE, api.TELEMETRY_SCOPE)  # delegated
    has_privilege: bool = True  # of reading ChromeOS devices
    audience: str = workspace_options.TOKEN_URL
    token_seconds: int = 3599
    ignores_fields: bool = False


class Simulator:
    """Serves a world, with the faults that are asked for. ``tokens`` holds the scopes of those that are good."""

    def __init__(
        self,
        world: workspace_world.World,
        settings: Settings,
        *,
        faults: simulation.Faults | None = None,
        clock: Callable[[], datetime] = simulation.utc_now,
    ) -> None:
        self.world = world
        self.settings = settings
        self.faults = faults or simulation.Faults()
        self.tokens: dict[str, tuple[set[str], float]] = {}
        self._clock = clock
        self._serial = itertools.count(1)

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware, _refusals])
        app.router.add_post("/token", self._token, name="token")
        app.router.add_get(
            "/admin/directory/v1/customer/{customer}/devices/chromeos", self._devices, name="devices"
        )
        app.router.add_get("/v1/customers/{customer}/telemetry/devices", self._telemetry, name="telemetry")
        return app

    def expire_tokens(self) -> None:
        """Every token given so far is refused from now on."""
        self.tokens.clear()

    async def _token(self, request: web.Request) -> web.Response:
        given = await request.post()
        if given.get("grant_type") != api.JWT_BEARER:
            return _sign_in_refused("unsupported_grant_type")
        claims = self._claims(str(given.get("assertion", "")), str(request.url))
        if claims is None or claims.get("sub") != self.settings.subject:
            return _sign_in_refused("invalid_grant")
        scopes = set(str(claims.get("scope", "")).split())
        if not scopes or not scopes <= set(self.settings.scopes):
            return _sign_in_refused("unauthorized_client", status=401)
        token = f"ya29.simulated-{next(self._serial)}"
        self.tokens[token] = (scopes, time.time() + self.settings.token_seconds)
        return simulation.answer(
            {"access_token": token, "expires_in": self.settings.token_seconds, "token_type": "Bearer"}
        )

    def _claims(self, assertion: str, url: str) -> Mapping[str, object] | None:
        try:
            claims: Mapping[str, object] = jwt.decode(
                assertion,
                self.settings.public_key,
                algorithms=["RS256"],
                audience=[self.settings.audience, url],
                issuer=self.settings.email,
                options={"require": ["iss", "aud", "iat", "exp", "scope"]},
                leeway=60,
            )
        except jwt.PyJWTError:
            return None
        return claims if float(str(claims["exp"])) - time.time() <= MOST_SECONDS_AHEAD else None

    async def _devices(self, request: web.Request) -> web.Response:
        query = request.query
        self._check(request, api.DEVICES_SCOPE, DEVICE_PARAMETERS)
        if query.get("orderBy", "status") not in ORDERS or ("sortOrder" in query and "orderBy" not in query):
            raise Refused(400, "invalid")
        projection = query.get("projection", "BASIC")
        if projection not in {"BASIC", "FULL"}:
            raise Refused(400, "invalid")
        found, after = _page(self._listed(query), query, size=_size(query, "maxResults", 300))
        known = workspace_world.BASIC_FIELDS if projection == "BASIC" else workspace_world.DEVICE_FIELDS
        body: dict[str, object] = {"kind": "admin#directory#chromeosdevices", "etag": '"simulated"'}
        if found:
            body["chromeosdevices"] = [
                {name: value for name, value in chromebook.row.items() if name in known}
                for chromebook in found
            ]
        return self._answer(body | after, query, LIST_FIELDS)

    def _listed(self, query: Mapping[str, str]) -> list[workspace_world.Chromebook]:
        unit = query.get("orgUnitPath")
        with_children = query.get("includeChildOrgunits", "false") == "true"
        if unit is None and with_children:
            raise Refused(400, "invalid")
        if unit is None:
            return self.world.all()
        return self.world.within(unit, with_children=with_children)

    async def _telemetry(self, request: web.Request) -> web.Response:
        query = request.query
        self._check(request, api.TELEMETRY_SCOPE, TELEMETRY_PARAMETERS)
        shown = _understood(selection.mask, query.get("readMask", ""))
        conditions = _understood(selection.conditions, query["filter"]) if query.get("filter") else []
        chosen = [known for known in self.world.all() if _fits(known, conditions)]
        found, after = _page(chosen, query, size=_size(query, "pageSize", 1000))
        since = _since(conditions, self._clock())
        rows = [
            {name: value for name, value in _telemetry_row(each, since).items() if name in shown}
            for each in found
        ]
        body: dict[str, object] = {"devices": rows} if rows else {}
        return self._answer(body | after, query, TELEMETRY_FIELDS)

    def _check(self, request: web.Request, scope: str, known: Iterable[str]) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        scopes, until = self.tokens.get(token, (set(), 0.0))
        if until <= time.time():
            raise Refused(401, "authError")
        if scope not in scopes:
            raise Refused(403, "insufficientPermissions")
        if not self.settings.has_privilege:
            raise Refused(403, "forbidden")
        if request.match_info["customer"] != "my_customer" or not set(request.query) <= set(known):
            raise Refused(400, "invalid")

    def _answer(self, body: Mapping[str, object], query: Mapping[str, str], known: set[str]) -> web.Response:
        if "fields" not in query or self.settings.ignores_fields:
            return simulation.answer(body)
        asked = _understood(selection.fields, query["fields"])
        devices = asked.get("chromeosdevices", {})
        if not set(asked) <= known or not set(devices) <= workspace_world.DEVICE_FIELDS:
            raise Refused(400, "invalidParameter")
        return simulation.answer(selection.picked(body, asked))


def throttled(reason: str = "userRateLimitExceeded") -> simulation.Fault:
    """Google's way of asking for a slower pace: 403."""

    async def fault(call: simulation.Call) -> web.StreamResponse:
        return _refusal(Refused(403, reason))

    return fault


@web.middleware
async def _refusals(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except Refused as refused:
        return _refusal(refused)


def _refusal(refused: Refused) -> web.Response:
    """Google's envelope. Its message may name a person, so here it does."""
    message = "Not for admin@district.example"
    return simulation.answer(
        {
            "error": {
                "code": refused.status,
                "message": message,
                "errors": [{"domain": "global", "reason": refused.reason, "message": message}],
            }
        },
        status=refused.status,
    )


def _sign_in_refused(error: str, status: int = 400) -> web.Response:
    return simulation.answer({"error": error, "error_description": "Not for this account"}, status=status)


def _understood(read: Callable[[str], Read], text: str) -> Read:
    try:
        return read(text)
    except selection.NotUnderstood:
        raise Refused(400, "invalidParameter") from None


def _size(query: Mapping[str, str], name: str, most: int) -> int:
    given = query.get(name, "100")
    if not given.isdecimal() or not 1 <= int(given) <= most:
        raise Refused(400, "invalid")
    return int(given)


def _page(
    listed: Sequence[workspace_world.Chromebook], query: Mapping[str, str], *, size: int
) -> tuple[Sequence[workspace_world.Chromebook], dict[str, str]]:
    """The devices after the one that the token names; a token is good for the same question only."""
    asked = sorted((name, value) for name, value in query.items() if name != "pageToken")
    after = _opened(query["pageToken"], asked) if "pageToken" in query else ""
    left = [chromebook for chromebook in listed if chromebook.key > after]
    if len(left) <= size:
        return left, {}
    return left[:size], {"nextPageToken": _sealed(left[size - 1].key, asked)}


def _sealed(key: str, asked: Sequence[tuple[str, str]]) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode([key, asked])).decode()


def _opened(token: str, asked: Sequence[tuple[str, str]]) -> str:
    try:
        key, given = msgspec.json.decode(
            base64.urlsafe_b64decode(token), type=tuple[str, list[tuple[str, str]]]
        )
    except (ValueError, msgspec.MsgspecError):
        raise Refused(400, "invalid") from None
    if given != list(asked):
        raise Refused(400, "invalid")
    return key


def _fits(chromebook: workspace_world.Chromebook, conditions: Sequence[selection.Condition]) -> bool:
    names = {"org_unit_id": "orgUnitId", "serial_number": "serialNumber", "device_id": "deviceId"}
    return all(
        chromebook.row.get(names[name]) == value
        for name, sign, value in conditions
        if name in names and sign == "="
    )


def _since(conditions: Sequence[selection.Condition], now: datetime) -> datetime:
    told = [
        _understood(selection.instant, value)
        for name, sign, value in conditions
        if (name, sign) == ("reports_timestamp", ">=")
    ]
    return max(told, default=now - RECENT)


def _telemetry_row(chromebook: workspace_world.Chromebook, since: datetime) -> workspace_world.Row:
    reports = [
        report for report in chromebook.reports if datetime.fromisoformat(report["reportTime"]) >= since
    ]
    row = {
        "name": f"customers/C01/telemetry/devices/{chromebook.key}",
        "customer": "customers/C01",
        "deviceId": chromebook.key,
        "serialNumber": chromebook.row.get("serialNumber"),
        "orgUnitId": chromebook.row.get("orgUnitId"),
    }
    return row | ({"networkStatusReport": reports} if reports else {})
