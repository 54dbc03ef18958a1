"""What NetCloud may do beside what it documents: every group taken up anywhere, at once, in odd clocks and numbers."""

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import msgspec
import pytest

from collectors import base, errors, readings, simulation
from collectors.netcloud import api, options, parse, world
from tests.contract import cases
from tests.contract.cases import INSTANT, netcloud
from tests.contract.cases.netcloud import CASE

GROUPS = ("modems", "usage", "signal", "states")
ENDPOINTS = (api.NET_DEVICES, api.USAGE_SAMPLES, api.METRICS, api.STATE_SAMPLES)
OF_GROUP = dict(zip(GROUPS, ENDPOINTS, strict=True))
HOUR = timedelta(hours=1)
DENVER = timezone(-7 * HOUR)

every_group = pytest.mark.parametrize("group", GROUPS)


def reading(lines: range = range(25), **given: Any) -> Any:
    stand = netcloud.stand(lines)
    stand.world.states += [
        world.StateSample(
            router=netcloud.router(number).id, created_at=INSTANT - HOUR, key=f"s{number}", state="online"
        )
        for number in lines
    ]
    return cases.reading(CASE, stand=stand, read_state_samples=True, **given)


def parser() -> parse.Parser:
    return parse.Parser(msgspec.convert({"device_kind": "fixed_router"}, options.Options))


def usage_page(**fields: Any) -> bytes:
    row = {
        "net_device": f"{netcloud.SHARD}/api/v2/net_devices/7/",
        "bytes_in": 1,
        "bytes_out": 2,
        "period": 3600.0,
        "uptime": 3600.0,
        "created_at": "2026-11-21T17:00:00Z",
        "created_at_timeuuid": "a",
    } | fields
    kept = {name: value for name, value in row.items() if value is not ...}
    return msgspec.json.encode({"data": [kept], "meta": {"next": None}})


def instants(pages: list[readings.Page]) -> list[datetime]:
    lines = [line for page in pages for line in page.sightings]
    told = [usage.starts_at for line in lines for usage in line.usage]
    told += [state.starts_at for line in lines for state in line.states]
    told += [signal.starts_at for line in lines for signal in line.signals]
    told += [usage.ends_at for line in lines for usage in line.usage if usage.ends_at]
    return told + [line.last_seen_at for line in lines if line.last_seen_at]


@every_group
async def test_sweep_is_taken_up_after_any_page_and_reads_the_same(group: str) -> None:
    async with reading() as read:
        whole = await read.pages(group)
        for at, page in enumerate(whole[:-1], start=1):
            assert await read.pages(group, cursor=page.cursor) == whole[at:]
    assert len(whole) == 3


@every_group
async def test_sweeps_at_once_on_one_collector_do_not_mix(group: str) -> None:
    async with reading() as read:
        alone = await read.pages(group)
        assert await asyncio.gather(*(read.pages(each) for each in (group, "modems", group))) == [
            alone,
            await read.pages("modems"),
            alone,
        ]


