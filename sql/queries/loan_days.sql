-- all_districts --
-- Every district, with the zone of its days.
SELECT district_id, time_zone FROM districts ORDER BY district_id;

-- mark_days_to_come --
-- The days up to the present one that no states exist for yet: the first ever is the first day that a source
-- spoke of. Parameters: district, the present day.
INSERT INTO dirty_loan_days (district_id, on_day)
SELECT d.district_id, least(coalesce(d.computed_through_on + 1, first.on_day, $2::date), $2::date)
FROM districts AS d
CROSS JOIN LATERAL (SELECT min(l.on_day) AS on_day FROM line_days AS l WHERE l.district_id = d.district_id) AS first
WHERE d.district_id = $1 AND d.computed_through_on IS DISTINCT FROM $2::date
ON CONFLICT DO NOTHING;

-- mark_next_loan_day --
-- Parameters: district, the first day to compute again.
INSERT INTO dirty_loan_days (district_id, on_day) VALUES ($1, $2) ON CONFLICT DO NOTHING;

-- drop_marks_before_first_day --
-- Days before any source spoke have no states to compute. Parameters: district, the present day.
WITH first AS (
    SELECT coalesce(min(on_day), $2::date) AS on_day FROM line_days WHERE district_id = $1
),
early AS (
    DELETE FROM dirty_loan_days AS m
    USING first
    WHERE m.district_id = $1 AND m.on_day < first.on_day
    RETURNING m.on_day
)
INSERT INTO dirty_loan_days (district_id, on_day)
SELECT $1::integer, first.on_day
FROM first
WHERE EXISTS (SELECT FROM early)
ON CONFLICT DO NOTHING;

-- next_dirty_loan_day --
-- The earliest day to compute, and how many are marked. Parameters: district, the present day.
SELECT min(on_day) AS on_day, count(*) AS marked FROM dirty_loan_days WHERE district_id = $1 AND on_day <= $2;

-- days_waiting --
-- How many days wait to be computed. Parameters: district, the last day that is asked about.
SELECT count(*) AS days
FROM (
    SELECT on_day FROM dirty_line_days WHERE district_id = $1 AND on_day <= $2::date
    UNION
    SELECT on_day FROM dirty_loan_days WHERE district_id = $1 AND on_day <= $2
) AS marked;

-- take_dirty_loan_day --
-- Parameters: district, day.
DELETE FROM dirty_loan_days WHERE district_id = $1 AND on_day = $2;

-- set_computed_through --
-- Parameters: district, day.
UPDATE districts SET computed_through_on = $2
WHERE district_id = $1 AND (computed_through_on IS NULL OR computed_through_on < $2)
RETURNING true;

-- lock_rollup --
-- One process at a time computes a district's days. To the end of the transaction, too, hold: the memory that
-- joins may take before they go to disk; and no nested loops, as these statements join whole sets, and in tables
-- that were just filled the planner takes a set for a single row. Parameters: district.
SELECT pg_try_advisory_xact_lock(1634034290, $1)
FROM set_config('work_mem', '64MB', true) AS memory, set_config('enable_nestloop', 'off', true) AS loops;

-- drop_closed_loan_days --
-- Rows of loans that were not open on the day after all. Parameters: district, day.
WITH dropped AS (
    DELETE FROM loan_days AS o
    USING loans AS l
    JOIN devices AS d USING (district_id, device_id)
    WHERE o.district_id = $1 AND o.on_day = $2
        AND l.district_id = o.district_id AND l.loan_id = o.loan_id
        AND (l.checked_out_on > o.on_day OR l.returned_on <= o.on_day OR d.kind NOT IN ('hotspot', 'fixed_router'))
    RETURNING o.loan_id
)
SELECT count(*) FROM dropped;

