-- title: Hotspots in use that were never lent
-- title_es: Equipos en uso que nunca se prestaron
-- about: fleet
-- severity: high
-- owner: it
-- why: Nobody is responsible for these hotspots, and the students they may help are counted nowhere.
-- why_es: Nadie responde por estos equipos, y los estudiantes a quienes quizá ayudan no se cuentan en ninguna parte.
-- action: Find out who has each hotspot and record the loan. If it is missing, report it lost and suspend its line.
-- action_es: Averigüe quién tiene cada equipo y registre el préstamo. Si falta, repórtelo como perdido y suspenda su línea.
-- threshold: 0
-- unit: MB
-- clears_after: 3 days
-- urgency: daily
WITH district AS (
    SELECT
        ($3::timestamptz AT TIME ZONE time_zone)::date AS today,
        time_zone,
        $2::date::timestamp AT TIME ZONE time_zone AS starts_at,
        ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at
    FROM districts
    WHERE district_id = $1::integer
),
never_lent AS MATERIALIZED (
    SELECT k.line_id, k.device_id, k.starts_at AS linked_at
    FROM line_device_links AS k
    WHERE k.district_id = $1::integer AND k.starts_at <= (SELECT starts_at FROM district)
        AND (k.ends_at IS NULL OR k.ends_at >= (SELECT ends_at FROM district))
        AND NOT EXISTS (
            SELECT
            FROM loans AS o
            WHERE o.district_id = $1::integer AND o.device_id = k.device_id
                AND o.checked_out_on <= (SELECT today FROM district)
        )
)
SELECT
    'line:' || u.line_id AS subject,
    g.school_id,
    coalesce(f.on_day, $2::date)::timestamp AT TIME ZONE d.time_zone AS since_at,
    t.used_bytes / 1e6::double precision AS value,
    jsonb_strip_nulls(jsonb_build_object('used_mb', round(t.used_bytes / 1e6, 1), 'on_day', $2::date)) AS details,
    t.used_bytes > $4::double precision * 1e6 AS is_breached
FROM never_lent AS u
CROSS JOIN district AS d
LEFT JOIN LATERAL (
    -- the school whose devices its vendor's group holds
    SELECT q.school_id
    FROM latest_states AS s
    JOIN provider_groups AS q USING (district_id, account_id, group_key)
    WHERE s.district_id = $1::integer AND s.line_id = u.line_id AND q.school_id IS NOT NULL
    ORDER BY s.read_at DESC, s.account_id
    LIMIT 1
) AS g ON true
LEFT JOIN LATERAL (
    SELECT o.used_bytes
    FROM line_days AS o
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = $1::integer AND o.on_day = $2::date AND o.line_id = u.line_id AND o.used_bytes IS NOT NULL
    ORDER BY a.rank, o.basis, o.account_id
    LIMIT 1
) AS t ON true
LEFT JOIN LATERAL (
    -- the first day of use in this hotspot, of 31 days: each day for itself, as the best source told it then
    SELECT $2::date - max(g.days_ago) AS on_day
    FROM generate_series(1, 30) AS g (days_ago)
    CROSS JOIN LATERAL (
        SELECT o.used_bytes
        FROM line_days AS o
        JOIN accounts AS a USING (district_id, account_id)
        WHERE o.district_id = $1::integer AND o.on_day = $2::date - g.days_ago AND o.line_id = u.line_id
            AND o.on_day BETWEEN $2::date - 30 AND $2::date - 1 AND o.used_bytes IS NOT NULL
        ORDER BY a.rank, o.basis, o.account_id
        LIMIT 1
    ) AS e
    WHERE t.used_bytes > $4::double precision * 1e6 AND e.used_bytes > $4::double precision * 1e6
        AND ($2::date - g.days_ago)::timestamp AT TIME ZONE d.time_zone >= u.linked_at
) AS f ON true
WHERE (SELECT v.kind FROM devices AS v WHERE v.district_id = $1::integer AND v.device_id = u.device_id)
        IN ('hotspot', 'fixed_router')
    AND (t.used_bytes IS NULL OR t.used_bytes > $4::double precision * 1e6)
