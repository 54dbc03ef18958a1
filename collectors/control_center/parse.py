"""Turns Control Center's answers into readings. Pure: bytes and an instant in, readings out.

What is not named here is never decoded: plans, IP addresses, the end consumer, notes, custom fields.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

import msgspec

from collectors import decoding, errors, readings, vocabulary
from collectors.control_center import sessions

STATUSES: Mapping[str, readings.LineStatus] = MappingProxyType(
    {
        "ACTIVATED": readings.LineStatus.ACTIVE,
        "DEACTIVATED": readings.LineStatus.DEACTIVATED,  # operators suspend by it too: which it is, nobody tells
        "ACTIVATION_READY": readings.LineStatus.PRE_ACTIVE,
        "TEST_READY": readings.LineStatus.PRE_ACTIVE,
        "INVENTORY": readings.LineStatus.PRE_ACTIVE,
        "RETIRED": readings.LineStatus.DEACTIVATED,
        "PURGED": readings.LineStatus.DEACTIVATED,
        "REPLACED": readings.LineStatus.DEACTIVATED,
    }
)
COUNTER, CYCLE = readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE


class Device(msgspec.Struct, frozen=True, gc=False):
    """A row of the list."""

    iccid: decoding.Key
    status: decoding.Word | None = None

    @property
    def key(self) -> str:
        return self.iccid.strip()


class Envelope(msgspec.Struct, frozen=True, gc=False):
    """``lastPage`` is a boolean: a client that takes it for a number of pages would read one page, or no end."""

    devices: msgspec.Raw
    is_last: bool = msgspec.field(name="lastPage")


class CycleToDate(msgspec.Struct, frozen=True, gc=False):
    """A device's use since its billing cycle began, in bytes. When that was is not told."""

    iccid: decoding.Key
    msisdn: decoding.Identifier | None = None
    imei: decoding.Identifier | None = None
    status: decoding.Word | None = None
    total_bytes: decoding.ByteCount | None = msgspec.field(name="ctdDataUsage", default=None)
    is_over_limit: bool | None = msgspec.field(name="overageLimitReached", default=None)


class SessionInfo(msgspec.Struct, frozen=True, gc=False):
    """The session that a device is in, or was in last."""

    iccid: decoding.Key
    started: decoding.Word | None = msgspec.field(name="dateSessionStarted", default=None)
    ended: decoding.Word | None = msgspec.field(name="dateSessionEnded", default=None)


@dataclass(frozen=True)
class Listed:
    """A page of the list. ``count`` is how many rows the vendor sent, good and bad."""

    rows: list[Device]
    count: int
    is_last: bool
    rejected: list[readings.Rejection]


@dataclass(frozen=True)
class Lines:
    sightings: list[readings.Sighting]
    unmapped: dict[str, int]


class Parser:
    """Reads the answers of one account."""

    def __init__(self, statuses: Mapping[str, readings.LineStatus]) -> None:
        self._meaning = vocabulary.words(STATUSES, statuses)
        self._envelope = msgspec.json.Decoder(Envelope)
        self._rows = decoding.Rows(Device, "devices")
        self._usage = msgspec.json.Decoder(CycleToDate)
        self._session = msgspec.json.Decoder(SessionInfo)

    def states(self, instant: datetime) -> vocabulary.States:
        return vocabulary.States(self._meaning, instant)

    def listed(self, body: bytes) -> Listed:
        """Read a page; a bad row is rejected by itself. Raises ResponseInvalid for a bad page."""
        envelope = decoding.whole(self._envelope, body)
        rejected: list[readings.Rejection] = []
        rows = self._rows.read(envelope.devices, rejected)
        return Listed(rows, len(rows) + len(rejected), envelope.is_last, rejected)

    def lines(self, rows: Iterable[Device], instant: datetime) -> Lines:
        """What the list says of lines: that they are there, and their status."""
        states = self.states(instant)
        sightings = [_sighting(row.key, states, row.status) for row in rows]
        return Lines(sightings, states.unmapped)

    def usage(
        self, body: bytes, iccid: str, states: vocabulary.States, instant: datetime
    ) -> readings.Sighting:
        """Raises ResponseInvalid."""
        told = decoding.whole(self._usage, body, "the usage")
        _check_line(told.iccid, iccid)
        usage = () if told.total_bytes is None else (_counter(instant, told.total_bytes),)
        line = _sighting(iccid, states, told.status, is_over_limit=told.is_over_limit)
        return msgspec.structs.replace(
            line, mdn=sessions.told(told.msisdn), imei=sessions.told(told.imei), usage=usage
        )

    def session(
        self, body: bytes, iccid: str, states: vocabulary.States, instant: datetime
    ) -> readings.Sighting:
        """Raises ResponseInvalid."""
        info = decoding.whole(self._session, body, "the session")
        _check_line(info.iccid, iccid)
        last = sessions.last(info.started, info.ended, instant)
        return readings.Sighting(
            iccid,
            iccid=iccid,
            states=() if last.is_online is None else (states.read(None, last.is_online),),
            sessions=last.sessions,
            last_seen_at=last.seen_at,
            last_seen_by=readings.LastSeenBy.SESSION if last.seen_at else None,
        )


def _sighting(
    iccid: str, states: vocabulary.States, status: str | None, *, is_over_limit: bool | None = None
) -> readings.Sighting:
    is_told = status is not None or is_over_limit is not None
    state = (states.read(status, is_limit_reached=is_over_limit),) if is_told else ()
    return readings.Sighting(iccid, iccid=iccid, states=state)


def _counter(instant: datetime, total_bytes: int) -> readings.Usage:
    return readings.Usage(COUNTER, CYCLE, instant, total_bytes)


def _check_line(told: str, asked: str) -> None:
    if told.strip() != asked:
        raise errors.ResponseInvalid("the answer is of another line than was asked for: it is not used")
