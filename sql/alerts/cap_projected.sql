-- title: Hotspots that will run out of data before the period ends
-- title_es: Equipos a los que se les acabarán los datos antes de que termine el período
-- about: family
-- severity: warning
-- owner: school
-- why: At the pace of the last week the data does not last, and the student will be without a connection until the next period begins.
-- why_es: Al ritmo de la última semana los datos no alcanzan, y el estudiante quedará sin conexión hasta que empiece el período siguiente.
-- action: Tell the family when the data would run out, and that video uses the most. If schoolwork needs more, ask IT for a larger plan.
-- action_es: Diga a la familia cuándo se acabarían los datos y que el video es lo que más gasta. Si las tareas requieren más, pida a informática un plan mayor.
-- threshold: 100
-- unit: %
-- clears_after: 2 days
-- urgency: daily
WITH district AS (
    SELECT
        time_zone AS local_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today,
        ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at
    FROM districts
    WHERE district_id = $1::integer
),
least_limit AS (
    SELECT least(
        (SELECT min(p.allowance_bytes) FROM plans AS p
         WHERE p.district_id = $1::integer AND NOT p.is_pooled AND p.allowance_period IN ('month', 'cycle')),
        (SELECT min(s.cycle_limit_bytes) FROM latest_states AS s WHERE s.district_id = $1::integer)
    ) AS bytes
),
told AS MATERIALIZED (
    -- the last seven days lie within the period, so the forecast is at most 1 + days left / 7 times what is used: of a
    -- month whoever has used less than a sixth of the smallest allowance needs no closer look
    SELECT o.line_id, o.account_id, o.cycle_bytes
    FROM line_days AS o
    WHERE o.district_id = $1::integer AND o.on_day = $2::date
        AND o.cycle_bytes >= (SELECT bytes FROM least_limit) * $4::double precision / 100 / 6
),
of_month AS (
    SELECT
        t.line_id, t.account_id, t.cycle_bytes::double precision AS used_bytes, c.allowance_bytes, c.starts_on,
        (c.starts_on + interval '1 month')::date - 1 AS ends_on,
        -- what the last seven days add to the total, whichever of them is known by itself
        CASE
            WHEN c.starts_on > $2::date - 7 THEN t.cycle_bytes
            WHEN w.cycle_bytes <= t.cycle_bytes THEN t.cycle_bytes - w.cycle_bytes
        END::double precision AS week_bytes
    FROM told AS t
    JOIN accounts AS a ON a.district_id = $1::integer AND a.account_id = t.account_id
    JOIN lines AS n ON n.district_id = $1::integer AND n.line_id = t.line_id
    LEFT JOIN plans AS p ON p.district_id = $1::integer AND p.plan_id = n.plan_id
    LEFT JOIN latest_states AS s ON s.district_id = $1::integer AND s.account_id = t.account_id
        AND s.line_id = t.line_id
    LEFT JOIN line_days AS w ON w.district_id = $1::integer AND w.on_day = $2::date - 7 AND w.line_id = t.line_id
        AND w.account_id = t.account_id
    CROSS JOIN LATERAL (
        -- a calendar month where no plan says otherwise
        SELECT CASE WHEN p.allowance_period = 'cycle' THEN p.cycle_day - 1 ELSE 0 END AS shift
    ) AS m
    CROSS JOIN LATERAL (
        SELECT
            coalesce(
                s.cycle_limit_bytes, CASE WHEN p.allowance_period IN ('month', 'cycle') THEN p.allowance_bytes END
            ) AS allowance_bytes,
            date_trunc('month', $2::date - m.shift)::date + m.shift AS starts_on
    ) AS c
    WHERE p.is_pooled IS NOT TRUE AND coalesce(p.at_allowance, 'stop') IN ('stop', 'throttle')
        AND ((SELECT count(*) FROM accounts AS b WHERE b.district_id = $1::integer) = 1 OR NOT EXISTS (
            SELECT
            FROM line_days AS o
            JOIN accounts AS b ON b.district_id = o.district_id AND b.account_id = o.account_id
            WHERE o.district_id = $1::integer AND o.on_day = $2::date AND o.line_id = t.line_id
                AND o.cycle_bytes IS NOT NULL AND (b.rank, b.account_id) < (a.rank, a.account_id)
        ))
),
of_year AS (
    SELECT
        y.line_id, s.account_id, greatest(y.carried_bytes + y.used_bytes, y.told_bytes)::double precision AS used_bytes,
        p.allowance_bytes, y.period_starts_on AS starts_on, y.period_ends_on AS ends_on,
        NULL::double precision AS week_bytes
    FROM allowance_days AS y
    JOIN plans AS p ON p.district_id = $1::integer AND p.plan_id = y.plan_id
    LEFT JOIN LATERAL (
        SELECT o.account_id
        FROM line_days AS o
        JOIN accounts AS a USING (district_id, account_id)
        WHERE o.district_id = $1::integer AND o.on_day = $2::date AND o.line_id = y.line_id AND o.used_bytes IS NOT NULL
        ORDER BY a.rank, o.basis, o.account_id
        LIMIT 1
    ) AS s ON true
    WHERE y.district_id = $1::integer AND y.on_day = $2::date AND NOT p.is_pooled AND p.allowance_period = 'year'
        AND greatest(y.carried_bytes + y.used_bytes, y.told_bytes) * (1 + (y.period_ends_on - $2::date) / 7.0)
            >= 0.9 * p.allowance_bytes * $4::double precision / 100
),
near AS MATERIALIZED (
    SELECT *, ends_on - $2::date AS days_left
    FROM (TABLE of_month UNION ALL TABLE of_year) AS u
    WHERE used_bytes < allowance_bytes AND $2::date - starts_on >= 6 AND ends_on > $2::date
        AND used_bytes + coalesce(week_bytes, used_bytes / 0.9) / 7 * (ends_on - $2::date)
            >= allowance_bytes * $4::double precision / 100
),
paced AS (
    -- where the totals do not tell: by the last seven days that the same source knows
    SELECT
        x.line_id, x.days_left, x.used_bytes, x.allowance_bytes, r.bytes_a_day,
        100 * (x.used_bytes + r.bytes_a_day * x.days_left) / x.allowance_bytes AS percent
    FROM near AS x
    LEFT JOIN LATERAL (
        SELECT avg(k.used_bytes)::double precision AS bytes_a_day
        FROM (
            SELECT o.used_bytes
            FROM line_days AS o
            WHERE x.week_bytes IS NULL AND o.district_id = $1::integer AND o.line_id = x.line_id
                AND o.account_id = x.account_id AND o.on_day BETWEEN $2::date - 13 AND $2::date
                AND o.on_day >= x.starts_on AND o.used_bytes IS NOT NULL
            ORDER BY o.on_day DESC
            LIMIT 7
        ) AS k
        HAVING count(*) = 7
    ) AS b ON true
    CROSS JOIN LATERAL (SELECT coalesce(x.week_bytes / 7, b.bytes_a_day) AS bytes_a_day) AS r
),
lent AS (
    SELECT DISTINCT ON (l.loan_id)
        l.loan_id, l.school_id, x.days_left, x.used_bytes, x.allowance_bytes, x.bytes_a_day, x.percent
    FROM paced AS x
    CROSS JOIN district AS d
    JOIN line_device_links AS k ON k.district_id = $1::integer AND k.line_id = x.line_id
        AND k.starts_at < d.ends_at AND (k.ends_at IS NULL OR k.ends_at >= d.ends_at)
    JOIN devices AS v ON v.district_id = $1::integer AND v.device_id = k.device_id
    JOIN loans AS l ON l.district_id = $1::integer AND l.device_id = k.device_id AND l.checked_out_on <= $2::date
        AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND (l.lost_on IS NULL OR l.lost_on > $2::date)
    WHERE v.kind IN ('hotspot', 'fixed_router')
    ORDER BY l.loan_id, x.percent DESC NULLS LAST
),
unheard AS (
    -- whose alert stands, and of whose total nothing was told on the day
    SELECT l.loan_id, l.school_id
    FROM alerts AS e
    CROSS JOIN district AS d
    JOIN loans AS l ON l.district_id = $1::integer AND l.loan_id = split_part(e.subject, ':', 2)::bigint
        AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND (l.lost_on IS NULL OR l.lost_on > $2::date)
    WHERE e.district_id = $1::integer AND e.rule = 'cap_projected' AND e.state <> 'clear'
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
    jsonb_strip_nulls(jsonb_build_object(
        'used_percent', floor(100 * l.used_bytes / l.allowance_bytes), 'forecast_percent', floor(l.percent),
        'days_left', l.days_left,
        'runs_out_on', $2::date + ceil((l.allowance_bytes - l.used_bytes) / nullif(l.bytes_a_day, 0))::integer
    )) AS details,
    l.percent >= $4::double precision AS is_breached
FROM lent AS l
CROSS JOIN district AS d
WHERE l.percent IS NULL OR l.percent >= $4::double precision
UNION ALL
SELECT 'loan:' || u.loan_id, u.school_id, NULL, NULL, '{}', NULL
FROM unheard AS u
