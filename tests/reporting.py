"""Districts with everything that reports are made of, straight into the tables: for tests, and to measure."""

import contextlib
import uuid
from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta
from urllib.parse import quote, urlsplit, urlunsplit

import asyncpg

from service.store import readers, summaries

ZONE = "America/Los_Angeles"
LIMITS = summaries.Limits()

_DISTRICT = """
INSERT INTO districts (district_id, name, time_zone, computed_through_on) VALUES ($1::integer,
    'District ' || $1::integer, $2, $3)
"""
_PLANS = """
INSERT INTO plans (district_id, plan_key, provider, allowance_bytes, allowance_period, is_pooled, monthly_cost)
VALUES ($1::integer, 'capped', 'Carrier', 10000000000, 'month', false, 15), ($1::integer, 'yearly', 'Carrier',
    100000000000, 'year', false, 10),
    ($1::integer, 'pooled', 'Other carrier', 5000000000, 'cycle', true, NULL)
"""
_ACCOUNTS = """
INSERT INTO accounts (district_id, account_key, collector, time_zone, rank, plan_id)
SELECT $1::integer, t.key, t.collector, $2, t.rank, (SELECT plan_id
    FROM plans WHERE district_id = $1::integer AND plan_key = t.plan)
FROM (VALUES ('kajeet', 'kajeet', 1, 'capped'), ('carrier', 'thingspace', 1, 'yearly'), ('routers', 'netcloud',
    2, NULL),
      ('portal', 'file', 1, 'pooled')) AS t (key, collector, rank, plan)
"""
# One school in four is high-needs, one in fifty not told; the need of one in forty is not known.
_SCHOOLS = """
INSERT INTO schools (district_id, ncessch, name, is_high_needs, high_needs_basis, indicator, indicator_value,
    indicator_year)
SELECT $1::integer, lpad(($1::integer * 10000000::bigint + n)::text, 12, '0'),
    'School ' || n || CASE WHEN n = 7 THEN ' O''Hara' ELSE '' END,
    CASE WHEN n % 50 <> 49 THEN n % 4 = 0 END, 'A list, 2025-26', 'frpl', (n % 20) / 20.0, '2025-26'
FROM generate_series(1, $2::integer) AS n
"""
# Two schools are too small to be told of; the day of one in thirty is incomplete.
_SCHOOL_DAYS = """
INSERT INTO school_days (
    district_id, on_day, school_id, enrolled, answered, need, loaned, active_30, active_7, adequate, unknown, weak,
    exhausted, idle, never_used, suspended, coverage_status, completeness, coverage, coverage_low, coverage_high,
    is_need_exceeded, is_instructional, is_out_of_session, computed_at, need_source
)
SELECT
    $1::integer, d.on_day, d.school_id, d.enrolled, d.answered, d.need, d.loaned, d.adequate + 4, d.adequate + 2,
        d.adequate,
    d.unknown, 2, 1, d.loaned - d.adequate - d.unknown - 6, 2, 1,
    (CASE WHEN d.need IS NULL THEN 'need_unknown' WHEN d.unknown > 3 THEN 'incomplete' ELSE 'known' END)
        ::coverage_status,
    1 - d.unknown::double precision / d.loaned,
    CASE WHEN d.unknown <= 3 THEN least(d.adequate, d.need)::double precision / d.need END,
    CASE WHEN d.need > 0 THEN least(1, d.adequate::double precision / (d.need + d.enrolled - d.answered)) END,
    CASE WHEN d.need > 0 THEN least(1, (d.adequate + d.unknown)::double precision / d.need) END,
        coalesce(d.adequate > d.need, false),
    extract(isodow FROM d.on_day) < 6, false, now(), CASE WHEN d.need IS NOT NULL THEN 'totals'::need_source END
FROM (
    SELECT
        day::date AS on_day, s.school_id, 500 AS enrolled, 440 AS answered, p.place,
        CASE WHEN p.place % 40 = 39 THEN NULL WHEN p.place IN (5, 6) THEN p.place
            ELSE 50 + (p.place % 40)::integer END AS need,
        45 AS loaned, 20 + ((p.place + (day::date - date '2026-01-01')) % 15)::integer AS adequate,
        CASE WHEN (p.place + (day::date - date '2026-01-01')) % 30 = 7 THEN 6 ELSE 1 END AS unknown
    FROM schools AS s
    JOIN (SELECT school_id, row_number() OVER (ORDER BY school_id) AS place
        FROM schools WHERE district_id = $1::integer) AS p
        USING (school_id)
    CROSS JOIN generate_series($2::date::timestamp, $3::date::timestamp, interval '1 day') AS day
    WHERE s.district_id = $1::integer
) AS d
"""
_FLEET = """
INSERT INTO fleet_days (district_id, on_day, account_id, status, lines, lines_used, lines_idle, lines_at_limit,
    used_bytes)
SELECT $1::integer, day::date, a.account_id, t.status::line_status, t.lines, t.lines / 2, t.lines / 4,
    t.lines / 20, t.lines * 1e8
FROM accounts AS a
CROSS JOIN (VALUES ('active', 900), ('suspended', 60), ('deactivated', 20), ('unknown', 20)) AS t (status, lines)
CROSS JOIN generate_series($2::date::timestamp, $3::date::timestamp, interval '1 day') AS day
WHERE a.district_id = $1::integer
"""
_PLAN_DAYS = """
INSERT INTO plan_days (district_id, on_day, plan_id, lines, lines_at_limit, lines_carried, period_bytes)
SELECT $1::integer, day::date, p.plan_id, 1000, 40, CASE WHEN p.plan_key = 'capped' THEN 0 ELSE 1000 END,
    CASE WHEN p.plan_key <> 'capped' THEN 1e11 * extract(day FROM day) END
FROM plans AS p CROSS JOIN generate_series($2::date::timestamp, $3::date::timestamp, interval '1 day') AS day
WHERE p.district_id = $1::integer
"""
_SIGNALS = """
INSERT INTO signal_days (
    district_id, on_day, account_id, lines, samples, lines_weak, median_rsrp_dbm, lowest_rsrp_dbm
)
SELECT $1::integer, day::date, a.account_id, 800, 4800, 30, -95 - extract(isodow FROM day), -112
FROM accounts AS a CROSS JOIN generate_series($2::date::timestamp, $3::date::timestamp, interval '1 day') AS day
WHERE a.district_id = $1::integer AND a.account_key = 'routers'
"""
_WATERMARKS = """
INSERT INTO watermarks (
    district_id, account_id, endpoint_group, watermark_at, last_attempt_at, last_success_at, failing_since_at,
        last_error
)
SELECT $1::integer, account_id, g, now(), now(), now() - interval '1 hour',
    CASE WHEN account_key = 'carrier' THEN now() END,
    CASE WHEN account_key = 'carrier' THEN 'the vendor refused the sign-in' END
FROM accounts CROSS JOIN unnest(ARRAY['lines', 'usage']) AS g
WHERE district_id = $1::integer AND collector <> 'file'
"""
_POLLS = """
INSERT INTO poll_runs (
    district_id, account_id, endpoint_group, instant_at, started_at, finished_at, outcome, lines, rows_written,
        rows_rejected
)
SELECT w.district_id, w.account_id, w.endpoint_group, t, t, t + interval '20 seconds',
    (CASE WHEN extract(hour FROM t) = 3 THEN 'failed' ELSE 'succeeded' END)::poll_outcome, 900, 1800, 1
FROM watermarks AS w CROSS JOIN generate_series($2::date::timestamptz, $3::date::timestamptz, interval '1 hour') AS t
WHERE w.district_id = $1::integer
"""
_ALERTS = """
INSERT INTO alerts (
    district_id, rule, subject, school_id, state, severity, breached_since_at, fired_at, judged_at, value
)
SELECT $1::integer, CASE WHEN n.place % 2 = 0 THEN 'idle_30' ELSE 'coverage_below_target' END,
    'school:' || s.school_id, s.school_id,
    (CASE WHEN n.place % 5 = 0 THEN 'held' ELSE 'firing' END)::alert_state, 'warning',
    $2::date::timestamptz - interval '9 days', $2::date::timestamptz, $2::date::timestamptz, 31
FROM schools AS s
JOIN (
    SELECT school_id, row_number() OVER (ORDER BY school_id) AS place FROM schools WHERE district_id = $1::integer
) AS n USING (school_id)
WHERE s.district_id = $1::integer
UNION ALL
SELECT $1::integer, 'data_stale', 'account:carrier', NULL, 'firing', 'high', $2::date::timestamptz,
    $2::date::timestamptz, $2::date::timestamptz, 3
"""
_FLIPS = """
INSERT INTO flips (district_id, alert_id, kind, old_state, new_state, reason, created_at)
SELECT $1::integer, a.alert_id, t.kind::flip_kind, 'clear', 'firing', 'breached', day + interval '18 hours'
FROM alerts AS a
CROSS JOIN (VALUES ('fired'), ('cleared')) AS t (kind)
CROSS JOIN generate_series($2::date::timestamp, $3::date::timestamp, interval '7 days') AS day
WHERE a.district_id = $1::integer
"""
_RULES = """
INSERT INTO rule_runs (district_id, rule, evaluated_at, judged_on, seconds, breached, unjudged)
SELECT DISTINCT $1::integer, rule, now(), $2::date, 0.2, 3, 0 FROM alerts WHERE district_id = $1::integer
"""
_CHANNELS = """
INSERT INTO channels (district_id, channel_key, last_success_at, failing_since_at, error)
VALUES ($1::integer, 'it-mail', now(), NULL, NULL),
    ($1::integer, 'chat', now() - interval '2 days', now(), 'the receiver is away')
"""
_COSTS = """
INSERT INTO cost_months (
    district_id, month_on, school_id, lines, lines_idle, lines_known, cost, idle_cost, without_cost, computed_at
)
SELECT $1::integer, month::date, s.school_id, 45, 9, 40, 675, 135, 0, now()
FROM (SELECT school_id FROM schools WHERE district_id = $1::integer UNION ALL SELECT 0) AS s
CROSS JOIN generate_series(
    date_trunc('month', $2::date::timestamp), $3::date::timestamp, interval '1 month'
) AS month
"""
_RECONCILIATION = """
INSERT INTO reconciliation_counts (district_id, kind, school_id, findings, oldest_on, monthly_cost, without_cost)
SELECT $1::integer, t.kind, school_id, 2, $2, 30, 0
FROM schools CROSS JOIN (VALUES ('line_without_loan'), ('lost_but_billed')) AS t (kind)
WHERE district_id = $1::integer AND school_id % 3 = 0
"""


