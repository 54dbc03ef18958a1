"""The list of devices: 202 says that there is more, and the last DeviceId where it goes on."""

import msgspec
import pytest
from aiohttp import web

from collectors import errors, readings, registry, simulation
from collectors.thingspace import world
from tests.contract import cases
from tests.contract.cases import LINES, Row, thingspace

CASE = thingspace.CASE


def without_device_ids(rows: list[Row]) -> None:
    for row in rows:
        row["extendedAttributes"] = [
            attribute for attribute in row["extendedAttributes"] if attribute["key"] != "DeviceId"
        ]


def rows_of(stand: thingspace.Stand) -> list[world.Line]:
    assert isinstance(stand.world, world.StaticWorld)
    return stand.world.rows


def asked(read: cases.Reading) -> list[object]:
    return [
        msgspec.json.decode(sent.body)
        for sent in read.network.sent
        if sent.url.endswith("/m2m/v1/devices/actions/list")
    ]


async def test_list_is_asked_for_by_the_largest_device_id_seen_and_nothing_more() -> None:
    """No page size is asked for; the account keeps its leading zeros."""
    async with cases.reading(CASE) as read:
        found = await read.pages("devices")
        first = thingspace.FIRST_ID
        assert asked(read) == [
            {"accountName": "0000123456-00001", "largestDeviceIdSeen": seen}
            for seen in (0, first + 9, first + 19)
        ]
    assert [page.cursor for page in found] == [str(first + 9), str(first + 19), str(first + 24)]
    assert [page.total for page in found] == [None, None, None]


async def test_without_an_account_every_line_of_the_user_is_listed() -> None:
    async with cases.reading(CASE, account_name=None, first_device_id=7) as read:
        await read.pages("devices")
        assert asked(read)[0] == {"largestDeviceIdSeen": 7}


@pytest.mark.parametrize("account", [123456, 123456.1])
def test_account_that_lost_its_zeros_as_a_number_is_refused(account: object) -> None:
    with pytest.raises(errors.OptionsInvalid, match=r"options\.account_name: expected str"):
        registry.validate("thingspace", {"account_name": account})


async def test_account_that_does_not_exist_is_told() -> None:
    async with cases.reading(CASE, account_name="123456-00001") as read:
        with pytest.raises(errors.NotFound, match="account_name"):
            await read.pages("devices")


@pytest.mark.parametrize("status", [200, 202])
async def test_either_sign_of_more_data_is_followed(status: int) -> None:
    """The status and the body agree in the documentation; a list is not cut short where they do not."""

    async def disagreeing(call: simulation.Call) -> web.Response:
        response = await call.reply()
        assert isinstance(response, web.Response)
        assert isinstance(response.body, bytes)
        body = msgspec.json.decode(response.body) | {"hasMoreData": status == 200}
        return simulation.answer(body, status=status)

    async with cases.reading(CASE) as read:
        read.stand.faults.next(disagreeing)
        assert cases.keys(await read.pages("devices")) == CASE.keys(LINES)


async def test_page_that_does_not_tell_where_the_list_goes_on_fails_the_run() -> None:
    async with cases.reading(CASE) as read:
        fault = simulation.changed(lambda body: without_device_ids(body["devices"][-1:]))
        read.stand.faults.next(fault, after=1, times=99)
        with pytest.raises(errors.ResponseInvalid, match="DeviceId"):
            await read.pages("devices")
        assert read.stand.faults.seen("devices") == 2


async def test_last_page_needs_no_device_id() -> None:
    async with cases.reading(CASE, lines=range(3)) as read:
        fault = simulation.changed(lambda body: without_device_ids(body["devices"]))
        read.stand.faults.next(fault, times=2)
        (page,) = await read.pages("devices")
        probe = await read.collector.probe()
    assert [seen.provider_key for seen in page.sightings] == [
        f"iccid:{seen.iccid}" for seen in page.sightings
    ]
    assert page.cursor is None
    assert [doubt.path for doubt in probe.rejected] == ["devices.extendedAttributes"]


async def test_probe_of_one_page_counts_and_of_several_does_not_guess() -> None:
    async with cases.reading(CASE, lines=range(10)) as read:
        assert (await read.collector.probe()).lines == 10
    async with cases.reading(CASE, lines=range(11)) as read:
        assert (await read.collector.probe()).lines is None


async def test_lines_that_go_away_while_paging_cost_no_other_line() -> None:
    stand = thingspace.stand(LINES)
    rows = rows_of(stand)
    stand.faults.next(simulation.first(lambda: rows.__delitem__(slice(0, 4))), after=1)
    async with cases.reading(CASE, stand=stand) as read:
        assert cases.keys(await read.pages("devices")) == CASE.keys(LINES)


async def test_lines_that_come_while_paging_cost_no_other_line() -> None:
    stand = thingspace.stand(LINES)
    rows = rows_of(stand)
    stand.faults.next(simulation.first(lambda: rows.insert(0, thingspace.line(40))), after=1)
    async with cases.reading(CASE, stand=stand) as read:
        assert cases.keys(await read.pages("devices")) == CASE.keys(range(25)) | CASE.keys(range(40, 41))


@pytest.mark.parametrize("group", ["devices", "usage", "connections"])
async def test_interrupted_sweep_is_taken_up_after_its_last_page(group: str) -> None:
    async with cases.reading(CASE) as read:
        whole = await read.pages(group)
        rest = await read.pages(group, cursor=whole[1].cursor)
    assert rest == whole[2:]
    assert cases.keys(whole[:2]) | cases.keys(rest) == CASE.keys(LINES)


async def test_sweep_is_taken_up_after_its_last_cursor_without_a_line() -> None:
    async with cases.reading(CASE) as read:
        whole = await read.pages("devices")
        assert cases.keys(await read.pages("devices", cursor=whole[-1].cursor)) == set()


@pytest.mark.parametrize("cursor", ["", "x", "-5", "²", "1:2"])
async def test_cursor_that_is_no_device_id_begins_anew(cursor: str) -> None:
    async with cases.reading(CASE) as read:
        assert cases.keys(await read.pages("devices", cursor=cursor)) == CASE.keys(LINES)


@pytest.mark.parametrize("group", ["usage", "connections"])
async def test_every_group_names_a_line_alike(group: str) -> None:
    async with cases.reading(CASE) as read:
        listed = await read.pages("devices")
        found = await read.pages(group)

    def named(pages: list[readings.Page]) -> set[tuple[str | None, ...]]:
        return {
            (seen.provider_key, seen.mdn, seen.iccid, seen.imei) for page in pages for seen in page.sightings
        }

    assert named(found) == named(listed)


def test_groups_tell_what_a_sweep_costs() -> None:
    collector = registry.COLLECTORS["thingspace"]
    groups = {group.name: group for group in collector.groups(registry.validate("thingspace", {}))}
    assert {name: group.requests(3000) for name, group in groups.items()} == {
        "devices": 2,
        "usage": 3002,
        "connections": 3002,
    }
    assert [group.lists_lines for group in groups.values()] == [True, False, False]
    assert [group.overlaps for group in groups.values()] == [False, True, True]
    assert [group.priority for group in groups.values()] == [0, 1, 2]
    assert collector.lag_days == 2
