"""Days of use, asked for line by line."""

import asyncio
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from collectors import base, budget, errors, readings, registry, simulation
from collectors.described import entry
from tests.contract import cases
from tests.contract.cases import INSTANT, LINES, Reading, described

TOLD = ("1nce", "emnify", "soracom")
TODAY = INSTANT.date()


def case_of(platform: str) -> cases.Case:
    return next(case for case in described.CASES if case.collector == platform)


def days_of(page: readings.Page) -> dict[str, dict[date, int]]:
    return {
        line.provider_key: {usage.starts_at.date(): usage.total_bytes for usage in line.usage}
        for line in page.sightings
    }


def asked(read: Reading) -> list[httpx.URL]:
    """The calls for single lines, in order."""
    return [
        httpx.URL(sent.url)
        for sent in read.network.sent
        if any(part in sent.url for part in ("/usage?", "/stats/daily?", "/stats/air/"))
    ]


@pytest.mark.parametrize("platform", TOLD)
async def test_every_line_is_asked_for_once_and_its_days_are_told(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        found = await read.pages("usage")
        listed = await read.pages("lines")
        assert read.stand.faults.seen("usage") == len(LINES)
        made = read.stand
    assert [len(page.sightings) for page in found] == [10, 10, 5]
    told = {key: days for page in found for key, days in days_of(page).items()}
    expected = {
        made.key(line): dict(line.days)  # type: ignore[attr-defined]
        for line in (described.line(number, platform) for number in LINES)
    }
    assert told == expected
    identities = {
        line.provider_key: (line.mdn, line.iccid, line.imei) for page in listed for line in page.sightings
    }
    for page in found:
        assert not page.rejected
        for line in page.sightings:
            assert (line.mdn, line.iccid, line.imei) == identities[line.provider_key]
            assert (line.states, line.last_seen_at, line.cycle_limit_bytes) == ((), None, None)
            assert all(usage.kind is readings.UsageKind.INTERVAL for usage in line.usage)
            assert all(usage.series is readings.UsageSeries.DAY for usage in line.usage)


def epoch(on: date) -> str:
    return str(int(datetime(on.year, on.month, on.day, tzinfo=UTC).timestamp()))


@pytest.mark.parametrize(
    ("platform", "path", "names"),
    [
        ("1nce", "/management-api/v1/sims/{key}/usage", ("start_dt", "end_dt")),
        ("emnify", "/api/v1/endpoint/{key}/stats/daily", ("start_date", "end_date")),
        ("soracom", "/v1/stats/air/sims/{key}", ("from", "to")),
    ],
)
@pytest.mark.parametrize(
    ("since", "given", "back"),
    [
        (None, {}, 31),
        (None, {"history_days": 90}, 90),
        (timedelta(hours=12), {}, 4),
        (timedelta(days=1), {"reread_days": 2}, 3),
        (timedelta(days=30), {}, 34),
        (timedelta(days=3_000), {}, {"1nce": 180, "emnify": 366, "soracom": 540}),
    ],
)
async def test_days_are_asked_for_since_the_last_sweep_and_some_before(
    platform: str,
    path: str,
    names: tuple[str, str],
    since: timedelta | None,
    given: dict[str, Any],
    back: int | dict[str, int],
) -> None:
    case = case_of(platform)
    async with cases.reading(case, lines=range(1), **given) as read:
        await read.pages("usage", since=None if since is None else INSTANT - since)
        (url,) = asked(read)
    (key,) = case.keys(range(1))
    first = TODAY - timedelta(days=back[platform] if isinstance(back, dict) else back)
    window = dict(zip(names, (str(first), str(TODAY)), strict=True))
    if platform == "soracom":
        window = {"from": epoch(first), "to": str(int(INSTANT.timestamp())), "period": "day"}
    assert url.path == path.replace("{key}", key)
    assert dict(url.params) == window


@pytest.mark.parametrize("platform", TOLD)
async def test_a_line_that_the_platform_does_not_know_spoils_no_other(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        read.stand.faults.next(simulation.status(404), endpoint="usage", after=3)
        read.stand.faults.next(simulation.html, endpoint="usage", after=12)
        found = await read.pages("usage")
    rejected = [(rejection.path, rejection.reason) for page in found for rejection in page.rejected]
    unknown, unreadable = sorted((reason for _, reason in rejected), key=lambda reason: "HTML" in reason)
    assert unknown == "the vendor does not know this line"
    assert "answered HTML where JSON was expected" in unreadable
    assert all(path.startswith("lines[") for path, _ in rejected)
    assert len(cases.keys(found)) == len(LINES) - 2


@pytest.mark.parametrize("platform", TOLD)
async def test_usage_that_never_fits_names_the_field_and_ends_the_sweep(platform: str) -> None:
    names = {"1nce": "data", "emnify": "data", "soracom": "dataTrafficStatsMap"}

    def change(body: Any) -> None:
        for row in body["stats"] if isinstance(body, dict) else body:
            del row[names[platform]]

    async with cases.reading(case_of(platform)) as read:
        read.stand.faults.next(simulation.changed(change), endpoint="usage", times=99)
        with pytest.raises(
            errors.ResponseInvalid, match=r"no day of a line fits the description: usage\.amount\.path"
        ):
            await read.pages("usage")


async def test_a_bad_day_is_rejected_and_the_others_are_told() -> None:
    def change(body: Any) -> None:
        body["stats"][2]["data"]["volume"] = "twelve"

    async with cases.reading(case_of("1nce"), lines=range(2)) as read:
        read.stand.faults.next(simulation.changed(change), endpoint="usage")
        (page,) = await read.pages("usage")
    (rejection,) = page.rejected
    assert rejection.path == "stats[2].data.volume"
    assert sorted(len(days) for days in days_of(page).values()) == [9, 10]


@pytest.mark.parametrize("platform", TOLD)
async def test_a_lasting_fault_in_usage_is_unavailable(platform: str) -> None:
    async with cases.reading(case_of(platform)) as read:
        read.stand.faults.next(simulation.status(503), endpoint="usage", times=999)
        with pytest.raises(errors.Unavailable, match="503"):
            await read.pages("usage")


@pytest.mark.parametrize("platform", TOLD)
async def test_a_token_that_ends_amid_a_page_of_lines_is_replaced_once(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        read.stand.faults.next(simulation.first(read.stand.expire), endpoint="usage", after=12)
        found = await read.pages("usage")
        assert read.stand.faults.seen("token") == 2
    assert cases.keys(found) == case.keys(LINES)


@pytest.mark.parametrize("platform", TOLD)
async def test_an_interrupted_sweep_of_usage_goes_on_after_its_last_stored_page(platform: str) -> None:
    case = case_of(platform)
    async with cases.reading(case) as read:
        first, *_ = await read.pages("usage")
        before = read.stand.faults.seen("usage")
        rest = await read.pages("usage", cursor=first.cursor)
        assert read.stand.faults.seen("usage") - before == 15
    assert cases.keys(rest) == case.keys(LINES) - cases.keys([first])


async def test_no_more_than_eight_lines_are_asked_for_at_once() -> None:
    under_way, most = 0, 0

    async def slow(call: simulation.Call) -> Any:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.005)
        under_way -= 1
        return await call.reply()

    async with cases.reading(case_of("emnify")) as read:
        read.stand.faults.next(slow, endpoint="usage", times=99)
        await read.pages("usage")
    assert 1 < most <= 8


@pytest.mark.parametrize("platform", TOLD)
async def test_a_sweep_costs_as_many_requests_as_its_group_says(platform: str) -> None:
    async with cases.reading(case_of(platform)) as read:
        for name in ("lines", "usage"):
            await read.pages(name)
            sent = [one for one in read.network.sent if one.method == "GET"]
            assert len(sent) == read.group(name).requests(len(LINES))
            read.network.sent.clear()


@pytest.mark.parametrize("platform", TOLD)
def test_usage_adds_to_what_another_group_lists(platform: str) -> None:
    lines, usage = entry.ENTRIES[platform].groups(
        described.OPTIONS[platform](cadence_minutes=30, usage_cadence_minutes=1440)
    )
    assert (lines.name, lines.lists_lines, lines.overlaps, lines.priority) == ("lines", True, False, 0)
    assert (usage.name, usage.lists_lines, usage.overlaps, usage.priority) == ("usage", False, True, 1)
    assert (lines.cadence, usage.cadence) == (timedelta(minutes=30), timedelta(days=1))
    assert lines.is_snapshot
    assert not usage.is_snapshot
    assert (lines.requests(10_000), usage.requests(10_000)) == (
        -(-10_000 // lines.page_size),
        10_000 + -(-10_000 // lines.page_size),
    )


def test_telnyx_tells_use_in_its_list_and_has_no_call_for_single_lines() -> None:
    (group,) = entry.ENTRIES["telnyx"].groups(described.OPTIONS["telnyx"]())
    assert (group.name, group.lists_lines, group.is_snapshot) == ("lines", True, True)


@pytest.mark.parametrize(
    ("platform", "most"), [("1nce", 10.0), ("emnify", 2000 / 300), ("soracom", 5.0), ("telnyx", 5.0)]
)
def test_the_pace_stays_below_the_platforms_limit(platform: str, most: float) -> None:
    credentials = case_of(platform).credentials
    spending = registry.spending(platform, {}, credentials)
    assert spending.terms.requests_per_second <= most
    slower = registry.spending(platform, {"requests_per_second": 0.5, "page_size": 3}, credentials)
    assert slower.fingerprint == spending.fingerprint
    assert slower.terms == budget.Terms(0.5)


def test_another_address_or_credential_is_another_budget() -> None:
    credentials = dict(case_of("soracom").credentials)
    fingerprints = {
        registry.spending("soracom", options, credentials | other).fingerprint
        for options in ({}, {"base_url": "https://api.soracom.io/v1"})
        for other in ({}, {"auth_key": "another"})
    }
    assert len(fingerprints) == 4


async def test_the_list_is_read_at_the_sweeps_instant_whatever_the_group() -> None:
    async with cases.reading(case_of("soracom"), lines=range(2)) as read:
        collector = read.collector
        later = INSTANT + timedelta(days=1)
        pages = [page async for page in collector.pages(read.group("lines"), base.Sweep(later))]
    states = [state for page in pages for line in page.sightings for state in line.states]
    assert {state.starts_at for state in states} == {later}
