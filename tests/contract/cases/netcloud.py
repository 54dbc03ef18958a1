"""Ericsson Cradlepoint NetCloud Manager."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from collectors.netcloud import api, options, parse, simulator, world
from tests.contract import identities
from tests.contract.cases import INSTANT, PRIVATE, Case

CREDENTIALS = {
    "cp_api_id": "simulated-cp-id",
    "cp_api_key": "simulated-cp-secret",
    "ecm_api_id": "simulated-ecm-id",
    "ecm_api_key": "simulated-ecm-secret",
}
KEYS = {header: CREDENTIALS[name] for header, name in api.HEADERS.items()}
SHARD = "https://www.us0.cradlepointecm.com"  # the host that the vendor's answers name
SETTINGS = simulator.Settings(keys=KEYS, host=SHARD)
WENT_OFFLINE = datetime(2026, 11, 20, 7, 41, 51, 237597, tzinfo=UTC)
ROUTER_FREE = {
    "name": PRIVATE["name"],
    "description": PRIVATE["note"],
    "asset_id": PRIVATE["note"],
    "custom1": PRIVATE["email"],
    "custom2": PRIVATE["address"],
    "ipv4_address": PRIVATE["ip"],
    "locality": PRIVATE["address"],
}
MODEM_FREE = {
    "name": PRIVATE["name"],
    "hostname": PRIVATE["name"],
    "ssid": PRIVATE["ssid"],
    "ipv4_address": PRIVATE["ip"],
    "gateway": PRIVATE["ip"],
    "summary": PRIVATE["note"],
}
METRICS_FREE = {"cell_id": PRIVATE["address"], "tac": PRIVATE["latitude"], "lac": PRIVATE["longitude"]}


class Stand(simulator.Simulator):
    def expire(self) -> None:
        """No token, nothing to expire."""

    def revoke(self) -> None:
        self.settings = dataclasses.replace(self.settings, keys=KEYS | {"X-ECM-API-KEY": "another"})


def key(number: int) -> str:
    return str(1_962_784 + number)


def router(number: int, **given: Any) -> world.Router:
    fields: dict[str, Any] = {
        "id": str(371_193 + number),
        "serial_number": identities.serial(number),
        "state_updated_at": WENT_OFFLINE,
        "group_id": "17045",
        "free": ROUTER_FREE,
    }
    return world.Router(**(fields | given))


def modem(number: int, **given: Any) -> world.Modem:
    fields: dict[str, Any] = {
        "id": key(number),
        "iccid": identities.iccid(number),
        "imei": identities.imei(number),
        "mdn": identities.mdn(number),
        "updated_at": INSTANT,
        "free": MODEM_FREE,
    }
    made = fields | given
    return world.Modem(**({"router": router(number)} | made))


def metrics(number: int, **given: Any) -> world.Metrics:
    fields: dict[str, Any] = {
        "net_device": key(number),
        "update_ts": INSTANT - timedelta(minutes=20),
        "rsrp": -95.0,
        "rsrq": -11.0,
        "sinr": 7.4,
        "free": METRICS_FREE,
    }
    return world.Metrics(**(fields | given))


def sample(number: int, *, hours_ago: float = 1.0, **given: Any) -> world.UsageSample:
    fields: dict[str, Any] = {
        "net_device": key(number),
        "created_at": INSTANT - timedelta(hours=hours_ago),
        "key": f"83d52c38-61a7-11f1-a2f3-{number:06d}{round(hours_ago * 60):06d}",
        "bytes_in": 1_000,
        "bytes_out": 24_000,
    }
    return world.UsageSample(**(fields | given))


def stand(numbers: range) -> Stand:
    """Modems of as many routers, and a wired port that is no modem."""
    wired = modem(900_000, iccid=None, imei=None, is_asset=False)
    made = world.World(
        modems=[*map(modem, numbers), wired],
        metrics=list(map(metrics, numbers)),
        usage=[sample(number, hours_ago=hours) for number in numbers for hours in (1, 2, 3)],
        states=[],
    )
    return Stand(made, settings=SETTINGS)


def parsing(lines: int) -> tuple[bytes, Callable[[bytes], int]]:
    names = ("id", "router", "iccid", "imei", "mdn")
    rows = [world.modem_row(modem(number), SHARD, is_expanded=True) for number in range(lines)]
    data = [{name: row[name] for name in names} for row in rows]
    body = msgspec.json.encode({"data": data, "meta": {"limit": lines, "next": None, "offset": 0}})
    parser = parse.Parser(msgspec.convert(OPTIONS, options.Options))
    return body, lambda page: len(parser.modems(page, instant=INSTANT).sightings)


OPTIONS: dict[str, object] = {
    "base_url": "https://www.cradlepointecm.com",
    "device_kind": "fixed_router",
    "page_size": 10,
}

CASE = Case(
    collector="netcloud",
    folder="netcloud",
    options=OPTIONS,
    credentials=CREDENTIALS,
    stand=stand,
    keys=lambda numbers: set(map(key, numbers)),
    group="modems",
    endpoint=api.NET_DEVICES,
    rows=lambda body: body["data"],
    status=None,
    wrong=(("imei",), ["a list"]),
    optional=(
        ("iccid",),
        ("mdn",),
        ("router", "group"),
        ("router", "serial_number"),
        ("router", "state"),
        ("router", "state_updated_at"),
    ),
    suffix=api.SUFFIX,
    has_tokens=False,
    vendor_sized=lambda numbers: (stand(numbers), {"page_size": 500}),
    parse=parsing,
)
