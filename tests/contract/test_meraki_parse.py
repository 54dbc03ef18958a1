"""What Meraki's answers come to, from the documented shapes."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import errors, readings
from collectors.meraki import availability, changes, history, lines, links, options, parse, rows, students
from tests.contract.cases import INSTANT, PRIVATE, meraki

FIXTURES = Path(__file__).parent.parent / "fixtures" / "meraki"
FIRST, SECOND, THIRD, FOURTH = (f"Q2AB-CDEF-000{number}" for number in (1, 2, 3, 4))
DAY = timedelta(days=1)


def fixture(name: str) -> bytes:
    return (FIXTURES / f"{name}.json").read_bytes()


def configured(**given: object) -> options.Options:
    return msgspec.convert({**meraki.OPTIONS, **given}, options.Options)


def slots() -> dict[str, list[rows.Slot]]:
    return {row.serial: row.by_slot or [] for row in rows.SLOTS.read(fixture("slots")).rows}


def gateways(
    change: Any = None, *, since: datetime | None = None, with_slots: bool = True, **given: object
) -> parse.Gateways:
    """The documented list, joined with the other documented lists."""
    body = msgspec.json.decode(fixture("gateways"))
    if change is not None:
        change(body)
    facts = parse.Facts(
        slots() if with_slots else {},
        {row.serial: row.status for row in rows.AVAILABILITIES.read(fixture("availabilities")).rows},
        {row.serial: str(row.imei or "") or None for row in rows.INVENTORY.read(fixture("inventory")).rows},
    )
    found = rows.GATEWAYS.read(msgspec.json.encode(body))
    assert not found.rejected
    return parse.Parser(configured(**given)).gateways(found.rows, facts, instant=INSTANT, since=since)


def by_key(page: parse.Gateways) -> dict[str, readings.Sighting]:
    return {sighting.provider_key: sighting for sighting in page.sightings}


def test_documented_gateway_becomes_one_line_with_everything_joined() -> None:
    sighting = by_key(gateways())[f"{FIRST}:sim1"]
    reported_at = datetime(2026, 11, 21, 17, 52, 10, tzinfo=UTC)
    assert sighting == readings.Sighting(
        f"{FIRST}:sim1",
        mdn="15032000001",
        iccid="8901480000000000017",
        imei="355737360000017",
        serial=FIRST,
        group_key="N_24329156",
        cycle_limit_bytes=1024,
        states=(readings.State(INSTANT, is_online=True),),
        signals=(readings.Signal(reported_at, rsrp_dbm=-120.0, rsrq_db=-13.0),),
        device_kind=readings.DeviceKind.FIXED_ROUTER,
        last_seen_at=reported_at,
        last_seen_by=readings.LastSeenBy.CLOUD,
    )


def test_standby_sim_is_a_line_of_its_own_and_carries_nothing_of_the_sim_in_use() -> None:
    found = by_key(gateways())
    in_use, standby = found[f"{SECOND}:esim"], found[f"{SECOND}:sim1"]
    assert (in_use.iccid, in_use.states[0].is_online, len(in_use.signals)) == (
        "8901480000000000025",
        True,
        1,
    )
    assert (standby.iccid, standby.states[0].is_online, standby.signals) == (None, None, ())
    assert standby.imei == in_use.imei == "355737360000025"


def test_dormant_and_offline_gateways_are_offline_lines_not_missing_ones() -> None:
    found = by_key(gateways())
    assert [found[f"{serial}:cellular"].states[0].is_online for serial in (THIRD, FOURTH)] == [False, False]
    assert found[f"{THIRD}:cellular"].last_seen_at is None


@pytest.mark.parametrize(
    ("word", "is_online"), [("online", True), ("alerting", True), ("offline", False), ("dormant", False)]
)
def test_every_documented_availability_is_known(word: str, is_online: bool) -> None:
    words = availability.Words({})
    assert words.is_online(word) is is_online
    assert not words.unmapped


def test_unknown_availability_is_unknown_and_counted_and_can_be_told() -> None:
    words = availability.Words({})
    assert [words.is_online(word) for word in ("Rebooting", "Rebooting", None, "")] == [None] * 4
    assert words.unmapped == {"availability: Rebooting": 2}
    assert availability.Words({"re-booting": "offline"}).is_online("Rebooting") is False


def test_no_gateway_tells_a_status_of_its_line() -> None:
    states = [state for sighting in gateways().sightings for state in sighting.states]
    assert len(states) == 5
    assert {(state.status, state.raw_status) for state in states} == {(None, None)}


def test_levels_are_text_and_none_without_a_sim() -> None:
    def change(body: Any) -> None:
        body[0]["uplinks"][0]["signalStat"] = {"rsrp": "", "rsrq": ""}
        body[1]["uplinks"][0]["signalStat"] = {}

    assert [sighting.signals for sighting in gateways(change).sightings] == [()] * 5


def test_level_that_cannot_be_is_none_and_counted() -> None:
    def change(body: Any) -> None:
        body[0]["uplinks"][0]["signalStat"] = {"rsrp": "0", "rsrq": "-12"}
        body[1]["uplinks"][0]["signalStat"] = {"rsrp": "good", "rsrq": "nan"}

    page = gateways(change)
    signals = [signal for sighting in page.sightings for signal in sighting.signals]
    assert [(signal.rsrp_dbm, signal.rsrq_db) for signal in signals] == [(None, -12.0)]
    assert page.unmapped == {"rsrp: 0": 1, "rsrp: good": 1, "rsrq: nan": 1}


def test_signal_that_an_earlier_sweep_has_read_is_not_read_again() -> None:
    reported_at = datetime(2026, 11, 21, 17, 52, 10, tzinfo=UTC)
    late = gateways(since=reported_at + 2 * parse.SIGNAL_OVERLAP)
    assert not [signal for sighting in late.sightings for signal in sighting.signals]
    assert by_key(late)[f"{FIRST}:sim1"].last_seen_at == reported_at
    soon = gateways(since=reported_at + parse.SIGNAL_OVERLAP / 2)
    assert len([signal for sighting in soon.sightings for signal in sighting.signals]) == 2


def test_report_without_a_zone_is_rejected_not_guessed() -> None:
    def change(body: Any) -> None:
        body[1]["lastReportedAt"] = "2026-11-21T17:50:00"

    page = gateways(change)
    assert page.rejected == [readings.Rejection("gateways[1].lastReportedAt", "no instant")]
    assert len(page.sightings) == 3


def test_device_kind_is_the_networks_where_it_is_told() -> None:
    page = gateways(device_kind="hotspot", device_kinds={"N_24329157": "bus_router"})
    kinds = {sighting.group_key: sighting.device_kind for sighting in page.sightings}
    assert kinds == {
        "N_24329156": readings.DeviceKind.HOTSPOT,
        "N_24329157": readings.DeviceKind.BUS_ROUTER,
    }


def test_gateway_without_counted_slots_is_known_by_its_interface() -> None:
    found = by_key(gateways(with_slots=False))
    assert set(found) == {f"{serial}:cellular" for serial in (FIRST, SECOND, THIRD, FOURTH)}
    assert found[f"{FIRST}:cellular"].iccid == "8901480000000000017"


def test_uplink_that_no_slot_can_be_matched_with_is_nobodys() -> None:
    """Two slots are active: whose the ICCID is cannot be told."""
    uplink = rows.Uplink("cellular", "8901480000000000017")
    gateway = rows.Gateway(FIRST, uplinks=[uplink])
    both = [rows.Slot("sim1", True), rows.Slot("sim2", True)]
    found = lines.of(gateway, both, is_cellular=True)
    assert [(line.provider_key, line.uplink, line.is_in_use) for line in found] == [
        (f"{FIRST}:sim1", None, False),
        (f"{FIRST}:sim2", None, False),
    ]


def test_appliance_has_lines_for_its_cellular_uplinks_only() -> None:
    wired = rows.Gateway(FIRST, uplinks=[rows.Uplink("wan1"), rows.Uplink("wan2")])
    backed = rows.Gateway(
        SECOND, uplinks=[rows.Uplink("wan1"), rows.Uplink("cellular", "8901480000000000025")]
    )
    assert lines.of(wired, (), is_cellular=False) == []
    assert [line.provider_key for line in lines.of(backed, (), is_cellular=False)] == [f"{SECOND}:cellular"]


def test_bytes_of_the_cycle_are_text_and_count_from_the_sweeps_instant() -> None:
    listed = rows.GATEWAYS.read(fixture("gateways")).rows
    parser = parse.Parser(configured())
    sightings, rejected = parse.usage(parser.lines(listed, slots()), instant=INSTANT)
    told = {sighting.provider_key: sighting.usage for sighting in sightings}
    assert told == {
        key: (readings.Usage(readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE, INSTANT, total),)
        for key, total in (
            (f"{FIRST}:sim1", 12_345),
            (f"{SECOND}:sim1", 900),
            (f"{SECOND}:esim", 700_000_000_000),
        )
    }
    limits = {sighting.provider_key: sighting.cycle_limit_bytes for sighting in sightings}
    assert limits == {f"{FIRST}:sim1": 1024, f"{SECOND}:sim1": None, f"{SECOND}:esim": None}
    assert not rejected


@pytest.mark.parametrize(
    ("slot", "total"),
    [
        (rows.Slot("sim1", True, "5", cycle_ends_at="2026-11-21T18:00:01Z"), 5),
        (rows.Slot("sim1", True, "5", cycle_ends_at="2026-11-21T18:00:00Z"), None),
        (rows.Slot("sim1", True, "5", cycle_ends_at="2026-11-01T00:00:00Z"), None),
        (rows.Slot("sim1", True, "0"), 0),
        (rows.Slot("sim1", True, 7), 7),
        (rows.Slot("sim1", True, None), None),
    ],
)
def test_total_is_of_the_cycle_that_goes_on_and_absent_is_not_zero(
    slot: rows.Slot, total: int | None
) -> None:
    line = lines.Line("key", True, slot=slot)
    sightings, _ = parse.usage({FIRST: [line]}, instant=INSTANT)
    found = [usage.total_bytes for sighting in sightings for usage in sighting.usage]
    assert found == ([] if total is None else [total])


def test_total_that_is_no_number_rejects_its_gateway_alone() -> None:
    body = msgspec.json.decode(fixture("slots"))
    body["items"][0]["bySlot"][0]["total"] = "twelve gigabytes"
    found = rows.SLOTS.read(msgspec.json.encode(body))
    assert [row.serial for row in found.rows] == [SECOND]
    assert [rejection.path for rejection in found.rejected] == ["usage[0].bySlot[0].total"]
    assert "twelve" not in found.rejected[0].reason


def histories(interval: int = 14_400) -> tuple[list[readings.Sighting], list[readings.Rejection]]:
    found = rows.HISTORY.read(fixture("history")).rows
    reader = history.Histories(configured(history_interval_seconds=interval))
    return reader.sightings(found, slots(), INSTANT)


def test_history_is_integers_by_sim_and_only_of_what_is_over() -> None:
    sightings, rejected = histories()

    def part(hour: int, total: int) -> readings.Usage:
        starts_at = datetime(2026, 11, 21, hour, tzinfo=UTC)
        kind, series = readings.UsageKind.INTERVAL, readings.UsageSeries.PART
        return readings.Usage(kind, series, starts_at, total, starts_at + timedelta(hours=4))

    assert {sighting.provider_key: sighting.usage for sighting in sightings} == {
        f"{SECOND}:sim1": (part(8, 200), part(12, 0)),
        f"{SECOND}:esim": (part(8, 1500),),
    }
    assert not rejected


def test_history_of_another_interval_than_was_asked_for_is_no_reading() -> None:
    sightings, rejected = histories(interval=86_400)
    assert sightings == []
    assert rejected == [readings.Rejection("history[0].intervals", "another interval than was asked for")]


def test_bytes_of_a_sim_that_is_not_known_are_told_of_not_lost_in_silence() -> None:
    found = rows.HISTORY.read(fixture("history")).rows
    reader = history.Histories(configured(history_slots={}))
    sightings, rejected = reader.sightings(found, slots(), INSTANT)
    assert [sighting.provider_key for sighting in sightings] == [f"{SECOND}:sim1"]
    assert ["history_slots" in rejection.reason for rejection in rejected] == [True]


def test_days_are_days_and_parts_are_parts() -> None:
    """One account tells either: its interval decides."""
    day = datetime(2026, 11, 20, tzinfo=UTC)
    interval = rows.Interval(day, day + DAY, rows.IntervalBytes(5, [rows.SimBytes("sim1", 5)]))
    reader = history.Histories(configured(history_interval_seconds=86_400))
    sightings, _ = reader.sightings([rows.History(SECOND, [interval])], slots(), INSTANT)
    assert [usage.series for usage in sightings[0].usage] == [readings.UsageSeries.DAY]


def changed(hour: float, old: str, new: str) -> rows.Change:
    at = datetime(2026, 11, 20, tzinfo=UTC) + timedelta(hours=hour)
    return rows.Change(
        at,
        rows.ChangedDevice(FIRST),
        rows.Details([rows.Detail("status", old)], [rows.Detail("status", new)]),
    )


def hours(found: tuple[readings.Session, ...]) -> list[tuple[float, float | None]]:
    start = datetime(2026, 11, 20, tzinfo=UTC)

    def hour(at: datetime) -> float:
        return (at - start) / timedelta(hours=1)

    return [(hour(each.starts_at), None if each.ends_at is None else hour(each.ends_at)) for each in found]


def test_documented_changes_are_sessions_whatever_their_order() -> None:
    found = changes.by_gateway(rows.CHANGES.read(fixture("changes")).rows)
    online = changes.sessions(found[FIRST], availability.Words({}))
    assert hours(online) == [(21.0, 29.0), (40 + 40 / 60, None)]


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ([changed(1, "online", "offline")], []),  # since when is not among them
        ([changed(1, "online", "alerting"), changed(2, "alerting", "offline")], []),
        ([changed(1, "offline", "dormant"), changed(2, "dormant", "alerting")], [(2.0, None)]),
        ([changed(1, "offline", "online"), changed(2, "online", "alerting")], [(1.0, None)]),
        ([changed(1, "offline", "online"), changed(2, "online", "melting")], []),
        (
            [
                changed(1, "offline", "online"),
                changed(2, "online", "melting"),
                changed(3, "melting", "offline"),
            ],
            [],
        ),
        # one change is missing: the first connection ended, nobody knows when
        (
            [
                changed(1, "offline", "online"),
                changed(4, "offline", "online"),
                changed(5, "online", "offline"),
            ],
            [(4.0, 5.0)],
        ),
        ([changed(1, "offline", "online")] * 2 + [changed(2, "online", "offline")] * 2, [(1.0, 2.0)]),
    ],
    ids=["edge", "alerting edge", "dormant", "alerting", "unknown", "unknown end", "missing", "twice"],
)
def test_sessions_are_made_of_what_is_known(
    found: list[rows.Change], expected: list[tuple[float, float | None]]
) -> None:
    assert hours(changes.sessions(found, availability.Words({}))) == expected


def test_session_is_of_the_sim_in_use() -> None:
    held = {FIRST: [lines.Line("in use", True), lines.Line("standby", False)]}
    found = changes.by_gateway([changed(1, "offline", "online")])
    told = changes.sightings(found, held, availability.Words({}))
    assert [sighting.provider_key for sighting in told] == ["in use"]


def test_students_devices_are_seen_when_meraki_last_heard_of_them() -> None:
    found = rows.STUDENTS.read(fixture("students")).rows
    devices, rejected = students.devices(found, "N_7", INSTANT)
    assert {device.device_key: device.last_seen_at for device in devices} == {
        "1284392014819": INSTANT,
        "1284392014820": INSTANT - timedelta(hours=1),
        "1284392014821": datetime(2026, 11, 20, 7, 30, tzinfo=UTC),
        "1284392014822": None,
        "1284392014823": None,
    }
    for device in devices:
        assert device.group_key == "N_7"
        assert (device.last_seen_by is None) == (device.last_seen_at is None)
        assert (device.raw_status, device.is_in_service, device.active_days, device.whereabouts) == (
            None,
            None,
            (),
            (),
        )
    assert not rejected


@pytest.mark.parametrize("told", [1795284000000, "soon", "2026-11-20T07:30:00", "nan", -5, 1e300, 1e10])
def test_last_connection_that_cannot_be_is_rejected_without_its_value(told: float | str) -> None:
    devices, rejected = students.devices([rows.Student("1", told)], "N_7", INSTANT)
    assert devices == []
    assert rejected == [readings.Rejection("students[0].lastConnected", "no instant that can be")]


@pytest.mark.parametrize(("kilobyte_bytes", "total"), [(1000, 1_034_750), (1024, 1_059_584)])
def test_students_bytes_are_kilobytes_with_fractions(kilobyte_bytes: int, total: int) -> None:
    days = rows.STUDENT_DAYS.read(fixture("student_usage")).rows
    since = INSTANT - 7 * DAY
    found = students.usage(days, since=since, until=INSTANT, kilobyte_bytes=kilobyte_bytes)
    assert [usage.total_bytes for usage in found] == [total, 0], "neither half a day nor one that is not over"
    assert {usage.series for usage in found} == {readings.UsageSeries.DAY}
    assert [usage.ends_at for usage in found] == [usage.starts_at + DAY for usage in found]


def test_device_with_a_sim_is_a_laptop_never_a_home_connection() -> None:
    [student, *_] = rows.STUDENTS.read(fixture("students")).rows
    sighting = students.sighting(student, "N_7", ())
    assert sighting.provider_key == "sm:1284392014819"
    assert (sighting.iccid, sighting.imei, sighting.serial) == (
        "8901480000000000033",
        "355737360000033",
        "F5KNB2X9J1AB",
    )
    assert sighting.device_kind is readings.DeviceKind.LAPTOP


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("gateways", rows.GATEWAYS.read),
        ("availabilities", rows.AVAILABILITIES.read),
        ("inventory", rows.INVENTORY.read),
        ("changes", rows.CHANGES.read),
        ("students", rows.STUDENTS.read),
    ],
)
def test_private_words_are_never_decoded(name: str, read: Any) -> None:
    body = fixture(name)
    assert any(word in body.decode() for word in PRIVATE.values())
    decoded = repr(read(body))
    assert not [word for word in PRIVATE.values() if word in decoded]


@pytest.mark.parametrize("read", [rows.SLOTS.read, rows.HISTORY.read])
def test_envelope_without_its_items_is_no_answer(read: Any) -> None:
    with pytest.raises(errors.ResponseInvalid, match="items: missing"):
        read(b'{"meta": {}}')


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("<https://api.meraki.com/a?x=1>; rel=next", "https://api.meraki.com/a?x=1"),
        ('<https://api.meraki.com/a>; rel="next"', "https://api.meraki.com/a"),
        ("<https://h/first>; rel=first, <https://h/a?s=1,2;3>; rel=next", "https://h/a?s=1,2;3"),
        ("<https://h/next>; rel=prev, <https://h/z>; rel=last", None),
        ("<https://h/a>; rel=nextish", None),
        ("<https://h/a>; title=x; REL=Next", "https://h/a"),
        ("", None),
        (None, None),
    ],
)
def test_next_page_is_found_quoted_or_not(header: str | None, expected: str | None) -> None:
    assert links.next_of(header) == expected
