-- take_dirty_line_days --
-- Takes the marks off the days to compute again; whoever adds one meanwhile adds it for the next time.
-- Parameters: district, the first day that there are readings of: what came before stays as it was computed.
WITH taken AS (
    DELETE FROM dirty_line_days WHERE district_id = $1 RETURNING account_id, on_day, line_id
)
SELECT account_id, on_day, array_agg(line_id) AS line_ids
FROM taken
WHERE on_day >= $2
GROUP BY account_id, on_day
ORDER BY account_id, on_day;

-- mark_dirty_line_days --
-- A mark that is there is written again, so that whoever is about to take it waits for what we have not committed.
-- Every line of the account, from the day of one instant to the day of another, in the provider's zone and ours.
-- Parameters: district, account, first instant, last instant.
INSERT INTO dirty_line_days (district_id, account_id, on_day)
SELECT $1, $2, day::date
FROM accounts AS a
JOIN districts AS d USING (district_id)
CROSS JOIN LATERAL generate_series(
    least(($3::timestamptz AT TIME ZONE a.time_zone)::date, ($3::timestamptz AT TIME ZONE d.time_zone)::date),
    greatest(($4::timestamptz AT TIME ZONE a.time_zone)::date, ($4::timestamptz AT TIME ZONE d.time_zone)::date),
    interval '1 day'
) AS day
WHERE a.district_id = $1 AND a.account_id = $2
ORDER BY day
ON CONFLICT (district_id, account_id, on_day, line_id) DO UPDATE SET on_day = excluded.on_day;

-- mark_judged_days --
-- Days that are over are judged as of their end, and the present day again when a source has gone silent: what
-- was fresh when it was last computed may not be by then. Parameters: district, the present day, now.
INSERT INTO dirty_line_days (district_id, account_id, on_day)
SELECT a.district_id, a.account_id, day::date
FROM accounts AS a
JOIN districts AS d USING (district_id)
CROSS JOIN LATERAL generate_series(
    -- a provider's day may end after ours: judged once more, a day later
    d.computed_through_on - (a.time_zone <> d.time_zone AND d.computed_through_on < $2::date)::integer,
    $2::date - 1, interval '1 day'
) AS day
WHERE a.district_id = $1
UNION
SELECT a.district_id, a.account_id, $2::date
FROM accounts AS a
WHERE a.district_id = $1
    AND (SELECT max(s.read_at) FROM latest_states AS s WHERE s.district_id = $1 AND s.account_id = a.account_id)
        < $3::timestamptz - 2 * a.cadence
    AND EXISTS (
        SELECT FROM line_days AS l
        WHERE l.district_id = $1 AND l.on_day = $2 AND l.account_id = a.account_id AND l.is_state_fresh
    )
ON CONFLICT DO NOTHING;

-- mark_dirty_single_lines --
-- Lines that were away for long: what their counters say of the days between.
-- Parameters: district, account, lines, instants they were last read at, the present instant.
INSERT INTO dirty_line_days (district_id, account_id, on_day, line_id)
SELECT $1, $2, day::date, away.line_id
FROM unnest($3::bigint[], $4::timestamptz[]) AS away (line_id, read_at)
JOIN districts AS d ON d.district_id = $1
CROSS JOIN LATERAL generate_series(
    (away.read_at AT TIME ZONE d.time_zone)::date, ($5::timestamptz AT TIME ZONE d.time_zone)::date, interval '1 day'
) AS day
ORDER BY day, away.line_id
ON CONFLICT (district_id, account_id, on_day, line_id) DO UPDATE SET on_day = excluded.on_day;

