"""What leaves for NetCloud: keys, addresses, parameters; and what is tried again."""

import contextlib
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from collectors import base, budget, client, errors, registry, simulation
from collectors.netcloud import api, collector, options, simulator, world
from tests.contract import cases
from tests.contract.cases import INSTANT, PRIVATE, netcloud
from tests.contract.cases.netcloud import CASE, CREDENTIALS
from tests.contract.towards import Sent


@contextlib.asynccontextmanager
async def alone(transport: httpx.AsyncBaseTransport, **given: Any) -> AsyncIterator[base.Collector]:
    made = registry.build(
        "netcloud",
        netcloud.OPTIONS | given,
        CREDENTIALS,
        budgets=budget.Unlimited(),
        transport=transport,
        limits=cases.QUICK,
    )
    try:
        yield made
    finally:
        await made.aclose()


async def every_request(**given: Any) -> list[Sent]:
    """What a sweep of every group sends."""
    since = INSTANT - timedelta(hours=1)
    async with cases.reading(CASE, read_state_samples=True, **given) as read:
        for group in read.collector.endpoint_groups:
            await read.pages(group.name, since=since)
        return read.network.sent


async def test_all_four_keys_and_the_content_type_are_on_every_call() -> None:
    sent = await every_request()
    assert {httpx.URL(each.url).path for each in sent} == {api.path(endpoint) for endpoint in simulator.KNOWN}
    for each in sent:
        given = {name.lower(): value for name, value in each.headers.items()}
        assert given["x-cp-api-id"] == CREDENTIALS["cp_api_id"]
        assert given["x-cp-api-key"] == CREDENTIALS["cp_api_key"]
        assert given["x-ecm-api-id"] == CREDENTIALS["ecm_api_id"]
        assert given["x-ecm-api-key"] == CREDENTIALS["ecm_api_key"]
        assert given["content-type"] == "application/json"


async def test_every_address_ends_in_a_slash_so_none_is_asked_twice() -> None:
    for each in await every_request():
        assert httpx.URL(each.url).path.endswith("/")


async def test_plus_of_an_instant_is_encoded() -> None:
    asked = [each.url.partition("?")[2] for each in await every_request()]
    instants = [query for query in asked if "__gt=20" in query]
    assert instants
    for query in instants:
        assert "%2B00" in query
        assert "+" not in query


async def test_no_call_changes_anything() -> None:
    assert {(each.method, each.body) for each in await every_request()} == {("GET", b"")}


async def test_only_the_fields_that_are_read_are_asked_for() -> None:
    asked = {
        httpx.URL(each.url).path.split("/")[-2]: httpx.URL(each.url).params.get("fields")
        for each in await every_request()
    }
    assert asked == {
        "net_devices": "id,router,iccid,imei,mdn",
        "net_device_metrics": "id,update_ts,rsrp,rsrq,sinr",
        "net_device_usage_samples": "net_device,bytes_in,bytes_out,period,uptime,created_at,created_at_timeuuid",
        "router_state_samples": None,
    }


async def test_whole_rows_are_read_where_fields_cannot_be_selected_and_nothing_private_is_kept() -> None:
    async with cases.reading(CASE, select_fields=False) as read:
        found = [page for group in ("modems", "signal", "usage") for page in await read.pages(group)]
    assert cases.keys(found) == CASE.keys(cases.LINES)
    assert not any("fields=" in each.url for each in read.network.sent)
    assert not [page.rejected for page in found if page.rejected]
    for word in PRIVATE.values():
        assert word not in repr(found)


async def test_modems_are_asked_for_with_their_routers() -> None:
    async with cases.reading(CASE, page_size=500) as read:
        await read.pages("modems")
    (sent,) = read.network.sent
    assert dict(httpx.URL(sent.url).params) == {
        "is_asset": "true",
        "expand": "router",
        "limit": "500",
        "fields": "id,router,iccid,imei,mdn",
    }


async def test_conflict_is_a_mistake_in_the_request_and_is_not_tried_again() -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.status(409, retry_after="1"), endpoint=api.USAGE_SAMPLES)
        with pytest.raises(errors.ResponseInvalid, match="409"):
            await read.pages("usage")
        assert read.stand.faults.seen(api.USAGE_SAMPLES) == 1


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503, 504])
async def test_passing_fault_in_the_midst_of_samples_is_tried_again(status: int) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(
            simulation.status(status, retry_after="0"), endpoint=api.USAGE_SAMPLES, after=1, times=2
        )
        assert cases.keys(await read.pages("usage")) == CASE.keys(cases.LINES)


async def test_shard_fault_passes() -> None:
    async def shard(call: simulation.Call) -> Any:
        return simulation.answer("cp internal error shard-router-3", status=500)

    async with cases.reading(CASE) as read:
        read.stand.faults.next(shard, endpoint=api.NET_DEVICES, after=1)
        assert cases.keys(await read.pages("modems")) == CASE.keys(cases.LINES)


