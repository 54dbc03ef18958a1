"""What a device used: a call for each, days of one source, the last days read again."""

import asyncio
import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from collectors import base, errors, readings, simulation
from collectors.thingspace import answers, rows, usage, world
from tests.contract import cases
from tests.contract.cases import INSTANT, LINES, thingspace
from tests.contract.cases.thingspace import TODAY
from tests.contract.test_thingspace_parse import FIXTURES

CASE = thingspace.CASE
DAY = timedelta(days=1)


def stand(
    lines: range = LINES, history_rows: int = 500, leaves_earliest_out: bool = False, **fields: object
) -> thingspace.Stand:
    settings = dataclasses.replace(
        thingspace.SETTINGS, history_rows=history_rows, leaves_earliest_out=leaves_earliest_out
    )
    made = world.StaticWorld(thingspace.line(number, **fields) for number in lines)
    return thingspace.Stand(made, lambda: INSTANT, settings=settings)


def windows(read: cases.Reading) -> list[tuple[str, str]]:
    bodies = [
        msgspec.json.decode(sent.body)
        for sent in read.network.sent
        if sent.url.endswith("/m2m/v1/devices/usage/actions/list")
    ]
    return [(body["earliest"], body["latest"]) for body in bodies]


def days(found: list[readings.Page]) -> list[tuple[datetime, int]]:
    return [
        (used.starts_at, used.total_bytes) for page in found for seen in page.sightings for used in seen.usage
    ]


def chosen(
    *told: tuple[int, str | None], preferred: tuple[str, ...] = ("Raw Usage",)
) -> tuple[int, dict[str, int]]:
    """The bytes taken of a day, and what was counted as unknown."""
    unmapped: dict[str, int] = {}
    uses = [rows.Use(count, TODAY, source) for count, source in told]
    (used,) = usage.Sources(preferred).days(uses, unmapped)
    return used.total_bytes, unmapped


def test_documented_day_is_read() -> None:
    body = msgspec.json.decode((FIXTURES / "usage.json").read_bytes(), type=rows.UsageList)
    unmapped: dict[str, int] = {}
    told = msgspec.json.decode(body.rows, type=list[rows.Use])
    assert usage.Sources(("Raw Usage",)).days(told, unmapped) == (
        readings.Usage(
            readings.UsageKind.INTERVAL,
            readings.UsageSeries.DAY,
            datetime(2020, 12, 1, tzinfo=UTC),
            4096,
            datetime(2020, 12, 2, tzinfo=UTC),
        ),
    )
    assert unmapped == {}


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        ([(10, "Raw Usage"), (25, "Rated Usage")], 25),
        ([(25, "Rated Usage"), (10, "Raw Usage")], 25),
        ([(0, "Rated Usage"), (10, "Raw Usage")], 0),
        ([(10, "RAW_USAGE")], 10),
        ([(10, "Raw Usage"), (99, "Other")], 10),
        ([(5, "Other"), (0, "SMS"), (3, "Third")], 5),
        ([(4, "B"), (4, "A")], 4),
        ([(7, None)], 7),
        ([(7, "Raw Usage"), (9, "Raw Usage"), (8, "Raw Usage")], 9),
    ],
)
def test_day_is_one_sources_word_and_never_a_sum(told: list[tuple[int, str | None]], expected: int) -> None:
    assert chosen(*told, preferred=("Rated Usage", "Raw Usage"))[0] == expected


def test_sources_that_are_not_configured_are_counted() -> None:
    _, unmapped = chosen((1, "Raw Usage"), (1, "Rated Usage"), (1, "Rated Usage"), (1, None))
    assert unmapped == {"usage source: Rated Usage": 1, "usage source: not told": 1}


def test_day_is_its_own_offsets_day_and_begins_as_given() -> None:
    """Two sources may write the same day with different offsets: it is still one day."""
    eastern = datetime.fromisoformat("2026-11-20T00:00:00-05:00")
    unmapped: dict[str, int] = {}
    told = [rows.Use(1, TODAY - DAY, "Raw Usage"), rows.Use(2, eastern, "Rated Usage")]
    (used,) = usage.Sources(("Rated Usage", "Raw Usage")).days(told, unmapped)
    assert (used.total_bytes, used.starts_at) == (2, datetime(2026, 11, 20, 5, tzinfo=UTC))
    assert used.ends_at == datetime(2026, 11, 21, 5, tzinfo=UTC)