@every_group
async def test_sweep_that_was_cancelled_leaves_the_collector_fit(group: str) -> None:
    async with reading() as read:
        read.stand.faults.next(simulation.hang, endpoint=OF_GROUP[group], after=1)
        task = asyncio.create_task(read.pages(group))
        await asyncio.sleep(0.1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(cases.keys(await read.pages(group))) == 25


@every_group
@pytest.mark.parametrize("lines", [1, 10, 20])
async def test_full_pages_are_followed_by_none_that_is_empty(group: str, lines: int) -> None:
    async with reading(range(lines)) as read:
        pages = await read.pages(group)
    assert [len(page.sightings) for page in pages] == [min(lines, 10)] * len(pages)
    assert len(cases.keys(pages)) == lines
    assert pages[-1].cursor is None


@every_group
async def test_instants_of_another_zone_are_told_in_utc(group: str) -> None:
    """The same reading of two zones must be one row, and rows are told apart by their text."""

    def change(body: Any) -> None:
        for row in body["data"]:
            for fields in (row, row.get("router")):
                for name in ("created_at", "update_ts", "state_updated_at"):
                    if isinstance(fields, dict) and name in fields:
                        fields[name] = datetime.fromisoformat(fields[name]).astimezone(DENVER).isoformat()
            if isinstance(row.get("router"), dict):
                row["router"]["state"] = "offline"

    async with reading() as read:
        read.stand.faults.next(simulation.changed(change), endpoint=None, times=99)
        pages = await read.pages(group)
    assert {at.tzinfo for at in instants(pages)} == {UTC}
    assert len(cases.keys(pages)) == 25


@pytest.mark.parametrize("group", ["usage", "signal", "states"])
@pytest.mark.parametrize("away", [-2 * HOUR, timedelta(days=-40), timedelta(days=31), timedelta(days=400)])
async def test_window_never_ends_before_it_begins_whenever_the_last_sweep_was(
    group: str, away: timedelta
) -> None:
    async with reading() as read:
        pages = await read.pages(group, since=INSTANT - away)
        asked = [dict(httpx.URL(sent.url).params) for sent in read.network.sent]
    windows = [each for each in asked if "created_at__gt" in each]
    assert all(each["created_at__gt"] < each["created_at__lt"] for each in windows)
    assert len(cases.keys(pages)) == 25


@pytest.mark.parametrize(
    ("fields", "totals"),
    [
        ({"bytes_in": 0, "bytes_out": 0}, [0]),
        ({"bytes_in": 0, "bytes_out": 0, "uptime": None}, []),
        ({"bytes_in": 0, "bytes_out": 0, "uptime": ...}, [0]),
        ({"bytes_in": 0, "bytes_out": 0, "uptime": "0.0"}, [0]),
        ({"uptime": None}, [3]),
        ({"bytes_in": "957880950164", "bytes_out": "1"}, [957_880_950_165]),
        ({"bytes_in": None}, []),
    ],
    ids=["zero", "not connected", "not told", "text", "used before it was cut", "text bytes", "null bytes"],
)
def test_null_is_never_zero_use(fields: dict[str, Any], totals: list[int]) -> None:
    page = parser().usage(usage_page(**fields))
    assert [sample.reading.total_bytes for sample in page.samples] == totals
    assert page.rejected == []


@pytest.mark.parametrize(
    "fields",
    [
        {"bytes_in": -1},
        {"bytes_out": 10**18},
        {"bytes_in": "1e400"},
        {"period": 0},
        {"period": -3600.0},
        {"period": 10**9},
        {"created_at": "0001-01-01T00:00:00+05:00"},
        {"created_at": "2026-11-21T17:00:00"},
        {"created_at": 1_763_744_400},
    ],
    ids=lambda fields: str(fields),
)
def test_sample_that_cannot_be_is_rejected_without_its_value(fields: dict[str, Any]) -> None:
    page = parser().usage(usage_page(**fields))
    assert page.samples == []
    [rejection] = page.rejected
    assert not any(str(value) in f"{rejection.path} {rejection.reason}" for value in fields.values())


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
def test_signal_at_the_end_of_time_spoils_no_page(at: str) -> None:
    body = {"data": [{"id": "7", "update_ts": at, "rsrp": -95}], "meta": {"next": None}}
    [line] = parser().signals(msgspec.json.encode(body)).sightings
    assert line.signals[0].starts_at.tzinfo is UTC


async def test_ids_as_numbers_and_as_text_are_one_line() -> None:
    def numbers(body: Any) -> None:
        for row in body["data"]:
            row.update({name: int(row[name]) for name in ("id", "iccid", "imei") if row.get(name)})

    async with reading() as read:
        text = [await read.pages(group) for group in GROUPS]
        for endpoint in (api.NET_DEVICES, api.METRICS):
            read.stand.faults.next(simulation.changed(numbers), endpoint=endpoint, times=99)
        assert [await read.pages(group) for group in GROUPS] == text


async def test_modem_that_goes_between_the_list_and_its_samples_costs_no_other() -> None:
    async with reading() as read:
        gone = netcloud.key(3)
        samples = read.stand.world.usage
        kept = [sample for sample in samples if sample.net_device != gone]
        read.stand.faults.next(
            simulation.first(lambda: samples.__setitem__(slice(None), kept)), endpoint=api.USAGE_SAMPLES
        )
        pages = await read.pages("usage")
    assert cases.keys(pages) == CASE.keys(range(25)) - {gone}


@pytest.mark.parametrize(("group", "requests"), [("modems", 1), ("usage", 3), ("signal", 1), ("states", 1)])
async def test_conflict_in_the_midst_is_no_throttling_and_keeps_what_was_read(
    group: str, requests: int
) -> None:
    found: list[readings.Page] = []
    async with reading() as read:
        read.stand.faults.next(simulation.status(409), endpoint=OF_GROUP[group], after=requests)
        with pytest.raises(errors.ResponseInvalid, match="409"):
            await keep(read.collector.pages(read.group(group), base.Sweep(INSTANT)), found)
        assert read.stand.faults.seen(OF_GROUP[group]) == requests + 1
    assert cases.keys(found) == CASE.keys(range(10))


async def keep(pages: AsyncIterator[readings.Page], found: list[readings.Page]) -> None:
    async for page in pages:
        found.append(page)  # noqa: PERF401 - kept page by page: the next may raise
