-- title: A plan ends within a month
-- title_es: Un plan termina dentro de un mes
-- about: fleet
-- severity: warning
-- owner: it
-- why: On its last day every hotspot of the plan stops working at once.
-- why_es: El último día, todos los equipos del plan dejan de funcionar a la vez.
-- action: Renew the contract, or move its lines to another plan, and correct the plan's last day.
-- action_es: Renueve el contrato o pase sus líneas a otro plan, y corrija el último día del plan.
-- clock: calendar
-- threshold: 30
-- unit: days
-- urgency: daily
-- reminder: 7 days
SELECT
    'plan:' || p.plan_id AS subject,
    NULL::bigint AS school_id,
    (p.ends_on - floor($4::double precision)::integer)::timestamp AT TIME ZONE d.time_zone AS since_at,
    (p.ends_on - $2::date)::double precision AS value,
    jsonb_build_object('ends_on', p.ends_on, 'days_left', p.ends_on - $2::date, 'lines', n.lines) AS details,
    CASE WHEN p.ends_on > $2::date OR t.is_active THEN true END AS is_breached
FROM plans AS p
JOIN districts AS d USING (district_id)
CROSS JOIN LATERAL (
    SELECT count(*) AS lines FROM lines AS l WHERE l.district_id = $1::integer AND l.plan_id = p.plan_id
) AS n
LEFT JOIN LATERAL (
    SELECT bool_or(o.status = 'active') AS is_active
    FROM lines AS l
    JOIN line_days AS o USING (district_id, line_id)
    WHERE p.ends_on <= $2::date AND l.district_id = $1::integer AND l.plan_id = p.plan_id AND o.on_day = $2::date
        AND o.status <> 'unknown'
) AS t ON true
WHERE p.district_id = $1::integer AND p.ends_on - $2::date <= $4::double precision AND n.lines > 0
    -- once it has ended: as long as a line of it is told to be active, or nobody tells of any
    AND (p.ends_on > $2::date OR t.is_active IS NOT FALSE)
