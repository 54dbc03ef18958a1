"""What Google may do beside what it documents: every group taken up anywhere, at once, in odd clocks and numbers."""

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from collectors import errors, readings, simulation
from collectors.google_workspace import options, parse, simulator
from tests.contract import cases
from tests.contract.cases import INSTANT, PRIVATE
from tests.contract.cases import google_workspace as google
from tests.contract.cases.google_workspace import CASE

GROUPS = ("devices", "telemetry")
HOUR = timedelta(hours=1)

every_group = pytest.mark.parametrize("group", GROUPS)


def listed(**fields: Any) -> parse.List:
    row = {"deviceId": "a"} | fields
    body = {"kind": "admin#directory#chromeosdevices", "chromeosdevices": [row, {"deviceId": "b"}]}
    parser = parse.Parser(msgspec.convert(google.OPTIONS, options.Options))
    return parser.devices(msgspec.json.encode(body), instant=INSTANT)


def reported(*reports: dict[str, Any]) -> parse.List:
    body = {"devices": [{"deviceId": "a", "networkStatusReport": reports}]}
    parser = parse.Parser(msgspec.convert(google.OPTIONS, options.Options))
    return parser.telemetry(msgspec.json.encode(body), since=INSTANT - 72 * HOUR, instant=INSTANT)


@every_group
async def test_sweep_is_taken_up_after_any_page_and_reads_the_same(group: str) -> None:
    async with cases.reading(CASE) as read:
        whole = await read.pages(group)
        for at, page in enumerate(whole[:-1], start=1):
            assert await read.pages(group, cursor=page.cursor) == whole[at:]
    assert len(whole) == 3


async def test_sweeps_at_once_on_one_collector_do_not_mix() -> None:
    async with cases.reading(CASE) as read:
        alone = [await read.pages(group) for group in GROUPS]
        assert await asyncio.gather(*map(read.pages, GROUPS * 2)) == alone * 2


async def test_sweeps_at_once_sign_in_once_for_each_scope() -> None:
    async with cases.reading(CASE) as read:
        await asyncio.gather(*map(read.pages, GROUPS * 3))
        assert read.stand.faults.seen("token") == 2


@every_group
async def test_sweep_that_was_cancelled_leaves_the_collector_fit(group: str) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.hang, endpoint=group, after=1)
        task = asyncio.create_task(read.pages(group))
        await asyncio.sleep(0.15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(cases.keys(await read.pages(group))) == 25


async def test_sign_in_that_was_cancelled_is_no_obstacle_to_the_next() -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.hang, endpoint="token")
        task = asyncio.create_task(read.pages("devices"))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(cases.keys(await read.pages("devices"))) == 25


@every_group
@pytest.mark.parametrize("lines", [1, 10, 20])
async def test_full_pages_are_followed_by_none_that_is_empty(group: str, lines: int) -> None:
    async with cases.reading(CASE, lines=range(lines)) as read:
        pages = await read.pages(group)
    assert [len(page.student_devices) for page in pages] == [min(lines, 10)] * len(pages)
    assert len(cases.keys(pages)) == lines
    assert pages[-1].cursor is None


@pytest.mark.parametrize("away", [-2 * HOUR, timedelta(days=-40), timedelta(days=31), timedelta(days=400)])
async def test_telemetry_reaches_back_before_the_sweep_whenever_the_last_one_was(away: timedelta) -> None:
    async with cases.reading(CASE) as read:
        pages = await read.pages("telemetry", since=INSTANT - away)
        asked = [dict(httpx.URL(sent.url).params) for sent in read.network.sent if "filter" in sent.url]
    since = datetime.fromisoformat(asked[0]["filter"].partition('"')[2].rstrip('"'))
    assert 72 * HOUR <= INSTANT - since <= timedelta(days=14)
    assert len(cases.keys(pages)) == 25


@pytest.mark.parametrize("at", ["2026-11-24T12:00:00Z", "9999-12-31T23:59:59-05:00"])
def test_sync_in_the_future_is_not_believed_and_told(at: str) -> None:
    page = listed(lastSync=at, lastKnownNetwork=[{"wanIpAddress": google.SCHOOL}], status="ACTIVE")
    first, other = page.devices
    assert (first.device_key, first.last_seen_at, first.last_seen_by, first.whereabouts) == (
        "a",
        None,
        None,
        (),
    )
    assert first.is_in_service
    assert other.device_key == "b"
    [rejection] = page.rejected
    assert "lastSync" in rejection.path
    assert at not in f"{rejection.path} {rejection.reason}"


