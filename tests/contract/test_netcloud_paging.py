"""Lists that change while they are read, and sweeps that are taken up again."""

import dataclasses
from typing import Any

import httpx
import pytest

from collectors import errors, simulation
from collectors.netcloud import api, simulator, world
from tests.contract import cases
from tests.contract.cases import LINES, netcloud
from tests.contract.cases.netcloud import CASE


def query(sent: Any) -> dict[str, str]:
    return dict(httpx.URL(sent.url).params)


async def test_list_goes_on_after_the_last_id() -> None:
    async with cases.reading(CASE) as read:
        found = await read.pages("modems")
    assert [len(page.sightings) for page in found] == [10, 10, 5]
    assert [query(sent).get("id__gt") for sent in read.network.sent] == [
        None,
        netcloud.key(9),
        netcloud.key(19),
    ]
    assert {page.total for page in found} == {None}


async def test_modems_that_go_while_the_list_is_read_cost_no_other_line() -> None:
    stand = netcloud.stand(range(35))
    stand.faults.next(
        simulation.first(lambda: stand.world.modems.__delitem__(slice(0, 3))),
        endpoint=api.NET_DEVICES,
        after=1,
    )
    async with cases.reading(CASE, stand=stand) as read:
        assert cases.keys(await read.pages("modems")) == CASE.keys(range(35))


async def test_modems_that_come_while_the_list_is_read_are_seen_once() -> None:
    stand = netcloud.stand(range(5, 30))
    stand.faults.next(
        simulation.first(lambda: stand.world.modems.insert(0, netcloud.modem(1))),
        endpoint=api.NET_DEVICES,
        after=1,
    )
    async with cases.reading(CASE, stand=stand) as read:
        found = await read.pages("modems")
    seen = [line.provider_key for page in found for line in page.sightings]
    assert sorted(seen) == sorted(CASE.keys(range(5, 30)))


async def test_list_in_no_order_is_read_by_the_vendors_own_addresses() -> None:
    stand = netcloud.stand(LINES)
    stand.world.modems.reverse()
    stand.settings = dataclasses.replace(netcloud.SETTINGS, is_ordered=False)
    async with cases.reading(CASE, stand=stand) as read:
        found = await read.pages("modems")
    assert cases.keys(found) == CASE.keys(LINES)
    assert [query(sent).get("offset") for sent in read.network.sent] == [None, "10", "20"]
    assert [sent.host for sent in read.network.sent[1:]] == ["www.us0.cradlepointecm.com"] * 2


async def test_page_with_a_bad_last_row_is_left_by_the_vendors_own_address() -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(
            simulation.changed(lambda body: body["data"][9].update(imei=["bad"])), endpoint=api.NET_DEVICES
        )
        found = await read.pages("modems")
    assert cases.keys(found) == CASE.keys(LINES) - {netcloud.key(9)}
    assert [bad.path for page in found for bad in page.rejected] == ["data[9].imei"]
    assert query(read.network.sent[1])["offset"] == "10"


async def test_modems_that_are_no_lines_do_not_disturb_the_paging() -> None:
    stand = netcloud.stand(range(0))
    stand.world.modems[:] = [netcloud.modem(n, iccid=None, imei=None) for n in range(20)]
    stand.world.modems += [netcloud.modem(n) for n in range(20, 25)]
    async with cases.reading(CASE, stand=stand) as read:
        found = await read.pages("modems")
    assert cases.keys(found) == CASE.keys(range(20, 25))
    assert [(len(page.sightings), page.total, page.rejected) for page in found] == [
        (0, None, []),
        (0, None, []),
        (5, None, []),
    ]


@pytest.mark.parametrize("group", ["modems", "usage", "signal"])
async def test_sweep_is_taken_up_after_its_last_page(group: str) -> None:
    async with cases.reading(CASE) as read:
        whole = await read.pages(group)
        assert [page.cursor for page in whole] == [netcloud.key(9), netcloud.key(19), None]
        rest = await read.pages(group, cursor=whole[0].cursor)
    assert cases.keys(rest) == CASE.keys(range(10, 25))


async def test_sweep_by_the_vendors_addresses_is_taken_up_too() -> None:
    stand = netcloud.stand(LINES)
    stand.world.modems.reverse()
    stand.settings = dataclasses.replace(netcloud.SETTINGS, is_ordered=False)
    async with cases.reading(CASE, stand=stand) as read:
        whole = await read.pages("modems")
        assert whole[0].cursor is not None
        assert whole[0].cursor.startswith("https://www.us0.cradlepointecm.com/api/v2/net_devices/")
        rest = await read.pages("modems", cursor=whole[0].cursor)
    assert cases.keys(rest) == CASE.keys(range(15))


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "page two",
        "-1",
        "١٢",
        "https://collector.example/api/v2/net_devices/?offset=10",
        "https://www.us0.cradlepointecm.com/api/v2/routers/?offset=10",
    ],
)
async def test_cursor_that_fits_no_longer_begins_anew(cursor: str) -> None:
    async with cases.reading(CASE) as read:
        found = await read.pages("modems", cursor=cursor)
    assert cases.keys(found) == CASE.keys(LINES)
    assert {sent.host for sent in read.network.sent} == {"www.cradlepointecm.com"}


async def test_relative_next_address_is_followed() -> None:
    def relative(body: Any) -> None:
        if body["meta"]["next"]:
            body["meta"]["next"] = body["meta"]["next"].removeprefix(netcloud.SHARD)

    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.changed(relative), endpoint=api.USAGE_SAMPLES, times=99)
        assert cases.keys(await read.pages("usage")) == CASE.keys(LINES)


async def test_next_addresses_of_samples_keep_their_filters() -> None:
    async with cases.reading(CASE, lines=range(10)) as read:
        await read.pages("usage")
    asked = [query(sent) for sent in read.network.sent if api.path(api.USAGE_SAMPLES) in sent.url]
    assert [each.pop("offset", None) for each in asked] == [None, "10", "20"]
    assert asked[1] == asked[0]
    assert asked[2] == asked[0]


async def test_series_may_have_an_empty_page_before_its_end_but_not_for_ever() -> None:
    def emptied(body: Any) -> None:
        body["data"].clear()

    async with cases.reading(CASE, lines=range(10)) as read:
        read.stand.faults.next(simulation.changed(emptied), endpoint=api.USAGE_SAMPLES, after=1)
        assert cases.keys(await read.pages("usage")) == CASE.keys(range(10))

    many = [netcloud.sample(0, hours_ago=hours) for hours in range(1, 100)]
    stand = simulator_of(world.World(modems=[netcloud.modem(0)], usage=many))
    stand.faults.next(simulation.changed(emptied), endpoint=api.USAGE_SAMPLES, times=99)
    async with cases.reading(CASE, stand=stand) as read:
        with pytest.raises(errors.ResponseInvalid, match="one empty page after another"):
            await read.pages("usage")


async def test_series_that_leads_back_is_found_out() -> None:
    def back(body: Any) -> None:
        body["meta"]["next"] = f"{netcloud.SHARD}/api/v2/net_device_usage_samples/?net_device__in=1&offset=0"

    async with cases.reading(CASE, lines=range(10)) as read:
        read.stand.faults.next(simulation.changed(back), endpoint=api.USAGE_SAMPLES, times=99)
        with pytest.raises(errors.ResponseInvalid, match=r"leads back|same page twice"):
            await read.pages("usage")


def simulator_of(made: world.World) -> netcloud.Stand:
    return netcloud.Stand(made, settings=simulator.Settings(keys=netcloud.KEYS, host=netcloud.SHARD))
