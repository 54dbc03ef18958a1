"""A month of a district: when it is over and settled, and everything that is known of its schools."""

import hashlib
import json
import re
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from zoneinfo import ZoneInfo

from service.model import retention

SETTLE_DAYS = 4
_FIRST_YEAR, _LAST_YEAR = 2000, 2100


class MonthInvalid(ValueError):
    """What was given is no month; the message says what to write."""


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """A calendar month in the district's zone."""

    first_on: date

    @property
    def last_on(self) -> date:
        return retention.month(self.first_on, 1) - timedelta(days=1)

    @property
    def days(self) -> int:
        return (self.last_on - self.first_on).days + 1

    def away(self, months: int) -> "Month":
        return Month(retention.month(self.first_on, months))

    def is_over(self, now: datetime, time_zone: str) -> bool:
        return now.astimezone(ZoneInfo(time_zone)).date() > self.last_on

    def settles_on(self, settle_days: int) -> date:
        """The first local day on which it counts as settled."""
        return self.last_on + timedelta(days=settle_days + 1)

    def is_settled(self, now: datetime, time_zone: str, settle_days: int) -> bool:
        return now.astimezone(ZoneInfo(time_zone)).date() >= self.settles_on(settle_days)

    def __str__(self) -> str:
        return f"{self.first_on:%Y-%m}"


def parse(text: str) -> Month:
    """A month as 2026-10. Raises MonthInvalid."""
    if not re.fullmatch(r"\d{4}-\d{2}", text, re.ASCII):
        raise MonthInvalid(f"{text!r} is not a month: write it as 2026-10")
    if not _FIRST_YEAR <= int(text[:4]) <= _LAST_YEAR:
        raise MonthInvalid(
            f"{text!r} is not a month of these times: years go from {_FIRST_YEAR} to {_LAST_YEAR}"
        )
    try:
        return Month(date.fromisoformat(f"{text}-01"))
    except ValueError as error:
        raise MonthInvalid(f"{text!r} is not a month: months go from 01 to 12") from error


def latest_settled(now: datetime, time_zone: str, settle_days: int) -> Month:
    today = now.astimezone(ZoneInfo(time_zone)).date()
    month = Month(retention.month(today, -1))
    return month if month.is_settled(now, time_zone, settle_days) else month.away(-1)


@dataclass(frozen=True, slots=True, kw_only=True)
class School:
    """A school in a month. Counts are of the month's figure day; None: unknown, or there is no such day."""

    school_id: int
    ncessch: str
    name: str
    is_high_needs: bool | None
    high_needs_basis: str | None
    indicator: str | None
    indicator_value: float | None
    indicator_year: str | None
    enrolled: int | None
    counts: Mapping[str, int | None]  # protection.COUNTS
    need_source: str | None
    completeness: float | None
    coverage_status: str | None  # known, incomplete, need_unknown, not_applicable; None: no figure day
    is_need_exceeded: bool | None
    used_bytes: int | None  # in the month, by the loans of its schools; None: not known
    devices_used: int  # of these, with a byte
    uptime: float | None  # share of samples online, of fixed routers; None: not measured
    homework_share: float | None  # of bytes, in the homework window; None: no source is as fine
    library_hours: float  # a week
    activity_bus_hours: float
    days_missing: int  # days of the month on which no open loan was heard from; 0 where there was none
    devices_online: int = 0  # fixed routers that ``uptime`` is of
    devices_timed: int = 0  # devices that ``homework_share`` is of


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """How one account spoke in the month. One that was not read in it, and told nothing of it, is none."""

    account_key: str
    collector: str
    lag_days: int
    last_success_at: datetime | None
    gaps: tuple[tuple[date, date], ...]  # whole local days without a word, first and last


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """Of the lines in a month. Costs are of those whose price is known."""

    lines: int
    cost: Decimal
    idle_lines: int  # every day of the month is a known 0
    idle_cost: Decimal
    unknown_lines: int  # nothing is known all month
    without_price: int
    highest_price: Decimal | None  # a month, of one line
    lowest_price: Decimal | None = None


NO_MONEY = Money(
    lines=0,
    cost=Decimal(0),
    idle_lines=0,
    idle_cost=Decimal(0),
    unknown_lines=0,
    without_price=0,
    highest_price=None,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """Everything that a month's packages are made from. ``figure_on`` None: no instructional day was heard from
    enough."""

    district_id: int
    district_name: str
    leaid: str | None  # the first seven digits that all its schools share
    time_zone: str
    month: Month
    through_on: date  # the last day with figures in the month
    figure_on: date | None
    instructional_days: int | None  # None: no calendar
    need_mode: str
    schools: tuple[School, ...]  # by NCESSCH
    sources: tuple[Source, ...]
    money: Money
    thresholds: Mapping[str, object] = field(default_factory=dict)  # as in force, for the notes


_OF_THE_PRESENT = {(Source, "last_success_at")}  # no part of a month


def digest(facts: Facts, *more: object) -> str:
    """SHA-256 of everything that a package is made from: what is equal has one digest, on every machine."""
    text = json.dumps(_plain([facts, *more]), sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def _plain(value: object) -> object:
    """In terms of JSON, without what depends on how a number came about."""
    if is_dataclass(value):
        names = [one.name for one in fields(value) if (type(value), one.name) not in _OF_THE_PRESENT]
        return {name: _plain(getattr(value, name)) for name in names}
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, AbstractSet):
        return sorted(json.dumps(_plain(one), sort_keys=True) for one in value)
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return _scalar(value)


def _scalar(value: object) -> object:
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, float):
        return f"{value:.12g}"
    if isinstance(value, Decimal):
        return format(value.normalize(), "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return value.isoformat() if isinstance(value, date) else str(value)
