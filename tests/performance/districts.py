"""Many districts straight into the tables, set-wise: for measuring what grows with days and lines."""

from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import asyncpg

ZONE = "America/New_York"
LINES_OF_DISTRICT = 2_000
SCHOOLS_OF_DISTRICT = 20

# Benchmarks write rows as the service never does, so their statements stand here, not in sql/queries.
_DISTRICTS = """
INSERT INTO districts (district_id, name, time_zone)
SELECT d, 'Benchmark ' || d, $2 FROM generate_series(1, $1::integer) AS d
"""
_ACCOUNTS = """
INSERT INTO accounts (district_id, account_key, collector, time_zone, plan_id)
SELECT p.district_id, 'kajeet', 'kajeet', $1, p.plan_id FROM plans AS p
"""
_PLANS = """
INSERT INTO plans (district_id, plan_key, allowance_bytes, monthly_cost)
SELECT district_id, 'standard', 30000000000, 15 FROM districts
"""
_SCHOOLS = """
INSERT INTO schools (district_id, school_id, ncessch, name, is_high_needs, high_needs_basis, indicator, indicator_value)
OVERRIDING SYSTEM VALUE
SELECT 1 + (n - 1) / $2, n, lpad((990000100000 + n)::text, 12, '0'), 'School ' || n, n % 4 = 0, 'Benchmark', 'isp',
    (n % 20) / 20.0
FROM generate_series(1, $1::integer * $2::integer) AS n
"""
_NEEDS = """
INSERT INTO need_counts (district_id, school_id, as_of_on, enrolled, answered, need)
SELECT district_id, school_id, $1::date - 60, 600, 450, 80 + (school_id % 60)::integer FROM schools
"""
_WAITLISTS = """
INSERT INTO waitlist_counts (district_id, school_id, as_of_on, requests)
SELECT district_id, school_id, $1::date - 10, (school_id % 7)::integer FROM schools
"""
_CALENDAR = """
INSERT INTO calendar_days (district_id, on_day, kind)
SELECT district_id, day::date, 'instructional'
FROM districts CROSS JOIN generate_series($1::date - 400, $1::date + 100, interval '1 day') AS day
WHERE extract(isodow FROM day) < 6
"""
_DEVICES = """
INSERT INTO devices (district_id, device_id, imei)
OVERRIDING SYSTEM VALUE
SELECT 1 + (n - 1) / $2, n, lpad((860000000000000 + n)::text, 15, '0')
FROM generate_series(1, $1::integer * $2::integer) AS n
"""
_LINES = """
INSERT INTO lines (district_id, line_id, mdn, observed_since, plan_id)
OVERRIDING SYSTEM VALUE
SELECT d.district_id, d.device_id, '+1' || (2000000000 + d.device_id)::text, timestamptz '2025-01-01', p.plan_id
FROM devices AS d JOIN plans AS p USING (district_id)
"""
_LINKS = """
INSERT INTO line_device_links (district_id, line_id, device_id, starts_at)
SELECT district_id, line_id, line_id, '-infinity' FROM lines
"""
_KEYS = """
INSERT INTO provider_keys (district_id, account_id, provider_key, line_id, identity)
SELECT l.district_id, a.account_id, l.mdn, l.line_id, '' FROM lines AS l JOIN accounts AS a USING (district_id)
"""
# One hotspot in fifty is on the shelf; the others are lent.
_LOANS = """
INSERT INTO loans (district_id, loan_id, device_id, school_id, borrower, checked_out_on)
OVERRIDING SYSTEM VALUE
SELECT 1 + (n - 1) / $2, n, n, 1 + ((n - 1) / $2) * $3 + n % $3, md5(n::text), $4::date - 300
FROM generate_series(1, $1::integer * $2::integer) AS n
WHERE n % 50 > 0
"""
_LATEST = """
INSERT INTO latest_states (district_id, line_id, account_id, read_at, status, raw_status)
SELECT l.district_id, l.line_id, a.account_id, $1::timestamptz, 'active', 'active'
FROM lines AS l JOIN accounts AS a USING (district_id)
"""
# A quarter of the lines moves nothing, one in fifty is blind, one in forty suspended.
_LINE_DAYS = """
INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes, basis, status, is_state_fresh)
SELECT
    l.district_id, $1::date, l.line_id, a.account_id,
    CASE WHEN l.line_id % 50 = 7 THEN NULL WHEN l.line_id % 4 = 0 THEN 0 ELSE (l.line_id * 7919 % 500) * 1000000 END,
    CASE WHEN l.line_id % 50 = 7 THEN NULL ELSE 'bucket'::line_day_basis END,
    CASE WHEN l.line_id % 40 = 3 THEN 'suspended'::line_status ELSE 'active' END,
    true
FROM lines AS l JOIN accounts AS a USING (district_id)
"""
# Of the last days there are readings too, as the last days are computed from them: four totals and states a day.
_USAGE = """
INSERT INTO usage_readings (district_id, line_id, account_id, kind, series, starts_at, total_bytes)
SELECT
    l.district_id, l.line_id, a.account_id, 'counter', 'day',
    ($1::date + make_interval(hours => hour)) AT TIME ZONE a.time_zone,
    CASE WHEN l.line_id % 4 = 0 THEN 0 ELSE (l.line_id * 7919 % 500) * 40000::bigint * hour END
FROM lines AS l JOIN accounts AS a USING (district_id) CROSS JOIN unnest(ARRAY[5, 11, 17, 23]) AS hour
WHERE l.line_id % 50 <> 7
"""
_STATES = """
INSERT INTO state_readings (district_id, line_id, account_id, kind, series, starts_at, status, is_online)
SELECT
    l.district_id, l.line_id, a.account_id, 'sample', 'line',
    ($1::date + make_interval(hours => hour)) AT TIME ZONE a.time_zone,
    CASE WHEN l.line_id % 40 = 3 THEN 'suspended'::line_status ELSE 'active' END, l.line_id % 3 > 0
FROM lines AS l JOIN accounts AS a USING (district_id) CROSS JOIN unnest(ARRAY[5, 11, 17, 23]) AS hour
"""
_LOAN_DAYS = """
INSERT INTO loan_days (
    district_id, on_day, loan_id, school_id, state, is_used_7, is_used_30, is_coarse, used_bytes, last_used_on,
    last_unknown_on, observed_since_on, idle_days, computed_at
)
SELECT
    district_id, $1::date, loan_id, school_id,
    CASE WHEN device_id % 4 = 0 THEN 'idle'::loan_state ELSE 'adequate' END, device_id % 4 > 0, device_id % 4 > 0,
    false, 1000000, $1::date, $1::date - 400, $1::date - 400, 0, now()
FROM loans
"""


