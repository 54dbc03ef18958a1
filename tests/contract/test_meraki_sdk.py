"""The vendor's own client: it reads the stand-in, and asks for the same things as the collector does.

It goes through the stand-in as through a proxy, so that it keeps the vendor's own host name. It writes no log file,
keeps no cache and does not retry.
"""

import asyncio
import urllib.parse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import meraki as sdk  # type: ignore[import-untyped]
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from collectors import simulation
from collectors.meraki import simulator, world
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, meraki
from tests.contract.cases.meraki import CASE, ORGANIZATION

NETWORK = "N_900"
SERIALS = [meraki.serial(number) for number in range(10)]
LINES = range(25)
Client = Any  # sdk.DashboardAPI, which has no types


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    query: list[tuple[str, str]]
    headers: Mapping[str, str]


class Recording(meraki.Stand):
    """Keeps what is asked of it."""

    def __init__(self, *given: Any, **settings: Any) -> None:
        super().__init__(*given, **settings)
        self.asked: list[Asked] = []

    def app(self) -> web.Application:
        app = super().app()
        app.middlewares.insert(0, self._record)
        return app

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        query = urllib.parse.parse_qsl(request.rel_url.raw_query_string)
        self.asked.append(Asked(request.method, request.path, query, request.headers))
        return await handler(request)


def stand(**fields: Any) -> Recording:
    devices = [
        world.Student(
            str(number),
            NETWORK,
            fields={"lastConnected": 1_795_280_400, "iccid": identities.iccid(number), "imei": None},
            days=[{"received": 1.5, "sent": 0.5, "ts": "2026-11-20T00:00:00Z"}],
        )
        for number in range(5)
    ]
    made = world.World([meraki.gateway(number, **fields) for number in LINES], devices)
    settings = simulator.Settings(organization=ORGANIZATION, api_key=meraki.API_KEY)
    return Recording(made, lambda: INSTANT, settings=settings)


async def by_sdk(made: Recording, call: Callable[[Client], Any]) -> Any:
    """What the vendor's client makes of the stand-in's answers."""

    def run(url: str) -> Any:
        dashboard = sdk.DashboardAPI(
            meraki.API_KEY,
            base_url="http://api.meraki.com/api/v1",
            requests_proxy=url,
            suppress_logging=True,
            smart_flow_enabled=False,
            maximum_retries=1,
        )
        try:
            return call(dashboard)
        finally:
            dashboard._session.close()

    async with simulation.serve(made) as url:
        return await asyncio.to_thread(run, url)


async def by_collector(made: Recording, group: str, **options: Any) -> list[Asked]:
    made.settings.base_url = "https://api.meraki.com/api/v1"
    async with cases.reading(CASE, stand=made, **options) as read:
        await read.pages(group, since=INSTANT - timedelta(hours=1))
    return made.asked


CALLS: Mapping[str, Callable[[Client], Any]] = {
    "uplinks": lambda api: api.cellularGateway.getOrganizationCellularGatewayUplinkStatuses(
        ORGANIZATION, total_pages="all", perPage=10
    ),
    "all_uplinks": lambda api: api.organizations.getOrganizationUplinksStatuses(
        ORGANIZATION, total_pages="all", perPage=10
    ),
    "availabilities": lambda api: api.organizations.getOrganizationDevicesAvailabilities(
        ORGANIZATION, total_pages="all", perPage=10, serials=SERIALS
    ),
    "inventory": lambda api: api.organizations.getOrganizationDevices(
        ORGANIZATION, total_pages="all", perPage=10, serials=SERIALS
    ),
    "slots": lambda api: api.organizations.getOrganizationDevicesCellularDataUsageByDevice(
        ORGANIZATION, total_pages="all", perPage=10, serials=SERIALS
    ),
    "history": lambda api: api.organizations.getOrganizationDevicesCellularDataUsageHistoryByDeviceByInterval(
        ORGANIZATION,
        SERIALS,
        total_pages="all",
        perPage=10,
        t0="2026-11-19T16:00:00Z",
        t1="2026-11-21T16:00:00Z",
        interval=14_400,
    ),
    "changes": lambda api: api.organizations.getOrganizationDevicesAvailabilitiesChangeHistory(
        ORGANIZATION,
        total_pages="all",
        perPage=1000,
        serials=SERIALS,
        t0="2026-11-21T16:00:00Z",
        t1="2026-11-21T18:00:00Z",
    ),
    "students": lambda api: api.sm.getNetworkSmDevices(
        NETWORK, total_pages="all", perPage=10, fields=["lastConnected", "iccid", "imei"]
    ),
    "student_use": lambda api: api.sm.getNetworkSmDeviceCellularUsageHistory(NETWORK, "0"),
}
GROUPS = {
    "uplinks": "gateways",
    "all_uplinks": "gateways",
    "availabilities": "gateways",
    "inventory": "gateways",
    "slots": "usage",
    "history": "history",
    "changes": "changes",
    "students": "student_usage",
    "student_use": "student_usage",
}


