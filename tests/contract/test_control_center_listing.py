"""A list that is sorted by its own changes, and moves while it is read."""

import logging
from collections import Counter
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors import errors, readings, simulation, walking
from collectors.control_center import listing, parse, simulator
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, control_center
from tests.contract.cases.control_center import CASE

EVERY = CASE.keys(range(25))


def fleet(lines: int = 25, **settings: Any) -> control_center.Stand:
    return control_center.account(map(control_center.device, range(lines)), **settings)


def changing(stand: simulator.Simulator, *numbers: int, **fields: object) -> Callable[[], None]:
    def act() -> None:
        for number in numbers:
            stand.change(stand.devices[number], **fields)

    return act


def rejections(pages: list[readings.Page]) -> list[readings.Rejection]:
    return [rejection for page in pages for rejection in page.rejected]


def times_seen(pages: list[readings.Page]) -> Counter[str]:
    return Counter(seen.provider_key for page in pages for seen in page.sightings)


async def test_list_that_stands_still_is_read_once() -> None:
    stand = fleet()
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("devices")
    assert set(times_seen(pages)) == EVERY
    assert stand.faults.seen("devices") == 3


async def test_device_that_slipped_over_a_border_is_found_on_the_next_pass() -> None:
    stand = fleet()
    stand.faults.next(simulation.first(changing(stand, 3)), after=1)
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("devices")
    slipped = identities.iccid(10)
    first_pass = {seen.provider_key for page in pages[:3] for seen in page.sightings}
    assert slipped not in first_pass
    assert times_seen(pages) == Counter(EVERY)
    assert stand.faults.seen("devices") == 6


async def test_devices_that_changed_before_they_were_read_cost_no_second_pass() -> None:
    stand = fleet()
    stand.faults.next(simulation.first(changing(stand, 20, 21)), after=1)
    async with cases.reading(CASE, stand=stand) as read:
        assert times_seen(await read.pages("devices")) == Counter(EVERY)
    assert stand.faults.seen("devices") == 3


async def test_change_of_many_devices_in_mid_sweep_costs_no_line() -> None:
    stand = fleet(45)
    everything = changing(stand, *range(45), status="DEACTIVATED")
    stand.faults.next(simulation.first(everything), after=2)
    async with cases.reading(CASE, stand=stand) as read:
        assert times_seen(await read.pages("devices")) == Counter(CASE.keys(range(45)))


async def test_list_that_moves_all_the_time_is_left_at_last_and_told_of() -> None:
    stand = fleet(45)
    moving = iter(range(200))

    def move() -> None:
        stand.change(stand.devices[next(moving) % 45])

    stand.faults.next(simulation.first(move), times=200)
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("devices")
    assert stand.faults.seen("devices") <= listing.MOST_PASSES * 6
    seen = times_seen(pages)
    assert max(seen.values()) == 1
    assert len(seen) == 45 or rejections(pages) == [listing.KEPT_MOVING]


async def test_list_that_brings_new_devices_with_every_pass_is_told_of() -> None:
    """Each pass is of other devices, and each shows one twice."""
    passes = iter(range(100))

    async def fetch(at: str) -> walking.Fetched[parse.Listed]:
        iccid = f"new{next(passes)}"
        rows = [parse.Device(iccid), parse.Device(iccid)]
        return walking.Fetched(parse.Listed(rows, 2, True, []), iccid.encode(), 2, None)

    steps = [step async for step in listing.walk(fetch)]
    assert len([row for step in steps for row in step.rows]) == listing.MOST_PASSES
    assert steps[-1].rejected == [listing.KEPT_MOVING]


async def test_list_that_alternates_between_two_pages_is_found_out() -> None:
    asked = []

    async def fetch(at: str) -> walking.Fetched[parse.Listed]:
        asked.append(at)
        rows = [parse.Device(f"{int(at) % 2}-{number}") for number in range(50)]
        page = parse.Listed(rows, 50, False, [])
        return walking.Fetched(page, at.encode(), 50, str(int(at) + 1))

    with pytest.raises(errors.ResponseInvalid, match="never ends"):
        [step async for step in listing.walk(fetch)]
    assert len(asked) < 100


