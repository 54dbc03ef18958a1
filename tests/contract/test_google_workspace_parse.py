"""What becomes of the Directory's JSON."""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import errors, readings
from collectors.google_workspace import options, parse
from tests.contract.cases import google_workspace

FIXTURES = Path(__file__).parent.parent / "fixtures" / "google_workspace"
DOCUMENTED = (FIXTURES / "devices.json").read_bytes()
INSTANT = datetime(2026, 11, 21, 18, 0, tzinfo=UTC)
FIRST = "8ff1b9ba-0000-4000-8000-00000000d001"
SECOND = "8ff1b9ba-0000-4000-8000-00000000d002"
SYNC = datetime(2026, 11, 20, 17, 30, 4, 325_000, UTC)


def read(body: bytes, **given: Any) -> parse.List:
    chosen = msgspec.convert(google_workspace.OPTIONS | given, options.Options)
    return parse.Parser(chosen).devices(body, instant=INSTANT)


def patched(index: int = 0, **fields: Any) -> bytes:
    """The documented page with a device's fields changed; ``...`` takes one away."""
    page = msgspec.json.decode(DOCUMENTED)
    row = page["chromeosdevices"][index] | fields
    page["chromeosdevices"][index] = {name: value for name, value in row.items() if value is not ...}
    return msgspec.json.encode(page)


def test_documented_device_is_read() -> None:
    page = read(DOCUMENTED)
    assert (page.count, page.next, page.rejected, page.unmapped) == (2, "CAoQAg", [], {})
    assert page.devices[0] == readings.StudentDevice(
        device_key=FIRST,
        group_key="03ph8a2z1abcdef",
        raw_status="ACTIVE",
        is_in_service=True,
        last_seen_at=SYNC,
        last_seen_by=readings.LastSeenBy.POLICY_SYNC,
        active_days=(
            readings.ActiveDay(date(2026, 11, 19), 7260),
            readings.ActiveDay(date(2026, 11, 20), 600),
        ),
        whereabouts=(readings.Whereabouts(SYNC, readings.Place.ELSEWHERE),),
    )


def test_what_is_absent_is_unknown() -> None:
    assert read(DOCUMENTED).devices[1] == readings.StudentDevice(
        device_key=SECOND, group_key="03ph8a2z1retired", raw_status="DEPROVISIONED", is_in_service=False
    )


def test_null_is_as_good_as_absent() -> None:
    nothing: dict[str, Any] = dict.fromkeys(
        ("status", "lastSync", "orgUnitId", "activeTimeRanges", "lastKnownNetwork"), None
    )
    page = read(patched(**nothing))
    assert page.devices[0] == readings.StudentDevice(device_key=FIRST)
    assert (page.rejected, page.unmapped) == ([], {})


def test_nothing_of_a_person_is_carried_over() -> None:
    encoded = msgspec.json.encode(read(DOCUMENTED).devices)
    for word in ("Placeholder", "Nowhere", "LIB-", "Students", "203.0.113", "10.20", "5CD", "5e0053", "3557"):
        assert word.encode() not in encoded


@pytest.mark.parametrize(
    "field", ["annotatedUser", "annotatedLocation", "notes", "recentUsers", "orgUnitPath", "serialNumber"]
)
def test_what_could_name_a_person_is_not_even_decoded(field: str) -> None:
    """Bytes that are no text at all do no harm to the device."""
    fields: dict[str, Any] = {field: "SPOILED"}
    broken = patched(**fields).replace(b"SPOILED", b"\xff\xfe")
    assert [device.device_key for device in read(broken).devices] == [FIRST, SECOND]


@pytest.mark.parametrize(
    ("word", "is_in_service"),
    [
        ("ACTIVE", True),
        (" active ", True),
        ("DISABLED", False),
        ("DEPROVISIONED", False),
        ("PRE_PROVISIONED", False),
        ("PREPROVISIONED", False),
    ],
)
def test_status_tells_whether_a_device_is_in_service(word: str, is_in_service: bool) -> None:
    page = read(patched(status=word))
    assert (page.devices[0].raw_status, page.devices[0].is_in_service) == (word.strip(), is_in_service)
    assert page.unmapped == {}


def test_unknown_status_is_kept_and_counted_never_guessed() -> None:
    page = read(patched(status="SHIPPED"))
    assert (page.devices[0].raw_status, page.devices[0].is_in_service) == ("SHIPPED", None)
    assert page.unmapped == {"SHIPPED": 1}


def test_status_map_adds_to_the_words_already_known_and_goes_before_them() -> None:
    page = read(patched(status="SHIPPED"), statuses={"shipped": False, "DEPROVISIONED": True})
    assert [device.is_in_service for device in page.devices] == [False, True]
    assert page.unmapped == {}


def test_blank_status_is_none() -> None:
    page = read(patched(status=""))
    assert (page.devices[0].raw_status, page.devices[0].is_in_service, page.unmapped) == (None, None, {})


def test_milliseconds_become_whole_seconds_and_days_stay_days() -> None:
    ranges = [{"date": "2026-11-20", "activeTime": 0}, {"date": "2026-11-21", "activeTime": 86_399_999}]
    days = read(patched(activeTimeRanges=ranges)).devices[0].active_days
    assert days == (readings.ActiveDay(date(2026, 11, 20), 0), readings.ActiveDay(date(2026, 11, 21), 86_399))
    assert not any(isinstance(day.on, datetime) for day in days)


