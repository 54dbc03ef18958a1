"""Products that the organisation does not own: nothing is read of them, and the log says so once."""

import logging

import pytest
from aiohttp import web

from collectors import errors, simulation
from collectors.meraki import world
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, meraki
from tests.contract.cases.meraki import CASE

OWNED, OTHER = "N_901", "N_902"
REFUSALS = [(404, False), (404, True), (400, False)]
EVERY = ["gateways", "usage", "changes", "history"]


def stand(*absent: str, status: int = 404, is_empty: bool = False) -> meraki.Stand:
    made = meraki.stand_of(list(map(meraki.gateway, range(25))))
    made.settings.absent = set(absent)
    made.settings.absent_status = status
    made.settings.has_empty_refusals = is_empty
    return made


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [record.getMessage() for record in caplog.records if record.name.startswith("collectors.meraki")]


@pytest.mark.parametrize(("status", "is_empty"), REFUSALS)
async def test_organisation_without_gateways_gives_nothing_and_says_so_once(
    caplog: pytest.LogCaptureFixture, status: int, is_empty: bool
) -> None:
    caplog.set_level(logging.INFO)
    async with cases.reading(CASE, stand=stand("uplinks", status=status, is_empty=is_empty)) as read:
        for group in EVERY * 2:
            assert await read.pages(group) == []
    assert told(caplog) == [
        "Meraki does not offer the list of gateways to this organisation: nothing is read of it"
    ]


@pytest.mark.parametrize(("status", "is_empty"), REFUSALS)
async def test_lines_are_listed_where_their_bytes_are_not_offered(
    caplog: pytest.LogCaptureFixture, status: int, is_empty: bool
) -> None:
    async with cases.reading(CASE, stand=stand("slots", status=status, is_empty=is_empty)) as read:
        found = await read.pages("gateways")
        assert cases.keys(found) == {f"{meraki.serial(number)}:cellular" for number in range(25)}
        iccids = {seen.iccid for page in found for seen in page.sightings}
        assert iccids == {identities.iccid(number) for number in range(25)}
        assert read.stand.faults.seen("slots") == 1, "once a sweep, not once a page"
        assert cases.keys(await read.pages("usage")) == set()
        assert cases.keys(await read.pages("history")) == set()
        assert cases.keys(await read.pages("changes")) == cases.keys(found)
    assert len(told(caplog)) == 1


@pytest.mark.parametrize(("endpoint", "group"), [("history", "history"), ("changes", "changes")])
async def test_one_list_that_is_not_offered_takes_no_other_along(
    caplog: pytest.LogCaptureFixture, endpoint: str, group: str
) -> None:
    async with cases.reading(CASE, stand=stand(endpoint)) as read:
        assert cases.keys(await read.pages(group)) == set()
        assert cases.keys(await read.pages(group)) == set()
        for other in {"gateways", "usage"}:
            assert cases.keys(await read.pages(other)) == CASE.keys(range(25))
    assert len(told(caplog)) == 1


async def test_list_that_is_offered_at_last_is_told_once_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    made = stand("uplinks")
    async with cases.reading(CASE, stand=made) as read:
        assert await read.pages("gateways") == []
        made.settings.absent.clear()
        assert cases.keys(await read.pages("gateways")) == CASE.keys(range(25))
        await read.pages("gateways")
    assert [line.partition(" the list")[0] for line in told(caplog)] == [
        "Meraki does not offer",
        "Meraki now offers",
    ]


@pytest.mark.parametrize("group", EVERY)
async def test_wrong_organisation_is_an_error_not_an_empty_list(
    group: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with cases.reading(CASE, stand=stand(), organization_id="1") as read:
        with pytest.raises(errors.NotFound, match="404"):
            await read.pages(group)
        with pytest.raises(errors.NotFound, match="404"):
            await read.collector.probe()
    assert told(caplog) == []


async def test_refusal_in_the_midst_of_a_list_is_an_error() -> None:
    """What was there a page ago is not a product that is not owned: lines would be lost in silence."""
    async with cases.reading(CASE, stand=stand()) as read:
        read.stand.faults.next(simulation.status(404), endpoint="uplinks", after=1)
        with pytest.raises(errors.NotFound):
            await read.pages("gateways")
    async with cases.reading(CASE, stand=stand()) as read:
        read.stand.faults.next(simulation.status(404), endpoint="slots", after=1)
        with pytest.raises(errors.NotFound):
            await read.pages("gateways")


async def test_states_cannot_do_without_availabilities() -> None:
    async with cases.reading(CASE, stand=stand("availabilities")) as read:
        with pytest.raises(errors.NotFound):
            await read.pages("gateways")


async def test_refusal_that_is_not_in_merakis_words_is_an_error() -> None:
    """A proxy's 400 says nothing of what the organisation owns."""
    async with cases.reading(CASE, stand=stand()) as read:
        read.stand.faults.next(simulation.status(400), endpoint="uplinks")
        with pytest.raises(errors.ResponseInvalid, match="400"):
            await read.pages("gateways")


async def test_network_without_systems_manager_takes_no_other_along(
    caplog: pytest.LogCaptureFixture,
) -> None:
    made = meraki.stand_of([], *(world.Student(str(number), OWNED) for number in range(15)))
    async with cases.reading(CASE, stand=made, systems_manager_networks=[OTHER, OWNED]) as read:
        for _ in range(2):
            assert len(cases.keys(await read.pages("students"))) == 15
    assert [OTHER in line for line in told(caplog)] == [True]


async def test_trial_names_what_is_not_offered() -> None:
    made = stand("uplinks")
    async with cases.reading(CASE, stand=made, systems_manager_networks=[OTHER]) as read:
        probe = await read.collector.probe()
    assert [rejection.path for rejection in probe.rejected] == ["gateways", "students"]
    assert {rejection.reason for rejection in probe.rejected} == {
        "not offered to this organisation, or a wrong network id"
    }


async def test_refusal_is_told_without_merakis_words() -> None:
    async def refused(call: simulation.Call) -> web.Response:
        return simulation.answer({"errors": [cases.PRIVATE["note"]]}, status=400)

    async with cases.reading(CASE, stand=stand()) as read:
        read.stand.faults.next(refused, endpoint=None, times=99)
        with pytest.raises(errors.NotFound, match="check organization_id") as caught:
            await read.pages("gateways", instant=INSTANT)
    assert cases.PRIVATE["note"] not in f"{caught.value!r} {caught.value.__cause__!r}"
