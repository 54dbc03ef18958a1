-- title: Lines without a web filter
-- title_es: Líneas sin filtro de internet
-- about: fleet
-- severity: warning
-- owner: it
-- why: Students use these lines at home without the protection that the district promises to families and may be bound to by law.
-- why_es: Los estudiantes usan estas líneas en casa sin la protección que el distrito promete a las familias y que la ley puede exigirle.
-- action: Put each line into a filter group at the carrier, or filter on the device. If a plan is filtered after all, say so with is_filtered.
-- action_es: Ponga cada línea en un grupo de filtrado del operador, o filtre en el dispositivo. Si un plan sí está filtrado, indíquelo con is_filtered.
-- dated: no
-- urgency: daily
WITH open_alerts AS (
    SELECT subject FROM alerts WHERE district_id = $1::integer AND rule = 'no_filter' AND state <> 'clear'
),
doubtful AS (
    SELECT s.line_id FROM latest_states AS s WHERE s.district_id = $1::integer AND NOT s.is_filtered
    UNION
    SELECT n.line_id
    FROM plans AS p
    JOIN lines AS n USING (district_id, plan_id)
    WHERE p.district_id = $1::integer AND NOT p.is_filtered
    UNION
    SELECT split_part(subject, ':', 2)::bigint FROM open_alerts
),
judged AS MATERIALIZED (
    SELECT n.line_id, coalesce(t.is_filtered, p.is_filtered) AS is_filtered, t.is_filtered IS NULL AS is_by_plan
    FROM doubtful AS c
    JOIN lines AS n ON n.district_id = $1::integer AND n.line_id = c.line_id
    LEFT JOIN plans AS p ON p.district_id = $1::integer AND p.plan_id = n.plan_id
    LEFT JOIN LATERAL (
        -- by the best source that tells
        SELECT s.is_filtered
        FROM latest_states AS s
        JOIN accounts AS a USING (district_id, account_id)
        WHERE s.district_id = $1::integer AND s.line_id = c.line_id AND s.is_filtered IS NOT NULL AND a.is_in_use
        ORDER BY a.rank, s.account_id
        LIMIT 1
    ) AS t ON true
    WHERE coalesce(t.is_filtered, p.is_filtered) IS NOT TRUE
)
SELECT
    'line:' || j.line_id AS subject,
    b.school_id,
    NULL::timestamptz AS since_at,
    NULL::double precision AS value,
    jsonb_build_object('told_by', CASE WHEN j.is_by_plan THEN 'plan' ELSE 'line' END) AS details,
    NOT j.is_filtered AS is_breached
FROM judged AS j
CROSS JOIN LATERAL (
    -- what is off, or nobody tells of any more, needs no filter
    SELECT bool_or(s.status NOT IN ('suspended', 'deactivated')) AS is_on
    FROM latest_states AS s
    JOIN accounts AS a USING (district_id, account_id)
    WHERE s.district_id = $1::integer AND s.line_id = j.line_id AND a.is_in_use AND s.status IS NOT NULL
) AS u
LEFT JOIN LATERAL (
    SELECT l.school_id
    FROM line_device_links AS k
    JOIN loans AS l USING (district_id, device_id)
    WHERE k.district_id = $1::integer AND k.line_id = j.line_id AND k.ends_at IS NULL
        AND l.checked_out_on <= coalesce($2::date, 'infinity')
    ORDER BY l.checked_out_on DESC, l.loan_id DESC
    LIMIT 1
) AS b ON true
WHERE u.is_on
