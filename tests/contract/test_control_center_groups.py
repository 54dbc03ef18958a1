"""What is asked line by line: usage of the cycle, and the last session."""

import asyncio
from collections.abc import AsyncGenerator
from datetime import timedelta
from typing import Any

import httpx
import pytest

from collectors import budget, errors, readings, registry, simulation
from collectors.base import Sweep
from collectors.control_center import order, simulator
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, control_center
from tests.contract.cases.control_center import CASE


def fleet(lines: int = 25, **settings: Any) -> control_center.Stand:
    return control_center.account(map(control_center.device, range(lines)), **settings)


def sightings(pages: list[readings.Page]) -> dict[str, readings.Sighting]:
    return {seen.provider_key: seen for page in pages for seen in page.sightings}


def rejections(pages: list[readings.Page]) -> list[readings.Rejection]:
    return [rejection for page in pages for rejection in page.rejected]


async def test_usage_tells_identifiers_status_and_counter_of_every_line() -> None:
    stand = fleet()
    stand.devices[3].imei = ""
    async with cases.reading(CASE, stand=stand) as read:
        found = sightings(await read.pages("usage"))
    assert set(found) == CASE.keys(range(25))
    seven = found[identities.iccid(7)]
    assert (seven.imei, seven.mdn) == (identities.imei(7), identities.mdn(7).removeprefix("+"))
    assert [(use.kind, use.series, use.starts_at, use.total_bytes) for use in seven.usage] == [
        ("counter", "cycle", INSTANT, 7_000_000)
    ]
    assert seven.states[0].raw_status == "ACTIVATED"
    assert found[identities.iccid(3)].imei is None
    assert found[identities.iccid(0)].usage[0].total_bytes == 0


async def test_counter_that_falls_is_handed_on_as_it_is() -> None:
    stand = fleet(1)
    async with cases.reading(CASE, stand=stand) as read:
        totals = []
        for hours, total in ((0, 900), (6, 1000), (12, 40)):
            stand.devices[0].data_bytes = total
            pages = await read.pages("usage", instant=INSTANT + timedelta(hours=hours))
            totals += [use.total_bytes for page in pages for seen in page.sightings for use in seen.usage]
    assert totals == [900, 1000, 40]


async def test_sessions_tell_who_is_online_and_who_was_last() -> None:
    stand = fleet(3)
    stand.devices[1].ended_at = INSTANT - timedelta(minutes=10)
    stand.devices[2].started_at = None
    async with cases.reading(CASE, stand=stand) as read:
        found = sightings(await read.pages("sessions"))
    began = INSTANT - timedelta(hours=1)
    on, off, never = (found[identities.iccid(number)] for number in range(3))
    assert (on.sessions, on.states[0].is_online, on.last_seen_at) == (
        (readings.Session(began),),
        True,
        INSTANT,
    )
    assert off.sessions == (readings.Session(began, INSTANT - timedelta(minutes=10)),)
    assert (off.states[0].is_online, off.last_seen_at) == (False, INSTANT - timedelta(minutes=10))
    assert (never.sessions, never.states[0].is_online, never.last_seen_at) == ((), False, None)
    assert {seen.states[0].status for seen in found.values()} == {None}


@pytest.mark.parametrize("group", ["changes", "devices", "usage", "sessions"])
async def test_every_group_names_a_line_by_its_iccid(group: str) -> None:
    async with cases.reading(CASE) as read:
        pages = await read.pages(group, since=INSTANT - timedelta(days=300))
    found = sightings(pages)
    assert set(found) == CASE.keys(range(25))
    assert all(seen.iccid == key for key, seen in found.items())


@pytest.mark.parametrize(("group", "endpoint"), [("usage", "usage"), ("sessions", "sessions")])
async def test_requests_of_a_sweep_are_as_planned(group: str, endpoint: str) -> None:
    stand = fleet(25)
    async with cases.reading(CASE, stand=stand) as read:
        await read.pages(group)
        assert stand.faults.seen() == read.group(group).requests(25) == 28
    assert stand.faults.seen(endpoint) == 25


@pytest.mark.parametrize("group", ["usage", "sessions"])
async def test_one_request_is_under_way_at_a_time(group: str) -> None:
    stand = fleet(12, seconds=0.002)
    async with cases.reading(CASE, stand=stand) as read:
        await read.pages(group)
    assert stand.busiest == 1


async def test_two_accounts_of_one_user_wait_for_each_other() -> None:
    stand = fleet(6, seconds=0.002)
    async with simulation.serve(stand) as url:
        budgets = budget.LocalBudgets()
        options = {"base_url": url, "requests_per_second": 10_000}
        collectors = [
            registry.build("control_center", {**options, **further}, CASE.credentials, budgets=budgets)
            for further in ({}, {"account_id": stand.settings.account_id})
        ]
        sweeps = [
            consumed(collector.pages(group, Sweep(INSTANT)))
            for collector in collectors
            for group in collector.endpoint_groups
        ]
        found = await asyncio.gather(*sweeps)
        for collector in collectors:
            await collector.aclose()
    assert [len(sightings(pages)) for pages in found] == [0, 6, 6, 6] * 2
    assert stand.busiest == 1


async def consumed(pages: AsyncGenerator[readings.Page, None]) -> list[readings.Page]:
    return [page async for page in pages]


