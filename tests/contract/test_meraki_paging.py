"""Lists that change while they are read, and sweeps that are taken up again."""

from typing import Any

import pytest
from aiohttp import web

from collectors import readings, simulation
from collectors.meraki import world
from tests.contract import cases
from tests.contract.cases import INSTANT, meraki
from tests.contract.cases.meraki import CASE

HERE = f"https://api.meraki.com/api/v1/organizations/{meraki.ORGANIZATION}"
START = f"{HERE}/cellularGateway/uplink/statuses?perPage=10"
FIRST_NETWORK, SECOND_NETWORK = "N_901", "N_902"
STUDENTS: dict[str, Any] = {"systems_manager_networks": [FIRST_NETWORK, SECOND_NETWORK]}


def stand(lines: int = 25) -> meraki.Stand:
    return meraki.stand_of(list(map(meraki.gateway, range(lines))))


def students(first: int = 25, second: int = 5) -> meraki.Stand:
    devices = [world.Student(f"{number:03d}", FIRST_NETWORK) for number in range(first)]
    devices += [world.Student(f"{number:03d}", SECOND_NETWORK) for number in range(500, 500 + second)]
    return meraki.stand_of([], *devices)


@pytest.mark.parametrize("has_quoted_links", [False, True], ids=["unquoted", "quoted"])
async def test_next_page_is_followed(has_quoted_links: bool) -> None:
    made = stand()
    made.settings.has_quoted_links = has_quoted_links
    async with cases.reading(CASE, stand=made) as read:
        found = await read.pages("gateways")
    assert [len(page.sightings) for page in found] == [10, 10, 5]


async def test_gateways_that_go_away_or_come_in_mid_sweep_hide_no_other() -> None:
    made = stand()

    def change() -> None:
        del made.world.gateways[3:9]
        made.world.gateways.append(meraki.gateway(900))

    async with cases.reading(CASE, stand=made) as read:
        read.stand.faults.next(simulation.first(change), endpoint="uplinks", after=1)
        assert cases.keys(await read.pages("gateways")) == CASE.keys(range(25)) | {meraki.key(900)}


async def test_page_that_fits_exactly_is_the_last() -> None:
    async with cases.reading(CASE, stand=stand(20)) as read:
        found = await read.pages("gateways")
        assert read.stand.faults.seen("uplinks") == 2
    assert [page.cursor is None for page in found] == [False, True]


@pytest.mark.parametrize("group", ["gateways", "usage", "changes", "history"])
async def test_interrupted_sweep_goes_on_after_its_last_page(group: str) -> None:
    async with cases.reading(CASE, stand=stand()) as read:
        whole = await read.pages(group)
    first = next(index for index, page in enumerate(whole) if page.cursor)
    async with cases.reading(CASE, stand=stand()) as read:
        rest = await read.pages(group, cursor=whole[first].cursor)
        assert read.stand.faults.seen("uplinks") == 2
    assert cases.keys(rest) == CASE.keys(range(10, 25))
    assert keys_and_cursors(rest) == keys_and_cursors(whole[first + 1 :])


def keys_and_cursors(pages: list[readings.Page]) -> list[tuple[list[str], str | None]]:
    return [([seen.provider_key for seen in page.sightings], page.cursor) for page in pages]


async def test_cursor_of_a_shard_is_taken_up() -> None:
    async with cases.reading(CASE, stand=stand()) as read:
        whole = await read.pages("gateways")
        cursor = (whole[0].cursor or "").replace("api.meraki.com", "n149.meraki.com")
        assert cases.keys(await read.pages("gateways", cursor=cursor)) == CASE.keys(range(10, 25))


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "",
        START.replace(meraki.ORGANIZATION, "111111"),
        START.replace("uplink/statuses", "esims"),
        START.replace("api.meraki.com", "collector.example") + "&startingAfter=Q200-0000-0009",
        START + "&networkIds%5B%5D=N_5&startingAfter=Q200-0000-0009",
    ],
    ids=["nonsense", "empty", "organisation", "list", "host", "filter"],
)
async def test_cursor_that_fits_no_longer_begins_anew(cursor: str) -> None:
    async with cases.reading(CASE, stand=stand()) as read:
        assert cases.keys(await read.pages("gateways", cursor=cursor)) == CASE.keys(range(25))
        assert {each.host for each in read.network.sent} == {"api.meraki.com"}


@pytest.mark.parametrize("status", [400, 404])
async def test_place_that_meraki_has_forgotten_begins_anew(status: int) -> None:
    async def forgotten(call: simulation.Call) -> web.Response:
        return simulation.answer({"errors": ["Invalid startingAfter"]}, status=status)

    async with cases.reading(CASE, stand=stand()) as read:
        read.stand.faults.next(forgotten, endpoint="uplinks")
        cursor = START + "&startingAfter=Q200-0000-0009"
        assert cases.keys(await read.pages("gateways", cursor=cursor)) == CASE.keys(range(25))


async def test_history_of_a_page_is_taken_up_at_that_page_until_all_of_it_is_read() -> None:
    """A page of gateways has several windows: only the last moves the cursor on."""
    async with cases.reading(CASE, stand=stand(), history_days=60) as read:
        found = await read.pages("history")
    cursors = [page.cursor for page in found]
    assert len(cursors) == 3 * 3
    assert cursors[:2] == [None, None]
    assert cursors[2] == cursors[3] == cursors[4] != cursors[5]
    assert [bool(page.sightings) for page in found] == [True, True, False] * 3


async def test_students_are_taken_up_within_a_network_and_in_the_next() -> None:
    async with cases.reading(CASE, stand=students(), **STUDENTS) as read:
        whole = await read.pages("students")
    assert [len(page.student_devices) for page in whole] == [10, 10, 5, 5]
    for index, page in enumerate(whole[:-1]):
        async with cases.reading(CASE, stand=students(), **STUDENTS) as read:
            rest = await read.pages("students", cursor=page.cursor)
        assert cases.keys(rest) == cases.keys(whole[index + 1 :])
    assert whole[-1].cursor is None


async def test_sweep_that_is_taken_up_carries_the_same_instant() -> None:
    async with cases.reading(CASE, stand=stand()) as read:
        whole = await read.pages("gateways")
        rest = await read.pages("gateways", cursor=whole[0].cursor)
    instants = {state.starts_at for page in rest for seen in page.sightings for state in seen.states}
    assert instants == {INSTANT}
