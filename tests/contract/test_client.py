"""The client's edges that no vendor's simulator shows."""

import asyncio
import contextlib
import gzip
import time
from collections.abc import AsyncIterator
from email.utils import format_datetime

import httpx
import pytest

from collectors import budget, client, errors, hosts
from tests.contract import accounts

URL = "https://vendor.example/list"


def made(
    answer: httpx.AsyncBaseTransport, spending: budget.Budget | None = None, **limits: float
) -> client.Client:
    chosen = client.Limits(
        **{"attempts": 2, "wait_initial_seconds": 0.0, "wait_jitter_seconds": 0.0} | limits  # type: ignore[arg-type]
    )
    return client.Client(spending or budget.Unlimited(), limits=chosen, transport=answer)


def answering(*responses: httpx.Response) -> httpx.MockTransport:
    queue = iter(responses)
    return httpx.MockTransport(lambda request: next(queue))


async def test_retry_after_may_be_a_date() -> None:
    header = format_datetime(accounts.INSTANT, usegmt=True)
    now = accounts.INSTANT.timestamp() - 90
    assert client.retry_after(header, now) == 90
    assert client.retry_after(header, now + 1_000) == 0
    assert client.retry_after("7", now) == 7
    assert client.retry_after("soon", now) is None
    assert client.retry_after(None, now) is None


async def test_every_attempt_takes_its_share_of_the_budget() -> None:
    class Counting(budget.Unlimited):
        reserved = 0

        def turn(self) -> contextlib.AbstractAsyncContextManager[None]:
            self.reserved += 1
            return super().turn()

    spending = Counting()
    http = made(answering(httpx.Response(500), httpx.Response(200, json={})), spending)
    await http.get(URL)
    await http.aclose()
    assert spending.reserved == 2


async def test_budget_that_never_has_a_turn_left_is_unavailable() -> None:
    class Spent(budget.Unlimited):
        @contextlib.asynccontextmanager
        async def turn(self) -> AsyncIterator[None]:
            await asyncio.Event().wait()
            yield

    http = made(answering(), Spent(), total_seconds=0.05)
    with pytest.raises(errors.Unavailable, match="waited too long for its turn"):
        await http.get(URL)
    await http.aclose()


