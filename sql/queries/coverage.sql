-- coverage_districts --
-- Every district and the latest day whose lag has passed for each polled account, at most the last computed
-- day. Parameters: now.
SELECT
    d.district_id,
    d.name,
    d.time_zone,
    due.on_day AS due_on,
    CASE WHEN d.computed_through_on IS NOT NULL THEN least(d.computed_through_on, due.on_day) END AS reported_on
FROM districts AS d
CROSS JOIN LATERAL (
    SELECT ($1::timestamptz AT TIME ZONE d.time_zone)::date - 1
           - coalesce(max(a.lag_days) FILTER (WHERE a.collector <> 'file' AND a.is_in_use), 0) AS on_day
    FROM accounts AS a
    WHERE a.district_id = d.district_id
) AS due
ORDER BY d.name, d.district_id;

-- coverage_district_days --
-- The districts' figures day by day, oldest first. Parameters: the first day, the last day.
SELECT * FROM district_days
WHERE on_day BETWEEN $1::date AND $2::date
ORDER BY district_id, on_day;

-- coverage_schools --
-- Every school with its figures on its district's day; NULLs where that day was not computed for it.
-- Parameters: the districts, and the day of each (NULL: none).
SELECT
    s.district_id,
    s.name,
    s.ncessch,
    s.is_high_needs,
    s.high_needs_basis,
    d.enrolled, d.answered, d.need, d.loaned, d.active_30, d.active_7, d.adequate, d.unknown,
    d.weak, d.exhausted, d.idle, d.never_used, d.suspended,
    CASE WHEN d.need IS NOT NULL THEN least(d.adequate, d.need) END AS covered,
    CASE WHEN d.need IS NOT NULL THEN greatest(0, d.need - d.loaned) END AS unserved,
    d.coverage_status::text AS status,
    d.completeness, d.coverage, d.coverage_low, d.coverage_high,
    d.is_need_exceeded, d.is_out_of_session, d.need_source::text AS need_source,
    d.served_outside_need, d.unattributed,
    own.student_devices, own.student_devices_active, own.student_devices_elsewhere
FROM unnest($1::integer[], $2::date[]) AS asked (district_id, on_day)
JOIN schools AS s USING (district_id)
LEFT JOIN school_days AS d USING (district_id, on_day, school_id)
LEFT JOIN (
    -- A device belongs to the school of the group that its manager has it in. In a district where no day is told of,
    -- how many were in use, or elsewhere, is unknown.
    SELECT
        o.district_id, g.school_id, count(*) AS student_devices,
        CASE WHEN sum(count(w.was_active)) OVER (PARTITION BY o.district_id) > 0
            THEN count(*) FILTER (WHERE w.was_active) END AS student_devices_active,
        CASE WHEN sum(count(w.was_elsewhere)) OVER (PARTITION BY o.district_id) > 0
            THEN count(*) FILTER (WHERE w.was_elsewhere) END AS student_devices_elsewhere
    FROM student_devices AS o
    JOIN provider_groups AS g USING (district_id, account_id, group_key)
    LEFT JOIN (
        SELECT
            d.district_id, d.student_device_id, bool_or(d.active_seconds > 0) AS was_active,
            bool_or(coalesce(d.was_elsewhere, NOT d.was_at_school)) AS was_elsewhere
        FROM unnest($1::integer[], $2::date[]) AS a (district_id, on_day)
        JOIN student_device_days AS d
            ON d.district_id = a.district_id AND d.on_day BETWEEN a.on_day - 6 AND a.on_day
        GROUP BY d.district_id, d.student_device_id
    ) AS w USING (district_id, student_device_id)
    WHERE o.is_in_service AND g.school_id IS NOT NULL
    GROUP BY o.district_id, g.school_id
) AS own ON own.district_id = s.district_id AND own.school_id = s.school_id
ORDER BY s.district_id, s.name, s.ncessch;

-- coverage_loans_by_state --
-- How many open loans were in each state. Parameters: the districts, and the day of each (NULL: none).
SELECT l.district_id, l.state::text AS state, count(*) AS loans
FROM unnest($1::integer[], $2::date[]) AS asked (district_id, on_day)
JOIN loan_days AS l USING (district_id, on_day)
GROUP BY l.district_id, l.state
ORDER BY l.district_id, l.state;

-- coverage_sources --
-- Every account in use, and of its endpoint groups (none before the first poll) how they fare, with the rows that the
-- last finished poll rejected.
SELECT
    a.district_id,
    a.account_key,
    a.collector,
    a.cadence,
    a.lag_days,
    w.endpoint_group,
    w.cadence AS every,
    w.last_attempt_at,
    w.last_success_at,
    w.failing_since_at,
    w.last_error,
    last_run.rows_rejected,
    (SELECT count(*) FROM latest_states AS s
     WHERE s.district_id = a.district_id AND s.account_id = a.account_id AND s.status = 'unknown')
    + (SELECT count(*) FROM student_devices AS o
       WHERE o.district_id = a.district_id AND o.account_id = a.account_id
           AND o.raw_status IS NOT NULL AND o.is_in_service IS NULL) AS unmapped
FROM accounts AS a
LEFT JOIN watermarks AS w USING (district_id, account_id)
LEFT JOIN LATERAL (
    SELECT r.rows_rejected
    FROM poll_runs AS r
    WHERE r.district_id = w.district_id AND r.account_id = w.account_id AND r.endpoint_group = w.endpoint_group
      AND r.finished_at IS NOT NULL
    ORDER BY r.started_at DESC
    LIMIT 1
) AS last_run ON true
WHERE a.is_in_use
ORDER BY a.district_id, a.rank, a.account_key, w.endpoint_group;

-- coverage_gaps --
-- Times that nothing was read, newest first. Parameters: since when.
SELECT a.district_id, a.account_key, g.endpoint_group, greatest(g.starts_at, $1::timestamptz) AS starts_at, g.ends_at
FROM poll_gaps AS g
JOIN accounts AS a USING (district_id, account_id)
WHERE g.ends_at > $1::timestamptz
ORDER BY g.starts_at DESC, a.account_key, g.endpoint_group;
