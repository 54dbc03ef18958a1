-- title: Hotspots whose data is used up
-- title_es: Equipos a los que se les acabaron los datos
-- about: family
-- severity: warning
-- owner: school
-- why: These students have no connection at home until the next period begins.
-- why_es: Estos estudiantes no tienen conexión en casa hasta que empiece el período siguiente.
-- action: Tell the family when the data begins anew. Offer another way until then, such as the library or a hotspot of another plan, or ask IT for a larger plan.
-- action_es: Diga a la familia cuándo se renuevan los datos. Ofrezca otra opción mientras tanto, como la biblioteca o un equipo con otro plan, o pida a informática un plan mayor.
-- threshold: 100
-- unit: %
-- urgency: daily
WITH district AS (
    SELECT
        time_zone AS local_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today,
        ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at
    FROM districts
    WHERE district_id = $1::integer
),
spent AS MATERIALIZED (
    -- a pool is told of by a rule of its own; what is unknown matters where an alert stands
    SELECT o.loan_id, o.school_id, o.state, o.reason, o.exhausted_until_on, l.device_id
    FROM loan_days AS o
    CROSS JOIN district AS d
    JOIN loans AS l USING (district_id, loan_id)
    WHERE o.district_id = $1::integer AND o.on_day = $2::date
        AND (o.state = 'exhausted' AND o.reason <> 'pool_allowance'
             OR o.state = 'unknown' AND 'loan:' || o.loan_id IN (
                 SELECT e.subject FROM alerts AS e
                 WHERE e.district_id = $1::integer AND e.rule = 'cap_100' AND e.state <> 'clear'
             ))
        AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND (l.lost_on IS NULL OR l.lost_on > $2::date)
)
SELECT
    'loan:' || x.loan_id AS subject,
    x.school_id,
    $2::date::timestamp AT TIME ZONE d.local_zone AS since_at,
    CASE WHEN x.state = 'exhausted' THEN 100::double precision END AS value,
    jsonb_strip_nulls(jsonb_build_object(
        'state', x.state, 'period', split_part(x.reason::text, '_', 1),
        'until_on', coalesce(x.exhausted_until_on, c.until_on),
        'allowance_gb', round(c.allowance_bytes / 1e9, 1)
    )) AS details,
    CASE WHEN x.state = 'exhausted' THEN true END AS is_breached
FROM spent AS x
CROSS JOIN district AS d
CROSS JOIN LATERAL (
    SELECT
        bool_or(p.at_allowance = 'throttle') AS is_throttled, min(p.allowance_bytes) AS allowance_bytes,
        max(y.period_ends_on) FILTER (WHERE y.is_exhausted) AS until_on
    FROM line_device_links AS k
    JOIN lines AS n USING (district_id, line_id)
    LEFT JOIN plans AS p USING (district_id, plan_id)
    LEFT JOIN allowance_days AS y ON y.district_id = $1::integer AND y.on_day = $2::date AND y.line_id = k.line_id
    WHERE k.district_id = $1::integer AND k.device_id = x.device_id AND k.starts_at < d.ends_at
        AND (k.ends_at IS NULL OR k.ends_at >= d.ends_at)
) AS c
WHERE x.state = 'unknown' OR c.is_throttled IS NOT TRUE
