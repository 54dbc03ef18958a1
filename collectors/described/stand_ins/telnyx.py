"""A stand-in for Telnyx."""

import math
from collections.abc import Mapping
from typing import ClassVar

from aiohttp import web

from collectors import simulation
from collectors.described.stand_ins import common
from collectors.described.world import Line


class Telnyx(common.Simulator):
    """Telnyx: a lasting key, pages by number told in the body, use and limit of the billing period."""

    credentials: ClassVar[Mapping[str, str]] = {"api_key": "KEY0123456789abcdef_correct_horse"}
    prefix: ClassVar[str] = "/v2"
    tells_total: bool = True

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get(f"{self.prefix}/sim_cards", self._sim_cards, name="lines")

    def key(self, line: Line) -> str:
        return f"6a09cdc3-8948-47f0-aa62-{line.number:012d}"

    def row(self, line: Line) -> common.Row:
        amount, unit = line.cycle_used
        sessions = {True: "connected", False: "disconnected", None: "unknown"}
        return {
            "record_type": "sim_card",
            "id": self.key(line),
            "iccid": line.iccid,
            "imsi": "311210000000001",
            "msisdn": line.msisdn,
            "eid": None,
            "type": "physical",
            "status": {"value": line.status, "reason": line.text("note")},
            "live_data_session": sessions[line.is_online],
            "current_imei": line.imei,
            "current_mcc": "311",
            "current_mnc": "210",
            "current_billing_period_consumed_data": {"amount": amount, "unit": unit},
            "data_limit": line.data_limit and {"amount": line.data_limit[0], "unit": line.data_limit[1]},
            "tags": [line.text("name"), line.text("email")],
            "sim_card_group_id": "47a1c2b0-cc7b-4ab1-bb98-b33fb0fc61b9",
            "current_device_location": {
                "latitude": line.text("latitude"),
                "longitude": line.text("longitude"),
                "accuracy": 12,
                "accuracy_unit": "m",
            },
            "ipv4": line.text("ip"),
            "created_at": "2026-08-02T22:25:27.521Z",
            "updated_at": "2026-11-02T22:25:27.521Z",
        }

    async def _sim_cards(self, request: web.Request) -> web.Response:
        expected = f"Bearer {self.credentials['api_key']}"
        if request.headers.get("Authorization") != expected or self.is_revoked:
            return self._refused(401, "Authentication failed")
        if "include_pin_puk_codes" in request.query:
            return self._refused(400, "The collector must not ask for codes")
        asked = common.numbers(request.query, {"page[number]": 1, "page[size]": 20})
        if asked is None:
            return self._refused(400, "Invalid parameter")
        number, size = asked
        rows = [self.row(line) for line in self.lines]
        found = rows[(number - 1) * size : number * size]
        meta = {"page_number": number, "page_size": len(found), "total_pages": math.ceil(len(rows) / size)}
        if self.tells_total:
            meta["total_results"] = len(rows)
        return simulation.answer({"data": found, "meta": meta})

    def _refused(self, status: int, title: str) -> web.Response:
        return simulation.answer(
            {"errors": [{"code": "10009", "title": title, "detail": title}]}, status=status
        )
