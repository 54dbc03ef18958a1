"""Turns ThingSpace's list of devices into readings. Pure: bytes and an instant in, readings out."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http import HTTPStatus

import msgspec

from collectors import decoding, readings, vocabulary
from collectors.thingspace import rows, states

CONNECTION, SESSION = readings.LastSeenBy.CONNECTION, readings.LastSeenBy.SESSION
BAD_DATE = "last connection date: not a time with a zone, or one that cannot be"
AHEAD = timedelta(days=1)  # a date later than this after the sweep's beginning is a fault
DEVICE_ID_DIGITS = 18

_LIST = msgspec.json.Decoder(rows.DeviceList)
_RAWS = msgspec.json.Decoder(list[msgspec.Raw])
_NUMBERED = msgspec.json.Decoder(rows.Numbered)


class Line(msgspec.Struct, frozen=True, gc=False):
    """A line of the list. ``asked_by`` names it in calls; ``device_id`` None: its row tells none."""

    sighting: readings.Sighting
    asked_by: rows.DeviceId
    device_id: int | None
    is_connected: bool | None

    @property
    def is_active(self) -> bool:
        return any(state.status is readings.LineStatus.ACTIVE for state in self.sighting.states)

    def bare(self) -> readings.Sighting:
        """The line's identifiers alone."""
        return readings.Sighting(
            self.sighting.provider_key, self.sighting.mdn, self.sighting.iccid, self.sighting.imei
        )


@dataclass(frozen=True)
class Devices:
    """A page of devices. ``count`` is how many rows the vendor sent; ``last`` the DeviceId of the last of them."""

    has_more: bool
    count: int
    last: int | None
    lines: list[Line]
    rejected: list[readings.Rejection]
    unmapped: dict[str, int]

    @property
    def sightings(self) -> list[readings.Sighting]:
        return [line.sighting for line in self.lines]


class Parser:
    """Reads the lists of one account."""

    def __init__(self, statuses: Mapping[str, readings.LineStatus] | None = None) -> None:
        self._rows = decoding.Rows(rows.Device, "devices")
        self._meaning = states.meaning(statuses or {})

    def devices(self, body: bytes, *, instant: datetime, status: int = HTTPStatus.OK) -> Devices:
        """Read a page; a bad row is rejected by itself. Raises ResponseInvalid for a bad page.

        ``status`` 202 says, like the body, that there are more.
        """
        page = decoding.whole(_LIST, body)
        rejected: list[readings.Rejection] = []
        found = self._rows.read(page.devices, rejected)
        count = len(found) + len(rejected)
        last = _last_device_id(page.devices) if rejected else _device_id(found[-1]) if found else None
        reader = _Reader(vocabulary.States(self._meaning, instant), instant)
        lines = [reader.line(row) for row in found]
        has_more = page.has_more_data or status == HTTPStatus.ACCEPTED
        return Devices(has_more, count, last, lines, rejected, reader.unmapped)


class _Reader:
    """Reads the rows of one page."""

    def __init__(self, seen: vocabulary.States, instant: datetime) -> None:
        self._seen = seen
        self._instant = instant
        self._bad_dates = 0

    @property
    def unmapped(self) -> dict[str, int]:
        return self._seen.unmapped | ({BAD_DATE: self._bad_dates} if self._bad_dates else {})

    def line(self, row: rows.Device) -> Line:
        named = row.identifiers()
        kind = next(filter(named.__contains__, rows.KINDS))
        number = _device_id(row)
        seen_at, seen_by = self._last_seen(row)
        sighting = readings.Sighting(
            f"{kind}:{_text(named[kind])}" if number is None else str(number),
            _text(named.get("mdn") or named.get("msisdn")),
            _text(named.get("iccid")),
            _text(named.get("imei")),
            states=self._states(row),
            last_seen_at=seen_at,
            last_seen_by=seen_by,
        )
        return Line(sighting, named[kind], number, row.connected)

    def _states(self, row: rows.Device) -> tuple[readings.State, ...]:
        carriers = row.carrier_informations
        if not carriers:
            return () if row.connected is None else (self._seen.read(None, row.connected),)
        if len(carriers) == 1:
            return (self._seen.read(carriers[0].state, row.connected),)
        return (states.foremost([self._seen.read(carrier.state, row.connected) for carrier in carriers]),)

    def _last_seen(self, row: rows.Device) -> tuple[datetime | None, readings.LastSeenBy | None]:
        """A line that is connected is seen now, however long ago it connected."""
        if row.connected:
            return self._instant, SESSION
        at = self._instant_of(row.last_connection_date)
        return (None, None) if at is None else (at, CONNECTION)

    def _instant_of(self, text: str | None) -> datetime | None:
        if not text or not text.strip():
            return None
        try:
            at = datetime.fromisoformat(text.strip())
        except ValueError:
            at = None
        if at is None or not self._can_be(at):
            self._bad_dates += 1
            return None
        return at.astimezone(UTC)

    def _can_be(self, at: datetime) -> bool:
        return at.tzinfo is not None and at.year in rows.YEARS and at <= self._instant + AHEAD


def _text(named: rows.DeviceId | None) -> str | None:
    return None if named is None else str(named.id).strip()


def device_number(text: str | None) -> int | None:
    """Read a DeviceId; None: it is none."""
    if text is None or not text.isascii() or not text.isdecimal() or len(text) > DEVICE_ID_DIGITS:
        return None
    return int(text)


def _device_id(row: rows.Device | rows.Numbered) -> int | None:
    return device_number(rows.DEVICE_ID.read(row.extended_attributes))


def _last_device_id(devices: msgspec.Raw) -> int | None:
    """The last row's, whatever else in that row cannot be read."""
    raws = decoding.whole(_RAWS, bytes(devices))
    try:
        return _device_id(_NUMBERED.decode(raws[-1])) if raws else None
    except msgspec.MsgspecError:
        return None
