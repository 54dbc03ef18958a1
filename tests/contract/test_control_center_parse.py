"""What becomes of Control Center's JSON."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from collectors import errors, readings
from collectors.control_center import parse
from tests.contract.cases import INSTANT

FIXTURES = Path(__file__).parent.parent / "fixtures" / "control_center"
LIST, USAGE, SESSION = (
    (FIXTURES / f"{name}.json").read_bytes() for name in ("devices", "ctd_usages", "session_info")
)
ICCID = "8901480000000000074"
STARTED = datetime(2016, 6, 29, 0, 21, 33, 339_000, UTC)


def patched(body: bytes, **fields: object) -> bytes:
    """The documented answer with fields changed; ``...`` takes one away."""
    told = msgspec.json.decode(body) | fields
    return msgspec.json.encode({name: value for name, value in told.items() if value is not ...})


def lines(body: bytes, **statuses: readings.LineStatus) -> parse.Lines:
    parser = parse.Parser(statuses)
    return parser.lines(parser.listed(body).rows, INSTANT)


def usage(body: bytes = USAGE, iccid: str = ICCID) -> readings.Sighting:
    parser = parse.Parser({})
    return parser.usage(body, iccid, parser.states(INSTANT), INSTANT)


def session(body: bytes = SESSION, instant: datetime = INSTANT, **fields: object) -> readings.Sighting:
    parser = parse.Parser({})
    return parser.session(patched(body, **fields), ICCID, parser.states(instant), instant)


def test_documented_list_is_read() -> None:
    page = parse.Parser({}).listed(LIST)
    assert (page.count, page.is_last, page.rejected) == (2, True, [])
    first, second = lines(LIST).sightings
    assert first == readings.Sighting(
        ICCID,
        iccid=ICCID,
        states=(readings.State(INSTANT, readings.LineStatus.ACTIVE, "ACTIVATED"),),
    )
    assert second.states[0].status is readings.LineStatus.DEACTIVATED
    assert second.states[0].suspended_by is None


@pytest.mark.parametrize("last_page", [1, "true", 7, None, ...])
def test_last_page_that_is_no_boolean_is_not_believed(last_page: object) -> None:
    with pytest.raises(errors.ResponseInvalid, match=r"lastPage: (expected bool|missing)"):
        parse.Parser({}).listed(patched(LIST, lastPage=last_page))


@pytest.mark.parametrize(
    ("word", "status"),
    [
        ("ACTIVATED", "active"),
        ("DEACTIVATED", "deactivated"),
        ("ACTIVATION_READY", "pre_active"),
        ("TEST_READY", "pre_active"),
        ("INVENTORY", "pre_active"),
        ("RETIRED", "deactivated"),
        ("PURGED", "deactivated"),
        ("REPLACED", "deactivated"),
        ("TRIAL", "unknown"),
        ("SUSPENDED", "unknown"),
    ],
)
def test_only_words_that_were_seen_have_a_meaning(word: str, status: str) -> None:
    found = lines(patched(LIST, devices=[{"iccid": ICCID, "status": word}]))
    (state,) = found.sightings[0].states
    assert (state.status, state.raw_status) == (status, word)
    assert found.unmapped == ({word: 1} if status == "unknown" else {})


def test_further_words_are_taken_from_the_options() -> None:
    found = lines(
        patched(LIST, devices=[{"iccid": ICCID, "status": "TRIAL"}]), trial=readings.LineStatus.ACTIVE
    )
    assert found.sightings[0].states[0].status is readings.LineStatus.ACTIVE


def test_line_without_a_status_has_no_state() -> None:
    assert lines(patched(LIST, devices=[{"iccid": f" {ICCID} "}])).sightings == [
        readings.Sighting(ICCID, iccid=ICCID)
    ]


def test_documented_usage_is_a_counter_of_the_cycle_as_the_vendor_gave_it() -> None:
    assert usage() == readings.Sighting(
        ICCID,
        mdn="15032000007",
        iccid=ICCID,
        imei="355737360000072",
        usage=(
            readings.Usage(readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE, INSTANT, 31_245_430_000),
        ),
        states=(readings.State(INSTANT, readings.LineStatus.ACTIVE, "ACTIVATED", is_limit_reached=True),),
    )


def test_limit_that_is_reached_does_not_become_a_limit_in_bytes() -> None:
    assert usage().cycle_limit_bytes is None


@pytest.mark.parametrize("blank", ["", "  ", "null", None, ...])
def test_blank_identifier_is_none(blank: object) -> None:
    seen = usage(patched(USAGE, imei=blank, msisdn=blank))
    assert (seen.imei, seen.mdn, seen.iccid) == (None, None, ICCID)


@pytest.mark.parametrize("absent", [None, ...])
def test_absent_usage_is_unknown_and_never_zero(absent: object) -> None:
    used = usage(patched(USAGE, ctdDataUsage=absent, overageLimitReached=absent))
    assert (used.usage, used.states[0].is_limit_reached) == ((), None)
    assert usage(patched(USAGE, ctdDataUsage=0)).usage[0].total_bytes == 0


@pytest.mark.parametrize("wrong", ["31245430000", -1, 1.5, True, 10**16])
def test_usage_that_is_no_number_of_bytes_is_refused(wrong: object) -> None:
    with pytest.raises(errors.ResponseInvalid, match="ctdDataUsage"):
        usage(patched(USAGE, ctdDataUsage=wrong))


def test_answer_of_another_line_is_not_used() -> None:
    with pytest.raises(errors.ResponseInvalid, match="another line") as caught:
        usage(iccid="8901480000000000082")
    assert "8901" not in str(caught.value)
    with pytest.raises(errors.ResponseInvalid, match="another line"):
        session(iccid="8901480000000000082")


def test_people_places_and_notes_are_not_even_decoded() -> None:
    """A name that is no valid text at all does no harm to its line."""
    private = {"endConsumerId": "X", "simNotes": "X", "accountCustom1": "X", "fixedIPAddress": "X"}
    row = {"iccid": ICCID, "status": "ACTIVATED", **private}
    found = lines(patched(LIST, devices=[row]).replace(b'"X"', b'"\xff\xfe"'))
    assert [seen.provider_key for seen in found.sightings] == [ICCID]
    seen = usage(patched(USAGE, communicationPlan="X", **private).replace(b'"X"', b'"\xff\xfe"'))
    assert b"Placeholder" not in msgspec.json.encode(seen)
    assert session(ipAddress="203.0.113.77", apn="home").last_seen_at is not None


def test_open_session_that_began_long_ago_only_says_that_the_line_is_online() -> None:
    seen = session()
    assert seen.states == (readings.State(INSTANT, is_online=True),)
    assert (seen.sessions, seen.last_seen_at, seen.last_seen_by) == ((), INSTANT, "session")
    assert (seen.provider_key, seen.iccid, seen.usage) == (ICCID, ICCID, ())


def test_dates_are_read_as_documented() -> None:
    seen = session(instant=STARTED + timedelta(hours=1))
    assert seen.sessions == (readings.Session(STARTED),)
    assert seen.last_seen_at == STARTED + timedelta(hours=1)
    shifted = session(instant=STARTED, dateSessionStarted="2016-06-28 18:21:33.339-0600")
    assert shifted.sessions == (readings.Session(STARTED),)


def at(minutes: float) -> str:
    return f"{INSTANT + timedelta(minutes=minutes):%Y-%m-%d %H:%M:%S}.000+0000"


@pytest.mark.parametrize(
    ("started", "ended", "is_online", "last_seen", "sessions"),
    [
        (-60, None, True, 0, 1),  # it goes on
        (-60, -5, False, -5, 1),  # it has ended
        (-60, 10, True, 10, 1),  # it ended after the sweep began: at its beginning it went on
        (5, None, None, 5, 1),  # it began after the sweep: what was at its beginning is not told
        (5, 10, None, 10, 1),
        (None, None, False, None, 0),  # never had one
        (None, -5, False, -5, 0),
    ],
)
def test_session_tells_whether_a_line_was_online_at_the_sweeps_instant(
    started: float | None,
    ended: float | None,
    is_online: bool | None,
    last_seen: float | None,
    sessions: int,
) -> None:
    seen = session(
        dateSessionStarted=None if started is None else at(started),
        dateSessionEnded=None if ended is None else at(ended),
    )
    assert [state.is_online for state in seen.states] == ([] if is_online is None else [is_online])
    assert [state.status for state in seen.states if state.status] == []
    assert len(seen.sessions) == sessions
    assert seen.last_seen_at == (None if last_seen is None else INSTANT + timedelta(minutes=last_seen))
    assert (seen.last_seen_by is None) == (last_seen is None)


@pytest.mark.parametrize("null", ["null", "", " ", None, ...])
def test_the_word_null_is_null(null: object) -> None:
    ended = session(dateSessionStarted=at(-60), dateSessionEnded=null)
    assert ended.sessions == (readings.Session(INSTANT - timedelta(hours=1)),)
    never = session(dateSessionStarted=null, dateSessionEnded=null)
    assert (never.sessions, never.last_seen_at) == ((), None)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"dateSessionStarted": "yesterday"}, "not written as documented"),
        ({"dateSessionStarted": "2026-11-21 17:00:00.000"}, "no offset"),
        ({"dateSessionStarted": at(3000)}, "in the future"),
        ({"dateSessionStarted": at(-5), "dateSessionEnded": at(-10)}, "ends before it begins"),
        ({"dateSessionStarted": 1_479_000_000}, "dateSessionStarted: expected str"),
    ],
)
def test_date_that_cannot_be_is_refused_without_its_value(fields: dict[str, Any], words: str) -> None:
    with pytest.raises(errors.ResponseInvalid, match=words) as caught:
        session(**fields)
    assert "2026" not in str(caught.value)
