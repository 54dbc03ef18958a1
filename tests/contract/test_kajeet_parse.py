"""What becomes of Sentinel's JSON."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from collectors import errors, readings
from collectors.kajeet import options, parse
from tests.contract import accounts

DOCUMENTED = (accounts.FIXTURES / "devices.json").read_bytes()


def read(body: bytes, **given: Any) -> parse.Devices:
    chosen = msgspec.convert({"corp_ids": ["5001"]} | given, options.Options)
    return parse.Parser(chosen).devices(body, instant=accounts.INSTANT, group_key="5001")


def patched(index: int = 0, **fields: Any) -> bytes:
    """The documented page with a device's fields changed; ``...`` takes one away."""
    page = msgspec.json.decode(DOCUMENTED)
    row = page["devices"][index] | fields
    page["devices"][index] = {name: value for name, value in row.items() if value is not ...}
    return msgspec.json.encode(page)


def test_documented_device_is_read() -> None:
    page = read(DOCUMENTED)
    assert (page.total, page.count, page.rejected) == (499, 2, [])
    assert page.sightings[0] == readings.Sighting(
        provider_key="5212671508",
        mdn="521-267-1508",
        imei="355737360073462",
        group_key="5001",
        usage=(
            readings.Usage(
                readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE, accounts.INSTANT, 31_245_430_000
            ),
            readings.Usage(
                readings.UsageKind.GAUGE, readings.UsageSeries.LAST_30_DAYS, accounts.INSTANT, 31_245_430_000
            ),
        ),
        states=(
            readings.State(
                accounts.INSTANT,
                readings.LineStatus.ACTIVE,
                "active",
                None,
                is_online=True,
                is_filtered=True,
            ),
        ),
    )


@pytest.mark.parametrize(
    ("told", "is_filtered"), [("K-8", True), ("", False), ("  ", False), (None, None), (..., None)]
)
def test_that_a_line_is_filtered_is_kept_without_the_name_of_its_filter(
    told: object, is_filtered: bool | None
) -> None:
    page = read(patched(filterGroup=told))
    assert page.sightings[0].states[0].is_filtered is is_filtered
    assert b"K-8" not in msgspec.json.encode(page.sightings)


def test_lines_that_differ_in_their_filter_alone_share_no_state() -> None:
    page = msgspec.json.decode(DOCUMENTED)
    row = page["devices"][0]
    page["devices"] = [{**row, "key": "1", "filterGroup": "K-8"}, {**row, "key": "2", "filterGroup": ""}]
    found = read(msgspec.json.encode(page)).sightings
    assert [sighting.states[0].is_filtered for sighting in found] == [True, False]


def test_second_documented_device_has_no_imei() -> None:
    second = read(DOCUMENTED).sightings[1]
    assert second.imei is None
    assert second.states[0].status is readings.LineStatus.SUSPENDED
    assert second.states[0].suspended_by is readings.SuspendedBy.CARRIER
    assert second.usage[0].total_bytes == 0


def test_names_and_notes_are_not_carried_over() -> None:
    encoded = msgspec.json.encode(read(DOCUMENTED).sightings)
    for word in (accounts.CHILD, "Hotspot", "Northstar", "SmartSpot", "K-8"):
        assert word.encode() not in encoded


def test_names_and_notes_are_not_even_decoded() -> None:
    """A name that is no valid text at all does no harm to its device."""
    broken = DOCUMENTED.replace(b"Wilhelmina Placeholder", b"\xff\xfe")
    assert len(read(broken).sightings) == 2


def test_limits_and_day_amount_are_read_under_the_names_configured() -> None:
    body = patched(dayUsed=1.5, dailyLimit=500, monthlyLimit=20_000)
    line = read(body, fields={"day_amount": "dayUsed"}).sightings[0]
    assert (line.day_limit_bytes, line.cycle_limit_bytes) == (500_000_000, 20_000_000_000)
    assert line.usage[0] == readings.Usage(
        readings.UsageKind.COUNTER, readings.UsageSeries.DAY, accounts.INSTANT, 1_500_000
    )


def test_megabyte_is_as_configured() -> None:
    usage = read(patched(monthlyAmountUsed=1), megabyte_bytes=1_048_576).sightings[0].usage
    assert usage[0].total_bytes == 1_048_576