async def test_every_line_has_its_days() -> None:
    async with cases.reading(CASE) as read:
        found = await read.pages("usage", since=INSTANT - timedelta(hours=6))
    assert cases.keys(found) == CASE.keys(LINES)
    for seen in (seen for page in found for seen in page.sightings):
        assert [used.starts_at for used in seen.usage] == [TODAY - DAY * back for back in range(4, -1, -1)]
        assert all(used.ends_at == used.starts_at + DAY for used in seen.usage)
        assert seen.usage[0].total_bytes == 1004
        assert (seen.states, seen.last_seen_at) == ((), None)


@pytest.mark.parametrize(
    ("since", "earliest"),
    [
        (None, "2026-10-22T00:00:00Z"),
        (INSTANT - timedelta(hours=6), "2026-11-17T00:00:00Z"),
        (INSTANT - timedelta(days=20), "2026-10-28T00:00:00Z"),
        (INSTANT + timedelta(hours=1), "2026-11-17T00:00:00Z"),
        (INSTANT - timedelta(days=500), "2025-11-21T00:00:00Z"),
    ],
)
async def test_four_days_before_the_watermark_are_read_again(since: datetime | None, earliest: str) -> None:
    async with cases.reading(CASE, lines=range(1), span_days=366) as read:
        await read.pages("usage", since=since)
        assert windows(read)[0] == (earliest, "2026-11-21T18:00:00Z")


@pytest.mark.parametrize("overlap", [0, 3, 32])
async def test_overlap_of_less_than_four_days_is_refused(overlap: int) -> None:
    with pytest.raises(errors.OptionsInvalid, match="overlap_days"):
        async with cases.reading(CASE, overlap_days=overlap):
            pass


async def test_corrected_day_is_told_again() -> None:
    corrected = [world.Use(TODAY - 3 * DAY, 77)]
    async with cases.reading(CASE, stand=stand(range(1), usage=corrected)) as read:
        found = await read.pages("usage", since=INSTANT - timedelta(minutes=5))
    assert days(found) == [(TODAY - 3 * DAY, 77)]


async def test_long_time_is_asked_for_in_spans() -> None:
    async with cases.reading(CASE, lines=range(1), history_days=100, span_days=40) as read:
        await read.pages("usage")
        asked = windows(read)
    assert asked == [
        ("2026-08-13T00:00:00Z", "2026-09-22T00:00:00Z"),
        ("2026-09-22T00:00:00Z", "2026-11-01T00:00:00Z"),
        ("2026-11-01T00:00:00Z", "2026-11-21T18:00:00Z"),
    ]


@pytest.mark.parametrize("leaves_earliest_out", [False, True])
async def test_more_than_an_answer_holds_is_read_on_with_overlap_and_without_doubles(
    leaves_earliest_out: bool,
) -> None:
    """Two sources a day: an answer may end in the midst of a day."""
    told = [
        world.Use(TODAY - back * DAY, back * 10 + place, source)
        for back in range(20)
        for place, source in enumerate(("Rated Usage", "Raw Usage"))
    ]
    served = stand(range(1), 7, leaves_earliest_out, usage=told)
    async with cases.reading(CASE, stand=served, usage_sources=["Raw Usage", "Rated Usage"]) as read:
        found = await read.pages("usage", since=INSTANT - 20 * DAY)
        assert days(found) == [(TODAY - back * DAY, back * 10 + 1) for back in range(19, -1, -1)]
        assert read.stand.faults.seen("usage") > 4
    assert found[0].unmapped == {}


async def test_history_is_read_on_where_only_the_status_says_that_there_is_more() -> None:
    told = [world.Use(TODAY - back * DAY, back) for back in range(9)]
    async with cases.reading(CASE, stand=stand(range(1), 4, usage=told)) as read:
        silent = simulation.changed(lambda body: body.update(hasMoreData=False))
        read.stand.faults.next(silent, endpoint="usage", times=99)
        found = await read.pages("usage")
    assert len(days(found)) == 9


async def test_full_year_takes_a_few_calls_a_line() -> None:
    told = [world.Use(TODAY - back * DAY, back) for back in range(400)]
    async with cases.reading(
        CASE, stand=stand(range(1), usage=told), history_days=365, span_days=366
    ) as read:
        found = await read.pages("usage")
        assert read.stand.faults.seen("usage") == 1
    assert len(days(found)) == 365


