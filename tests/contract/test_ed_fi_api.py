"""The calls to an Ed-Fi ODS/API: sign-in, paging, lists that change, and every fault that a host can have."""

import base64
import logging
import urllib.parse
from typing import Any

import pytest
from aiohttp import web

from collectors import client, errors, simulation
from collectors.ed_fi import lists, options
from tests.contract import ed_fi


async def read(stand: Any, **given: Any) -> lists.Listed[Any]:
    async with ed_fi.reading(stand, **given) as (calls, _):
        return await lists.associations(calls, wanted=())


def students(listed: lists.Listed[Any]) -> list[str]:
    return [item.student for _, item in listed.items]


async def test_the_list_is_read_page_by_page_to_its_end() -> None:
    stand = ed_fi.host(25)
    async with ed_fi.reading(stand) as (calls, network):
        listed = await lists.associations(calls, wanted=())
    asked = [dict(urllib.parse.parse_qsl(sent.url.partition("?")[2])) for sent in network.sent[1:]]
    assert students(listed) == [f"{number:06d}" for number in range(25)]
    assert asked == [{"offset": str(n), "limit": "10", "totalCount": "true"} for n in (0, 10, 20)]
    assert [number for number, _ in listed.items] == list(range(1, 26))


async def test_a_list_of_whole_pages_needs_no_page_more() -> None:
    stand = ed_fi.host(20)
    assert len(students(await read(stand))) == 20
    assert stand.faults.seen("associations") == 2


async def test_an_empty_list_is_empty() -> None:
    listed = await read(ed_fi.host(0))
    assert (listed.items, listed.count) == ([], 0)


async def test_a_host_that_does_not_tell_its_length_is_read_until_a_page_is_empty() -> None:
    stand = ed_fi.host(20, tells_total=False)
    assert len(students(await read(stand))) == 20
    assert stand.faults.seen("associations") == 3


@pytest.mark.parametrize(
    ("given", "address"),
    [
        ({}, f"{ed_fi.HOST}/v7.2/api/data/v3/ed-fi/schools"),
        ({"school_year": 2026}, f"{ed_fi.HOST}/v7.2/api/data/v3/2026/ed-fi/schools"),
    ],
)
async def test_the_school_year_stands_after_the_version(given: dict[str, Any], address: str) -> None:
    stand = ed_fi.host(1, path="/v7.2/api", **given)
    async with ed_fi.reading(stand, **given) as (calls, network):
        listed = await lists.schools(calls)
    assert [school.nces for _, school in listed.items] == ["410192000001", "4101920-00002"]
    assert [sent.url.partition("?")[0] for sent in network.sent] == [
        f"{ed_fi.HOST}/v7.2/api/oauth/token",
        address,
    ]


async def test_the_sign_in_is_basic_with_a_form_and_the_token_is_kept() -> None:
    async with ed_fi.reading(ed_fi.host(25)) as (calls, network):
        await lists.schools(calls)
        await lists.associations(calls, wanted=())
    asked, *others = network.sent
    pair = f"simulated-key:{ed_fi.SECRET}".encode()
    assert asked.method == "POST"
    assert asked.headers["authorization"] == f"Basic {base64.b64encode(pair).decode()}"
    assert asked.headers["content-type"] == "application/x-www-form-urlencoded"
    assert asked.body == b"grant_type=client_credentials"
    assert {sent.method for sent in others} == {"GET"}
    assert len({sent.headers["authorization"] for sent in others}) == 1


async def test_the_sign_in_may_be_on_another_host() -> None:
    token_url = "https://sign-in.district.example/oauth/token"
    async with ed_fi.reading(ed_fi.host(1), token_url=token_url) as (calls, network):
        await lists.associations(calls, wanted=())
    assert [sent.host for sent in network.sent] == ["sign-in.district.example", "api.district.example"]


async def test_a_token_that_ends_midway_is_replaced() -> None:
    stand = ed_fi.host(25)
    stand.faults.next(simulation.first(stand.expire_tokens), endpoint="associations", after=1)
    assert len(students(await read(stand))) == 25
    assert stand.faults.seen("token") == 2


@pytest.mark.parametrize("refuses_as", [401, 400])
async def test_a_wrong_secret_is_told_as_such(refuses_as: int) -> None:
    stand = ed_fi.simulated([], key="another", refuses_as=refuses_as)
    with pytest.raises(errors.AuthenticationFailed) as caught:
        await read(stand)
    assert ed_fi.SECRET not in str(caught.value)
    assert stand.faults.seen("associations") == 0


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (403, errors.PermissionDenied),
        (404, errors.NotFound),
        (400, errors.ResponseInvalid),
        (500, errors.Unavailable),
        (503, errors.Unavailable),
    ],
)
async def test_refusals_are_told_apart(status: int, kind: type[errors.CollectorError]) -> None:
    stand = ed_fi.host(25)
    stand.faults.next(simulation.status(status), endpoint="associations", after=1, times=99)
    with pytest.raises(kind, match=f"answered {status}"):
        await read(stand)


async def test_a_page_larger_than_the_host_allows_is_refused_with_advice() -> None:
    with pytest.raises(errors.ResponseInvalid, match=r"answered 400.*check the options"):
        await read(ed_fi.host(1), page_size=501)


@pytest.mark.parametrize("fault", [simulation.status(503), simulation.status(429, retry_after="0")])
async def test_what_passes_is_tried_again(fault: simulation.Fault) -> None:
    stand = ed_fi.host(25)
    stand.faults.next(fault, endpoint="associations", after=1)
    assert len(students(await read(stand))) == 25


