"""What people and Prometheus are shown: one consistent snapshot of every district's latest reported day."""

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, timedelta
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

import asyncpg

import sql
from service.model import equity as measures
from service.store import alert_counts, hourly
from service.store import beside as beside_rows
from service.store import conflicts as conflict_rows
from service.store import disagreements as disagreement_rows
from service.store import equity as equity_rows
from service.store import pool as pools
from service.store import queues as queue_rows
from service.store import reconciliation as reconciliation_rows

COMPLETENESS_FLOOR = 0.9
HISTORY_DAYS = 90
GAP_DAYS = 30
FILE_COLLECTOR = "file"

_SUMMED = (
    "answered",
    "need",
    "loaned",
    "active_30",
    "active_7",
    "adequate",
    "unknown",
    "covered",
    "unserved",
)
_Row = TypeVar("_Row")
_Parts = Mapping[str, Mapping[int, Sequence[asyncpg.Record]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """Counts of students, and the ratios made of them. None: not known, never 0."""

    enrolled: int | None = None
    answered: int | None = None
    need: int | None = None
    loaned: int | None = None
    active_30: int | None = None
    active_7: int | None = None
    adequate: int | None = None
    unknown: int | None = None
    covered: int | None = None  # min(adequate, need), school by school
    unserved: int | None = None
    completeness: float | None = None
    coverage: float | None = None
    coverage_low: float | None = None
    coverage_high: float | None = None
    served_outside_need: int | None = None  # students with a loan who are not known to be in need
    unattributed: int | None = None  # loans that name no borrower and serve no student in need

    @property
    def unanswered(self) -> int | None:
        """Nobody, rather than fewer, where a roster is behind the answers."""
        if self.enrolled is None or self.answered is None:
            return None
        return max(0, self.enrolled - self.answered)

    @property
    def response_ratio(self) -> float | None:
        if self.answered is None or not self.enrolled:
            return None
        return min(1.0, self.answered / self.enrolled)

    @property
    def unmet(self) -> int | None:
        return None if self.need is None or self.covered is None else self.need - self.covered


@dataclass(frozen=True, slots=True, kw_only=True)
class School(Counts):
    """A school on its district's reported day; ``status`` is None where that day was not computed."""

    name: str
    ncessch: str
    is_high_needs: bool | None  # None: not told
    high_needs_basis: str | None
    status: str | None = None  # known, incomplete, need_unknown, not_applicable
    weak: int | None = None
    exhausted: int | None = None
    idle: int | None = None
    never_used: int | None = None
    suspended: int | None = None
    is_need_exceeded: bool | None = None
    is_out_of_session: bool | None = None
    need_source: str | None = None  # totals, answers; None: need is not known
    # Students' own devices, beside coverage; None: no manager of such devices speaks of the school.
    student_devices: int | None = None  # in service
    student_devices_active: int | None = None  # of these, in use within the seven days up to the reported one
    student_devices_elsewhere: int | None = None  # of these, online elsewhere than at school within them
    beside: beside_rows.Beside = (
        beside_rows.NOTHING_TOLD
    )  # its waitlist and other supports, on the present day


@dataclass(frozen=True, slots=True, kw_only=True)
class Day(Counts):
    """A district on a day. Below the completeness floor coverage is None: only its bounds are known."""

    on_day: date
    schools_with_need: int = 0
    schools_without_need: int = 0
    is_out_of_session: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """A time that nothing was read."""

    account_key: str
    endpoint_group: str
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointGroup:
    """How one endpoint group of an account fares."""

    endpoint_group: str
    every: timedelta  # its cadence, as the vendor's limit allows
    last_attempt_at: datetime | None
    last_success_at: datetime | None
    failing_since_at: datetime | None
    last_error: str | None
    rows_rejected: int | None  # by the last finished poll


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """An account: as fresh as the endpoint group that is due first, each by its own cadence."""

    account_key: str
    collector: str
    cadence: timedelta
    lag_days: int
    groups: tuple[EndpointGroup, ...]
    gaps: tuple[Gap, ...]  # of the last GAP_DAYS, newest first
    unmapped: int = 0  # lines and students' devices whose status is a word that is not known

    @property
    def is_file(self) -> bool:
        return self.collector == FILE_COLLECTOR

    @property
    def last_attempt_at(self) -> datetime | None:
        return max((g.last_attempt_at for g in self.groups if g.last_attempt_at), default=None)

    @property
    def last_success_at(self) -> datetime | None:
        """Of the group that is due first; None also while any group has yet to succeed."""
        return None if self._due_first is None else self._due_first[1]

    @property
    def every(self) -> timedelta:
        """How often the group that is due first is meant to be read."""
        return self.cadence if self._due_first is None else self._due_first[2]

    @property
    def _due_first(self) -> tuple[datetime, datetime, timedelta] | None:
        """When it is due, when it was last read, and how often it is meant to be."""
        dues = [
            (group.last_success_at + group.every, group.last_success_at, group.every)
            for group in self.groups
            if group.last_success_at is not None
        ]
        return min(dues) if dues and len(dues) == len(self.groups) else None

    @property
    def failing_since_at(self) -> datetime | None:
        return min((g.failing_since_at for g in self.groups if g.failing_since_at), default=None)

    @property
    def last_error(self) -> str | None:
        return next((g.last_error for g in self.groups if g.failing_since_at and g.last_error), None)

    @property
    def rows_rejected(self) -> int:
        return sum(group.rows_rejected or 0 for group in self.groups)


@dataclass(frozen=True, slots=True, kw_only=True)
class District:
    district_id: int
    name: str
    time_zone: ZoneInfo
    due_on: date  # the day that would be reported if everything were computed
    reported_on: date | None  # None: nothing is computed yet
    day: Day | None  # the reported day's figures
    high_needs: Counts
    others: Counts
    schools: tuple[School, ...]  # by name
    loans_by_state: Mapping[str, int]
    sources: tuple[Source, ...]
    history: tuple[Day, ...]  # HISTORY_DAYS days up to the reported one, oldest first, without holes
    conflicts: conflict_rows.Open = conflict_rows.NONE_OPEN
    disagreements: tuple[disagreement_rows.Disagreement, ...] = ()  # every two accounts with lines to compare
    reconciliation: reconciliation_rows.Summary | None = None  # None: nothing is counted yet
    equity: measures.Equity | None = None  # None: not read
    program: hourly.Program | None = None  # None: not read, as where nobody serves pages
    alerts: alert_counts.Alerts = alert_counts.NONE  # how its alerts and rules stand
    queues: queue_rows.Queues = queue_rows.EMPTY  # what waits

    @property
    def coverage_gap(self) -> float | None:
        """Others less high-needs: None unless both are known."""
        if self.others.coverage is None or self.high_needs.coverage is None:
            return None
        return self.others.coverage - self.high_needs.coverage


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    taken_at: datetime
    districts: tuple[District, ...]

    def district(self, district_id: int) -> District | None:
        return next((found for found in self.districts if found.district_id == district_id), None)


async def snapshot(
    pool: asyncpg.Pool,
    *,
    now: datetime,
    completeness_floor: float = COMPLETENESS_FLOOR,
    source_disagreement: float = disagreement_rows.TOLERANCE,
    on: date | None = None,
) -> Snapshot:
    """Every district as of ``now``, by name; ``on``: of this day, not the reported one. Raises DatabaseUnavailable."""
    with pools.translated():
        async with pool.acquire() as connection, _one_view(connection):
            districts = [
                {**row, "reported_on": on or row["reported_on"]}
                for row in await connection.fetch(sql.queries()["coverage_districts"], now)
            ]
            parts = await _parts(connection, districts, now)
            found = [_district(row, parts, completeness_floor) for row in districts]
            found = await _contradicted(connection, found, source_disagreement)
            found = await _with_what_is_beside(connection, found, now)
            found = await _with_equity(connection, found, completeness_floor)
            found = await _with_alerts(connection, found, now)
    return Snapshot(taken_at=now, districts=tuple(found))


def _one_view(connection: asyncpg.Connection) -> Any:
    """Figures that belong together are read from one state of the database."""
    return connection.transaction(isolation="repeatable_read", readonly=True)


async def _parts(
    connection: asyncpg.Connection, districts: Sequence[Mapping[str, Any]], now: datetime
) -> _Parts:
    """What all districts need, in as many statements as for one district."""
    queries = sql.queries()
    asked = [row["district_id"] for row in districts], [row["reported_on"] for row in districts]
    since = now - timedelta(days=GAP_DAYS)
    return {
        "schools": _by_district(await connection.fetch(queries["coverage_schools"], *asked)),
        "loans": _by_district(await connection.fetch(queries["coverage_loans_by_state"], *asked)),
        "days": _by_district(await connection.fetch(queries["coverage_district_days"], *_span(asked[1]))),
        "sources": _by_district(await connection.fetch(queries["coverage_sources"])),
        "gaps": _by_district(await connection.fetch(queries["coverage_gaps"], since)),
    }


async def _contradicted(
    connection: asyncpg.Connection, districts: Sequence[District], tolerance: float
) -> list[District]:
    """The districts, with what their sources contradict each other in."""
    still_open = await conflict_rows.open_by_district(connection)
    reconciled = await reconciliation_rows.by_district(connection)
    differing = await disagreement_rows.by_district(
        connection,
        [district.district_id for district in districts],
        [district.reported_on for district in districts],
        tolerance=tolerance,
    )
    return [
        replace(
            district,
            conflicts=still_open.get(district.district_id, conflict_rows.NONE_OPEN),
            disagreements=differing.get(district.district_id, ()),
            reconciliation=reconciled.get(district.district_id),
        )
        for district in districts
    ]


async def _with_equity(
    connection: asyncpg.Connection, districts: Sequence[District], floor: float
) -> list[District]:
    ids, days = [one.district_id for one in districts], [one.reported_on for one in districts]
    judged = await equity_rows.by_district(connection, ids, days, floor=floor)
    return [replace(one, equity=judged.get(one.district_id)) for one in districts]


async def _with_alerts(
    connection: asyncpg.Connection, districts: Sequence[District], now: datetime
) -> list[District]:
    standing = await alert_counts.by_district(connection, now=now)
    waiting = await queue_rows.by_district(connection, now=now)
    return [
        replace(
            one,
            alerts=standing.get(one.district_id, alert_counts.NONE),
            queues=waiting.get(one.district_id, queue_rows.EMPTY),
        )
        for one in districts
    ]


async def _with_what_is_beside(
    connection: asyncpg.Connection, districts: Sequence[District], now: datetime
) -> list[District]:
    """The districts, with what helps their schools' students beside loans."""
    told = await beside_rows.by_school(
        connection,
        [district.district_id for district in districts],
        [now.astimezone(district.time_zone).date() for district in districts],
    )
    return [
        replace(
            district,
            schools=tuple(
                replace(school, beside=told[district.district_id, school.ncessch])
                if (district.district_id, school.ncessch) in told
                else school
                for school in district.schools
            ),
        )
        for district in districts
    ]


def _by_district(rows: Iterable[asyncpg.Record]) -> dict[int, list[asyncpg.Record]]:
    grouped: dict[int, list[asyncpg.Record]] = {}
    for row in rows:
        grouped.setdefault(row["district_id"], []).append(row)
    return grouped


def _span(reported: Sequence[date | None]) -> tuple[date | None, date | None]:
    """The first and the last day that any district's history needs; a span of None finds nothing."""
    known = [day for day in reported if day is not None]
    if not known:
        return None, None
    return min(known) - timedelta(days=HISTORY_DAYS - 1), max(known)


def _district(row: Mapping[str, Any], parts: _Parts, floor: float) -> District:
    of = {name: by_district.get(row["district_id"], []) for name, by_district in parts.items()}
    schools = tuple(_made(School, school) for school in of["schools"])
    days = {day["on_day"]: _day(day, floor) for day in of["days"]}
    return District(
        district_id=row["district_id"],
        name=row["name"],
        time_zone=ZoneInfo(row["time_zone"]),
        due_on=row["due_on"],
        reported_on=row["reported_on"],
        day=days.get(row["reported_on"]),
        high_needs=together([school for school in schools if school.is_high_needs], floor=floor),
        others=together([school for school in schools if school.is_high_needs is False], floor=floor),
        schools=schools,
        loans_by_state={count["state"]: count["loans"] for count in of["loans"]},
        sources=tuple(_sources(of["sources"], of["gaps"])),
        history=_history(row["reported_on"], days),
    )


def _made(kind: type[_Row], row: asyncpg.Record) -> _Row:
    """A dataclass from the columns that bear the names of its fields."""
    names = {field.name for field in fields(kind)}  # type: ignore[arg-type]
    return kind(**{name: value for name, value in row.items() if name in names})


def _day(row: asyncpg.Record, floor: float) -> Day:
    is_complete = row["completeness"] is not None and row["completeness"] >= floor
    return replace(_made(Day, row), coverage=row["coverage_if_complete"] if is_complete else None)


def _history(reported_on: date | None, known: Mapping[date, Day]) -> tuple[Day, ...]:
    if reported_on is None:
        return ()
    first = reported_on - timedelta(days=HISTORY_DAYS - 1)
    days = (first + timedelta(days=offset) for offset in range(HISTORY_DAYS))
    return tuple(known.get(day) or Day(on_day=day) for day in days)


def _sources(rows: Iterable[asyncpg.Record], gaps: Sequence[asyncpg.Record]) -> Iterator[Source]:
    for key, same in itertools.groupby(rows, key=lambda row: row["account_key"]):
        groups = list(same)
        yield Source(
            account_key=key,
            collector=groups[0]["collector"],
            cadence=groups[0]["cadence"],
            lag_days=groups[0]["lag_days"],
            unmapped=groups[0]["unmapped"],
            groups=tuple(_made(EndpointGroup, row) for row in groups if row["endpoint_group"] is not None),
            gaps=tuple(_made(Gap, gap) for gap in gaps if gap["account_key"] == key),
        )


def together(schools: Iterable[School], *, floor: float = COMPLETENESS_FLOOR) -> Counts:
    """Schools as one, without those of unknown need: a surplus at one never hides a shortage at another."""
    known = [school for school in schools if school.need is not None]
    if not known:
        return Counts()
    total = {name: sum(getattr(school, name) or 0 for school in known) for name in _SUMMED}
    enrolled = _sum(school.enrolled for school in known)
    complete = 1 - total["unknown"] / total["loaned"] if total["loaned"] else 1.0
    coverage = _ratio(total["covered"], total["need"]) if complete >= floor else None
    return Counts(
        **total,
        enrolled=enrolled,
        served_outside_need=_sum_of_told(school.served_outside_need for school in known),
        unattributed=_sum_of_told(school.unattributed for school in known),
        completeness=complete,
        coverage=coverage,
        coverage_low=None if enrolled is None else _ratio(*_lowest(known)),
        coverage_high=_ratio(_highest(known), total["need"]),
    )


def _sum(values: Iterable[int | None]) -> int | None:
    """None where any is not known."""
    told = list(values)
    return None if None in told else sum(value for value in told if value is not None)


def _sum_of_told(values: Iterable[int | None]) -> int | None:
    """None where none is told."""
    told = [value for value in values if value is not None]
    return sum(told) if told else None


def _lowest(schools: Iterable[School]) -> tuple[int, int]:
    """Covered and in need, if everyone who has not answered were in need."""
    pairs = [(school.adequate or 0, (school.need or 0) + (school.unanswered or 0)) for school in schools]
    return sum(min(adequate, need) for adequate, need in pairs), sum(need for _, need in pairs)


def _highest(schools: Iterable[School]) -> int:
    """Covered, if every loan of unknown state were adequate."""
    return sum(min((school.adequate or 0) + (school.unknown or 0), school.need or 0) for school in schools)


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None