-- compute_allowance_days --
-- What each line has used so far of a yearly or a pooled allowance, where the plan stops or throttles; returns how many
-- rows changed. A day goes on from the one before: only a line whose period nobody has added up yet is summed from the
-- period's beginning. A year begins anew on the anniversaries of the plan, or on 1 January; the vendor's own total
-- counts where it is larger and of a cycle within the period, but on the period's first day it may still be the total of
-- the period before. Parameters: district, day.
WITH district AS (
    SELECT time_zone AS local_zone FROM districts WHERE district_id = $1
),
plans_carried AS (
    SELECT
        p.plan_id, p.allowance_bytes, p.is_pooled, p.cycle_day,
        CASE
            WHEN p.allowance_period = 'year' THEN coalesce(p.starts_on, date '2000-01-01')
            ELSE make_date(2000, 1, CASE WHEN p.allowance_period = 'cycle' THEN p.cycle_day ELSE 1 END)
        END AS first_on,
        CASE WHEN p.allowance_period = 'year' THEN interval '1 year' ELSE interval '1 month' END AS step
    FROM plans AS p
    WHERE p.district_id = $1 AND p.allowance_bytes IS NOT NULL AND p.at_allowance IN ('stop', 'throttle')
        AND (p.allowance_period = 'year' OR p.is_pooled AND p.allowance_period <> 'day')
),
steps AS (
    -- how often the period has begun anew by the day's year or month; once less where that is yet to come
    SELECT p.*, begun.steps - ((p.first_on + begun.steps * p.step)::date > $2)::integer AS steps
    FROM plans_carried AS p
    CROSS JOIN LATERAL (
        SELECT
            extract(year FROM $2::date) - extract(year FROM p.first_on) AS years,
            extract(month FROM $2::date) - extract(month FROM p.first_on) AS months
    ) AS apart
    CROSS JOIN LATERAL (
        SELECT CASE WHEN p.step = interval '1 year' THEN apart.years ELSE 12 * apart.years + apart.months END AS steps
    ) AS begun
),
periods AS (
    SELECT
        s.plan_id, s.allowance_bytes, s.is_pooled, span.starts_on,
        (s.first_on + (s.steps + 1) * s.step)::date - 1 AS ends_on,
        -- the first day whose total is surely of this period
        greatest(
            span.starts_on + 1,
            CASE WHEN cycle.starts_on < span.starts_on THEN (cycle.starts_on + interval '1 month')::date
                ELSE cycle.starts_on END
        ) AS told_from_on
    FROM steps AS s
    CROSS JOIN LATERAL (SELECT (s.first_on + s.steps * s.step)::date AS starts_on) AS span
    CROSS JOIN LATERAL (
        SELECT date_trunc('month', span.starts_on)::date
            + CASE WHEN s.step = interval '1 month' THEN extract(day FROM s.first_on)::integer ELSE s.cycle_day END - 1
            AS starts_on
    ) AS cycle
),
carried AS MATERIALIZED (
    SELECT
        l.line_id, p.plan_id, p.starts_on, p.ends_on, p.told_from_on, p.allowance_bytes, p.is_pooled,
        coalesce(y.carried_bytes + y.used_bytes, o.carried_bytes, CASE WHEN p.starts_on = $2 THEN 0 END) AS bytes,
        coalesce(y.told_bytes, o.told_bytes) AS told_bytes,
        -- no day of a line is older
        greatest(p.starts_on, (l.observed_since AT TIME ZONE d.local_zone)::date - 2) AS first_on
    FROM periods AS p
    CROSS JOIN district AS d
    JOIN lines AS l ON l.district_id = $1 AND l.plan_id = p.plan_id
    LEFT JOIN allowance_days AS y ON y.district_id = $1 AND y.on_day = $2::date - 1 AND y.line_id = l.line_id
        AND y.period_starts_on = p.starts_on
    LEFT JOIN allowance_days AS o ON o.district_id = $1 AND o.on_day = $2 AND o.line_id = l.line_id
        AND o.period_starts_on = p.starts_on
),
lacking AS MATERIALIZED (
    SELECT line_id, first_on, told_from_on FROM carried WHERE bytes IS NULL
),
added_up AS (
    SELECT line_id, sum(used_bytes) AS bytes, max(cycle_bytes) FILTER (WHERE on_day >= told_from_on) AS told_bytes
    FROM (
        SELECT DISTINCT ON (o.line_id, o.on_day) o.line_id, o.on_day, o.used_bytes, o.cycle_bytes, k.told_from_on
        FROM line_days AS o
        JOIN lacking AS k ON k.line_id = o.line_id AND k.first_on <= o.on_day
        JOIN accounts AS a ON a.district_id = $1 AND a.account_id = o.account_id
        WHERE o.district_id = $1 AND o.on_day >= (SELECT min(first_on) FROM lacking) AND o.on_day < $2
        ORDER BY o.line_id, o.on_day, o.used_bytes IS NULL, a.rank, o.basis, o.account_id
    ) AS days
    GROUP BY line_id
),
usage AS (
    SELECT DISTINCT ON (o.line_id) o.line_id, o.used_bytes
    FROM line_days AS o
    JOIN carried AS c USING (line_id)
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.used_bytes IS NOT NULL
    ORDER BY o.line_id, a.rank, o.basis, o.account_id
),
totals AS (
    SELECT DISTINCT ON (o.line_id) o.line_id, o.cycle_bytes
    FROM line_days AS o
    JOIN carried AS c USING (line_id)
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.on_day >= c.told_from_on AND o.cycle_bytes IS NOT NULL
    ORDER BY o.line_id, a.rank, o.account_id
),
added AS (
    SELECT
        c.line_id, c.plan_id, c.starts_on, c.ends_on, c.allowance_bytes, c.is_pooled,
        coalesce(c.bytes, s.bytes, 0)::bigint AS carried_bytes,
        coalesce(u.used_bytes, 0) AS used_bytes,
        greatest(c.told_bytes, s.told_bytes, t.cycle_bytes) AS told_bytes
    FROM carried AS c
    LEFT JOIN added_up AS s USING (line_id)
    LEFT JOIN usage AS u USING (line_id)
    LEFT JOIN totals AS t USING (line_id)
),
judged AS (
    SELECT
        *,
        CASE
            WHEN is_pooled
            THEN sum(greatest(carried_bytes + used_bytes, told_bytes)) OVER pool >= allowance_bytes::numeric * count(*) OVER pool
            ELSE greatest(carried_bytes + used_bytes, told_bytes) >= allowance_bytes
        END AS is_exhausted
    FROM added
    WINDOW pool AS (PARTITION BY plan_id)
),
gone AS (
    DELETE FROM allowance_days AS o
    WHERE o.district_id = $1 AND o.on_day = $2 AND NOT EXISTS (SELECT FROM carried AS c WHERE c.line_id = o.line_id)
    RETURNING o.line_id
),
written AS (
    INSERT INTO allowance_days AS o (
        district_id, on_day, line_id, plan_id, period_starts_on, period_ends_on, carried_bytes, used_bytes, told_bytes,
        is_exhausted
    )
    SELECT $1, $2, line_id, plan_id, starts_on, ends_on, carried_bytes, used_bytes, told_bytes, is_exhausted
    FROM judged
    ON CONFLICT (district_id, on_day, line_id) DO UPDATE
    SET plan_id = excluded.plan_id, period_starts_on = excluded.period_starts_on,
        period_ends_on = excluded.period_ends_on, carried_bytes = excluded.carried_bytes,
        used_bytes = excluded.used_bytes, told_bytes = excluded.told_bytes, is_exhausted = excluded.is_exhausted
    WHERE (o.plan_id, o.period_starts_on, o.period_ends_on, o.carried_bytes, o.used_bytes, o.told_bytes, o.is_exhausted)
        IS DISTINCT FROM
        (excluded.plan_id, excluded.period_starts_on, excluded.period_ends_on, excluded.carried_bytes,
         excluded.used_bytes, excluded.told_bytes, excluded.is_exhausted)
    RETURNING o.line_id
)
SELECT (SELECT count(*) FROM written) + (SELECT count(*) FROM gone);

