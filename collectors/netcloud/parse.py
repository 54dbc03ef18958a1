"""Turns NetCloud's answers into readings. Pure: bytes and an instant in, readings out."""

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Generic, TypeGuard, TypeVar

import msgspec

from collectors import decoding, errors, readings
from collectors.netcloud import options as netcloud_options
from collectors.netcloud import rows
from collectors.netcloud.connections import Connection, Connections

EARLIEST = datetime(2000, 1, 1, tzinfo=UTC)  # before any of these routers was made
MOST_PERIOD_SECONDS = 36 * 3600.0  # a longer one belongs to no day
MOST_SIGNAL = 1_000.0  # dBm or dB, either way: beyond it is no signal
MOST_BYTES = 10**15

R = TypeVar("R")

ANSWER = msgspec.json.Decoder(rows.Answer)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """A page. ``count`` is how many rows the vendor sent, good and bad; ``next`` the vendor's next address.

    ``last_id`` is the highest id where every row could be read and ids rise from row to row, else None.
    """

    count: int
    next: str | None
    rejected: list[readings.Rejection]
    last_id: str | None = None


@dataclass(frozen=True, kw_only=True)
class Modems(Listed):
    """Lines, and for each the id of the router that it is in."""

    sightings: list[readings.Sighting]
    router_ids: list[str | None]
    unmapped: dict[str, int]


@dataclass(frozen=True, kw_only=True)
class Signals(Listed):
    sightings: list[readings.Sighting]


@dataclass(frozen=True)
class Sample(Generic[R]):
    """A reading of a modem or a router, by its id. ``unique`` tells it from any other of the same."""

    of: str
    unique: str | datetime
    reading: R


@dataclass(frozen=True, kw_only=True)
class Samples(Listed, Generic[R]):
    samples: list[Sample[R]]
    unmapped: dict[str, int] = field(default_factory=dict)


class Parser:
    """Reads the answers of one account."""

    def __init__(self, options: netcloud_options.Options) -> None:
        self._kind = options.device_kind
        self._kinds = options.device_kinds
        self._words = options.router_states
        self._modems = decoding.Rows(rows.Modem, "data")
        self._metrics = decoding.Rows(rows.Metrics, "data")
        self._usage = decoding.Rows(rows.UsageSample, "data")
        self._states = decoding.Rows(rows.state_sample(options.state_sample_fields), "data")

    def modems(self, body: bytes, *, instant: datetime) -> Modems:
        """Read a page of modems. One without ICCID and IMEI is no line. Raises ResponseInvalid for a bad page."""
        answer, rejected = _answer(body, "the list of modems"), list[readings.Rejection]()
        found = self._modems.read(answer.data, rejected)
        lines = [modem for modem in found if decoding.text(modem.iccid) or decoding.text(modem.imei)]
        connections = Connections(self._words)
        states = {known: (_state(instant, known),) for known in (*Connection, None)}
        return Modems(
            count=len(found) + len(rejected),
            next=answer.meta.next or None,
            rejected=rejected,
            last_id=None if rejected else last_id([str(modem.id) for modem in found]),
            sightings=[self._line(modem, connections, states, instant) for modem in lines],
            router_ids=[_id(modem.router.id) if modem.router else None for modem in lines],
            unmapped=connections.unmapped,
        )

    def signals(self, body: bytes) -> Signals:
        """Read a page of latest metrics. Those without signal or instant say nothing. Raises ResponseInvalid."""
        answer, rejected = _answer(body, "the list of metrics"), list[readings.Rejection]()
        found = self._metrics.read(answer.data, rejected)
        read = ((str(row.id).strip(), signal(row)) for row in found)
        return Signals(
            count=len(found) + len(rejected),
            next=answer.meta.next or None,
            rejected=rejected,
            last_id=None if rejected else last_id([str(row.id) for row in found]),
            sightings=[readings.Sighting(key, signals=(told,)) for key, told in read if told is not None],
        )

    def usage(self, body: bytes) -> Samples[readings.Usage]:
        """Read a page of usage samples. Raises ResponseInvalid."""
        answer, rejected = _answer(body, "the list of usage samples"), list[readings.Rejection]()
        found = self._usage.read(answer.data, rejected)
        count = len(found) + len(rejected)
        samples = [sample for row in found if (sample := _usage(row, rejected)) is not None]
        return Samples(count=count, next=answer.meta.next or None, rejected=rejected, samples=samples)

    def states(self, body: bytes) -> Samples[readings.State]:
        """Read a page of routers' states. Raises ResponseInvalid, also where not one row can be read."""
        answer, rejected = _answer(body, "the list of state samples"), list[readings.Rejection]()
        found = self._states.read(answer.data, rejected)
        if rejected and not found:
            bad = rejected[0]
            raise errors.ResponseInvalid(
                f"no state sample can be read ({bad.path}: {bad.reason}): their fields are not documented; "
                "correct the option state_sample_fields, or set read_state_samples to false"
            )
        connections = Connections(self._words)
        return Samples(
            count=len(found) + len(rejected),
            next=answer.meta.next or None,
            rejected=rejected,
            samples=[_sampled(row, connections) for row in found],
            unmapped=connections.unmapped,
        )

    def _line(
        self,
        modem: rows.Modem,
        connections: Connections,
        states: dict[Connection | None, tuple[readings.State]],
        instant: datetime,
    ) -> readings.Sighting:
        router = modem.router or NO_ROUTER
        connection = connections.read(router.state)
        group_key = _id(router.group)
        seen_at = _seen_at(connection, router, instant)
        return readings.Sighting(
            str(modem.id).strip(),
            decoding.text(modem.mdn),
            decoding.text(modem.iccid),
            decoding.text(modem.imei),
            decoding.text(router.serial_number),
            group_key,
            states=states[connection],
            device_kind=self._kinds.get(group_key or "", self._kind) if modem.router else None,
            last_seen_at=seen_at,
            last_seen_by=None if seen_at is None else readings.LastSeenBy.CLOUD,
        )


