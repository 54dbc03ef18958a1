"""Use, signal and states of routers: what is asked for, and what becomes of it."""

from datetime import datetime, timedelta
from typing import Any

import httpx

from collectors import readings, simulation
from collectors.netcloud import api, world
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, LINES, netcloud
from tests.contract.cases.netcloud import CASE, Stand


def stand(made: world.World) -> Stand:
    return Stand(made, settings=netcloud.SETTINGS)


def asked(read: cases.Reading, endpoint: str) -> list[dict[str, str]]:
    return [dict(httpx.URL(sent.url).params) for sent in read.network.sent if api.path(endpoint) in sent.url]


def used(found: list[readings.Page]) -> dict[str, list[readings.Usage]]:
    return {line.provider_key: list(line.usage) for page in found for line in page.sightings}


async def test_use_comes_under_the_same_identifiers_as_the_list() -> None:
    async with cases.reading(CASE) as read:
        listed = {line.provider_key: line for page in await read.pages("modems") for line in page.sightings}
        found = [line for page in await read.pages("usage") for line in page.sightings]
    assert len(found) == len(LINES)
    for line in found:
        same = listed[line.provider_key]
        names = ("mdn", "iccid", "imei", "serial", "group_key", "device_kind")
        assert [getattr(line, name) for name in names] == [getattr(same, name) for name in names]
        assert (line.states, line.last_seen_at, line.last_seen_by) == ((), None, None)
        assert [usage.total_bytes for usage in line.usage] == [25_000] * 3
    assert listed[netcloud.key(7)].serial == identities.serial(7)


async def test_first_sweep_reads_some_days_and_later_ones_overlap_the_last() -> None:
    async with cases.reading(CASE, history_days=3, overlap_minutes=90, lines=range(1)) as read:
        await read.pages("usage")
        await read.pages("usage", since=INSTANT - timedelta(hours=1))
    first, later = asked(read, api.USAGE_SAMPLES)
    assert datetime.fromisoformat(first["created_at__gt"]) == INSTANT - timedelta(days=3)
    assert datetime.fromisoformat(later["created_at__gt"]) == INSTANT - timedelta(minutes=60 + 90 + 1)
    for window in (first, later):
        assert datetime.fromisoformat(window["created_at__lt"]) == INSTANT - timedelta(seconds=60)
        assert window["order_by"] == "created_at_timeuuid"


async def test_sample_that_arrived_late_is_read_by_the_next_sweep() -> None:
    made = world.World(modems=[netcloud.modem(1)])
    async with cases.reading(CASE, stand=stand(made)) as read:
        assert used(await read.pages("usage")) == {}
        late = netcloud.sample(1, hours_ago=0.5)
        made.usage.append(late)
        found = used(await read.pages("usage", instant=INSTANT + timedelta(hours=1), since=INSTANT))
    assert [usage.ends_at for usage in found[netcloud.key(1)]] == [late.created_at]


async def test_sample_at_the_edge_between_two_sweeps_is_not_lost() -> None:
    edge = netcloud.sample(1, created_at=INSTANT - timedelta(seconds=60))
    made = world.World(modems=[netcloud.modem(1)], usage=[edge])
    async with cases.reading(CASE, stand=stand(made), overlap_minutes=1) as read:
        assert used(await read.pages("usage", since=INSTANT - timedelta(hours=1))) == {}
        found = used(await read.pages("usage", instant=INSTANT + timedelta(hours=1), since=INSTANT))
    assert len(found[netcloud.key(1)]) == 1


async def test_sample_that_two_pages_repeat_is_counted_once() -> None:
    samples = [netcloud.sample(1, hours_ago=hours) for hours in range(1, 16)]
    made = world.World(modems=[netcloud.modem(1)], usage=samples)
    served = stand(made)
    early = netcloud.sample(1, hours_ago=40)
    served.faults.next(
        simulation.first(lambda: made.usage.append(early)), endpoint=api.USAGE_SAMPLES, after=1
    )
    async with cases.reading(CASE, stand=served) as read:
        found = used(await read.pages("usage"))[netcloud.key(1)]
    assert len(found) == 15
    assert len({usage.starts_at for usage in found}) == 15


async def test_two_reports_of_one_instant_are_two() -> None:
    twice = [netcloud.sample(1, key="a"), netcloud.sample(1, key="b", period=1800.0)]
    made = world.World(modems=[netcloud.modem(1)], usage=twice)
    async with cases.reading(CASE, stand=stand(made)) as read:
        assert len(used(await read.pages("usage"))[netcloud.key(1)]) == 2


async def test_at_most_a_hundred_modems_are_asked_for_at_once() -> None:
    lines = range(230)
    async with cases.reading(CASE, lines=lines, page_size=500) as read:
        found = await read.pages("usage")
    assert cases.keys(found) == CASE.keys(lines)
    counts = [len(each["net_device__in"].split(",")) for each in asked(read, api.USAGE_SAMPLES)]
    assert counts == [100, 100, 30]
    assert len(found) == 3