async def test_keys_are_not_sent_where_the_next_page_leads_outside() -> None:
    def outside(body: Any) -> None:
        body["meta"]["next"] = "https://cradlepointecm.com.collector.example/api/v2/net_device_usage_samples/"

    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.changed(outside), endpoint=api.USAGE_SAMPLES)
        with pytest.raises(errors.ResponseInvalid, match=r"collector\.example"):
            await read.pages("usage")
        assert {each.host for each in read.network.sent} == {"www.cradlepointecm.com"}


@pytest.mark.parametrize(
    "there",
    [
        "http://www.us0.cradlepointecm.com",
        "https://evilcradlepointecm.com",
        "https://www.cradlepointecm.com:8443",
    ],
)
async def test_next_page_must_be_the_vendors_own_host_over_https(there: str) -> None:
    def moved(body: Any) -> None:
        body["meta"]["next"] = f"{there}/api/v2/net_device_usage_samples/?offset=10"

    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.changed(moved), endpoint=api.USAGE_SAMPLES)
        with pytest.raises(errors.ResponseInvalid, match="not the vendor's"):
            await read.pages("usage")


async def test_stand_in_on_this_machine_never_leads_to_the_vendor() -> None:
    made = world.World(
        modems=[netcloud.modem(1)], usage=[netcloud.sample(1, hours_ago=h) for h in range(1, 15)]
    )
    stand = simulator.Simulator(made, settings=netcloud.SETTINGS)
    async with (
        simulation.serve(stand) as url,
        alone(client.direct(), base_url=url) as made_collector,
    ):
        usage = made_collector.endpoint_groups[1]
        with pytest.raises(errors.ResponseInvalid, match="us0"):
            [page async for page in made_collector.pages(usage, base.Sweep(INSTANT))]


async def test_probe_reads_one_modem_and_tells_what_cannot_be_read() -> None:
    async with cases.reading(CASE) as read:
        probe = await read.collector.probe()
        assert (probe.lines, probe.rejected) == (None, [])
        read.stand.faults.next(
            simulation.changed(lambda body: body["data"][0].update(router="https://x/")),
            endpoint=api.NET_DEVICES,
        )
        probe = await read.collector.probe()
    assert [bad.path for bad in probe.rejected] == ["data[0].router"]
    assert {httpx.URL(sent.url).params["limit"] for sent in read.network.sent} == {"1"}


async def test_requests_are_as_many_as_the_groups_promise() -> None:
    async with cases.reading(
        CASE, page_size=10, lines=range(30), overlap_minutes=1, usage_minutes=59
    ) as read:
        for group in read.collector.endpoint_groups:
            before = len(read.network.sent)
            await read.pages(group.name, since=INSTANT - timedelta(minutes=59))
            assert len(read.network.sent) - before == group.requests(30), group.name


def groups(**given: Any) -> dict[str, base.EndpointGroup]:
    chosen = options.Options(**({"device_kind": "fixed_router"} | given))
    return {group.name: group for group in collector.endpoint_groups(chosen)}


def test_a_thousand_modems_cost_little() -> None:
    costs = {name: group.requests(1_000) for name, group in groups(read_state_samples=True).items()}
    assert costs == {"modems": 2, "usage": 20, "signal": 2, "states": 20}


def test_groups_say_what_they_are() -> None:
    made = groups()
    assert list(made) == ["modems", "usage", "signal"]
    assert [group.lists_lines for group in made.values()] == [True, False, False]
    assert [group.is_snapshot for group in made.values()] == [True, False, False]
    assert made["modems"].cadence == timedelta(minutes=15)
    assert made["modems"].priority < made["usage"].priority < made["signal"].priority


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({}, r"options\.device_kind is missing"),
        ({"device_kind": "toaster"}, "must be one of hotspot, fixed_router, bus_router"),
        ({"device_kind": "fixed_router", "page_size": 501}, "page_size: expected int <= 500"),
        ({"device_kind": "fixed_router", "base_url": "http://cradlepointecm.com"}, "must begin with https"),
        ({"device_kind": "fixed_router", "router_states": {"x": "dead"}}, "must be one of online, offline"),
        ({"device_kind": "fixed_router", "state_sample_fields": {"state": "router"}}, "called the same"),
        ({"device_kind": "fixed_router", "state_sample_fields": {"state": "a b"}}, "letters, digits"),
    ],
)
def test_wrong_option_is_named_in_plain_words(given: dict[str, object], words: str) -> None:
    with pytest.raises(errors.OptionsInvalid, match=words):
        registry.validate("netcloud", given)


def test_all_four_credentials_are_needed() -> None:
    with pytest.raises(errors.OptionsInvalid, match="needs the credentials cp_api_key, ecm_api_key"):
        registry.validate("netcloud", {"device_kind": "bus_router"}, {"cp_api_id", "ecm_api_id"})


def test_accounts_that_share_their_keys_share_a_budget_of_eight_a_second() -> None:
    one, other = (
        registry.spending("netcloud", {"device_kind": kind}, CREDENTIALS)
        for kind in ("bus_router", "fixed_router")
    )
    assert one.fingerprint == other.fingerprint
    assert one.terms == budget.Terms(8.0)
