-- month_district --
-- Parameters: district.
SELECT name, need_mode::text AS need_mode FROM districts WHERE district_id = $1;

-- month_figure_days --
-- The last day of a period that has figures; the day that its figure is of, the last one with school on which enough
-- loans were heard from, over the schools whose need is known, as the package's totals are (over all schools where no
-- school's need is known); and the first and the last day that have figures at all. Parameters: district, first day,
-- last day, completeness floor.
WITH sums AS (
    SELECT
        on_day, bool_or(is_instructional IS DISTINCT FROM false) AS is_day,
        CASE WHEN count(need) > 0 THEN sum(loaned) FILTER (WHERE need IS NOT NULL) ELSE sum(loaned) END AS loaned,
        CASE WHEN count(need) > 0 THEN sum(unknown) FILTER (WHERE need IS NOT NULL) ELSE sum(unknown) END AS unknown
    FROM school_days
    WHERE district_id = $1 AND on_day BETWEEN $2 AND $3
    GROUP BY on_day
),
days AS (
    SELECT on_day, is_day AND (loaned = 0 OR 1 - unknown::double precision / loaned >= $4) AS is_figure FROM sums
)
SELECT
    (SELECT max(on_day) FROM days) AS through_on,
    (SELECT max(on_day) FROM days WHERE is_figure) AS figure_on,
    (SELECT min(on_day) FROM school_days WHERE district_id = $1) AS first_on,
    (SELECT max(on_day) FROM school_days WHERE district_id = $1) AS last_on;

-- month_instructional_days --
-- Days with school in a month; NULL: no calendar reaches into it. Parameters: district, first day, last day.
SELECT (count(*) FILTER (WHERE on_day BETWEEN $2 AND $3 AND kind IN ('instructional', 'half_day')))::integer
FROM calendar_days
WHERE district_id = $1
HAVING min(on_day) <= $3 AND max(on_day) >= $2;

-- month_schools --
-- Every school that has figures in a period, with those of a day (NULLs where there is no such day, or it has none then),
-- the newest waitlist, and the weekly hours of other supports at the end. Parameters: district, first day, last day,
-- the day of the figures.
SELECT
    s.school_id, s.ncessch, s.name, s.is_high_needs, s.high_needs_basis, s.indicator::text AS indicator,
    s.indicator_value, s.indicator_year,
    d.enrolled, d.answered, d.need, d.loaned, d.active_30, d.active_7, d.adequate, d.unknown,
    d.need_source::text AS need_source, d.completeness, d.coverage_status::text AS coverage_status, d.is_need_exceeded,
    (
        SELECT w.requests FROM waitlist_counts AS w
        WHERE w.district_id = $1 AND w.school_id = s.school_id AND w.as_of_on <= coalesce($4::date, $3)
        ORDER BY w.as_of_on DESC LIMIT 1
    ) AS waitlist,
    coalesce(h.library_hours, 0)::double precision AS library_hours,
    coalesce(h.activity_bus_hours, 0)::double precision AS activity_bus_hours
FROM schools AS s
LEFT JOIN school_days AS d ON d.district_id = $1 AND d.school_id = s.school_id AND d.on_day = $4::date
LEFT JOIN (
    SELECT
        school_id, sum(weekly_hours) FILTER (WHERE kind = 'library_hours') AS library_hours,
        sum(weekly_hours) FILTER (WHERE kind = 'activity_bus') AS activity_bus_hours
    FROM supports
    WHERE district_id = $1 AND starts_on <= $3 AND (ends_on IS NULL OR ends_on > $3)
    GROUP BY school_id
) AS h ON h.school_id = s.school_id
WHERE s.district_id = $1 AND s.school_id IN (
    SELECT o.school_id FROM school_days AS o WHERE o.district_id = $1 AND o.on_day BETWEEN $2 AND $3
)
ORDER BY s.ncessch;

-- month_idle --
-- By school, its open loans that were not used for 30, 60 and 90 days, as reclaim_loans counts them, on a day; those that
-- had been reported lost by then are none. Parameters: district, day.
WITH unused AS (
    SELECT o.loan_id, o.school_id, o.idle_days
    FROM loan_days AS o
    JOIN loans AS l USING (district_id, loan_id)
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.state IN ('never_used', 'idle')
        AND (l.lost_on IS NULL OR l.lost_on > $2) AND (o.idle_days >= 30 OR o.is_coarse)
)
SELECT
    q.school_id,
    (count(*) FILTER (WHERE q.days >= 30))::integer AS idle_30,
    (count(*) FILTER (WHERE q.days >= 60))::integer AS idle_60,
    (count(*) FILTER (WHERE q.days >= 90))::integer AS idle_90
