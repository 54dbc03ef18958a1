"""Options, credentials and budget of an account, and what the vendor's refusals come to."""

import base64
import logging

import msgspec
import pytest

from collectors import budget, client, errors, registry, simulation
from collectors.control_center import refusals, simulator
from tests.contract import cases
from tests.contract.cases import control_center
from tests.contract.cases.control_center import CASE

POD = "https://restapi19.att.com"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({}, r"options\.base_url is missing"),
        ({"base_url": f"{POD}/rws/api/v1"}, "base_url is the pod's host alone"),
        ({"base_url": "http://restapi19.att.com"}, "base_url must begin with https"),
        ({"base_url": POD, "requests_per_second": 6}, "requests_per_second must be at most 5"),
        ({"base_url": POD, "page_size": 51}, r"options\.page_size: expected int <= 50"),
        ({"base_url": POD, "list_since": "long ago"}, r"options\.list_since"),
        ({"base_url": POD, "statuses": {"TRIAL": "dead"}}, "must be one of active, suspended"),
        ({"base_url": POD, "modified_since": 1}, r"options\.modified_since is not known"),
    ],
)
def test_wrong_option_is_named_in_plain_words(options: dict[str, object], words: str) -> None:
    with pytest.raises(errors.OptionsInvalid, match=words):
        registry.validate("control_center", options)


def test_stand_in_on_this_machine_may_be_asked_faster() -> None:
    registry.validate("control_center", {"base_url": "http://127.0.0.1:1", "requests_per_second": 1000})
    registry.validate("control_center", {"base_url": f"{POD}/", "requests_per_second": 0.5})


def test_both_credentials_are_needed() -> None:
    with pytest.raises(errors.OptionsInvalid, match="needs the credentials api_key"):
        registry.validate("control_center", {"base_url": POD}, {"username"})


def test_one_request_at_a_time_and_five_a_second() -> None:
    spending = registry.spending("control_center", {"base_url": POD}, CASE.credentials)
    assert spending.terms == budget.Terms(5.0, is_one_at_a_time=True)


def test_accounts_of_one_user_share_a_budget_and_others_do_not() -> None:
    def fingerprint(base_url: str = POD, **credentials: str) -> str:
        options = {"base_url": base_url, "account_id": credentials.pop("account_id", "1")}
        given = {**CASE.credentials, **credentials}
        return registry.spending("control_center", options, given).fingerprint

    assert fingerprint(account_id="1") == fingerprint(account_id="2")
    assert fingerprint() == fingerprint("https://RESTAPI19.att.com/")
    others = {fingerprint(), fingerprint("https://restapi3.jasper.com"), fingerprint(username="x")}
    assert len(others) == 3


def test_groups_say_what_they_list_and_cost() -> None:
    options = registry.validate("control_center", {"base_url": POD})
    groups = {group.name: group for group in registry.COLLECTORS["control_center"].groups(options)}
    minutes = {name: group.cadence.total_seconds() / 60 for name, group in groups.items()}
    assert minutes == {"changes": 60, "devices": 1440, "usage": 360, "sessions": 360}
    assert [name for name, group in groups.items() if group.lists_lines] == ["devices", "usage"]
    assert [name for name, group in groups.items() if not group.is_snapshot] == ["sessions"]
    assert {name: group.requests(3000) for name, group in groups.items()} == {
        "changes": 60,
        "devices": 60,
        "usage": 3060,
        "sessions": 3060,
    }
    assert registry.cadence("control_center", {"base_url": POD}).total_seconds() == 6 * 3600


async def test_key_is_the_password_of_basic_authentication() -> None:
    async with cases.reading(CASE) as read:
        await read.pages("devices")
    kind, _, pair = read.network.sent[0].headers["authorization"].partition(" ")
    assert kind == "Basic"
    assert base64.b64decode(pair).decode() == f"{control_center.USERNAME}:{control_center.API_KEY}"


async def test_only_reads_are_sent() -> None:
    async with cases.reading(CASE) as read:
        for group in read.collector.endpoint_groups:
            await read.pages(group.name)
    assert {sent.method for sent in read.network.sent} == {"GET"}


def answer(status: int, body: bytes) -> client.Answer:
    return client.Answer(status, {}, body)


LATIN = '{"errorMessage":"Requête refusée","errorCode":"40000029"}'.encode("iso-8859-1")


def test_code_is_read_from_a_body_that_is_not_utf_8() -> None:
    with pytest.raises(UnicodeDecodeError):
        LATIN.decode()
    assert refusals.error_code(LATIN) == "40000029"


@pytest.mark.parametrize(
    "body",
    [
        b'{"errorMessage":"Full authentication is required"}',
        b'{"errorCode":null}',
        b'{"errorCode":"see the note of Wilhelmina"}',
        b'{"errorCode":"1234567890123"}',
        b'{"errorCode":["1"]}',
        b"<html>",
        b"\xff",
        b"",
    ],
)
def test_what_is_no_code_is_none(body: bytes) -> None:
    assert refusals.error_code(body) is None


@pytest.mark.parametrize("status", [400, 403, 429, 500, 503])
def test_throttling_is_known_by_its_code_whatever_the_status(status: int) -> None:
    assert isinstance(refusals.judge(["40000029"])(answer(status, LATIN)), errors.RateLimited)
    assert not isinstance(refusals.judge(["7"])(answer(status, LATIN)), errors.RateLimited)


async def test_throttling_code_is_an_option() -> None:
    stand = CASE.stand(cases.LINES)
    stand.faults.next(simulator.refused(400, "40009999"), after=1, times=2)
    async with cases.reading(CASE, stand=stand, throttling_codes=["40009999"]) as read:
        assert cases.keys(await read.pages("devices")) == CASE.keys(cases.LINES)


async def test_unknown_code_is_named_so_that_it_can_be_looked_up() -> None:
    stand = CASE.stand(cases.LINES)
    stand.faults.next(simulator.refused(400, "40009999"), after=1)
    async with cases.reading(CASE, stand=stand) as read:
        with pytest.raises(errors.ResponseInvalid, match=r"400 with error code 40009999: .*throttling_codes"):
            await read.pages("devices")


@pytest.mark.parametrize("code", [None, simulator.INVALID_CREDENTIALS])
async def test_refused_credentials_say_what_to_check_with_and_without_a_code(
    code: str | None, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    stand = CASE.stand(cases.LINES)
    stand.faults.next(simulator.refused(401, code))
    async with cases.reading(CASE, stand=stand) as read:
        with pytest.raises(errors.AuthenticationFailed, match="check") as caught:
            await read.pages("usage")
    assert stand.faults.seen() == 1
    assert control_center.API_KEY not in f"{caught.value}{caplog.text}"


async def test_console_host_answers_html_and_is_told_apart() -> None:
    stand = CASE.stand(cases.LINES)
    stand.faults.next(simulation.html)
    async with cases.reading(CASE, stand=stand) as read:
        with pytest.raises(errors.ResponseInvalid, match="is the base URL right"):
            await read.collector.probe()


def test_stand_in_writes_errors_that_are_no_utf_8() -> None:
    response = simulator.refusal(400, "Refus\u00e9", "1")
    assert isinstance(response.body, bytes)
    with pytest.raises(UnicodeDecodeError):
        response.body.decode()
    assert msgspec.json.decode(response.body, type=refusals.Refusal).code == "1"
