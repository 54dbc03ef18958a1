"""What Meraki may do beside what it documents: every group taken up anywhere, at once, in odd clocks and numbers."""

import asyncio
import itertools
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import httpx
import msgspec
import pytest

from collectors import base, errors, readings, simulation
from collectors.meraki import options, parse, rows, students, windows, world
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, meraki
from tests.contract.cases.meraki import CASE

OF_GROUP = {
    "gateways": "uplinks",
    "usage": "slots",
    "changes": "changes",
    "history": "history",
    "students": "students",
    "student_usage": "student_use",
}
NETWORKS = ("N_901", "N_902")
STUDENTS: dict[str, Any] = {"systems_manager_networks": NETWORKS, "systems_manager_usage": True}
INSTANTS = {"ts", "startTs", "endTs", "lastReportedAt", "lastUpdatedAt"}
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DENVER = timezone(-7 * HOUR)
FIRST = meraki.serial(1)

every_group = pytest.mark.parametrize("group", OF_GROUP)


def student(number: int) -> world.Student:
    fields = {
        "iccid": identities.iccid(number),
        "imei": identities.imei(number),
        "lastConnected": 1_795_000_000,
    }
    days = [{"ts": "2026-11-20T00:00:00Z", "received": 1.5, "sent": 2.5}]
    return world.Student(f"{number:03d}", NETWORKS[number // 20], fields=fields, days=days)


def reading(numbers: range = range(25), **given: Any) -> Any:
    stand = meraki.stand_of(list(map(meraki.gateway, numbers)), *map(student, range(25)))
    return cases.reading(CASE, stand=stand, **STUDENTS, **given)


def instants(pages: list[readings.Page]) -> list[datetime]:
    lines = [line for page in pages for line in page.sightings]
    told = [usage.starts_at for line in lines for usage in line.usage]
    told += [state.starts_at for line in lines for state in line.states]
    told += [signal.starts_at for line in lines for signal in line.signals]
    told += [session.starts_at for line in lines for session in line.sessions]
    told += [usage.ends_at for line in lines for usage in line.usage if usage.ends_at]
    told += [session.ends_at for line in lines for session in line.sessions if session.ends_at]
    told += [line.last_seen_at for line in lines if line.last_seen_at]
    return told + [
        device.last_seen_at for page in pages for device in page.student_devices if device.last_seen_at
    ]


@every_group
async def test_sweep_is_taken_up_after_any_page_and_reads_the_same(group: str) -> None:
    async with reading() as read:
        whole = await read.pages(group)
        moves = [at for at, page in enumerate(whole) if page.cursor not in (None, whole[at - 1].cursor)]
        for at in moves:
            assert await read.pages(group, cursor=whole[at].cursor) == whole[at + 1 :]
    assert len(moves) >= 2


@every_group
async def test_sweeps_at_once_on_one_collector_do_not_mix(group: str) -> None:
    async with reading() as read:
        alone = await read.pages(group)
        gateways = await read.pages("gateways")
        together = await asyncio.gather(*(read.pages(each) for each in (group, "gateways", group)))
    assert together == [alone, gateways, alone]


@every_group
async def test_sweep_that_was_cancelled_leaves_the_collector_fit(group: str) -> None:
    async with reading() as read:
        read.stand.faults.next(simulation.hang, endpoint=OF_GROUP[group], after=1)
        task = asyncio.create_task(read.pages(group))
        await asyncio.sleep(0.15)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert len(cases.keys(await read.pages(group))) == 25


@every_group
async def test_instants_of_another_zone_are_told_in_utc(group: str) -> None:
    """The same reading of two zones must be one row, and rows are told apart by their text."""

    def elsewhere(value: Any) -> Any:
        if isinstance(value, list):
            return [elsewhere(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            name: datetime.fromisoformat(each).astimezone(DENVER).isoformat()
            if name in INSTANTS and each
            else elsewhere(each)
            for name, each in value.items()
        }

    def change(body: Any) -> None:
        changed = elsewhere(body)
        body.clear()
        body.extend(changed) if isinstance(body, list) else body.update(changed)

    async with reading() as read:
        usual = await read.pages(group)
        read.stand.faults.next(simulation.changed(change), endpoint=None, times=999)
        pages = await read.pages(group)
    assert pages == usual
    assert {at.tzinfo for at in instants(pages)} == {UTC}


@pytest.mark.parametrize("group", ["changes", "history"])
@pytest.mark.parametrize("away", [-2 * HOUR, -40 * DAY, 31 * DAY, 45 * DAY, 400 * DAY])
async def test_window_never_ends_before_it_begins_nor_is_too_long(group: str, away: timedelta) -> None:
    async with reading() as read:
        await read.pages(group, since=INSTANT - away)
        asked = [dict(httpx.URL(sent.url).params) for sent in read.network.sent]
    spans = [
        datetime.fromisoformat(each["t1"]) - datetime.fromisoformat(each["t0"])
        for each in asked
        if "t0" in each
    ]
    assert spans
    assert all(timedelta() < span <= 31 * DAY for span in spans)


@pytest.mark.parametrize("interval", [300, 1200, 14_400, 86_400])
@pytest.mark.parametrize("away", [None, 45 * DAY, 400 * DAY])
def test_windows_of_history_leave_no_gap_and_stay_within_what_is_kept(
    interval: int, away: timedelta | None
) -> None:
    step = timedelta(seconds=interval)
    sweep = base.Sweep(INSTANT, since=None if away is None else INSTANT - away)
    found = list(windows.history(sweep, interval=step, first=365 * DAY))
    assert all(before.end == after.start for before, after in itertools.pairwise(found))
    assert found[0].start > INSTANT - windows.HISTORY_KEPT
    assert INSTANT - step < found[-1].end <= INSTANT
    wanted = 365 * DAY if away is None else min(away + windows.HISTORY_OVERLAP, 365 * DAY)
    assert found[0].start <= INSTANT - wanted + step


def state(status: object, availability: str = "online", *, slots: bool = True) -> bool | None:
    uplink = world.uplink(identities.iccid(1), status=status)
    gateway = meraki.gateway(1, uplinks=[uplink])
    found = rows.GATEWAYS.read(msgspec.json.encode([gateway.uplink_row()])).rows
    held = {FIRST: [rows.Slot("sim1", True, "1")]} if slots else {}
    parser = parse.Parser(msgspec.convert(meraki.OPTIONS, options.Options))
    [line] = parser.gateways(found, parse.Facts(held, {FIRST: availability}, {}), instant=INSTANT).sightings
    assert line.iccid == identities.iccid(1)
    return line.states[0].is_online


@pytest.mark.parametrize("slots", [True, False])
@pytest.mark.parametrize(
    ("status", "is_online"),
    [
        ("active", True),
        ("ready", None),
        ("connecting", None),
        ("failed", None),
        ("not connected", None),
        (None, True),
    ],
)
def test_gateway_that_is_online_by_its_cable_does_not_make_its_sim_online(
    status: str | None, is_online: bool | None, slots: bool
) -> None:
    assert state(status, slots=slots) is is_online
    assert state(status, "offline", slots=slots) is False


@pytest.mark.parametrize(
    ("total", "expected"),
    [
        ("0", [0]),
        ("999999999999999", [999_999_999_999_999]),
        (12345, [12345]),
        (None, []),
        ("-1", None),
        ("12.5", None),
        ("1e6", None),
        ("", None),
        (-1, None),
        (10**18, None),
        ("9" * 30, None),
    ],
)
def test_total_is_digits_or_is_not_told(total: object, expected: list[int] | None) -> None:
    body = {"items": [{"serial": FIRST, "bySlot": [{"slot": "sim1", "isActive": True, "total": total}]}]}
    batch = rows.SLOTS.read(msgspec.json.encode(body))
    assert (len(batch.rejected) == 1) is (expected is None)
    if expected is not None:
        parser = parse.Parser(msgspec.convert(meraki.OPTIONS, options.Options))
        gateway = rows.Gateway(FIRST)
        found = parser.lines([gateway], {row.serial: row.by_slot or () for row in batch.rows})
        told, _ = parse.usage(found, instant=INSTANT)
        assert [usage.total_bytes for line in told for usage in line.usage] == expected


@pytest.mark.parametrize("at", ["0001-01-01T00:00:00+05:00", "9999-12-31T23:59:59-05:00"])
@every_group
async def test_instant_at_the_end_of_time_spoils_no_sweep(group: str, at: str) -> None:
    def put(rows: Any, *path: str) -> None:
        for step in path[:-1]:
            rows = rows[step]
        rows[path[-1]] = at

    changes = {
        "uplinks": lambda body: put(body[0], "lastReportedAt"),
        "changes": lambda body: put(body[0], "ts"),
        "history": lambda body: put(body["items"][0]["intervals"][0], "startTs"),
        "slots": lambda body: put(body["items"][0]["bySlot"][0], "endTs"),
        "student_use": lambda body: put(body[0], "ts"),
    }
    async with reading() as read:
        for endpoint, change in changes.items():
            read.stand.faults.next(simulation.changed(change), endpoint=endpoint)
        found = cases.keys(await read.pages(group))
    assert len(found) >= 24


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (1_763_744_400, datetime(2025, 11, 21, 17, tzinfo=UTC)),
        ("1763744400.5", datetime(2025, 11, 21, 17, 0, 0, 500_000, tzinfo=UTC)),
        ("2025-11-21T10:00:00-07:00", datetime(2025, 11, 21, 17, tzinfo=UTC)),
        (0, None),
        ("", None),
        (None, None),
    ],
)
def test_last_connection_is_understood_in_every_shape(told: rows.Number, expected: datetime | None) -> None:
    found = students.last_seen(told, INSTANT)
    assert found == expected
    assert found is None or found.tzinfo is UTC


async def test_retry_after_holds_for_the_calls_that_go_out_together() -> None:
    async with reading() as read:
        read.stand.faults.next(simulation.status(429, retry_after="0"), endpoint="history", times=2)
        assert len(cases.keys(await read.pages("history"))) == 25


@pytest.mark.parametrize("group", ["changes", "history", "usage"])
async def test_refusal_of_a_later_page_keeps_what_was_read_and_is_told(group: str) -> None:
    found: list[readings.Page] = []
    async with reading() as read:
        read.stand.faults.next(simulation.status(404), endpoint="slots", after=1)
        with pytest.raises(errors.NotFound):
            await keep(read.collector.pages(read.group(group), base.Sweep(INSTANT)), found)
    assert cases.keys(found) == CASE.keys(range(10))


async def test_device_that_goes_between_the_list_and_its_bytes_costs_no_other() -> None:
    async with reading() as read:
        devices = read.stand.world.students
        read.stand.faults.next(simulation.first(lambda: devices.__delitem__(3)), endpoint="student_use")
        pages = await read.pages("student_usage")
    assert len(cases.keys(pages)) == 24
    assert [bad.reason for page in pages for bad in page.rejected] == ["the vendor does not know this line"]


async def test_no_bytes_of_a_day_that_are_not_told_both_ways() -> None:
    days = [
        {"ts": "2026-11-18T00:00:00Z", "received": None, "sent": 2.0},
        {"ts": "2026-11-19T00:00:00Z", "sent": 2.0},
        {"ts": "2026-11-20T00:00:00Z", "received": 0, "sent": 0},
    ]
    batch = rows.STUDENT_DAYS.read(msgspec.json.encode(days))
    told = students.usage(batch.rows, since=INSTANT - 31 * DAY, until=INSTANT, kilobyte_bytes=1000)
    assert [usage.total_bytes for usage in told] == [0]


async def keep(pages: AsyncIterator[readings.Page], found: list[readings.Page]) -> None:
    async for page in pages:
        found.append(page)  # noqa: PERF401 - kept page by page: the next may raise
