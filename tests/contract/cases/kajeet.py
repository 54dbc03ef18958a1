"""Kajeet Sentinel."""

from collections.abc import Callable

import msgspec

from collectors.kajeet import options, parse, simulator, world
from tests.contract import accounts, identities
from tests.contract.cases import PRIVATE, Case


class Stand(simulator.Simulator):
    def expire(self) -> None:
        self.expire_tokens()

    def revoke(self) -> None:
        self.expire_tokens()
        self.settings = simulator.Settings(client_secret="another")


def device(number: int) -> world.Device:
    return accounts.device(
        number,
        mdn=identities.mdn(number),
        imei=identities.imei(number),
        uicc=identities.iccid(number),
        nickname=PRIVATE["name"],
        device_name=PRIVATE["note"],
        corp_description=PRIVATE["address"],
        filter_group=PRIVATE["email"],
    )


def stand(numbers: range) -> Stand:
    rows = world.StaticWorld(map(device, numbers), [world.Group(key="5001", description=PRIVATE["name"])])
    made = accounts.simulate(rows)
    return Stand(rows, lambda: accounts.INSTANT, settings=made.settings)


def parsing(lines: int) -> tuple[bytes, Callable[[bytes], int]]:
    rows = [device(number) for number in range(lines)]
    body = msgspec.json.encode({"totalCount": lines, "devices": rows})
    parser = parse.Parser(options.Options(corp_ids=("5001",)))
    return body, lambda page: len(parser.devices(page, instant=accounts.INSTANT).sightings)


CASE = Case(
    collector="kajeet",
    folder="kajeet",
    options={"corp_ids": ["5001"], "base_url": "https://sentinel-api.kajeet.com", "page_size": 10},
    credentials=accounts.CREDENTIALS,
    stand=stand,
    keys=lambda numbers: {device(number).key for number in numbers},
    group="devices",
    endpoint="devices",
    rows=lambda body: body["devices"],
    status=("status",),
    wrong=(("monthlyAmountUsed",), "a lot"),
    optional=(("imei",), ("uicc",), ("onlineStatus",), ("monthlyAmountUsed",), ("dayAmountUsed",)),
    vendor_sized=lambda numbers: (stand(numbers), {"page_size": 100}),
    parse=parsing,
)
