"""Start and Stop events, paired into sessions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from collectors import readings, simulation
from collectors.thingspace import connections, rows, world
from tests.contract import cases
from tests.contract.cases import INSTANT, LINES, thingspace
from tests.contract.test_thingspace_parse import FIXTURES
from tests.contract.test_thingspace_usage import stand

CASE = thingspace.CASE
SESSION = readings.LastSeenBy.SESSION


def at(hours: float) -> datetime:
    """So many hours before the sweep."""
    return INSTANT - timedelta(hours=hours)


def events(text: str) -> list[connections.Event]:
    """ "+5 -3" began five hours before the sweep and ended three hours before it."""
    return [connections.Event(at(float(word[1:])), word[0] == "+") for word in text.split()]


def told(text: str, device: str = "Start Stop") -> list[world.Event]:
    begin, end = device.split()
    return [world.Event(event.at, begin if event.is_start else end) for event in events(text)]


def paired(text: str, is_connected: bool | None = None) -> tuple[connections.Sessions, list[str]]:
    rejected: list[readings.Rejection] = []
    found = connections.pair(events(text), rejected, instant=INSTANT, is_connected=is_connected)
    return found, [rejection.reason for rejection in rejected]


def session(begin: float, end: float | None = None) -> readings.Session:
    return readings.Session(at(begin), None if end is None else at(end))


def bodies(read: cases.Reading) -> list[dict[str, Any]]:
    return [
        msgspec.json.decode(sent.body)
        for sent in read.network.sent
        if sent.url.endswith("/m2m/v1/devices/connections/actions/listHistory")
    ]


def test_documented_events_are_a_session() -> None:
    body = msgspec.json.decode((FIXTURES / "connections.json").read_bytes(), type=rows.ConnectionList)
    unmapped: dict[str, int] = {}
    found = connections.events(msgspec.json.decode(body.rows, type=list[rows.Event]), unmapped)
    begun, ended = (
        datetime(2015, 12, 17, 19, 12, 36, tzinfo=UTC),
        datetime(2015, 12, 19, 6, 20, tzinfo=UTC),
    )
    assert found == [connections.Event(begun, is_start=True), connections.Event(ended, is_start=False)]
    assert [event.is_start for event in found] == [True, False]
    rejected: list[readings.Rejection] = []
    assert connections.pair(found, rejected, instant=INSTANT, is_connected=False) == connections.Sessions(
        (readings.Session(begun, ended),), ended
    )
    assert (rejected, unmapped) == ([], {})


@pytest.mark.parametrize(
    ("text", "sessions", "reasons"),
    [
        ("+9 -7 +5 -3", [session(9, 7), session(5, 3)], []),
        ("-7 +5 -3", [session(5, 3)], [connections.NO_START]),
        ("+9 +5 -3", [session(5, 3)], [connections.NO_STOP]),
        ("+9 -7 -5", [session(9, 7)], [connections.NO_START]),
        ("+9 +8 -7 -6", [session(8, 7)], [connections.NO_STOP, connections.NO_START]),
        ("+9 -9 +8 -7", [session(8, 7)], []),
        ("", [], []),
    ],
)
def test_no_beginning_and_no_end_is_made_up(
    text: str, sessions: list[readings.Session], reasons: list[str]
) -> None:
    found, rejected = paired(text)
    assert list(found.sessions) == sessions
    assert rejected == reasons


@pytest.mark.parametrize("is_connected", [True, None])
def test_last_start_goes_on(is_connected: bool | None) -> None:
    found, rejected = paired("+9 -7 +5", is_connected)
    assert found == connections.Sessions((session(9, 7), session(5)), INSTANT)
    assert rejected == []


def test_last_start_of_a_device_that_is_not_connected_has_an_end_that_is_not_told_yet() -> None:
    found, rejected = paired("+9 -7 +5", is_connected=False)
    assert found == connections.Sessions((session(9, 7),), at(7))
    assert rejected == []


def test_lone_stop_still_tells_when_the_device_was_last_seen() -> None:
    assert paired("-7")[0] == connections.Sessions((), at(7))
    assert paired("")[0].last_seen_at is None


async def test_every_line_has_its_sessions() -> None:
    async with cases.reading(CASE) as read:
        found = await read.pages("connections", since=at(6))
    assert cases.keys(found) == CASE.keys(LINES)
    begun, ended = thingspace.TODAY - timedelta(hours=3), thingspace.TODAY - timedelta(hours=1)
    for seen in (seen for page in found for seen in page.sightings):
        assert seen.sessions == (readings.Session(begun, ended),)
        assert (seen.last_seen_at, seen.last_seen_by) == (ended, SESSION)
        assert (seen.states, seen.usage) == ((), ())
    assert not [rejection for page in found for rejection in page.rejected]


async def test_line_without_events_tells_nothing() -> None:
    async with cases.reading(CASE, stand=stand(range(1), events=())) as read:
        (page,) = await read.pages("connections")
    (seen,) = page.sightings
    assert (seen.sessions, seen.last_seen_at, seen.last_seen_by) == ((), None, None)


@pytest.mark.parametrize(
    ("connected", "sessions", "seen_at"),
    [(True, (session(2),), INSTANT), (False, (), None)],
)
async def test_list_decides_whether_a_session_goes_on(
    connected: bool, sessions: tuple[readings.Session, ...], seen_at: datetime | None
) -> None:
    async with cases.reading(CASE, stand=stand(range(1), events=told("+2"), connected=connected)) as read:
        (page,) = await read.pages("connections")
    assert (page.sightings[0].sessions, page.sightings[0].last_seen_at) == (sessions, seen_at)
    assert page.rejected == []


async def test_session_that_began_before_the_window_is_found_whole() -> None:
    """It was stored as going on: without its Start it would never end."""
    line = told("+340 -330 +300 -1")
    async with cases.reading(CASE, stand=stand(range(1), events=line)) as read:
        (page,) = await read.pages("connections", since=at(6))
        assert [(body["earliest"], body["latest"]) for body in bodies(read)] == [
            ("2026-11-17T00:00:00Z", "2026-11-21T18:00:00Z"),
            ("2026-10-18T00:00:00Z", "2026-11-17T00:00:00Z"),
        ]
    assert page.sightings[0].sessions == (session(300, 1),)
    assert page.rejected == []


@pytest.mark.parametrize("line", ["-1", "+340 -330 -1", "+2000 -1"])
async def test_session_whose_start_is_nowhere_told_is_rejected(line: str) -> None:
    async with cases.reading(CASE, stand=stand(range(1), events=told(line))) as read:
        (page,) = await read.pages("connections", since=at(6))
    assert page.sightings[0].sessions == ()
    assert page.sightings[0].last_seen_at == at(1)
    assert [rejection.reason for rejection in page.rejected] == [connections.NO_START]


async def test_more_events_than_an_answer_holds_are_read_on() -> None:
    words = " ".join(f"+{hours + 0.5} -{hours}" for hours in range(60, 0, -1))
    served = stand(range(1), history_rows=7, events=told(words))
    async with cases.reading(CASE, stand=served) as read:
        (page,) = await read.pages("connections", since=at(6))
        assert len(bodies(read)) > 17
    assert page.sightings[0].sessions == tuple(session(hours + 0.5, hours) for hours in range(60, 0, -1))
    assert page.rejected == []


@pytest.mark.parametrize("leaves_earliest_out", [False, True])
async def test_events_at_one_instant_that_end_an_answer_are_not_lost(leaves_earliest_out: bool) -> None:
    line = told("+9 -8 +8 -7 +7 -6")
    async with cases.reading(CASE, stand=stand(range(1), 4, leaves_earliest_out, events=line)) as read:
        (page,) = await read.pages("connections", since=at(6))
    assert page.sightings[0].sessions == (session(9, 8), session(8, 7), session(7, 6))


@pytest.mark.parametrize("words", ["START STOP", "start stop", "Start Stop"])
async def test_events_are_read_whatever_their_case(words: str) -> None:
    async with cases.reading(CASE, stand=stand(range(1), events=told("+3 -1", words))) as read:
        (page,) = await read.pages("connections")
    assert page.sightings[0].sessions == (session(3, 1),)


async def test_other_events_are_counted_and_part_nothing() -> None:
    line = [*told("+3"), world.Event(at(2), "Interim"), *told("-1")]
    async with cases.reading(CASE, stand=stand(range(1), events=line)) as read:
        (page,) = await read.pages("connections")
    assert page.sightings[0].sessions == (session(3, 1),)
    assert page.unmapped == {"connection event: Interim": 1}


async def test_event_without_a_time_is_rejected_by_itself() -> None:
    def spoil(body: Any) -> None:
        body["connectionHistory"][0]["occurredAt"] = "late"

    async with cases.reading(CASE, stand=stand(range(1), events=told("+9 -7 +5 -3"))) as read:
        read.stand.faults.next(simulation.changed(spoil), endpoint="connections")
        (page,) = await read.pages("connections", since=at(6))
    assert session(5, 3) in page.sightings[0].sessions
    assert page.rejected[0].path == "connectionHistory[0].occurredAt"
    assert "late" not in page.rejected[0].reason
