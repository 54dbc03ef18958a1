"""Google's own client against the stand-in, and its requests beside the collector's."""

import asyncio
import functools
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import google_auth_httplib2  # type: ignore[import-untyped]
import googleapiclient.discovery_cache  # type: ignore[import-untyped]
import httplib2  # type: ignore[import-untyped]
import jwt
import msgspec
import pytest
from google.oauth2 import service_account
from googleapiclient import discovery, errors

from collectors import simulation
from collectors.google_workspace import api, options, rows, simulator
from collectors.google_workspace import world as workspace_world
from tests.contract import cases
from tests.contract.cases import LINES, google_workspace
from tests.contract.cases.google_workspace import CASE, SUBJECT
from tests.contract.towards import Sent

SCOPES = [api.DEVICES_SCOPE, api.TELEMETRY_SCOPE]
HOSTS = {"directory": "admin.googleapis.com", "telemetry": "chromemanagement.googleapis.com"}


class Recording(httplib2.Http):  # type: ignore[misc]
    """Sends what is meant for Google to the stand-in, and keeps what was sent."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.sent: list[Sent] = []
        self._url = url

    def request(
        self, uri: str, method: str = "GET", body: Any = None, headers: Any = None, **rest: Any
    ) -> Any:
        content = body.encode() if isinstance(body, str) else body or b""
        names = {name.lower(): str(value) for name, value in (headers or {}).items()}
        self.sent.append(Sent(method, uri, names, content))
        parts = urlsplit(uri)
        there = f"{self._url}{parts.path}?{parts.query}" if parts.query else f"{self._url}{parts.path}"
        return super().request(there, method, body=body, headers=headers, **rest)


class Sdk:
    """Google's client, signed in as the collector is."""

    def __init__(self, url: str, **given: Any) -> None:
        self.http = Recording(url)
        info = json.loads(google_workspace.key_file(**given))
        made: Any = service_account.Credentials.from_service_account_info(  # type: ignore[no-untyped-call]
            info, scopes=SCOPES, subject=SUBJECT
        )
        self._authorized = google_auth_httplib2.AuthorizedHttp(made, http=self.http)

    def service(self, name: str, version: str) -> Any:
        return discovery.build(
            name, version, http=self._authorized, static_discovery=True, cache_discovery=False
        )

    def devices(self, **given: Any) -> list[dict[str, Any]]:
        resource = self.service("admin", "directory_v1").chromeosdevices()
        request = resource.list(customerId="my_customer", **given)
        return _all(request, resource.list_next, "chromeosdevices")

    def telemetry(self, **given: Any) -> list[dict[str, Any]]:
        resource = self.service("chromemanagement", "v1").customers().telemetry().devices()
        request = resource.list(parent="customers/my_customer", **given)
        return _all(request, resource.list_next, "devices")