@pytest.mark.parametrize("name", CALLS)
async def test_collector_asks_for_what_the_vendors_client_asks_for(name: str) -> None:
    """Known differences: the client says that a GET without a body is JSON, and names itself; the collector asks
    for JSON back. Parameters may come in another order.
    """
    made = stand()
    await by_sdk(made, CALLS[name])
    theirs = made.asked[0]
    options = {"systems_manager_networks": [NETWORK], "systems_manager_usage": True}
    ours = await by_collector(stand(), GROUPS[name], appliances=name == "all_uplinks", **options)
    same = next(asked for asked in ours if asked.path == theirs.path)
    assert (same.method, sorted(same.query)) == (theirs.method, sorted(theirs.query))
    assert same.headers["Authorization"] == theirs.headers["Authorization"]
    assert same.headers["Accept"] == "application/json"
    assert (theirs.headers["Content-Type"], same.headers.get("Content-Type")) == ("application/json", None)
    assert theirs.headers["User-Agent"].startswith("python-meraki/")
    assert same.headers["User-Agent"] == "afterbell"


async def test_lists_of_serials_are_named_with_brackets_by_both() -> None:
    made = stand()
    await by_sdk(made, CALLS["history"])
    ours = await by_collector(stand(), "history")
    for asked in (made.asked[0], next(each for each in ours if each.path == made.asked[0].path)):
        assert [value for name, value in asked.query if name == "serials[]"] == SERIALS
        assert "serials" not in dict(asked.query)


async def test_vendors_client_follows_the_stand_ins_pages() -> None:
    made = stand()
    rows = await by_sdk(made, CALLS["uplinks"])
    assert [row["serial"] for row in rows] == [meraki.serial(number) for number in LINES]
    assert len(made.asked) == 3
    ours = await by_collector(stand(), "gateways")
    paths = [asked.query for asked in ours if asked.path.endswith("/uplink/statuses")]
    assert paths == [asked.query for asked in made.asked], "startingAfter and all, as the links say"


async def test_vendors_client_puts_the_items_of_pages_together() -> None:
    made = stand()
    found = await by_sdk(
        made,
        lambda api: api.organizations.getOrganizationDevicesCellularDataUsageByDevice(
            ORGANIZATION, total_pages="all", perPage=10
        ),
    )
    assert len(found["items"]) == len(LINES)
    assert found["meta"]["counts"]["items"] == {"total": 25, "remaining": 0}


@pytest.mark.parametrize(
    ("key", "call", "status"),
    [
        ("another", CALLS["uplinks"], 401),
        (
            meraki.API_KEY,
            lambda api: api.organizations.getOrganizationDevicesAvailabilities(ORGANIZATION, perPage=2),
            400,
        ),
        (
            meraki.API_KEY,
            lambda api: api.organizations.getOrganizationDevicesAvailabilities("1"),
            404,
        ),
    ],
)
async def test_vendors_client_understands_the_stand_ins_refusals(
    key: str, call: Callable[[Client], Any], status: int
) -> None:
    made = stand()
    made.settings.api_key = key
    with pytest.raises(sdk.APIError) as caught:
        await by_sdk(made, call)
    assert caught.value.status == status