async def test_modems_that_are_no_lines_are_not_asked_for() -> None:
    made = world.World(modems=[netcloud.modem(1, iccid=None, imei=None)], usage=[netcloud.sample(1)])
    async with cases.reading(CASE, stand=stand(made)) as read:
        (page,) = await read.pages("usage")
    assert (page.sightings, page.rejected) == ([], [])
    assert asked(read, api.USAGE_SAMPLES) == []


async def test_modem_that_did_not_report_has_no_reading() -> None:
    made = world.World(
        modems=[netcloud.modem(1), netcloud.modem(2)],
        usage=[
            netcloud.sample(1, bytes_in=None, bytes_out=None, uptime=None),
            netcloud.sample(2, bytes_in=0, bytes_out=0),
        ],
    )
    async with cases.reading(CASE, stand=stand(made)) as read:
        found = used(await read.pages("usage"))
    assert {key: [usage.total_bytes for usage in each] for key, each in found.items()} == {
        netcloud.key(2): [0]
    }


async def test_sample_of_a_modem_that_was_not_asked_for_is_counted_not_believed() -> None:
    def other(body: Any) -> None:
        body["data"][0]["net_device"] = f"{netcloud.SHARD}/api/v2/net_devices/77/"

    async with cases.reading(CASE, lines=range(2)) as read:
        read.stand.faults.next(simulation.changed(other), endpoint=api.USAGE_SAMPLES)
        (page,) = await read.pages("usage")
    assert [bad.reason for bad in page.rejected] == ["a sample of one that was not asked for"]
    assert cases.keys([page]) == CASE.keys(range(2))


async def test_signal_of_the_whole_fleet_is_read_first_and_then_what_changed() -> None:
    made = world.World(
        modems=[netcloud.modem(1), netcloud.modem(2)],
        metrics=[
            netcloud.metrics(1),
            netcloud.metrics(2, update_ts=INSTANT - timedelta(hours=9)),
            netcloud.metrics(3, update_ts=None),
        ],
    )
    async with cases.reading(CASE, stand=stand(made)) as read:
        first = await read.pages("signal")
        later = await read.pages("signal", since=INSTANT - timedelta(hours=1))
    assert cases.keys(first) == CASE.keys(range(1, 3))
    assert cases.keys(later) == CASE.keys(range(1, 2))
    (line,) = later[0].sightings
    assert line == readings.Sighting(
        netcloud.key(1),
        signals=(readings.Signal(INSTANT - timedelta(minutes=20), -95.0, -11.0, 7.4),),
    )
    everything, changed = asked(read, api.METRICS)
    assert "update_ts__gt" not in everything
    assert datetime.fromisoformat(changed["update_ts__gt"]) == INSTANT - timedelta(hours=3)


async def test_states_of_routers_are_not_read_unless_asked_for() -> None:
    async with cases.reading(CASE) as read:
        assert "states" not in {group.name for group in read.collector.endpoint_groups}


def sampled(router_id: str, minutes_ago: int, state: str) -> world.StateSample:
    at = INSTANT - timedelta(minutes=minutes_ago)
    return world.StateSample(router=router_id, created_at=at, key=f"{router_id}-{minutes_ago}", state=state)


async def test_states_of_a_router_are_told_of_each_of_its_modems() -> None:
    router = netcloud.router(1)
    made = world.World(
        modems=[
            netcloud.modem(1, router=router),
            netcloud.modem(2, router=router),
            netcloud.modem(3),
            netcloud.modem(4, router=None),
        ],
        states=[
            sampled(router.id, 50, "offline"),
            sampled(router.id, 40, "online"),
            sampled("5", 30, "online"),
        ],
    )
    async with cases.reading(CASE, stand=stand(made), read_state_samples=True) as read:
        (page,) = await read.pages("states")
    expected = (
        readings.State(INSTANT - timedelta(minutes=50), is_online=False),
        readings.State(INSTANT - timedelta(minutes=40), is_online=True),
    )
    assert {line.provider_key: line.states for line in page.sightings} == {
        netcloud.key(1): expected,
        netcloud.key(2): expected,
    }
    (query,) = asked(read, api.STATE_SAMPLES)
    assert query["router__in"] == f"{router.id},{netcloud.router(3).id}"


async def test_unknown_states_in_samples_are_counted_once_a_sample() -> None:
    router = netcloud.router(1)
    made = world.World(
        modems=[netcloud.modem(1, router=router), netcloud.modem(2, router=router)],
        states=[sampled(router.id, 50, "hibernating")],
    )
    async with cases.reading(CASE, stand=stand(made), read_state_samples=True) as read:
        (page,) = await read.pages("states")
    assert page.unmapped == {"router state: hibernating": 1}
    assert [line.states[0].is_online for line in page.sightings] == [None, None]
