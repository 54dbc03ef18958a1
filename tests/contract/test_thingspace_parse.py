"""What becomes of ThingSpace's list of devices."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import errors, readings
from collectors.thingspace import answers, parse, rows, states
from tests.contract.cases import INSTANT, thingspace

FIXTURES = Path(__file__).parent.parent / "fixtures" / "thingspace"
DOCUMENTED = (FIXTURES / "devices.json").read_bytes()
STATUS = readings.LineStatus


def read(body: bytes, **statuses: readings.LineStatus) -> parse.Devices:
    return parse.Parser(statuses).devices(body, instant=INSTANT)


def patched(index: int = 0, **fields: Any) -> bytes:
    """The documented page with a device's fields changed; ``...`` takes one away."""
    page = msgspec.json.decode(DOCUMENTED)
    row = page["devices"][index] | fields
    page["devices"][index] = {name: value for name, value in row.items() if value is not ...}
    return msgspec.json.encode(page)


def one(**fields: Any) -> readings.Sighting:
    return read(patched(**fields)).sightings[0]


def test_documented_device_is_read() -> None:
    page = read(DOCUMENTED)
    assert (page.count, page.has_more, page.rejected, page.unmapped) == (2, False, [], {})
    assert page.sightings[0] == readings.Sighting(
        provider_key="mdn:5215550101",
        mdn="5215550101",
        imei="990013907835573",
        states=(readings.State(INSTANT, STATUS.ACTIVE, "active", None, is_online=False),),
        last_seen_at=datetime(2020, 3, 12, 8, 23, 37, tzinfo=UTC),
        last_seen_by=readings.LastSeenBy.CONNECTION,
    )


def test_kinds_of_identifiers_are_compared_in_lower_case() -> None:
    line = read(DOCUMENTED).lines[1]
    seen = line.sighting
    assert (seen.mdn, seen.iccid, seen.imei) == ("15215550102", "89141390780800784259", "990013907884259")
    assert (line.asked_by.id, line.asked_by.kind) == ("89141390780800784259", "iccId")


def test_device_id_names_the_line_and_is_the_cursor() -> None:
    page = read(DOCUMENTED)
    assert page.lines[1].sighting.provider_key == "30000102"
    assert page.last == 30_000_102


@pytest.mark.parametrize(
    ("attributes", "expected"),
    [
        ([{"value": "77", "key": "DeviceId"}], 77),
        ([{"key": "DeviceId", "value": 78}], 78),
        ([{"key": "PrimaryPlaceOfUseFirstName", "value": '{"key":"DeviceId","value":"1"}'}], None),
        ([{"key": "A", "value": "DeviceId"}, {"key": "DeviceId", "value": "79"}], 79),
        ([{"key": "A", "value": "a}{b"}, {"key": "DeviceId", "value": "80"}], 80),
        ([{"key": "DeviceId", "value": "Wilhelmina"}], None),
        ([{"key": "DeviceId", "value": "²"}], None),
        ([{"key": "DeviceId"}], None),
        ([{"key": "DeviceIdSeen", "value": "1"}], None),
        ([], None),
        (None, None),
        (..., None),
    ],
)
def test_device_id_is_found_among_the_attributes(attributes: Any, expected: int | None) -> None:
    assert read(patched(extendedAttributes=attributes)).lines[0].device_id == expected


def test_family_of_a_line_is_not_even_decoded() -> None:
    """A name that is no valid text at all does no harm to its device, and no row holds any other attribute."""
    broken = DOCUMENTED.replace(b"Wilhelmina", b"\xff\xfe").replace(b"The Placeholder family", b"\xff")
    assert len(read(broken).sightings) == 2
    body = msgspec.json.decode(DOCUMENTED, type=rows.DeviceList)
    decoded = msgspec.json.decode(body.devices, type=list[rows.Device])
    for word in ("Wilhelmina", "Placeholder", "Nowhere", "5035550100", "203.0.113.77", "Joe Q Public"):
        assert word not in repr(decoded)
        assert word not in repr(read(DOCUMENTED))


def test_attribute_that_is_read_leaves_the_others_as_they_are() -> None:
    """Of a family's attributes only the object that holds the DeviceId is decoded."""
    row = thingspace.line(3)
    body = msgspec.json.encode({"hasMoreData": False, "devices": [answers.device(row)]}).replace(
        b"Wilhelmina", b"\xff\xfe"
    )
    assert read(body).lines[0].device_id == row.device_id


@pytest.mark.parametrize(
    ("connected", "date", "seen_at", "by"),
    [
        (True, "2020-03-02T09:00:00Z", INSTANT, "session"),
        (True, None, INSTANT, "session"),
        (False, "2020-03-02T09:00:00Z", datetime(2020, 3, 2, 9, tzinfo=UTC), "connection"),
        (None, "2020-03-02T09:00:00+05:30", datetime(2020, 3, 2, 3, 30, tzinfo=UTC), "connection"),
        (False, "", None, None),
        (False, None, None, None),
    ],
)
def test_connected_wins_over_an_old_last_connection(
    connected: bool | None, date: str | None, seen_at: datetime | None, by: str | None
) -> None:
    line = one(connected=connected, lastConnectionDate=date)
    assert (line.last_seen_at, line.last_seen_by) == (seen_at, by)
    assert line.states[0].is_online is connected


