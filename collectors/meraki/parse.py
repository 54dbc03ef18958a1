"""Turns what Meraki says of gateways into readings. Pure: rows and an instant in, readings out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from collectors import decoding, readings, vocabulary
from collectors.meraki import availability, lines, rows
from collectors.meraki import options as meraki_options

CLOUD = readings.LastSeenBy.CLOUD
CARRIES_NOTHING = frozenset(
    {"connecting", "failed", "not connected", "ready"}
)  # an uplink; ready: it stands by
COUNTER, CYCLE = readings.UsageKind.COUNTER, readings.UsageSeries.CYCLE
SIGNAL_OVERLAP = timedelta(hours=1)  # a report may show up in the list a little after it was made
RSRP_DBM = (-160.0, -20.0)  # what can be, with some room
RSRQ_DB = (-50.0, 25.0)


@dataclass(frozen=True)
class Facts:
    """What other lists say of a page's gateways, by serial."""

    slots: lines.SlotsOf = field(default_factory=dict)
    availabilities: Mapping[str, str | None] = field(default_factory=dict)
    imeis: Mapping[str, str | None] = field(default_factory=dict)


@dataclass
class Gateways:
    """A page of gateways as readings."""

    sightings: list[readings.Sighting] = field(default_factory=list)
    rejected: list[readings.Rejection] = field(default_factory=list)
    unmapped: dict[str, int] = field(default_factory=dict)


class Parser:
    """Reads the answers of one account."""

    def __init__(self, options: meraki_options.Options) -> None:
        self._options = options

    def lines(self, gateways: Sequence[rows.Gateway], slots: lines.SlotsOf) -> dict[str, list[lines.Line]]:
        """The lines of a page's gateways, by serial."""
        is_cellular = not self._options.appliances
        return {
            gateway.serial: lines.of(gateway, slots.get(gateway.serial, ()), is_cellular=is_cellular)
            for gateway in gateways
        }

    def gateways(
        self,
        gateways: Sequence[rows.Gateway],
        facts: Facts,
        *,
        instant: datetime,
        since: datetime | None = None,
    ) -> Gateways:
        """Join a page. Signals that a sweep before ``since`` has read are left out."""
        page = Gateways()
        join = _Join(self._options, facts, page, instant, since and since - SIGNAL_OVERLAP)
        found = self.lines(gateways, facts.slots)
        for index, gateway in enumerate(gateways):
            try:
                reported_at = moment(gateway.reported_at)
            except ValueError:
                page.rejected.append(readings.Rejection(f"gateways[{index}].lastReportedAt", "no instant"))
                continue
            join.add(gateway, found[gateway.serial], reported_at)
        page.unmapped = join.words.unmapped
        return page


class _Join:
    """Puts a page together; lines that say the same share one state."""

    def __init__(
        self,
        options: meraki_options.Options,
        facts: Facts,
        page: Gateways,
        instant: datetime,
        signals_since: datetime | None,
    ) -> None:
        self.words = availability.Words(options.availabilities)
        self._options = options
        self._facts = facts
        self._page = page
        self._signals_since = signals_since
        self._states = vocabulary.States(vocabulary.words({}), instant)

    def add(self, gateway: rows.Gateway, found: Sequence[lines.Line], reported_at: datetime | None) -> None:
        if not found:
            return
        serial, network = gateway.serial, decoding.text(gateway.network_id)
        is_online = self.words.is_online(self._facts.availabilities.get(serial))
        imei = self._facts.imeis.get(serial)
        kind = self._options.device_kinds.get(network or "", self._options.device_kind)
        for line in found:
            uplink = line.uplink
            self._page.sightings.append(
                readings.Sighting(
                    line.provider_key,
                    decoding.text(uplink.msisdn) if uplink else None,
                    decoding.text(uplink.iccid) if uplink else None,
                    imei,
                    serial,
                    network,
                    None,
                    limit(line.slot),
                    (),
                    (self._states.read(None, _of_line(line, is_online)),),
                    self._signals(uplink, reported_at),
                    (),
                    kind,
                    reported_at,
                    CLOUD if reported_at else None,
                )
            )

    def _signals(
        self, uplink: rows.Uplink | None, reported_at: datetime | None
    ) -> tuple[readings.Signal, ...]:
        if uplink is None or uplink.signal is None or reported_at is None:
            return ()
        if self._signals_since is not None and reported_at <= self._signals_since:
            return ()
        rsrp = self._level("rsrp", uplink.signal.rsrp, RSRP_DBM)
        rsrq = self._level("rsrq", uplink.signal.rsrq, RSRQ_DB)
        return () if rsrp is None and rsrq is None else (readings.Signal(reported_at, rsrp, rsrq),)

    def _level(self, what: str, told: rows.Number, bounds: tuple[float, float]) -> float | None:
        """A level out of text. What cannot be one is counted, and is no level."""
        if told is None or told == "":
            return None
        try:
            level = float(told)
        except ValueError:
            level = float("nan")
        if bounds[0] <= level <= bounds[1]:
            return level
        self.words.count(what, str(told))
        return None


def usage(
    found: Mapping[str, Sequence[lines.Line]], *, instant: datetime
) -> tuple[list[readings.Sighting], list[readings.Rejection]]:
    """The running totals of the SIMs whose bytes are counted, as read at ``instant``."""
    sightings: list[readings.Sighting] = []
    rejected: list[readings.Rejection] = []
    for line in (line for held in found.values() for line in held if line.slot is not None):
        try:
            told = _total(line.slot, instant)
        except ValueError:
            rejected.append(readings.Rejection("usage.bySlot.endTs", "no instant"))
            continue
        if told:
            sightings.append(
                readings.Sighting(line.provider_key, cycle_limit_bytes=limit(line.slot), usage=told)
            )
    return sightings, rejected


def _total(slot: rows.Slot | None, instant: datetime) -> tuple[readings.Usage, ...]:
    """The total of the cycle that goes on: one that has ended says nothing of the present."""
    if slot is None or slot.total is None:
        return ()
    ends_at = moment(slot.cycle_ends_at)
    if ends_at is not None and ends_at <= instant:
        return ()
    return (readings.Usage(COUNTER, CYCLE, instant, int(slot.total)),)


def limit(slot: rows.Slot | None) -> int | None:
    """A limit of 0, or that is no number of bytes, is none."""
    told = str(slot.limit or "").strip() if slot else ""
    return (
        int(told) or None if told.isascii() and told.isdecimal() and len(told) <= len(str(10**15)) else None
    )


def moment(text: str | None) -> datetime | None:
    """An instant in UTC; None where none is told. Raises ValueError."""
    if text is None or not text.strip():
        return None
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError("an instant without a zone")
    return decoding.utc(at)


def _of_line(line: lines.Line, is_online: bool | None) -> bool | None:
    """Of a gateway that is online, only the SIM in use is known to be; and not while its uplink carries nothing."""
    is_idle = line.uplink is not None and line.uplink.status in CARRIES_NOTHING
    return None if is_online and (is_idle or not line.is_in_use) else is_online
