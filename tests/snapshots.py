"""A district of twelve schools of every kind, as rows in the database or as a snapshot in memory."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import asyncpg

from service.store import conflicts, coverage, disagreements

ZONE = "America/Phoenix"
TODAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 20, 21, 5, tzinfo=UTC)  # 2:05 PM in Phoenix
REPORTED_ON = date(2026, 11, 17)  # the carrier needs two days

NEED_UNKNOWN = "Juniper Academy"
INCOMPLETE = "Ocotillo Elementary"
NOT_APPLICABLE = "Palo Verde Elementary"
NEED_EXCEEDED = "Saguaro Middle"
SMALL = "Tumbleweed Preschool"
IN_A_BREAK = "Yucca Elementary"


@dataclass(frozen=True, kw_only=True)
class SchoolRow:
    """What is told of a school on a day; the rest follows from it."""

    name: str
    enrolled: int | None = 400
    answered: int | None = 360
    need: int | None = 60
    loaned: int = 55
    active_7: int = 50
    adequate: int = 45
    unknown: int = 2
    is_high_needs: bool | None = False
    is_break: bool = False

    def ratios(self) -> dict[str, object]:
        """The stored results of the definitions, worked out by hand here and by SQL in the service."""
        completeness = 1 - self.unknown / self.loaned if self.loaned else 1.0
        found: dict[str, object] = {
            "completeness": completeness,
            "coverage_status": self._status(completeness),
        }
        if self.need:
            assert self.enrolled is not None
            assert self.answered is not None
            if found["coverage_status"] == "known":
                found["coverage"] = min(self.adequate, self.need) / self.need
            found["coverage_low"] = min(1.0, self.adequate / (self.need + self.enrolled - self.answered))
            found["coverage_high"] = min(1.0, (self.adequate + self.unknown) / self.need)
        return found

    def _status(self, completeness: float) -> str:
        if self.need is None:
            return "need_unknown"
        if self.need == 0:
            return "not_applicable"
        return "known" if completeness >= coverage.COMPLETENESS_FLOOR else "incomplete"


SCHOOLS = (
    SchoolRow(name="Agave Elementary", adequate=51, active_7=53),
    SchoolRow(
        name="Cholla Elementary", need=140, loaned=98, active_7=71, adequate=55, unknown=6, is_high_needs=True
    ),
    SchoolRow(name="Desert Willow K-8", need=35, loaned=33, active_7=31, adequate=30, unknown=0),
    SchoolRow(
        name="Ironwood High", enrolled=1850, answered=1310, need=210, loaned=180, active_7=161, adequate=148
    ),
    SchoolRow(
        name=NEED_UNKNOWN, enrolled=None, answered=None, need=None, loaned=14, active_7=12, adequate=11
    ),
    SchoolRow(
        name="Mesquite Middle",
        enrolled=720,
        answered=610,
        need=155,
        loaned=120,
        adequate=88,
        is_high_needs=True,
    ),
    SchoolRow(name=INCOMPLETE, need=48, loaned=44, active_7=18, adequate=16, unknown=21),
    SchoolRow(name=NOT_APPLICABLE, need=0, answered=395, loaned=0, active_7=0, adequate=0, unknown=0),
    SchoolRow(name=NEED_EXCEEDED, enrolled=640, answered=600, need=20, loaned=31, active_7=29, adequate=28),
    SchoolRow(
        name="Sonora High",
        enrolled=1400,
        answered=980,
        need=260,
        loaned=205,
        adequate=128,
        is_high_needs=True,
    ),
    SchoolRow(name=SMALL, enrolled=60, answered=60, need=4, loaned=4, active_7=4, adequate=4, unknown=0),
    SchoolRow(
        name=IN_A_BREAK, need=52, loaned=40, active_7=37, adequate=35, is_high_needs=None, is_break=True
    ),
)


async def insert(pool: asyncpg.Pool, *, district_id: int = 7, schools: Sequence[SchoolRow] = SCHOOLS) -> None:
    """A district with 90 days of school days, its accounts and their polls."""
    await insert_district(pool, district_id=district_id)
    for index, school in enumerate(schools):
        school_id = await insert_school(pool, school, index=index, district_id=district_id)
        await insert_days(pool, school, school_id=school_id, district_id=district_id)
    await insert_accounts(pool, district_id=district_id)


async def insert_district(
    pool: asyncpg.Pool,
    *,
    district_id: int = 7,
    name: str = "Sonoran Unified School District",
    computed_through_on: date | None = TODAY - timedelta(days=1),
) -> None:
    await pool.execute(
        "INSERT INTO districts (district_id, name, time_zone, computed_through_on) VALUES ($1, $2, $3, $4)",
        district_id,
        name,
        ZONE,
        computed_through_on,
    )


async def insert_school(pool: asyncpg.Pool, school: SchoolRow, *, index: int, district_id: int = 7) -> int:
    basis = "Title I schoolwide 2026-27" if school.is_high_needs else None
    found: int = await pool.fetchval(
        "INSERT INTO schools (district_id, ncessch, name, is_high_needs, high_needs_basis) "
        "VALUES ($1, $2, $3, $4, $5) RETURNING school_id",
        district_id,
        ncessch(index),
        school.name,
        school.is_high_needs,
        basis,
    )
    return found


def ncessch(index: int) -> str:
    return f"0400{index:08d}"


async def insert_days(
    pool: asyncpg.Pool,
    school: SchoolRow,
    *,
    school_id: int,
    district_id: int = 7,
    days: int = 90,
) -> None:
    """The reported day as it is told, and the days before it with a break, a blind week and a slow rise."""
    rows = [
        _school_day(earlier(school, ago), district_id, school_id, REPORTED_ON - timedelta(days=ago))
        for ago in range(days)
        if ago != 61  # a day that was never computed
    ]
    await pool.copy_records_to_table(
        "school_days", records=[tuple(row.values()) for row in rows], columns=[*rows[0]]
    )


def earlier(school: SchoolRow, ago: int) -> SchoolRow:
    if ago == 0:
        return school
    reached = school.adequate * (1 - ago / 200) + (ago * 7 % 5 - 2) * school.adequate / 60
    adequate = max(0, min(school.loaned, round(reached)))
    unknown = min(school.unknown, school.loaned - adequate)
    if 30 <= ago < 34:  # blind
        unknown = round(school.loaned * 0.4)
        adequate = min(adequate, school.loaned - unknown)
    return replace(
        school, adequate=adequate, unknown=unknown, is_break=40 <= ago < 47 or (school.is_break and ago < 3)
    )


def _school_day(school: SchoolRow, district_id: int, school_id: int, on_day: date) -> dict[str, object]:
    rest = school.loaned - school.adequate - school.unknown
    idle = rest // 2
    ratios = {"coverage": None, "coverage_low": None, "coverage_high": None} | school.ratios()
    return {
        "district_id": district_id,
        "on_day": on_day,
        "school_id": school_id,
        "enrolled": school.enrolled,
        "answered": school.answered,
        "need": school.need,
        "loaned": school.loaned,
        "active_30": max(school.active_7, school.adequate),
        "active_7": max(school.active_7, school.adequate),
        "adequate": school.adequate,
        "unknown": school.unknown,
        "weak": 0,
        "exhausted": 0,
        "idle": idle,
        "never_used": 0,
        "suspended": rest - idle,
        "is_need_exceeded": school.need is not None and school.adequate > school.need,
        "is_out_of_session": school.is_break,
        "computed_at": NOW,
        **ratios,
    }


async def insert_accounts(pool: asyncpg.Pool, *, district_id: int = 7) -> None:
    """A carrier that is fresh with a gap, a device manager that fails, and a file."""
    minutes = timedelta(minutes=1)
    carrier = await insert_account(pool, "carrier", "thingspace", lag_days=2, district_id=district_id)
    manager = await insert_account(pool, "routers", "ncm", rank=2, district_id=district_id)
    await insert_account(pool, "portal", "file", rank=3, lag_days=9, district_id=district_id)
    await insert_watermark(
        pool, carrier, "lines", NOW - 12 * minutes, NOW - 12 * minutes, district_id=district_id
    )
    await insert_watermark(
        pool, carrier, "usage", NOW - 3 * minutes, NOW - 3 * minutes, district_id=district_id
    )
    await insert_watermark(
        pool,
        manager,
        "devices",
        NOW - 9 * minutes,
        NOW - 200 * minutes,
        failing_since_at=NOW - 140 * minutes,
        last_error="HTTP 401: the key was refused",
        district_id=district_id,
    )
    await pool.execute(
        "INSERT INTO poll_gaps VALUES ($1, $2, 'lines', $3, $4), ($1, $2, 'usage', $3, $5)",
        district_id,
        carrier,
        NOW - timedelta(days=3),
        NOW - timedelta(days=3) + 90 * minutes,
        NOW - timedelta(days=3) + 200 * minutes,
    )
    await pool.execute(
        "INSERT INTO poll_runs (district_id, account_id, endpoint_group, instant_at, started_at, "
        "finished_at, outcome, rows_rejected) VALUES ($1, $2, 'lines', $3, $3, $3, 'succeeded', 4), "
        "($1, $2, 'lines', $4, $4, NULL, 'running', 9)",
        district_id,
        carrier,
        NOW - 12 * minutes,
        NOW,
    )


async def insert_account(
    pool: asyncpg.Pool, key: str, collector: str, *, rank: int = 1, lag_days: int = 0, district_id: int = 7
) -> int:
    found: int = await pool.fetchval(
        "INSERT INTO accounts (district_id, account_key, collector, time_zone, lag_days, rank) "
        "VALUES ($1, $2, $3, $4, $5, $6) RETURNING account_id",
        district_id,
        key,
        collector,
        ZONE,
        lag_days,
        rank,
    )
    return found


async def insert_watermark(
    pool: asyncpg.Pool,
    account_id: int,
    group: str,
    last_attempt_at: datetime,
    last_success_at: datetime | None,
    *,
    failing_since_at: datetime | None = None,
    last_error: str | None = None,
    district_id: int = 7,
) -> None:
    await pool.execute(
        "INSERT INTO watermarks (district_id, account_id, endpoint_group, last_attempt_at, last_success_at, "
        "failing_since_at, last_error) VALUES ($1, $2, $3, $4, $5, $6, $7)",
        district_id,
        account_id,
        group,
        last_attempt_at,
        last_success_at,
        failing_since_at,
        last_error,
    )


def school(row: SchoolRow = SCHOOLS[0], *, index: int = 0) -> coverage.School:
    """A school as it is in a snapshot."""
    stored = _school_day(row, 7, index, REPORTED_ON)
    names = {field.name for field in fields(coverage.School)}
    return coverage.School(
        name=row.name,
        ncessch=ncessch(index),
        is_high_needs=row.is_high_needs,
        high_needs_basis="Title I schoolwide 2026-27" if row.is_high_needs else None,
        status=str(stored["coverage_status"]),
        covered=None if row.need is None else min(row.adequate, row.need),
        unserved=None if row.need is None else max(0, row.need - row.loaned),
        **{name: value for name, value in stored.items() if name in names},  # type: ignore[arg-type]
    )


def snapshot(rows: Sequence[SchoolRow] = SCHOOLS, *, districts: int = 1) -> coverage.Snapshot:
    """The same district without a database."""
    schools = tuple(school(row, index=index) for index, row in enumerate(rows))
    made = tuple(district(schools, district_id=7 + index) for index in range(districts))
    return coverage.Snapshot(taken_at=NOW, districts=made)


def district(schools: Sequence[coverage.School], *, district_id: int = 7) -> coverage.District:
    known = [found for found in schools if found.need is not None]
    total = asdict(coverage.together(schools))
    day = coverage.Day(
        on_day=REPORTED_ON,
        schools_with_need=len(known),
        schools_without_need=len(schools) - len(known),
        is_out_of_session=False,
        **total,
    )
    return coverage.District(
        district_id=district_id,
        name="Sonoran Unified School District",
        time_zone=ZoneInfo(ZONE),
        due_on=REPORTED_ON,
        reported_on=REPORTED_ON,
        day=day,
        high_needs=coverage.together(found for found in schools if found.is_high_needs),
        others=coverage.together(found for found in schools if found.is_high_needs is False),
        schools=tuple(schools),
        loans_by_state={"adequate": 620, "unknown": 61, "idle": 90},
        sources=sources(),
        history=(coverage.Day(on_day=REPORTED_ON - timedelta(days=1)), day),
        conflicts=open_conflicts(),
        disagreements=(disagreement(district_id),),
    )


def open_conflicts(count: int = 1) -> conflicts.Open:
    conflict = conflicts.Conflict(
        district_id=7,
        conflict_id=31,
        kind="line_device",
        line_id=4001,
        device_id=5001,
        other_device_id=5002,
        account_key="routers",
        against_account_key="carrier",
        opened_at=NOW - timedelta(hours=5),
    )
    return conflicts.Open(count, (conflict,) if count else ())


def disagreement(district_id: int = 7) -> disagreements.Disagreement:
    return disagreements.Disagreement(
        district_id=district_id,
        account_key="carrier",
        other_account_key="routers",
        lines_compared=200,
        lines_disagreeing=12,
    )


def sources() -> tuple[coverage.Source, ...]:
    group = coverage.EndpointGroup(
        endpoint_group="lines",
        every=timedelta(hours=1),
        last_attempt_at=NOW - timedelta(minutes=12),
        last_success_at=NOW - timedelta(minutes=12),
        failing_since_at=None,
        last_error=None,
        rows_rejected=0,
    )
    hour = timedelta(hours=1)
    source = coverage.Source(
        account_key="carrier", collector="thingspace", cadence=hour, lag_days=2, groups=(group,), gaps=()
    )
    return (source,)


async def insert_loan_days(pool: asyncpg.Pool, states: Sequence[str], *, district_id: int = 7) -> None:
    """A loan in each of the states on the reported day, and one more the day before."""
    await pool.execute("SELECT ensure_partitions($1, $1)", REPORTED_ON)
    school_id = await pool.fetchval("SELECT min(school_id) FROM schools WHERE district_id = $1", district_id)
    for state in states:
        await pool.execute(
            "WITH device AS (INSERT INTO devices (district_id, serial) VALUES ($1, gen_random_uuid()::text) "
            "RETURNING device_id), "
            "loan AS (INSERT INTO loans (district_id, device_id, school_id, checked_out_on) "
            "SELECT $1, device_id, $2, $3::date - 9 FROM device RETURNING loan_id) "
            "INSERT INTO loan_days (district_id, on_day, loan_id, school_id, state, is_coarse, idle_days, "
            "computed_at) SELECT $1, day, loan_id, $2, $4::loan_state, false, 0, $5 "
            "FROM loan CROSS JOIN unnest(ARRAY[$3::date, $3::date - 1]) AS day",
            district_id,
            school_id,
            REPORTED_ON,
            state,
            NOW,
        )