@pytest.mark.parametrize("text", ["yesterday", "2020-03-02T09:00:00"])
def test_date_without_a_zone_is_no_instant_and_is_counted(text: str) -> None:
    page = read(patched(lastConnectionDate=text))
    assert page.sightings[0].last_seen_at is None
    assert page.unmapped == {parse.BAD_DATE: 1}
    assert not page.rejected


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("active", STATUS.ACTIVE),
        ("Activate", STATUS.ACTIVE),
        ("ACTIVATED", STATUS.ACTIVE),
        ("suspend", STATUS.SUSPENDED),
        ("Suspended", STATUS.SUSPENDED),
        ("deactive", STATUS.DEACTIVATED),
        ("DEACTIVATED", STATUS.DEACTIVATED),
        ("Pre-active", STATUS.PRE_ACTIVE),
        ("preactive", STATUS.PRE_ACTIVE),
        ("PRE_ACTIVE", STATUS.PRE_ACTIVE),
        ("PENDING_ACTIVATION", STATUS.PENDING),
        ("PENDING_DEACTIVATION", STATUS.PENDING),
        ("ACTIVATION_READY", STATUS.PRE_ACTIVE),
        ("RETIRED", STATUS.DEACTIVATED),
        ("UNKNOWN", STATUS.UNKNOWN),
        ("inactive", STATUS.UNKNOWN),
    ],
)
def test_states_are_read_by_how_they_begin(word: str, status: readings.LineStatus) -> None:
    state = one(carrierInformations=[{"state": word}]).states[0]
    assert (state.status, state.raw_status) == (status, word)
    is_suspended = status is STATUS.SUSPENDED
    assert state.suspended_by is (readings.SuspendedBy.CARRIER if is_suspended else None)


def test_further_states_are_configured() -> None:
    body = patched(carrierInformations=[{"state": "Hot Lined"}])
    assert read(body).unmapped == {"Hot Lined": 1}
    page = read(body, hot_lined=STATUS.SUSPENDED)
    assert (page.sightings[0].states[0].status, page.unmapped) == (STATUS.SUSPENDED, {})


@pytest.mark.parametrize(
    ("words", "status", "unmapped"),
    [
        (("deactive", "active"), STATUS.ACTIVE, {}),
        (("deactive", "Suspend"), STATUS.SUSPENDED, {}),
        (("deactive", "hyperlooped"), STATUS.UNKNOWN, {"hyperlooped": 1}),
        (("hyperlooped", "active"), STATUS.ACTIVE, {"hyperlooped": 1}),
        ((None, "deactive"), STATUS.DEACTIVATED, {}),
    ],
)
def test_line_that_one_carrier_serves_is_served(
    words: tuple[str | None, ...], status: readings.LineStatus, unmapped: dict[str, int]
) -> None:
    page = read(patched(carrierInformations=[{"carrierName": "x", "state": word} for word in words]))
    assert len(page.sightings[0].states) == 1
    assert (page.sightings[0].states[0].status, page.unmapped) == (status, unmapped)


def test_every_status_has_its_rank() -> None:
    assert set(states.RANKS) == {*STATUS, None}


def test_line_without_state_or_connection_tells_none() -> None:
    assert one(carrierInformations=..., connected=...).states == ()
    assert one(carrierInformations=[], connected=True).states == (readings.State(INSTANT, is_online=True),)


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"deviceIds": []}, "devices[0]", "no identifier"),
        ({"deviceIds": ...}, "devices[0]", "no identifier"),
        ({"deviceIds": [{"id": " ", "kind": "iccid"}]}, "devices[0]", "no identifier"),
        ({"deviceIds": [{"id": "1", "kind": "serial"}]}, "devices[0]", "no identifier"),
        ({"deviceIds": "secret"}, "devices[0].deviceIds", "expected array"),
        ({"connected": "secret"}, "devices[0].connected", "expected bool"),
        ({"carrierInformations": [{"state": 4}]}, "devices[0].carrierInformations[0].state", "got int"),
        ({"lastConnectionDate": 12}, "devices[0].lastConnectionDate", "got int"),
    ],
)
def test_bad_field_rejects_its_device_only(fields: dict[str, Any], path: str, reason: str) -> None:
    page = read(patched(**fields))
    assert [line.provider_key for line in page.sightings] == ["30000102"]
    (rejection,) = page.rejected
    assert rejection.path == path
    assert reason in rejection.reason
    assert "secret" not in rejection.reason


def test_cursor_is_found_in_a_last_row_that_is_rejected() -> None:
    page = read(patched(1, connected="perhaps"))
    assert (len(page.rejected), page.count, page.last) == (1, 2, 30_000_102)


def test_identifiers_written_as_numbers_are_text() -> None:
    seen = one(deviceIds=[{"id": 5215550101, "kind": "MDN"}, {"id": "5215550999", "kind": "mdn"}])
    assert (seen.provider_key, seen.mdn) == ("mdn:5215550101", "5215550101")


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b'{"requestId":"1"}', "hasMoreData: missing"),
        (b'{"hasMoreData":false}', "devices: missing"),
        (b'{"hasMoreData":"no","devices":[]}', "hasMoreData: expected bool"),
        (b'{"hasMoreData":false,"devices":{}}', "expected array"),
        (b'{"hasMoreData":false,"devices":[', "not whole JSON"),
    ],
)
def test_list_of_another_shape_is_refused(body: bytes, words: str) -> None:
    with pytest.raises(errors.ResponseInvalid, match=words):
        read(body)


def test_accepted_means_that_there_is_more() -> None:
    assert parse.Parser().devices(DOCUMENTED, instant=INSTANT, status=202).has_more
