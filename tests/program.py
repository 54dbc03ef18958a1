"""The district of ``snapshots`` with bands of need, lines, loans and two pilots, as the pages and commands show it."""

from dataclasses import replace
from datetime import timedelta

import asyncpg

from service.model import pilots
from service.store import coverage, hourly
from tests import snapshots

DISTRICT = 7
SCHOOLS = tuple(snapshots.ncessch(index) for index in range(12))
STARTED_ON = snapshots.REPORTED_ON - timedelta(days=27)
PILOTS = (
    pilots.Pilot(
        name="Evening calls",
        question="Do calls to families in the evening raise the use of hotspots?",
        schools=(SCHOOLS[1], SCHOOLS[5]),
        comparison=(SCHOOLS[9], SCHOOLS[3]),
        starts_on=STARTED_ON,
    ),
    pilots.Pilot(
        name="Parent desk",
        question="Does a help desk in Spanish help?",
        schools=(SCHOOLS[10],),
        comparison=(),
        starts_on=STARTED_ON,
        ends_on=STARTED_ON + timedelta(days=6),
    ),
)

_INDICATORS = """
UPDATE schools AS s SET indicator = 'frpl', indicator_value = 0.08 * n.place, indicator_year = '2025-26'
FROM (SELECT school_id, row_number() OVER (ORDER BY ncessch) AS place FROM schools WHERE district_id = $1) AS n
WHERE s.district_id = $1 AND s.school_id = n.school_id AND n.place <> 2
"""
_LINES = """
WITH plan AS (
    INSERT INTO plans (district_id, plan_key, monthly_cost) VALUES ($1, 'basic', 15) RETURNING plan_id
), numbered AS (
    SELECT school_id, row_number() OVER (ORDER BY ncessch) AS place FROM schools WHERE district_id = $1
), made AS (
    INSERT INTO devices (district_id, imei)
    SELECT $1, lpad((860000000000000 + n)::text, 15, '0') FROM generate_series(1, 60) AS n
    RETURNING device_id, imei::bigint - 860000000000000 AS n
), links AS (
    INSERT INTO lines (district_id, iccid, mdn, observed_since, plan_id)
    SELECT $1, (8901000000000000000 + n)::text, '+1' || (2125500000 + n)::text, $2::date - 100,
        CASE WHEN n % 20 = 0 THEN NULL ELSE plan_id END
    FROM made CROSS JOIN plan
    RETURNING line_id, iccid::numeric - 8901000000000000000 AS n
), held AS (
    INSERT INTO line_device_links (district_id, line_id, device_id, starts_at)
    SELECT $1, line_id, device_id, '-infinity' FROM links JOIN made USING (n)
)
INSERT INTO loans (district_id, device_id, school_id, borrower, checked_out_on)
SELECT $1, device_id, school_id, 'pseudonym-' || n, $2::date - 80
FROM made JOIN numbered ON place = 1 + n % 4
WHERE n <= 50
"""
_LOAN_DAYS = """
INSERT INTO loan_days (district_id, on_day, loan_id, school_id, state, is_coarse, idle_days, computed_at, last_used_on,
    observed_since_on)
SELECT l.district_id, $2::date, l.loan_id, l.school_id,
    (CASE l.loan_id % 5 WHEN 0 THEN 'never_used' WHEN 1 THEN 'idle' WHEN 2 THEN 'unknown' ELSE 'adequate'
     END)::loan_state,
    false, CASE WHEN l.loan_id % 5 < 3 THEN 45 ELSE 0 END, $2::date, CASE WHEN l.loan_id % 5 = 1 THEN $2::date - 45 END,
    l.checked_out_on
FROM loans AS l WHERE l.district_id = $1
"""
_LINE_DAYS = """
INSERT INTO line_days (district_id, on_day, line_id, account_id, used_bytes, basis, status, is_state_fresh)
SELECT $1, day::date, n.line_id, a.account_id,
    CASE WHEN n.line_id % 7 = 0 THEN NULL WHEN n.line_id % 3 = 0 THEN 0 ELSE 1000000 END,
    CASE WHEN n.line_id % 7 > 0 THEN 'bucket'::line_day_basis END, 'active', true
FROM lines AS n
CROSS JOIN generate_series($2::date - 60, $2::date, '1 day') AS day
JOIN accounts AS a ON a.district_id = $1 AND a.account_key = 'carrier'
WHERE n.district_id = $1
"""


async def insert(pool: asyncpg.Pool) -> None:
    await snapshots.insert(pool, district_id=DISTRICT)
    await pool.execute(
        "SELECT ensure_partitions($1, $2)", snapshots.REPORTED_ON - timedelta(days=60), snapshots.TODAY
    )
    await pool.execute(_INDICATORS, DISTRICT)
    for statement in (_LINES, _LOAN_DAYS, _LINE_DAYS):
        await pool.execute(statement, DISTRICT, snapshots.REPORTED_ON)
    weekend = (
        "UPDATE school_days SET is_instructional = extract(isodow FROM on_day) < 6 WHERE district_id = $1"
    )
    await pool.execute(weekend, DISTRICT)


async def snapshot(pool: asyncpg.Pool, kept: hourly.Kept | None = None) -> coverage.Snapshot:
    """As the service reads it."""
    found = await coverage.snapshot(pool, now=snapshots.NOW)
    (district,) = found.districts
    assert district.reported_on is not None
    program = await (kept or hourly.Kept()).program(
        pool,
        DISTRICT,
        district.reported_on,
        now=snapshots.NOW,
        time_zone=district.time_zone.key,
        pilots=PILOTS,
    )
    return replace(found, districts=(replace(district, program=program),))
