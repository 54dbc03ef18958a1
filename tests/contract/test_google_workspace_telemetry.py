"""When telemetry saw a device online, and where its gateway lets that be told."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import msgspec
import pytest

from collectors import base, errors, readings, simulation
from collectors.google_workspace import api, collector, options, parse, world
from tests.contract import cases
from tests.contract.cases import INSTANT, google_workspace
from tests.contract.cases.google_workspace import CASE, HOME, SCHOOL, chromebook, key, report
from tests.contract.towards import Sent

FIXTURES = Path(__file__).parent.parent / "fixtures" / "google_workspace"
DOCUMENTED = (FIXTURES / "telemetry.json").read_bytes()
SINCE = INSTANT - timedelta(hours=72)
AT_SCHOOL, ELSEWHERE, UNKNOWN = readings.Place.AT_SCHOOL, readings.Place.ELSEWHERE, readings.Place.UNKNOWN


def hours_ago(hours: float) -> datetime:
    return INSTANT - timedelta(hours=hours)


def read(body: bytes, **given: Any) -> parse.List:
    chosen = msgspec.convert(google_workspace.OPTIONS | given, options.Options)
    return parse.Parser(chosen).telemetry(body, since=SINCE, instant=INSTANT)


def seen(reports: Sequence[object]) -> parse.List:
    return read(msgspec.json.encode({"devices": [{"deviceId": key(1), "networkStatusReport": reports}]}))


def whereabouts(*reports: object) -> list[tuple[datetime, readings.Place]]:
    page = seen(reports)
    assert page.rejected == []
    return [(each.at, each.place) for device in page.devices for each in device.whereabouts]


def stand(*chromebooks: world.Chromebook, **given: Any) -> google_workspace.Stand:
    return google_workspace.Stand(
        world.World(chromebooks), google_workspace.settings(**given), clock=lambda: INSTANT
    )


def asked(sent: Sequence[Sent], host: str) -> list[dict[str, list[str]]]:
    return [parse_qs(urlsplit(each.url).query) for each in sent if each.host == host]


def test_documented_reports_are_read() -> None:
    page = read(DOCUMENTED)
    assert (page.count, page.next, page.rejected) == (2, None, [])
    assert page.devices == [
        readings.StudentDevice(
            device_key="8ff1b9ba-0000-4000-8000-00000000d001",
            whereabouts=(
                readings.Whereabouts(datetime(2026, 11, 20, 16, 10, tzinfo=UTC), AT_SCHOOL),
                readings.Whereabouts(datetime(2026, 11, 20, 23, 10, 0, 123_457, UTC), UNKNOWN),
            ),
        )
    ]
    encoded = msgspec.json.encode(page.devices)
    for word in ("Placeholder", "192.168", "2001:db8", "5CD", "C01"):
        assert word.encode() not in encoded


def test_telemetry_tells_nothing_of_status_use_or_sync() -> None:
    """Gaps there must not overwrite what the device list told."""
    (device,) = read(DOCUMENTED).devices
    assert (device.raw_status, device.is_in_service, device.last_seen_at, device.active_days) == (
        None,
        None,
        None,
        (),
    )


@pytest.mark.parametrize(
    "state", ["CONNECTED", "PORTAL", "CONNECTING", "NOT_CONNECTED", "HYPERLOOPED", ..., None]
)
def test_only_a_device_that_reached_the_internet_was_online(state: object) -> None:
    assert whereabouts(report(connectionState=state)) == []


@pytest.mark.parametrize(
    ("fields", "place"),
    [
        ({"gatewayIpAddress": "192.168.1.1"}, UNKNOWN),
        ({"gatewayIpAddress": "10.0.0.1"}, UNKNOWN),
        ({"gatewayIpAddress": SCHOOL}, AT_SCHOOL),
        ({"gatewayIpAddress": HOME}, ELSEWHERE),
        ({"gatewayIpAddress": ...}, UNKNOWN),
        ({"gatewayIpv6Address": "fe80::1"}, UNKNOWN),
        ({"gatewayIpv6Address": "2001:db8:100::1"}, AT_SCHOOL),
        ({"gatewayIpAddress": HOME, "gatewayIpv6Address": "2001:db8:100::1"}, UNKNOWN),
        ({"gatewayIpAddress": SCHOOL, "connectionType": "VPN"}, UNKNOWN),
        ({"lanIpAddress": SCHOOL}, UNKNOWN),
    ],
)
def test_gateway_tells_a_place_only_where_its_address_is_public(
    fields: dict[str, Any], place: readings.Place
) -> None:
    assert whereabouts(report(2, **fields)) == [(hours_ago(2), place)]


def test_networks_of_one_instant_are_one_reading() -> None:
    found = whereabouts(
        report(2),
        report(2, connectionType="ETHERNET", gatewayIpAddress=SCHOOL),
        report(3, gatewayIpAddress=SCHOOL),
        report(3, gatewayIpAddress=HOME),
    )
    assert found == [(hours_ago(3), UNKNOWN), (hours_ago(2), AT_SCHOOL)]


def test_report_without_a_time_or_from_before_the_time_asked_for_is_left_out() -> None:
    assert whereabouts(report(reportTime=...), report(72.1), report(71.9)) == [(hours_ago(71.9), UNKNOWN)]


def test_report_from_the_future_is_rejected_and_told() -> None:
    page = seen([report(-2), report(2), report(-0.5)])
    assert [each.at for each in page.devices[0].whereabouts] == [hours_ago(2), hours_ago(-0.5)]
    (rejection,) = page.rejected
    assert "clock is wrong" in rejection.reason


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"reportTime": 1763659804000}, "devices[0].networkStatusReport[0].reportTime"),
        ({"connectionState": 1}, "devices[0].networkStatusReport[0].connectionState"),
        ({"gatewayIpAddress": 3405803853}, "devices[0].networkStatusReport[0].gatewayIpAddress"),
    ],
)
def test_bad_report_rejects_its_device_only(fields: dict[str, Any], path: str) -> None:
    rows = [
        {"deviceId": key(1), "networkStatusReport": [report(2, **fields)]},
        {"deviceId": key(2), "networkStatusReport": [report(2)]},
    ]
    page = read(msgspec.json.encode({"devices": rows}))
    assert [device.device_key for device in page.devices] == [key(2)]
    assert [rejection.path for rejection in page.rejected] == [path]


async def test_whole_fleet_is_read_page_by_page() -> None:
    async with cases.reading(CASE) as read:
        found = await read.pages("telemetry")
    assert cases.keys(found) == CASE.keys(cases.LINES)
    assert len(found) == 3
    assert [page.total for page in found] == [None] * 3
    assert not any(page.sightings for page in found)
    device = found[0].student_devices[0]
    assert [(each.at, each.place) for each in device.whereabouts] == [
        (hours_ago(4), ELSEWHERE),
        (hours_ago(3), AT_SCHOOL),
        (hours_ago(2), UNKNOWN),
    ]


async def test_no_more_is_asked_for_than_is_read() -> None:
    async with cases.reading(CASE) as read:
        await read.pages("telemetry")
        first = asked(read.network.sent, "chromemanagement.googleapis.com")[0]
    assert first == {
        "readMask": ["device_id,network_status_report"],
        "pageSize": ["10"],
        "filter": ['reports_timestamp>="2026-11-18T18:00:00Z"'],
        "fields": [api.TELEMETRY_FIELDS],
    }
    assert api.TELEMETRY_FIELDS == (
        "nextPageToken,devices(deviceId,networkStatusReport(reportTime,connectionState,connectionType,"
        "gatewayIpAddress,gatewayIpv6Address))"
    )


@pytest.mark.parametrize(
    ("since", "overlap", "start"),
    [
        (None, 72, "2026-11-18T18:00:00Z"),
        (INSTANT - timedelta(hours=3), 72, "2026-11-18T15:00:00Z"),
        (INSTANT - timedelta(hours=3), 0, "2026-11-21T15:00:00Z"),
        (INSTANT - timedelta(days=90), 72, "2026-11-07T18:00:00Z"),
    ],
)
async def test_reports_are_asked_for_from_a_little_before_the_last_sweep(
    since: datetime | None, overlap: int, start: str
) -> None:
    async with cases.reading(CASE, telemetry_overlap_hours=overlap) as read:
        await read.pages("telemetry", since=since)
        first = asked(read.network.sent, "chromemanagement.googleapis.com")[0]
    assert first["filter"] == [f'reports_timestamp>="{start}"']


async def test_report_that_was_held_back_over_a_weekend_is_still_read() -> None:
    held = stand(world.Chromebook(chromebook(1).row, []))
    async with cases.reading(CASE, stand=held) as read:
        friday = INSTANT - timedelta(hours=60)
        assert cases.keys(await read.pages("telemetry", instant=friday)) == set()
        held.world.put(world.Chromebook(chromebook(1).row, [report(62, gatewayIpAddress=HOME)]))
        (page,) = await read.pages("telemetry", since=INSTANT - timedelta(hours=3))
    assert [(each.at, each.place) for each in page.student_devices[0].whereabouts] == [
        (hours_ago(62), ELSEWHERE)
    ]


async def test_sweep_resumes_after_the_last_stored_page() -> None:
    async with cases.reading(CASE) as read:
        whole = await read.pages("telemetry")
        rest = await read.pages("telemetry", cursor=whole[0].cursor)
        assert cases.keys(rest) == CASE.keys(range(10, 25))
        anew = await read.pages("telemetry", cursor="of-another-time")
        assert cases.keys(anew) == CASE.keys(cases.LINES)


async def test_page_that_the_filter_emptied_is_not_the_last() -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(
            simulation.changed(lambda body: body.pop("devices")), endpoint="telemetry", after=1
        )
        found = await read.pages("telemetry")
    assert cases.keys(found) == CASE.keys(range(10)) | CASE.keys(range(20, 25))
    assert len(found) == 3


async def test_devices_outside_the_unit_are_left_out() -> None:
    inside = [chromebook(number, orgUnitPath="/Students/Elm") for number in range(12)]
    outside = [chromebook(number, orgUnitPath="/Staff") for number in range(12, 25)]
    async with cases.reading(CASE, stand=stand(*inside, *outside), org_unit_path="/Students") as read:
        found = await read.pages("telemetry")
        listed = asked(read.network.sent, "admin.googleapis.com")
    assert cases.keys(found) == CASE.keys(range(12))
    assert {each["fields"][0] for each in listed} == {"kind,nextPageToken,chromeosdevices(deviceId)"}


def test_costs_are_told_to_the_budget() -> None:
    def groups(**given: Any) -> Sequence[base.EndpointGroup]:
        return collector.endpoint_groups(msgspec.convert(google_workspace.OPTIONS | given, options.Options))

    devices, telemetry = groups()
    assert (devices.requests(1000), devices.cadence, devices.lists_lines) == (4, timedelta(hours=6), True)
    assert (telemetry.requests(1000), telemetry.cadence, telemetry.lists_lines) == (
        5,
        timedelta(hours=3),
        False,
    )
    assert telemetry.overlaps
    assert telemetry.priority > devices.priority
    assert groups(org_unit_path="Students")[1].requests(1000) == 10
    assert [group.name for group in groups(telemetry=False)] == ["devices"]


async def test_refusal_of_telemetry_names_the_option_that_does_without() -> None:
    async with cases.reading(CASE) as read:
        read.stand.faults.next(simulation.status(403), endpoint="telemetry", times=9)
        with pytest.raises(errors.PermissionDenied, match="telemetry = false"):
            await read.pages("telemetry")
