"""What becomes of NetCloud's JSON."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import errors, readings
from collectors.netcloud import options, parse
from tests.contract.cases import INSTANT

FIXTURES = Path(__file__).parent.parent / "fixtures" / "netcloud"
MODEMS = (FIXTURES / "net_devices.json").read_bytes()
METRICS = (FIXTURES / "net_device_metrics.json").read_bytes()
USAGE = (FIXTURES / "net_device_usage_samples.json").read_bytes()
STATES = (FIXTURES / "router_state_samples.json").read_bytes()
BUS_GROUP = "65543"


def parser(**given: Any) -> parse.Parser:
    return parse.Parser(msgspec.convert({"device_kind": "fixed_router"} | given, options.Options))


def modems(body: bytes = MODEMS, **given: Any) -> parse.Modems:
    return parser(**given).modems(body, instant=INSTANT)


def patched(body: bytes, index: int, **fields: Any) -> bytes:
    """A documented page with one row's fields changed; ``...`` takes one away."""
    page = msgspec.json.decode(body)
    row = page["data"][index] | fields
    page["data"][index] = {name: value for name, value in row.items() if value is not ...}
    return msgspec.json.encode(page)


def with_router(index: int, **fields: Any) -> bytes:
    router = msgspec.json.decode(MODEMS)["data"][index]["router"] | fields
    return patched(MODEMS, index, router=router)


def test_documented_modem_is_read() -> None:
    page = modems()
    assert (page.count, page.rejected, page.unmapped) == (6, [], {})
    assert page.sightings[0] == readings.Sighting(
        provider_key="1962784",
        imei="353547060031195",
        serial="MM150030500235",
        group_key="17045",
        states=(readings.State(INSTANT, is_online=False),),
        device_kind=readings.DeviceKind.FIXED_ROUTER,
        last_seen_at=datetime(2018, 5, 7, 18, 41, 51, 237597, tzinfo=UTC),
        last_seen_by=readings.LastSeenBy.CLOUD,
    )


def test_two_sim_slots_are_two_lines_of_one_device() -> None:
    first, second = modems().sightings[:2]
    assert first.imei == second.imei
    assert (first.provider_key, second.provider_key) == ("1962784", "1962785")
    assert (first.iccid, second.iccid, second.mdn) == (None, "8914800000000000017", "15035550117")


def test_router_that_is_online_was_seen_now_and_one_that_never_connected_was_not_seen() -> None:
    bus, new = modems().sightings[2:4]
    assert (bus.states[0].is_online, bus.last_seen_at) == (True, INSTANT)
    assert (new.states[0].is_online, new.last_seen_at, new.last_seen_by) == (False, None, None)


def test_no_line_status_is_told() -> None:
    for line in modems().sightings:
        assert [(state.status, state.raw_status) for state in line.states] == [(None, None)]


def test_modem_in_no_router_is_a_line_of_which_nothing_more_is_known() -> None:
    orphan = modems().sightings[4]
    assert orphan == readings.Sighting(
        provider_key="1962792",
        iccid="8914800000000000041",
        imei="353547060031229",
        states=(readings.State(INSTANT, is_online=None),),
    )


def test_modem_without_iccid_and_imei_is_no_line_and_no_fault() -> None:
    page = modems()
    assert "1962793" not in {line.provider_key for line in page.sightings}
    assert (page.count, len(page.sightings), len(page.router_ids), page.rejected) == (6, 5, 5, [])


def test_blank_identifiers_are_none() -> None:
    page = modems(patched(MODEMS, 1, iccid=" ", imei=" 353547060031195 "))
    assert (page.sightings[1].iccid, page.sightings[1].imei) == (None, "353547060031195")


def test_kind_is_the_accounts_unless_the_routers_group_has_its_own() -> None:
    page = modems(device_kinds={BUS_GROUP: "bus_router"})
    assert [line.device_kind for line in page.sightings] == [
        readings.DeviceKind.FIXED_ROUTER,
        readings.DeviceKind.FIXED_ROUTER,
        readings.DeviceKind.BUS_ROUTER,
        readings.DeviceKind.FIXED_ROUTER,
        None,
    ]


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("https://www.cradlepointecm.com/api/v2/groups/17045/", "17045"),
        ("https://www.us0.cradlepointecm.com/api/v2/groups/17045", "17045"),
        ("/api/v2/groups/17045/?x=/1/", "17045"),
        ("https://www.us0.cradlepointecm.com/api/v2/groups/None/", None),
        (None, None),
    ],
)
def test_id_is_the_end_of_an_address_whatever_its_host(url: str | None, key: str | None) -> None:
    assert modems(with_router(0, group=url)).sightings[0].group_key == key


