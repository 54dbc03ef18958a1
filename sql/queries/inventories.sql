-- inventory_snapshot --
-- To the end of the transaction: the memory that joins may take before they go to disk, one reading of everything, and
-- local days that do not depend on the session. No parameters.
SELECT set_config('work_mem', '64MB', true), set_config('enable_nestloop', 'off', true);

-- inventory_fingerprint --
-- Of the key that the district's pseudonyms were made with; NULL: none were. Parameters: district.
SELECT pseudonym_fingerprint FROM districts WHERE district_id = $1;

-- line_usage_period --
-- What is known of every line in a month, in the order of the columns of line_usage_period. The use of a day is that of
-- one source, carrier before router, finer before coarser; what cannot be given to days counts where no day of it is
-- known. Days are bits of a number, the first of the month the lowest, so that one pass over them is enough. The device
-- is the last that held the line in the month while it was lent, else the last that held it; the school is that of the
-- last loan that had both, and a notice counts that was raised while they were together. The clocks of the loan count
-- where the line was in the device for as long; else those of the month. Only what is kept by day is read, as the newest
-- state of a line tells nothing of a month gone by.
-- Parameters: district, first day, last day, first instant, the instant after the last.
WITH district AS (
    SELECT time_zone AS local_zone FROM districts WHERE district_id = $1
),
calendar AS (
    -- NULL: there is no calendar of the whole month
    SELECT CASE WHEN min(c.on_day) <= $2 AND max(c.on_day) >= $3 THEN coalesce(
        bit_or(1::bigint << (c.on_day - $2::date)) FILTER (
            WHERE c.on_day BETWEEN $2 AND $3 AND c.kind IN ('instructional', 'half_day')
        ), 0) END AS days
    FROM calendar_days AS c
    WHERE c.district_id = $1
),
by_account AS MATERIALIZED (
    SELECT
        line_id, account_id, count(used_bytes) AS known_days, sum(used_bytes) AS used_bytes,
        coalesce(bit_or(1::bigint << (on_day - $2::date)) FILTER (WHERE used_bytes IS NOT NULL), 0) AS known,
        coalesce(bit_or(1::bigint << (on_day - $2::date)) FILTER (WHERE used_bytes > 0), 0) AS used,
        coalesce(bit_or(1::bigint << (on_day - $2::date)) FILTER (
            WHERE status = 'suspended' AND suspended_by IN ('loan_desk', 'season')), 0) AS paused,
        coalesce(bit_or(1::bigint << (on_day - $2::date)) FILTER (
            WHERE has_reached_day_limit OR has_reached_cycle_limit), 0) AS at_limit,
        coalesce(bit_or(1::bigint << (on_day - $2::date)) FILTER (WHERE status IS NOT NULL), 0) AS told,
        coalesce(bit_or(1::bigint << (on_day - $2::date)) FILTER (WHERE status = 'deactivated'), 0) AS ended,
        count(status) AS told_days,
        count(*) FILTER (WHERE status IN ('deactivated', 'pre_active', 'pending')) AS off_days,
        count(has_reached_cycle_limit) > 0 AS is_limit_told, max(cycle_bytes) AS cycle_bytes,
        min(cycle_bytes) FILTER (WHERE has_reached_cycle_limit) AS reached_bytes,
        max(cycle_bytes) FILTER (WHERE NOT has_reached_cycle_limit) AS unreached_bytes
    FROM line_days
    WHERE district_id = $1 AND on_day BETWEEN $2 AND $3
    GROUP BY line_id, account_id
),
several AS MATERIALIZED (
    SELECT line_id FROM by_account WHERE known_days > 0 GROUP BY line_id HAVING count(*) > 1
),
days AS MATERIALIZED (
    SELECT line_id, account_id, known_days, used_bytes, known, used FROM by_account
    WHERE known_days > 0 AND NOT EXISTS (SELECT FROM several AS v WHERE v.line_id = by_account.line_id)
    UNION ALL
    SELECT
        line_id, mode() WITHIN GROUP (ORDER BY account_id), count(*), sum(used_bytes),
        bit_or(1::bigint << (on_day - $2::date)),
        coalesce(bit_or(1::bigint << (on_day - $2::date)) FILTER (WHERE used_bytes > 0), 0)
    FROM (
        SELECT DISTINCT ON (o.line_id, o.on_day) o.line_id, o.on_day, o.account_id, o.used_bytes
        FROM several
        JOIN line_days AS o USING (line_id)
        JOIN accounts AS a USING (district_id, account_id)
        WHERE o.district_id = $1 AND o.on_day BETWEEN $2 AND $3 AND o.used_bytes IS NOT NULL
        ORDER BY o.line_id, o.on_day, a.rank, o.basis, o.account_id
    ) AS finest
    GROUP BY line_id
),
statuses AS (
    -- the days of the best source that tells a status; whether any tells one, and whether all of them are off
    SELECT
        b.line_id, (array_agg(b.told ORDER BY a.rank, a.account_id))[1] AS told,
        (array_agg(b.ended ORDER BY a.rank, a.account_id))[1] AS ended,
        sum(b.off_days) = sum(b.told_days) AS is_off
    FROM by_account AS b
    JOIN accounts AS a ON a.district_id = $1 AND a.account_id = b.account_id
    WHERE b.told_days > 0
    GROUP BY b.line_id
),
asked AS MATERIALIZED (
    -- lines that need an older status: nothing was told in the month, or only that they have ended
    SELECT n.line_id
    FROM lines AS n
    LEFT JOIN statuses AS t USING (line_id)
    WHERE n.district_id = $1 AND n.observed_since < $5 AND (t.line_id IS NULL OR t.told & ~t.ended = 0)
),
before AS (
    -- the last status of the year before the month: its day twice, and 1 where the line was not in service
    SELECT DISTINCT ON (o.line_id) o.line_id, o.last % 2 = 1 AS is_off
    FROM (
        SELECT
            line_id, account_id,
            max(2 * (on_day - date '2000-01-01') + (status IN ('deactivated', 'pre_active', 'pending'))::integer) AS last
        FROM line_days
        WHERE district_id = $1 AND on_day >= $2::date - 366 AND on_day < $2 AND status IS NOT NULL
            AND line_id IN (SELECT line_id FROM asked)
        GROUP BY line_id, account_id
    ) AS o
    JOIN accounts AS a ON a.district_id = $1 AND a.account_id = o.account_id
    ORDER BY o.line_id, o.last / 2 DESC, a.rank, o.account_id
),
marked AS (
    SELECT line_id, bit_or(paused) AS paused, bit_or(at_limit) AS at_limit, bool_or(is_limit_told) AS is_limit_told
    FROM by_account
    GROUP BY line_id
),
cycles AS (
    -- the highest total of a billing cycle, and between which totals the limit was that was in force
    SELECT DISTINCT ON (b.line_id) b.line_id, b.cycle_bytes, b.reached_bytes, b.unreached_bytes
    FROM by_account AS b
    JOIN accounts AS a ON a.district_id = $1 AND a.account_id = b.account_id
    WHERE b.cycle_bytes IS NOT NULL
    ORDER BY b.line_id, a.rank, b.account_id
),
allowances AS (
    SELECT
        d.line_id, max(p.allowance_bytes) FILTER (WHERE d.on_day = $3 AND NOT p.is_pooled) AS allowance_bytes,
        bit_or(1::bigint << (d.on_day - $2::date)) FILTER (WHERE d.is_exhausted) AS spent,
        max(greatest(d.carried_bytes + d.used_bytes, d.told_bytes)) FILTER (WHERE d.on_day = $3 AND NOT p.is_pooled)
            AS used_bytes
    FROM allowance_days AS d
    JOIN plans AS p USING (district_id, plan_id)
    WHERE d.district_id = $1 AND d.on_day BETWEEN $2 AND $3
    GROUP BY d.line_id
),
pools AS (
    SELECT
        d.plan_id,
        100 * sum(greatest(d.carried_bytes + d.used_bytes, d.told_bytes))::double precision
            / (p.allowance_bytes::double precision * count(*)) AS percent
    FROM allowance_days AS d
    JOIN plans AS p USING (district_id, plan_id)
    WHERE d.district_id = $1 AND d.on_day = $3 AND p.is_pooled
    GROUP BY d.plan_id, p.allowance_bytes
),
spans AS (
    SELECT
        s.line_id, s.account_id, s.is_file, s.total_bytes,
        CASE
            WHEN s.is_file THEN (s.starts_at AT TIME ZONE a.time_zone)::date >= $2
                AND (s.ends_at AT TIME ZONE a.time_zone)::date <= $3::date + 1
            ELSE s.starts_at >= $4 AND s.ends_at <= $5
        END AS is_within,
        -- the whole days of it that are in the month
        greatest(0, ((s.starts_at AT TIME ZONE a.time_zone)::date
            + ((s.starts_at AT TIME ZONE a.time_zone)::time > time '00:00')::integer) - $2::date) AS first_day,
        least($3::date + 1, (s.ends_at AT TIME ZONE a.time_zone)::date) - $2::date AS end_day,
        greatest(0, least((s.ends_at AT TIME ZONE a.time_zone)::date, $3::date + 1)
            - greatest((s.starts_at AT TIME ZONE a.time_zone)::date, $2::date)) AS days,
        a.rank
    FROM usage_spans AS s
    JOIN accounts AS a USING (district_id, account_id)
    WHERE s.district_id = $1 AND s.starts_at < $5 AND s.ends_at > $4
),
spans_used AS (
    -- one source, and never a time of which a day is known
    SELECT DISTINCT ON (line_id) line_id, account_id, bytes, is_used
    FROM (
        SELECT s.line_id, s.account_id, s.rank, sum(s.total_bytes) AS bytes, bool_or(s.total_bytes > 0) AS is_used
        FROM spans AS s
        LEFT JOIN days AS d USING (line_id)
        WHERE s.is_within AND CASE
            WHEN d.line_id IS NULL THEN true
            WHEN s.account_id <> d.account_id THEN false
            WHEN s.end_day <= s.first_day THEN true
            ELSE d.known & ((1::bigint << s.end_day) - (1::bigint << s.first_day)) = 0
        END
        GROUP BY s.line_id, s.account_id, s.rank, s.is_file
    ) AS sources
    ORDER BY line_id, rank, account_id, bytes DESC
),
spans_told AS (
    SELECT
        line_id, bool_or(total_bytes > 0 AND is_within) AS is_used,
        coalesce(sum(days) FILTER (WHERE total_bytes = 0 AND is_file), 0) AS zero_days
    FROM spans
    GROUP BY line_id
),
sessions AS (
    SELECT DISTINCT ON (c.line_id) c.line_id, c.sessions
    FROM (
        SELECT line_id, account_id, count(*) AS sessions
        FROM session_readings
        WHERE district_id = $1 AND starts_at >= $4 AND starts_at < $5
        GROUP BY line_id, account_id
    ) AS c
    JOIN accounts AS a ON a.district_id = $1 AND a.account_id = c.account_id
    ORDER BY c.line_id, a.rank, c.account_id
),
links AS (
    -- a line's day is that of the last device that held it: the day of a move is not the old one's
    SELECT
        k.line_id, k.device_id, k.starts_at, k.ends_at, (k.starts_at AT TIME ZONE d.local_zone)::date AS starts_on,
        greatest((greatest(k.starts_at, $4) AT TIME ZONE d.local_zone)::date,
            least($3::date, (k.ends_at AT TIME ZONE d.local_zone)::date - 1)) AS last_on,
        max(k.starts_at) OVER (PARTITION BY k.device_id) AS device_changed_at
    FROM line_device_links AS k
    CROSS JOIN district AS d
    WHERE k.district_id = $1 AND k.starts_at < $5 AND (k.ends_at IS NULL OR k.ends_at > $4)
),
held AS (
    SELECT DISTINCT ON (k.line_id)
        k.line_id, k.device_id, k.starts_at, k.ends_at, k.starts_on, k.last_on, l.school_id, l.loan_id,
        -- the loan's days at the month's end are of this line: no other came into the device after it
        coalesce(k.ends_at > k.device_changed_at, true) AS is_last
    FROM links AS k
    LEFT JOIN loans AS l ON l.district_id = $1 AND l.device_id = k.device_id
        AND l.checked_out_on <= k.last_on AND coalesce(l.returned_on > greatest(k.starts_on, $2::date), true)
    ORDER BY k.line_id, l.loan_id IS NULL, k.starts_at DESC, l.checked_out_on DESC, l.loan_id DESC
),
notices AS (
    -- that stood in the month
    SELECT
        n.loan_id, n.fired_at,
        CASE WHEN n.cleared_at IS NULL OR n.cleared_at < n.fired_at
            THEN (n.fired_at AT TIME ZONE d.local_zone)::date + 30 END AS terminate_after_on
    FROM (
        SELECT
            split_part(a.subject, ':', 2)::bigint AS loan_id,
            max(f.created_at) FILTER (WHERE f.kind = 'fired') AS fired_at,
            max(f.created_at) FILTER (WHERE f.kind = 'cleared') AS cleared_at
        FROM alerts AS a
        JOIN flips AS f USING (district_id, alert_id)
        WHERE a.district_id = $1 AND a.rule = 'idle_60_notice' AND a.subject LIKE 'loan:%' AND f.created_at < $5
        GROUP BY a.subject
    ) AS n
    CROSS JOIN district AS d
    WHERE n.cleared_at IS NULL OR n.cleared_at < n.fired_at OR n.cleared_at >= $4
),
states AS (
    SELECT
        o.loan_id, o.idle_days, o.idle_instructional_days, o.last_used_on,
        coalesce(o.last_used_on + 1, o.observed_since_on) AS clock_since_on
    FROM loan_days AS o
    WHERE o.district_id = $1 AND o.on_day = $3
),
joined AS (
    SELECT
        n.line_id, h.device_id, v.kind, h.school_id, t.told, t.ended, d.known_days, d.known, d.used, d.account_id,
        d.used_bytes AS day_bytes, u.bytes AS span_bytes, u.account_id AS span_account_id, e.sessions,
        e.line_id IS NOT NULL AS has_sessions, g.fired_at, g.terminate_after_on, z.is_off AS was_off, p.monthly_cost, p.at_allowance,
        p.allowance_bytes, p.allowance_period, p.is_pooled, y.cycle_bytes, y.reached_bytes, y.unreached_bytes,
        w.used_bytes AS year_bytes, w.allowance_bytes AS year_allowance_bytes, w.spent, m.at_limit, m.is_limit_told, m.paused, k.days AS school_days,
        q.percent AS pool_percent, f.is_used AS is_span_used, coalesce(f.zero_days, 0) AS zero_days,
        coalesce(t.is_off, false) OR (t.line_id IS NULL AND d.line_id IS NULL AND coalesce(z.is_off, false)) AS is_off,
        greatest($2::date, (n.observed_since AT TIME ZONE here.local_zone)::date) AS seen_on,
        s.idle_days AS loan_idle, s.idle_instructional_days AS loan_idle_instructional, s.last_used_on AS loan_used_on,
        length(ltrim(d.used::bit(32)::text, '0')) AS used_until,  -- the day after the last one with use; 0: none
        length(ltrim((t.told & ~t.ended)::bit(32)::text, '0')) AS in_service_until
    FROM lines AS n
    CROSS JOIN district AS here
    CROSS JOIN calendar AS k
    LEFT JOIN plans AS p USING (district_id, plan_id)
    LEFT JOIN pools AS q ON q.plan_id = n.plan_id
    LEFT JOIN days AS d USING (line_id)
    LEFT JOIN statuses AS t USING (line_id)
    LEFT JOIN before AS z USING (line_id)
    LEFT JOIN marked AS m USING (line_id)
    LEFT JOIN cycles AS y USING (line_id)
    LEFT JOIN allowances AS w USING (line_id)
    LEFT JOIN spans_used AS u USING (line_id)
    LEFT JOIN spans_told AS f USING (line_id)
    LEFT JOIN sessions AS e USING (line_id)
    LEFT JOIN held AS h USING (line_id)
    LEFT JOIN devices AS v ON v.district_id = $1 AND v.device_id = h.device_id
    LEFT JOIN notices AS g ON g.loan_id = h.loan_id AND g.fired_at >= h.starts_at
        AND coalesce(g.fired_at < h.ends_at, true)
    -- the loan's clocks are the line's where it was in the device for as long, and has not been used since
    LEFT JOIN states AS s ON s.loan_id = h.loan_id AND h.starts_on <= s.clock_since_on AND h.is_last
        AND coalesce(d.used >> (h.last_on - $2::date + 1), 0) = 0
    WHERE n.district_id = $1 AND n.observed_since < $5
),
judged AS (
    SELECT
        j.*,
        j.known & ~j.used & ~coalesce(j.paused, 0) & ~((1::bigint << j.used_until) - 1) AS idle,
        CASE
            WHEN j.is_off THEN 'not_in_service'
            WHEN coalesce(j.used <> 0, false) THEN 'used'
            WHEN j.known_days = $3::date - $2::date + 1 THEN 'idle'
            WHEN coalesce(j.is_span_used, false) THEN 'used'
            WHEN j.zero_days >= $3::date - $2::date + 1 THEN 'idle'
            ELSE 'unknown'
        END AS use,
        j.ended & ~((1::bigint << j.in_service_until) - 1) AS ended_since
    FROM joined AS j
)
SELECT
    $2::date::text, $3::date::text, 'line-' || j.line_id, 'device-' || j.device_id, j.kind::text, s.ncessch,
    CASE WHEN j.day_bytes IS NULL THEN j.span_bytes ELSE j.day_bytes + coalesce(j.span_bytes, 0) END::bigint,
    NULL::bigint, NULL::bigint, j.sessions::bigint,
    bit_count(j.used::bit(32))::bigint,
    coalesce(($2::date + nullif(j.used_until, 0) - 1), j.loan_used_on)::text,
    CASE WHEN j.known_days IS NULL AND j.loan_idle IS NULL THEN NULL
         ELSE greatest(j.loan_idle, bit_count(j.idle::bit(32))) END::bigint,
    CASE WHEN j.known_days IS NULL AND j.loan_idle_instructional IS NULL THEN NULL
         ELSE greatest(j.loan_idle_instructional, bit_count((j.idle & j.school_days)::bit(32))) END::bigint,
    greatest(0, $3::date - j.seen_on + 1 - greatest(
        bit_count((coalesce(j.known, 0) >> (j.seen_on - $2::date))::bit(32)), j.zero_days))::bigint,
    to_char(j.fired_at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"'),
    j.terminate_after_on::text,
    CASE WHEN (j.in_service_until > 0 OR NOT j.was_off) AND j.ended_since <> 0
        THEN ($2::date + length(ltrim((j.ended_since & -j.ended_since)::bit(32)::text, '0')) - 1)::text END,
    CASE WHEN j.told IS NOT NULL OR j.was_off IS NOT NULL THEN NOT j.is_off END,
    CASE WHEN NOT j.is_off THEN j.monthly_cost::double precision END,
    CASE j.use WHEN 'idle' THEN j.monthly_cost WHEN 'used' THEN 0 * j.monthly_cost END::double precision,
    round((CASE
        WHEN j.pool_percent IS NOT NULL THEN j.pool_percent
        WHEN j.year_bytes IS NOT NULL THEN 100 * j.year_bytes::double precision / j.year_allowance_bytes
        -- unknown where another limit than the plan's was in force: what it was is not kept
        WHEN j.reached_bytes < j.allowance_bytes OR j.unreached_bytes >= j.allowance_bytes THEN NULL
        WHEN j.allowance_period IN ('month', 'cycle') AND NOT j.is_pooled
            THEN 100 * j.cycle_bytes::double precision / j.allowance_bytes
    END)::numeric, 1)::double precision,
    CASE WHEN coalesce(j.at_allowance, 'stop') IN ('stop', 'throttle')
            AND (j.is_limit_told OR j.spent IS NOT NULL OR j.year_bytes IS NOT NULL OR j.pool_percent IS NOT NULL
                 OR j.allowance_period = 'day' AND j.known_days > 0)
        THEN bit_count((coalesce(j.at_limit, 0) | coalesce(j.spent, 0))::bit(32)) END::bigint,
    CASE a.collector
        WHEN 'file' THEN 'file'
        WHEN 'netcloud' THEN 'device' WHEN 'meraki' THEN 'device'
        WHEN 'google_workspace' THEN 'mdm'
        WHEN 'described' THEN 'other'
        ELSE CASE WHEN a.account_id IS NOT NULL THEN 'carrier' END
    END,
    ($2::date + nullif(length(ltrim(j.known::bit(32)::text, '0')), 0) - 1)::text
FROM judged AS j
LEFT JOIN schools AS s ON s.district_id = $1 AND s.school_id = j.school_id
LEFT JOIN accounts AS a ON a.district_id = $1 AND a.account_id = coalesce(j.account_id, j.span_account_id)
ORDER BY j.line_id;

-- alerts_month --
-- What became of the alerts of a month, by rule, severity and school, in the order of the columns of alerts_month.
-- Parameters: district, first instant, the instant after the last.
WITH told AS (
    SELECT
        f.alert_id, f.flip_id, f.kind, f.new_state, f.created_at,
        max(f.created_at) FILTER (WHERE f.kind = 'fired') OVER (PARTITION BY f.alert_id ORDER BY f.flip_id) AS fired_at,
        row_number() OVER (PARTITION BY f.alert_id ORDER BY f.flip_id DESC) = 1 AS is_last
    FROM flips AS f
    WHERE f.district_id = $1 AND f.created_at < $3
),
counted AS (
    SELECT
        a.rule, a.severity, a.school_id,
        count(*) FILTER (WHERE t.kind = 'fired' AND t.created_at >= $2) AS fired,
        count(*) FILTER (WHERE t.kind = 'cleared' AND t.created_at >= $2) AS cleared,
        count(*) FILTER (WHERE t.kind = 'acknowledged' AND t.created_at >= $2) AS acknowledged,
        count(*) FILTER (WHERE t.kind = 'snoozed' AND t.created_at >= $2) AS snoozed,
        count(*) FILTER (WHERE t.kind = 'escalated' AND t.created_at >= $2) AS escalated,
        count(*) FILTER (WHERE t.is_last AND t.new_state IN ('firing', 'held')) AS open_at_end,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY extract(epoch FROM t.created_at - t.fired_at) / 3600)
            FILTER (WHERE t.kind = 'cleared' AND t.created_at >= $2) AS hours
    FROM told AS t
    JOIN alerts AS a ON a.district_id = $1 AND a.alert_id = t.alert_id
    GROUP BY a.rule, a.severity, a.school_id
)
SELECT
    c.rule, c.severity, coalesce(s.ncessch, ''), c.fired, c.cleared, c.acknowledged, c.snoozed, c.escalated,
    c.open_at_end, round(c.hours::numeric, 1)::double precision
