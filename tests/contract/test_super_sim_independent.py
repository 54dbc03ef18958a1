"""What a live Super SIM may do beyond its documentation."""

import functools
import operator
from datetime import datetime, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from collectors.super_sim import parse, simulator, windows
from tests.contract import cases, sweeps
from tests.contract.cases import INSTANT, super_sim

DAY, HOUR = super_sim.DAY, super_sim.HOUR
TODAY, SINCE = super_sim.TODAY, super_sim.SINCE
CASE = super_sim.TWILIO
GROUPS = pytest.mark.parametrize("group", ["sims", "usage"])
PLATFORMS = pytest.mark.parametrize("case", super_sim.CASES, ids=["kore", "twilio"])


def busy(case: cases.Case = CASE) -> super_sim.Stand:
    return super_sim.stand(case.options["platform"], super_sim.busy())  # type: ignore[arg-type]


def record(starts_at: datetime, ends_at: datetime) -> bytes:
    row = {
        "sim_sid": super_sim.sid(1),
        "period": {"start_time": starts_at.isoformat(), "end_time": ends_at.isoformat()},
        "data_total": 5,
    }
    return msgspec.json.encode(
        {"usage_records": [row], "meta": {"key": "usage_records", "next_page_url": None}}
    )


def asked(read: cases.Reading) -> list[dict[str, str]]:
    urls = [httpx.URL(sent.url) for sent in read.network.sent]
    return [dict(url.params) for url in urls if url.path == "/v1/UsageRecords"]


@PLATFORMS
@GROUPS
async def test_sweep_is_taken_up_after_any_page(case: cases.Case, group: str) -> None:
    async with cases.reading(case, stand=busy(case)) as read:
        await read.pages(group, since=SINCE)  # who is who is told once
        assert await sweeps.check_taken_up_anywhere(read, group, SINCE) >= 3


@GROUPS
async def test_sweeps_side_by_side_do_not_mix(group: str) -> None:
    async with cases.reading(super_sim.KORE, stand=busy(super_sim.KORE)) as read:
        await sweeps.check_side_by_side(read, group, SINCE)


@GROUPS
@pytest.mark.parametrize("absent_is_zero", [False, True])
async def test_sweep_that_is_stopped_leaves_the_collector_fit(group: str, absent_is_zero: bool) -> None:
    async with cases.reading(
        super_sim.KORE, stand=busy(super_sim.KORE), absent_is_zero=absent_is_zero
    ) as read:
        await sweeps.check_stopped_in_the_midst(read, group, SINCE)


@pytest.mark.parametrize("instant", [TODAY, INSTANT, TODAY + DAY - timedelta(seconds=1)], ids=str)
@pytest.mark.parametrize("days", [None, 1, 22, 23, 26, 58])
async def test_vendor_answers_a_sweep_that_is_read_long_after_it_began(
    instant: datetime, days: int | None
) -> None:
    """The span that lasts until now is longer by then, and the vendor answers no more than 31 days."""
    settings = simulator.Settings(platform="twilio", **super_sim.SECRETS["twilio"])  # type: ignore[arg-type]
    shown = super_sim.busy([1], days=70)
    for away in (timedelta(0), HOUR, 3 * DAY + 12 * HOUR):
        stand = super_sim.Stand(shown, functools.partial(operator.add, instant, away), settings=settings)
        async with cases.reading(CASE, stand=stand) as read:
            pages = await read.pages(
                "usage", instant=instant, since=None if days is None else instant - days * DAY
            )
        reach = 30 if days is None else days + 4
        found = {at for _, at in super_sim.told(pages)}
        assert found >= {TODAY - day * DAY for day in range(1, reach + 1)}


