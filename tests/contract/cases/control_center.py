"""Cisco IoT Control Center."""

import dataclasses
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import msgspec

from collectors.control_center import parse, simulator
from tests.contract import identities
from tests.contract.cases import INSTANT, PRIVATE, Case

USERNAME = "district-reader"
API_KEY = "0f1e2d3c-correct-horse-battery"


class Stand(simulator.Simulator):
    def expire(self) -> None:
        """An API key has no end."""

    def revoke(self) -> None:
        self.settings = dataclasses.replace(self.settings, api_key="another")


def device(number: int, **fields: Any) -> simulator.Device:
    """A SIM that used its number in megabytes, in a session since an hour."""
    given: dict[str, Any] = {
        "iccid": identities.iccid(number),
        "modified_at": INSTANT - timedelta(days=200) + timedelta(minutes=number),
        "msisdn": identities.mdn(number).removeprefix("+"),
        "imei": identities.imei(number),
        "rate_plan": PRIVATE["note"],
        "communication_plan": PRIVATE["name"],
        "data_bytes": number * 1_000_000,
        "session_count": 3,
        "started_at": INSTANT - timedelta(hours=1),
        "ip_address": PRIVATE["ip"],
        "ipv6_address": PRIVATE["address"],
        "apn": PRIVATE["ssid"],
    }
    return simulator.Device(**(given | fields))


def account(
    devices: Iterable[simulator.Device], clock: Callable[[], datetime] = lambda: INSTANT, **settings: Any
) -> Stand:
    chosen = simulator.Settings(username=USERNAME, api_key=API_KEY, **settings)
    return Stand(devices, clock, settings=chosen)


def stand(numbers: range) -> Stand:
    return account(map(device, numbers))


def parsing(lines: int) -> tuple[bytes, Callable[[bytes], int]]:
    row = {"status": "ACTIVATED", "ratePlan": PRIVATE["note"], "communicationPlan": PRIVATE["name"]}
    rows = [{"iccid": identities.iccid(number), **row} for number in range(lines)]
    body = msgspec.json.encode({"pageNumber": 1, "devices": rows, "lastPage": True})
    parser = parse.Parser({})
    return body, lambda page: len(parser.lines(parser.listed(page).rows, INSTANT).sightings)


CASE = Case(
    collector="control_center",
    folder="control_center",
    options={"base_url": "https://restapi19.att.com", "page_size": 10},
    credentials={"username": USERNAME, "api_key": API_KEY},
    stand=stand,
    keys=lambda numbers: {identities.iccid(number) for number in numbers},
    group="devices",
    endpoint="devices",
    rows=lambda body: body["devices"],
    status=("status",),
    wrong=(("status",), 40017),
    optional=(("status",), ("ratePlan",), ("communicationPlan",)),
    has_tokens=False,
    throttled=simulator.refused(400, simulator.TOO_MANY),
    vendor_sized=lambda numbers: (stand(numbers), {"page_size": 50}),
    parse=parsing,
)
