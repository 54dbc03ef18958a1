"""Sweeps of bytes, history, changes and students' devices, end to end."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from aiohttp import web

from collectors import base, budget, errors, readings, registry, simulation
from collectors.meraki import collector, gateway_sweeps, options, windows, world
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, PRIVATE, meraki
from tests.contract.cases.meraki import CASE
from tests.contract.towards import Towards

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
ELEMENTARY, HIGH = "N_901", "N_902"
KINDS, SERIES = readings.UsageKind, readings.UsageSeries


def sightings(pages: Sequence[readings.Page]) -> dict[str, readings.Sighting]:
    return {sighting.provider_key: sighting for page in pages for sighting in page.sightings}


def rejected(pages: Sequence[readings.Page]) -> list[readings.Rejection]:
    return [rejection for page in pages for rejection in page.rejected]


def two_sims(number: int) -> world.Gateway:
    slots = [
        world.Slot("sim1", 500, is_active=False, bytes_per_second=0),
        world.Slot("esim", 9_000_000, sim="sim3", bytes_per_second=2),
    ]
    return meraki.gateway(number, slots=slots)


def groups(**given: object) -> list[str]:
    made = msgspec.convert({**meraki.OPTIONS, **given}, options.Options)
    return [group.name for group in collector.endpoint_groups(made)]


def test_groups_of_students_are_there_only_where_asked_for() -> None:
    gateways = ["gateways", "usage", "changes", "history"]
    assert groups() == gateways
    assert groups(systems_manager_networks=["N_1"]) == [*gateways, "students"]
    everything = groups(systems_manager_networks=["N_1"], systems_manager_usage=True)
    assert everything == [*gateways, "students", "student_usage"]


def test_only_the_gateways_list_lines_and_only_bytes_are_a_snapshot() -> None:
    made = msgspec.convert({**meraki.OPTIONS, "systems_manager_networks": ["N_1"]}, options.Options)
    flags = {group.name: (group.lists_lines, group.is_snapshot) for group in collector.endpoint_groups(made)}
    assert flags == {
        "gateways": (True, False),
        "usage": (False, True),
        "changes": (False, False),
        "history": (False, False),
        "students": (False, True),
    }


async def test_every_group_names_the_same_lines() -> None:
    went = [(INSTANT - 2 * HOUR, "offline", "online")]
    fleet = [two_sims(1), meraki.gateway(2, changes=went)]
    async with cases.reading(CASE, stand=meraki.stand_of(fleet)) as read:
        found = {name: cases.keys(await read.pages(name)) for name in groups()}
    lines = {f"{meraki.serial(1)}:sim1", f"{meraki.serial(1)}:esim", meraki.key(2)}
    assert found["gateways"] == found["usage"] == found["history"] == lines
    assert found["changes"] < lines


async def test_bytes_are_totals_of_the_cycle_at_the_sweeps_instant() -> None:
    async with cases.reading(CASE, stand=meraki.stand_of([two_sims(1)])) as read:
        found = sightings(await read.pages("usage"))
    assert {key.partition(":")[2]: sighting.usage for key, sighting in found.items()} == {
        "sim1": (readings.Usage(KINDS.COUNTER, SERIES.CYCLE, INSTANT, 500),),
        "esim": (readings.Usage(KINDS.COUNTER, SERIES.CYCLE, INSTANT, 9_000_000),),
    }


async def test_history_of_a_first_sweep_goes_back_as_far_as_is_told() -> None:
    async with cases.reading(CASE, stand=meraki.stand_of([two_sims(1)]), history_days=70) as read:
        pages = await read.pages("history")
        asked = [sent for sent in read.network.sent if "byInterval" in sent.url]
    assert len(asked) == 3, "31 days at a time"
    parts = [
        usage
        for page in pages
        for sighting in page.sightings
        if sighting.provider_key.endswith(":esim")
        for usage in sighting.usage
    ]
    starts = [usage.starts_at for usage in parts]
    assert starts == sorted(set(starts))
    assert (starts[0], parts[-1].ends_at) == (INSTANT - 70 * DAY - 2 * HOUR, INSTANT - 2 * HOUR)
    assert {usage.ends_at and usage.ends_at - usage.starts_at for usage in parts} == {4 * HOUR}
    assert {(usage.kind, usage.series) for usage in parts} == {(KINDS.INTERVAL, SERIES.PART)}
    assert {usage.total_bytes for usage in parts} == {2 * 4 * 3600}
    assert not rejected(pages)


@pytest.mark.parametrize("interval", [300, 1200])
async def test_fine_history_is_asked_for_in_short_windows(interval: int) -> None:
    """So that an answer, and what a page holds, stays small."""
    async with cases.reading(
        CASE, stand=meraki.stand_of([two_sims(1)]), history_interval_seconds=interval, history_days=9
    ) as read:
        pages = await read.pages("history")
    parts = [seen.usage for page in pages for seen in page.sightings if seen.provider_key.endswith("esim")]
    assert max(map(len, parts)) == windows.MOST_INTERVALS
    assert sum(map(len, parts)) == 9 * 86_400 // interval
    assert not rejected(pages)


async def test_year_of_history_stays_within_what_meraki_keeps() -> None:
    async with cases.reading(
        CASE, stand=meraki.stand_of([two_sims(1)]), history_days=365, history_interval_seconds=86_400
    ) as read:
        pages = await read.pages("history")
    assert not rejected(pages)
    days = [usage for page in pages for seen in page.sightings for usage in seen.usage]
    assert len({usage.starts_at for usage in days}) == 365
    assert {usage.series for usage in days} == {SERIES.DAY}


async def test_account_that_was_away_for_long_asks_no_further_back_than_is_kept() -> None:
    """Meraki would refuse to go further, which would look like a list that is not offered."""
    async with cases.reading(CASE, stand=meraki.stand_of([meraki.gateway(1)])) as read:
        for group in ("history", "changes"):
            pages = await read.pages(group, since=INSTANT - 500 * DAY)
            assert cases.keys(pages) == {meraki.key(1)}
            assert not rejected(pages)


async def test_ten_gateways_whose_history_cannot_be_read_spoil_no_other() -> None:
    fleet = [meraki.gateway(number) for number in range(25)]
    async with cases.reading(CASE, stand=meraki.stand_of(fleet), page_size=25) as read:
        read.stand.faults.next(simulation.changed(lambda body: body.pop("items")), endpoint="history")
        pages = await read.pages("history", since=INSTANT - DAY)
    assert len(cases.keys(pages)) in {15, 20}
    [rejection] = rejected(pages)
    assert rejection.path.startswith("history[")


async def test_history_of_which_nothing_can_be_read_fails_so_that_it_is_read_again() -> None:
    async with cases.reading(CASE, stand=meraki.stand_of([meraki.gateway(1)])) as read:
        read.stand.faults.next(simulation.html, endpoint="history", times=99)
        with pytest.raises(errors.ResponseInvalid, match=r"no history of a page can be read: .*HTML"):
            await read.pages("history", since=INSTANT - DAY)


async def test_calls_for_the_history_go_out_a_few_at_a_time() -> None:
    under_way, most = 0, 0

    async def slow(call: simulation.Call) -> web.StreamResponse:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0.02)
        under_way -= 1
        return await call.reply()

    fleet = [meraki.gateway(number) for number in range(100)]
    async with cases.reading(CASE, stand=meraki.stand_of(fleet), page_size=100) as read:
        read.stand.faults.next(slow, endpoint="history", times=99)
        assert len(cases.keys(await read.pages("history", since=INSTANT - DAY))) == 100
    assert most == gateway_sweeps.AT_ONCE


async def test_every_call_takes_its_turn_in_the_budget() -> None:
    turns = 0

    class Counting(budget.Unlimited):
        def of(self, fingerprint: str, terms: budget.Terms) -> "Counting":
            return self

        @contextlib.asynccontextmanager
        async def turn(self) -> AsyncIterator[None]:
            nonlocal turns
            turns += 1
            yield

    made = meraki.stand_of([meraki.gateway(number) for number in range(25)], student(1, iccid="890148"))
    async with simulation.serve(made) as url:
        network = Towards(url)
        read = registry.build(
            "meraki",
            {**meraki.OPTIONS, **STUDENTS},
            meraki.CREDENTIALS,
            budgets=Counting(),
            transport=network,
        )
        try:
            for group in read.endpoint_groups:
                assert [page async for page in read.pages(group, base.Sweep(INSTANT))]
        finally:
            await read.aclose()
    assert turns == len(network.sent) > len(read.endpoint_groups)


async def test_bad_history_of_one_gateway_is_rejected_by_itself() -> None:
    def change(body: Any) -> None:
        body["items"][0]["intervals"][0]["usage"]["bySim"][0]["total"] = -5

    fleet = [meraki.gateway(number) for number in range(5)]
    async with cases.reading(CASE, stand=meraki.stand_of(fleet)) as read:
        read.stand.faults.next(simulation.changed(change), endpoint="history")
        pages = await read.pages("history", since=INSTANT - DAY)
    assert len(cases.keys(pages)) == 4
    [rejection] = rejected(pages)
    assert rejection.path == "history[0].intervals[0].usage.bySim[0].total"


async def sessions(
    *changes: tuple[datetime, str, str], since: datetime | None = None
) -> tuple[readings.Session, ...]:
    stand = meraki.stand_of([meraki.gateway(1, changes=changes)])
    async with cases.reading(CASE, stand=stand) as read:
        found = sightings(await read.pages("changes", since=since))
    return found[meraki.key(1)].sessions if found else ()


async def test_session_that_goes_on_is_told_without_an_end() -> None:
    began = INSTANT - timedelta(minutes=30)
    assert await sessions((began, "offline", "online"), since=INSTANT - HOUR) == (readings.Session(began),)


async def test_end_within_the_window_finds_a_beginning_long_before_it() -> None:
    began, ended = INSTANT - 9 * DAY, INSTANT - timedelta(minutes=30)
    found = await sessions((began, "dormant", "online"), (ended, "alerting", "offline"), since=INSTANT - HOUR)
    assert found == (readings.Session(began, ended),)


@pytest.mark.parametrize("since", [None, INSTANT - HOUR])
async def test_beginning_before_all_that_is_kept_is_never_made_up(since: datetime | None) -> None:
    began, ended = INSTANT - 40 * DAY, INSTANT - timedelta(minutes=30)
    assert await sessions((began, "offline", "online"), (ended, "online", "offline"), since=since) == ()


async def test_changes_over_many_pages_are_put_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("collectors.meraki.api.CHANGES_PER_PAGE", 3)
    changes = []
    for hour in range(20, 0, -2):
        changes += [
            (INSTANT - hour * HOUR, "offline", "online"),
            (INSTANT - (hour - 1) * HOUR, "online", "offline"),
        ]
    found = await sessions(*changes)
    assert len(found) == 10
    assert {each.ends_at and each.ends_at - each.starts_at for each in found} == {HOUR}


async def test_unknown_word_in_a_change_is_counted() -> None:
    changes = [(INSTANT - 2 * HOUR, "offline", "levitating")]
    async with cases.reading(CASE, stand=meraki.stand_of([meraki.gateway(1, changes=changes)])) as read:
        pages = await read.pages("changes")
    assert [page.unmapped for page in pages] == [{"availability: levitating": 1}]


async def test_unknown_availability_is_counted_and_is_neither_online_nor_offline() -> None:
    fleet = [meraki.gateway(1, availability="levitating"), meraki.gateway(2)]
    async with cases.reading(CASE, stand=meraki.stand_of(fleet)) as read:
        pages = await read.pages("gateways")
    assert {key: seen.states[0].is_online for key, seen in sightings(pages).items()} == {
        meraki.key(1): None,
        meraki.key(2): True,
    }
    assert pages[0].unmapped == {"availability: levitating": 1}


async def test_gateway_that_no_other_list_knows_is_still_a_line() -> None:
    def emptied(body: Any) -> None:
        body.clear()

    async with cases.reading(CASE, stand=meraki.stand_of([meraki.gateway(1)])) as read:
        for endpoint in ("availabilities", "inventory"):
            read.stand.faults.next(simulation.changed(emptied), endpoint=endpoint)
        [sighting] = sightings(await read.pages("gateways")).values()
    assert (sighting.provider_key, sighting.imei) == (meraki.key(1), None)
    assert sighting.states == (readings.State(INSTANT),)


def student(number: int, network: str = ELEMENTARY, **fields: object) -> world.Student:
    given = {
        "lastConnected": 1_795_280_400 + number,
        "iccid": None,
        "imei": None,
        "location": PRIVATE["address"],
    }
    days = [{"received": 100.25, "sent": 0.75, "ts": f"2026-11-{day}T00:00:00Z"} for day in (10, 19, 20, 21)]
    return world.Student(str(number), network, f"F5K{number:08d}", given | fields, days, PRIVATE)


STUDENTS: dict[str, Any] = {
    "systems_manager_networks": [ELEMENTARY, HIGH],
    "systems_manager_usage": True,
}


async def test_students_devices_of_every_network_are_read_page_by_page() -> None:
    made = meraki.stand_of(
        [], *(student(number) for number in range(100, 125)), *(student(n, HIGH) for n in range(200, 205))
    )
    async with cases.reading(CASE, stand=made, **STUDENTS) as read:
        pages = await read.pages("students")
    assert [len(page.student_devices) for page in pages] == [10, 10, 5, 5]
    found = {device.device_key: device for page in pages for device in page.student_devices}
    assert len(found) == 30
    assert {device.group_key for device in found.values()} == {ELEMENTARY, HIGH}
    assert {device.last_seen_by for device in found.values()} == {readings.LastSeenBy.CLOUD}
    assert not [page for page in pages if page.sightings]
    assert not [word for word in PRIVATE.values() if word in repr(pages)]


async def test_only_devices_with_a_sim_of_their_own_have_their_bytes_read() -> None:
    made = meraki.stand_of(
        [], student(1, iccid=identities.iccid(1), imei=identities.imei(1)), student(2), student(3, iccid=" ")
    )
    made.world.students.append(student(9, HIGH))
    async with cases.reading(CASE, stand=made, kilobyte_bytes=1024, **STUDENTS) as read:
        pages = await read.pages("student_usage", since=INSTANT - DAY)
        assert read.stand.faults.seen("student_use") == 1
    [sighting] = [sighting for page in pages for sighting in page.sightings]
    assert (sighting.provider_key, sighting.iccid) == ("sm:1", identities.iccid(1))
    assert sighting.device_kind is readings.DeviceKind.LAPTOP
    told = [(usage.starts_at.day, usage.total_bytes, usage.series) for usage in sighting.usage]
    assert told == [(19, 101 * 1024, SERIES.DAY), (20, 101 * 1024, SERIES.DAY)], "neither old nor unfinished"


async def test_device_whose_bytes_cannot_be_read_spoils_no_other() -> None:
    made = meraki.stand_of([], *(student(number, iccid=identities.iccid(number)) for number in range(5)))
    async with cases.reading(
        CASE, stand=made, systems_manager_networks=[ELEMENTARY], systems_manager_usage=True
    ) as read:
        read.stand.faults.next(simulation.status(404), endpoint="student_use")
        pages = await read.pages("student_usage")
    assert len(cases.keys(pages)) == 4
    assert [rejection.reason for rejection in rejected(pages)] == ["the vendor does not know this line"]


async def test_no_private_word_leaves_any_group(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG")
    made = meraki.stand_of(
        [meraki.gateway(number) for number in range(3)],
        student(1, iccid=identities.iccid(1)),
        student(2, HIGH),
    )
    async with cases.reading(CASE, stand=made, **STUDENTS) as read:
        said = [repr(await read.pages(name)) for name in groups(**STUDENTS)]
    text = caplog.text + "".join(said)
    assert not [word for word in PRIVATE.values() if word in text]


async def test_revoked_key_stops_every_group() -> None:
    made = meraki.stand_of([meraki.gateway(1)], student(1))
    made.revoke()
    async with cases.reading(CASE, stand=made, **STUDENTS) as read:
        for name in groups(**STUDENTS):
            with pytest.raises(errors.AuthenticationFailed, match="check"):
                await read.pages(name)