@pytest.mark.parametrize("group", ["usage", "sessions"])
async def test_sweep_that_was_interrupted_goes_on_although_the_list_moved(group: str) -> None:
    stand = fleet(130)
    async with cases.reading(CASE, stand=stand, page_size=50) as read:
        first, *_ = await read.pages(group)
        for number in (1, 30, 77):
            stand.change(stand.devices[number])
        stand.faults.clear()
        before = stand.faults.seen(group)
        rest = await read.pages(group, cursor=first.cursor)
    assert set(sightings([first, *rest])) == CASE.keys(range(130))
    assert stand.faults.seen(group) - before == 80


async def test_sweep_that_had_been_read_to_its_end_asks_for_no_line_again() -> None:
    stand = fleet(25)
    async with cases.reading(CASE, stand=stand) as read:
        *_, last = await read.pages("usage")
        assert await read.pages("usage", cursor=last.cursor) == []
    assert stand.faults.seen("usage") == 25


@pytest.mark.parametrize("cursor", ["", "3:10", "zzzzzzzzzzzzzzzz", identities.iccid(3)])
async def test_cursor_that_does_not_fit_begins_anew(cursor: str) -> None:
    async with cases.reading(CASE) as read:
        assert set(sightings(await read.pages("usage", cursor=cursor))) == CASE.keys(range(25))


async def test_cursor_holds_no_identifier() -> None:
    async with cases.reading(CASE) as read:
        pages = await read.pages("usage")
    for page in pages:
        assert page.cursor is not None
        assert order.PLACE.fullmatch(page.cursor)
        assert not any(page.cursor in iccid or iccid in page.cursor for iccid in CASE.keys(range(25)))


@pytest.mark.parametrize(
    ("fault", "reason"),
    [
        (simulator.refused(404, simulator.NO_SUCH_DEVICE), "the vendor does not know this line"),
        (simulator.refused(400, "10000099"), "answered 400 with error code 10000099"),
        (simulation.changed(lambda body: body.update(ctdDataUsage="much")), "ctdDataUsage: expected int"),
        (simulation.changed(lambda body: body.update(iccid="1")), "of another line than was asked for"),
    ],
    ids=["unknown", "refused", "wrong type", "another line"],
)
async def test_line_that_cannot_be_read_spoils_no_other(fault: simulation.Fault, reason: str) -> None:
    stand = fleet(25)
    stand.faults.next(fault, endpoint="usage", after=4)
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("usage")
    assert len(sightings(pages)) == 24
    (rejection,) = rejections(pages)
    assert rejection.path == "ctdUsages[4]"
    assert reason in rejection.reason


async def test_bad_row_of_the_list_is_told_with_the_usage() -> None:
    stand = fleet(25)
    stand.devices[2].iccid = ""
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("usage")
    assert [rejection.path for rejection in rejections(pages)] == ["devices[2].iccid"]
    assert len(sightings(pages)) == 24


async def test_all_lines_refused_end_the_sweep() -> None:
    stand = fleet(25)
    stand.faults.next(simulator.refused(403, "10000050"), endpoint="usage", times=99)
    async with cases.reading(CASE, stand=stand) as read:
        with pytest.raises(errors.PermissionDenied, match="403 with error code 10000050: ask for a role"):
            await read.pages("usage")
    assert stand.faults.seen("usage") == 1


async def test_throttling_in_the_midst_of_a_page_costs_no_line() -> None:
    stand = fleet(25)
    stand.faults.next(simulator.refused(403, simulator.TOO_MANY), endpoint="usage", after=3, times=2)
    async with cases.reading(CASE, stand=stand) as read:
        assert len(sightings(await read.pages("usage"))) == 25


async def test_lines_over_their_limit_say_so_in_their_state() -> None:
    stand = fleet(25)
    stand.devices[2].is_over_limit = True
    async with cases.reading(CASE, stand=stand) as read:
        seen = sightings(await read.pages("usage"))
    over = {
        sighting.iccid for sighting in seen.values() for state in sighting.states if state.is_limit_reached
    }
    assert over == {stand.devices[2].iccid}


@pytest.mark.parametrize(
    ("group", "call", "fields"),
    [
        ("usage", "ctdUsages", "iccid,msisdn,imei,status,ctdDataUsage,overageLimitReached"),
        ("sessions", "sessionInfo", "iccid,dateSessionStarted,dateSessionEnded"),
    ],
)
async def test_fewer_fields_are_asked_for_where_the_option_says_so(
    group: str, call: str, fields: str
) -> None:
    async with cases.reading(CASE, partial_responses=True) as read:
        fewer = await read.pages(group)
        (url,) = {httpx.URL(sent.url).copy_with(path="/") for sent in read.network.sent if call in sent.url}
        assert url.params["fields"] == fields
    async with cases.reading(CASE) as read:
        assert await read.pages(group) == fewer
        assert not any("fields" in sent.url for sent in read.network.sent)


async def test_iccid_cannot_lead_to_another_address() -> None:
    stand = fleet(2)
    stand.devices[0].iccid = "1/../../x?y=z"
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("usage")
    asked = [httpx.URL(sent.url).raw_path for sent in read.network.sent if "ctdUsages" in sent.url]
    assert b"/rws/api/v1/devices/1%2F..%2F..%2Fx%3Fy%3Dz/ctdUsages" in asked
    assert identities.iccid(1) in sightings(pages)


async def test_lines_are_listed_before_they_are_asked_so_that_the_list_does_not_move_on() -> None:
    stand = fleet(25)

    def move() -> None:
        stand.change(stand.devices[0])

    stand.faults.next(simulation.first(move), endpoint="usage", times=25)
    async with cases.reading(CASE, stand=stand) as read:
        assert set(sightings(await read.pages("usage"))) == CASE.keys(range(25))
    assert stand.faults.seen("devices") == 3
