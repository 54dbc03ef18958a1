"""What leaves for Meraki: addresses, lists of serials, the key; and how many requests it takes."""

import math
import urllib.parse
from datetime import timedelta
from typing import Any

import httpx
import msgspec
import pytest

from collectors import budget, errors, registry, simulation
from collectors.meraki import collector, options, world
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, meraki
from tests.contract.cases.meraki import CASE
from tests.contract.towards import Sent

BASE = f"https://api.meraki.com/api/v1/organizations/{meraki.ORGANIZATION}"
NETWORK = "N_900"
STUDENTS: dict[str, Any] = {"systems_manager_networks": [NETWORK], "systems_manager_usage": True}


def student(number: int, **fields: object) -> world.Student:
    given = {"lastConnected": 1_795_280_400, "iccid": identities.iccid(5_000 + number), "imei": None}
    days = [{"received": 1.5, "sent": 0.5, "ts": "2026-11-20T00:00:00Z"}]
    return world.Student(
        str(7_000_000 + number), NETWORK, f"F5K{number:08d}", given | fields, days, cases.PRIVATE
    )


def stand(gateways: int = 25, devices: int = 0) -> meraki.Stand:
    return meraki.stand_of([*map(meraki.gateway, range(gateways))], *map(student, range(devices)))


def query(sent: Sent) -> dict[str, list[str]]:
    return urllib.parse.parse_qs(urllib.parse.urlsplit(sent.url).query)


def path(sent: Sent) -> str:
    return urllib.parse.urlsplit(sent.url).path.partition("/api/v1")[2]


async def requests(group: str, *, gateways: int = 25, devices: int = 0, **given: Any) -> list[Sent]:
    since = INSTANT - timedelta(hours=1)
    async with cases.reading(CASE, stand=stand(gateways, devices), **given) as read:
        await read.pages(group, since=since)
        return read.network.sent


async def test_key_is_a_bearer_on_every_call() -> None:
    for group in ("gateways", "usage", "changes", "history", "students", "student_usage"):
        for sent in await requests(group, devices=2, **STUDENTS):
            assert sent.method == "GET"
            assert sent.headers["authorization"] == f"Bearer {meraki.API_KEY}"
            assert meraki.API_KEY not in sent.url


@pytest.mark.parametrize(
    ("group", "asked"),
    [
        ("gateways", ["/devices/cellular/data/usage/byDevice", "/devices/availabilities", "/devices"]),
        ("usage", ["/devices/cellular/data/usage/byDevice"]),
        ("changes", ["/devices/cellular/data/usage/byDevice", "/devices/availabilities/changeHistory"]),
        (
            "history",
            [
                "/devices/cellular/data/usage/byDevice",
                "/devices/cellular/data/usage/history/byDevice/byInterval",
            ],
        ),
    ],
)
async def test_page_of_gateways_is_asked_for_by_its_serials(group: str, asked: list[str]) -> None:
    """In brackets, as the wire has it; the specification's plain name would mean every device."""
    sent = await requests(group)
    listed, *others = sent[: len(asked) + 1]
    assert path(listed).endswith("/cellularGateway/uplink/statuses")
    assert [f"{BASE}{each}" for each in asked] == [each.url.partition("?")[0] for each in others]
    for each in others:
        assert "serials%5B%5D=" in each.url
        assert query(each)["serials[]"] == [meraki.serial(number) for number in range(10)]


@pytest.mark.parametrize("group", ["gateways", "usage", "changes", "history"])
async def test_page_without_a_gateway_asks_for_nothing_else(group: str) -> None:
    """A list of serials that is empty would mean all of them."""
    sent = await requests(group, gateways=0)
    assert [path(each).rpartition("/")[2] for each in sent] == ["statuses"]


async def test_history_is_asked_for_ten_serials_at_a_time_within_its_limits() -> None:
    sent = [each for each in await requests("history", page_size=25) if path(each).endswith("byInterval")]
    asked = [query(each) for each in sent]
    assert sorted(len(each["serials[]"]) for each in asked) == [5, 10, 10]
    for each in asked:
        assert (each["perPage"], each["interval"]) == (["10"], ["14400"])
        assert each["t0"] == ["2026-11-19T16:00:00Z"], "two days before the last sweep, in whole intervals"
        assert each["t1"] == ["2026-11-21T16:00:00Z"], "the interval that goes on is left out"