-- compute_loan_days --
-- One state for every loan that is open on the day, from the day before and the day's line days; returns how
-- many rows changed. The order of the states is that of the definitions.
-- Parameters: district, day, now, first and last instant of the 7 days up to it, RSRP floor in dBm, samples
-- needed for evidence, first and last hour of the homework window (local).
WITH district AS (
    SELECT
        time_zone AS local_zone,
        -- the day was judged in full and reported: what changes now is a revision
        computed_through_on > $2::date + (
            SELECT coalesce(max(a.lag_days), 0) FROM accounts AS a WHERE a.district_id = $1 AND a.collector <> 'file' AND a.is_in_use
        ) AS is_reported
    FROM districts
    WHERE district_id = $1
),
open_loans AS (
    SELECT l.loan_id, l.device_id, l.school_id, l.checked_out_on, d.kind
    FROM loans AS l
    JOIN devices AS d USING (district_id, device_id)
    WHERE l.district_id = $1 AND l.checked_out_on <= $2 AND (l.returned_on IS NULL OR l.returned_on > $2)
        AND d.kind IN ('hotspot', 'fixed_router')
),
held_lines AS (
    SELECT DISTINCT ON (k.line_id) k.line_id, k.device_id, k.starts_at
    FROM line_device_links AS k
    CROSS JOIN district AS d
    WHERE k.district_id = $1
        AND k.starts_at < ($2::date + 1)::timestamp AT TIME ZONE d.local_zone
        AND (k.ends_at IS NULL OR k.ends_at > $2::date::timestamp AT TIME ZONE d.local_zone)
    ORDER BY k.line_id, k.starts_at DESC
),
usage AS (
    SELECT DISTINCT ON (o.line_id) o.line_id, o.used_bytes
    FROM line_days AS o
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.used_bytes IS NOT NULL
    ORDER BY o.line_id, a.rank, o.basis, o.account_id
),
statuses AS (
    -- of the lines whose state was fresh; whether suspended is NULL where no source tells a status
    SELECT DISTINCT ON (o.line_id)
        o.line_id, o.status IN ('suspended', 'deactivated') AS is_suspended,
        coalesce(o.suspended_by, CASE WHEN o.status = 'suspended' THEN 'carrier'::suspended_by END) AS suspended_by
    FROM line_days AS o
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.is_state_fresh
    ORDER BY o.line_id, o.status IS NULL, a.rank, o.account_id
),
cycle_limits AS (
    SELECT DISTINCT ON (o.line_id) o.line_id, o.has_reached_cycle_limit
    FROM line_days AS o
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.has_reached_cycle_limit IS NOT NULL
    ORDER BY o.line_id, a.rank, o.account_id
),
exhausted_devices AS (
    SELECT l.device_id, max(o.exhausted_until_on) AS until_on
    FROM loan_days AS o
    JOIN loans AS l USING (district_id, loan_id)
    WHERE o.district_id = $1 AND o.on_day = $2::date - 1 AND o.exhausted_until_on >= $2
    GROUP BY l.device_id
),
moved AS (
    SELECT DISTINCT ON (line_id) line_id, starts_at, ends_at
    FROM usage_spans
    WHERE district_id = $1 AND total_bytes > 0 AND ends_at <= $5 AND ends_at > $5 - interval '400 days'
    ORDER BY line_id, starts_at DESC
),
spent_lines AS (
    -- lines whose yearly allowance is used up, or that of their pool
    SELECT a.line_id, p.is_pooled
    FROM allowance_days AS a
    JOIN plans AS p USING (district_id, plan_id)
    WHERE a.district_id = $1 AND a.on_day = $2 AND a.is_exhausted
),
sampled AS (
    -- lines that a source has told the state of; one that knows no plan tells no status, but that it looked
    SELECT line_id, bool_or(status IS NOT NULL) AS has_status
    FROM latest_states
    WHERE district_id = $1 AND (status IS NOT NULL OR is_online IS NOT NULL)
    GROUP BY line_id
),
files AS (
    SELECT DISTINCT ON (f.line_id) f.line_id, f.total_bytes, f.starts_at
    FROM (
        SELECT s.line_id, s.account_id, sum(s.total_bytes) AS total_bytes, min(s.starts_at) AS starts_at
        FROM usage_spans AS s
        CROSS JOIN district AS d
        WHERE s.district_id = $1 AND s.is_file
            AND s.starts_at < ($2::date + 1)::timestamp AT TIME ZONE d.local_zone
            AND s.ends_at > $2::date::timestamp AT TIME ZONE d.local_zone
        GROUP BY s.line_id, s.account_id
    ) AS f
    JOIN accounts AS a ON a.district_id = $1 AND a.account_id = f.account_id
    ORDER BY f.line_id, a.rank, f.account_id
),
measured_loans AS (
    -- where the hotspot is now was measured since it was lent and since it holds the line
    SELECT l.loan_id, l.kind, h.line_id, greatest($4, l.checked_out_on::timestamp AT TIME ZONE d.local_zone, h.starts_at) AS since_at
    FROM open_loans AS l
    JOIN held_lines AS h USING (device_id)
    CROSS JOIN district AS d
),
capped_loans AS (
    -- whose line was at its daily limit on 3 days since it was lent
    SELECT DISTINCT c.loan_id
    FROM (
        SELECT m.loan_id
        FROM line_days AS o
        CROSS JOIN district AS d
        JOIN measured_loans AS m ON m.line_id = o.line_id AND (m.since_at AT TIME ZONE d.local_zone)::date <= o.on_day
        WHERE o.district_id = $1 AND o.on_day BETWEEN $2::date - 6 AND $2 AND o.has_reached_day_limit
        GROUP BY m.loan_id, m.line_id
        HAVING count(DISTINCT o.on_day) >= 3
    ) AS c
),
weak_signals AS MATERIALIZED (
    SELECT DISTINCT w.loan_id
    FROM (
        SELECT m.loan_id
        FROM signal_readings AS r
        JOIN measured_loans AS m ON m.line_id = r.line_id AND m.since_at <= r.starts_at
        WHERE r.district_id = $1 AND r.starts_at >= $4 AND r.starts_at < $5 AND r.rsrp_dbm IS NOT NULL
        GROUP BY m.loan_id, m.line_id
        HAVING count(*) >= $7 AND percentile_cont(0.5) WITHIN GROUP (ORDER BY r.rsrp_dbm) < $6
    ) AS w
),
offline_evenings AS MATERIALIZED (
    SELECT DISTINCT m.loan_id
    FROM measured_loans AS m
    CROSS JOIN LATERAL (
        -- by each router's own key: they are few among all lines
        SELECT count(*) AS samples, avg(r.is_online::integer) AS online
        FROM state_readings AS r
        CROSS JOIN district AS d
        WHERE r.district_id = $1 AND r.line_id = m.line_id AND r.starts_at >= $4 AND r.starts_at < $5
            AND r.starts_at >= m.since_at AND r.is_online IS NOT NULL
            AND extract(hour FROM r.starts_at AT TIME ZONE d.local_zone) >= $8
            AND extract(hour FROM r.starts_at AT TIME ZONE d.local_zone) < $9
    ) AS evenings
    WHERE m.kind = 'fixed_router' AND evenings.samples >= $7 AND evenings.online < 0.5
),
device_days AS MATERIALIZED (
    SELECT
        h.device_id,
        (min(n.observed_since) AT TIME ZONE d.local_zone)::date AS observed_since_on,
        sum(u.used_bytes)::bigint AS known_bytes,
        bool_and(u.line_id IS NOT NULL) AS is_known,
        -- a device is suspended when every line of it that tells a status is
        coalesce(bool_and(s.is_suspended) FILTER (WHERE s.is_suspended IS NOT NULL), false) AS is_suspended,
        min(s.suspended_by) FILTER (WHERE s.is_suspended) AS suspended_by,
        -- where no source tells a status, that one has looked is enough; where none looks, as with files, so be it
        bool_or(s.is_suspended IS NOT NULL)
            OR NOT coalesce(bool_or(t.has_status), false) AND (bool_or(s.line_id IS NOT NULL) OR count(t.line_id) = 0)
            AS is_status_good,
        bool_or(y.has_reached_cycle_limit) AS has_reached_cycle_limit,
        bool_or(x.is_pooled) AS is_pool_spent,  -- NULL: neither a pool's nor a year's allowance is used up
        min(p.cycle_day) FILTER (WHERE p.allowance_period = 'cycle') AS cycle_day,
        sum(f.total_bytes) AS file_bytes,
        (min(f.starts_at) AT TIME ZONE d.local_zone)::date AS file_starts_on,
        (max(m.starts_at) AT TIME ZONE d.local_zone)::date AS moved_since_on,
        (max(m.ends_at) AT TIME ZONE d.local_zone)::date AS moved_until_on
    FROM held_lines AS h
    CROSS JOIN district AS d
    JOIN lines AS n ON n.district_id = $1 AND n.line_id = h.line_id
    LEFT JOIN plans AS p ON p.district_id = $1 AND p.plan_id = n.plan_id
    LEFT JOIN usage AS u ON u.line_id = h.line_id
    LEFT JOIN statuses AS s ON s.line_id = h.line_id
    LEFT JOIN sampled AS t ON t.line_id = h.line_id
    LEFT JOIN cycle_limits AS y ON y.line_id = h.line_id
    LEFT JOIN spent_lines AS x ON x.line_id = h.line_id
    -- bytes of a time before the device held the line are not its own
    LEFT JOIN moved AS m ON m.line_id = h.line_id AND m.starts_at >= h.starts_at
    LEFT JOIN files AS f ON f.line_id = h.line_id AND (f.total_bytes = 0 OR f.starts_at >= h.starts_at)
    GROUP BY h.device_id, d.local_zone
),
calendar AS (
    SELECT
        s.school_id,
        CASE
            WHEN coalesce(own.kind, c.kind) IS NOT NULL THEN coalesce(own.kind, c.kind) IN ('instructional', 'half_day')
            WHEN $2 BETWEEN bounds.first_on AND bounds.last_on THEN false
        END AS is_instructional
    FROM schools AS s
    CROSS JOIN (SELECT min(on_day) AS first_on, max(on_day) AS last_on FROM calendar_days WHERE district_id = $1) AS bounds
    LEFT JOIN calendar_days AS c ON c.district_id = $1 AND c.on_day = $2
    LEFT JOIN school_calendar_days AS own
        ON own.district_id = $1 AND own.school_id = s.school_id AND own.on_day = $2
    WHERE s.district_id = $1
),
carried AS (
    SELECT
        l.loan_id, l.school_id, v.device_id IS NOT NULL AS has_line,
        greatest(l.checked_out_on, v.observed_since_on) AS observed_since_on,
        CASE WHEN v.is_known OR v.known_bytes > 0 THEN v.known_bytes END AS used_bytes,
        coalesce(v.is_suspended, false) AS is_suspended, v.suspended_by,
        coalesce(v.is_status_good, false) AS is_status_good,
        x.loan_id IS NOT NULL AS is_day_exhausted, v.is_pool_spent,
        CASE
            WHEN v.has_reached_cycle_limit THEN
                -- the last day of the period that the day is in; a calendar month where no plan says otherwise
                CASE
                    WHEN extract(day FROM $2::date) < coalesce(v.cycle_day, 1)
                    THEN date_trunc('month', $2::date)::date + coalesce(v.cycle_day, 1) - 2
                    ELSE (date_trunc('month', $2::date) + interval '1 month')::date + coalesce(v.cycle_day, 1) - 2
                END
            WHEN v.device_id IS NOT NULL AND v.has_reached_cycle_limit IS NULL THEN e.until_on
        END AS exhausted_until_on,
        CASE WHEN v.known_bytes > 0 THEN $2 ELSE y.last_used_on END AS last_used_on,
        CASE
            WHEN NOT coalesce(v.is_known OR v.known_bytes > 0, false) THEN $2
            WHEN y.loan_id IS NULL AND l.checked_out_on < $2 THEN $2::date - 1  -- what came before is not known
            ELSE y.last_unknown_on
        END AS last_unknown_on,
        CASE
            WHEN v.known_bytes > 0 THEN 0
            ELSE CASE WHEN v.moved_until_on = $2 AND v.moved_since_on >= l.checked_out_on THEN 0 ELSE coalesce(y.idle_days, 0) END
                + (coalesce(v.is_known, false)
                   AND NOT (v.is_suspended AND coalesce(v.suspended_by IN ('loan_desk', 'season'), false)))::integer
        END AS idle_days,
        CASE
            WHEN c.is_instructional IS NULL THEN NULL
            WHEN v.known_bytes > 0 THEN 0
            WHEN y.loan_id IS NOT NULL AND y.idle_instructional_days IS NULL THEN NULL
            ELSE CASE WHEN v.moved_until_on = $2 AND v.moved_since_on >= l.checked_out_on THEN 0
                ELSE coalesce(y.idle_instructional_days, 0) END
                + (c.is_instructional AND coalesce(v.is_known, false)
                   AND NOT (v.is_suspended AND coalesce(v.suspended_by IN ('loan_desk', 'season'), false)))::integer
        END AS idle_instructional_days,
        -- a period that began before the loan proves its use only where there was none
        CASE WHEN v.file_bytes = 0 OR v.file_starts_on >= l.checked_out_on THEN v.file_bytes END AS file_bytes,
        coalesce(v.moved_since_on >= l.checked_out_on, false) AS has_moved, 
        g.loan_id IS NOT NULL AS is_signal_weak, r.loan_id IS NOT NULL AS is_offline_evenings
    FROM open_loans AS l
    LEFT JOIN device_days AS v USING (device_id)
    LEFT JOIN calendar AS c USING (school_id)
    LEFT JOIN exhausted_devices AS e USING (device_id)
    LEFT JOIN capped_loans AS x USING (loan_id)
    LEFT JOIN weak_signals AS g USING (loan_id)
    LEFT JOIN offline_evenings AS r USING (loan_id)
    LEFT JOIN loan_days AS y ON y.district_id = $1 AND y.on_day = $2::date - 1 AND y.loan_id = l.loan_id
),
windows AS (
    SELECT
        *,
        CASE
            WHEN last_used_on >= $2::date - 6 THEN true
            WHEN last_unknown_on IS NULL OR last_unknown_on < $2::date - 6 THEN false
            ELSE file_bytes > 0
        END AS is_used_7,
        CASE
            WHEN last_used_on >= $2::date - 29 THEN true
            WHEN last_unknown_on IS NULL OR last_unknown_on < $2::date - 29 THEN false
            ELSE file_bytes > 0
        END AS is_used_30,
        coalesce(last_used_on < $2::date - 6, true) AND coalesce(last_unknown_on >= $2::date - 6, false)
            AND file_bytes IS NOT NULL
            AS is_coarse
    FROM carried
),
judged AS (
    SELECT
        *,
        (CASE
            WHEN is_suspended THEN 'suspended'
            WHEN is_day_exhausted OR exhausted_until_on IS NOT NULL OR is_pool_spent IS NOT NULL THEN 'exhausted'
            WHEN is_used_7 IS NULL OR NOT is_status_good THEN 'unknown'
            WHEN last_used_on IS NULL AND NOT is_used_7 AND NOT has_moved THEN 'never_used'
            WHEN NOT is_used_7 THEN 'idle'
            WHEN is_signal_weak OR is_offline_evenings THEN 'weak'
            ELSE 'adequate'
        END)::loan_state AS state,
        (CASE
            WHEN is_suspended THEN coalesce(suspended_by::text, 'deactivated')
            WHEN is_day_exhausted THEN 'day_allowance'
            WHEN exhausted_until_on IS NOT NULL THEN 'cycle_allowance'
            WHEN is_pool_spent THEN 'pool_allowance'
            WHEN NOT is_pool_spent THEN 'year_allowance'
            WHEN NOT has_line THEN 'no_line'
            WHEN NOT is_status_good THEN 'status_stale'
            WHEN is_used_7 IS NULL THEN 'usage_unknown'
            WHEN is_used_7 AND is_signal_weak THEN 'signal'
            WHEN is_used_7 AND is_offline_evenings THEN 'offline_evenings'
        END)::state_reason AS reason
    FROM windows
),
changed AS (
    -- a row that stays as it is must not be touched: even to lock it costs a write
    SELECT j.*
    FROM judged AS j
    LEFT JOIN loan_days AS o ON o.district_id = $1 AND o.on_day = $2 AND o.loan_id = j.loan_id
    WHERE o.loan_id IS NULL
        OR (o.school_id, o.state, o.reason, o.used_bytes, o.is_used_7, o.is_used_30, o.is_coarse, o.last_used_on,
            o.last_unknown_on, o.observed_since_on, o.exhausted_until_on, o.idle_days, o.idle_instructional_days)
        IS DISTINCT FROM
        (j.school_id, j.state, j.reason, j.used_bytes, j.is_used_7, j.is_used_30, j.is_coarse, j.last_used_on,
         j.last_unknown_on, j.observed_since_on, j.exhausted_until_on, j.idle_days, j.idle_instructional_days)
),
written AS (
    INSERT INTO loan_days AS o (
        district_id, on_day, loan_id, school_id, state, reason, used_bytes, is_used_7, is_used_30, is_coarse,
        last_used_on, last_unknown_on, observed_since_on, exhausted_until_on, idle_days, idle_instructional_days,
        computed_at
    )
    SELECT
        $1, $2, loan_id, school_id, state, reason, used_bytes, is_used_7, is_used_30, is_coarse,
        last_used_on, last_unknown_on, observed_since_on, exhausted_until_on, idle_days, idle_instructional_days,
        $3
    FROM changed
    ON CONFLICT (district_id, on_day, loan_id) DO UPDATE
    SET school_id = excluded.school_id, state = excluded.state, reason = excluded.reason,
        used_bytes = excluded.used_bytes, is_used_7 = excluded.is_used_7, is_used_30 = excluded.is_used_30,
        is_coarse = excluded.is_coarse, last_used_on = excluded.last_used_on,
        last_unknown_on = excluded.last_unknown_on, observed_since_on = excluded.observed_since_on,
        exhausted_until_on = excluded.exhausted_until_on, idle_days = excluded.idle_days,
        idle_instructional_days = excluded.idle_instructional_days, computed_at = excluded.computed_at,
        revised_at = CASE WHEN (SELECT is_reported FROM district) THEN excluded.computed_at ELSE o.revised_at END
    RETURNING o.loan_id
)
SELECT count(*) FROM written;

