"""A district in plain words: all that is known of it, and when each part was told."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

UNKNOWN_ACCESS = "unknown"


@dataclass(frozen=True)
class Plan:
    key: str
    allowance_bytes: int | None = None
    period: str = "month"  # day, month, cycle or year
    cycle_day: int = 1
    at_allowance: str = "stop"  # stop, throttle, charge or none
    is_pooled: bool = False
    starts_on: date | None = None


@dataclass(frozen=True)
class Account:
    key: str
    zone: str
    lag_days: int = 0
    rank: int = 1
    cadence: timedelta = timedelta(hours=1)


@dataclass(frozen=True)
class Device:
    number: int
    kind: str = "hotspot"


@dataclass(frozen=True)
class Line:
    number: int
    observed_since: datetime
    plan: str | None = None


@dataclass(frozen=True)
class Link:
    """A line in a device. ``starts_at`` None: as far back as anyone knows; ``ends_at`` None: still there."""

    line: int
    device: int
    starts_at: datetime | None = None
    ends_at: datetime | None = None


@dataclass(frozen=True)
class Limit:
    """The allowances of a line that a vendor tells with its state."""

    line: int
    account: str
    day_bytes: int | None = None
    cycle_bytes: int | None = None


@dataclass(frozen=True)
class Usage:
    """A reading. ``told_at`` is when it was stored; of two of the same instant, the one told later counts."""

    line: int
    account: str
    kind: str  # interval or counter
    series: str  # day, part or cycle
    starts_at: datetime
    total_bytes: int
    told_at: datetime
    ends_at: datetime | None = None


@dataclass(frozen=True)
class State:
    line: int
    account: str
    at: datetime
    told_at: datetime
    status: str | None = None
    suspended_by: str | None = None
    is_online: bool | None = None


@dataclass(frozen=True)
class Signal:
    line: int
    account: str
    at: datetime
    told_at: datetime
    rsrp_dbm: float


@dataclass(frozen=True)
class FileSpan:
    """A portal's figure for the local days from ``first`` to before ``until``."""

    line: int
    account: str
    first: date
    until: date
    total_bytes: int
    told_at: datetime


@dataclass(frozen=True)
class Gap:
    account: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True)
class School:
    number: int
    is_high_needs: bool | None = None


@dataclass(frozen=True)
class Loan:
    number: int
    device: int
    school: int
    checked_out_on: date
    returned_on: date | None = None
    borrower: str = ""
    household: str = ""
    is_told_late: bool = False  # only when days of it have been computed


@dataclass(frozen=True)
class NeedTotal:
    school: int
    as_of_on: date
    enrolled: int
    answered: int
    need: int


@dataclass(frozen=True)
class Enrollment:
    student: str
    school: int
    starts_on: date
    ends_on: date | None = None


@dataclass(frozen=True)
class Answer:
    student: str
    answered_on: date
    school: int | None = None
    household: str = ""
    has_access: bool | None = None
    access_type: str | None = None
    performance: str | None = None
    is_documented: bool = False


@dataclass(frozen=True)
class CalendarDay:
    on: date
    kind: str  # instructional, half_day, break or holiday
    school: int | None = None


@dataclass(frozen=True)
class District:
    zone: str
    first_on: date
    now: datetime
    accounts: tuple[Account, ...] = ()
    plans: tuple[Plan, ...] = ()
    devices: tuple[Device, ...] = ()
    lines: tuple[Line, ...] = ()
    links: tuple[Link, ...] = ()
    limits: tuple[Limit, ...] = ()
    usage: tuple[Usage, ...] = ()
    states: tuple[State, ...] = ()
    signals: tuple[Signal, ...] = ()
    spans: tuple[FileSpan, ...] = ()
    gaps: tuple[Gap, ...] = ()
    schools: tuple[School, ...] = ()
    loans: tuple[Loan, ...] = ()
    totals: tuple[NeedTotal, ...] = ()
    enrollments: tuple[Enrollment, ...] = ()
    answers: tuple[Answer, ...] = ()
    unedited: tuple[Answer, ...] = ()  # what some of the answers were at first
    calendar: tuple[CalendarDay, ...] = ()
    need_mode: str = "student"
    school_year_starts: str = "07-01"
    refreshes: tuple[datetime, ...] = ()  # when the days were computed on the way, before ``now``
