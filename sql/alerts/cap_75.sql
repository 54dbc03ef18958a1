-- title: Hotspots that have used three quarters of their data
-- title_es: Equipos que han usado tres cuartas partes de sus datos
-- about: family
-- severity: warning
-- owner: school
-- why: When the data runs out, the student is without a connection until the next period begins.
-- why_es: Cuando se acaban los datos, el estudiante queda sin conexión hasta que empiece el período siguiente.
-- action: Nothing yet, if the period is nearly over. Else tell the family how much is left and that video uses the most, or ask IT for a larger plan.
-- action_es: Nada todavía, si el período está por terminar. Si no, diga a la familia cuánto queda y que el video es lo que más gasta, o pida a informática un plan mayor.
-- threshold: 75
-- unit: %
-- urgency: weekly
WITH district AS (
    SELECT
        time_zone AS local_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today,
        ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at
    FROM districts
    WHERE district_id = $1::integer
),
least_limit AS (
    -- what is below its share of the smallest allowance is below that of its own, whichever that is
    SELECT least(
        (SELECT min(p.allowance_bytes) FROM plans AS p
         WHERE p.district_id = $1::integer AND NOT p.is_pooled AND p.allowance_period IN ('month', 'cycle')),
        (SELECT min(s.cycle_limit_bytes) FROM latest_states AS s WHERE s.district_id = $1::integer)
    ) AS bytes
),
told AS MATERIALIZED (
    SELECT o.line_id, o.account_id, o.cycle_bytes
    FROM line_days AS o
    WHERE o.district_id = $1::integer AND o.on_day = $2::date
        -- two bounds, as the planner then expects few
        AND o.cycle_bytes BETWEEN ((SELECT bytes FROM least_limit) * $4::double precision / 100)::bigint
            AND (SELECT 10::bigint ^ 18)::bigint
),
near AS (
    -- of a month or a cycle: the vendor's own total; of several sources the best one's
    SELECT t.line_id, t.cycle_bytes::double precision AS used_bytes, c.allowance_bytes, 'month' AS period
    FROM told AS t
    JOIN accounts AS a ON a.district_id = $1::integer AND a.account_id = t.account_id
    JOIN lines AS n ON n.district_id = $1::integer AND n.line_id = t.line_id
    LEFT JOIN plans AS p ON p.district_id = $1::integer AND p.plan_id = n.plan_id
    LEFT JOIN latest_states AS s ON s.district_id = $1::integer AND s.account_id = t.account_id
        AND s.line_id = t.line_id
    CROSS JOIN LATERAL (
        SELECT coalesce(
            s.cycle_limit_bytes, CASE WHEN p.allowance_period IN ('month', 'cycle') THEN p.allowance_bytes END
        ) AS allowance_bytes
    ) AS c
    WHERE p.is_pooled IS NOT TRUE AND coalesce(p.at_allowance, 'stop') IN ('stop', 'throttle')
        AND t.cycle_bytes >= c.allowance_bytes * $4::double precision / 100
        AND ((SELECT count(*) FROM accounts AS b WHERE b.district_id = $1::integer) = 1 OR NOT EXISTS (
            SELECT
            FROM line_days AS o
            JOIN accounts AS b ON b.district_id = o.district_id AND b.account_id = o.account_id
            WHERE o.district_id = $1::integer AND o.on_day = $2::date AND o.line_id = t.line_id
                AND o.cycle_bytes IS NOT NULL AND (b.rank, b.account_id) < (a.rank, a.account_id)
        ))
    UNION ALL
    SELECT y.line_id, u.used_bytes::double precision, p.allowance_bytes, 'year'
    FROM allowance_days AS y
    JOIN plans AS p ON p.district_id = $1::integer AND p.plan_id = y.plan_id
    CROSS JOIN LATERAL (SELECT greatest(y.carried_bytes + y.used_bytes, y.told_bytes) AS used_bytes) AS u
    WHERE y.district_id = $1::integer AND y.on_day = $2::date AND NOT p.is_pooled AND p.allowance_period = 'year'
        AND u.used_bytes >= p.allowance_bytes * $4::double precision / 100
),
lent AS (
    SELECT DISTINCT ON (l.loan_id)
        l.loan_id, l.school_id, x.used_bytes, x.allowance_bytes, x.period,
        100 * x.used_bytes / x.allowance_bytes AS percent
    FROM near AS x
    CROSS JOIN district AS d
    JOIN line_device_links AS k ON k.district_id = $1::integer AND k.line_id = x.line_id
        AND k.starts_at < d.ends_at AND (k.ends_at IS NULL OR k.ends_at >= d.ends_at)
    JOIN devices AS v ON v.district_id = $1::integer AND v.device_id = k.device_id
    JOIN loans AS l ON l.district_id = $1::integer AND l.device_id = k.device_id AND l.checked_out_on <= $2::date
        AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND (l.lost_on IS NULL OR l.lost_on > $2::date)
    WHERE v.kind IN ('hotspot', 'fixed_router')
    ORDER BY l.loan_id, percent DESC
),
unheard AS (
    -- whose alert stands, and of whose total nothing was told on the day: it only grows until its period ends
    SELECT l.loan_id, l.school_id
    FROM alerts AS e
    CROSS JOIN district AS d
    JOIN loans AS l ON l.district_id = $1::integer AND l.loan_id = split_part(e.subject, ':', 2)::bigint
        AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND (l.lost_on IS NULL OR l.lost_on > $2::date)
    WHERE e.district_id = $1::integer AND e.rule = 'cap_75' AND e.state <> 'clear'
        AND NOT EXISTS (
            SELECT
            FROM line_device_links AS k
            LEFT JOIN line_days AS o ON o.district_id = $1::integer AND o.on_day = $2::date AND o.line_id = k.line_id
                AND o.cycle_bytes IS NOT NULL
            LEFT JOIN allowance_days AS y ON y.district_id = $1::integer AND y.on_day = $2::date
                AND y.line_id = k.line_id
            WHERE k.district_id = $1::integer AND k.device_id = l.device_id AND k.starts_at < d.ends_at
                AND (k.ends_at IS NULL OR k.ends_at >= d.ends_at)
                AND (o.line_id IS NOT NULL OR y.line_id IS NOT NULL)
        )
)
SELECT
    'loan:' || l.loan_id AS subject,
    l.school_id,
    $2::date::timestamp AT TIME ZONE d.local_zone AS since_at,
    l.percent AS value,
    jsonb_build_object(
        'used_percent', floor(l.percent), 'used_gb', round(l.used_bytes::numeric / 1e9, 1),
        'allowance_gb', round(l.allowance_bytes / 1e9, 1), 'period', l.period
    ) AS details,
    true AS is_breached
FROM lent AS l
CROSS JOIN district AS d
UNION ALL
SELECT 'loan:' || u.loan_id, u.school_id, NULL, NULL, '{}', NULL
FROM unheard AS u
