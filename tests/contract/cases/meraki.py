"""Cisco Meraki Dashboard."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec

from collectors.meraki import options, parse, rows, simulator, world
from tests.contract import identities
from tests.contract.cases import INSTANT, PRIVATE, Case

ORGANIZATION = "549236"
API_KEY = "simulated-meraki-key"
CREDENTIALS = {"api_key": API_KEY}
SETTINGS = simulator.Settings(
    organization=ORGANIZATION, api_key=API_KEY, base_url="https://api.meraki.com/api/v1"
)
OPTIONS: dict[str, object] = {
    "organization_id": ORGANIZATION,
    "device_kind": "fixed_router",
    "page_size": 10,
}


class Stand(simulator.Simulator):
    def expire(self) -> None:
        """A key does not expire."""

    def revoke(self) -> None:
        self.settings = dataclasses.replace(self.settings, api_key="another")


def serial(number: int) -> str:
    return f"Q2{number // 10_000:02d}-{number // 100 % 100:04d}-{number % 100:04d}"


def key(number: int) -> str:
    return f"{serial(number)}:sim1"


def gateway(number: int, **given: Any) -> world.Gateway:
    """A gateway with one SIM, in its first slot."""
    came_online = INSTANT - timedelta(hours=10)
    fields: dict[str, Any] = {
        "serial": serial(number),
        "network_id": "N_100",
        "imei": identities.imei(number),
        "uplinks": [world.uplink(identities.iccid(number), PRIVATE, msisdn=identities.mdn(number))],
        "slots": [world.Slot("sim1", 1_000_000 + number, limit=20_000_000_000)],
        "changes": [(came_online, "offline", "online")],
        "private": PRIVATE,
    }
    return world.Gateway(**(fields | given))


def stand_of(gateways: list[world.Gateway], *students: world.Student, **settings: Any) -> Stand:
    made = world.World(gateways, list(students))
    return Stand(made, lambda: INSTANT, settings=dataclasses.replace(SETTINGS, absent=set(), **settings))


def stand(numbers: range) -> Stand:
    """Gateways of the district, and a switch that is none of them."""
    switch = gateway(990_000, product="switch", uplinks=[], slots=[])
    return stand_of([*map(gateway, numbers), switch])


def parsing(lines: int) -> tuple[bytes, Callable[[bytes], int]]:
    """A page of the list, joined with what the other lists told of its gateways."""
    numbers = range(lines)
    body = msgspec.json.encode([gateway(number).uplink_row() for number in numbers])
    parser = parse.Parser(msgspec.convert(OPTIONS, options.Options))
    facts = parse.Facts(
        {serial(number): [rows.Slot("sim1", True, "1000000")] for number in numbers},
        {serial(number): "online" for number in numbers},
        {serial(number): identities.imei(number) for number in numbers},
    )
    return body, lambda page: len(
        parser.gateways(rows.GATEWAYS.read(page).rows, facts, instant=INSTANT).sightings
    )


CASE = Case(
    collector="meraki",
    folder="meraki",
    options=OPTIONS,
    credentials=CREDENTIALS,
    stand=stand,
    keys=lambda numbers: set(map(key, numbers)),
    group="gateways",
    endpoint="uplinks",
    rows=lambda body: body,
    status=None,
    wrong=(("uplinks",), "a lot"),
    optional=(
        ("networkId",),
        ("lastReportedAt",),
        ("uplinks", 0, "interface"),
        ("uplinks", 0, "iccid"),
        ("uplinks", 0, "msisdn"),
        ("uplinks", 0, "signalStat"),
    ),
    suffix=".meraki.com",
    has_tokens=False,
    vendor_sized=lambda numbers: (stand(numbers), {**OPTIONS, "page_size": 100}),
    parse=parsing,
)