def test_state_that_is_not_known_is_counted_and_never_guessed() -> None:
    page = modems(with_router(0, state="hibernating"))
    assert page.unmapped == {"router state: hibernating": 1}
    assert page.sightings[0].states == (readings.State(INSTANT, is_online=None),)
    assert page.sightings[0].last_seen_at is None


def test_further_state_words_are_a_setting() -> None:
    page = modems(with_router(0, state="Hiber-Nating"), router_states={"hiber nating": "offline"})
    assert (page.unmapped, page.sightings[0].states[0].is_online) == ({}, False)


def test_absent_state_is_unknown_and_not_offline() -> None:
    page = modems(with_router(0, state=None))
    assert (page.unmapped, page.sightings[0].states[0].is_online) == ({}, None)


def test_router_that_was_not_expanded_rejects_its_modem() -> None:
    url = "https://www.us0.cradlepointecm.com/api/v2/routers/371193/"
    page = modems(patched(MODEMS, 0, router=url))
    assert [bad.path for bad in page.rejected] == ["data[0].router"]
    assert "expected object" in page.rejected[0].reason


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"id": ...}, "data[1].id", "missing"),
        ({"id": " "}, "data[1].id", "blank"),
        ({"router": ...}, "data[1].router", "missing"),
        ({"imei": ["secret"]}, "data[1].imei", "got array"),
        ({"iccid": 4.5}, "data[1].iccid", "got float"),
    ],
)
def test_bad_field_rejects_its_modem_only(fields: dict[str, Any], path: str, reason: str) -> None:
    page = modems(patched(MODEMS, 1, **fields))
    (rejection,) = page.rejected
    assert rejection.path == path
    assert reason in rejection.reason
    assert "secret" not in rejection.reason
    assert (page.count, len(page.sightings)) == (6, 4)


@pytest.mark.parametrize("at", ["2026-11-21T10:00:00", "yesterday", 1732147200])
def test_instant_without_a_zone_is_not_guessed(at: object) -> None:
    page = modems(with_router(0, state_updated_at=at))
    assert [bad.path for bad in page.rejected] == ["data[0].router.state_updated_at"]


def test_names_places_and_notes_are_not_even_decoded() -> None:
    broken = MODEMS.replace(b"Wilhelmina Placeholder", b"\xff\xfe")
    assert broken != MODEMS
    page = modems(broken)
    assert len(page.sightings) == 5
    said = repr(modems().sightings)
    for word in ("Placeholder", "Nowhere", "203.0.113", "Mountain", "CBA850", "WiFi"):
        assert word not in said


@pytest.mark.parametrize(
    ("ids", "last"),
    [
        (["1", "2", "10"], "10"),
        (["1", "10", "2"], None),
        (["1", "1"], None),
        (["a", "b"], None),
        ([], None),
    ],
)
def test_last_id_is_told_only_where_ids_rise_as_numbers(ids: list[str], last: str | None) -> None:
    assert parse.last_id(ids) == last


def test_last_id_is_not_told_where_a_row_cannot_be_read() -> None:
    assert modems().last_id == "1962793"
    assert modems(patched(MODEMS, 5, id=...)).last_id is None


@pytest.mark.parametrize(
    "body", [b"{", b'{"data":[]}', b'{"meta":{"next":null}}', b'{"data":{},"meta":{}}', b"[]"]
)
def test_page_of_another_shape_is_invalid(body: bytes) -> None:
    with pytest.raises(errors.ResponseInvalid):
        modems(body)


def test_signal_is_read_at_its_own_instant() -> None:
    page = parser().signals(METRICS)
    assert page.sightings[0] == readings.Sighting(
        "1962785",
        signals=(readings.Signal(datetime(2026, 11, 21, 17, 40, 2, 118000, tzinfo=UTC), -95.0, -11.0, 7.4),),
    )


def test_numbers_may_be_text_and_a_text_that_is_no_number_is_none() -> None:
    second = parser().signals(METRICS).sightings[1].signals[0]
    assert (second.rsrp_dbm, second.rsrq_db, second.sinr_db) == (-101.5, -13.0, None)


def test_metrics_without_signal_or_without_instant_say_nothing_and_are_no_fault() -> None:
    page = parser().signals(METRICS)
    assert [line.provider_key for line in page.sightings] == ["1962785", "1962790"]
    assert (page.count, page.rejected) == (4, [])


