"""Usage: the whole fleet in one paged call, the time it is asked for, who is who, and what absence means."""

from datetime import datetime, timedelta

import httpx
import msgspec
import pytest

from collectors import base, errors, readings, registry, simulation
from collectors.super_sim import windows, world
from tests.contract import cases
from tests.contract.cases import INSTANT, LINES, super_sim

CASES = pytest.mark.parametrize("case", super_sim.CASES, ids=["kore", "twilio"])
DAY = super_sim.DAY
HOUR = super_sim.HOUR
TODAY = super_sim.TODAY
SINCE = super_sim.SINCE
FIRST_DAY = super_sim.FIRST_DAY
INTERVAL = readings.UsageKind.INTERVAL


def asked(read: cases.Reading) -> list[dict[str, str]]:
    urls = [httpx.URL(sent.url) for sent in read.network.sent]
    return [dict(url.params) for url in urls if url.path == "/v1/UsageRecords"]


@CASES
async def test_whole_fleet_is_read_in_one_paged_call(case: cases.Case) -> None:
    stand = super_sim.stand(case.options["platform"], super_sim.busy())  # type: ignore[arg-type]
    async with cases.reading(case, stand=stand) as read:
        pages = await read.pages("usage", since=SINCE)
    assert super_sim.told(pages) == {
        (super_sim.sid(number), TODAY - day * DAY): number for number in LINES for day in range(5)
    }
    assert asked(read)[0] == {
        "Group": "sim",
        "Granularity": "day",
        "StartTime": "2026-11-17T00:00:00Z",
        "PageSize": "10",
    }
    assert len(asked(read)) == 13  # 125 records
    (kinds,) = {
        (usage.kind, usage.series) for page in pages for seen in page.sightings for usage in seen.usage
    }
    assert kinds == (INTERVAL, readings.UsageSeries.DAY)


async def test_first_sweep_reads_thirty_days() -> None:
    async with cases.reading(
        super_sim.TWILIO, stand=super_sim.stand("twilio", super_sim.busy(days=40))
    ) as read:
        pages = await read.pages("usage")
    assert {start for _, start in super_sim.told(pages)} == {TODAY - day * DAY for day in range(31)}
    bounds = {(query["StartTime"], query.get("EndTime")) for query in asked(read)}
    assert bounds == {
        ("2026-10-22T00:00:00Z", "2026-11-20T00:00:00Z"),
        ("2026-11-20T00:00:00Z", None),
    }


async def test_days_to_read_again_are_as_configured() -> None:
    async with cases.reading(super_sim.TWILIO, reread_days=10) as read:
        await read.pages("usage", since=SINCE)
    assert asked(read)[0]["StartTime"] == "2026-11-11T00:00:00Z"


async def test_long_gap_is_read_in_spans_that_the_vendor_answers() -> None:
    stand = super_sim.stand("twilio", super_sim.busy([1, 2], days=120))
    async with cases.reading(super_sim.TWILIO, stand=stand) as read:
        pages = await read.pages("usage", since=INSTANT - 80 * DAY)
    bounds = {(query["StartTime"][:10], query.get("EndTime", "")[:10]) for query in asked(read)}
    assert sorted(bounds) == [
        ("2026-08-29", "2026-09-29"),
        ("2026-09-29", "2026-10-30"),
        ("2026-10-30", ""),
    ]
    assert {start for _, start in super_sim.told(pages)} == {TODAY - day * DAY for day in range(85)}


