"""Pairs the Start and Stop events of a device into its sessions."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from collectors import readings, vocabulary
from collectors.thingspace import rows

START, STOP = "start", "stop"
PATH = "connectionHistory"
NO_STOP = "a Start that another Start follows: when that connection ended is not told"
NO_START = "a Stop without its Start: when that connection began is not told"


@dataclass(frozen=True, order=True)
class Event:
    at: datetime  # UTC
    is_start: bool = field(compare=False)


@dataclass(frozen=True)
class Sessions:
    """What a device's events come to. ``last_seen_at`` is the end of its last session, the present if it goes on."""

    sessions: tuple[readings.Session, ...]
    last_seen_at: datetime | None


def events(told: Iterable[rows.Event], unmapped: dict[str, int]) -> list[Event]:
    """The events, oldest first, each once. Words other than Start and Stop are counted."""
    seen: dict[tuple[datetime, bool], Event] = {}
    for row in told:
        word = rows.EVENT.read(row.connection_event_attributes) or "not told"
        folded = vocabulary.fold(word)
        if folded in (START, STOP):
            event = Event(row.occurred_at.astimezone(UTC), folded == START)
            seen.setdefault((event.at, event.is_start), event)
        else:
            reason = f"connection event: {word[: vocabulary.RAW_STATUS_CHARACTERS]}"
            unmapped[reason] = unmapped.get(reason, 0) + 1
    return sorted(seen.values())  # keeps the vendor's order of one instant's events


def begins_midway(told: Sequence[Event]) -> bool:
    """Whether the first that is told of is the end of a connection."""
    return bool(told) and not told[0].is_start


def under_way(told: Sequence[Event]) -> list[Event]:
    """The Start of a connection that the last event leaves open; empty where none is."""
    return [event for event in told[-1:] if event.is_start]


def pair(
    told: Sequence[Event],
    rejected: list[readings.Rejection],
    *,
    instant: datetime,
    is_connected: bool | None,
) -> Sessions:
    """Sessions of the events in order; no end or beginning is made up, events without a partner are rejected.

    A last Start goes on, unless the list says that the device is not connected: then its Stop is still to come.
    """
    found: list[readings.Session] = []
    since: datetime | None = None
    ended_at: datetime | None = None
    for event in told:
        if event.is_start:
            if since is not None:
                rejected.append(readings.Rejection(PATH, NO_STOP))
            since = event.at
            continue
        ended_at = event.at
        if since is None:
            rejected.append(readings.Rejection(PATH, NO_START))
        elif since < event.at:
            found.append(readings.Session(since, event.at))
        since = None
    if since is not None and is_connected is not False:
        return Sessions((*found, readings.Session(since)), instant)
    return Sessions(tuple(found), ended_at)
