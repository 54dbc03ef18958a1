"""Snipe-IT's lists: read whole, in plain text, and without a name."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import budget, errors, simulation
from collectors.snipe_it import api as snipe_it_api
from collectors.snipe_it import lists, options, parse, simulator
from tests.contract import accounts

FIXTURES = Path(__file__).parents[1] / "fixtures" / "snipe_it"
TOKEN = simulator.Settings().token


def lent(number: int, **told: Any) -> simulator.Asset:
    given: dict[str, Any] = {
        "id": number,
        "serial": f"SN-{number}",
        "location": "Cedar Park Middle",
        "user": simulator.User(id=1000 + number, employee_num=f"S-{number}"),
        "last_checkout": "2026-09-08 10:12:00",
        "expected_checkin": "2027-06-11",
    }
    return simulator.Asset(**(given | told))


@contextlib.asynccontextmanager
async def reading(
    server: simulator.Simulator, *, token: str = TOKEN, **told: Any
) -> AsyncIterator[snipe_it_api.Api]:
    async with simulation.serve(server) as url:
        given = options.Options(base_url=url, **({"page_size": 10} | told))
        api = snipe_it_api.Api(given, token, budgets=budget.Unlimited(), limits=accounts.QUICK)
        try:
            yield api
        finally:
            await api.aclose()


async def listed(server: simulator.Simulator, **told: Any) -> lists.Listed:
    async with reading(server, **told) as api:
        return await lists.assets(api)


async def test_every_page_is_read_and_each_asset_once() -> None:
    server = simulator.Simulator([lent(number) for number in range(1, 36)])
    found = await listed(server)
    assert [asset.id for asset in found.assets] == list(range(1, 36))
    assert found.assets[0] == parse.Asset(
        1,
        serial="SN-1",
        imei="",
        model="R850",
        category="Hotspots",
        location="Cedar Park Middle",
        status="Ready to Deploy (deployed)",
        assigned_type="user",
        user_id=1001,
        number="S-1",
        checked_out_at="2026-09-08 10:12:00",
        due_on="2027-06-11",
    )
    assert server.faults.seen("users") == 0


async def test_a_server_may_give_smaller_pages_than_it_is_asked_for_and_tell_less() -> None:
    settings = simulator.Settings(most_rows=7, tells_pages=False)
    found = await listed(simulator.Simulator([lent(number) for number in range(30)], settings=settings))
    assert len(found.assets) == 30


@pytest.mark.parametrize("lists_archived", [False, True])
async def test_what_is_archived_is_read_too_and_once(lists_archived: bool) -> None:
    lost = lent(2, label="Lost/Stolen", kind="archived", user=None, last_checkout=None)
    settings = simulator.Settings(lists_archived=lists_archived)
    found = await listed(simulator.Simulator([lent(1), lost], settings=settings))
    assert [(asset.id, asset.status) for asset in found.assets] == [
        (1, "Ready to Deploy (deployed)"),
        (2, "Lost/Stolen (archived)"),
    ]


async def test_the_number_of_a_user_comes_from_the_users_where_assets_do_not_tell_it() -> None:
    nameless = lent(3, user=simulator.User(id=1003))
    settings = simulator.Settings(tells_numbers=False, most_rows=2)
    server = simulator.Simulator([lent(1), lent(2), nameless, lent(4, user=None)], settings=settings)
    found = await listed(server)
    assert [asset.number for asset in found.assets] == ["S-1", "S-2", "", ""]


async def test_text_is_no_longer_escaped_and_the_imei_is_in_its_custom_field() -> None:
    asset = lent(
        1, location="O'Brien & Sons <K-8>", label='"On" loan', custom={"IMEI": "86-0000", "Phone": "5"}
    )
    server = simulator.Simulator([asset, lent(2)])
    one, other = (await listed(server, imei_field="IMEI")).assets
    assert (one.location, one.status, one.imei, other.imei) == (
        "O'Brien & Sons <K-8>",
        '"On" loan (deployed)',
        "86-0000",
        "",
    )


async def test_what_a_location_or_another_asset_has_is_told_apart() -> None:
    server = simulator.Simulator([lent(1, user=None, held_by=("location", 5))])
    (asset,) = (await listed(server)).assets
    assert (asset.assigned_type, asset.user_id, asset.number) == ("location", None, "")


async def test_a_list_that_changes_while_it_is_read_is_read_again() -> None:
    server = simulator.Simulator([lent(number) for number in range(1, 36)])
    server.faults.next(simulation.first(lambda: server.assets.pop(0)), endpoint="hardware", after=2)
    found = await listed(server)
    assert [asset.id for asset in found.assets] == list(range(2, 36))


async def test_a_list_whose_rows_move_is_read_again_though_its_length_stays() -> None:
    server = simulator.Simulator([lent(number) for number in range(10, 45)])

    def swap() -> None:
        server.assets.pop()
        server.assets.append(lent(1))

    server.faults.next(simulation.first(swap), endpoint="hardware", after=2)
    found = await listed(server)
    assert sorted(asset.id for asset in found.assets) == [1, *range(10, 44)]


async def test_a_list_that_goes_on_changing_is_given_up() -> None:
    server = simulator.Simulator([lent(number) for number in range(1, 36)])
    for after in range(0, 30, 2):
        grow = simulation.first(lambda: server.assets.append(lent(len(server.assets) + 1)))
        server.faults.next(grow, endpoint="hardware", after=after)
    with pytest.raises(errors.ResponseInvalid, match="changed while it was read"):
        await listed(server)


async def test_a_bad_asset_is_rejected_by_itself_and_its_value_is_not_told() -> None:
    server = simulator.Simulator([lent(1), lent(2), lent(3)])

    def spoil(body: Any) -> None:
        body["rows"][1]["assigned_to"] = "Wilhelmina Placeholder"

    server.faults.next(simulation.changed(spoil), endpoint="hardware")
    found = await listed(server)
    assert [asset.id for asset in found.assets] == [1, 3]
    assert [one.path for one in found.rejected] == ["rows[1].assigned_to"]
    assert "Wilhelmina" not in repr(found)


@pytest.mark.parametrize(
    ("fault", "kind", "words"),
    [
        (simulation.status(401), errors.AuthenticationFailed, "token were refused"),
        (simulation.status(403), errors.PermissionDenied, "may not"),
        (simulation.status(404), errors.NotFound, "no such address"),
        (simulator.refused, errors.PermissionDenied, "right to view assets"),
        (simulation.html, errors.ResponseInvalid, "HTML where JSON was expected"),
        (
            simulation.redirect("https://elsewhere.example.org/login"),
            errors.ResponseInvalid,
            "redirects are not followed",
        ),
        (simulation.truncated, errors.ResponseInvalid, "cut short"),
        (simulation.repeated, errors.ResponseInvalid, "changed while it was read|same page twice"),
        (
            simulation.changed(lambda body: body.pop("total")),
            errors.ResponseInvalid,
            "total and rows: missing",
        ),
    ],
)
async def test_trouble_is_told_in_plain_words(
    fault: simulation.Fault, kind: type[errors.CollectorError], words: str
) -> None:
    server = simulator.Simulator([lent(number) for number in range(1, 36)])
    server.faults.next(fault, endpoint="hardware", after=1, times=50)
    with pytest.raises(kind, match=words) as caught:
        await listed(server)
    assert TOKEN not in str(caught.value)


@pytest.mark.parametrize("fault", [simulator.throttled, simulation.status(500), simulation.hang])
async def test_what_passes_is_tried_again(fault: simulation.Fault) -> None:
    server = simulator.Simulator([lent(number) for number in range(1, 16)])
    server.faults.next(fault, endpoint="hardware", after=1)
    assert len((await listed(server)).assets) == 15


async def test_another_token_is_refused() -> None:
    with pytest.raises(errors.AuthenticationFailed):
        await listed(simulator.Simulator([lent(1)]), token="another")


async def test_only_reads_are_sent() -> None:
    server = simulator.Simulator([lent(1)])
    methods: list[str] = []
    server.faults.next(_noting(methods), endpoint=None, times=100)
    await listed(server, category_id=3)
    assert set(methods) == {"GET"}


def _noting(methods: list[str]) -> simulation.Fault:
    async def note(call: simulation.Call) -> Any:
        methods.append(call.request.method)
        return await call.reply()

    return note


def test_the_fixture_is_read_and_nothing_about_a_person_in_it() -> None:
    found = parse.assets((FIXTURES / "hardware.json").read_bytes(), imei_field="IMEI")
    assert (found.total, found.count, found.rejected) == (3, 3, [])
    first = found.assets[0]
    assert (first.location, first.category, first.status) == (
        "O'Brien Middle",
        "Hotspots & Routers",
        'On "Loan" (deployed)',
    )
    assert (first.number, first.imei) == ("S-1", "860000000000009")
    numbers = parse.users((FIXTURES / "users.json").read_bytes()).numbers
    assert numbers == {31: "S-1"}
    for personal in ("Wilhelmina", "Placeholder", "example.org", "503-555", "aunt", "Elm"):
        assert personal not in repr((found, numbers))


def test_the_stand_in_tells_what_the_fixture_tells() -> None:
    body = msgspec.json.decode((FIXTURES / "hardware.json").read_bytes())
    whole = set(body["rows"][0])
    server = simulator.Simulator([lent(1, custom={"IMEI": "1"})])

    async def shown() -> Any:
        async with reading(server) as api:
            return msgspec.json.decode(await api.page("hardware", 0, {}))

    told = asyncio.run(shown())["rows"][0]
    assert set(told) <= whole
    for name in ("status_label", "assigned_to", "last_checkout", "expected_checkin", "model"):
        assert set(told[name]) == set(body["rows"][0][name]), name


@pytest.mark.parametrize(
    "base_url", ["https://a.example.org", "https://a.example.org/", "https://a.example.org/api/v1/"]
)
def test_the_address_may_be_given_with_the_path_of_the_api(base_url: str) -> None:
    assert options.Options(base_url=base_url).address == "https://a.example.org"