def test_spans_leave_no_gap_and_none_is_longer_than_the_vendor_answers() -> None:
    for days in (0, 1, 26, 27, 28, 58, 59, 365, 2000):
        for hour in (0, 1, 23):
            instant = TODAY + hour * HOUR + timedelta(minutes=7)
            sweep = base.Sweep(instant, since=instant - days * DAY)
            found = windows.windows(sweep, 4)
            assert all(span.starts_at.time().isoformat() == "00:00:00" for span in found)
            assert all(span.ends_at - span.starts_at <= 31 * DAY for span in found)
            assert all(span.ends_at <= instant - DAY for span in found[:-1])
            assert found[-1].ends_at - found[-1].starts_at <= 27 * DAY  # it grows while the sweep is read
            assert [span.ends_at for span in found[:-1]] == [span.starts_at for span in found[1:]]
            assert [span.is_open for span in found] == [False] * (len(found) - 1) + [True]
            assert found[-1].ends_at == instant
            assert found[0].starts_at <= instant - min(days + 4, 540) * DAY


def test_watermark_of_the_future_reads_the_days_to_read_again() -> None:
    (span,) = windows.windows(base.Sweep(INSTANT, since=INSTANT + 3 * DAY), 4)
    assert span.starts_at == FIRST_DAY


async def test_hours_are_told_as_parts() -> None:
    shown = super_sim.busy([1])
    shown.use(super_sim.sid(1), TODAY + 3 * HOUR, upload=7)
    async with cases.reading(
        super_sim.TWILIO, stand=super_sim.stand("twilio", shown), granularity="hour"
    ) as read:
        pages = await read.pages("usage", since=SINCE)
    assert super_sim.told(pages)[super_sim.sid(1), TODAY + 3 * HOUR] == 7
    (series,) = {usage.series for page in pages for seen in page.sightings for usage in seen.usage}
    assert series is readings.UsageSeries.PART


@pytest.mark.parametrize("cuts", [False, True], ids=["whole", "cut"])
async def test_present_day_is_told_as_the_vendor_bounds_it(cuts: bool) -> None:
    stand = super_sim.stand("twilio", super_sim.busy([3]), cuts_open_period=cuts)
    async with cases.reading(super_sim.TWILIO, stand=stand) as read:
        pages = await read.pages("usage", since=SINCE)
    ends = {usage.ends_at for page in pages for seen in page.sightings for usage in seen.usage}
    assert max(filter(None, ends)) == (INSTANT if cuts else TODAY + DAY)


async def test_first_sweep_tells_who_is_who_before_any_usage_and_later_ones_do_not() -> None:
    async with cases.reading(super_sim.KORE, stand=super_sim.stand("kore", super_sim.busy())) as read:
        first = await read.pages("usage", since=SINCE)
        listed = read.stand.faults.seen("sims")
        second = await read.pages("usage", since=SINCE)
        assert read.stand.faults.seen("sims") == listed == 3
    named: set[str] = set()
    for page in first:
        for seen in page.sightings:
            assert seen.states == ()
            if seen.usage:
                assert seen.provider_key in named
                assert (seen.iccid, seen.group_key) == (None, None)
            else:
                assert seen.iccid is not None
                named.add(seen.provider_key)
    assert named == super_sim.KORE.keys(LINES)
    assert super_sim.told(second) == super_sim.told(first)


async def test_who_is_who_is_told_again_after_a_first_sweep_that_failed_in_it() -> None:
    async with cases.reading(super_sim.KORE, stand=super_sim.stand("kore", super_sim.busy())) as read:
        read.stand.faults.next(simulation.status(404), endpoint="sims", after=1)
        with pytest.raises(errors.NotFound):
            await read.pages("usage", since=SINCE)
        pages = await read.pages("usage", since=SINCE)
    named = {seen.provider_key for page in pages for seen in page.sightings if seen.iccid}
    assert named == super_sim.KORE.keys(LINES)


async def test_sweep_goes_on_after_the_last_stored_page_without_naming_anew() -> None:
    stand = super_sim.stand("twilio", super_sim.busy([1, 2], days=120))
    since = INSTANT - 80 * DAY
    async with cases.reading(super_sim.TWILIO, stand=stand) as read:
        whole = await read.pages("usage", since=since)
        for place, page in enumerate(whole):
            if page.cursor is not None:
                read.network.sent.clear()
                rest = await read.pages("usage", since=since, cursor=page.cursor)
                assert [again.sightings for again in rest] == [
                    again.sightings for again in whole[place + 1 :]
                ]
                assert "/v1/Sims" not in {httpx.URL(sent.url).path for sent in read.network.sent}
    assert sum(page.cursor is None for page in whole) == 1  # the page of names