@pytest.mark.parametrize("slow", [timedelta(minutes=5), timedelta(hours=2)])
async def test_no_span_begins_in_the_future_of_a_vendor_whose_clock_is_behind(slow: timedelta) -> None:
    settings = simulator.Settings(platform="twilio", **super_sim.SECRETS["twilio"])  # type: ignore[arg-type]
    stand = super_sim.Stand(super_sim.busy([1]), lambda: TODAY - slow, settings=settings)
    async with cases.reading(CASE, stand=stand) as read:
        for days in range(60):
            await read.pages("usage", instant=TODAY, since=TODAY - days * DAY)
    assert all(query["StartTime"] < "2026-11-20T00:00:01Z" for query in asked(read))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ({"granularity": "day"}, {"granularity": "hour"}),
        ({"granularity": "hour"}, {"granularity": "day"}),
        ({"reread_days": 4}, {"reread_days": 20}),
    ],
)
async def test_sweep_of_other_options_is_not_taken_up(before: dict[str, Any], after: dict[str, Any]) -> None:
    """The service was stopped in the midst of a sweep, and started with other options."""
    async with cases.reading(CASE, stand=busy(), **before) as read:
        pages = await read.pages("usage", since=SINCE)
    (cursor, *_) = [page.cursor for page in pages if page.cursor]
    async with cases.reading(CASE, stand=busy(), **after) as read:
        whole = sweeps.told(await read.pages("usage", since=SINCE))
        assert sweeps.told(await read.pages("usage", since=SINCE, cursor=cursor)) == whole


@pytest.mark.parametrize(
    ("starts_at", "ends_at", "granularity", "reason"),
    [
        (TODAY - DAY, TODAY - DAY + HOUR, "day", "shorter than asked for"),
        (TODAY - DAY, TODAY - timedelta(seconds=1), "day", "shorter than asked for"),
        (TODAY, TODAY + 17 * HOUR, "day", None),
        (TODAY, TODAY + DAY, "day", None),
        (TODAY + 16 * HOUR, TODAY + 16 * HOUR + timedelta(minutes=5), "hour", "shorter than asked for"),
        (TODAY + 17 * HOUR, TODAY + 17 * HOUR + timedelta(minutes=5), "hour", None),
        (datetime.min.replace(tzinfo=TODAY.tzinfo), TODAY, "day", "longer than asked for"),
    ],
)
def test_part_of_a_day_passes_for_a_day_only_while_the_day_goes_on(
    starts_at: datetime, ends_at: datetime, granularity: str, reason: str | None
) -> None:
    window = windows.Window(TODAY - 4 * DAY, INSTANT, is_open=True)
    page = parse.usage(record(starts_at, ends_at), window=window, granularity=granularity)
    assert [bad.reason for bad in page.rejected] == ([reason] if reason else [])
    assert bool(page.sightings) is (reason is None)


def test_no_part_of_a_day_passes_for_a_day_in_a_span_that_is_over() -> None:
    window = windows.Window(TODAY - 10 * DAY, TODAY - 5 * DAY, is_open=False)
    page = parse.usage(record(TODAY - 6 * DAY, TODAY - 6 * DAY + HOUR), window=window, granularity="day")
    assert [bad.reason for bad in page.rejected] == ["shorter than asked for"]


@pytest.mark.parametrize(
    "date", ["0001-01-01T00:00:00Z", "0001-01-01T00:00:00+05:00", "9999-12-31T23:00:00-05:00"]
)
def test_date_that_was_never_set_is_not_when_a_sim_was_created(date: str) -> None:
    """Else every day before the SIM was there would be told as a 0."""
    row = {"sid": super_sim.sid(1), "date_created": date}
    page = parse.names(msgspec.json.encode({"sims": [row], "meta": {"key": "sims", "next_page_url": None}}))
    assert (len(page.sightings), page.created) == (1, {})


@GROUPS
@pytest.mark.parametrize("lines", [0, 1, 10, 20])
async def test_list_that_ends_with_a_page_is_read_whole(group: str, lines: int) -> None:
    stand = super_sim.stand("twilio", super_sim.busy(range(lines), days=1))
    async with cases.reading(CASE, stand=stand) as read:
        assert cases.keys(await read.pages(group, since=SINCE)) == CASE.keys(range(lines))
        assert stand.faults.seen(group) == max(1, lines // 10)