NO_ROUTER = rows.Router()


def last_id(ids: Sequence[str]) -> str | None:
    """The last of ids that rise from row to row; None where they do not, or are no numbers."""
    if not all(each.isascii() and each.isdecimal() for each in ids):
        return None
    rises = all(before < after for before, after in itertools.pairwise(map(int, ids)))
    return ids[-1] if ids and rises else None


def id_of(url: str | int) -> str:
    """The id at the end of a related object's address; hosts in front of it differ from answer to answer."""
    return str(url).partition("?")[0].rstrip("/").rpartition("/")[2].strip()


def signal(row: rows.Metrics) -> readings.Signal | None:
    figures = [number(figure) for figure in (row.rsrp, row.rsrq, row.sinr)]
    told = [figure if figure is not None and abs(figure) <= MOST_SIGNAL else None for figure in figures]
    if row.update_ts is None or told == [None, None, None]:
        return None
    return readings.Signal(decoding.utc(row.update_ts), *told)


def number(figure: float | str | None) -> float | None:
    """A number, also where it was sent as text; None for a text that is none."""
    if figure is None:
        return None
    try:
        value = float(figure)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def _answer(body: bytes, what: str) -> rows.Answer:
    return decoding.whole(ANSWER, body, what)


def _id(url: str | int | None) -> str | None:
    """The id that an address ends in; the vendor writes None in place of one that there is not."""
    found = None if url is None else id_of(url)
    return None if found in (None, "", "None") else found


def _state(at: datetime, connection: Connection | None) -> readings.State:
    return readings.State(at, is_online=None if connection is None else connection.is_online)


def _seen_at(connection: Connection | None, router: rows.Router, instant: datetime) -> datetime | None:
    """There is no field for it: a router that is offline was last heard of when its state changed to that."""
    match connection:
        case Connection.ONLINE:
            return instant
        case Connection.OFFLINE:
            return None if router.state_updated_at is None else decoding.utc(router.state_updated_at)
        case _:
            return None


def _usage(row: rows.UsageSample, rejected: list[readings.Rejection]) -> Sample[readings.Usage] | None:
    """None: the modem did not report, or was not connected (no use is known, which is not zero); or no sense."""
    if row.bytes_in is None or row.bytes_out is None:
        return None
    received, sent, period = (number(figure) for figure in (row.bytes_in, row.bytes_out, row.period))
    if not (_is_count(received) and _is_count(sent)):
        rejected.append(readings.Rejection("data.bytes_in", "no count of bytes"))
        return None
    if period is None or not 0 < period <= MOST_PERIOD_SECONDS or row.created_at < EARLIEST:
        rejected.append(readings.Rejection("data.period", "bytes of no time, or of more than 36 hours"))
        return None
    if received + sent == 0 and row.uptime is None:
        return None
    ends_at = decoding.utc(row.created_at)
    usage = readings.Usage(
        readings.UsageKind.INTERVAL,
        readings.UsageSeries.PART,
        ends_at - timedelta(seconds=period),
        int(received + sent),
        ends_at,
    )
    return Sample(id_of(row.net_device), row.created_at_timeuuid or ends_at, usage)


def _is_count(figure: float | None) -> TypeGuard[float]:
    return figure is not None and 0 <= figure <= MOST_BYTES


def _sampled(row: rows.StateSample, connections: Connections) -> Sample[readings.State]:
    state = _state(decoding.utc(row.created_at), connections.read(row.state))
    return Sample(id_of(row.router), row.key or state.starts_at, state)
