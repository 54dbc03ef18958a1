"""Readings whose instant cannot be: kept out of the tables, and counted."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Protocol, TypeVar

import msgspec

from collectors import readings

OLDEST = timedelta(days=396)  # raw readings are kept for 13 months
NEWEST = timedelta(days=1)  # ahead of the sweep: a provider's day ends when it ends
_REASON = "an instant more than 13 months ago, or in the future"


class _Timed(Protocol):
    @property
    def starts_at(self) -> datetime: ...


Reading = TypeVar("Reading", bound=_Timed)


def within(
    sightings: Sequence[readings.Sighting], instant: datetime
) -> tuple[list[readings.Sighting], list[readings.Rejection]]:
    """The sightings, without readings from long before or after the sweep's instant; those are rejected."""
    oldest, newest = instant - OLDEST, instant + NEWEST
    rejected: list[readings.Rejection] = []

    def kept(what: str, timed: tuple[Reading, ...]) -> tuple[Reading, ...]:
        if all(oldest <= reading.starts_at <= newest for reading in timed):
            return timed
        good = tuple(reading for reading in timed if oldest <= reading.starts_at <= newest)
        rejected.extend(readings.Rejection(what, _REASON) for _ in range(len(timed) - len(good)))
        return good

    checked = [
        msgspec.structs.replace(
            seen,
            usage=kept("usage", seen.usage),
            states=kept("states", seen.states),
            signals=kept("signals", seen.signals),
            sessions=kept("sessions", seen.sessions),
        )
        for seen in sightings
    ]
    return checked, rejected


def within_days(
    devices: Sequence[readings.StudentDevice], instant: datetime
) -> tuple[list[readings.StudentDevice], list[readings.Rejection]]:
    """The same for students' devices and the days that are told of them."""
    oldest, newest = instant - OLDEST, instant + NEWEST
    rejected: list[readings.Rejection] = []
    checked = []
    for device in devices:
        active = tuple(day for day in device.active_days if oldest.date() <= day.on <= newest.date())
        seen = tuple(seen for seen in device.whereabouts if oldest <= seen.at <= newest)
        lost = len(device.active_days) - len(active) + len(device.whereabouts) - len(seen)
        rejected += [readings.Rejection("student_devices", _REASON)] * lost
        checked.append(
            msgspec.structs.replace(device, active_days=active, whereabouts=seen) if lost else device
        )
    return checked, rejected


def instants(sightings: Iterable[readings.Sighting]) -> Iterable[datetime]:
    """Every instant that the sightings tell of, but for sessions: those change no day's figures."""
    for seen in sightings:
        for timed in (seen.usage, seen.states, seen.signals):
            for reading in timed:
                yield reading.starts_at


def session_starts(sightings: Iterable[readings.Sighting]) -> Iterable[datetime]:
    return (session.starts_at for seen in sightings for session in seen.sessions)