async def test_cursor_of_another_window_count_begins_anew() -> None:
    async with cases.reading(super_sim.TWILIO, stand=super_sim.stand("twilio", super_sim.busy([1]))) as read:
        pages = await read.pages("usage", since=SINCE, cursor="3:")
    assert len(super_sim.told(pages)) == 5


async def test_record_of_no_sim_is_rejected_by_itself() -> None:
    async with cases.reading(super_sim.TWILIO, stand=super_sim.stand("twilio", super_sim.busy())) as read:
        spoilt = simulation.changed(lambda body: body["usage_records"][4].update(sim_sid=None))
        read.stand.faults.next(spoilt, endpoint="usage")
        pages = await read.pages("usage", since=SINCE)
    assert [bad.path for page in pages for bad in page.rejected] == ["usage_records[4].sim_sid"]
    assert len(super_sim.told(pages)) == 124


@pytest.mark.parametrize("fault", [simulation.repeated, simulation.truncated], ids=["repeated", "truncated"])
async def test_usage_that_cannot_be_trusted_ends_the_sweep(fault: simulation.Fault) -> None:
    async with cases.reading(super_sim.TWILIO, stand=super_sim.stand("twilio", super_sim.busy())) as read:
        read.stand.faults.next(fault, endpoint="usage", after=1, times=99)
        with pytest.raises(errors.ResponseInvalid):
            await read.pages("usage", since=SINCE)


async def test_token_that_ends_in_the_midst_of_usage_is_replaced() -> None:
    async with cases.reading(super_sim.KORE, stand=super_sim.stand("kore", super_sim.busy())) as read:
        read.stand.faults.next(simulation.first(read.stand.expire), endpoint="usage", after=5)
        assert len(super_sim.told(await read.pages("usage", since=SINCE))) == 125


async def test_nothing_private_is_in_a_usage_reading() -> None:
    async with cases.reading(super_sim.TWILIO, stand=super_sim.stand("twilio", super_sim.busy())) as read:
        encoded = msgspec.json.encode(await read.pages("usage", since=SINCE)).decode()
    assert not [word for word in cases.PRIVATE.values() if word in encoded]


@pytest.mark.parametrize("granularity", ["day", "hour"])
@pytest.mark.parametrize("since", [SINCE, INSTANT - 23 * HOUR])
async def test_sweep_takes_no_more_requests_than_are_planned_for(granularity: str, since: datetime) -> None:
    shown = world.StaticWorld(map(super_sim.sim, LINES))
    for number in LINES:
        for hour in range(24 * 8):
            shown.use(super_sim.sid(number), INSTANT - hour * HOUR, download=1)
    stand = super_sim.stand("twilio", shown)
    async with cases.reading(
        super_sim.TWILIO,
        stand=stand,
        page_size=25,
        granularity=granularity,
        usage_minutes=1380,
        absent_is_zero=True,
    ) as read:
        await read.pages("usage", since=since)
        planned = read.group("usage").requests(len(LINES))
    spent = len(read.network.sent)
    step = 24 if granularity == "hour" else 1
    assert planned - 2 * step <= spent <= planned


def test_groups_are_planned_for_as_they_change() -> None:
    sims, usage = registry.COLLECTORS["super_sim"].groups(
        registry.validate("super_sim", {"platform": "kore"})
    )
    assert (sims.cadence, sims.lists_lines, sims.is_snapshot, sims.requests(2_500)) == (
        HOUR,
        True,
        True,
        3,
    )
    assert (usage.cadence, usage.lists_lines, usage.is_snapshot) == (6 * HOUR, False, False)
    assert usage.priority > sims.priority
    assert usage.requests(2_500) == 18  # six days of each of 2,500 SIMs