def _all(request: Any, after: Callable[[Any, Any], Any], name: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while request is not None:
        answer = request.execute()
        found += answer.get(name, [])
        request = after(request, answer)
    return found


async def run(stand: simulator.Simulator, act: Callable[[Sdk], Any], **given: Any) -> tuple[Any, list[Sent]]:
    async with simulation.serve(stand) as url:
        sdk = Sdk(url, **given)
        try:
            return await asyncio.to_thread(act, sdk), sdk.http.sent
        finally:
            sdk.http.close()


def schema(document: str, name: str) -> dict[str, Any]:
    folder = Path(googleapiclient.discovery_cache.__file__).parent / "documents"
    found: dict[str, Any] = json.loads((folder / f"{document}.json").read_text())["schemas"][name]
    return found


DEVICE = functools.partial(schema, "admin.directory_v1", "ChromeOsDevice")
TELEMETRY_DEVICE = functools.partial(schema, "chromemanagement.v1", "GoogleChromeManagementV1TelemetryDevice")
REPORT = functools.partial(schema, "chromemanagement.v1", "GoogleChromeManagementV1NetworkStatusReport")


async def test_sdk_lists_every_device_of_the_stand_in() -> None:
    stand = google_workspace.stand(LINES)
    found, sent = await run(stand, lambda sdk: sdk.devices(projection="FULL", maxResults=10))
    assert {row["deviceId"] for row in found} == CASE.keys(LINES)
    assert found[0]["annotatedUser"] == cases.PRIVATE["name"], "the stand-in hides nothing by itself"
    assert len([each for each in sent if urlsplit(each.url).hostname == HOSTS["directory"]]) == 3


async def test_sdk_without_full_projection_gets_neither_use_nor_network() -> None:
    found, _ = await run(google_workspace.stand(range(2)), lambda sdk: sdk.devices())
    assert not {"activeTimeRanges", "lastKnownNetwork", "orgUnitId"} & found[0].keys()


async def test_sdk_gets_a_partial_response() -> None:
    found, _ = await run(
        google_workspace.stand(range(2)),
        lambda sdk: sdk.devices(projection="FULL", fields=api.DEVICE_FIELDS),
    )
    assert set(found[0]) == {
        "deviceId",
        "status",
        "lastSync",
        "activeTimeRanges",
        "orgUnitId",
        "lastKnownNetwork",
    }
    assert found[0]["lastKnownNetwork"] == [{"wanIpAddress": google_workspace.SCHOOL}]


async def test_sdk_reads_telemetry_of_the_stand_in() -> None:
    found, _ = await run(
        google_workspace.stand(LINES),
        lambda sdk: sdk.telemetry(
            readMask="deviceId,networkStatusReport", pageSize=10, filter="reports_timestamp>=0"
        ),
    )
    assert {row["deviceId"] for row in found} == CASE.keys(LINES)
    assert set(found[0]) == {"deviceId", "networkStatusReport"}
    assert len(found[0]["networkStatusReport"]) == 4


@pytest.mark.parametrize(
    "act",
    [
        lambda sdk: sdk.devices(maxResults=301),
        lambda sdk: sdk.devices(fields="chromeosdevices(surprise)"),
        lambda sdk: sdk.devices(fields="chromeosdevices(deviceId"),
        lambda sdk: sdk.devices(includeChildOrgunits=True),
        lambda sdk: sdk.devices(sortOrder="ASCENDING"),
        lambda sdk: sdk.devices(pageToken="stale"),
        lambda sdk: sdk.telemetry(),
        lambda sdk: sdk.telemetry(readMask="surprise"),
        lambda sdk: sdk.telemetry(readMask="device_id", pageSize=1001),
        lambda sdk: sdk.telemetry(readMask="device_id", filter="reports_timestamp"),
        lambda sdk: sdk.telemetry(readMask="device_id", filter='surprise="1"'),
    ],
)
async def test_stand_in_refuses_what_google_would(act: Callable[[Sdk], Any]) -> None:
    with pytest.raises(errors.HttpError) as caught:
        await run(google_workspace.stand(range(2)), act)
    assert caught.value.resp.status == 400


async def test_sdk_and_collector_sign_the_same_request() -> None:
    _, sent = await run(google_workspace.stand(LINES), lambda sdk: sdk.devices())
    theirs = sent[0]
    async with cases.reading(CASE) as read:
        await read.pages("devices")
        ours = read.network.sent[0]
    assert (ours.method, ours.url) == (theirs.method, theirs.url) == ("POST", options.TOKEN_URL)
    assert ours.headers["content-type"] == theirs.headers["content-type"]
    forms = [parse_qs(each.body.decode()) for each in (ours, theirs)]
    assert forms[0].keys() == forms[1].keys()
    assert forms[0]["grant_type"] == forms[1]["grant_type"]
    heads, claims = (
        [read_part(form["assertion"][0]) for form in forms]
        for read_part in (jwt.get_unverified_header, _claims)
    )
    assert heads[0] == heads[1]
    assert claims[0].keys() == claims[1].keys()
    assert {name: claims[0][name] for name in ("iss", "sub", "aud")} == {
        name: claims[1][name] for name in ("iss", "sub", "aud")
    }
    # The SDK asks for both scopes at once; the collector has a token for each API.
    assert claims[1]["scope"].split() == SCOPES
    assert claims[0]["scope"] == SCOPES[0]


def _claims(assertion: str) -> dict[str, Any]:
    found: dict[str, Any] = jwt.decode(assertion, options={"verify_signature": False})
    return found


async def test_sdk_and_collector_ask_for_devices_in_the_same_way() -> None:
    def act(sdk: Sdk) -> Any:
        return sdk.devices(
            projection="FULL",
            maxResults=10,
            orgUnitPath="Students",
            includeChildOrgunits=True,
            fields=api.DEVICE_FIELDS,
        )

    await _compare("directory", act, group="devices", org_unit_path="/Students")


async def test_sdk_and_collector_ask_for_telemetry_in_the_same_way() -> None:
    def act(sdk: Sdk) -> Any:
        return sdk.telemetry(
            readMask=api.READ_MASK,
            pageSize=10,
            filter='reports_timestamp>="2026-11-18T18:00:00Z"',
            fields=api.TELEMETRY_FIELDS,
        )

    await _compare("telemetry", act, group="telemetry")


async def _compare(what: str, act: Callable[[Sdk], Any], *, group: str, **given: object) -> None:
    """Every request of the two, page by page."""

    def made() -> simulator.Simulator:
        stand = google_workspace.stand(range(0))
        for number in LINES:
            stand.world.put(google_workspace.chromebook(number, orgUnitPath="/Students/Elm"))
        return stand

    _, sent = await run(made(), act)
    theirs = [each for each in sent if urlsplit(each.url).hostname == HOSTS[what]]
    async with cases.reading(CASE, stand=made(), **given) as read:  # type: ignore[arg-type]
        await read.pages(group)
        ours = [each for each in read.network.sent if each.host == HOSTS[what]]
    assert len(ours) == len(theirs) == 3
    for one, other in zip(ours, theirs, strict=True):
        mine, yours = urlsplit(one.url), urlsplit(other.url)
        assert (one.method, mine.scheme, mine.netloc, mine.path, one.body) == (
            other.method,
            yours.scheme,
            yours.netloc,
            yours.path,
            other.body,
        )
        # alt=json is Google's default, and it is part of what the stand-in's page tokens are good for.
        known = {"alt", "pageToken"}
        asked, wanted = parse_qs(mine.query), parse_qs(yours.query)
        assert {name: asked[name] for name in asked.keys() - known} == {
            name: wanted[name] for name in wanted.keys() - known
        }
        assert ("pageToken" in asked) == ("pageToken" in wanted)
        assert wanted["alt"] == ["json"]
        assert one.headers["accept"] == other.headers["accept"] == "application/json"
        assert one.headers["authorization"].startswith("Bearer ya29.")
        assert other.headers["authorization"].startswith("Bearer ya29.")


def test_every_field_that_is_asked_for_or_shown_is_in_googles_schema() -> None:
    device, telemetry, report = (
        DEVICE()["properties"],
        TELEMETRY_DEVICE()["properties"],
        REPORT()["properties"],
    )
    assert names(rows.Device) <= device.keys()
    assert device.keys() >= workspace_world.DEVICE_FIELDS
    assert names(rows.Network) <= properties(device, "lastKnownNetwork")
    assert names(rows.ActiveRange) == properties(device, "activeTimeRanges")
    assert names(rows.TelemetryDevice) <= telemetry.keys()
    assert names(rows.Report) <= report.keys()
    assert set(google_workspace.report()) <= report.keys()
    assert {"ONLINE"} <= set(report["connectionState"]["enum"])
    assert {"VPN"} <= set(report["connectionType"]["enum"])


def names(kind: type[msgspec.Struct]) -> set[str]:
    return {field.encode_name for field in msgspec.structs.fields(kind)}


def properties(device: dict[str, Any], name: str) -> set[str]:
    return set(device[name]["items"]["properties"])