async def seed(
    pool: asyncpg.Pool,
    *,
    district_id: int = 1,
    schools: int = 60,
    days: int = 30,
    last: date = date(2026, 11, 20),
) -> None:
    """A district whose reported day is ``last``, with ``days`` of history."""
    span = (last - timedelta(days=days - 1), last)
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute(_DISTRICT, district_id, ZONE, last)
        await connection.execute(_PLANS, district_id)
        await connection.execute(_ACCOUNTS, district_id, ZONE)
        await connection.execute(_SCHOOLS, district_id, schools)
        for statement in (_SCHOOL_DAYS, _FLEET, _PLAN_DAYS, _SIGNALS):
            await connection.execute(statement, district_id, *span)
        await connection.execute(_WATERMARKS, district_id)
        await connection.execute(_POLLS, district_id, *span)
        await connection.execute(_ALERTS, district_id, last)
        await connection.execute(_FLIPS, district_id, *span)
        await connection.execute(_RULES, district_id, last)
        await connection.execute(_CHANNELS, district_id)
        await connection.execute(_COSTS, district_id, *span)
        await connection.execute(_RECONCILIATION, district_id, last)
        await summaries.sum_schools(connection, district_id, *span, LIMITS)
    await summaries.refresh(pool, district_id, LIMITS)


@contextlib.asynccontextmanager
async def reader(pool: asyncpg.Pool, url: str, district_id: int = 1) -> AsyncIterator[str]:
    """A role that may read the district; gives the address to connect to as that role."""
    name, password = f"reader_{uuid.uuid4().hex[:12]}", readers.new_password()
    now = datetime.now(UTC)
    await readers.create(pool, district_id, name, password=password, now=now)
    try:
        yield as_role(url, name, password)
    finally:
        await readers.drop(pool, name)


def as_role(url: str, name: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{name}:{quote(password, safe='')}@{host}"))
