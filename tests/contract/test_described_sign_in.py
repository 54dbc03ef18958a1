"""Each platform's sign-in: what is sent, how long it lasts, and what is said where it fails."""

import base64
import logging
from typing import Any

import msgspec
import pytest

from collectors import budget, client, errors, simulation
from collectors.described import api, options
from tests.contract import cases
from tests.contract.cases import Reading, described

ADDRESSES = {
    "1nce": "https://api.1nce.com/management-api/oauth/token",
    "emnify": "https://cdn.emnify.net/api/v1/authenticate",
    "soracom": "https://g.api.soracom.io/v1/auth",
}


def case_of(platform: str) -> cases.Case:
    return next(case for case in described.CASES if case.collector == platform)


def sent_to(read: Reading, method: str) -> list[Any]:
    return [sent for sent in read.network.sent if sent.method == method]


@pytest.mark.parametrize(
    ("platform", "body"),
    [
        ("1nce", {"grant_type": "client_credentials"}),
        ("emnify", dict(case_of("emnify").credentials)),
        (
            "soracom",
            {
                "authKeyId": "keyId-simulated",
                "authKey": "secret-correct-horse-battery",
                "tokenTimeoutSeconds": 86_400,
            },
        ),
    ],
)
async def test_sign_in_sends_what_is_documented_once(platform: str, body: dict[str, object]) -> None:
    async with cases.reading(case_of(platform)) as read:
        await read.pages("lines")
        await read.pages("lines")
        (sent,) = sent_to(read, "POST")
        given = read.stand.tokens  # type: ignore[attr-defined]
        lists = sent_to(read, "GET")
    assert sent.url == ADDRESSES[platform]
    assert msgspec.json.decode(sent.body) == body
    assert sent.headers["content-type"] == "application/json"
    (token,) = given
    for asked in lists:
        if platform == "soracom":
            assert asked.headers["x-soracom-api-key"] == "api-0123456789"
            assert asked.headers["x-soracom-token"] == token
            assert "authorization" not in asked.headers
        else:
            assert asked.headers["authorization"] == f"Bearer {token}"


async def test_1nce_signs_in_with_user_and_password_in_the_header() -> None:
    async with cases.reading(case_of("1nce")) as read:
        await read.pages("lines")
        (sent,) = sent_to(read, "POST")
    scheme, _, pair = sent.headers["authorization"].partition(" ")
    assert (scheme, base64.b64decode(pair)) == ("Basic", b"reader:correct-horse-battery")


async def test_telnyx_sends_its_key_and_signs_in_nowhere() -> None:
    async with cases.reading(case_of("telnyx")) as read:
        await read.pages("lines")
        assert not sent_to(read, "POST")
        keys = {sent.headers["authorization"] for sent in sent_to(read, "GET")}
    assert keys == {"Bearer KEY0123456789abcdef_correct_horse"}


@pytest.mark.parametrize(
    ("platform", "seconds"), [("1nce", 3600.0), ("emnify", 3600.0), ("soracom", 86_400.0)]
)
async def test_a_token_is_used_as_long_as_it_lasts(platform: str, seconds: float) -> None:
    clock = [0.0]
    stand = described.stand(platform, range(1))
    async with simulation.serve(stand) as url:
        chosen = described.OPTIONS[platform](base_url=url + stand.prefix)
        http = client.Client(budget.Unlimited(), limits=cases.QUICK)
        settings = options.Settings.of(chosen)
        signed_in = api.Api(http, settings, stand.credentials, monotonic=lambda: clock[0])
        for at, signs_in in ((0.0, 1), (seconds - 100, 1), (seconds - 30, 2)):
            clock[0] = at
            await signed_in.reader().lines({})
            assert stand.faults.seen("token") == signs_in
        await signed_in.aclose()


@pytest.mark.parametrize(
    ("platform", "change", "words"),
    [
        ("1nce", {"access_token": ...}, "token = access_token: expected the text of a token, found nothing"),
        ("1nce", {"access_token": 5}, "sign_in.answer.token = access_token: .*found a whole number"),
        ("1nce", {"access_token": "two\nlines"}, "sign_in.answer.token = access_token: .*found text"),
        ("1nce", {"expires_in": "3600"}, "sign_in.lifetime = expires_in: expected seconds, more than 0, found text"),
        ("1nce", {"expires_in": 0}, "sign_in.lifetime = expires_in: .*found a whole number"),
        ("emnify", {"auth_token": None}, "sign_in.answer.token = auth_token: .*found nothing"),
        ("soracom", {"apiKey": ...}, "sign_in.answer.api_key = apiKey: .*found nothing"),
    ],
)  # fmt: skip
async def test_an_answer_without_its_token_names_the_expression(
    platform: str, change: dict[str, object], words: str
) -> None:
    def spoil(body: dict[str, object]) -> None:
        body.update(change)
        for name in [name for name, value in change.items() if value is ...]:
            del body[name]

    async with cases.reading(case_of(platform)) as read:
        read.stand.faults.next(simulation.changed(spoil), endpoint="token")
        with pytest.raises(errors.ResponseInvalid, match=words):
            await read.pages("lines")


@pytest.mark.parametrize("platform", ["1nce", "emnify", "soracom"])
async def test_a_sign_in_that_is_cut_short_is_told(platform: str) -> None:
    async with cases.reading(case_of(platform)) as read:
        read.stand.faults.next(simulation.truncated, endpoint="token", times=9)
        with pytest.raises(errors.ResponseInvalid, match="the sign-in's answer is not whole JSON"):
            await read.pages("lines")


@pytest.mark.parametrize("platform", ["1nce", "emnify", "soracom"])
async def test_credentials_that_are_refused_are_not_tried_again(
    platform: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    case = case_of(platform)
    async with cases.reading(case) as read:
        read.stand.revoke()
        with pytest.raises(errors.AuthenticationFailed, match="check them") as caught:
            await read.collector.probe()
        assert read.stand.faults.seen("token") == 1
    for secret in case.credentials.values():
        assert secret not in caplog.text + str(caught.value)


async def test_calls_never_change_anything() -> None:
    """Only the sign-in posts; all else is a GET."""
    for case in described.CASES:
        async with cases.reading(case) as read:
            for group in read.collector.endpoint_groups:
                await read.pages(group.name)
            posts = {sent.url for sent in read.network.sent if sent.method != "GET"}
        assert posts <= set(ADDRESSES.values())