FROM (
    SELECT u.school_id, greatest(u.idle_days, coalesce(p.zero_days, 0)) AS days
    FROM unused AS u
    LEFT JOIN file_idle_days($1, $2) AS p USING (loan_id)
) AS q
GROUP BY q.school_id;

-- month_lost --
-- By school, the loans reported lost, stolen or broken in a period. Parameters: district, first day, last day.
SELECT l.school_id, count(*)::integer AS lost
FROM loans AS l
JOIN devices AS d USING (district_id, device_id)
WHERE l.district_id = $1 AND l.lost_on BETWEEN $2 AND $3 AND d.kind IN ('hotspot', 'fixed_router')
GROUP BY l.school_id;

-- month_use --
-- By school, what its loans used in a period, of how many devices with a byte, and the days on which none of its open
-- loans was heard from: not a day's bytes, no file's period, and no suspension. Parameters: district, first day, last day.
WITH grouped AS MATERIALIZED (
    SELECT
        school_id, loan_id, on_day, sum(used_bytes) AS used_bytes,
        bool_or(used_bytes IS NOT NULL OR is_coarse OR state = 'suspended') AS is_heard
    FROM loan_days
    WHERE district_id = $1 AND on_day BETWEEN $2 AND $3
    GROUP BY GROUPING SETS ((school_id, loan_id), (school_id, on_day))
),
used AS (
    SELECT
        g.school_id, sum(g.used_bytes)::bigint AS used_bytes,
        (count(DISTINCT l.device_id) FILTER (WHERE g.used_bytes > 0))::integer AS devices_used
    FROM grouped AS g
    JOIN loans AS l ON l.district_id = $1 AND l.loan_id = g.loan_id
    GROUP BY g.school_id
),
missed AS (
    SELECT school_id, (count(*) FILTER (WHERE NOT is_heard))::integer AS days_missing
    FROM grouped
    WHERE on_day IS NOT NULL
    GROUP BY school_id
)
SELECT school_id, u.used_bytes, u.devices_used, m.days_missing FROM used AS u JOIN missed AS m USING (school_id);

-- month_uptime --
-- By school, how often its fixed routers were looked at in a period, and found online, and how many they were. A battery
-- hotspot that is switched off is no fault, and is not among them. Parameters: district, first instant, the instant after
-- the last.
WITH lent AS MATERIALIZED (
    SELECT
        l.school_id, l.device_id, k.line_id,
        greatest($2::timestamptz, k.starts_at, l.checked_out_on::timestamp AT TIME ZONE h.time_zone) AS since_at,
        least($3::timestamptz, k.ends_at, l.returned_on::timestamp AT TIME ZONE h.time_zone) AS until_at
    FROM devices AS d
    JOIN districts AS h USING (district_id)
    JOIN loans AS l USING (district_id, device_id)
    JOIN line_device_links AS k USING (district_id, device_id)
    WHERE d.district_id = $1 AND d.kind = 'fixed_router'
)
SELECT
    o.school_id, sum(r.samples)::bigint AS samples, sum(r.online)::bigint AS online,
    (count(DISTINCT o.device_id) FILTER (WHERE r.samples > 0))::integer AS devices_online
FROM lent AS o
CROSS JOIN LATERAL (
    -- by each router's own key: they are few among all lines
    SELECT count(*) AS samples, count(*) FILTER (WHERE s.is_online) AS online
    FROM state_readings AS s
    WHERE s.district_id = $1 AND s.line_id = o.line_id AND s.is_online IS NOT NULL
        AND s.starts_at >= $2 AND s.starts_at < $3 AND s.starts_at >= o.since_at AND s.starts_at < o.until_at
) AS r
WHERE o.since_at < o.until_at
GROUP BY o.school_id;

-- month_accounts --
-- The accounts that told something of a line's day in a period, and whether as the provider's own intervals: only those
-- can have told parts of a day. Parameters: district, first day, last day.
SELECT account_id, bool_or(basis = 'interval') IS TRUE AS is_interval
FROM line_days
WHERE district_id = $1 AND on_day BETWEEN $2 AND $3
GROUP BY account_id;

