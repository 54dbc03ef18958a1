"""Tokens: how they are asked for, how long they are used, and what happens when they are refused."""

import logging
from typing import Any

import httpx
import msgspec
import pytest

from collectors import base, budget, client, errors, registry, simulation
from collectors.kajeet import api, options
from tests.contract import accounts


async def test_token_is_asked_for_once_and_kept() -> None:
    simulated = accounts.account(25)
    async with accounts.reading(simulated) as collector:
        await accounts.pages(collector)
        await accounts.pages(collector)
    assert simulated.faults.seen("token") == 1


async def test_token_near_its_end_is_replaced_before_it_is_refused() -> None:
    simulated = accounts.account(25, token_seconds=1)
    clock = iter(range(0, 10_000, 50))
    async with simulation.serve(simulated) as url:
        chosen = options.Options(corp_ids=("5001",), base_url=url)
        http = client.Client(budget.Unlimited(), limits=accounts.QUICK)
        signed_in = api.Api(http, chosen, accounts.CREDENTIALS, monotonic=lambda: next(clock))
        for _ in range(2):
            await signed_in.reader().devices("5001", 0, 10)
        await signed_in.aclose()
    assert simulated.faults.seen("token") == 2


async def test_token_refused_in_the_midst_is_replaced_once() -> None:
    simulated = accounts.account(25)
    simulated.faults.next(simulation.first(simulated.expire_tokens), after=1)
    async with accounts.reading(simulated) as collector:
        assert accounts.keys(await accounts.pages(collector)) == accounts.every_key(simulated)
    assert simulated.faults.seen("token") == 2


async def test_token_refused_twice_in_a_sweep_is_an_error() -> None:
    simulated = accounts.account(45)
    simulated.faults.next(simulation.first(simulated.expire_tokens), after=1, times=99)
    async with accounts.reading(simulated) as collector:
        with pytest.raises(errors.AuthenticationFailed):
            await accounts.pages(collector)
    assert simulated.faults.seen("token") == 2


async def test_every_sweep_may_replace_its_token() -> None:
    simulated = accounts.account(5)
    async with accounts.reading(simulated) as collector:
        for _ in range(3):
            simulated.expire_tokens()
            assert accounts.keys(await accounts.pages(collector)) == accounts.every_key(simulated)


async def test_wrong_secret_is_refused_and_not_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    simulated = accounts.account()
    simulated.faults.next(simulation.status(401), endpoint="token")
    async with accounts.reading(simulated) as collector:
        with pytest.raises(
            errors.AuthenticationFailed, match=r"POST 127\.0\.0\.1/v1\.0/auth/clientToken"
        ) as caught:
            await collector.probe()
    assert simulated.faults.seen("token") == 1
    assert accounts.SECRET not in str(caught.value) + caplog.text


async def test_answer_without_the_token_field_says_which_option_to_set() -> None:
    simulated = accounts.account(token_field="access")
    async with accounts.reading(simulated) as collector:
        with pytest.raises(
            errors.ResponseInvalid, match="holds no token at token: set the option token_field"
        ):
            await collector.probe()


async def test_names_of_the_sign_in_are_configurable() -> None:
    simulated = accounts.account(
        client_id_field="user", client_secret_field="pass", token_path="/v1.0/auth/token", token_field="jwt"
    )
    names: dict[str, Any] = {
        "token_path": "/v1.0/auth/token",
        "token_field": "jwt",
        "token_body": {"user": "{client_id}", "pass": "{client_secret}"},
    }
    async with accounts.reading(simulated, **names) as collector:
        assert (await collector.probe()).lines == 25


async def test_lines_are_asked_for_with_the_documented_parameters() -> None:
    asked: list[httpx.URL] = []

    def answer(request: httpx.Request) -> httpx.Response:
        if request.method == "POST":
            assert msgspec.json.decode(request.content) == {"clientId": "a b", "clientSecret": "{x}"}
            return httpx.Response(200, json={"data": {"token": "plain"}})
        assert request.headers["authorization"] == "Bearer plain"
        asked.append(request.url)
        return httpx.Response(200, json={"totalCount": 0, "devices": []})

    collector = registry.build(
        "kajeet",
        {"corp_ids": ["50/01"], "token_field": "data.token"},
        {"client_id": "a b", "client_secret": "{x}"},
        budgets=budget.Unlimited(),
        transport=httpx.MockTransport(answer),
    )
    async for _ in collector.pages(collector.endpoint_groups[0], base.Sweep(accounts.INSTANT)):
        pass
    await collector.aclose()
    (url,) = asked
    assert url.raw_path.startswith(b"/sentinel/api/v1.0/devices/50%2F01?")
    assert dict(url.params) == {"offset": "0", "limit": "100", "sort": "MDN", "sortDir": "ASC"}
    assert url.host == "sentinel-api.kajeet.com"