-- compute_school_days --
-- Counts of students by school, and the coverage that follows. Where any student's answer that can be used is valid,
-- need is known by student, and each is counted at their own school; else from the school's latest valid total: then a
-- loan is presumed to serve a student in need of the school that lent it, and a borrower that is not told is a student
-- of their own. Nothing is presumed of a loan whose borrower belongs to a school that has asked its students: it is
-- counted there alone. Parameters: district, day, now, completeness floor.
WITH district AS (
    SELECT
        need_mode,
        computed_through_on > $2::date + (
            SELECT coalesce(max(a.lag_days), 0) FROM accounts AS a WHERE a.district_id = $1 AND a.collector <> 'file' AND a.is_in_use
        ) AS is_reported
    FROM districts
    WHERE district_id = $1
),
open_loans AS MATERIALIZED (
    SELECT o.loan_id, o.school_id, o.state, o.is_used_7, o.is_used_30, l.borrower, l.household
    FROM loan_days AS o
    JOIN loans AS l USING (district_id, loan_id)
    WHERE o.district_id = $1 AND o.on_day = $2
),
answers AS MATERIALIZED (
    SELECT student, school_id, household, is_in_need FROM answers_on($1, $2) WHERE is_answered
),
enrolled AS MATERIALIZED (
    SELECT student, school_id
    FROM enrollments
    WHERE district_id = $1 AND starts_on <= $2 AND (ends_on IS NULL OR ends_on > $2)
),
rosters AS (
    SELECT school_id, count(*)::integer AS enrolled FROM enrolled GROUP BY school_id
),
asked AS MATERIALIZED (
    SELECT school_id, count(*)::integer AS answered, (count(*) FILTER (WHERE is_in_need))::integer AS need
    FROM answers
    WHERE school_id IS NOT NULL
    GROUP BY school_id
),
totals AS (
    SELECT DISTINCT ON (n.school_id) n.school_id, n.enrolled, n.answered, n.need
    FROM need_counts AS n
    WHERE n.district_id = $1 AND n.as_of_on <= $2 AND n.as_of_on >= (SELECT valid_since($1, $2))
    ORDER BY n.school_id, n.as_of_on DESC
),
serving AS MATERIALIZED (
    -- which students in need each loan serves: its borrower; in household mode everyone of the home
    SELECT a.student, a.school_id, o.loan_id
    FROM answers AS a
    JOIN open_loans AS o ON o.borrower = a.student
    WHERE a.is_in_need AND a.school_id IS NOT NULL
    UNION
    SELECT a.student, a.school_id, o.loan_id
    FROM answers AS a
    JOIN open_loans AS o ON o.household = a.household
    WHERE a.is_in_need AND a.school_id IS NOT NULL AND a.household <> ''
        AND (SELECT need_mode FROM district) = 'household'
),
lent AS MATERIALIZED (
    -- every loan at one school: its borrower's where that has asked its students, else the one that lent it
    SELECT o.*, coalesce(k.school_id, o.school_id) AS own_school_id, s.loan_id IS NOT NULL AS is_serving
    FROM open_loans AS o
    LEFT JOIN (SELECT DISTINCT loan_id FROM serving) AS s USING (loan_id)
    LEFT JOIN (SELECT student, school_id FROM enrolled WHERE EXISTS (SELECT FROM asked)) AS e ON e.student = o.borrower
    LEFT JOIN answers AS a ON a.student = o.borrower
    LEFT JOIN asked AS k ON k.school_id = coalesce(e.school_id, a.school_id)
),
students AS (
    SELECT
        s.school_id, min(o.state) AS state, bool_or(o.is_used_7) AS is_used_7, bool_or(o.is_used_30) AS is_used_30
    FROM serving AS s
    JOIN open_loans AS o USING (loan_id)
    GROUP BY s.school_id, s.student
    UNION ALL
    SELECT
        o.school_id, min(o.state) AS state, bool_or(o.is_used_7) AS is_used_7, bool_or(o.is_used_30) AS is_used_30
    FROM lent AS o
    LEFT JOIN asked AS a ON a.school_id = o.own_school_id
    WHERE a.school_id IS NULL AND NOT (o.is_serving AND o.borrower = '')
    GROUP BY o.school_id, CASE WHEN o.borrower = '' THEN o.loan_id::text ELSE o.borrower END
),
counts AS (
    SELECT
        school_id,
        count(*)::integer AS loaned,
        (count(*) FILTER (WHERE is_used_30))::integer AS active_30,
        (count(*) FILTER (WHERE is_used_7))::integer AS active_7,
        (count(*) FILTER (WHERE state = 'adequate'))::integer AS adequate,
        (count(*) FILTER (WHERE state = 'unknown'))::integer AS unknown,
        (count(*) FILTER (WHERE state = 'weak'))::integer AS weak,
        (count(*) FILTER (WHERE state = 'exhausted'))::integer AS exhausted,
        (count(*) FILTER (WHERE state = 'idle'))::integer AS idle,
        (count(*) FILTER (WHERE state = 'never_used'))::integer AS never_used,
        (count(*) FILTER (WHERE state = 'suspended'))::integer AS suspended
    FROM students
    GROUP BY school_id
),
outside AS (
    -- loans that serve no student who is known to be in need
    SELECT
        o.own_school_id AS school_id,
        (count(DISTINCT o.borrower) FILTER (WHERE o.borrower <> ''))::integer AS served_outside_need,
        (count(*) FILTER (WHERE o.borrower = ''))::integer AS unattributed
    FROM lent AS o
    JOIN asked AS a ON a.school_id = o.own_school_id
    WHERE NOT o.is_serving
    GROUP BY o.own_school_id
),
calendar AS (
    SELECT
        s.school_id,
        CASE
            WHEN coalesce(own.kind, c.kind) IS NOT NULL THEN coalesce(own.kind, c.kind) IN ('instructional', 'half_day')
            WHEN $2 BETWEEN bounds.first_on AND bounds.last_on THEN false
        END AS is_instructional,
        coalesce(coalesce(own.kind, c.kind) = 'break', false) AS is_out_of_session
    FROM schools AS s
    CROSS JOIN (SELECT min(on_day) AS first_on, max(on_day) AS last_on FROM calendar_days WHERE district_id = $1) AS bounds
    LEFT JOIN calendar_days AS c ON c.district_id = $1 AND c.on_day = $2
    LEFT JOIN school_calendar_days AS own
        ON own.district_id = $1 AND own.school_id = s.school_id AND own.on_day = $2
    WHERE s.district_id = $1
),
figures AS (
    SELECT
        s.school_id,
        -- the students of a total belong with its answers
        CASE WHEN a.school_id IS NULL AND t.school_id IS NOT NULL THEN t.enrolled
            ELSE coalesce(r.enrolled, t.enrolled) END AS enrolled,
        coalesce(a.answered, t.answered) AS answered,
        coalesce(a.need, t.need) AS need,
        (CASE WHEN a.school_id IS NOT NULL THEN 'answers' WHEN t.school_id IS NOT NULL THEN 'totals' END)::need_source
            AS need_source,
        CASE WHEN a.school_id IS NOT NULL THEN coalesce(x.served_outside_need, 0) END AS served_outside_need,
        CASE WHEN a.school_id IS NOT NULL THEN coalesce(x.unattributed, 0) END AS unattributed,
        coalesce(c.loaned, 0) AS loaned, coalesce(c.active_30, 0) AS active_30, coalesce(c.active_7, 0) AS active_7,
        coalesce(c.adequate, 0) AS adequate, coalesce(c.unknown, 0) AS unknown, coalesce(c.weak, 0) AS weak,
        coalesce(c.exhausted, 0) AS exhausted, coalesce(c.idle, 0) AS idle,
        coalesce(c.never_used, 0) AS never_used, coalesce(c.suspended, 0) AS suspended,
        CASE WHEN c.loaned > 0 THEN 1 - c.unknown::double precision / c.loaned ELSE 1 END AS completeness,
        s.is_instructional, s.is_out_of_session
    FROM calendar AS s
    LEFT JOIN asked AS a USING (school_id)
    LEFT JOIN totals AS t USING (school_id)
    LEFT JOIN rosters AS r USING (school_id)
    LEFT JOIN counts AS c USING (school_id)
    LEFT JOIN outside AS x USING (school_id)
),
covered AS (
    SELECT
        *,
        (CASE
            WHEN need IS NULL THEN 'need_unknown'
            WHEN need = 0 THEN 'not_applicable'
            WHEN completeness < $4 THEN 'incomplete'
            ELSE 'known'
        END)::coverage_status AS coverage_status
    FROM figures
),
written AS (
    INSERT INTO school_days AS o (
        district_id, on_day, school_id, enrolled, answered, need, need_source, loaned, active_30, active_7, adequate,
        unknown, weak, exhausted, idle, never_used, suspended, served_outside_need, unattributed, coverage_status,
        completeness, coverage, coverage_low, coverage_high, is_need_exceeded, is_instructional, is_out_of_session,
        computed_at
    )
    SELECT
        $1, $2, school_id, enrolled, answered, need, need_source, loaned, active_30, active_7, adequate,
        unknown, weak, exhausted, idle, never_used, suspended, served_outside_need, unattributed, coverage_status,
        completeness,
        CASE WHEN coverage_status = 'known' THEN least(adequate, need)::double precision / need END,
        -- least() passes over a NULL: without the students enrolled there is no lower bound. A roster that is behind the
        -- answers leaves nobody unanswered, not fewer than nobody.
        CASE WHEN need > 0 AND enrolled IS NOT NULL
            THEN least(1, adequate::double precision / (need + greatest(0, enrolled - answered))) END,
        CASE WHEN need > 0 THEN least(1, (adequate + unknown)::double precision / need) END,
        coalesce(adequate > need OR (need = 0 AND loaned > 0), false), is_instructional, is_out_of_session, $3
    FROM covered
    ON CONFLICT (district_id, on_day, school_id) DO UPDATE
    SET enrolled = excluded.enrolled, answered = excluded.answered, need = excluded.need,
        need_source = excluded.need_source, loaned = excluded.loaned,
        active_30 = excluded.active_30, active_7 = excluded.active_7, adequate = excluded.adequate,
        unknown = excluded.unknown, weak = excluded.weak, exhausted = excluded.exhausted, idle = excluded.idle,
        never_used = excluded.never_used, suspended = excluded.suspended,
        served_outside_need = excluded.served_outside_need, unattributed = excluded.unattributed,
        coverage_status = excluded.coverage_status, completeness = excluded.completeness,
        coverage = excluded.coverage, coverage_low = excluded.coverage_low, coverage_high = excluded.coverage_high,
        is_need_exceeded = excluded.is_need_exceeded, is_instructional = excluded.is_instructional,
        is_out_of_session = excluded.is_out_of_session, computed_at = excluded.computed_at,
        revised_at = CASE WHEN (SELECT is_reported FROM district) THEN excluded.computed_at ELSE o.revised_at END
    WHERE (o.coverage_status, o.enrolled, o.answered, o.need, o.need_source, o.loaned, o.active_30, o.active_7,
           o.adequate, o.unknown, o.weak, o.exhausted, o.idle, o.never_used, o.suspended, o.served_outside_need,
           o.unattributed, o.is_instructional, o.is_out_of_session)
        IS DISTINCT FROM
        (excluded.coverage_status, excluded.enrolled, excluded.answered, excluded.need, excluded.need_source,
         excluded.loaned, excluded.active_30, excluded.active_7, excluded.adequate, excluded.unknown, excluded.weak,
         excluded.exhausted, excluded.idle, excluded.never_used, excluded.suspended, excluded.served_outside_need,
         excluded.unattributed, excluded.is_instructional, excluded.is_out_of_session)
    RETURNING o.school_id
)
SELECT count(*) FROM written;
