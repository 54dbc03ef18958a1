"""Verizon's own SDK against the stand-in, and the collector's requests beside the SDK's."""

import asyncio
import contextlib
import importlib
from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from aiohttp import web
from aiohttp.typedefs import Handler

from collectors import simulation
from tests.contract import cases, identities
from tests.contract.cases import INSTANT, thingspace

# The SDK is generated, and its dependencies warn of one another.
pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
CASE = thingspace.CASE
ACCOUNT = "0000123456-00001"
CONTENT = {"authorization", "vz-m2m-token", "content-type", "accept"}


@dataclass(frozen=True)
class Request:
    """What the stand-in was asked."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


class Recording(thingspace.Stand):
    """A stand-in that keeps every request."""

    def app(self) -> web.Application:
        self.requests: list[Request] = []
        app = super().app()
        app.middlewares.append(self._record)
        return app

    @web.middleware
    async def _record(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append(Request(request.method, request.path_qs, headers, await request.read()))
        return await handler(request)


def recording() -> Recording:
    made = thingspace.stand(range(25))
    return Recording(made.world, lambda: INSTANT, settings=thingspace.SETTINGS)


def verizon(module: str, name: str) -> Any:
    """A class of the SDK, which has no types."""
    return getattr(importlib.import_module(f"verizon.{module}"), name)


@contextlib.contextmanager
def redirected(url: str) -> Iterator[None]:
    """The SDK takes its addresses from a table: there is no setting for them."""
    server, environment = verizon("configuration", "Server"), verizon("configuration", "Environment")
    servers = verizon("configuration", "Configuration").environments[environment.PRODUCTION]
    kept = dict(servers)
    servers[server.THINGSPACE] = f"{url}/api"
    servers[server.OAUTH_SERVER] = f"{url}/api/ts/v1"
    try:
        yield
    finally:
        servers.update(kept)


def sdk(session: str | None = None) -> Any:
    return verizon("verizon_client", "VerizonClient")(
        thingspace_oauth_credentials=verizon("http.auth.thingspace_oauth", "ThingspaceOauthCredentials")(
            oauth_client_id=thingspace.CREDENTIALS["key"],
            oauth_client_secret=thingspace.CREDENTIALS["secret"],
        ),
        vz_m2m_token_credentials=verizon("http.auth.vz_m2m_token", "VZM2mTokenCredentials")(
            session or "not yet"
        ),
    )


def signed_in() -> Any:
    """Both sign-ins, as the SDK makes them."""
    user = verizon("models.log_in_request", "LogInRequest")(
        username=thingspace.CREDENTIALS["username"], password=thingspace.CREDENTIALS["password"]
    )
    answer = sdk().session_management.start_connectivity_management_session(user)
    return sdk(answer.body.session_token)


def device_id() -> Any:
    return verizon("models.device_id", "DeviceId")(id=identities.iccid(0), kind="iccid")


def list_devices(client: Any, seen: int) -> Any:
    body = verizon("models.account_device_list_request", "AccountDeviceListRequest")(
        account_name=ACCOUNT, largest_device_id_seen=seen
    )
    return client.device_management.list_devices_information(body)


def list_usage(client: Any, earliest: str, latest: str) -> Any:
    body = verizon("models.device_usage_list_request", "DeviceUsageListRequest")(
        earliest=earliest, latest=latest, device_id=device_id()
    )
    return client.device_management.list_devices_usage_history(body)


def list_connections(client: Any, earliest: str, latest: str) -> Any:
    body = verizon("models.device_connection_list_request", "DeviceConnectionListRequest")(
        device_id=device_id(), earliest=earliest, latest=latest
    )
    return client.device_management.retrieve_device_connection_history(body)


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[Recording]:
    stand = recording()
    async with simulation.serve(stand) as url:
        with redirected(url):
            yield stand


async def test_sdk_signs_in_and_reads_the_list_to_its_end() -> None:
    def work() -> list[Any]:
        client = signed_in()
        answers = [list_devices(client, 0)]
        while answers[-1].status_code == 202:
            attributes = answers[-1].body.devices[-1].extended_attributes
            seen = next(one.value for one in attributes if one.key == "DeviceId")
            answers.append(list_devices(client, int(seen)))
        return answers

    async with served():
        answers = await asyncio.to_thread(work)
    assert [answer.status_code for answer in answers] == [202, 202, 200]
    assert [answer.body.has_more_data for answer in answers] == [True, True, False]
    devices = [device for answer in answers for device in answer.body.devices]
    assert len(devices) == 25
    first = devices[0]
    assert first.account_name == ACCOUNT
    assert first.connected is True
    assert first.carrier_informations[0].state == "active"
    assert {(one.kind, one.id) for one in first.device_ids} == set(thingspace.line(0).ids)
    assert first.last_connection_date == "2026-11-20T18:30:00-05:00"


async def test_sdk_reads_usage_and_connections() -> None:
    def work() -> tuple[Any, Any]:
        client = signed_in()
        window = ("2026-11-19T00:00:00Z", "2026-11-21T18:00:00Z")
        return list_usage(client, *window), list_connections(client, *window)

    async with served():
        used, connected = await asyncio.to_thread(work)
    assert used.body.has_more_data is False
    days = [(one.timestamp, one.bytes_used, one.source) for one in used.body.usage_history]
    assert days == [
        ("2026-11-19T00:00:00Z", 1002, "Raw Usage"),
        ("2026-11-20T00:00:00Z", 1001, "Raw Usage"),
        ("2026-11-21T00:00:00Z", 1000, "Raw Usage"),
    ]
    words = [
        [one.value for one in event.connection_event_attributes if one.key == "Event"]
        for event in connected.body.connection_history
    ]
    assert words == [["Start"], ["Stop"]]


async def test_sdk_reads_the_stand_ins_refusals() -> None:
    module = "exceptions.connectivity_management_result_exception"
    refusal = verizon(module, "ConnectivityManagementResultException")

    def work() -> str:
        with pytest.raises(refusal) as caught:
            list_devices(sdk("00000000-0000-0000-0000-000000000000"), 0)
        return str(caught.value.error_code)

    async with served():
        code = await asyncio.to_thread(work)
    assert code.endswith("SessionToken.Invalid")


async def test_collector_asks_as_the_sdk_does() -> None:
    """Method, path, body and the headers that matter.

    Known differences: each client names itself in user-agent, and accepts its own encodings.
    """
    async with cases.reading(CASE, stand=recording()) as read:
        assert isinstance(read.stand, Recording)
        for group in ("devices", "usage", "connections"):
            await read.pages(group)
        ours = first_of_each(read.stand.requests)

    def work() -> None:
        client = signed_in()
        list_devices(client, 0)
        for path, call in (("usage", list_usage), ("connections", list_connections)):
            body = msgspec.json.decode(next(kept.body for name, kept in ours.items() if f"/{path}/" in name))
            call(client, body["earliest"], body["latest"])

    async with served() as stand:
        await asyncio.to_thread(work)
        theirs = first_of_each(stand.requests)
    assert ours.keys() == theirs.keys()
    assert len(ours) == 5
    for path, request in ours.items():
        other = theirs[path]
        assert (request.method, said(request)) == (other.method, said(other)), path
        assert described(request) == described(other), path


def first_of_each(requests: list[Request]) -> dict[str, Request]:
    found: dict[str, Request] = {}
    for request in requests:
        found.setdefault(request.path, request)
    return found


def said(request: Request) -> object:
    """The body, whatever the order of its fields."""
    return request.body if b"{" not in request.body else msgspec.json.decode(request.body)


def described(request: Request) -> dict[str, str]:
    """The headers that matter; of a token only what kind it is, for each sign-in gives another."""
    kept = {name: value for name, value in request.headers.items() if name in CONTENT}
    is_sign_in = request.path.endswith("/oauth2/token")
    return {
        name: value.partition(" ")[0] if name == "authorization" and not is_sign_in else shape(name, value)
        for name, value in kept.items()
    }


def shape(name: str, value: str) -> str:
    return "a GUID" if name == "vz-m2m-token" and value.count("-") == 4 else value