-- compute_line_days --
-- What one source says of its lines on a range of days, from the raw readings; marks the days that changed.
-- A day comes from the finest evidence that covers it: the provider's own figure, the last total of the
-- provider's day, differences of the cycle counter (each on the local day of its midpoint, none over 36 hours),
-- and last a span of 0. A total of 0 that was read more than 2 x cadence before the day's end says nothing of
-- the rest of the day, so it is not a known 0.
-- Parameters: district, account, first day, last day, now, lines (NULL: all), first and last instant of the
-- readings to look at (36 hours or 2 x cadence beyond the days).
WITH account AS (
    SELECT
        a.time_zone AS provider_zone, d.time_zone AS local_zone, 2 * a.cadence AS tolerance, a.plan_id
    FROM accounts AS a
    JOIN districts AS d USING (district_id)
    WHERE a.district_id = $1 AND a.account_id = $2
),
days AS (
    SELECT
        day::date AS on_day,
        day::date::timestamp AT TIME ZONE local_zone AS starts_at,
        (day::date + 1)::timestamp AT TIME ZONE local_zone AS ends_at,
        least((day::date + 1)::timestamp AT TIME ZONE local_zone, $5::timestamptz) AS judged_at,
        day::date::timestamp AT TIME ZONE provider_zone AS provider_starts_at,
        least((day::date + 1)::timestamp AT TIME ZONE provider_zone, $5::timestamptz) AS provider_judged_at
    FROM account
    CROSS JOIN generate_series($3::date, $4::date, interval '1 day') AS day
),
limits AS (
    SELECT
        s.line_id,
        coalesce(s.day_limit_bytes, CASE WHEN p.allowance_period = 'day' AND NOT p.is_pooled THEN p.allowance_bytes END)
            AS day_bytes,
        -- in a pool a line may use more than its share
        CASE WHEN p.is_pooled IS NOT TRUE THEN coalesce(
            s.cycle_limit_bytes, CASE WHEN p.allowance_period IN ('month', 'cycle') THEN p.allowance_bytes END
        ) END AS cycle_bytes,
        coalesce(p.is_pooled OR p.allowance_period = 'year', false) AS is_carried
    FROM latest_states AS s
    JOIN lines AS l USING (district_id, line_id)
    LEFT JOIN plans AS p USING (district_id, plan_id)
    WHERE s.district_id = $1 AND s.account_id = $2
        AND ($6::bigint[] IS NULL OR s.line_id = ANY ($6))
        AND coalesce(p.at_allowance, 'stop') IN ('stop', 'throttle')
        AND (s.day_limit_bytes IS NOT NULL OR s.cycle_limit_bytes IS NOT NULL OR p.allowance_bytes IS NOT NULL)
),
intervals AS (
    -- told: how much of the day the figures are of; the provider's own figure for a day is of all of it
    SELECT
        -- a day that is told whole and in parts is told twice: an account may have changed from one to the other
        line_id, on_day,
        greatest(
            sum(total_bytes) FILTER (WHERE is_part), sum(total_bytes) FILTER (WHERE NOT is_part)
        )::bigint AS total_bytes,
        CASE WHEN bool_and(is_part) THEN sum(ends_at - starts_at) END AS told
    FROM (
        SELECT
            r.line_id,
            -- the provider's day is the day of the same date; a part of one has instants, which are of our own
            ((r.starts_at + (r.ends_at - r.starts_at) / 2)
                AT TIME ZONE CASE WHEN r.series = 'part' THEN a.local_zone ELSE a.provider_zone END)::date AS on_day,
            r.total_bytes, r.series = 'part' AS is_part, r.starts_at, r.ends_at
        FROM usage_readings AS r
        CROSS JOIN account AS a
        WHERE r.district_id = $1 AND r.account_id = $2 AND r.kind = 'interval'
            AND r.starts_at >= $7 AND r.starts_at < $8
            AND ($6::bigint[] IS NULL OR r.line_id = ANY ($6))
    ) AS midpoints
    GROUP BY line_id, on_day
),
file_zeros AS MATERIALIZED (
    -- a portal's period of 0 makes every day that it covers wholly a known 0
    SELECT DISTINCT s.line_id, d.on_day
    FROM usage_spans AS s
    JOIN days AS d ON d.starts_at >= s.starts_at AND d.ends_at <= s.ends_at
    WHERE s.district_id = $1 AND s.account_id = $2 AND s.is_file AND s.total_bytes = 0
        AND s.ends_at > (SELECT min(starts_at) FROM days)
        AND ($6::bigint[] IS NULL OR s.line_id = ANY ($6))
),
lines_in_account AS (
    SELECT k.line_id
    FROM provider_keys AS k
    WHERE k.district_id = $1 AND k.account_id = $2 AND ($6::bigint[] IS NULL OR k.line_id = ANY ($6))
    UNION
    SELECT line_id FROM intervals
    UNION
    SELECT line_id FROM file_zeros
    UNION
    -- what a file once told may have been corrected since
    SELECT o.line_id
    FROM line_days AS o
    WHERE o.district_id = $1 AND o.on_day BETWEEN $3 AND $4 AND o.account_id = $2 AND o.basis = 'span'
        AND (SELECT collector FROM accounts WHERE district_id = $1 AND account_id = $2) = 'file'
        AND ($6::bigint[] IS NULL OR o.line_id = ANY ($6))
),
buckets AS (
    SELECT line_id, on_day, max(total_bytes) AS total_bytes, max(starts_at) AS read_at
    FROM (
        SELECT r.line_id, (r.starts_at AT TIME ZONE a.provider_zone)::date AS on_day, r.total_bytes, r.starts_at
        FROM usage_readings AS r
        CROSS JOIN account AS a
        WHERE r.district_id = $1 AND r.account_id = $2 AND r.kind = 'counter' AND r.series = 'day'
            AND r.starts_at >= $7 AND r.starts_at < $8
            AND ($6::bigint[] IS NULL OR r.line_id = ANY ($6))
    ) AS dated
    GROUP BY line_id, on_day
),
finest AS (
    SELECT
        l.line_id, d.on_day, d.starts_at, d.ends_at, d.judged_at, b.total_bytes AS bucket_bytes,
        CASE
            WHEN i.total_bytes IS NOT NULL THEN i.total_bytes
            WHEN b.total_bytes > 0 OR b.read_at >= d.provider_judged_at - a.tolerance THEN b.total_bytes
        END AS used_bytes,
        (CASE WHEN i.total_bytes IS NOT NULL THEN 'interval' ELSE 'bucket' END)::line_day_basis AS basis
    FROM lines_in_account AS l
    CROSS JOIN days AS d
    CROSS JOIN account AS a
    LEFT JOIN intervals AS i ON i.line_id = l.line_id AND i.on_day = d.on_day
        -- parts of 0 with a gap between them are not a day of 0
        AND (i.total_bytes > 0 OR i.told IS NULL OR i.told >= d.judged_at - d.starts_at - a.tolerance)
    LEFT JOIN buckets AS b ON b.line_id = l.line_id AND b.on_day = d.on_day
),
lacking AS (
    SELECT line_id FROM finest WHERE used_bytes IS NULL GROUP BY line_id
),
window_totals AS (
    SELECT r.line_id, r.starts_at, r.total_bytes
    FROM usage_readings AS r
    JOIN lacking USING (line_id)
    WHERE r.district_id = $1 AND r.account_id = $2 AND r.kind = 'counter' AND r.series = 'cycle'
        AND r.starts_at >= $7 AND r.starts_at < $8
),
beyond_window AS (
    SELECT
        l.line_id,
        min(t.starts_at) IS NULL OR min(t.starts_at) > (SELECT min(starts_at) FROM days) AS lacks_before,
        max(t.starts_at) IS NULL OR max(t.starts_at) < (SELECT max(judged_at) FROM days) AS lacks_after
    FROM lacking AS l
    LEFT JOIN window_totals AS t USING (line_id)
    GROUP BY l.line_id
),
totals AS (
    SELECT line_id, starts_at, total_bytes FROM window_totals
    UNION ALL
    SELECT o.line_id, r.starts_at, r.total_bytes
    FROM beyond_window AS o
    CROSS JOIN LATERAL (
        SELECT u.starts_at, u.total_bytes
        FROM usage_readings AS u
        WHERE o.lacks_before AND u.district_id = $1 AND u.line_id = o.line_id AND u.account_id = $2
            AND u.kind = 'counter' AND u.series = 'cycle' AND u.starts_at < $7
        ORDER BY u.starts_at DESC
        LIMIT 1
    ) AS r
    UNION ALL
    SELECT o.line_id, r.starts_at, r.total_bytes
    FROM beyond_window AS o
    CROSS JOIN LATERAL (
        SELECT u.starts_at, u.total_bytes
        FROM usage_readings AS u
        WHERE o.lacks_after AND u.district_id = $1 AND u.line_id = o.line_id AND u.account_id = $2
            AND u.kind = 'counter' AND u.series = 'cycle' AND u.starts_at >= $8
        ORDER BY u.starts_at
        LIMIT 1
    ) AS r
),
steps AS (
    SELECT
        line_id, lag(starts_at) OVER line AS starts_at, starts_at AS ends_at,
        lag(total_bytes) OVER line AS before_bytes, total_bytes AS after_bytes
    FROM totals
    WINDOW line AS (PARTITION BY line_id ORDER BY starts_at)
),
differences AS (
    SELECT
        line_id, starts_at, ends_at, after_bytes < before_bytes AS is_reset,
        CASE WHEN after_bytes >= before_bytes THEN after_bytes - before_bytes ELSE after_bytes END AS used_bytes
    FROM steps
    WHERE starts_at IS NOT NULL
),
day_differences AS (
    SELECT line_id, on_day, sum(used_bytes)::bigint AS used_bytes, max(ends_at) AS read_at
    FROM (
        SELECT
            f.line_id, ((f.starts_at + (f.ends_at - f.starts_at) / 2) AT TIME ZONE a.local_zone)::date AS on_day,
            f.used_bytes, f.ends_at
        FROM differences AS f
        CROSS JOIN account AS a
        WHERE f.ends_at - f.starts_at <= interval '36 hours'
    ) AS midpoints
    GROUP BY line_id, on_day
),
spans AS (
    INSERT INTO usage_spans (district_id, line_id, account_id, starts_at, ends_at, total_bytes, is_file)
    SELECT $1, f.line_id, $2, f.starts_at, f.ends_at, f.used_bytes, false
    FROM differences AS f
    WHERE f.ends_at - f.starts_at > interval '36 hours'
    ON CONFLICT (district_id, line_id, account_id, starts_at) DO UPDATE
    SET ends_at = excluded.ends_at, total_bytes = excluded.total_bytes
    WHERE (usage_spans.ends_at, usage_spans.total_bytes) IS DISTINCT FROM (excluded.ends_at, excluded.total_bytes)
),
divided AS (
    -- a reading that came late lies within what was a span
    DELETE FROM usage_spans AS u
    USING differences AS f
    WHERE u.district_id = $1 AND u.account_id = $2 AND NOT u.is_file AND u.line_id = f.line_id
        AND u.starts_at = f.starts_at AND f.ends_at - f.starts_at <= interval '36 hours'
),
zero_days AS (
    SELECT f.line_id, f.on_day
    FROM finest AS f
    JOIN differences AS s ON s.line_id = f.line_id AND s.starts_at < f.ends_at AND s.ends_at > f.starts_at
    WHERE f.used_bytes IS NULL
    GROUP BY f.line_id, f.on_day, f.starts_at, f.ends_at
    HAVING min(s.starts_at) <= f.starts_at AND max(s.ends_at) >= f.ends_at
        AND sum(s.used_bytes) = 0 AND NOT bool_or(s.is_reset)
),
statuses AS (
    -- a source that tells no status has been told of, and that is fresh as well
    SELECT DISTINCT ON (r.line_id, d.on_day) r.line_id, d.on_day, r.status, r.suspended_by
    FROM days AS d
    CROSS JOIN account AS a
    JOIN state_readings AS r ON r.starts_at >= d.judged_at - a.tolerance AND r.starts_at <= d.judged_at
    WHERE r.district_id = $1 AND r.account_id = $2
        AND r.starts_at >= $7 AND r.starts_at < $8
        AND ($6::bigint[] IS NULL OR r.line_id = ANY ($6))
    ORDER BY r.line_id, d.on_day, r.status IS NULL, r.starts_at DESC
),
limits_told AS (
    -- what the vendor says of the allowance counts where the plan stops or throttles there
    SELECT DISTINCT ON (r.line_id, d.on_day) r.line_id, d.on_day, r.is_limit_reached
    FROM days AS d
    JOIN state_readings AS r ON r.starts_at >= d.starts_at AND r.starts_at <= d.judged_at
    JOIN lines AS l ON l.district_id = $1 AND l.line_id = r.line_id
    LEFT JOIN plans AS p ON p.district_id = $1 AND p.plan_id = l.plan_id
    WHERE r.district_id = $1 AND r.account_id = $2 AND r.is_limit_reached IS NOT NULL
        AND r.starts_at >= $7 AND r.starts_at < $8
        AND ($6::bigint[] IS NULL OR r.line_id = ANY ($6))
        AND coalesce(p.at_allowance, 'stop') IN ('stop', 'throttle')
    ORDER BY r.line_id, d.on_day, r.starts_at DESC
),
cycle_totals AS (
    SELECT DISTINCT ON (r.line_id, d.on_day) r.line_id, d.on_day, r.total_bytes
    FROM days AS d
    JOIN usage_readings AS r ON r.starts_at >= d.starts_at AND r.starts_at <= d.judged_at
    JOIN limits AS l ON l.line_id = r.line_id AND (l.cycle_bytes IS NOT NULL OR l.is_carried)
    WHERE r.district_id = $1 AND r.account_id = $2 AND r.kind = 'counter' AND r.series = 'cycle'
        AND r.starts_at >= $7 AND r.starts_at < $8
    ORDER BY r.line_id, d.on_day, r.starts_at DESC
),
known AS (
    SELECT
        f.line_id, f.on_day, s.status, s.suspended_by, s.line_id IS NOT NULL AS is_state_fresh,
        CASE
            WHEN f.used_bytes IS NOT NULL THEN f.used_bytes
            WHEN x.used_bytes > 0 OR x.read_at >= f.judged_at - a.tolerance THEN x.used_bytes
            WHEN z.line_id IS NOT NULL THEN 0
        END AS used_bytes,
        CASE
            WHEN f.used_bytes IS NOT NULL THEN f.basis
            WHEN x.used_bytes > 0 OR x.read_at >= f.judged_at - a.tolerance THEN 'difference'::line_day_basis
            WHEN z.line_id IS NOT NULL THEN 'span'::line_day_basis
        END AS basis,
        f.bucket_bytes, l.day_bytes,
        CASE
            WHEN c.total_bytes >= l.cycle_bytes OR t.is_limit_reached THEN true
            ELSE coalesce(c.total_bytes >= l.cycle_bytes, t.is_limit_reached)
        END AS has_reached_cycle_limit,
        c.total_bytes AS cycle_bytes
    FROM finest AS f
    CROSS JOIN account AS a
    LEFT JOIN day_differences AS x ON x.line_id = f.line_id AND x.on_day = f.on_day
    LEFT JOIN (SELECT line_id, on_day FROM zero_days UNION SELECT line_id, on_day FROM file_zeros) AS z
        ON z.line_id = f.line_id AND z.on_day = f.on_day
    LEFT JOIN statuses AS s ON s.line_id = f.line_id AND s.on_day = f.on_day
    LEFT JOIN limits AS l ON l.line_id = f.line_id
    LEFT JOIN cycle_totals AS c ON c.line_id = f.line_id AND c.on_day = f.on_day
    LEFT JOIN limits_told AS t ON t.line_id = f.line_id AND t.on_day = f.on_day
),
told AS (
    SELECT *, coalesce(greatest(bucket_bytes, used_bytes) >= day_bytes, false) AS has_reached_day_limit
    FROM known
),
changed AS (
    -- a row that stays as it is must not be touched: even to lock it costs a write
    SELECT t.*, coalesce(o.has_reached_day_limit, false) <> t.has_reached_day_limit AS is_cap_changed
    FROM told AS t
    LEFT JOIN line_days AS o
        ON o.district_id = $1 AND o.on_day = t.on_day AND o.line_id = t.line_id AND o.account_id = $2
    WHERE (t.used_bytes IS NOT NULL OR t.is_state_fresh OR t.has_reached_cycle_limit IS NOT NULL
           OR t.cycle_bytes IS NOT NULL OR o.line_id IS NOT NULL)
        AND (o.line_id IS NULL
            OR (o.used_bytes, o.basis, o.status, o.suspended_by, o.has_reached_day_limit, o.has_reached_cycle_limit,
                o.is_state_fresh, o.cycle_bytes)
            IS DISTINCT FROM
            (t.used_bytes, t.basis, t.status, t.suspended_by, t.has_reached_day_limit, t.has_reached_cycle_limit,
             t.is_state_fresh, t.cycle_bytes))
),
written AS (
    INSERT INTO line_days AS o (
        district_id, on_day, line_id, account_id, used_bytes, basis, status, suspended_by,
        has_reached_day_limit, has_reached_cycle_limit, is_state_fresh, cycle_bytes
    )
    SELECT
        $1, on_day, line_id, $2, used_bytes, basis, status, suspended_by,
        has_reached_day_limit, has_reached_cycle_limit, is_state_fresh, cycle_bytes
    FROM changed
    ON CONFLICT (district_id, on_day, line_id, account_id) DO UPDATE
    SET used_bytes = excluded.used_bytes, basis = excluded.basis, status = excluded.status,
        suspended_by = excluded.suspended_by, has_reached_day_limit = excluded.has_reached_day_limit,
        has_reached_cycle_limit = excluded.has_reached_cycle_limit, is_state_fresh = excluded.is_state_fresh,
        cycle_bytes = excluded.cycle_bytes
    RETURNING o.on_day
),
marked AS (
    INSERT INTO dirty_loan_days (district_id, on_day)
    SELECT DISTINCT $1::integer, on_day + later AS marked_on
    FROM changed CROSS JOIN generate_series(0, CASE WHEN is_cap_changed THEN 6 ELSE 0 END) AS later
    ORDER BY marked_on
    ON CONFLICT (district_id, on_day) DO UPDATE SET on_day = excluded.on_day
)
SELECT count(*) FROM written;
