"""A large district straight into the tables, set-wise: for measuring what comes after the readings."""

from datetime import date, timedelta

import asyncpg

DISTRICT = 1
ZONE = "America/New_York"

# Benchmarks write rows as the service never does, so their statements stand here, not in sql/queries.
_DISTRICT = """
INSERT INTO districts (district_id, name, time_zone) VALUES ($1, 'Benchmark', $2)
"""
_ACCOUNT = """
INSERT INTO accounts (district_id, account_key, collector, time_zone) VALUES ($1, 'kajeet', 'kajeet', $2)
RETURNING account_id
"""
_FLEET = """
WITH schools AS (
    INSERT INTO schools (district_id, ncessch, name, is_high_needs)
    SELECT $1, lpad((990000100000 + n)::text, 12, '0'), 'School ' || n, n % 4 = 0
    FROM generate_series(1, $4::integer) AS n
    RETURNING school_id
), numbered AS (
    SELECT school_id, row_number() OVER (ORDER BY school_id) AS place FROM schools
), needs AS (
    INSERT INTO need_counts (district_id, school_id, as_of_on, enrolled, answered, need)
    SELECT $1, school_id, $5::date - 60, 600, 450, 120 FROM schools
), made_devices AS (
    INSERT INTO devices (district_id, device_id, imei)
    OVERRIDING SYSTEM VALUE
    SELECT $1, n, lpad((860000000000000 + n)::text, 15, '0') FROM generate_series(1, $3::integer) AS n
), made_lines AS (
    INSERT INTO lines (district_id, line_id, mdn, observed_since)
    OVERRIDING SYSTEM VALUE
    SELECT $1, n, '+1' || (2000000000 + n)::text, $5::timestamptz - interval '400 days'
    FROM generate_series(1, $3::integer) AS n
), links AS (
    INSERT INTO line_device_links (district_id, line_id, device_id, starts_at)
    SELECT $1, n, n, '-infinity' FROM generate_series(1, $3::integer) AS n
), keys AS (
    INSERT INTO provider_keys (district_id, account_id, provider_key, line_id, identity)
    SELECT $1, $2, (2000000000 + n)::text, n, '' FROM generate_series(1, $3::integer) AS n
), latest AS (
    INSERT INTO latest_states (district_id, line_id, account_id, read_at, status, raw_status)
    SELECT $1, n, $2, $5::timestamptz + interval '23 hours', 'active', 'active'
    FROM generate_series(1, $3::integer) AS n
)
INSERT INTO loans (district_id, loan_id, device_id, school_id, borrower, checked_out_on)
OVERRIDING SYSTEM VALUE
SELECT $1, n, n, s.school_id, md5(n::text), $5::date - 400
FROM generate_series(1, $3::integer) AS n
JOIN numbered AS s ON s.place = 1 + n % $4::integer
"""
_LINE_DAYS = """
INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes, basis, status)
SELECT
    $1, $4::date, n, $2,
    CASE WHEN n % 50 = 0 THEN NULL WHEN n % 4 = 0 THEN 0 ELSE (n * 7919 % 500) * 1000000 END,
    CASE WHEN n % 50 = 0 THEN NULL ELSE 'bucket'::line_day_basis END,
    CASE WHEN n % 40 = 0 THEN 'suspended'::line_status ELSE 'active' END
FROM generate_series(1, $3::integer) AS n
"""
_LOAN_DAYS = """
INSERT INTO loan_days (
    district_id, on_day, loan_id, school_id, state, is_used_7, is_used_30, is_coarse, used_bytes, last_used_on,
    last_unknown_on, observed_since_on, idle_days, computed_at
)
SELECT
    $1, $2::date, loan_id, school_id, 'adequate', true, true, false, 1000000, $2::date, $2::date - 400, $2::date - 400,
    0, now()
FROM loans
WHERE district_id = $1
"""


async def fleet(pool: asyncpg.Pool, *, lines: int, schools: int, today: date) -> int:
    """Devices, lines, loans, schools and needs; returns the account."""
    await pool.execute(_DISTRICT, DISTRICT, ZONE)
    account_id: int = await pool.fetchval(_ACCOUNT, DISTRICT, ZONE)
    await pool.execute(_FLEET, DISTRICT, account_id, lines, schools, today)
    return account_id


async def history(pool: asyncpg.Pool, *, account_id: int, lines: int, first: date, last: date) -> None:
    """A line day and a loan day of every line for each day; foreign keys are not checked while writing."""
    await pool.execute("SELECT ensure_partitions($1, $2)", first, last + timedelta(days=1))
    day = first
    async with pool.acquire() as connection:
        await connection.execute("SET session_replication_role = replica")
        while day <= last:
            await connection.execute(_LINE_DAYS, DISTRICT, account_id, lines, day)
            await connection.execute(_LOAN_DAYS, DISTRICT, day)
            day += timedelta(days=1)
        await connection.execute("RESET session_replication_role")
    await pool.execute("UPDATE districts SET computed_through_on = $2 WHERE district_id = $1", DISTRICT, last)


async def one_more_day(pool: asyncpg.Pool, *, account_id: int, lines: int, day: date) -> None:
    """Line days only: their loan states are what is measured."""
    await pool.execute(_LINE_DAYS, DISTRICT, account_id, lines, day)