async def test_cancellation_passes_through() -> None:
    class Slow(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(10)
            raise AssertionError

    http = made(Slow())
    task = asyncio.create_task(http.get(URL))
    await asyncio.sleep(0.01)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await http.aclose()


async def test_all_attempts_together_are_bounded_in_time() -> None:
    class Hanging(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(10)
            raise AssertionError

    http = made(Hanging(), attempt_seconds=0.06, total_seconds=0.1, attempts=99)
    started_at = time.monotonic()
    with pytest.raises(errors.Unavailable):
        await http.get(URL)
    await http.aclose()
    assert time.monotonic() - started_at < 0.5


async def test_body_that_unpacks_beyond_the_limit_is_refused() -> None:
    packed = gzip.compress(b"[" + b" " * 100_000)
    assert len(packed) < 1_000
    http = made(
        answering(httpx.Response(200, content=packed, headers={"content-encoding": "gzip"})), body_bytes=1_000
    )
    with pytest.raises(errors.ResponseInvalid, match="more than 1000 bytes"):
        await http.get(URL)
    await http.aclose()


async def test_body_that_cannot_be_unpacked_is_invalid() -> None:
    class Broken(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            return httpx.Response(
                200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"not gzip at all")
            )

    http = made(Broken())
    with pytest.raises(errors.ResponseInvalid, match="cannot be read"):
        await http.get(URL)
    await http.aclose()


@pytest.mark.parametrize(
    ("body", "kind"), [(b"", "nothing"), (b" <html>", "HTML"), (b"OK", "something else")]
)
async def test_answer_that_is_no_json_says_what_it_is(body: bytes, kind: str) -> None:
    http = made(answering(httpx.Response(200, content=body)))
    with pytest.raises(errors.ResponseInvalid, match=f"answered {kind} where JSON was expected"):
        await http.get(URL, params={"secret": "hidden"})
    await http.aclose()


async def test_errors_name_method_host_and_path_only() -> None:
    http = made(answering(httpx.Response(403, text="body with a name", headers={"x-secret": "hidden"})))
    with pytest.raises(errors.PermissionDenied) as caught:
        await http.get(URL, params={"token": "hidden"}, headers={"authorization": "hidden"})
    await http.aclose()
    assert str(caught.value).startswith("GET vendor.example/list answered 403: ")
    assert "hidden" not in str(caught.value)
    assert "name" not in str(caught.value)


async def test_pace_is_told_again_after_a_recovery(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", logger="collectors")
    http = made(answering(slow(), good(), good(), slow(), good()))
    for _ in range(3):
        await http.get(URL)
    await http.aclose()
    actions = [record.__dict__["action"] for record in caplog.records if "action" in record.__dict__]
    assert actions == ["slow_down", "resume_pace", "slow_down", "resume_pace"]


def slow() -> httpx.Response:
    return httpx.Response(429, headers={"retry-after": "0"})


def good() -> httpx.Response:
    return httpx.Response(200, json={})


async def test_a_redirect_within_the_vendors_hosts_takes_a_turn_and_keeps_the_credentials() -> None:
    moved = httpx.Response(302, headers={"location": "https://shard.vendor.example/list?page=2"})
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return moved if len(asked) == 1 else httpx.Response(200, json={})

    http = client.Client(
        budget.Unlimited(),
        transport=httpx.MockTransport(answer),
        hosts=hosts.Hosts("https://vendor.example", [".vendor.example"]),
    )
    await http.get(URL, headers={"authorization": "kept"})
    await http.aclose()
    assert [str(request.url) for request in asked] == [URL, "https://shard.vendor.example/list?page=2"]
    assert [request.headers["authorization"] for request in asked] == ["kept", "kept"]
    assert asked[1].headers["host"] == "shard.vendor.example"


async def test_redirects_that_lead_on_and_on_are_an_error() -> None:
    on = httpx.MockTransport(lambda request: httpx.Response(302, headers={"location": URL}))
    http = client.Client(budget.Unlimited(), transport=on, hosts=hosts.Hosts("https://vendor.example"))
    with pytest.raises(errors.ResponseInvalid, match="without end"):
        await http.get(URL)
    await http.aclose()


async def test_what_is_posted_is_not_sent_on_to_another_address() -> None:
    there = httpx.Response(307, headers={"location": "https://shard.vendor.example/list"})
    http = client.Client(
        budget.Unlimited(),
        transport=answering(there),
        hosts=hosts.Hosts("https://vendor.example", [".vendor.example"]),
    )
    with pytest.raises(errors.ResponseInvalid, match="redirects are not followed"):
        await http.post(URL, json={"password": "hidden"})
    await http.aclose()


async def test_a_vendors_own_words_go_before_the_status_code() -> None:
    def judge(answer: client.Answer) -> errors.CollectorError | None:
        return errors.RateLimited("slow down") if b"quota" in answer.body else None

    refused = httpx.Response(403, text="quota", headers={"retry-after": "0"})
    http = client.Client(
        budget.Unlimited(), transport=answering(refused, httpx.Response(403, text="no")), judge=judge
    )
    with pytest.raises(errors.PermissionDenied):  # the first was tried again, the second was not
        await http.get(URL)
    await http.aclose()


async def test_nobody_sends_while_a_vendor_asked_for_quiet() -> None:
    class Held(budget.Unlimited):
        seconds: float | None = None

        async def hold_off(self, seconds: float) -> None:
            self.seconds = seconds

    held = Held()
    busy = httpx.Response(429, headers={"retry-after": "0.0"})
    quiet = httpx.Response(429, headers={"retry-after": "1000000"})
    http = made(answering(busy, quiet), held)
    with pytest.raises(errors.RateLimited):
        await http.get(URL)
    await http.aclose()
    assert held.seconds == client.MAX_RETRY_AFTER


async def test_a_form_is_posted_as_one() -> None:
    asked: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        return httpx.Response(202, json={}, headers={"x-next": "2"})

    http = made(httpx.MockTransport(answer))
    answered = await http.post(URL, form={"grant_type": "client_credentials", "a": "b c"})
    await http.aclose()
    assert asked[0].content == b"grant_type=client_credentials&a=b+c"
    assert asked[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert (answered.status, answered.headers["X-Next"]) == (202, "2")


@pytest.mark.parametrize("key", ["8901480000000000077", "6a09cdc3-8948-47f0-aa62-74ac943d6c58", "HS1234abcd"])
async def test_no_key_of_a_line_is_in_a_message(key: str) -> None:
    http = made(answering(httpx.Response(403)))
    with pytest.raises(
        errors.PermissionDenied, match=r"GET vendor.example/v1/devices/.../usage answered 403"
    ) as caught:
        await http.get(f"https://vendor.example/v1/devices/{key}/usage")
    await http.aclose()
    assert key[:6] not in str(caught.value)
