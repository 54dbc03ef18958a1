"""A stand-in for Soracom."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import ClassVar

from aiohttp import web

from collectors import simulation
from collectors.described.stand_ins import common
from collectors.described.world import Line


class Soracom(common.Simulator):
    """Soracom: two tokens, pages by key, sessions in the list, a line's days by speed class.

    ``shortened``: so many rows a page are held back for the next one. ``ends_with_key``: the last page names a
    next one, which is empty.
    """

    credentials: ClassVar[Mapping[str, str]] = {
        "auth_key_id": "keyId-simulated",
        "auth_key": "secret-correct-horse-battery",
    }
    prefix: ClassVar[str] = "/v1"
    most: ClassVar[int] = 100
    longest: ClassVar[int] = 172_800
    api_key: ClassVar[str] = "api-0123456789"
    shortened: int = 0
    ends_with_key: bool = False

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post(f"{self.prefix}/auth", self._auth, name="token")
        router.add_get(f"{self.prefix}/sims", self._sims, name="lines")
        router.add_get(f"{self.prefix}/stats/air/sims/{{key}}", self._stats, name="usage")

    def key(self, line: Line) -> str:
        return line.iccid

    def row(self, line: Line) -> common.Row:
        profile = {
            "iccid": line.iccid,
            "primaryImsi": "440103000000001",
            "subscribers": {"440103000000001": {"imsi": "440103000000001", "msisdn": line.msisdn}},
        }
        return {
            "simId": self.key(line),
            "status": line.status,
            "sessionStatus": {
                "online": line.is_online,
                "lastUpdatedAt": line.changed_at_ms,
                "imei": line.imei,
                "imsi": "440103000000001",
                "ueIpAddress": line.text("ip"),
            },
            "previousSession": {"createdTime": 1_760_000_000_000, "deletedTime": 1_760_000_600_000},
            "lastLocationUpdateTime": 1_760_000_000_000,
            "speedClass": "s1.fast",
            "groupId": "b1d5b6a8-0000-4000-8000-000000000001",
            "tags": {"name": line.text("name"), "note": line.text("note")},
            "profiles": {line.iccid: profile},
        }

    def is_signed_in(self, request: web.Request) -> bool:
        given = request.headers
        return given.get("X-Soracom-API-Key") == self.api_key and given.get("X-Soracom-Token") in self.tokens

    async def _auth(self, request: web.Request) -> web.Response:
        given = await common.read_json(request)
        seconds = given.get("tokenTimeoutSeconds", 86_400)
        expected = (self.credentials["auth_key_id"], self.credentials["auth_key"])
        if (given.get("authKeyId"), given.get("authKey")) != expected or self.is_revoked:
            return self._refused(401, "AUM0004")
        if not isinstance(seconds, int) or not 0 < seconds <= self.longest:
            return self._refused(400, "AUM0001")
        signed_in = {"apiKey": self.api_key, "token": self.new_token(), "operatorId": "OP0099999999"}
        return simulation.answer(signed_in)

    async def _sims(self, request: web.Request) -> web.Response:
        if not self.is_signed_in(request):
            return self._refused(401, "AUM0003")
        asked = common.numbers(request.query, {"limit": 10})
        if asked is None or asked[0] > self.most:
            return self._refused(400, "COM0001")
        after = request.query.get("last_evaluated_key", "")
        rest = sorted((line for line in self.lines if self.key(line) > after), key=self.key)
        found = rest[: max(1, asked[0] - self.shortened)]
        goes_on = len(rest) > len(found) or (self.ends_with_key and bool(found))
        headers = {"x-soracom-next-key": self.key(found[-1])} if goes_on else {}
        return simulation.answer([self.row(line) for line in found], headers=headers)

    async def _stats(self, request: web.Request) -> web.Response:
        if not self.is_signed_in(request):
            return self._refused(401, "AUM0003")
        line = self.line(request.match_info["key"])
        window = common.numbers(request.query, {"from": 0, "to": 0})
        if line is None or window is None or request.query.get("period") != "day":
            return self._refused(404 if line is None else 400, "SEM0001")
        days = common.within(line, *(datetime.fromtimestamp(second, UTC).date() for second in window))
        return simulation.answer([self._day(on, used) for on, used in days])

    def _day(self, on: date, used: int) -> common.Row:
        starts_at = datetime(on.year, on.month, on.day, tzinfo=UTC)
        slow = used // 4
        traffic = {"s1.slow": _traffic(slow // 2, slow - slow // 2), "s1.fast": _traffic(0, used - slow)}
        return {
            "date": f"{on:%Y%m%d}",
            "unixtime": int(starts_at.timestamp()),
            "dataTrafficStatsMap": traffic,
        }

    def _refused(self, status: int, code: str) -> web.Response:
        error = {"code": code, "message": "refused"}
        return simulation.answer({"httpStatus": status, "errorMessage": error}, status=status)


def _traffic(up: int, down: int) -> common.Row:
    return {
        "uploadByteSizeTotal": up,
        "downloadByteSizeTotal": down,
        "uploadPacketSizeTotal": up // 1000,
        "downloadPacketSizeTotal": down // 1000,
    }
