"""Google Workspace: Chromebooks, and their telemetry."""

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from collectors.google_workspace import options, parse, simulator, world
from tests.contract import identities
from tests.contract.cases import INSTANT, PRIVATE, Case

EMAIL = "reader@simulated.iam.gserviceaccount.com"
SUBJECT = "admin@district.example"
UNIT_ID = "03ph8a2z1abcdef"
SCHOOL = "198.51.100.17"
HOME = PRIVATE["ip"]
OPTIONS = {"subject": SUBJECT, "school_networks": ["198.51.100.0/24", "2001:db8:100::/40"]}


@functools.cache
def private_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def pem(key: Any = None) -> str:
    encoded: bytes = (key or private_key()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return encoded.decode()


def key_file(**changes: object) -> str:
    """A key file as Google Cloud gives it; ``...`` takes a field away."""
    fields = {
        "type": "service_account",
        "project_id": "simulated",
        "private_key_id": "0123456789abcdef",
        "private_key": pem(),
        "client_email": EMAIL,
        "client_id": "100000000000000000001",
        "token_uri": "https://oauth2.googleapis.com/token",
    } | changes
    return msgspec.json.encode({name: value for name, value in fields.items() if value is not ...}).decode()


def key(number: int) -> str:
    return f"{number:08x}-0000-4000-8000-000000000000"


def chromebook(number: int, **row: Any) -> world.Chromebook:
    """A device with a private word wherever a person could have written one; ``...`` takes a field away."""
    last_sync = INSTANT - timedelta(hours=number % 48, minutes=5)
    fields: dict[str, Any] = {
        "kind": "admin#directory#chromeosdevice",
        "deviceId": key(number),
        "serialNumber": identities.serial(number),
        "status": "ACTIVE",
        "lastSync": f"{last_sync:%Y-%m-%dT%H:%M:%S}.123Z",
        "annotatedUser": PRIVATE["name"],
        "annotatedLocation": PRIVATE["address"],
        "annotatedAssetId": PRIVATE["note"],
        "notes": f"{PRIVATE['note']} {PRIVATE['latitude']} {PRIVATE['longitude']}",
        "recentUsers": [{"type": "USER_TYPE_MANAGED", "email": PRIVATE["email"]}],
        "orgUnitPath": f"/Students/{PRIVATE['name']}",
        "orgUnitId": UNIT_ID,
        "macAddress": "00005e005301",
        "meid": identities.imei(number),
        "activeTimeRanges": [
            {"date": f"{INSTANT - timedelta(days=day):%Y-%m-%d}", "activeTime": 1000 * (3600 + day)}
            for day in range(15)
        ],
        "lastKnownNetwork": [{"ipAddress": "10.20.30.40", "wanIpAddress": HOME if number % 2 else SCHOOL}],
    } | row
    return world.Chromebook({name: value for name, value in fields.items() if value is not ...}, reports())


def report(hours: float = 2, **changes: Any) -> world.Row:
    """A report so long before the sweep."""
    fields: dict[str, Any] = {
        "guid": PRIVATE["ssid"],
        "connectionState": "ONLINE",
        "connectionType": "WIFI",
        "gatewayIpAddress": "192.168.1.1",
        "lanIpAddress": PRIVATE["ip"],
        "signalStrengthDbm": -61,
        "linkDownSpeedKbps": "144000",
        "encryptionOn": True,
        "sampleFrequency": "3600s",
        "reportTime": f"{INSTANT - timedelta(hours=hours):%Y-%m-%dT%H:%M:%S.%f}Z",
    } | changes
    return {name: value for name, value in fields.items() if value is not ...}


def reports() -> list[world.Row]:
    return [
        report(2),
        report(3, gatewayIpAddress=SCHOOL),
        report(4, gatewayIpAddress=HOME),
        report(5, connectionState="NOT_CONNECTED"),
    ]


class Stand(simulator.Simulator):
    def expire(self) -> None:
        self.expire_tokens()

    def revoke(self) -> None:
        self.expire_tokens()
        self.settings = settings(public_key=another_key().public_key())


@functools.cache
def another_key() -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(public_exponent=65537, key_size=2048)


def settings(**given: Any) -> simulator.Settings:
    usual: dict[str, Any] = {
        "public_key": private_key().public_key(),
        "email": EMAIL,
        "subject": SUBJECT,
    }
    return simulator.Settings(**(usual | given))


def stand(numbers: range, **given: Any) -> Stand:
    return Stand(world.World(map(chromebook, numbers)), settings(**given), clock=lambda: INSTANT)


def parsing(lines: int) -> tuple[bytes, Callable[[bytes], int]]:
    asked = ("deviceId", "status", "lastSync", "activeTimeRanges", "orgUnitId")
    rows = [
        {name: known.row[name] for name in asked}
        | {"lastKnownNetwork": [{"wanIpAddress": f"203.0.{number // 256 % 256}.{number % 256}"}]}
        for number, known in ((number, chromebook(number)) for number in range(lines))
    ]
    body = msgspec.json.encode({"kind": "admin#directory#chromeosdevices", "chromeosdevices": rows})
    parser = parse.Parser(msgspec.convert(OPTIONS, options.Options))
    return body, lambda page: len(parser.devices(page, instant=INSTANT).devices)


CASE = Case(
    collector="google_workspace",
    folder="google_workspace",
    options={**OPTIONS, "base_url": options.BASE_URL, "page_size": 10, "telemetry_page_size": 10},
    credentials={options.SERVICE_ACCOUNT_KEY: key_file()},
    stand=stand,
    keys=lambda numbers: set(map(key, numbers)),
    group="devices",
    endpoint="devices",
    rows=lambda body: body["chromeosdevices"],
    status=("status",),
    wrong=(("lastSync",), "a while ago"),
    optional=(
        ("status",),
        ("lastSync",),
        ("activeTimeRanges",),
        ("orgUnitId",),
        ("lastKnownNetwork",),
    ),
    throttled=simulator.throttled(),
    secrets=(pem(), EMAIL, SUBJECT, SCHOOL),
    vendor_sized=lambda numbers: (stand(numbers), {"page_size": 300, "telemetry_page_size": 200}),
    parse=parsing,
)
