"""Twilio's own library against the stand-in, and its requests beside ours."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import httpx
import pytest
from twilio.base.exceptions import TwilioException  # type: ignore[import-untyped]
from twilio.http.http_client import TwilioHttpClient  # type: ignore[import-untyped]
from twilio.rest import Client  # type: ignore[import-untyped]

from collectors import simulation
from collectors.super_sim import world
from tests.contract import cases, identities
from tests.contract.cases import LINES, super_sim
from tests.contract.towards import Sent

START = datetime(2026, 11, 17, tzinfo=UTC)
OURS = {"twilio": "https://supersim.twilio.com", "kore": "https://supersim.api.korewireless.com"}

Found = TypeVar("Found")


class Redirected(TwilioHttpClient):  # type: ignore[misc]
    """The library's client, sent to the stand-in under the vendor's own name; keeps what it sent.

    ``bearer``: KORE's sign-in, in place of Twilio's.
    """

    def __init__(self, url: str, platform: str, bearer: str | None = None) -> None:
        super().__init__(timeout=5, request_hooks={"response": self._keep})
        self.sent: list[Sent] = []
        self._url = url
        self._ours = OURS[platform]
        self._bearer = bearer

    def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: dict[str, object] | None = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Any:
        here = url.replace(OURS["twilio"], self._url).replace(self._ours, self._url)
        given = {**(headers or {}), "Host": self._ours.removeprefix("https://")}
        if self._bearer is not None:
            auth, given["Authorization"] = None, f"Bearer {self._bearer}"
        return super().request(method, here, params, data, given, auth, timeout, allow_redirects)

    def close(self) -> None:
        self.session.close()

    def _keep(self, response: Any, *args: object, **options: object) -> None:
        asked = response.request
        self.sent.append(
            Sent(
                asked.method, asked.url.replace(self._url, self._ours), dict(asked.headers), asked.body or b""
            )
        )


async def driven(stand: super_sim.Stand, act: Callable[[Any], Found]) -> tuple[Found, list[Sent]]:
    """Let the library act on the stand-in; it is synchronous, so in a thread of its own."""
    platform = stand.settings.platform
    async with simulation.serve(stand) as url:
        bearer = await _token(url) if platform == "kore" else None
        http = Redirected(url, platform, bearer)
        given = super_sim.SECRETS["twilio"]
        client = Client(given["account_sid"], given["auth_token"], http_client=http)
        try:
            return await asyncio.to_thread(act, client.supersim.v1), http.sent
        finally:
            http.close()


async def _token(url: str) -> str:
    form = {"grant_type": "client_credentials", **super_sim.SECRETS["kore"]}
    async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport()) as http:
        answer = await http.post(f"{url}/api-services/v1/auth/token", data=form)
    token: str = answer.json()["access_token"]
    return token


def busy() -> world.StaticWorld:
    shown = world.StaticWorld(map(super_sim.sim, LINES))
    for number in LINES:
        shown.use(super_sim.sid(number), super_sim.TODAY, upload=1 + number, download=100)
    return shown


PLATFORMS = pytest.mark.parametrize("platform", ["kore", "twilio"])


@PLATFORMS
async def test_library_reads_every_sim_of_the_stand_in(platform: Any) -> None:
    found, sent = await driven(
        super_sim.stand(platform, busy()), lambda api: list(api.sims.stream(page_size=10))
    )
    assert [sim.sid for sim in found] == [super_sim.sid(number) for number in LINES]
    assert {sim.status for sim in found} == {"active"}
    assert {sim.date_created for sim in found} == {super_sim.CREATED}
    assert {sim.iccid for sim in found} == {identities.iccid(number) for number in LINES}
    assert found[0].fleet_sid == "HF" + 32 * "1"
    assert len(sent) == 3


@PLATFORMS
async def test_library_reads_the_usage_of_the_stand_in(platform: Any) -> None:
    found, sent = await driven(
        super_sim.stand(platform, busy()),
        lambda api: api.usage_records.list(group="sim", granularity="day", start_time=START, page_size=10),
    )
    assert [record.data_total for record in found] == [101 + number for number in LINES]
    assert [record.sim_sid for record in found] == [super_sim.sid(number) for number in LINES]
    assert {record.data_total_billed for record in found} == {Decimal("0.03")}
    assert found[0].period == {"start_time": "2026-11-21T00:00:00Z", "end_time": "2026-11-22T00:00:00Z"}
    assert len(sent) == 3


async def test_library_is_refused_without_good_credentials() -> None:
    stand = super_sim.stand("twilio", busy())
    stand.revoke()
    with pytest.raises(TwilioException) as caught:
        await driven(stand, lambda api: api.sims.list(page_size=10))
    assert caught.value.args[1].status_code == 401


@PLATFORMS
@pytest.mark.parametrize("group", ["sims", "usage"])
async def test_our_requests_are_those_of_the_library(platform: Any, group: str) -> None:
    """Method, address, sign-in and body are alike, on every page.

    Known to differ: who asks (User-Agent, X-Twilio-Client), and Accept-Charset and a Content-Type that the
    library sends with a request that has no body.
    """

    def act(api: Any) -> Any:
        if group == "sims":
            return api.sims.list(page_size=10)
        return api.usage_records.list(group="sim", granularity="day", start_time=START, page_size=10)

    case = next(case for case in super_sim.CASES if case.options["platform"] == platform)
    async with cases.reading(case, stand=super_sim.stand(platform, busy())) as read:
        await read.pages(group, since=cases.INSTANT)
    path = {"sims": "/v1/Sims", "usage": "/v1/UsageRecords"}[group]
    ours = [sent for sent in read.network.sent if httpx.URL(sent.url).path == path]
    _, theirs = await driven(super_sim.stand(platform, busy()), act)
    assert [_request(sent.method, sent.url) for sent in ours] == [
        _request(sent.method, sent.url) for sent in theirs
    ]
    assert len(ours) == 3
    for our, their in zip(ours, theirs, strict=True):
        assert our.body == their.body == b""
        assert our.headers["accept"] == their.headers["Accept"] == "application/json"
        scheme, value = our.headers["authorization"].split()
        their_scheme, their_value = their.headers["Authorization"].split()
        assert scheme == their_scheme
        assert platform == "kore" or value == their_value


def _request(method: str, url: str) -> tuple[str, str, dict[str, str]]:
    """What is asked; the order of parameters says nothing."""
    whole = httpx.URL(url)
    return method, f"{whole.scheme}://{whole.host}{whole.path}", dict(whole.params)