-- month_homework --
-- By school, the bytes that its loans used in a period, as far as they are told by the hour or finer, and those of them
-- that began within the homework window, and of how many devices with a byte they are. Of each line the first source
-- that tells so is taken, never a sum over sources.
-- Parameters: district, first instant, the instant after the last, the accounts that may, first and last hour of the
-- homework window (local).
WITH district AS (
    SELECT time_zone AS local_zone FROM districts WHERE district_id = $1
),
lent AS MATERIALIZED (
    SELECT
        l.school_id, l.device_id, k.line_id,
        greatest($2::timestamptz, k.starts_at, l.checked_out_on::timestamp AT TIME ZONE h.local_zone) AS since_at,
        least($3::timestamptz, k.ends_at, l.returned_on::timestamp AT TIME ZONE h.local_zone) AS until_at
    FROM devices AS d
    CROSS JOIN district AS h
    JOIN loans AS l USING (district_id, device_id)
    JOIN line_device_links AS k USING (district_id, device_id)
    WHERE d.district_id = $1 AND d.kind IN ('hotspot', 'fixed_router')
),
told AS (
    SELECT
        o.school_id, o.device_id, r.line_id, r.account_id, sum(r.total_bytes) AS part_bytes,
        coalesce(sum(r.total_bytes) FILTER (
            WHERE extract(hour FROM r.starts_at AT TIME ZONE h.local_zone) >= $5
                AND extract(hour FROM r.starts_at AT TIME ZONE h.local_zone) < $6
        ), 0) AS homework_bytes
    FROM usage_readings AS r
    CROSS JOIN district AS h
    JOIN lent AS o ON o.line_id = r.line_id AND r.starts_at >= o.since_at AND r.starts_at < o.until_at
    WHERE r.district_id = $1 AND r.starts_at >= $2 AND r.starts_at < $3 AND r.account_id = ANY ($4::bigint[])
        AND r.kind = 'interval' AND r.series = 'part' AND r.ends_at - r.starts_at <= interval '1 hour'
    GROUP BY o.school_id, o.device_id, r.line_id, r.account_id
),
firsts AS (
    SELECT DISTINCT ON (t.school_id, t.device_id, t.line_id) t.school_id, t.device_id, t.part_bytes, t.homework_bytes
    FROM told AS t
    JOIN accounts AS a ON a.district_id = $1 AND a.account_id = t.account_id
    ORDER BY t.school_id, t.device_id, t.line_id, a.rank, t.account_id
)
SELECT
    school_id, sum(part_bytes)::bigint AS part_bytes, sum(homework_bytes)::bigint AS homework_bytes,
    (count(DISTINCT device_id) FILTER (WHERE part_bytes > 0))::integer AS devices_timed
FROM firsts
GROUP BY school_id;

-- month_sources --
-- The accounts that were read in a period, if in vain, or told of it, by a file too; and when each was last read. One that
-- came later, or is no longer in use, changes nothing of it. Parameters: district, first instant, the instant after the
-- last, the accounts that told of a line's day.
SELECT a.account_id, a.account_key, a.collector, a.lag_days, max(w.last_success_at) AS last_success_at
FROM accounts AS a
LEFT JOIN watermarks AS w USING (district_id, account_id)
WHERE a.district_id = $1 AND (
    a.account_id = ANY ($4::bigint[])
    OR EXISTS (
        SELECT FROM poll_runs AS r
        WHERE r.district_id = $1 AND r.account_id = a.account_id AND r.started_at >= $2 AND r.started_at < $3
    )
    OR EXISTS (
        SELECT FROM poll_gaps AS g
        WHERE g.district_id = $1 AND g.account_id = a.account_id AND g.starts_at < $3 AND g.ends_at > $2
    )
    OR EXISTS (
        SELECT FROM usage_spans AS s
        WHERE s.district_id = $1 AND s.account_id = a.account_id AND s.starts_at < $3 AND s.ends_at > $2
    )
)
GROUP BY a.account_id, a.account_key, a.collector, a.lag_days
ORDER BY a.account_key;

-- month_gaps --
-- Whole local days of a period on which a part of an account was not read at all: runs of them, first and last.
-- Parameters: district, first day, last day, time zone.
WITH silent AS (
    SELECT DISTINCT g.account_id, day::date AS on_day
    FROM poll_gaps AS g
    CROSS JOIN generate_series($2::date, $3::date, interval '1 day') AS day
    WHERE g.district_id = $1
        AND g.starts_at <= day::date::timestamp AT TIME ZONE $4::text
        AND g.ends_at >= (day::date + 1)::timestamp AT TIME ZONE $4::text
)
SELECT account_id, min(on_day) AS first_on, max(on_day) AS last_on
FROM (
    SELECT account_id, on_day, on_day - row_number() OVER (PARTITION BY account_id ORDER BY on_day)::integer AS run
    FROM silent
) AS numbered
GROUP BY account_id, run
ORDER BY account_id, first_on;
