-- title: Hotspots reported lost whose lines are still active
-- title_es: Equipos reportados como perdidos cuyas líneas siguen activas
-- about: fleet
-- severity: warning
-- owner: it
-- why: The line of a lost hotspot costs the same as any other, serves no student, and anyone who finds it can use it.
-- why_es: La línea de un equipo perdido cuesta lo mismo que cualquier otra, no sirve a ningún estudiante y quien lo encuentre puede usarla.
-- action: Suspend these lines at the carrier, or move them to replacement hotspots. If a hotspot has turned up, take the report back in the loan system.
-- action_es: Suspenda estas líneas con el operador o páselas a equipos de reemplazo. Si un equipo apareció, corrija el reporte en el sistema de préstamos.
-- clock: calendar
-- threshold: 7
-- unit: days
-- urgency: daily
-- reminder: 14 days
WITH district AS (
    SELECT
        time_zone AS local_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today,
        ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at
    FROM districts
    WHERE district_id = $1::integer
),
lost AS MATERIALIZED (
    -- reported so, and not come back since
    SELECT DISTINCT ON (k.line_id) k.line_id, l.school_id, l.lost_on
    FROM loans AS l
    CROSS JOIN district AS d
    JOIN devices AS v USING (district_id, device_id)
    JOIN line_device_links AS k ON k.district_id = $1::integer AND k.device_id = l.device_id
        AND k.starts_at < d.ends_at AND (k.ends_at IS NULL OR k.ends_at >= d.ends_at)
    WHERE l.district_id = $1::integer AND l.lost_on <= $2::date - ceil($4::double precision)::integer
        AND l.checked_out_on <= $2::date AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND v.kind IN ('hotspot', 'fixed_router')
    ORDER BY k.line_id, l.lost_on, l.loan_id
)
SELECT
    'line:' || l.line_id AS subject,
    l.school_id,
    (l.lost_on + ceil($4::double precision)::integer)::timestamp AT TIME ZONE d.local_zone AS since_at,
    ($2::date - l.lost_on)::double precision AS value,
    jsonb_strip_nulls(jsonb_build_object(
        'days', $2::date - l.lost_on, 'lost_on', l.lost_on, 'monthly_cost', p.monthly_cost
    )) AS details,
    CASE WHEN s.status = 'active' THEN true END AS is_breached
FROM lost AS l
CROSS JOIN district AS d
JOIN lines AS n ON n.district_id = $1::integer AND n.line_id = l.line_id
LEFT JOIN plans AS p USING (district_id, plan_id)
LEFT JOIN LATERAL line_status_on($1::integer, l.line_id, $2::date) AS s ON true
WHERE coalesce(s.status, 'unknown') IN ('active', 'unknown')
