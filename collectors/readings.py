"""What every collector yields: sightings of lines, each with its usage, state and signal readings.

A collector leaves identifiers as the vendor wrote them (trimmed): the service normalises and matches them.
Nothing here can carry a person's name, an address, a place or free text.
"""

from datetime import date, datetime
from enum import StrEnum

import msgspec


class UsageKind(StrEnum):
    INTERVAL = "interval"  # bytes between two instants
    COUNTER = "counter"  # total so far in a day or billing cycle; may reset
    GAUGE = "gauge"  # a rolling total, such as the last 30 days


class UsageSeries(StrEnum):
    DAY = "day"  # counter: total so far in the provider's day; interval: one provider day
    PART = "part"  # interval: less than a day; a source tells either days or parts of them
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


class DeviceKind(StrEnum):
    HOTSPOT = "hotspot"  # battery hotspot: switched off is no fault
    FIXED_ROUTER = "fixed_router"  # a router that stays at home
    BUS_ROUTER = "bus_router"  # never a home connection
    LAPTOP = "laptop"  # a student's own device with a SIM: never a home connection


class LastSeenBy(StrEnum):
    """What a source means by 'last seen'. The meanings are never mixed."""

    SESSION = "session"  # the end of its last data session; the present, while one goes on
    CONNECTION = "connection"  # when it last connected: it may have been connected ever since
    CLOUD = "cloud"  # when its manager in the cloud last heard of it
    POLICY_SYNC = "policy_sync"  # when it last fetched its settings: says nothing of use


class Place(StrEnum):
    """Where a student's device was online, as far as its address told before it was dropped."""

    AT_SCHOOL = "at_school"  # one of the district's own addresses
    ELSEWHERE = "elsewhere"  # any other: neither proves home nor the loaned hotspot
    UNKNOWN = "unknown"


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Bytes moved. ``starts_at`` is UTC: an interval's start, or the instant a counter or gauge was read."""

    kind: UsageKind
    series: UsageSeries
    starts_at: datetime
    total_bytes: int
    ends_at: datetime | None = None  # intervals only


class State(msgspec.Struct, frozen=True, gc=False):
    """A sample of the line's state as observed at ``starts_at`` (UTC).

    ``status`` and ``raw_status`` None: this source does not tell one (a router's manager knows no plan).
    ``is_online`` None: not told. ``is_limit_reached``: the vendor says that the line's allowance is used up.
    ``is_filtered``: whether its traffic is filtered, as the law asks for what children use; by what is never told.
    """

    starts_at: datetime
    status: LineStatus | None = None
    raw_status: str | None = None
    suspended_by: SuspendedBy | None = None
    is_online: bool | None = None
    is_limit_reached: bool | None = None
    is_filtered: bool | None = None


class Session(msgspec.Struct, frozen=True, gc=False):
    """A time in which the line was connected (UTC). ``ends_at`` None: it goes on."""

    starts_at: datetime
    ends_at: datetime | None = None


class Signal(msgspec.Struct, frozen=True, gc=False):
    """Radio signal as sampled at ``starts_at`` (UTC)."""

    starts_at: datetime
    rsrp_dbm: float | None = None
    rsrq_db: float | None = None
    sinr_db: float | None = None


class Sighting(msgspec.Struct, frozen=True, gc=False):
    """What one row of a vendor's answer says about one line (and the device it was seen in).

    One without any identifier but ``provider_key`` speaks of a line that the same sweep, or an earlier one,
    has named.
    """

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
    sessions: tuple[Session, ...] = ()
    device_kind: DeviceKind | None = None  # None: not told, or not this source's to tell
    last_seen_at: datetime | None = None  # UTC
    last_seen_by: LastSeenBy | None = None  # told together with last_seen_at


class ActiveDay(msgspec.Struct, frozen=True, gc=False):
    """How long a student's device was in use on a day. The day is the vendor's, never made an instant."""

    on: date
    active_seconds: int


class Whereabouts(msgspec.Struct, frozen=True, gc=False):
    """That a student's device was online at an instant (UTC), at school or not. The address is gone."""

    at: datetime
    place: Place


class StudentDevice(msgspec.Struct, frozen=True, gc=False):
    """A student's own device (Chromebook, tablet), as its manager sees it. Never a home connection."""

    device_key: str  # the vendor's own id
    group_key: str | None = None  # the vendor's key of its unit or group; never the name
    raw_status: str | None = None
    is_in_service: bool | None = None  # None: a status that is not known
    last_seen_at: datetime | None = None  # UTC
    last_seen_by: LastSeenBy | None = None
    active_days: tuple[ActiveDay, ...] = ()
    whereabouts: tuple[Whereabouts, ...] = ()


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
    student_devices: list[StudentDevice] = []
    groups: list[Group] = []
    rejected: list[Rejection] = []
    unmapped: dict[str, int] = {}
    cursor: str | None = None
    total: int | None = None