def test_sync_by_a_clock_that_is_a_little_ahead_is_believed() -> None:
    [device, _] = listed(lastSync="2026-11-21T18:20:00.5Z").devices
    assert device.last_seen_at == INSTANT + timedelta(minutes=20, seconds=0.5)


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+05:00", "1970-01-01T00:00:00Z"])
def test_sync_at_the_beginning_of_time_spoils_no_page(at: str) -> None:
    page = listed(lastSync=at, lastKnownNetwork=[{"wanIpAddress": google.SCHOOL}])
    assert [device.whereabouts for device in page.devices] == [(), ()]
    assert page.devices[0].last_seen_by is readings.LastSeenBy.POLICY_SYNC


@pytest.mark.parametrize(
    ("active", "seconds"),
    [(0, 0), (999, 0), (59_999, 59), (25 * 3_600_000, 90_000)],
)
def test_active_time_is_milliseconds(active: int, seconds: int) -> None:
    page = listed(activeTimeRanges=[{"date": "2026-11-01", "activeTime": active}])
    assert page.devices[0].active_days == (readings.ActiveDay(date(2026, 11, 1), seconds),)


def test_day_without_its_time_is_unknown_not_zero() -> None:
    page = listed(activeTimeRanges=[{"date": "2026-11-01"}])
    assert [device.device_key for device in page.devices] == ["b"]
    assert [bad.path for bad in page.rejected] == ["chromeosdevices[0].activeTimeRanges[0].activeTime"]
    assert listed(activeTimeRanges=[]).devices[0].active_days == ()


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("::ffff:198.51.100.17", readings.Place.AT_SCHOOL),
        (" 198.51.100.17 ", readings.Place.AT_SCHOOL),
        ("198.51.100.17:443", readings.Place.UNKNOWN),
        ("198.51.100.0/24", readings.Place.UNKNOWN),
        ("0198.51.100.17", readings.Place.UNKNOWN),
        ("2001:db8:100::1%eth0", readings.Place.UNKNOWN),
        ("\x00", readings.Place.UNKNOWN),
        ("198.51.100.17,203.0.113.77", readings.Place.UNKNOWN),
    ],
)
def test_address_that_is_none_is_no_place_and_no_fault(address: str, place: readings.Place) -> None:
    page = listed(lastSync="2026-11-21T17:00:00Z", lastKnownNetwork=[{"wanIpAddress": address}])
    assert [seen.place for seen in page.devices[0].whereabouts] == [place]
    assert page.rejected == []
    assert address.strip() not in repr(page) or address == "\x00"


def test_report_that_is_sent_again_is_one_reading() -> None:
    report = google.report(2, gatewayIpAddress=google.SCHOOL)
    [device] = reported(report, report, report | {"guid": "another"}).devices
    assert device.whereabouts == (readings.Whereabouts(INSTANT - 2 * HOUR, readings.Place.AT_SCHOOL),)


def test_reports_that_disagree_at_one_instant_tell_no_place() -> None:
    [device] = reported(
        google.report(2, gatewayIpAddress=google.SCHOOL), google.report(2, gatewayIpAddress=PRIVATE["ip"])
    ).devices
    assert [seen.place for seen in device.whereabouts] == [readings.Place.UNKNOWN]


@every_group
@pytest.mark.parametrize("reason", ["userRateLimitExceeded", "quotaExceeded"])
async def test_quota_that_is_used_up_for_good_is_throttling_not_a_lack_of_rights(
    group: str, reason: str
) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulator.throttled(reason), endpoint=group, after=1, times=99)
        with pytest.raises(errors.RateLimited, match="lower requests_per_second"):
            await read.pages(group)


@every_group
async def test_readings_are_of_students_devices_and_never_of_lines(group: str) -> None:
    async with cases.reading(CASE) as read:
        pages = await read.pages(group)
    assert not [line for page in pages for line in page.sightings]
    assert not [each for page in pages for each in page.groups]