async def test_only_needed_fields_of_students_are_asked_for() -> None:
    [sent] = await requests("students", devices=2, **STUDENTS)
    assert query(sent)["fields[]"] == ["lastConnected"]
    listed, *_ = await requests("student_usage", devices=2, **STUDENTS)
    assert query(listed)["fields[]"] == ["lastConnected", "iccid", "imei"]
    assert "fields%5B%5D=" in listed.url


async def test_nothing_that_tells_a_place_is_ever_asked_for() -> None:
    asked = set()
    for group in ("gateways", "usage", "changes", "history", "students", "student_usage"):
        asked |= {each.url for each in await requests(group, devices=2, **STUDENTS)}
    said = " ".join(asked).lower()
    forbidden = ("tower", "geoloc", "location", "owner", "ssid", "publicip", "connectivity", "clients")
    assert not [word for word in forbidden if word in said]


@pytest.mark.parametrize(
    ("group", "devices"),
    [("gateways", 0), ("usage", 0), ("changes", 0), ("history", 0), ("students", 30), ("student_usage", 30)],
)
async def test_sweep_takes_no_more_requests_than_it_plans(group: str, devices: int) -> None:
    """Page by page to the end; what changes ask for a second time depends on the gateways."""
    lines = 30
    sent = await requests(group, gateways=lines, devices=devices, **STUDENTS)
    made = msgspec.convert({**meraki.OPTIONS, **STUDENTS}, options.Options)
    plan = next(each for each in collector.endpoint_groups(made) if each.name == group)
    expected = plan.requests(lines) - (math.ceil(lines / plan.page_size) if group == "changes" else 0)
    assert len(sent) == expected


async def test_changes_of_gateways_that_went_offline_cost_the_planned_second_call() -> None:
    went = [(INSTANT - timedelta(minutes=20), "online", "offline")]
    gateways = [meraki.gateway(number, changes=went) for number in range(30)]
    async with cases.reading(CASE, stand=meraki.stand_of(gateways)) as read:
        await read.pages("changes", since=INSTANT - timedelta(hours=1))
        assert len(read.network.sent) == read.group("changes").requests(30)


async def test_gateways_of_other_networks_are_not_asked_for() -> None:
    gateways = [meraki.gateway(number, network_id=f"N_{number % 3}") for number in range(30)]
    async with cases.reading(
        CASE, stand=meraki.stand_of(gateways), network_ids=["N_1", "N_2"], page_size=5
    ) as read:
        found = await read.pages("gateways")
        assert cases.keys(found) == {meraki.key(number) for number in range(30) if number % 3}
        listed = [each for each in read.network.sent if path(each).endswith("uplink/statuses")]
        assert {tuple(query(each)["networkIds[]"]) for each in listed} == {("N_1", "N_2")}


async def test_appliances_are_listed_with_the_gateways_where_wanted() -> None:
    wired = world.uplink(interface="wan1", iccid=None)
    both = [wired, world.uplink(identities.iccid(1))]
    fleet = [
        meraki.gateway(0),
        meraki.gateway(1, product="appliance", uplinks=both, slots=[]),
        meraki.gateway(2, product="appliance", uplinks=[wired], slots=[]),
    ]
    async with cases.reading(CASE, stand=meraki.stand_of(fleet), appliances=True) as read:
        found = await read.pages("gateways")
        assert path(read.network.sent[0]).endswith(f"/organizations/{meraki.ORGANIZATION}/uplinks/statuses")
    assert cases.keys(found) == {meraki.key(0), f"{meraki.serial(1)}:cellular"}


@pytest.mark.parametrize(
    ("base_url", "suffix"),
    [
        ("https://api.meraki.com/api/v1", ".meraki.com"),
        ("https://api.meraki.ca/api/v1", ".meraki.ca"),
        ("https://api.meraki.cn/api/v1", ".meraki.cn"),
        ("https://api.meraki.in/api/v1", ".meraki.in"),
        ("https://api.gov-meraki.com/api/v1", ".gov-meraki.com"),
        ("https://n149.meraki.com/api/v1", ".meraki.com"),
        ("https://meraki.example/api/v1", None),
        ("https://api.notmeraki.com/api/v1", None),
        ("https://api.meraki.com.example/api/v1", None),
        ("http://127.0.0.1:8080/api/v1", None),
    ],
)
def test_shards_are_those_of_the_region(base_url: str, suffix: str | None) -> None:
    made = msgspec.convert({**meraki.OPTIONS, "base_url": base_url}, options.Options)
    assert list(made.suffixes()) == ([suffix] if suffix else [])