@dataclass(frozen=True)
class Size:
    lines: int
    days: int
    lines_of_district: int = LINES_OF_DISTRICT
    schools_of_district: int = SCHOOLS_OF_DISTRICT

    @property
    def districts(self) -> int:
        return max(1, self.lines // self.lines_of_district)


async def seed(pool: asyncpg.Pool, size: Size, *, today: date, with_readings: bool = True) -> None:
    """Every district with its records, its history up to yesterday, and the readings of the last days."""
    async with pool.acquire() as connection:
        await connection.execute(
            "SET session_replication_role = replica"
        )  # no foreign key is checked while writing
        await connection.execute("SET synchronous_commit = off")
        await _records(connection, size, today)
        await connection.execute(
            "SELECT ensure_partitions($1, $2)", today - timedelta(days=size.days), today + timedelta(days=1)
        )
        for offset in range(size.days, 0, -1):
            day = today - timedelta(days=offset)
            await connection.execute(_LINE_DAYS, day)
            await connection.execute(_LOAN_DAYS, day)
        for day in (today - timedelta(days=offset) for offset in (2, 1, 0) if with_readings):
            await connection.execute(_USAGE, day)
            await connection.execute(_STATES, day)
        await connection.execute("UPDATE districts SET computed_through_on = $1", today - timedelta(days=1))
        await connection.execute("RESET session_replication_role")
    await pool.execute("VACUUM ANALYZE")


async def _records(connection: asyncpg.Connection, size: Size, today: date) -> None:
    await connection.execute(_DISTRICTS, size.districts, ZONE)
    await connection.execute(_PLANS)
    await connection.execute(_ACCOUNTS, ZONE)
    await connection.execute(_SCHOOLS, size.districts, size.schools_of_district)
    await connection.execute(_NEEDS, today)
    await connection.execute(_WAITLISTS, today)
    await connection.execute(_CALENDAR, today)
    await connection.execute(_DEVICES, size.districts, size.lines_of_district)
    for statement in (_LINES, _LINKS, _KEYS):
        await connection.execute(statement)
    await connection.execute(_LOANS, size.districts, size.lines_of_district, size.schools_of_district, today)
    await connection.execute(_LATEST, datetime.combine(today + timedelta(days=1), time(4), UTC))
