"""Platforms of a description file: 1NCE, emnify, Soracom, Telnyx."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from collectors import client
from collectors.described import options, parse, simulator
from collectors.described.stand_ins import common
from collectors.described.world import Line, last_days
from tests.contract import identities
from tests.contract.cases import INSTANT, PRIVATE, Case, Field

ACTIVE = {"1nce": "Enabled", "emnify": "Enabled", "soracom": "active", "telnyx": "enabled"}
CHANGED_AT_MS = int(INSTANT.timestamp() * 1000) - 7_200_000
OPTIONS: Mapping[str, type[options.Options]] = {
    "1nce": options.OneNce,
    "emnify": options.Emnify,
    "soracom": options.Soracom,
    "telnyx": options.Telnyx,
}


def line(number: int, platform: str, **fields: Any) -> Line:
    given: dict[str, Any] = {
        "number": number,
        "iccid": identities.iccid(number),
        "imei": identities.imei(number),
        "msisdn": identities.mdn(number),
        "status": ACTIVE[platform],
        "is_online": number % 2 == 0,
        "changed_at_ms": CHANGED_AT_MS,
        "cycle_used": ("2049.25", "MB"),
        "data_limit": ("30", "GB"),
        "days": last_days(INSTANT, 10, 1_234_567 + number),
        "texts": PRIVATE,
    }
    return Line(**(given | fields))


def stand(platform: str, numbers: range) -> common.Simulator:
    return simulator.BY_NAME[platform]([line(number, platform) for number in numbers])


def keys(platform: str, numbers: range) -> set[str]:
    made = simulator.BY_NAME[platform]([])
    return {made.key(line(number, platform)) for number in numbers}


def parsing(platform: str, lines: int) -> tuple[bytes, Callable[[bytes], int]]:
    rows = [stand(platform, range(0)).row(line(number, platform)) for number in range(lines)]
    meta = {"page_number": 1, "total_pages": 1, "total_results": lines}
    body = msgspec.json.encode({"data": rows, "meta": meta} if platform == "telnyx" else rows)
    headers = {"X-Total-Pages": "1", "X-Total-Count": str(lines)}
    parser = parse.Parser(options.Settings.of(OPTIONS[platform]()))

    def parse_page(page: bytes) -> int:
        return len(parser.lines(client.Answer(200, headers, page), instant=INSTANT).sightings)

    return body, parse_page


def case(platform: str, **fields: Any) -> Case:
    made = simulator.BY_NAME[platform]
    given: dict[str, Any] = {
        "collector": platform,
        "folder": "described",
        "options": {"page_size": 10},
        "credentials": made.credentials,
        "stand": lambda numbers: stand(platform, numbers),
        "keys": lambda numbers: keys(platform, numbers),
        "group": "lines",
        "endpoint": "lines",
        "rows": lambda body: body,
        "status": ("status",),
        "vendor_sized": lambda numbers: (stand(platform, numbers), {"page_size": PAGE_SIZES[platform]}),
        "parse": lambda lines: parsing(platform, lines),
    }
    return Case(**(given | fields))


PAGE_SIZES = {"1nce": 100, "emnify": 1000, "soracom": 100, "telnyx": 100}  # as the descriptions have them
SESSION: Field = ("sessionStatus",)
CASES = [
    case("1nce", wrong=(("imei",), ["a list of it"]), optional=(("imei",), ("label",), ("iccid_with_luhn",))),
    case(
        "emnify",
        status=("status", "description"),
        wrong=(("sim", "iccid"), 4711.25),
        optional=(("imei",), ("sim",), ("tags",)),
    ),
    case(
        "soracom",
        wrong=((*SESSION, "online"), "sometimes"),
        optional=(SESSION, ("profiles",), ("tags",)),
    ),
    case(
        "telnyx",
        rows=lambda body: body["data"],
        status=("status", "value"),
        wrong=(("current_billing_period_consumed_data", "amount"), "a lot"),
        optional=(
            ("iccid",),
            ("msisdn",),
            ("current_imei",),
            ("live_data_session",),
            ("data_limit",),
            ("current_billing_period_consumed_data",),
        ),
        has_tokens=False,
    ),
]
