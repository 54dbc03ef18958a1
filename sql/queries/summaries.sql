-- mark_summary_days --
-- A mark that is there is written again, so that whoever is about to take it waits for what we have not committed.
-- Parameters: district, first day, last day.
INSERT INTO dirty_summary_days (district_id, on_day)
SELECT $1, day::date FROM generate_series($2::date::timestamp, $3::date::timestamp, interval '1 day') AS day
ORDER BY day
ON CONFLICT (district_id, on_day) DO UPDATE SET on_day = excluded.on_day;

-- lock_summaries --
-- One process at a time sums up a district's days, to the end of the transaction. Parameters: district.
SELECT pg_try_advisory_xact_lock(1634034298, $1);

-- next_summary_day --
-- The latest day that is to be summed up, and which writing of its mark was seen; no row: there is none.
-- Parameters: district.
SELECT on_day, xmin::text AS written
FROM dirty_summary_days
WHERE district_id = $1
ORDER BY on_day DESC
LIMIT 1;

-- forget_summary_day --
-- Takes the mark off a day, unless it was written again since it was seen. On its own: whoever waits for a mark must
-- hold nothing that those who write it may need. Parameters: district, day, which writing.
DELETE FROM dirty_summary_days WHERE district_id = $1 AND on_day = $2 AND xmin::text = $3;

-- drop_summaries --
-- The sums of a day but for those of its schools, to be made again. Parameters: district, day.
WITH plans AS (
    DELETE FROM plan_days WHERE district_id = $1 AND on_day = $2
),
signals AS (
    DELETE FROM signal_days WHERE district_id = $1 AND on_day = $2
)
DELETE FROM fleet_days WHERE district_id = $1 AND on_day = $2;

-- drop_group_days --
-- Parameters: district, first day, last day.
DELETE FROM group_days WHERE district_id = $1 AND on_day BETWEEN $2 AND $3;

-- sum_groups --
-- The sums of days' schools, by whether they are high-needs. Parameters: district, first day, last day.
INSERT INTO group_days (
    district_id, on_day, school_group, schools_with_need, schools_without_need, schools_not_enrolling, enrolled,
    answered, need, loaned, active_30, active_7, adequate, unknown, weak, exhausted, idle, never_used, suspended,
    covered, unserved, covered_low, need_high, covered_high, is_out_of_session
)
SELECT
    o.district_id, o.on_day, o.school_group, count(o.need), count(*) - count(o.need),
    count(*) FILTER (WHERE o.need IS NOT NULL AND o.enrolled IS NULL),
    sum(o.enrolled) FILTER (WHERE o.need IS NOT NULL), sum(o.answered) FILTER (WHERE o.need IS NOT NULL), sum(o.need),
    sum(o.loaned) FILTER (WHERE o.need IS NOT NULL), sum(o.active_30) FILTER (WHERE o.need IS NOT NULL),
    sum(o.active_7) FILTER (WHERE o.need IS NOT NULL), sum(o.adequate) FILTER (WHERE o.need IS NOT NULL),
    sum(o.unknown) FILTER (WHERE o.need IS NOT NULL), sum(o.weak) FILTER (WHERE o.need IS NOT NULL),
    sum(o.exhausted) FILTER (WHERE o.need IS NOT NULL), sum(o.idle) FILTER (WHERE o.need IS NOT NULL),
    sum(o.never_used) FILTER (WHERE o.need IS NOT NULL), sum(o.suspended) FILTER (WHERE o.need IS NOT NULL),
    sum(least(o.adequate, o.need)) FILTER (WHERE o.need IS NOT NULL),
    sum(greatest(0, o.need - o.loaned)) FILTER (WHERE o.need IS NOT NULL),
    sum(least(o.adequate, o.need + o.unanswered)) FILTER (WHERE o.need IS NOT NULL),
    sum(o.need + o.unanswered) FILTER (WHERE o.need IS NOT NULL),
    sum(least(o.adequate + o.unknown, o.need)) FILTER (WHERE o.need IS NOT NULL),
    bool_or(o.is_out_of_session)
