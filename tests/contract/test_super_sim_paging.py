"""The list of SIMs: addresses that the vendor gives, hosts that it may not lead to, and taking up again."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from collectors import errors, simulation
from collectors.super_sim import world
from tests.contract import cases
from tests.contract.cases import LINES, Case, super_sim

CASES = pytest.mark.parametrize("case", super_sim.CASES, ids=["kore", "twilio"])


def leading(where: Callable[[str], str]) -> simulation.Fault:
    def change(body: Any) -> None:
        body["meta"]["next_page_url"] = where(body["meta"]["next_page_url"])

    return simulation.changed(change)


def asked(read: cases.Reading, path: str = "/v1/Sims") -> list[httpx.URL]:
    return [httpx.URL(sent.url) for sent in read.network.sent if httpx.URL(sent.url).path == path]


@CASES
async def test_next_pages_are_asked_for_at_the_addresses_that_the_vendor_gives(case: Case) -> None:
    async with cases.reading(case) as read:
        await read.pages("sims")
    urls = asked(read)
    assert {f"https://{url.host}" for url in urls} == {case.options["base_url"]}
    assert dict(urls[0].params) == {"PageSize": "10"}
    assert [url.params.get("PageToken") for url in urls] == [
        None,
        f"PA{super_sim.sid(9)}",
        f"PA{super_sim.sid(19)}",
    ]


@CASES
@pytest.mark.parametrize(
    "where",
    [
        lambda url: url.replace("https://", "https://collector.example/?u=", 1),
        lambda url: url.replace("https://", "http://", 1),
        lambda url: url.replace(".com/", ".com.example/", 1),
        lambda url: url.replace(".com/", ".com:8443/", 1),
        lambda url: url.replace("https://supersim.", "https://other.", 1),
        lambda url: url.replace("https://", "https://someone@", 1),
    ],
    ids=["other host", "http", "longer host", "other port", "sister host", "user"],
)
async def test_next_page_of_another_host_is_never_sent_the_credentials(
    case: Case, where: Callable[[str], str]
) -> None:
    async with cases.reading(case) as read:
        read.stand.faults.next(leading(where), endpoint="sims", times=99)
        with pytest.raises(errors.ResponseInvalid, match="credentials are not sent there"):
            await read.pages("sims")
    assert len(asked(read)) == 1
    hosts = {httpx.URL(sent.url).host for sent in read.network.sent}
    assert hosts <= {httpx.URL(str(case.options["base_url"])).host, "api.korewireless.com"}


async def test_next_page_without_a_host_is_the_vendors_own() -> None:
    async with cases.reading(super_sim.TWILIO) as read:
        relative = leading(lambda url: url.replace("https://supersim.twilio.com", "", 1))
        read.stand.faults.next(relative, endpoint="sims")
        assert cases.keys(await read.pages("sims")) == super_sim.TWILIO.keys(LINES)


async def test_sweep_goes_on_after_the_last_stored_page() -> None:
    async with cases.reading(super_sim.TWILIO) as read:
        first, *rest = await read.pages("sims")
    async with cases.reading(super_sim.TWILIO) as read:
        again = await read.pages("sims", cursor=first.cursor)
        assert [page.sightings for page in again] == [page.sightings for page in rest]
        assert await read.pages("sims", cursor=rest[-1].cursor) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "rubbish",
        "0:https://collector.example/v1/Sims?Page=1",
        "0123456789abcdef:1:",
    ],
)
async def test_cursor_that_no_longer_fits_begins_anew(cursor: str) -> None:
    async with cases.reading(super_sim.TWILIO) as read:
        assert cases.keys(await read.pages("sims", cursor=cursor)) == super_sim.TWILIO.keys(LINES)
    assert {sent.host for sent in read.network.sent} == {"supersim.twilio.com"}


@pytest.mark.parametrize("gone", [0, 9, 10, 24], ids=["first", "last of a page", "next", "last"])
async def test_sim_that_goes_while_the_list_is_read_takes_no_other_with_it(gone: int) -> None:
    shown = world.StaticWorld(map(super_sim.sim, LINES))
    stand = super_sim.stand("twilio", shown)
    stand.faults.next(simulation.first(lambda: shown.rows.pop(gone)), endpoint="sims", after=1)
    async with cases.reading(super_sim.TWILIO, stand=stand) as read:
        found = cases.keys(await read.pages("sims"))
    assert found >= {super_sim.sid(number) for number in LINES if number != gone}


async def test_sims_that_come_while_the_list_is_read_spoil_nothing() -> None:
    shown = world.StaticWorld(map(super_sim.sim, LINES))
    stand = super_sim.stand("twilio", shown)
    new = simulation.first(lambda: shown.rows.extend(map(super_sim.sim, range(100, 120))))
    stand.faults.next(new, endpoint="sims", after=1)
    async with cases.reading(super_sim.TWILIO, stand=stand) as read:
        found = cases.keys(await read.pages("sims"))
    assert found == {super_sim.sid(number) for number in (*LINES, *range(100, 120))}


async def test_list_that_ends_with_a_full_page_asks_for_no_more() -> None:
    async with cases.reading(super_sim.TWILIO, lines=range(20)) as read:
        assert len(cases.keys(await read.pages("sims"))) == 20
    assert len(asked(read)) == 2


async def test_pages_of_a_thousand_are_asked_for_unless_told_otherwise() -> None:
    async with cases.reading(super_sim.TWILIO, lines=range(1200), page_size=1000) as read:
        assert len(cases.keys(await read.pages("sims"))) == 1200
    assert [url.params["PageSize"] for url in asked(read)] == ["1000", "1000"]
