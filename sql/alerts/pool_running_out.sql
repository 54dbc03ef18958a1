-- title: A pool of data is running out
-- title_es: Un fondo común de datos se está agotando
-- about: fleet
-- severity: high
-- owner: it
-- why: When a pool is used up, every hotspot of its plan stops or slows down at once.
-- why_es: Cuando se agota el fondo común, todos los equipos del plan se detienen o van lentos a la vez.
-- action: Buy more data for this period, or move the lines that use the most to another plan.
-- action_es: Compre más datos para este período, o pase a otro plan las líneas que más usan.
-- threshold: 90
-- unit: %
-- clears_after: 1 day
-- urgency: now
WITH district AS (
    SELECT time_zone AS local_zone FROM districts WHERE district_id = $1::integer
),
pools AS (
    SELECT p.plan_id, p.allowance_bytes
    FROM plans AS p
    WHERE p.district_id = $1::integer AND p.is_pooled AND p.allowance_bytes IS NOT NULL
        AND p.at_allowance IN ('stop', 'throttle')
),
used AS (
    SELECT
        y.plan_id, count(*) AS lines, min(y.period_starts_on) AS starts_on, max(y.period_ends_on) AS ends_on,
        sum(greatest(y.carried_bytes + y.used_bytes, y.told_bytes)) AS used_bytes,
        sum(y.carried_bytes + y.used_bytes) AS added_bytes
    FROM allowance_days AS y
    WHERE y.district_id = $1::integer AND y.on_day = $2::date AND y.plan_id IN (SELECT plan_id FROM pools)
    GROUP BY y.plan_id
),
week_before AS (
    SELECT y.plan_id, min(y.period_starts_on) AS starts_on, sum(y.carried_bytes + y.used_bytes) AS added_bytes
    FROM allowance_days AS y
    WHERE y.district_id = $1::integer AND y.on_day = $2::date - 7 AND y.plan_id IN (SELECT plan_id FROM pools)
    GROUP BY y.plan_id
),
shares AS (
    -- the forecast goes on at the pace of the last seven days, once the period has had as many
    SELECT
        u.plan_id, u.lines, u.ends_on, 100 * u.used_bytes::double precision / (p.allowance_bytes * u.lines) AS percent,
        100 * (u.used_bytes + (u.added_bytes - w.added_bytes) / 7.0 * (u.ends_on - $2::date))::double precision
            / (p.allowance_bytes * u.lines) AS forecast
    FROM used AS u
    JOIN pools AS p USING (plan_id)
    LEFT JOIN week_before AS w ON w.plan_id = u.plan_id AND w.starts_on = u.starts_on
)
SELECT
    'plan:' || s.plan_id AS subject,
    NULL::bigint AS school_id,
    $2::date::timestamp AT TIME ZONE d.local_zone AS since_at,
    CASE WHEN s.percent >= $4::double precision THEN s.percent ELSE s.forecast END AS value,
    jsonb_strip_nulls(jsonb_build_object(
        'used_percent', floor(s.percent), 'forecast_percent', floor(s.forecast), 'days_left', s.ends_on - $2::date,
        'lines', s.lines
    )) AS details,
    CASE WHEN s.is_short THEN true END AS is_breached
FROM (
    SELECT *, coalesce(percent >= $4::double precision OR forecast >= 100, false) AS is_short FROM shares
) AS s
CROSS JOIN district AS d
-- on a day on which nobody told of its lines nothing was added, and the pace is that of fewer days
WHERE s.is_short OR NOT EXISTS (
    SELECT
    FROM lines AS l
    JOIN line_days AS o USING (district_id, line_id)
    WHERE l.district_id = $1::integer AND l.plan_id = s.plan_id AND o.on_day = $2::date
        AND (o.is_state_fresh OR o.used_bytes IS NOT NULL)
)
