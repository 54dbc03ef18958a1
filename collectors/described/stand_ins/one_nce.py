"""A stand-in for 1NCE."""

import base64
from collections.abc import Mapping
from datetime import date
from typing import ClassVar

from aiohttp import web

from collectors import simulation
from collectors.described.stand_ins import common
from collectors.described.world import Line

MEGABYTE = 1_000_000


class OneNce(common.Simulator):
    """1NCE: pages by number, told in headers; a line's days as decimal text."""

    credentials: ClassVar[Mapping[str, str]] = {"username": "reader", "password": "correct-horse-battery"}
    prefix: ClassVar[str] = "/management-api"
    most: ClassVar[int] = 100

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(f"{self.prefix}/oauth/token", self._token, name="token")
        router.add_get(f"{self.prefix}/v1/sims", self._sims, name="lines")
        router.add_get(f"{self.prefix}/v1/sims/{{key}}/usage", self._usage, name="usage")

    def key(self, line: Line) -> str:
        return line.iccid[:-1]

    def row(self, line: Line) -> common.Row:
        return {
            "iccid": line.iccid[:-1],
            "iccid_with_luhn": line.iccid,
            "imsi": "901405100000018",
            "msisdn": line.msisdn,
            "imei": line.imei,
            "status": line.status,
            "activation_date": "2026-08-09T07:59:09.000+0000",
            "ip_address": line.text("ip"),
            "current_quota": 500,
            "quota_status": {"id": 0, "description": "More than 20% available"},
            "label": line.text("name"),
        }

    async def _token(self, request: web.Request) -> web.Response:
        pair = f"{self.credentials['username']}:{self.credentials['password']}"
        expected = f"Basic {base64.b64encode(pair.encode()).decode()}"
        is_good = request.headers.get("Authorization") == expected and not self.is_revoked
        if not is_good or await common.read_json(request) != {"grant_type": "client_credentials"}:
            return self._refused(401, "Unauthorized")
        given = {"access_token": self.new_token(), "token_type": "bearer", "expires_in": common.TOKEN_SECONDS}
        return simulation.answer({"status_code": 200, **given})

    async def _sims(self, request: web.Request) -> web.Response:
        if not self.is_signed_in(request):
            return self._refused(401, "Unauthorized")
        asked = common.numbers(request.query, {"page": 1, "pageSize": 10})
        if asked is None or asked[1] > self.most:
            return self._refused(400, "Bad Request")
        return common.numbered([self.row(line) for line in self.lines], *asked)

    async def _usage(self, request: web.Request) -> web.Response:
        if not self.is_signed_in(request):
            return self._refused(401, "Unauthorized")
        line = self.line(request.match_info["key"])
        window = common.dates(request.query, "start_dt", "end_dt")
        if line is None or window is None:
            return self._refused(404 if line is None else 400, "Not Found" if line is None else "Bad Request")
        return simulation.answer(
            {"stats": [self._day(on, used) for on, used in common.within(line, *window)]}
        )

    def _day(self, on: date, used: int) -> common.Row:
        unit = {"id": 5, "description": "Data", "unit": "MB"}
        volume = {"volume": megabytes(used), "volume_tx": megabytes(used), "volume_rx": megabytes(0)}
        sms = {"volume": "0", "traffic_type": {"id": 6, "description": "MT-SMS", "unit": "SMS"}}
        return {"date": f"{on}T00:00:00.000Z", "data": {**volume, "traffic_type": unit}, "sms": sms}

    def _refused(self, status: int, message: str) -> web.Response:
        return simulation.answer(
            {"statusCode": status, "errorCode": status, "message": message}, status=status
        )


def megabytes(used: int) -> str:
    return f"{used // MEGABYTE}.{used % MEGABYTE:06d}"
