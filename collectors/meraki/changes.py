"""Turns changes of availability into the times in which a gateway was online."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from collectors import decoding, readings
from collectors.meraki import availability, lines, rows

STATUS = "status"

ByGateway = Mapping[str, Sequence[rows.Change]]


def by_gateway(found: Iterable[rows.Change]) -> ByGateway:
    """Changes by serial, oldest first: the order in which the vendor lists them is not documented."""
    ordered = sorted(found, key=lambda change: (change.device.serial, change.at))
    grouped = itertools.groupby(ordered, key=lambda change: change.device.serial)
    return {serial: tuple(changes) for serial, changes in grouped}


def begun_before(found: ByGateway, words: Mapping[str, str]) -> list[str]:
    """Gateways that were already online when their first change was: since when, older changes may tell."""
    known = availability.Words(words)
    return [serial for serial, changes in found.items() if known.is_online(_word(changes[0].details.old))]


def sessions(changes: Sequence[rows.Change], words: availability.Words) -> tuple[readings.Session, ...]:
    """From online to offline. Of one whose beginning is not among the changes nothing is told.

    A word that is not known ends what is known: nobody can say when the connection ended.
    """
    found: list[readings.Session] = []
    began_at: datetime | None = None
    for change in changes:
        was, now = words.is_online(_word(change.details.old)), words.is_online(_word(change.details.new))
        if now and was is False:
            began_at = decoding.utc(change.at)
        elif now is False and began_at is not None:
            found.append(readings.Session(began_at, decoding.utc(change.at)))
            began_at = None
        elif now is None:
            began_at = None
    if began_at is not None:
        found.append(readings.Session(began_at))
    return tuple(found)


def sightings(
    found: ByGateway, held: Mapping[str, Sequence[lines.Line]], words: availability.Words
) -> list[readings.Sighting]:
    """A gateway's sessions are those of the SIM in use."""
    told = []
    for serial, changes in found.items():
        online = sessions(changes, words)
        told += [
            readings.Sighting(line.provider_key, sessions=online)
            for line in held.get(serial, ())
            if line.is_in_use and online
        ]
    return told


def _word(details: Sequence[rows.Detail]) -> str | None:
    return next((detail.value for detail in details if detail.name == STATUS), None)