FROM (
    SELECT
        d.*, greatest(0, d.enrolled - d.answered) AS unanswered,
        CASE WHEN s.is_high_needs THEN 'high_needs' WHEN NOT s.is_high_needs THEN 'others' ELSE 'not_told' END
            AS school_group
    FROM school_days AS d
    JOIN schools AS s USING (district_id, school_id)
    WHERE d.district_id = $1 AND d.on_day BETWEEN $2 AND $3
) AS o
GROUP BY o.district_id, o.on_day, o.school_group;

-- withhold_schools --
-- Which schools are withheld on days beside those that are too small: of a school that is withheld alone, in its group
-- or in the district, the next larger goes with it, or its figures are those of all less those of the others.
-- Parameters: district, first day, last day, minimum cell size.
WITH known AS (
    SELECT o.on_day, o.school_id, s.ncessch, s.is_high_needs, o.need, o.need < $4 AS is_hidden
    FROM school_days AS o
    JOIN schools AS s USING (district_id, school_id)
    WHERE o.district_id = $1 AND o.on_day BETWEEN $2 AND $3 AND o.need IS NOT NULL
),
-- in its group
first AS (
    SELECT
        *,
        is_hidden OR (
            count(*) FILTER (WHERE is_hidden) OVER (PARTITION BY on_day, is_high_needs) = 1
            AND row_number() OVER (PARTITION BY on_day, is_high_needs ORDER BY is_hidden DESC, need, ncessch) = 2
        ) AS is_first
    FROM known
),
-- in the district
second AS (
    SELECT
        *,
        is_first OR (
            count(*) FILTER (WHERE is_first) OVER (PARTITION BY on_day) = 1
            AND row_number() OVER (PARTITION BY on_day ORDER BY is_first DESC, need, ncessch) = 2
        ) AS is_second
    FROM first
),
-- in the group of the one that went with a school of another group
third AS (
    SELECT
        *,
        is_second OR (
            count(*) FILTER (WHERE is_second) OVER (PARTITION BY on_day, is_high_needs) = 1
            AND row_number() OVER (PARTITION BY on_day, is_high_needs ORDER BY is_second DESC, need, ncessch) = 2
        ) AS is_third
    FROM second
),
groups AS (
    SELECT
        on_day, is_high_needs, count(*) FILTER (WHERE is_third) AS hidden,
        coalesce(array_agg(school_id) FILTER (WHERE is_third AND NOT is_hidden), '{}') AS withheld
    FROM third
    GROUP BY on_day, is_high_needs
)
INSERT INTO summary_days AS o (district_id, on_day, withheld, are_groups_told, is_district_told)
SELECT
    $1, d.on_day,
    coalesce(
        (SELECT array_agg(w.school_id) FROM groups AS g CROSS JOIN unnest(g.withheld) AS w (school_id)
         WHERE g.on_day = d.on_day),
        '{}'
    ),
    NOT coalesce(bool_or(g.hidden = 1 AND g.is_high_needs IS NOT NULL), false), coalesce(sum(g.hidden), 0) <> 1
FROM (SELECT DISTINCT on_day FROM school_days WHERE district_id = $1 AND on_day BETWEEN $2 AND $3) AS d
LEFT JOIN groups AS g USING (on_day)
GROUP BY d.on_day
ON CONFLICT (district_id, on_day) DO UPDATE
SET withheld = excluded.withheld, are_groups_told = excluded.are_groups_told,
    is_district_told = excluded.is_district_told;

-- sum_fleet --
-- How many lines each account told of, by status. Parameters: district, day.
INSERT INTO fleet_days (
    district_id, on_day, account_id, status, lines, lines_used, lines_idle, lines_at_limit, used_bytes
)
SELECT
    district_id, on_day, account_id, coalesce(status, 'unknown'), count(*), count(*) FILTER (WHERE used_bytes > 0),
    count(*) FILTER (WHERE used_bytes = 0), count(*) FILTER (WHERE has_reached_day_limit OR has_reached_cycle_limit),
    sum(used_bytes)