async def test_a_long_retry_after_ends_the_reading() -> None:
    stand = ed_fi.host(25)
    stand.faults.next(simulation.status(429, retry_after="3600"), endpoint="associations", times=99)
    with pytest.raises(errors.RateLimited):
        await read(stand)


async def test_a_host_that_hangs_is_unavailable() -> None:
    stand = ed_fi.host(25)
    stand.faults.next(simulation.hang, endpoint="associations", times=99)
    impatient = client.Limits(
        attempt_seconds=0.05, attempts=2, wait_initial_seconds=0.0, wait_jitter_seconds=0.0
    )
    with pytest.raises(errors.Unavailable, match="did not answer in time"):
        await read(stand, limits=impatient)


@pytest.mark.parametrize("fault", [simulation.html, simulation.truncated])
async def test_what_is_no_whole_list_is_refused(fault: simulation.Fault) -> None:
    stand = ed_fi.host(25)
    stand.faults.next(fault, endpoint="associations", after=1, times=99)
    with pytest.raises(errors.ResponseInvalid):
        await read(stand)


async def test_an_object_in_place_of_a_list_is_refused() -> None:
    async def other(call: simulation.Call) -> web.Response:
        return simulation.answer({"items": []})

    stand = ed_fi.host(1)
    stand.faults.next(other, endpoint="associations")
    with pytest.raises(errors.ResponseInvalid, match="another shape"):
        await read(stand)


async def test_a_page_that_comes_twice_is_asked_for_again() -> None:
    stand = ed_fi.host(25)
    stand.faults.next(simulation.repeated, endpoint="associations", after=1)
    assert len(students(await read(stand))) == 25


async def test_a_host_that_gives_the_same_page_over_and_over_is_found_out() -> None:
    stand = ed_fi.host(25)
    stand.faults.next(simulation.repeated, endpoint="associations", after=1, times=99)
    with pytest.raises(errors.ResponseInvalid, match="same page twice"):
        await read(stand)


async def test_a_page_that_is_empty_before_the_end_is_found_out() -> None:
    stand = ed_fi.host(25)
    stand.faults.next(simulation.changed(list.clear), endpoint="associations", after=1, times=99)
    with pytest.raises(errors.ResponseInvalid, match="empty before its end"):
        await read(stand)


@pytest.mark.parametrize("change", ["comes", "goes", "both"])
async def test_a_list_that_changes_is_read_again_from_its_beginning(change: str) -> None:
    stand = ed_fi.host(25)

    def act() -> None:
        if change != "comes":
            stand.associations.pop()
        if change != "goes":
            stand.associations.insert(0, ed_fi.association(99))

    stand.faults.next(simulation.first(act), endpoint="associations", after=1)
    found = students(await read(stand))
    assert sorted(found) == sorted(item["studentReference"]["studentUniqueId"] for item in stand.associations)
    assert len(set(found)) == len(found)


async def test_a_list_that_never_holds_still_is_given_up() -> None:
    stand = ed_fi.host(25)

    def grow() -> None:
        stand.associations.insert(0, ed_fi.association(100 + len(stand.associations)))

    stand.faults.next(simulation.first(grow), endpoint="associations", times=99)
    with pytest.raises(errors.Unavailable, match="changed while it was read, 3 times over"):
        await read(stand)


async def test_bad_items_are_refused_by_their_place_without_their_values() -> None:
    items = [ed_fi.association(number) for number in range(12)]
    items[10]["internetAccessInResidence"] = "Wilhelmina Placeholder"
    del items[11]["studentReference"]
    listed = await read(ed_fi.simulated(items))
    told = [(number, refused.path, refused.reason) for number, refused in listed.refused]
    assert told == [
        (11, "internetAccessInResidence", "expected bool | null, got str"),
        (12, "studentReference", "missing"),
    ]
    assert len(listed.items) == 10


async def test_no_token_no_secret_and_no_student_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    stand = ed_fi.simulated(ed_fi.fixture("associations"))
    with caplog.at_level(logging.DEBUG):
        await read(stand)
    said = "\n".join(record.getMessage() for record in caplog.records)
    for secret in (ed_fi.SECRET, *stand.tokens, "604801", "placeholder"):
        assert secret not in said


async def test_nothing_but_answers_is_taken_from_an_item() -> None:
    listed = await read(ed_fi.simulated(ed_fi.fixture("associations")))
    for secret in ("Placeholder", "Nowhere", "503-555", "000-00", "White", "Female"):
        assert secret.lower() not in repr(listed).lower()


async def test_only_the_wanted_indicators_are_taken() -> None:
    async with ed_fi.reading(ed_fi.simulated(ed_fi.fixture("indicators"))) as (calls, _):
        listed = await lists.associations(calls, wanted={"internetaccessinresidence", "internetperformance"})
    assert [item.told for _, item in listed.items] == [
        {"internetaccessinresidence": "Yes", "internetperformance": "Yes - No issues"},
        {"internetaccessinresidence": "Yes", "internetperformance": "Yes - But not consistent"},
        {"internetaccessinresidence": "No - Not Available"},
        {"internetaccessinresidence": "No - Not Affordable"},
    ]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"base_url": "http://api.district.example"}, "base_url must begin with https"),
        ({"base_url": "https://me:secret@api.district.example"}, "base_url must not hold a user"),
        (
            {"base_url": "https://api.district.example", "token_url": "http://sign-in.example"},
            "token_url must begin with https",
        ),
    ],
)
def test_credentials_are_sent_over_https_only(given: dict[str, Any], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        options.Options(**given)