def test_days_of_a_device_that_has_lain_in_a_cupboard_for_years_are_not_kept() -> None:
    page = read(
        patched(
            lastSync="2023-05-02T12:00:00Z",
            activeTimeRanges=[
                {"date": "2023-05-02", "activeTime": 1000},
                {"date": "2026-11-20", "activeTime": 2000},
            ],
        )
    )
    device = page.devices[0]
    assert device.active_days == (readings.ActiveDay(date(2026, 11, 20), 2),)
    assert device.whereabouts == ()
    assert device.last_seen_at == datetime(2023, 5, 2, 12, tzinfo=UTC)
    assert page.rejected == []


def test_day_in_the_future_is_rejected_and_told() -> None:
    ranges = [{"date": "2026-11-22", "activeTime": 1000}, {"date": "2038-01-01", "activeTime": 1000}]
    page = read(patched(activeTimeRanges=ranges))
    assert [day.on for day in page.devices[0].active_days] == [date(2026, 11, 22)], "a zone may be ahead"
    (rejection,) = page.rejected
    assert rejection.path == "chromeosdevices[].activeTimeRanges[].date"
    assert "2038" not in rejection.reason


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-20T17:30:04.325Z", SYNC),
        ("2026-11-20T12:30:04.325-05:00", SYNC),
        ("2026-11-20T17:30:04Z", SYNC.replace(microsecond=0)),
    ],
)
def test_sync_is_told_in_utc(text: str, instant: datetime) -> None:
    device = read(patched(lastSync=text)).devices[0]
    assert device.last_seen_at == instant
    assert device.last_seen_at.tzinfo is UTC
    assert device.last_seen_by is readings.LastSeenBy.POLICY_SYNC


def test_network_of_a_device_that_never_synced_has_no_instant_and_is_dropped() -> None:
    device = read(patched(lastSync=...)).devices[0]
    assert device.whereabouts == ()
    assert (device.last_seen_at, device.last_seen_by) == (None, None)


@pytest.mark.parametrize(
    ("networks", "place"),
    [
        ([{"wanIpAddress": "198.51.100.200"}], readings.Place.AT_SCHOOL),
        ([{"wanIpAddress": "203.0.113.77"}], readings.Place.ELSEWHERE),
        ([{"wanIpAddress": "2001:db8:100::1"}], readings.Place.AT_SCHOOL),
        ([{"wanIpAddress": "2001:db8:200::1"}], readings.Place.ELSEWHERE),
        ([{"wanIpAddress": "no address"}], readings.Place.UNKNOWN),
        ([{"wanIpAddress": "198.51.100.200"}, {"wanIpAddress": "192.168.0.1"}], readings.Place.AT_SCHOOL),
        ([{"wanIpAddress": "198.51.100.200"}, {"wanIpAddress": "203.0.113.77"}], readings.Place.UNKNOWN),
        ([{"ipAddress": "198.51.100.200"}], None),
        ([], None),
    ],
)
def test_place_is_told_by_the_wide_area_address_only(
    networks: list[dict[str, str]], place: readings.Place | None
) -> None:
    seen = read(patched(lastKnownNetwork=networks)).devices[0].whereabouts
    assert seen == (() if place is None else (readings.Whereabouts(SYNC, place),))


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"deviceId": ...}, "chromeosdevices[0].deviceId", "missing"),
        ({"deviceId": "  "}, "chromeosdevices[0].deviceId", "blank"),
        ({"deviceId": None}, "chromeosdevices[0].deviceId", "expected str, got null"),
        ({"status": 4}, "chromeosdevices[0].status", "got int"),
        ({"lastSync": "yesterday"}, "chromeosdevices[0].lastSync", "datetime"),
        ({"lastSync": "2026-11-20T17:30:04"}, "chromeosdevices[0].lastSync", "timezone"),
        ({"lastSync": 1_763_659_804}, "chromeosdevices[0].lastSync", "got int"),
        (
            {"activeTimeRanges": [{"date": "2026-11-20T00:00:00Z", "activeTime": 1}]},
            "chromeosdevices[0].activeTimeRanges[0].date",
            "date",
        ),
        (
            {"activeTimeRanges": [{"date": "2026-11-20", "activeTime": -1}]},
            "chromeosdevices[0].activeTimeRanges[0].activeTime",
            ">= 0",
        ),
        (
            {"activeTimeRanges": [{"date": "2026-11-20", "activeTime": 90_000_001}]},
            "chromeosdevices[0].activeTimeRanges[0].activeTime",
            "<= 90000000",
        ),
        (
            {"lastKnownNetwork": [{"wanIpAddress": 3405803853}]},
            "chromeosdevices[0].lastKnownNetwork[0].wanIpAddress",
            "got int",
        ),
    ],
)
def test_bad_field_rejects_its_device_only(fields: dict[str, Any], path: str, reason: str) -> None:
    page = read(patched(**fields))
    assert [device.device_key for device in page.devices] == [SECOND]
    (rejection,) = page.rejected
    assert rejection.path == path
    assert reason in rejection.reason
    assert page.count == 2


def test_list_is_absent_where_it_is_empty() -> None:
    page = read(b'{"kind":"admin#directory#chromeosdevices","etag":"x"}')
    assert (page.devices, page.count, page.next) == ([], 0, None)


def test_empty_page_token_ends_the_list() -> None:
    assert read(b'{"kind":"directory#chromeosdevices","nextPageToken":""}').next is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"kind":"admin#directory#users"}',
        b'{"kind":"admin#directory#chromeosdevices","chromeosdevices":{}}',
        b'{"kind":"admin#directory#chromeosdevices","chromeosdevices":[NaN]}',
        DOCUMENTED[:-30],
    ],
)
def test_page_of_another_shape_is_invalid(body: bytes) -> None:
    """No answer without its kind passes for an empty list."""
    with pytest.raises(errors.ResponseInvalid):
        read(body)
