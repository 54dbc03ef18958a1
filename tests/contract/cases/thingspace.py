"""Verizon ThingSpace."""

import dataclasses
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import msgspec

from collectors.thingspace import answers, parse, simulator, world
from tests.contract import identities
from tests.contract.cases import INSTANT, PRIVATE, Case

CREDENTIALS = {
    "key": "simulated-key",
    "secret": "correct-horse-battery",
    "username": "simulated-user",
    "password": "staple-of-the-session",
}
SETTINGS = simulator.Settings(
    key=CREDENTIALS["key"],
    secret=CREDENTIALS["secret"],
    username=CREDENTIALS["username"],
    password=CREDENTIALS["password"],
    page_size=10,
)
FIRST_ID = 30_000_001
TODAY = datetime(2026, 11, 21, tzinfo=UTC)


class Stand(simulator.Simulator):
    def expire(self) -> None:
        self.expire_tokens()
        self.forget_sessions()

    def revoke(self) -> None:
        self.expire()
        self.settings = dataclasses.replace(SETTINGS, key="another")


def line(number: int, **fields: object) -> world.Line:
    """A line with a week of use, an evening's session, and a family's data all around its DeviceId."""
    given: dict[str, object] = {
        "device_id": FIRST_ID + number,
        "ids": (
            ("mdn", identities.mdn(number)),
            ("iccId" if number % 2 else "iccid", identities.iccid(number)),
            ("imei", identities.imei(number)),
        ),
        "connected": number % 2 == 0,
        "last_connection": "2026-11-20T18:30:00-05:00",
        "private": private(),
        "ip_address": PRIVATE["ip"],
        "activated_by": PRIVATE["email"],
        "group_name": PRIVATE["note"],
        "custom_field": PRIVATE["ssid"],
        "usage": tuple(world.Use(TODAY - timedelta(days=days), 1000 + days) for days in range(8)),
        "events": (
            world.Event(TODAY - timedelta(hours=3), "Start"),
            world.Event(TODAY - timedelta(hours=1), "Stop", 419_863_234),
        ),
    }
    return world.Line(**(given | fields))  # type: ignore[arg-type]


def private() -> dict[str, str]:
    """A family's name, address and telephone, as the vendor keeps them with the line."""
    first, last = PRIVATE["name"].split()
    place = "PrimaryPlaceOfUse"
    return {
        f"{place}Title": "",
        f"{place}FirstName": first,
        f"{place}LastName": last,
        f"{place}FullName": PRIVATE["name"],
        f"{place}AddressLine1": PRIVATE["address"],
        f"{place}AddressLine2": f"{PRIVATE['latitude']} {PRIVATE['longitude']}",
        f"{place}City": "Nowhere",
        f"{place}State": "OR",
        f"{place}ZipCode": "97001",
        f"{place}EmailAddress": PRIVATE["email"],
        f"{place}CBRPhone": "5035550100",
    }


def stand(numbers: range, *, page_size: int = SETTINGS.page_size) -> Stand:
    chosen = dataclasses.replace(SETTINGS, page_size=page_size)
    return Stand(world.StaticWorld(map(line, numbers)), lambda: INSTANT, settings=chosen)


def parsing(lines: int) -> tuple[bytes, Callable[[bytes], int]]:
    rows = [answers.device(line(number)) for number in range(lines)]
    body = msgspec.json.encode({"hasMoreData": False, "devices": rows})
    parser = parse.Parser()
    return body, lambda page: len(parser.devices(page, instant=INSTANT).sightings)


CASE = Case(
    collector="thingspace",
    folder="thingspace",
    options={"base_url": "https://thingspace.verizon.com/api", "account_name": "0000123456-00001"},
    credentials=CREDENTIALS,
    secrets=(CREDENTIALS["username"],),
    stand=stand,
    keys=lambda numbers: {str(FIRST_ID + number) for number in numbers},
    group="devices",
    endpoint="devices",
    rows=lambda body: body["devices"],
    status=("carrierInformations", 0, "state"),
    wrong=(("connected",), "perhaps"),
    optional=(
        ("carrierInformations",),
        ("connected",),
        ("lastConnectionDate",),
        ("billingCycleEndDate",),
        ("accountName",),
        ("groupNames",),
    ),
    vendor_sized=lambda numbers: (stand(numbers, page_size=2000), {}),
    parse=parsing,
)