FROM line_days
WHERE district_id = $1 AND on_day = $2
GROUP BY district_id, on_day, account_id, coalesce(status, 'unknown');

-- sum_plans --
-- How many lines each plan has, and how far yearly and pooled allowances are used. Parameters: district, day.
INSERT INTO plan_days (district_id, on_day, plan_id, lines, lines_at_limit, lines_carried, period_bytes)
SELECT
    $1, $2::date, p.plan_id, count(*), count(*) FILTER (WHERE o.is_at_limit OR w.is_exhausted), count(w.line_id),
    sum(greatest(w.carried_bytes + w.used_bytes, w.told_bytes))
FROM (
    SELECT line_id, bool_or(has_reached_day_limit OR coalesce(has_reached_cycle_limit, false)) AS is_at_limit
    FROM line_days
    WHERE district_id = $1 AND on_day = $2
    GROUP BY line_id
) AS o
JOIN lines AS n ON n.district_id = $1 AND n.line_id = o.line_id
LEFT JOIN allowance_days AS w ON w.district_id = $1 AND w.on_day = $2 AND w.line_id = o.line_id
CROSS JOIN LATERAL (SELECT coalesce(w.plan_id, n.plan_id) AS plan_id) AS p
WHERE p.plan_id IS NOT NULL
GROUP BY p.plan_id;

-- sum_signals --
-- The signal of the lines that each account measured. Parameters: district, day, the floor in dBm.
INSERT INTO signal_days (
    district_id, on_day, account_id, lines, samples, lines_weak, median_rsrp_dbm, lowest_rsrp_dbm
)
SELECT
    $1, $2::date, m.account_id, count(*), sum(m.samples), count(*) FILTER (WHERE m.median < $3::real),
    percentile_cont(0.5) WITHIN GROUP (ORDER BY m.median), percentile_cont(0.1) WITHIN GROUP (ORDER BY m.median)
FROM (
    SELECT r.account_id, count(*) AS samples, percentile_cont(0.5) WITHIN GROUP (ORDER BY r.rsrp_dbm) AS median
    FROM signal_readings AS r
    WHERE r.district_id = $1 AND r.rsrp_dbm IS NOT NULL
        AND r.starts_at >= (SELECT $2::date::timestamp AT TIME ZONE time_zone FROM districts WHERE district_id = $1)
        AND r.starts_at < (SELECT ($2::date + 1)::timestamp AT TIME ZONE time_zone FROM districts WHERE district_id = $1)
    GROUP BY r.account_id, r.line_id
) AS m
GROUP BY m.account_id;

-- sum_flips --
-- How many changes of alerts there were on each day, from the last that was counted on. Parameters: district.
INSERT INTO flip_days AS o (district_id, on_day, rule, kind, flips)
SELECT f.district_id, (f.created_at AT TIME ZONE d.time_zone)::date, a.rule, f.kind, count(*)
FROM districts AS d
JOIN flips AS f USING (district_id)
JOIN alerts AS a USING (district_id, alert_id)
WHERE d.district_id = $1 AND f.created_at >= (
    SELECT coalesce(max(n.on_day)::timestamp AT TIME ZONE d.time_zone, '-infinity')
    FROM flip_days AS n
    WHERE n.district_id = $1
)
GROUP BY f.district_id, 2, a.rule, f.kind
ON CONFLICT (district_id, on_day, rule, kind) DO UPDATE SET flips = excluded.flips
WHERE o.flips <> excluded.flips;

