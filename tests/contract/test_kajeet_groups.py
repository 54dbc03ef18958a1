"""Device groups: found by the API, read leaves first, never by name."""

import msgspec

from collectors import readings
from collectors.kajeet import groups, options, parse, world
from tests.contract import accounts

TREE = [
    world.Group(key="5000", description="Northstar ISD"),
    world.Group(key="5001", parent_key="5000", description=accounts.CHILD),
    world.Group(key="5002", parent_key="5000", description="Elm Street"),
]


def nested() -> world.StaticWorld:
    return world.StaticWorld(
        [accounts.device(number, corp_id=("5000", "5001", "5002")[number % 3]) for number in range(30)], TREE
    )


async def test_documented_groups_are_read_without_their_names() -> None:
    parser = parse.Parser(options.Options(corp_ids=("5000",)))
    page = parser.groups((accounts.FIXTURES / "groups.json").read_bytes())
    assert page.groups == [
        readings.Group("5000"),
        readings.Group("5001", "5000"),
        readings.Group("5002", "5000"),
    ]
    assert accounts.CHILD.encode() not in msgspec.json.encode(page.groups)


async def test_lines_come_first_with_the_group_they_are_in() -> None:
    simulated = accounts.simulate(nested())
    async with accounts.reading(simulated, corp_ids=["5000"], discover_groups=True) as collector:
        found = await accounts.pages(collector)
    first: dict[str, str | None] = {}
    for page in found:
        for sighting in page.sightings:
            first.setdefault(sighting.provider_key, sighting.group_key)
    assert first == {row.key: row.corp_id for row in nested().rows}


async def test_groups_are_swept_by_themselves_once_a_day() -> None:
    simulated = accounts.simulate(nested())
    async with accounts.reading(simulated, corp_ids=["5000"], discover_groups=True, page_size=2) as collector:
        assert [(group.name, group.cadence.days) for group in collector.endpoint_groups] == [
            ("groups", 1),
            ("devices", 0),
        ]
        found = await accounts.pages(collector, group="groups")
        assert simulated.faults.seen("groups") == 2
        await accounts.pages(collector)
    assert {group.group_key for page in found for group in page.groups} == {"5000", "5001", "5002"}
    assert simulated.faults.seen("groups") == 2, "the device sweep uses what the group sweep found"


async def test_groups_are_left_alone_unless_they_are_to_be_discovered() -> None:
    simulated = accounts.account()
    async with accounts.reading(simulated) as collector:
        assert [group.name for group in collector.endpoint_groups] == ["devices"]
        await accounts.pages(collector)
    assert simulated.faults.seen("groups") == 0


def test_deepest_groups_come_first_and_a_ring_of_groups_ends() -> None:
    listed = [
        readings.Group("top"),
        readings.Group("middle", "top"),
        readings.Group("leaf", "middle"),
        readings.Group("a", "b"),
        readings.Group("b", "a"),
    ]
    assert groups.leaves_first(listed, ["other"]) == ["leaf", "a", "b", "middle", "other", "top"]