@given(
    lines=st.integers(1, 40),
    size=st.integers(1, 10),
    moves=st.lists(st.tuples(st.integers(1, 12), st.integers(0, 39)), max_size=12),
)
@settings(max_examples=200, deadline=None)
async def test_no_line_is_lost_however_the_list_moves_during_its_first_pass(
    lines: int, size: int, moves: list[tuple[int, int]]
) -> None:
    order = [f"iccid{number}" for number in range(lines)]
    requests = 0

    async def fetch(at: str) -> walking.Fetched[parse.Listed]:
        nonlocal requests
        requests += 1
        for number in [line % lines for request, line in moves if request == requests <= lines // size]:
            order.append(order.pop(order.index(f"iccid{number}")))
        start = (int(at) - 1) * size
        rows = [parse.Device(iccid) for iccid in order[start : start + size]]
        is_last = start + size >= len(order)
        page = parse.Listed(rows, len(rows), is_last, [])
        body = f"{at}{rows}".encode()
        return walking.Fetched(page, body, len(rows), None if is_last else str(int(at) + 1))

    seen = [row.key async for step in listing.walk(fetch) for row in step.rows]
    assert sorted(seen) == sorted(order)


async def test_bad_row_is_counted_once_although_the_list_is_read_twice() -> None:
    stand = fleet()
    stand.devices[12].iccid = " "
    stand.faults.next(simulation.first(changing(stand, 3)), after=1)
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("devices")
    assert [rejection.reason for rejection in rejections(pages)] == ["blank"]
    assert len(times_seen(pages)) == 24


async def test_unknown_word_is_counted_once_although_the_list_is_read_twice() -> None:
    stand = fleet()
    stand.devices[2].status = "HYPERLOOPED"
    stand.faults.next(simulation.first(changing(stand, 2)), after=1)
    async with cases.reading(CASE, stand=stand) as read:
        pages = await read.pages("devices")
    assert [page.unmapped for page in pages if page.unmapped] == [{"HYPERLOOPED": 1}]


async def test_list_is_asked_for_as_documented() -> None:
    async with cases.reading(CASE, account_id="100020003") as read:
        await read.pages("devices")
    url = httpx.URL(read.network.sent[1].url)
    assert (url.host, url.path) == ("restapi19.att.com", "/rws/api/v1/devices")
    assert url.query.decode() == (
        "modifiedSince=2000-01-01T00%3A00%3A00%2B00%3A00&pageSize=10&pageNumber=2&accountId=100020003"
    )
    assert read.network.sent[1].method == "GET"


async def test_fifty_lines_a_page_are_asked_for_where_nothing_else_is_set() -> None:
    stand = fleet(120)
    async with cases.reading(CASE, stand=stand, page_size=50) as read:
        assert len(times_seen(await read.pages("devices"))) == 120
    assert stand.faults.seen("devices") == 3


async def test_old_date_that_is_refused_is_asked_again_with_a_year_and_told_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO)
    stand = fleet(oldest_days=365)
    stand.devices[0].modified_at = INSTANT - timedelta(days=900)
    async with cases.reading(CASE, stand=stand) as read:
        first, second = await read.pages("devices"), await read.pages("devices")
        stand.settings = simulator.Settings(username=control_center.USERNAME, api_key=control_center.API_KEY)
        whole = await read.pages("devices")
    assert set(times_seen(first)) == set(times_seen(second)) == CASE.keys(range(1, 25))
    assert [rejection.path for rejection in rejections(first)] == ["modifiedSince"]
    assert "365 days" in rejections(first)[0].reason
    assert set(times_seen(whole)) == EVERY
    assert not rejections(whole)
    said = [getattr(record, "action", "") for record in caplog.records if "Control Center" in record.message]
    assert said == ["list_cut_short", "list_whole"]


async def test_year_is_an_option_and_so_is_the_beginning() -> None:
    stand = fleet(oldest_days=250)
    async with cases.reading(CASE, stand=stand, list_days_at_most=250) as read:
        assert set(times_seen(await read.pages("devices"))) == EVERY
    stand = fleet(oldest_days=365)
    async with cases.reading(CASE, stand=stand, list_since=date(2026, 1, 1)) as read:
        assert set(times_seen(await read.pages("devices"))) == EVERY
    assert stand.faults.seen("devices") == 3


async def test_year_still_fits_a_while_after_the_sweep_began() -> None:
    stand = control_center.account(
        map(control_center.device, range(25)), lambda: INSTANT + timedelta(minutes=20), oldest_days=365
    )
    async with cases.reading(CASE, stand=stand) as read:
        assert set(times_seen(await read.pages("devices"))) == EVERY


async def test_recent_date_that_is_refused_is_not_asked_for_with_an_older_one() -> None:
    stand = fleet()
    stand.faults.next(simulator.refused(400, "10000099"))
    async with cases.reading(CASE, stand=stand) as read:
        with pytest.raises(errors.ResponseInvalid, match="answered 400"):
            await read.pages("changes", since=INSTANT)
    assert stand.faults.seen() == 1


async def test_date_that_is_refused_however_late_ends_the_sweep() -> None:
    stand = fleet(oldest_days=1)
    async with cases.reading(CASE, stand=stand) as read:
        with pytest.raises(errors.ResponseInvalid, match="answered 400 with error code 10000003"):
            await read.pages("devices")
    assert stand.faults.seen("devices") == 2


async def test_probe_reads_one_page() -> None:
    stand = fleet(25)
    async with cases.reading(CASE, stand=stand) as read:
        assert (await read.collector.probe()).lines is None
    async with cases.reading(CASE, stand=stand, page_size=50) as read:
        assert (await read.collector.probe()).lines == 25
    assert stand.faults.seen() == 2


async def test_changes_are_those_since_the_last_sweep_with_a_day_over() -> None:
    stand = fleet()
    stand.devices[4].modified_at = INSTANT - timedelta(hours=20)
    stand.devices[5].modified_at = INSTANT - timedelta(hours=40)
    stand.devices[6].modified_at = INSTANT - timedelta(hours=60)
    async with cases.reading(CASE, stand=stand) as read:
        since_day = await read.pages("changes", since=INSTANT - timedelta(hours=24))
        first_time = await read.pages("changes")
        short = await read.pages("changes", since=INSTANT - timedelta(hours=24))
    assert set(times_seen(since_day)) == {identities.iccid(4), identities.iccid(5)}
    assert set(times_seen(first_time)) == {identities.iccid(4)}
    assert set(times_seen(short)) == set(times_seen(since_day))
    (state,) = first_time[0].sightings[0].states
    assert (state.starts_at, state.status) == (INSTANT, readings.LineStatus.ACTIVE)
    asked = [httpx.URL(sent.url).params["modifiedSince"] for sent in read.network.sent]
    assert asked[0] == "2026-11-19T18:00:00+00:00"


async def test_overlap_of_changes_is_an_option() -> None:
    async with cases.reading(CASE, changes_overlap_hours=2) as read:
        await read.pages("changes", since=INSTANT - timedelta(hours=1))
    assert "modifiedSince=2026-11-21T15%3A00%3A00%2B00%3A00" in read.network.sent[0].url