async def test_region_is_read_with_its_own_shards() -> None:
    base = "https://api.gov-meraki.com/api/v1"
    made = stand()
    made.settings.base_url = "https://n7.gov-meraki.com/api/v1"
    async with cases.reading(CASE, stand=made, base_url=base) as read:
        assert cases.keys(await read.pages("gateways")) == CASE.keys(range(25))
        assert {each.host for each in read.network.sent} == {"api.gov-meraki.com", "n7.gov-meraki.com"}
        assert {each.headers["authorization"] for each in read.network.sent} == {f"Bearer {meraki.API_KEY}"}


@pytest.mark.parametrize(
    "elsewhere", ["https://api.meraki.com.example", "https://api.meraki.ca", "http://n1.meraki.com"]
)
async def test_next_page_elsewhere_gets_no_key(elsewhere: str) -> None:
    made = stand()
    made.settings.base_url = f"{elsewhere}/api/v1"
    async with cases.reading(CASE, stand=made) as read:
        with pytest.raises(errors.ResponseInvalid, match="credentials are not sent there"):
            await read.pages("gateways")
        assert {each.host for each in read.network.sent} == {"api.meraki.com"}


def test_budget_is_the_organisations_whatever_the_key() -> None:
    def spending(key: str = "a", **given: object) -> str:
        return registry.spending("meraki", {**meraki.OPTIONS, **given}, {"api_key": key}).fingerprint

    assert spending() == spending("another key") == spending(device_kind="hotspot")
    assert spending() != spending(organization_id="549237")
    assert spending() != spending(base_url="https://api.meraki.ca/api/v1")


def test_default_rate_leaves_the_organisation_more_than_half_of_its_ten() -> None:
    terms = registry.spending("meraki", meraki.OPTIONS, meraki.CREDENTIALS).terms
    assert terms == budget.Terms(4.0)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"device_kind": ...}, r"options\.device_kind is missing"),
        ({"organization_id": ...}, r"options\.organization_id is missing"),
        ({"device_kinds": {"N_1": "phone"}}, "must be one of hotspot, fixed_router, bus_router, laptop"),
        ({"availabilities": {"rebooting": "perhaps"}}, "must be one of online, offline"),
        ({"page_size": 201}, r"options\.page_size: expected int <= 200"),
        ({"history_interval_seconds": 3600}, "must be one of 300, 1200, 14400, 86400"),
        ({"kilobyte_bytes": 1000.5}, r"options\.kilobyte_bytes"),
        ({"network_ids": ["N_1", "N_1"]}, "network_ids names a network twice"),
        ({"systems_manager_usage": True}, "systems_manager_usage needs systems_manager_networks"),
        ({"base_url": "http://api.meraki.com/api/v1"}, "base_url must begin with https"),
    ],
)
def test_wrong_option_is_named(given: dict[str, object], words: str) -> None:
    told = {name: value for name, value in {**meraki.OPTIONS, **given}.items() if value is not ...}
    with pytest.raises(errors.OptionsInvalid, match=words):
        registry.validate("meraki", told)


async def test_stand_in_refuses_what_meraki_refuses() -> None:
    """The other tests show little if their stand-in took everything."""
    day = "t0=2026-11-20T00:00:00Z&t1=2026-11-21T00:00:00Z"
    many = "&".join(f"serials[]={meraki.serial(number)}" for number in range(11))
    history = "devices/cellular/data/usage/history/byDevice/byInterval"
    async with simulation.serve(stand()) as url, httpx.AsyncClient() as http:
        root = f"{url}/api/v1/organizations/{meraki.ORGANIZATION}"
        for call in (
            f"{root}/devices/availabilities?perPage=2",
            f"{root}/devices/availabilities?perPage=1001",
            f"{root}/devices/availabilities?serials={meraki.serial(1)}",
            f"{root}/{history}?{day}",
            f"{root}/{history}?{many}&{day}",
            f"{root}/{history}?serials[]={meraki.serial(1)}&perPage=11&{day}",
            f"{root}/{history}?serials[]={meraki.serial(1)}&interval=60&{day}",
            f"{root}/{history}?serials[]={meraki.serial(1)}&t0=2026-10-01T00:00:00Z&t1=2026-11-21T00:00:00Z",
            f"{root}/{history}?serials[]={meraki.serial(1)}&t0=2025-11-01T00:00:00Z&t1=2025-11-02T00:00:00Z",
            f"{root}/devices/availabilities/changeHistory?t0=2026-10-20T00:00:00Z&t1=2026-11-01T00:00:00Z",
        ):
            answer = await http.get(call, headers={"authorization": f"Bearer {meraki.API_KEY}"})
            assert (answer.status_code, list(answer.json())) == (400, ["errors"]), call