FROM counted AS c
LEFT JOIN schools AS s ON s.district_id = $1 AND s.school_id = c.school_id
WHERE c.fired + c.cleared + c.acknowledged + c.snoozed + c.escalated + c.open_at_end > 0
ORDER BY c.rule, c.severity, s.ncessch NULLS FIRST;

-- inventory_borrowers --
-- Everybody who was lent a device by the end of a month, and how many loans that were; each is a pseudonym and never
-- leaves the service. Parameters: district, last day.
SELECT borrower, count(*)::integer FROM loans
WHERE district_id = $1 AND checked_out_on <= $2 AND borrower <> ''
GROUP BY borrower;

-- asset_inventory --
-- Every device known by the end of a month and every loan of it so far, as it was then; the borrower and the borrower's
-- household are pseudonyms and never leave the service. The need is that of the newest answer up to the loan's start that
-- shows one, else of the first after it.
-- Parameters: district, last day, the instant after it.
WITH lent AS (
    SELECT * FROM loans WHERE district_id = $1 AND checked_out_on <= $2
),
people AS (
    -- numbered for one month alone
    SELECT borrower, row_number() OVER (ORDER BY md5($2::date::text || borrower), borrower) AS number
    FROM lent
    WHERE borrower <> ''
    GROUP BY borrower
),
served AS (
    -- from when to when a line was seen in each device; NULL: one still is
    SELECT
        k.device_id, (min(greatest(k.starts_at, n.observed_since)) AT TIME ZONE d.time_zone)::date AS from_on,
        CASE WHEN bool_and(k.ends_at < $3) THEN (max(k.ends_at) AT TIME ZONE d.time_zone)::date END AS until_on
    FROM line_device_links AS k
    JOIN lines AS n USING (district_id, line_id)
    JOIN districts AS d USING (district_id)
    WHERE k.district_id = $1 AND k.starts_at < $3 AND n.observed_since < $3
    GROUP BY k.device_id, d.time_zone
),
known AS (
    SELECT v.device_id, v.kind, v.imei, v.serial, o.from_on, o.until_on
    FROM devices AS v
    LEFT JOIN served AS o USING (device_id)
    WHERE v.district_id = $1 AND (o.device_id IS NOT NULL OR v.device_id IN (SELECT device_id FROM lent))
),
needs AS (
    SELECT DISTINCT ON (l.loan_id)
        l.loan_id, a.answered_on,
        CASE
            WHEN a.is_documented_by_staff THEN 'documented by staff'
            WHEN NOT a.has_access THEN 'answer: no access at home'
            WHEN a.access_type = 'none' THEN 'access type: none'
            WHEN a.access_type = 'dial_up' THEN 'access type: dial-up'
            WHEN a.access_type = 'cellular_network' THEN 'access type: cellular network'
            ELSE 'performance: schoolwork cannot be completed'
        END AS basis
    FROM lent AS l
    JOIN need_answers AS a ON a.district_id = $1 AND a.student = l.borrower AND a.answered_on <= $2
    WHERE l.borrower <> '' AND (
        a.is_documented_by_staff OR NOT a.has_access OR a.access_type IN ('none', 'dial_up', 'cellular_network')
        OR a.performance = 'no'
    )
    ORDER BY
        l.loan_id, a.answered_on > l.checked_out_on,
        CASE WHEN a.answered_on <= l.checked_out_on THEN l.checked_out_on - a.answered_on
             ELSE a.answered_on - l.checked_out_on END
)
SELECT
    coalesce(l.borrower, '') AS borrower, q.number, coalesce('loan-' || l.loan_id, 'device-' || v.device_id) AS record_key,
    'device-' || v.device_id AS device_key, v.kind::text AS device_type, v.serial, v.imei,
    v.from_on::text AS in_service_from, v.until_on::text AS in_service_until, s.ncessch,
    l.checked_out_on::text AS loaned_on, l.due_on::text AS due_on,
    CASE WHEN l.returned_on <= $2 THEN l.returned_on END::text AS returned_on,
    CASE WHEN l.lost_on <= $2 THEN l.lost_on END::text AS lost_on,
    CASE
        WHEN l.loan_id IS NULL THEN 'never lent'
        WHEN l.returned_on <= $2 AND coalesce(l.returned_on > l.lost_on, true) THEN 'returned'
        WHEN l.lost_on <= $2 THEN 'missing, lost or damaged'
        WHEN l.returned_on <= $2 THEN 'returned'
        ELSE 'on loan'
    END AS condition,
    n.basis AS need_basis, n.answered_on::text AS need_on,
    (coalesce(greatest(CASE WHEN l.returned_on <= $2 THEN l.returned_on END, CASE WHEN l.lost_on <= $2 THEN l.lost_on END), $2)
        + interval '10 years')::date::text AS retain_until
