"""A stand-in for Control Center over HTTP: search of devices, usage of the cycle, last session."""

import asyncio
import base64
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
from aiohttp import web
from aiohttp.typedefs import Handler

from collectors import simulation

BASE_PATH = "/rws/api/v1"
MOST_ROWS = 50
DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(Z|[+-]\d\d:\d\d)")

INVALID_CREDENTIALS = "10000001"  # the one code that is known; the others only have its form
BAD_PARAMETER, NO_SUCH_DEVICE, NO_SUCH_ACCOUNT, TOO_MANY = "10000003", "10000021", "10000024", "40000029"


class Device(msgspec.Struct, kw_only=True):
    """A SIM and what the vendor knows of it. ``modified_at`` moves with its record, not with its traffic."""

    iccid: str
    modified_at: datetime
    status: str = "ACTIVATED"
    imsi: str = "310410000000001"
    msisdn: str = ""
    imei: str = ""
    rate_plan: str = "Education 50GB"
    communication_plan: str = "LTE data only"
    data_bytes: int = 0
    sms: int = 0
    voice_seconds: int = 0
    session_count: int = 0
    is_over_limit: bool = False
    override: str = "DEFAULT"
    started_at: datetime | None = None
    ended_at: datetime | None = None
    ip_address: str | None = None
    ipv6_address: str | None = None
    apn: str | None = None


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The credentials that are good, and what the documentation leaves open."""

    username: str = "simulated-user"
    api_key: str = "simulated-key"
    account_id: str = "100020003"
    oldest_days: int | None = None  # how old a modifiedSince may be
    seconds: float = 0.0  # that an answer takes


class Simulator:
    """Serves ``devices`` as they are. ``busiest`` is how many requests were under way at once."""

    def __init__(
        self,
        devices: Iterable[Device],
        clock: Callable[[], datetime] = simulation.utc_now,
        *,
        settings: Settings | None = None,
    ) -> None:
        self.devices = list(devices)
        self.settings = settings or Settings()
        self.faults = simulation.Faults()
        self.busiest = 0
        self._under_way = 0
        self._clock = clock

    def app(self) -> web.Application:
        app = web.Application(middlewares=[self.faults.middleware, self._attend])
        app.router.add_get(f"{BASE_PATH}/devices", self._devices, name="devices")
        app.router.add_get(f"{BASE_PATH}/devices/{{iccid}}/ctdUsages", self._usage, name="usage")
        app.router.add_get(f"{BASE_PATH}/devices/{{iccid}}/sessionInfo", self._session, name="sessions")
        return app

    def change(self, device: Device, **fields: object) -> None:
        """Change a device's record: it goes to the end of the list."""
        for name, value in fields.items():
            setattr(device, name, value)
        device.modified_at = max(other.modified_at for other in self.devices) + timedelta(seconds=1)

    @web.middleware
    async def _attend(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        self._under_way += 1
        self.busiest = max(self.busiest, self._under_way)
        try:
            await asyncio.sleep(self.settings.seconds)
            return self._unauthorized(request) or await handler(request)
        finally:
            self._under_way -= 1

    async def _devices(self, request: web.Request) -> web.Response:
        query = request.query
        size, number = query.get("pageSize", str(MOST_ROWS)), query.get("pageNumber", "1")
        since = self._since(query.get("modifiedSince", ""))
        if not (_is_in(size, MOST_ROWS) and _is_in(number, 10**6)) or since is None:
            return refusal(400, "A parameter is missing or has a wrong value", BAD_PARAMETER)
        if query.get("accountId", self.settings.account_id) != self.settings.account_id:
            return refusal(404, "The account was not found", NO_SUCH_ACCOUNT)
        found = self._changed(since, query.get("status"))
        start, end = (int(number) - 1) * int(size), int(number) * int(size)
        rows = [_row(device) for device in found[start:end]]
        return simulation.answer({"pageNumber": int(number), "devices": rows, "lastPage": end >= len(found)})

    def _since(self, text: str) -> datetime | None:
        """None: not a date as documented (an unencoded + comes as a space), or one that is too old."""
        if not DATE.fullmatch(text):
            return None
        since, days = datetime.fromisoformat(text), self.settings.oldest_days
        is_too_old = days is not None and since < self._clock() - timedelta(days=days)
        return None if is_too_old else since

    def _changed(self, since: datetime, status: str | None) -> list[Device]:
        found = [
            device
            for device in self.devices
            if device.modified_at >= since and status in (None, device.status)
        ]
        return sorted(found, key=lambda device: device.modified_at)

    async def _usage(self, request: web.Request) -> web.Response:
        return self._of_device(request, _usage)

    async def _session(self, request: web.Request) -> web.Response:
        return self._of_device(request, _session)

    def _of_device(self, request: web.Request, told: Callable[[Device], dict[str, Any]]) -> web.Response:
        iccid = request.match_info["iccid"]
        for device in self.devices:
            if device.iccid == iccid:
                return simulation.answer(_partial(told(device), request.query))
        return refusal(404, "The device was not found", NO_SUCH_DEVICE)

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        given = request.headers.get("Authorization")
        if given is None:
            return refusal(401, "Full authentication is required to access this resource")
        pair = f"{self.settings.username}:{self.settings.api_key}"
        is_good = given == f"Basic {base64.b64encode(pair.encode()).decode()}"
        return None if is_good else refusal(401, "Invalid credentials", INVALID_CREDENTIALS)


def refusal(status: int, message: str, code: str | None = None) -> web.Response:
    """An error as the vendor writes it: not in UTF-8, and with no code where no credentials came."""
    told = {"errorMessage": message} if code is None else {"errorMessage": message, "errorCode": code}
    body = msgspec.json.encode(told).decode().encode("iso-8859-1")
    headers = {"Content-Type": "application/json;charset=ISO-8859-1"}
    if status == web.HTTPUnauthorized.status_code:
        headers["WWW-Authenticate"] = 'Basic realm="Jasper"'
    return web.Response(status=status, body=body, headers=headers)


def refused(status: int, code: str | None = None, message: str = "Refus\u00e9") -> simulation.Fault:
    async def fault(call: simulation.Call) -> web.StreamResponse:
        return refusal(status, message, code)

    return fault


def _row(device: Device) -> dict[str, Any]:
    return {
        "iccid": device.iccid,
        "status": device.status,
        "ratePlan": device.rate_plan,
        "communicationPlan": device.communication_plan,
    }


def _usage(device: Device) -> dict[str, Any]:
    return {
        "iccid": device.iccid,
        "imsi": device.imsi,
        "msisdn": device.msisdn,
        "imei": device.imei,
        "status": device.status,
        "ratePlan": device.rate_plan,
        "communicationPlan": device.communication_plan,
        "ctdDataUsage": device.data_bytes,
        "ctdSMSUsage": device.sms,
        "ctdVoiceUsage": device.voice_seconds,
        "ctdSessionCount": device.session_count,
        "overageLimitReached": device.is_over_limit,
        "overageLimitOverride": device.override,
    }


def _session(device: Device) -> dict[str, Any]:
    return {
        "iccid": device.iccid,
        "ipAddress": device.ip_address or "null",  # the word, as in the vendor's own example
        "ipv6Address": device.ipv6_address,
        "dateSessionStarted": device.started_at and written(device.started_at),
        "dateSessionEnded": device.ended_at and written(device.ended_at),
        "apn": device.apn,
    }


def written(at: datetime) -> str:
    """A date as answers write it: 2016-06-29 00:21:33.339+0000."""
    utc = at.astimezone(UTC)
    return f"{utc:%Y-%m-%d %H:%M:%S}.{utc.microsecond // 1000:03d}+0000"


def _partial(told: dict[str, Any], query: Mapping[str, str]) -> dict[str, Any]:
    wanted = query.get("fields", ",".join(told)).split(",")
    return {name: value for name, value in told.items() if name in wanted}


def _is_in(text: str, most: int) -> bool:
    return text.isascii() and text.isdecimal() and 1 <= int(text) <= most