@pytest.mark.parametrize("figure", ["nan", "-inf", "1e999", -5000.0, "", "dBm"])
def test_signal_beyond_reason_is_none(figure: object) -> None:
    page = parser().signals(patched(METRICS, 1, rsrp=figure))
    assert page.sightings[0].signals[0].rsrp_dbm is None
    assert page.sightings[0].signals[0].rsrq_db == -11.0


def test_metrics_that_lack_their_instant_altogether_are_told() -> None:
    page = parser().signals(patched(METRICS, 1, update_ts=...))
    assert [(bad.path, bad.reason) for bad in page.rejected] == [("data[1].update_ts", "missing")]


def test_lifetime_counters_of_metrics_give_no_usage() -> None:
    assert not [line.usage for line in parser().signals(METRICS).sightings if line.usage]


def test_usage_is_the_bytes_of_both_ways_in_the_period_that_ended_then() -> None:
    page = parser().usage(USAGE)
    first = page.samples[0]
    ended = datetime(2026, 11, 21, 16, 59, 58, 512000, tzinfo=UTC)
    assert first.of == "1962785"
    assert first.reading == readings.Usage(
        readings.UsageKind.INTERVAL, readings.UsageSeries.PART, ended - timedelta(hours=1), 35_200, ended
    )


def test_zero_bytes_are_a_report_and_null_bytes_are_none() -> None:
    page = parser().usage(USAGE)
    assert [(sample.of, sample.reading.total_bytes) for sample in page.samples] == [
        ("1962785", 35_200),
        ("1962790", 0),
    ]
    assert (page.count, page.rejected) == (3, [])


def test_one_way_alone_is_not_the_whole() -> None:
    page = parser().usage(patched(USAGE, 0, bytes_out=None))
    assert [sample.of for sample in page.samples] == ["1962790"]


def test_period_is_a_fraction_of_seconds() -> None:
    usage = parser().usage(USAGE).samples[1].reading
    assert usage.ends_at is not None
    assert usage.ends_at - usage.starts_at == timedelta(seconds=1800.25)


def test_bytes_and_period_may_be_text() -> None:
    page = parser().usage(patched(USAGE, 0, bytes_in="1200", bytes_out="34000.0", period="3600.0"))
    assert page.samples[0].reading == parser().usage(USAGE).samples[0].reading


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"period": None}, "data.period"),
        ({"period": 0}, "data.period"),
        ({"period": -60.0}, "data.period"),
        ({"period": 1e12}, "data.period"),
        ({"created_at": "0001-01-01T00:00:00Z"}, "data.period"),
        ({"bytes_in": "many"}, "data.bytes_in"),
        ({"bytes_in": -1}, "data[0].bytes_in"),
        ({"bytes_in": 10**16}, "data[0].bytes_in"),
        ({"bytes_in": ...}, "data[0].bytes_in"),
        ({"created_at": "2026-11-21T16:59:58"}, "data[0].created_at"),
        ({"net_device": None}, "data[0].net_device"),
    ],
)
def test_sample_that_makes_no_sense_is_rejected_by_itself(fields: dict[str, Any], path: str) -> None:
    page = parser().usage(patched(USAGE, 0, **fields))
    assert [bad.path for bad in page.rejected] == [path]
    assert [sample.of for sample in page.samples] == ["1962790"]
    assert page.count == 3


def test_states_of_a_router_are_samples_at_their_own_instants() -> None:
    page = parser().states(STATES)
    assert [(sample.of, sample.reading.is_online) for sample in page.samples] == [
        ("371193", True),
        ("371193", False),
    ]
    assert page.samples[1].reading.starts_at == datetime(2026, 11, 21, 16, 40, 59, 100000, tzinfo=UTC)


def test_names_of_state_samples_are_a_setting() -> None:
    body = STATES.replace(b'"state"', b'"connection"').replace(b'"created_at"', b'"at"')
    page = parser(state_sample_fields={"state": "connection", "created_at": "at"}).states(body)
    assert len(page.samples) == 2


def test_state_samples_under_other_names_fail_and_name_the_option() -> None:
    body = STATES.replace(b'"state"', b'"connection"')
    with pytest.raises(errors.ResponseInvalid, match=r"data\[0\]\.state: missing.*state_sample_fields"):
        parser().states(body)


def test_unknown_state_in_a_sample_is_counted() -> None:
    page = parser().states(patched(STATES, 0, state="hibernating"))
    assert page.unmapped == {"router state: hibernating": 1}
    assert page.samples[0].reading.is_online is None