FROM known AS v
LEFT JOIN lent AS l USING (device_id)
LEFT JOIN people AS q ON q.borrower = l.borrower
LEFT JOIN needs AS n USING (loan_id)
LEFT JOIN schools AS s ON s.district_id = $1 AND s.school_id = l.school_id
ORDER BY v.device_id, l.checked_out_on, l.loan_id;

-- unnamed_loans --
-- Every loan up to the end of a month, to be told where nobody names its borrower; the borrower is a pseudonym and never
-- leaves the service. Parameters: district, last day.
SELECT
    l.borrower, 'loan-' || l.loan_id, 'device-' || l.device_id, s.ncessch, l.checked_out_on::text,
    CASE WHEN l.returned_on <= $2 THEN l.returned_on END::text
FROM loans AS l
JOIN schools AS s USING (district_id, school_id)
WHERE l.district_id = $1 AND l.checked_out_on <= $2
ORDER BY l.device_id, l.checked_out_on, l.loan_id;

-- service_inventory --
-- Every line known by the end of a month and every loan that it served so far: the time in which the line was in the
-- device while it was lent. A line that no loan had is told once. The borrower is a pseudonym and never leaves the
-- service. Parameters: district, last day, the instant after it.
WITH district AS (
    SELECT time_zone AS local_zone FROM districts WHERE district_id = $1
),
links AS (
    SELECT
        k.line_id, k.device_id,
        greatest(k.starts_at, n.observed_since) AS seen_at,
        CASE WHEN k.starts_at = '-infinity' THEN date '0001-01-01' ELSE (k.starts_at AT TIME ZONE d.local_zone)::date END
            AS starts_on,
        CASE WHEN k.ends_at < $3 THEN (k.ends_at AT TIME ZONE d.local_zone)::date END AS ends_on
    FROM line_device_links AS k
    CROSS JOIN district AS d
    JOIN lines AS n USING (district_id, line_id)
    WHERE k.district_id = $1 AND k.starts_at < $3 AND n.observed_since < $3
),
served AS (
    SELECT
        k.line_id, l.loan_id, k.device_id, l.borrower, l.school_id,
        min(greatest(l.checked_out_on, k.starts_on)) AS starts_on,
        -- NULL: the line is still in the device, and the device still lent
        CASE WHEN bool_and(k.ends_on IS NOT NULL OR l.returned_on <= $2)
            THEN max(least(k.ends_on, CASE WHEN l.returned_on <= $2 THEN l.returned_on END)) END AS ends_on
    FROM links AS k
    JOIN loans AS l ON l.district_id = $1 AND l.device_id = k.device_id
    WHERE l.checked_out_on <= $2 AND l.checked_out_on <= coalesce(k.ends_on, 'infinity')
        AND coalesce(l.returned_on, 'infinity') > k.starts_on
    GROUP BY k.line_id, l.loan_id, k.device_id, l.borrower, l.school_id
),
unlent AS (
    SELECT DISTINCT ON (n.line_id)
        n.line_id, k.device_id, (coalesce(k.seen_at, n.observed_since) AT TIME ZONE d.local_zone)::date AS starts_on,
        k.ends_on
    FROM lines AS n
    CROSS JOIN district AS d
    LEFT JOIN links AS k USING (line_id)
    WHERE n.district_id = $1 AND n.observed_since < $3 AND NOT EXISTS (SELECT FROM served AS o WHERE o.line_id = n.line_id)
    ORDER BY n.line_id, k.seen_at DESC
),
filters AS (
    SELECT line_id, bool_and(is_filtered) AS is_filtered
    FROM latest_states
    WHERE district_id = $1 AND is_filtered IS NOT NULL
    GROUP BY line_id
),
people AS (
    -- numbered for one month alone, as asset_inventory does
    SELECT borrower, row_number() OVER (ORDER BY md5($2::date::text || borrower), borrower) AS number
    FROM loans
    WHERE district_id = $1 AND checked_out_on <= $2 AND borrower <> ''
    GROUP BY borrower
),
records AS (
    SELECT line_id, loan_id, device_id, borrower, school_id, starts_on, ends_on FROM served
    UNION ALL
    SELECT line_id, NULL, device_id, '', NULL, starts_on, ends_on FROM unlent
)
SELECT
    r.borrower, q.number, 'line-' || r.line_id || coalesce(' loan-' || r.loan_id, '') AS record_key,
    'line-' || r.line_id AS line_key, 'device-' || r.device_id AS device_key, ltrim(n.mdn, '+'), n.iccid, v.serial, s.ncessch,
    p.provider, p.plan_key,
    round(p.download_mbps::numeric, 3)::double precision, round(p.upload_mbps::numeric, 3)::double precision,
    CASE WHEN p.allowance_period IN ('month', 'cycle') THEN round(p.allowance_bytes / 1e9, 3) END::double precision,
    round(p.allowance_bytes / 1e9, 3)::double precision,
    CASE WHEN p.allowance_bytes IS NOT NULL THEN p.allowance_period::text END,
    CASE WHEN p.allowance_bytes IS NOT NULL THEN p.at_allowance::text END,
    p.monthly_cost::double precision, r.starts_on::text, r.ends_on::text,
    CASE coalesce(f.is_filtered, p.is_filtered) WHEN true THEN 'filtered' WHEN false THEN 'not filtered' END
FROM records AS r
JOIN lines AS n ON n.district_id = $1 AND n.line_id = r.line_id
LEFT JOIN plans AS p ON p.district_id = $1 AND p.plan_id = n.plan_id
LEFT JOIN devices AS v ON v.district_id = $1 AND v.device_id = r.device_id
LEFT JOIN schools AS s ON s.district_id = $1 AND s.school_id = r.school_id
LEFT JOIN filters AS f ON f.line_id = r.line_id
LEFT JOIN people AS q ON q.borrower = r.borrower
ORDER BY r.line_id, r.starts_on, r.loan_id;

-- confirmed_answers --
-- The newest answer of every student that is valid on a day and that a family gave, whatever staff documented since; the
-- student is a pseudonym and never leaves the service. Parameters: district, day.
SELECT DISTINCT ON (student)
    student, answered_on::text, has_access, barrier::text, access_type::text, performance::text
FROM need_answers AS a
WHERE district_id = $1 AND a.answered_on <= $2 AND a.answered_on >= (SELECT valid_since($1, $2))
    AND (has_access IS NOT NULL OR barrier IS NOT NULL OR access_type IS NOT NULL OR performance IS NOT NULL)
ORDER BY student, a.answered_on DESC;
