"""A stand-in for emnify."""

from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from aiohttp import web

from collectors import simulation
from collectors.described.stand_ins import common
from collectors.described.world import Line

MEGABYTE = 1_000_000


class Emnify(common.Simulator):
    """emnify: endpoints by number of page, told in headers; a line's days in megabytes."""

    credentials: ClassVar[Mapping[str, str]] = {"application_token": "eyJhbGciOiJub25lIn0.e30.application"}
    most: ClassVar[int] = 1000
    statuses: ClassVar[Mapping[str, int]] = {"Enabled": 0, "Disabled": 1, "Deleted": 2}

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/api/v1/authenticate", self._token, name="token")
        router.add_get("/api/v1/endpoint", self._endpoints, name="lines")
        router.add_get("/api/v1/endpoint/{key}/stats/daily", self._stats, name="usage")

    def key(self, line: Line) -> str:
        return str(1_450_000 + line.number)

    def row(self, line: Line) -> common.Row:
        sim = {"id": 22_000_000 + line.number, "iccid": line.iccid[:-1], "iccid_with_luhn": line.iccid}
        return {
            "id": int(self.key(line)),
            "name": line.text("name"),
            "tags": line.text("note"),
            "imei": line.imei and line.imei[:14],
            "imei_with_luhn": line.imei,
            "ip_address": line.text("ip"),
            "status": {"id": self.statuses.get(line.status, 9), "description": line.status},
            "sim": {**sim, "msisdn": line.msisdn, "status": {"id": 1, "description": "Activated"}},
            "runtime_data": {"operator": line.text("address")},
        }

    async def _token(self, request: web.Request) -> web.Response:
        if await common.read_json(request) != dict(self.credentials) or self.is_revoked:
            return self._refused(401, "InvalidCredentials")
        return simulation.answer({"auth_token": self.new_token()})

    async def _endpoints(self, request: web.Request) -> web.Response:
        if not self.is_signed_in(request):
            return self._refused(401, "InvalidToken")
        asked = common.numbers(request.query, {"page": 1, "per_page": 1000})
        if asked is None or asked[1] > self.most:
            return self._refused(400, "InvalidQuery")
        return common.numbered([self.row(line) for line in self.lines], *asked)

    async def _stats(self, request: web.Request) -> web.Response:
        if not self.is_signed_in(request):
            return self._refused(401, "InvalidToken")
        line = self.line(request.match_info["key"])
        window = common.dates(request.query, "start_date", "end_date")
        if line is None or window is None:
            return self._refused(404 if line is None else 400, "NotFound" if line is None else "InvalidQuery")
        return simulation.answer([self._day(on, used) for on, used in common.within(line, *window)])

    def _day(self, on: date, used: int) -> common.Row:
        volume = {"volume": used / MEGABYTE, "volume_tx": used / MEGABYTE, "volume_rx": 0.0}
        return {"date": str(on), "data": volume, "sms": {"volume": 0.0, "volume_tx": 0.0, "volume_rx": 0.0}}

    def _refused(self, status: int, token: str) -> web.Response:
        return simulation.answer(
            {"error_code": status, "error_token": token, "message": token}, status=status
        )
