"""Super SIM, at KORE and at Twilio."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

import msgspec

from collectors import readings, vocabulary
from collectors.super_sim import options, parse, simulator, world
from tests.contract import identities
from tests.contract.cases import INSTANT, LINES, PRIVATE, Case

DAY, HOUR = timedelta(days=1), timedelta(hours=1)
TODAY = datetime(2026, 11, 21, tzinfo=UTC)
SINCE = INSTANT - timedelta(hours=6)
FIRST_DAY = TODAY - 4 * DAY  # of a sweep that follows one of six hours ago
CREATED = datetime(2026, 8, 1, 12, 0, tzinfo=UTC)
SECRETS = {
    "kore": {"client_id": "simulated-client", "client_secret": "correct-horse-battery"},
    "twilio": {"account_sid": "AC" + 31 * "0" + "7", "auth_token": "correct-horse-staple"},
}


class Stand(simulator.Simulator):
    def expire(self) -> None:
        self.expire_tokens()

    def revoke(self) -> None:
        self.expire_tokens()
        self.settings = simulator.Settings(platform=self.settings.platform)


def sid(number: int) -> str:
    return f"HS{number:032x}"


def sim(number: int, **fields: object) -> world.Sim:
    """A SIM with private words wherever the vendor leaves room for them."""
    words = list(PRIVATE.values())
    return msgspec.structs.replace(
        world.Sim(
            sid=sid(number),
            unique_name=words[number % len(words)],
            iccid=identities.iccid(number),
            fleet_sid="HF" + 32 * "1",
            date_created=CREATED,
            date_updated=CREATED,
            url=f"https://supersim.twilio.com/v1/Sims/{sid(number)}",
            links={"billing_periods": f"https://supersim.twilio.com/v1/Sims/{sid(number)}/BillingPeriods"},
        ),
        **fields,
    )


def stand(platform: options.Platform, shown: world.World, **settings: bool) -> Stand:
    chosen = simulator.Settings(platform=platform, **SECRETS[platform], **settings)  # type: ignore[arg-type]
    return Stand(shown, lambda: INSTANT, settings=chosen)


def busy(numbers: Sequence[int] = LINES, days: int = 5) -> world.StaticWorld:
    """SIMs that moved ``number`` bytes at 17:00 UTC of each of the last days; 0 of them for number 0."""
    shown = world.StaticWorld(map(sim, numbers))
    for number in numbers:
        for day in range(days):
            shown.use(sid(number), TODAY - day * DAY + 17 * HOUR, download=number)
    return shown


def told(pages: Sequence[readings.Page]) -> dict[tuple[str, datetime], int]:
    return {
        (seen.provider_key, usage.starts_at): usage.total_bytes
        for page in pages
        for seen in page.sightings
        for usage in seen.usage
    }


def parsing(lines: int) -> tuple[bytes, Callable[[bytes], int]]:
    rows = [sim(number) for number in range(lines)]
    body = msgspec.json.encode({"sims": rows, "meta": {"key": "sims", "next_page_url": None}})
    meaning = vocabulary.words(parse.STATUSES)
    return body, lambda page: len(parse.sims(page, instant=INSTANT, meaning=meaning).sightings)


def _case(platform: options.Platform) -> Case:
    return Case(
        collector="super_sim",
        folder="super_sim",
        options={"platform": platform, "base_url": options.BASE_URLS[platform], "page_size": 10},
        credentials=SECRETS[platform],
        stand=lambda numbers: stand(platform, world.StaticWorld(map(sim, numbers))),
        keys=lambda numbers: set(map(sid, numbers)),
        group="sims",
        endpoint="sims",
        rows=lambda body: body["sims"],
        status=("status",),
        wrong=(("iccid",), ["89014800000000"]),
        optional=(("iccid",), ("status",), ("fleet_sid",), ("unique_name",), ("date_created",)),
        has_tokens=platform == "kore",
        vendor_sized=lambda numbers: (stand(platform, busy(numbers)), {"page_size": 1000}),
        parse=parsing,
    )


KORE, TWILIO = _case("kore"), _case("twilio")
CASES = [KORE, TWILIO]