async def test_history_that_does_not_move_on_rejects_its_line_and_is_left() -> None:
    """More rows for one day than an answer holds: no progress can be made."""
    told = [world.Use(TODAY - DAY, place, f"source {place}") for place in range(9)]
    served = stand(range(2))
    assert isinstance(served.world, world.StaticWorld)
    served.world.rows[1].usage = told
    served.settings = dataclasses.replace(served.settings, history_rows=4)
    async with cases.reading(CASE, stand=served) as read:
        (page,) = await read.pages("usage", since=INSTANT)
    assert len(page.sightings) == 1
    assert [rejection.path for rejection in page.rejected] == ["devices[1]"]


async def test_device_that_used_nothing_may_come_without_a_list() -> None:
    async with cases.reading(CASE, lines=range(2)) as read:
        fault = simulation.changed(lambda body: body.pop("usageHistory"))
        read.stand.faults.next(fault, endpoint="usage", times=2)
        (page,) = await read.pages("usage")
    assert [seen.usage for seen in page.sightings] == [(), ()]
    assert not page.rejected


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"bytesUsed": -1}, "expected int >= 0"),
        ({"bytesUsed": "secret"}, "expected int, got str"),
        ({"timestamp": "2026-11-20T00:00:00"}, "timezone"),
        ({"timestamp": ...}, "missing"),
        ({"source": 7}, "got int"),
    ],
)
async def test_bad_day_is_rejected_by_itself(fields: dict[str, Any], reason: str) -> None:
    def spoil(body: Any) -> None:
        row = body["usageHistory"][2] | fields
        body["usageHistory"][2] = {name: value for name, value in row.items() if value is not ...}

    async with cases.reading(CASE, lines=range(1)) as read:
        read.stand.faults.next(simulation.changed(spoil), endpoint="usage")
        (page,) = await read.pages("usage", since=INSTANT)
    assert len(page.sightings[0].usage) == 4
    (rejection,) = page.rejected
    assert rejection.path.startswith("usageHistory[2]")
    assert reason in rejection.reason
    assert "secret" not in rejection.reason


async def test_device_that_the_vendor_does_not_know_spoils_no_other() -> None:
    async def unknown(call: simulation.Call) -> Any:
        return answers.refused("REQUEST_FAILED.DeviceNotFound")

    async with cases.reading(CASE) as read:
        read.stand.faults.next(unknown, endpoint="usage", after=3)
        found = await read.pages("usage")
    assert len(cases.keys(found)) == len(LINES) - 1
    assert [rejection.reason for page in found for rejection in page.rejected] == [
        "the vendor does not know this line"
    ]


async def test_vendor_that_fails_ends_the_sweep_and_keeps_what_was_read() -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.status(503), endpoint="usage", after=12, times=99)
        sweep = base.Sweep(INSTANT)
        pages = read.collector.pages(read.group("usage"), sweep)
        first = await anext(pages)
        with pytest.raises(errors.Unavailable):
            await anext(pages)
    assert cases.keys([first]) == CASE.keys(range(10))


@pytest.mark.parametrize("at_once", [1, 3])
async def test_no_more_calls_are_under_way_at_once_than_configured(at_once: int) -> None:
    under_way: list[int] = [0]
    most: list[int] = [0]

    async def slow(call: simulation.Call) -> Any:
        under_way[0] += 1
        most[0] = max(most[0], under_way[0])
        await asyncio.sleep(0.01)
        under_way[0] -= 1
        return await call.reply()

    async with cases.reading(CASE, at_once=at_once) as read:
        read.stand.faults.next(slow, endpoint="usage", times=99)
        assert cases.keys(await read.pages("usage")) == CASE.keys(LINES)
    assert most[0] == at_once


async def test_sweep_spends_one_request_a_line_beside_the_list() -> None:
    outcomes: list[str] = []
    async with cases.reading(CASE, observer=lambda outcome, seconds: outcomes.append(outcome)) as read:
        await read.pages("usage", since=INSTANT - timedelta(hours=6))
    signing_in = 2
    assert len(outcomes) == signing_in + 3 + len(LINES)
    assert set(outcomes) == {"ok"}
