-- join_whole_sets --
-- To the end of the transaction: the memory that joins may take before they go to disk; and no nested loops, as what
-- follows joins whole sets.
SELECT set_config('work_mem', '64MB', true), set_config('enable_nestloop', 'off', true);

-- line_costs --
-- What lines cost in a period of whole months, by the school that held the device's last loan in it (NULL: not lent)
-- and by what is known of their use. A line that was first seen within the period costs from that month on. The use of a
-- day is that of one source, carrier before router; a file's total of a longer period stands in where days are not known.
-- Days known from lines and from files are not added up: fewer known days are the cautious side. Lowest and highest: what
-- one line costs a month.
-- Parameters: district, first day, last day, first instant, the instant after the last.
WITH district AS (
    SELECT time_zone AS local_zone FROM districts WHERE district_id = $1
),
by_account AS MATERIALIZED (
    SELECT
        line_id, account_id, count(used_bytes) AS known_days, coalesce(bool_or(used_bytes > 0), false) AS is_used,
        count(status) AS told_days,
        count(*) FILTER (WHERE status IN ('deactivated', 'pre_active', 'pending')) AS off_days
    FROM line_days
    WHERE district_id = $1 AND on_day BETWEEN $2 AND $3
    GROUP BY line_id, account_id
),
several AS MATERIALIZED (
    SELECT line_id FROM by_account WHERE known_days > 0 GROUP BY line_id HAVING count(*) > 1
),
days AS (
    SELECT line_id, known_days, is_used FROM by_account
    WHERE known_days > 0 AND NOT EXISTS (SELECT FROM several AS v WHERE v.line_id = by_account.line_id)
    UNION ALL
    SELECT line_id, count(*), bool_or(used_bytes > 0)
    FROM (
        SELECT DISTINCT ON (o.line_id, o.on_day) o.line_id, o.used_bytes
        FROM several
        JOIN line_days AS o USING (line_id)
        JOIN accounts AS a USING (district_id, account_id)
        WHERE o.district_id = $1 AND o.on_day BETWEEN $2 AND $3 AND o.used_bytes IS NOT NULL
        ORDER BY o.line_id, o.on_day, a.rank, o.basis, o.account_id
    ) AS finest
    GROUP BY line_id
),
statuses AS (
    SELECT line_id, sum(told_days) > 0 AND sum(off_days) = sum(told_days) AS is_off, sum(told_days) > 0 AS is_told
    FROM by_account
    GROUP BY line_id
),
last_told AS (
    SELECT line_id, bool_and(status IN ('deactivated', 'pre_active', 'pending')) AS is_off
    FROM latest_states
    WHERE district_id = $1 AND status IS NOT NULL AND read_at < $5
    GROUP BY line_id
),
spans AS (
    SELECT
        s.line_id,
        bool_or(s.total_bytes > 0 AND CASE
            WHEN s.is_file THEN (s.starts_at AT TIME ZONE a.time_zone)::date >= $2
                AND (s.ends_at AT TIME ZONE a.time_zone)::date <= $3::date + 1
            ELSE s.starts_at >= $4 AND s.ends_at <= $5
        END) AS is_used,
        coalesce(sum(
            least((s.ends_at AT TIME ZONE a.time_zone)::date, $3::date + 1)
            - greatest((s.starts_at AT TIME ZONE a.time_zone)::date, $2::date)
        ) FILTER (WHERE s.total_bytes = 0 AND s.is_file), 0) AS zero_days
    FROM usage_spans AS s
    JOIN accounts AS a USING (district_id, account_id)
    WHERE s.district_id = $1 AND s.starts_at < $5 AND s.ends_at > $4
    GROUP BY s.line_id
),
held AS (
    SELECT DISTINCT ON (line_id) line_id, device_id
    FROM line_device_links
    WHERE district_id = $1 AND starts_at < $5 AND (ends_at IS NULL OR ends_at > $4)
    ORDER BY line_id, starts_at DESC
),
lent AS (
    SELECT DISTINCT ON (device_id) device_id, school_id
    FROM loans
    WHERE district_id = $1 AND checked_out_on <= $3 AND (returned_on IS NULL OR returned_on > $2)
    ORDER BY device_id, checked_out_on DESC, loan_id DESC
),
judged AS (
    SELECT
        o.school_id,
        coalesce(v.kind IN ('hotspot', 'fixed_router'), true) AS is_home,
        CASE
            WHEN coalesce(t.is_off, false) OR (NOT coalesce(t.is_told, false) AND d.line_id IS NULL
                AND coalesce(z.is_off, false)) THEN 'not_in_service'
            WHEN coalesce(d.is_used, false) THEN 'used'
            WHEN d.known_days = $3::date - $2::date + 1 THEN 'idle'
            WHEN coalesce(f.is_used, false) THEN 'used'
            WHEN f.zero_days >= $3::date - $2::date + 1 THEN 'idle'
            WHEN d.known_days > 0 OR f.zero_days > 0 THEN 'partly_known'
            ELSE 'unknown'
        END AS use,
        p.monthly_cost,
        p.monthly_cost * (
            12 * extract(year FROM $3::date) + extract(month FROM $3::date)
            - 12 * extract(year FROM seen.first_on) - extract(month FROM seen.first_on) + 1
        ) AS cost
    FROM lines AS n
    CROSS JOIN district AS here
    CROSS JOIN LATERAL (
        SELECT greatest($2::date, (n.observed_since AT TIME ZONE here.local_zone)::date) AS first_on
    ) AS seen
    LEFT JOIN plans AS p USING (district_id, plan_id)
    LEFT JOIN days AS d USING (line_id)
    LEFT JOIN statuses AS t USING (line_id)
    LEFT JOIN last_told AS z USING (line_id)
    LEFT JOIN spans AS f USING (line_id)
    LEFT JOIN held AS h USING (line_id)
    LEFT JOIN devices AS v ON v.district_id = $1 AND v.device_id = h.device_id
    LEFT JOIN lent AS o ON o.device_id = h.device_id
    WHERE n.district_id = $1 AND n.observed_since < $5
)
SELECT
    s.ncessch, s.name, j.is_home, j.use, count(*)::integer AS lines, count(j.cost)::integer AS lines_with_cost,
    coalesce(sum(j.cost), 0)::numeric(14, 2) AS cost, min(j.monthly_cost) AS lowest, max(j.monthly_cost) AS highest
FROM judged AS j
LEFT JOIN schools AS s ON s.district_id = $1 AND s.school_id = j.school_id
GROUP BY s.ncessch, s.name, j.is_home, j.use
ORDER BY s.ncessch, j.is_home, j.use;

-- period_figures --
-- The schools' students with an adequate connection on the day that a period's figure is of: its last instructional day
-- with enough loans heard from. No row: there is no such day. Where there is no calendar, every day counts.
-- Parameters: district, first day, last day, completeness floor.
SELECT d.on_day, s.ncessch, s.name, d.adequate
FROM school_days AS d
JOIN schools AS s USING (district_id, school_id)
WHERE d.district_id = $1 AND d.on_day = (
    SELECT o.on_day
    FROM school_days AS o
    WHERE o.district_id = $1 AND o.on_day BETWEEN $2 AND $3
    GROUP BY o.on_day
    HAVING bool_or(o.is_instructional IS DISTINCT FROM false)
        AND (sum(o.loaned) = 0 OR 1 - sum(o.unknown)::double precision / sum(o.loaned) >= $4)
    ORDER BY o.on_day DESC
    LIMIT 1
)
ORDER BY s.ncessch;
