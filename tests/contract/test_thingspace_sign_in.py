"""Two tokens: how they are asked for, how long they are used, and what happens when one is refused."""

import dataclasses
from collections.abc import AsyncIterator
from typing import Any

import pytest

from collectors import budget, client, errors, simulation
from collectors.thingspace import api, options, refusals
from tests.contract import cases
from tests.contract.cases import LINES, thingspace

CASE = thingspace.CASE
DEVICES = "/api/m2m/v1/devices/actions/list"
SESSION_CODES = (
    "UnifiedWebService.REQUEST_FAILED.SessionToken.Expired",
    "UnifiedWebService.REQUEST_FAILED.SessionToken.Format",
    "DeviceService.INPUT_INVALID.SessionToken.Invalid",
)


class Clock:
    """A clock that moves when someone waits."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.waits: list[float] = []

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def served(clock: Clock) -> AsyncIterator[tuple[thingspace.Stand, api.Api]]:
    """A stand-in and the calls to it, both of which live by the same clock."""
    stand = thingspace.Stand(
        thingspace.stand(LINES).world,
        lambda: cases.INSTANT,
        settings=thingspace.SETTINGS,
        monotonic=clock,
    )
    async with simulation.serve(stand) as url:
        http = client.Client(budget.Unlimited(), limits=cases.QUICK, judge=refusals.judge)
        chosen = options.Options(base_url=f"{url}/api")
        calls = api.Api(http, chosen, thingspace.CREDENTIALS, monotonic=clock, pause=clock.pause)
        yield stand, calls
        await calls.aclose()


def refused(code: str, status: int = 400) -> simulation.Fault:
    async def fault(call: simulation.Call) -> Any:
        return simulation.answer({"errorCode": code, "errorMessage": "no word of this"}, status=status)

    return fault


async def test_both_tokens_are_asked_for_once_and_sent_with_every_call() -> None:
    async with cases.reading(CASE) as read:
        await read.pages("devices")
        await read.pages("usage")
        calls = [sent for sent in read.network.sent if "/devices/" in sent.url]
        assert (read.stand.faults.seen("token"), read.stand.faults.seen("login")) == (1, 1)
    assert len({sent.headers["vz-m2m-token"] for sent in calls}) == 1
    assert len({sent.headers["authorization"] for sent in calls}) == 1
    assert all(sent.headers["authorization"].startswith("Bearer ") for sent in calls)


async def test_calls_of_half_an_hour_share_few_sign_ins(
    served: tuple[thingspace.Stand, api.Api], clock: Clock
) -> None:
    """A session is good for twenty minutes after its last call: it is renewed before, never refused."""
    stand, calls = served
    reader = calls.reader()
    for _ in range(30):
        await reader.devices(0)
        clock.now += 60
    assert stand.faults.seen("login") == 2
    assert stand.faults.seen("devices") == 30


async def test_tokens_are_got_anew_for_the_next_hours_sweep(
    served: tuple[thingspace.Stand, api.Api], clock: Clock
) -> None:
    stand, calls = served
    await calls.reader().devices(0)
    clock.now += 3600
    await calls.reader().devices(0)
    assert stand.faults.seen("devices") == 2
    assert stand.faults.seen("login") == 2


async def test_token_that_has_seconds_left_is_waited_out(
    served: tuple[thingspace.Stand, api.Api], clock: Clock
) -> None:
    """Asked again within its hour, the vendor gives the same token with what is left of it."""
    stand, calls = served
    await calls.reader().devices(0)
    clock.now += 3600 - 5
    await calls.reader().devices(0)
    assert clock.waits == [6.0]
    assert stand.faults.seen("token") == 3
    assert stand.faults.seen("devices") == 2


async def test_token_with_half_a_minute_left_is_used_for_the_half_of_it(
    served: tuple[thingspace.Stand, api.Api], clock: Clock
) -> None:
    stand, calls = served
    await calls.reader().devices(0)
    clock.now += 3600 - 30
    await calls.reader().devices(0)
    clock.now += 14
    await calls.reader().devices(0)
    assert (clock.waits, stand.faults.seen("token")) == ([], 2)
    clock.now += 7
    await calls.reader().devices(0)
    assert len(clock.waits) == 1
    assert stand.faults.seen("devices") == 4


async def test_vendor_whose_tokens_are_all_brief_is_not_waited_for_without_end(
    served: tuple[thingspace.Stand, api.Api], clock: Clock
) -> None:
    stand, calls = served
    stand.faults.next(simulation.changed(lambda body: body.update(expires_in=2)), endpoint="token", times=99)
    await calls.reader().devices(0)
    assert len(clock.waits) == api.MOST_WAITS


async def test_token_that_does_not_tell_its_end_is_used_as_long_as_a_session(
    served: tuple[thingspace.Stand, api.Api], clock: Clock
) -> None:
    stand, calls = served
    stand.faults.next(simulation.changed(lambda body: body.pop("expires_in")), endpoint="token", times=99)
    await calls.reader().devices(0)
    clock.now += 1100
    await calls.reader().devices(0)
    assert (clock.waits, stand.faults.seen("token")) == ([], 1)


@pytest.mark.parametrize("code", SESSION_CODES)
async def test_session_that_is_refused_is_opened_again_once(code: str) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(refused(code), endpoint="devices", after=1)
        assert cases.keys(await read.pages("devices")) == CASE.keys(LINES)
        assert read.stand.faults.seen("login") == 2


@pytest.mark.parametrize("code", SESSION_CODES)
async def test_session_that_is_refused_again_and_again_stops_the_sweep(code: str) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(refused(code), endpoint="devices", times=99)
        with pytest.raises(errors.AuthenticationFailed, match=r"SessionToken\.\w+.*check"):
            await read.pages("devices")
        assert read.stand.faults.seen("login") == 2


@pytest.mark.parametrize("act", ["expire_sessions", "forget_sessions", "expire_tokens"])
async def test_sessions_and_tokens_that_end_in_the_midst_of_per_line_calls_are_replaced(act: str) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.first(getattr(read.stand, act)), endpoint="usage", after=7)
        found = await read.pages("usage")
        assert cases.keys(found) == CASE.keys(LINES)
        assert not [rejection for page in found for rejection in page.rejected]
        assert read.stand.faults.seen("login") == 2


async def test_wrong_user_is_told_as_such_and_not_tried_again() -> None:
    async with cases.reading(CASE) as read:
        assert isinstance(read.stand, thingspace.Stand)
        read.stand.settings = dataclasses.replace(thingspace.SETTINGS, password="another")
        with pytest.raises(
            errors.AuthenticationFailed, match=r"session login was refused .*check username and password"
        ) as caught:
            await read.collector.probe()
        assert (read.stand.faults.seen("token"), read.stand.faults.seen("login")) == (1, 1)
    assert thingspace.CREDENTIALS["password"] not in f"{caught.value!r} {caught.value.__cause__!r}"


@pytest.mark.parametrize("status", [400, 401])
async def test_wrong_application_is_told_as_such(status: int) -> None:
    async def invalid(call: simulation.Call) -> Any:
        return simulation.answer({"error": "invalid_client", "error_description": "no"}, status=status)

    async with cases.reading(CASE) as read:
        read.stand.faults.next(invalid, endpoint="token", times=99)
        with pytest.raises(errors.AuthenticationFailed, match="check"):
            await read.pages("devices")
        assert read.stand.faults.seen("token") == 1


@pytest.mark.parametrize(
    ("endpoint", "change", "words"),
    [
        ("token", lambda body: body.pop("access_token"), "OAuth sign-in's answer .* access_token: missing"),
        ("token", lambda body: body.update(access_token="a\nb"), "access_token"),
        ("login", lambda body: body.pop("sessionToken"), "session login's answer .* sessionToken: missing"),
    ],
)
async def test_sign_in_of_another_shape_is_told(endpoint: str, change: Any, words: str) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.changed(change), endpoint=endpoint)
        with pytest.raises(errors.ResponseInvalid, match=words):
            await read.pages("devices")


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("UnifiedWebService.REQUEST_FAILED.AccountNotFound", errors.NotFound, "account_name"),
        ("UnifiedWebService.REQUEST_FAILED.MultipleAccounts", errors.NotFound, "account_name"),
        ("DeviceService.INPUT_INVALID.Request", errors.ResponseInvalid, r"INPUT_INVALID\.Request"),
        ("a code: with words", errors.ResponseInvalid, "did not accept the request"),
    ],
)
async def test_refusals_are_told_by_their_code(code: str, kind: type[Exception], words: str) -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(refused(code), endpoint="devices", times=99)
        with pytest.raises(kind, match=words) as caught:
            await read.pages("devices")
    assert "no word of this" not in str(caught.value)
    assert "with words" not in str(caught.value)


async def test_too_many_requests_are_told_by_a_code_too() -> None:
    async with cases.reading(CASE) as read:
        code = "UnifiedWebService.INPUT_INVALID.MaxRequestsExceeded"
        read.stand.faults.next(refused(code), endpoint="devices", after=1, times=2)
        assert cases.keys(await read.pages("devices")) == CASE.keys(LINES)
        read.stand.faults.next(refused(code), endpoint="devices", times=99)
        with pytest.raises(errors.RateLimited, match="too many requests"):
            await read.pages("devices")


async def test_code_in_a_passing_fault_does_not_stop_the_retry() -> None:
    async with cases.reading(CASE) as read:
        fault = refused("UnifiedWebService.REQUEST_FAILED.UnexpectedError", status=500)
        read.stand.faults.next(fault, endpoint="devices", after=1)
        assert cases.keys(await read.pages("devices")) == CASE.keys(LINES)
