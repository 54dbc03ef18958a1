-- title: Active lines that nobody has on loan
-- title_es: Líneas activas que nadie tiene en préstamo
-- about: fleet
-- severity: warning
-- owner: it
-- why: Each of these lines is paid for month after month while its hotspot lies on a shelf and students wait for one.
-- why_es: Cada una de estas líneas se paga mes tras mes mientras su equipo está guardado y hay estudiantes que esperan uno.
-- action: Lend these hotspots to schools with a waitlist, or have the carrier suspend their lines until they are lent again.
-- action_es: Preste estos equipos a escuelas con lista de espera, o pida al operador que suspenda sus líneas hasta que se presten de nuevo.
-- clock: calendar
-- threshold: 30
-- unit: days
-- urgency: weekly
-- reminder: 30 days
WITH district AS (
    SELECT
        time_zone AS local_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today,
        ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at
    FROM districts
    WHERE district_id = $1::integer
),
unlent AS MATERIALIZED (
    SELECT k.line_id, k.device_id, k.starts_at
    FROM line_device_links AS k
    WHERE k.district_id = $1::integer AND k.starts_at < (SELECT ends_at FROM district)
        AND (k.ends_at IS NULL OR k.ends_at >= (SELECT ends_at FROM district))
        -- one that has been lent since is no longer on the shelf
        AND NOT EXISTS (
            SELECT
            FROM loans AS o
            WHERE o.district_id = $1::integer AND o.device_id = k.device_id
                AND o.checked_out_on <= (SELECT today FROM district)
                AND (o.returned_on IS NULL OR o.returned_on > $2::date)
        )
),
waiting AS MATERIALIZED (
    SELECT
        u.line_id, b.school_id, b.returned_on, n.monthly_cost,
        greatest(b.returned_on, (greatest(u.starts_at, n.observed_since) AT TIME ZONE d.local_zone)::date) AS since_on
    FROM unlent AS u
    CROSS JOIN district AS d
    CROSS JOIN LATERAL (
        -- by its own key, as few are unlent
        SELECT l.observed_since, p.monthly_cost
        FROM lines AS l
        LEFT JOIN plans AS p USING (district_id, plan_id)
        WHERE l.district_id = $1::integer AND l.line_id = u.line_id
        LIMIT 1
    ) AS n
    LEFT JOIN LATERAL (
        SELECT l.school_id, l.returned_on
        FROM loans AS l
        WHERE l.district_id = $1::integer AND l.device_id = u.device_id AND l.returned_on <= $2::date
        ORDER BY l.returned_on DESC, l.loan_id DESC
        LIMIT 1
    ) AS b ON true
    WHERE (SELECT v.kind FROM devices AS v WHERE v.district_id = $1::integer AND v.device_id = u.device_id)
        IN ('hotspot', 'fixed_router')
)
SELECT
    'line:' || w.line_id AS subject,
    w.school_id,
    (w.since_on + ceil($4::double precision)::integer)::timestamp AT TIME ZONE d.local_zone AS since_at,
    ($2::date - w.since_on)::double precision AS value,
    jsonb_strip_nulls(jsonb_build_object(
        'days', $2::date - w.since_on, 'was_ever_lent', w.returned_on IS NOT NULL, 'returned_on', w.returned_on,
        'monthly_cost', w.monthly_cost
    )) AS details,
    CASE WHEN s.status = 'active' THEN true END AS is_breached
FROM waiting AS w
CROSS JOIN district AS d
LEFT JOIN LATERAL line_status_on($1::integer, w.line_id, $2::date) AS s ON true
WHERE $2::date - w.since_on >= $4::double precision AND coalesce(s.status, 'unknown') IN ('active', 'unknown')
