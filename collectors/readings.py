"""What every collector yields: sightings of lines, each with its usage, state and signal readings.

A collector leaves identifiers as the vendor wrote them (trimmed): the service normalises and matches them.
Nothing here can carry a person's name, an address, a place or free text.
"""

from datetime import datetime
from enum import StrEnum

import msgspec


class UsageKind(StrEnum):
    INTERVAL = "interval"  # bytes between two instants
    COUNTER = "counter"  # total so far in a day or billing cycle; may reset
    GAUGE = "gauge"  # a rolling total, such as the last 30 days


class UsageSeries(StrEnum):
    DAY = "day"  # counter: total so far in the provider's day; interval: one provider day
    CYCLE = "cycle"  # counter: total so far in the billing cycle or calendar month
    LAST_30_DAYS = "last_30_days"  # gauge


class LineStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEACTIVATED = "deactivated"
    PRE_ACTIVE = "pre_active"
    PENDING = "pending"
    UNKNOWN = "unknown"


class SuspendedBy(StrEnum):
    LOAN_DESK = "loan_desk"  # checked in at the desk: suspended by design, no outage
    SEASON = "season"  # a summer suspension
    CARRIER = "carrier"  # suspended at the carrier, reason not told


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Bytes moved. ``starts_at`` is UTC: an interval's start, or the instant a counter or gauge was read."""

    kind: UsageKind
    series: UsageSeries
    starts_at: datetime
    total_bytes: int
    ends_at: datetime | None = None  # intervals only


class State(msgspec.Struct, frozen=True, gc=False):
    """The line's state as observed at ``starts_at`` (UTC). ``is_online`` None: not told."""

    starts_at: datetime
    status: LineStatus
    raw_status: str
    suspended_by: SuspendedBy | None = None
    is_online: bool | None = None


class Signal(msgspec.Struct, frozen=True, gc=False):
    """Radio signal as sampled at ``starts_at`` (UTC)."""

    starts_at: datetime
    rsrp_dbm: float | None = None
    rsrq_db: float | None = None
    sinr_db: float | None = None


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """What one row of a vendor's answer says about one line (and the device it was seen in)."""

    provider_key: str  # the vendor's own id of the line
    mdn: str | None = None
    iccid: str | None = None
    imei: str | None = None
    serial: str | None = None
    group_key: str | None = None  # the vendor's key of the group it is in; never the group's name
    day_limit_bytes: int | None = None
    cycle_limit_bytes: int | None = None
    usage: tuple[Usage, ...] = ()
    states: tuple[State, ...] = ()
    signals: tuple[Signal, ...] = ()


class Group(msgspec.Struct, frozen=True, gc=False):
    """A vendor's device group. Its name can be a child's, so only keys are kept."""

    group_key: str
    parent_key: str | None = None


class Rejection(msgspec.Struct, frozen=True, gc=False):
    """A row that was skipped: where in the answer, and why. Never the offending value."""

    path: str
    reason: str


class Page(msgspec.Struct, frozen=True):
    """One page of a sweep.

    ``cursor`` resumes the sweep after this page; None where it cannot be resumed. ``total`` is what the vendor
    says the whole list holds. ``unmapped`` counts raw statuses that the collector does not know.
    """

    sightings: list[Sighting] = []
    groups: list[Group] = []
    rejected: list[Rejection] = []
    unmapped: dict[str, int] = {}
    cursor: str | None = None
    total: int | None = None
