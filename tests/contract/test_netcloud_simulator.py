"""The stand-in keeps to the documented API as strictly as the vendor would."""

from collections.abc import AsyncIterator

import httpx
import pytest

from collectors import client, simulation
from tests.contract.cases import PRIVATE, netcloud

MANY = ",".join(str(number) for number in range(101))
SAMPLES = "/api/v2/net_device_usage_samples/"


@pytest.fixture
async def portal() -> AsyncIterator[httpx.AsyncClient]:
    """A client with good keys of an account of 25 modems."""
    async with (
        simulation.serve(netcloud.stand(range(25))) as url,
        httpx.AsyncClient(base_url=url, transport=client.direct(), headers=netcloud.KEYS) as http,
    ):
        yield http


@pytest.mark.parametrize("header", sorted(netcloud.KEYS))
async def test_nothing_is_told_without_all_four_keys(portal: httpx.AsyncClient, header: str) -> None:
    del portal.headers[header]
    assert (await portal.get("/api/v2/net_devices/")).status_code == 401


async def test_address_without_its_slash_is_moved_there(portal: httpx.AsyncClient) -> None:
    answer = await portal.get("/api/v2/net_devices?limit=5")
    assert (answer.status_code, answer.headers["location"]) == (301, "/api/v2/net_devices/?limit=5")


@pytest.mark.parametrize(
    ("path", "params"),
    [
        (SAMPLES, {}),
        (SAMPLES, {"net_device__in": MANY}),
        (SAMPLES, {"net_device": "1", "order_by": "created_at"}),
        (SAMPLES, {"net_device": "1", "created_at__gt": "2026-11-21T17:00:00 00:00"}),
        ("/api/v2/router_state_samples/", {}),
        ("/api/v2/net_devices/", {"limit": "501"}),
        ("/api/v2/net_devices/", {"limit": "0"}),
        ("/api/v2/net_devices/", {"expand": "group"}),
        ("/api/v2/net_devices/", {"order_by": "id"}),
        ("/api/v2/net_device_metrics/", {"update_ts__gt": "yesterday"}),
    ],
)
async def test_request_that_is_not_valid_is_a_conflict(
    portal: httpx.AsyncClient, path: str, params: dict[str, str]
) -> None:
    answer = await portal.get(path, params=params)
    assert answer.status_code == 409
    assert "message" in answer.json()["exception"]


async def test_pages_are_twenty_rows_unless_asked_and_lead_to_another_host(portal: httpx.AsyncClient) -> None:
    answer = (await portal.get("/api/v2/net_devices/")).json()
    assert answer["meta"] == {
        "limit": 20,
        "next": "https://www.us0.cradlepointecm.com/api/v2/net_devices/?offset=20",
        "offset": 0,
        "previous": None,
    }
    assert len(answer["data"]) == 20


async def test_router_is_an_address_unless_expanded(portal: httpx.AsyncClient) -> None:
    plain = (await portal.get("/api/v2/net_devices/", params={"limit": "1"})).json()["data"][0]
    assert plain["router"] == "https://www.us0.cradlepointecm.com/api/v2/routers/371193/"
    params = {"limit": "1", "expand": "router"}
    whole = (await portal.get("/api/v2/net_devices/", params=params)).json()["data"][0]
    assert whole["router"]["id"] == "371193"
    assert whole["router"]["group"] == "https://www.us0.cradlepointecm.com/api/v2/groups/17045/"
    assert whole["router"]["description"] == PRIVATE["note"]


async def test_only_assets_are_modems(portal: httpx.AsyncClient) -> None:
    all_ports = await portal.get("/api/v2/net_devices/", params={"limit": "500"})
    modems = await portal.get("/api/v2/net_devices/", params={"limit": "500", "is_asset": "true"})
    assert (len(all_ports.json()["data"]), len(modems.json()["data"])) == (26, 25)


async def test_fields_are_as_few_as_asked(portal: httpx.AsyncClient) -> None:
    answer = await portal.get("/api/v2/net_device_metrics/", params={"fields": "id,rsrp", "limit": "1"})
    assert answer.json()["data"] == [{"id": netcloud.key(0), "rsrp": -95.0}]


async def test_samples_come_in_their_order(portal: httpx.AsyncClient) -> None:
    answer = await portal.get(SAMPLES, params={"net_device__in": netcloud.key(3)})
    created = [row["created_at"] for row in answer.json()["data"]]
    assert created == sorted(created)
    assert len(created) == 3
