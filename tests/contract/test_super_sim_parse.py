"""Super SIM's answers into readings: the recorded shapes, and one field at a time out of shape."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import errors, readings, vocabulary
from collectors.super_sim import parse, windows
from tests.contract.cases import INSTANT

FIXTURES = Path(__file__).parent.parent / "fixtures" / "super_sim"
SIMS = (FIXTURES / "sims.json").read_bytes()
USAGE = (FIXTURES / "usage_records.json").read_bytes()
WINDOW = windows.Window(datetime(2026, 11, 17, tzinfo=UTC), INSTANT, is_open=True)
MEANING = vocabulary.words(parse.STATUSES)
SEVEN, EIGHT = (f"HS{number:032d}" for number in (7, 8))
MIDNIGHT = datetime(2026, 11, 21, tzinfo=UTC)
DAY = timedelta(days=1)


def sims(body: bytes = SIMS) -> parse.Sims:
    return parse.sims(body, instant=INSTANT, meaning=MEANING)


def usage(body: bytes = USAGE, granularity: str = "day") -> parse.Records:
    return parse.usage(body, window=WINDOW, granularity=granularity)


def patched(body: bytes, index: int = 0, **fields: Any) -> bytes:
    """The recorded answer with fields of one row changed; ``...`` takes one away."""
    whole = msgspec.json.decode(body)
    row = whole[whole["meta"]["key"]][index]
    for name, value in fields.items():
        row[name] = value
    whole[whole["meta"]["key"]][index] = {name: value for name, value in row.items() if value is not ...}
    return msgspec.json.encode(whole)


def envelope(change: Any, body: bytes = SIMS) -> bytes:
    whole = msgspec.json.decode(body)
    change(whole)
    return msgspec.json.encode(whole)


def test_recorded_sims_are_read() -> None:
    page = sims()
    assert page.sightings == [
        readings.Sighting(
            SEVEN,
            iccid="8901480000000000079",
            group_key=f"HF{1:032d}",
            states=(readings.State(INSTANT, readings.LineStatus.ACTIVE, "active"),),
        ),
        readings.Sighting(
            EIGHT,
            iccid="8901480000000000087",
            states=(readings.State(INSTANT, readings.LineStatus.PRE_ACTIVE, "new"),),
        ),
    ]
    assert (page.count, page.rejected, page.unmapped) == (2, [], {})
    assert page.next is not None
    assert page.next.startswith("https://supersim.twilio.com/v1/Sims?")


def test_recorded_usage_is_read_and_the_record_of_no_sim_is_rejected_by_itself() -> None:
    page = usage()
    day = (readings.UsageKind.INTERVAL, readings.UsageSeries.DAY)
    assert page.sightings == [
        readings.Sighting(
            SEVEN,
            usage=(
                readings.Usage(*day, MIDNIGHT, 2_000_000, MIDNIGHT + DAY),
                readings.Usage(*day, MIDNIGHT - DAY, 3, MIDNIGHT),
            ),
        ),
        readings.Sighting(EIGHT, usage=(readings.Usage(*day, MIDNIGHT, 12, MIDNIGHT + DAY),)),
    ]
    assert page.rejected == [
        readings.Rejection("usage_records[3].sim_sid", "expected str, got null"),
    ]
    assert (page.count, page.next) == (4, None)


def test_usage_may_come_in_any_order() -> None:
    turned = envelope(lambda whole: whole["usage_records"].reverse(), USAGE)
    told = {seen.provider_key: set(seen.usage) for seen in usage(turned).sightings}
    assert told == {seen.provider_key: set(seen.usage) for seen in usage().sightings}


@pytest.mark.parametrize("billed", [0, 0.03, "0.03", "0", None, ..., "pending"])
def test_what_was_billed_is_never_looked_at(billed: object) -> None:
    page = usage(patched(USAGE, data_total_billed=billed))
    assert page.sightings == usage().sightings


def test_hours_are_parts_of_a_day() -> None:
    period = {"start_time": "2026-11-21T16:00:00Z", "end_time": "2026-11-21T17:00:00Z"}
    read = usage(patched(USAGE, period=period), granularity="hour").sightings[0].usage[0]
    assert (read.kind, read.series) == (readings.UsageKind.INTERVAL, readings.UsageSeries.PART)
    assert read.ends_at == read.starts_at + timedelta(hours=1)


def test_present_day_may_end_now() -> None:
    period = {"start_time": "2026-11-21T00:00:00Z", "end_time": "2026-11-21T18:00:00Z"}
    read = usage(patched(USAGE, period=period)).sightings[0].usage[0]
    assert (read.starts_at, read.ends_at) == (MIDNIGHT, INSTANT)


def test_instants_of_another_zone_become_utc() -> None:
    period = {"start_time": "2026-11-20T19:00:00-05:00", "end_time": "2026-11-21T19:00:00-05:00"}
    read = usage(patched(USAGE, period=period)).sightings[0].usage[0]
    assert (read.starts_at, read.starts_at.tzinfo) == (MIDNIGHT, UTC)


@pytest.mark.parametrize(
    ("start", "end", "reason"),
    [
        ("2026-11-01T00:00:00Z", "2026-12-01T00:00:00Z", "longer than asked for"),
        ("2026-11-21T00:00:00Z", "2026-11-21T00:00:00Z", "ends before it begins"),
        ("2026-11-15T23:00:00Z", "2026-11-16T00:00:00Z", "outside the time asked for"),
        ("2027-11-21T00:00:00Z", "2027-11-22T00:00:00Z", "outside the time asked for"),
    ],
)
def test_record_of_a_time_not_asked_for_is_rejected_by_itself(start: str, end: str, reason: str) -> None:
    page = usage(patched(USAGE, period={"start_time": start, "end_time": end}))
    assert readings.Rejection("usage_records[0].period", reason) in page.rejected
    assert len(page.rejected) == 2
    assert [seen.provider_key for seen in page.sightings] == [EIGHT, SEVEN]


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"sim_sid": ...}, "usage_records[0].sim_sid", "missing"),
        ({"sim_sid": " "}, "usage_records[0].sim_sid", "blank"),
        ({"data_total": None}, "usage_records[0].data_total", "expected int, got null"),
        ({"data_total": -1}, "usage_records[0].data_total", "expected int >= 0"),
        ({"data_total": 10**16}, "usage_records[0].data_total", "expected int <= "),
        ({"data_total": "12"}, "usage_records[0].data_total", "expected int, got str"),
        ({"period": None}, "usage_records[0].period", "expected object, got null"),
        ({"period": {"start_time": "2026-11-21T00:00:00Z"}}, "usage_records[0].period.end_time", "missing"),
        (
            {"period": {"start_time": "2026-11-21T00:00:00", "end_time": "2026-11-22T00:00:00"}},
            "usage_records[0].period.start_time",
            "timezone component",
        ),
        (
            {"period": {"start_time": "yesterday", "end_time": "2026-11-22T00:00:00Z"}},
            "usage_records[0].period.start_time",
            "invalid rfc3339",
        ),
    ],
)
def test_bad_record_is_rejected_by_itself(fields: dict[str, Any], path: str, reason: str) -> None:
    page = usage(patched(USAGE, **fields))
    first = next(bad for bad in page.rejected if bad.path == path)
    assert reason in first.reason
    assert len(page.rejected) == 2
    assert page.count == 4


@pytest.mark.parametrize(
    ("fields", "path", "reason"),
    [
        ({"sid": ...}, "sims[0].sid", "missing"),
        ({"sid": "  "}, "sims[0].sid", "blank"),
        ({"sid": None}, "sims[0].sid", "expected str, got null"),
        ({"iccid": 8901}, "sims[0].iccid", "got int"),
        ({"status": ["active"]}, "sims[0].status", "got array"),
        ({"fleet_sid": "x" * 65}, "sims[0].fleet_sid", "length <= 64"),
    ],
)
def test_bad_sim_is_rejected_by_itself(fields: dict[str, Any], path: str, reason: str) -> None:
    page = sims(patched(SIMS, **fields))
    assert [seen.provider_key for seen in page.sightings] == [EIGHT]
    (rejection,) = page.rejected
    assert rejection.path == path
    assert reason in rejection.reason


@pytest.mark.parametrize(
    ("word", "status", "by"),
    [
        ("new", readings.LineStatus.PRE_ACTIVE, None),
        ("ready", readings.LineStatus.PRE_ACTIVE, None),
        ("active", readings.LineStatus.ACTIVE, None),
        ("inactive", readings.LineStatus.SUSPENDED, readings.SuspendedBy.CARRIER),
        ("scheduled", readings.LineStatus.PENDING, None),
        ("hibernating", readings.LineStatus.UNKNOWN, None),
    ],
)
def test_status_words_have_one_meaning(
    word: str, status: readings.LineStatus, by: readings.SuspendedBy | None
) -> None:
    page = sims(patched(SIMS, status=word))
    (state,) = page.sightings[0].states
    assert (state.status, state.raw_status, state.suspended_by, state.is_online) == (status, word, by, None)
    assert page.unmapped == ({word: 1} if status is readings.LineStatus.UNKNOWN else {})


def test_sim_without_a_status_is_of_an_unknown_one() -> None:
    (state,) = sims(patched(SIMS, status=None)).sightings[0].states
    assert (state.status, state.raw_status) == (None, None)


def test_names_are_not_even_decoded() -> None:
    """A name that is no valid text at all does no harm to its SIM."""
    broken = SIMS.replace(b"Wilhelmina Placeholder", b"\xff\xfe")
    assert len(sims(broken).sightings) == 2
    assert b"Wilhelmina" not in msgspec.json.encode(sims().sightings)


def test_who_is_who_is_told_without_a_state() -> None:
    page = parse.names(SIMS)
    assert [(seen.provider_key, seen.iccid, seen.states) for seen in page.sightings] == [
        (SEVEN, "8901480000000000079", ()),
        (EIGHT, "8901480000000000087", ()),
    ]
    assert page.created == dict.fromkeys((SEVEN, EIGHT), datetime(2026, 8, 1, 20, tzinfo=UTC))


@pytest.mark.parametrize("text", [None, ..., "last summer", "2026-08-01T20:00:00"])
def test_date_that_cannot_be_read_leaves_the_sim_itself_alone(text: object) -> None:
    page = parse.names(patched(SIMS, date_created=text))
    assert len(page.sightings) == 2
    assert set(page.created) == {EIGHT}


def test_list_is_found_under_the_name_that_the_answer_gives_it() -> None:
    def renamed(whole: dict[str, Any]) -> None:
        whole["cards"] = whole.pop("sims")
        whole["meta"]["key"] = "cards"

    assert sims(envelope(renamed)).sightings == sims().sightings


def test_answer_that_does_not_say_where_the_list_goes_on_is_no_last_page() -> None:
    with pytest.raises(errors.ResponseInvalid, match="next_page_url: missing"):
        sims(envelope(lambda whole: whole["meta"].pop("next_page_url")))


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"", "not whole JSON"),
        (b"[]", "expected"),
        (b'{"sims":[]}', "meta: missing"),
        (b'{"meta":{"key":"sims","next_page_url":null}}', "meta.key names: missing"),
        (b'{"sims":{},"meta":{"key":"sims","next_page_url":null}}', "expected"),
        (b'{"sims":[],"meta":{"key":"sims","next_page_url":7}}', "next_page_url"),
        (SIMS[:-9], "not whole JSON"),
    ],
)
def test_page_of_another_shape_is_invalid(body: bytes, words: str) -> None:
    with pytest.raises(errors.ResponseInvalid, match=words):
        sims(body)
    with pytest.raises(errors.ResponseInvalid, match=words):
        usage(body)
