"""What a live ThingSpace may do beyond its documentation."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from collectors import errors, simulation
from collectors.thingspace import answers, parse, world
from tests.contract import cases, sweeps
from tests.contract.cases import INSTANT, LINES, thingspace

CASE = thingspace.CASE
SINCE = INSTANT - timedelta(days=2)
GROUPS = pytest.mark.parametrize("group", ["devices", "usage", "connections"])
HISTORIES = pytest.mark.parametrize(
    ("group", "rows", "field"),
    [("usage", "usageHistory", "timestamp"), ("connections", "connectionHistory", "occurredAt")],
)
NEVER_SET = ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"]


def changed(change: Any) -> simulation.Fault:
    return simulation.changed(change)


def device_id(row: Any) -> str:
    found: str = next(told["value"] for told in row["extendedAttributes"] if told["key"] == "DeviceId")
    return found


async def unknown(call: simulation.Call) -> web.Response:
    return answers.refused("REQUEST_FAILED.DeviceNotFound")


def listed(**fields: object) -> parse.Devices:
    row = answers.device(thingspace.line(1)) | fields
    return parse.Parser().devices(
        msgspec.json.encode({"hasMoreData": False, "devices": [row]}), instant=INSTANT
    )


@GROUPS
async def test_sweep_is_taken_up_after_any_page(group: str) -> None:
    async with cases.reading(CASE) as read:
        assert await sweeps.check_taken_up_anywhere(read, group, SINCE) == 3


@GROUPS
async def test_sweeps_side_by_side_do_not_mix(group: str) -> None:
    async with cases.reading(CASE) as read:
        await sweeps.check_side_by_side(read, group, SINCE)


@GROUPS
async def test_sweep_that_is_stopped_leaves_the_collector_fit(group: str) -> None:
    async with cases.reading(CASE) as read:
        await sweeps.check_stopped_in_the_midst(read, group, SINCE)


async def test_session_that_ends_under_sweeps_side_by_side_is_opened_again_once() -> None:
    async with cases.reading(CASE) as read:
        await read.pages("devices")
        read.stand.forget_sessions()  # type: ignore[attr-defined]
        await asyncio.gather(*(read.pages(group) for group in ("devices", "usage", "connections")))
        assert read.stand.faults.seen("login") == 2


@pytest.mark.parametrize("date", [*NEVER_SET, "2027-05-01T00:00:00Z"])
def test_connection_date_that_cannot_be_is_no_last_sight_and_is_counted(date: str) -> None:
    page = listed(connected=False, lastConnectionDate=date)
    assert (page.sightings[0].last_seen_at, page.sightings[0].last_seen_by) == (None, None)
    assert page.unmapped == {parse.BAD_DATE: 1}


def test_connection_a_moment_ahead_of_our_clock_is_seen() -> None:
    page = listed(connected=False, lastConnectionDate="2026-11-21T13:00:30.1234567-05:00")
    assert page.sightings[0].last_seen_at == datetime(2026, 11, 21, 18, 0, 30, 123_456, tzinfo=UTC)


@HISTORIES
@pytest.mark.parametrize("date", NEVER_SET)
async def test_history_of_no_time_is_rejected_by_itself(group: str, rows: str, field: str, date: str) -> None:
    async with cases.reading(CASE, lines=range(1)) as read:
        read.stand.faults.next(changed(lambda body: body[rows][1].update({field: date})), endpoint=group)
        (page,) = await read.pages(group, since=SINCE)
    assert ("a time that cannot be", True) in {
        (bad.reason, bad.path.startswith(f"{rows}[1]")) for bad in page.rejected
    }
    assert all(used.starts_at.year == 2026 for used in page.sightings[0].usage)


@HISTORIES
async def test_device_that_did_nothing_may_come_with_null(group: str, rows: str, field: str) -> None:
    async with cases.reading(CASE) as read:
        nothing = changed(lambda body: body.update({rows: None}))
        read.stand.faults.next(nothing, endpoint=group, times=99)
        pages = await read.pages(group, since=SINCE)
    assert cases.keys(pages) == CASE.keys(LINES)
    assert sweeps.told(pages) == {}
    assert not [bad for page in pages for bad in page.rejected]


@pytest.mark.parametrize("group", ["usage", "connections"])
async def test_many_lines_out_of_service_may_have_no_history(group: str) -> None:
    """Lines that were bought together stand together in the list, and go out of service together."""
    shown = world.StaticWorld(thingspace.line(number, states=("deactive",)) for number in LINES)
    stand = thingspace.Stand(shown, lambda: INSTANT, settings=thingspace.SETTINGS)
    async with cases.reading(CASE, stand=stand) as read:
        stand.faults.next(unknown, endpoint=group, times=99)
        pages = await read.pages(group, since=SINCE)
    assert cases.keys(pages) == set()
    assert {bad.reason for page in pages for bad in page.rejected} == {"the vendor does not know this line"}
    assert sum(len(page.rejected) for page in pages) == len(LINES)
    assert [page.cursor for page in pages] == ["30000010", "30000020", "30000025"]


@pytest.mark.parametrize("group", ["usage", "connections"])
async def test_lines_in_service_that_all_have_no_history_end_the_sweep(group: str) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(unknown, endpoint=group, times=99)
        with pytest.raises(errors.NotFound, match="DeviceNotFound"):
            await read.pages(group, since=SINCE)


@pytest.mark.parametrize("number", ["9" * 19, "9" * 5000])
async def test_device_id_that_is_too_long_to_be_one_is_none(number: str) -> None:
    def lengthen(body: Any) -> None:
        body["devices"][-1]["extendedAttributes"] = [{"key": "DeviceId", "value": number}]

    async with cases.reading(CASE) as read:
        read.stand.faults.next(changed(lengthen), times=99)
        with pytest.raises(errors.ResponseInvalid, match="DeviceId"):
            await read.pages("devices")
        read.stand.faults.clear()
        assert cases.keys(await read.pages("devices", cursor=number)) == CASE.keys(LINES)


async def test_list_that_is_sorted_as_text_ends_the_sweep() -> None:
    """With 9 behind 10 the list goes on behind 9, or never tells of what is between."""
    shown = world.StaticWorld(thingspace.line(number, device_id=number + 1) for number in LINES)
    stand = thingspace.Stand(shown, lambda: INSTANT, settings=thingspace.SETTINGS)
    as_text = changed(lambda body: body["devices"].sort(key=lambda row: str(device_id(row))))
    async with cases.reading(CASE, stand=stand) as read:
        assert cases.keys(await read.pages("devices")) == {str(number + 1) for number in LINES}
        stand.faults.next(as_text, times=99)
        with pytest.raises(errors.ResponseInvalid, match="not sorted by DeviceId"):
            await read.pages("devices")


async def test_accepted_without_a_body_is_no_empty_account() -> None:
    async def accepted(call: simulation.Call) -> web.Response:
        return web.Response(status=202)

    async with cases.reading(CASE) as read:
        read.stand.faults.next(accepted, times=99)
        with pytest.raises(errors.ResponseInvalid, match="answered nothing"):
            await read.pages("devices")


def test_identifiers_that_no_machine_number_holds_keep_their_digits() -> None:
    iccid = 89148000000800139708  # more than 64 bits
    page = listed(deviceIds=[{"id": iccid, "kind": "ICCID"}], extendedAttributes=None)
    assert page.sightings[0].provider_key == f"iccid:{iccid}"
    assert page.lines[0].asked_by.kind == "ICCID"