def test_field_configured_as_empty_is_not_read() -> None:
    line = read(DOCUMENTED, fields={"imei": "", "month_amount": ""}).sightings[0]
    assert line.imei is None
    assert [usage.series for usage in line.usage] == [readings.UsageSeries.LAST_30_DAYS]


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"key": ...}, "devices[0].key", "missing"),
        ({"mdn": ...}, "devices[0].mdn", "missing"),
        ({"status": ...}, "devices[0].status", "missing"),
        ({"key": "  "}, "devices[0].key", "blank"),
        ({"status": None}, "devices[0].status", "expected str, got null"),
        ({"status": 4}, "devices[0].status", "expected str, got int"),
        ({"imei": ["secret"]}, "devices[0].imei", "got array"),
        ({"onlineStatus": "yes"}, "devices[0].onlineStatus", "expected bool | null, got str"),
        ({"monthlyAmountUsed": "31245.43"}, "devices[0].monthlyAmountUsed", "got str"),
        ({"monthlyAmountUsed": -1.0}, "devices[0].monthlyAmountUsed", "expected float >= 0"),
        ({"last30DaysUsed": 1e12}, "devices[0].last30DaysUsed", "expected float <= 1000000000"),
        ({"dailyLimit": True}, "devices[0].dailyLimit", "got bool"),
    ],
)
def test_bad_field_rejects_its_device_only(fields: dict[str, Any], path: str, reason: str) -> None:
    page = read(patched(**fields))
    assert [line.provider_key for line in page.sightings] == ["5212671509"]
    (rejection,) = page.rejected
    assert rejection.path == path
    assert reason in rejection.reason
    assert "secret" not in rejection.reason


def test_row_that_is_no_device_is_rejected() -> None:
    page = read(b'{"totalCount":3,"devices":[null,7,{"key":"1","mdn":"2","status":"active"}]}')
    assert [bad.path for bad in page.rejected] == ["devices[0]", "devices[1]"]
    assert len(page.sightings) == 1


@pytest.mark.parametrize("amount", [b"1e999", b"99999999999999999999"])
def test_number_beyond_reason_is_rejected(amount: bytes) -> None:
    page = read(DOCUMENTED.replace(b"120.5", amount))
    assert [bad.path for bad in page.rejected] == ["devices[1].last30DaysUsed"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'{"totalCount":1}',
        b'{"totalCount":-1,"devices":[]}',
        DOCUMENTED[:-3],
        b'{"devices":[NaN]}',
    ],
)
def test_page_of_another_shape_is_invalid(body: bytes) -> None:
    with pytest.raises(errors.ResponseInvalid):
        read(body)


def test_identifiers_are_trimmed_and_else_left_as_they_are() -> None:
    line = read(patched(key=5212671508, mdn=" 521-267-1508 ", imei=" ", uicc=89148)).sightings[0]
    assert (line.provider_key, line.mdn, line.imei, line.iccid) == (
        "5212671508",
        "521-267-1508",
        None,
        "89148",
    )


@pytest.mark.parametrize(
    ("fields", "suspended_by"),
    [
        ({}, readings.SuspendedBy.CARRIER),
        ({"mediaCenterStatus": "CHECKED_IN"}, readings.SuspendedBy.LOAN_DESK),
        ({"mediaCenterStatus": "Checked In", "summerStatus": "SUSPENDED"}, readings.SuspendedBy.LOAN_DESK),
        ({"mediaCenterStatus": "checked-out", "summerStatus": "Suspended"}, readings.SuspendedBy.SEASON),
        ({"mediaCenterStatus": "", "summerStatus": "none"}, readings.SuspendedBy.CARRIER),
        ({"status": "active", "mediaCenterStatus": "CHECKED_IN"}, None),
    ],
)
def test_suspended_line_says_who_suspended_it(
    fields: dict[str, Any], suspended_by: readings.SuspendedBy | None
) -> None:
    page = read(patched(1, **fields))
    assert page.sightings[1].states[0].suspended_by is suspended_by
    assert page.unmapped == {}


def test_status_that_is_not_known_is_counted_and_kept() -> None:
    page = read(patched(status="Hibernating", mediaCenterStatus="lost", summerStatus="dark"))
    state = page.sightings[0].states[0]
    assert (state.status, state.raw_status) == (readings.LineStatus.UNKNOWN, "Hibernating")
    assert page.unmapped == {"Hibernating": 1, "media_center_status: lost": 1, "summer_status: dark": 1}


def test_status_map_adds_to_the_words_already_known() -> None:
    page = read(
        patched(status="Hot Lined"),
        statuses={"hot-lined": "suspended"},
        media_center_statuses={"In Repair": "loan_desk"},
    )
    assert [line.states[0].status for line in page.sightings] == [readings.LineStatus.SUSPENDED] * 2
    assert page.unmapped == {}


def test_instant_of_every_reading_is_the_sweeps() -> None:
    instant = datetime(2026, 7, 1, tzinfo=UTC)
    parser = parse.Parser(options.Options(corp_ids=("5001",)))
    page = parser.devices(DOCUMENTED, instant=instant)
    for line in page.sightings:
        assert {usage.starts_at for usage in line.usage} == {instant}
        assert {state.starts_at for state in line.states} == {instant}


def test_try_of_an_account_tells_of_fields_that_are_absent() -> None:
    doubts = parse.Parser(options.Options(corp_ids=("5001",))).doubts(DOCUMENTED)
    assert {doubt.path for doubt in doubts} >= {"devices[0].dayAmountUsed", "devices[0].uicc"}
    assert "devices[0].monthlyAmountUsed" not in {doubt.path for doubt in doubts}