-- drop_poll_days --
-- The counts of sweeps from the day before the last that was counted on: a sweep ends after it began. Returns the first
-- of these days; no row: nothing was counted yet. Parameters: district.
WITH since AS (
    SELECT max(on_day) - 1 AS on_day FROM poll_days WHERE district_id = $1
),
dropped AS (
    DELETE FROM poll_days WHERE district_id = $1 AND on_day >= (SELECT on_day FROM since)
)
SELECT on_day FROM since WHERE on_day IS NOT NULL;

-- sum_polls --
-- How many sweeps began on each day, by how they ended. Parameters: district, first day.
INSERT INTO poll_days (
    district_id, on_day, account_id, endpoint_group, outcome, runs, rows_written, rows_rejected, seconds
)
SELECT
    o.district_id, (o.started_at AT TIME ZONE d.time_zone)::date, o.account_id, o.endpoint_group, o.outcome, count(*),
    sum(o.rows_written), sum(o.rows_rejected), coalesce(sum(extract(epoch FROM o.finished_at - o.started_at)), 0)
FROM districts AS d
JOIN poll_runs AS o USING (district_id)
WHERE d.district_id = $1 AND o.started_at >= $2::date::timestamp AT TIME ZONE d.time_zone
GROUP BY o.district_id, 2, o.account_id, o.endpoint_group, o.outcome;

-- school_groups --
-- A digest of which schools are high-needs, and what the sums were made by last. Parameters: district.
SELECT
    (SELECT md5(coalesce(string_agg(school_id || coalesce(is_high_needs::text, '?'), ' ' ORDER BY school_id), ''))
     FROM schools WHERE district_id = $1) AS groups_digest,
    s.groups_digest AS summed_by, s.completeness_floor, s.minimum_cell_size
FROM (SELECT $1::integer AS district_id) AS asked
LEFT JOIN summaries AS s USING (district_id);

-- write_summary --
-- Parameters: district, completeness floor, minimum cell size, digest.
INSERT INTO summaries (district_id, completeness_floor, minimum_cell_size, groups_digest)
VALUES ($1, $2, $3, $4)
ON CONFLICT (district_id) DO UPDATE
SET completeness_floor = excluded.completeness_floor, minimum_cell_size = excluded.minimum_cell_size,
    groups_digest = excluded.groups_digest;

-- write_cost_month --
-- What a complete month's lines cost; a school that is not known any more is of none. Parameters: district, first day of
-- the month, now; as arrays: NCESSCH (NULL: not lent), lines, idle ones, those that are known, cost, cost of the idle
-- ones, lines whose cost is not known.
WITH dropped AS (
    DELETE FROM cost_months
    WHERE district_id = $1 AND month_on = $2 AND school_id <> ALL (
        SELECT coalesce(s.school_id, 0)
        FROM unnest($4::text[]) AS t (ncessch)
        LEFT JOIN schools AS s ON s.district_id = $1 AND s.ncessch = t.ncessch
    )
)
INSERT INTO cost_months AS o (
    district_id, month_on, school_id, lines, lines_idle, lines_known, cost, idle_cost, without_cost, computed_at
)
SELECT
    $1, $2, coalesce(s.school_id, 0), sum(t.lines), sum(t.lines_idle), sum(t.lines_known), sum(t.cost),
    sum(t.idle_cost), sum(t.without_cost), $3
FROM unnest($4::text[], $5::integer[], $6::integer[], $7::integer[], $8::numeric[], $9::numeric[], $10::integer[])
    AS t (ncessch, lines, lines_idle, lines_known, cost, idle_cost, without_cost)
LEFT JOIN schools AS s ON s.district_id = $1 AND s.ncessch = t.ncessch
GROUP BY coalesce(s.school_id, 0)
ON CONFLICT (district_id, month_on, school_id) DO UPDATE
SET lines = excluded.lines, lines_idle = excluded.lines_idle, lines_known = excluded.lines_known,
    cost = excluded.cost, idle_cost = excluded.idle_cost, without_cost = excluded.without_cost,
    computed_at = excluded.computed_at;
