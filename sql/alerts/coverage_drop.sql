-- title: Schools where coverage fell within a week
-- title_es: Escuelas donde la cobertura cayó en una semana
-- about: school
-- severity: warning
-- owner: coordinator
-- why: A sudden fall has one cause more often than many: an outage, lines suspended by mistake, a plan that ended, data that ran out.
-- why_es: Una caída repentina suele tener una sola causa: un corte, líneas suspendidas por error, un plan que terminó o datos agotados.
-- action: Compare the school's states of this week and the last on its page, and ask IT whether a carrier, a plan or a filter changed.
-- action_es: Compare en la página de la escuela los estados de esta semana y la anterior, y pregunte a informática si cambió un operador, un plan o un filtro.
-- clock: calendar
-- threshold: 10
-- unit: points
-- clears_after: 1 day
-- urgency: daily
WITH pairs AS (
    SELECT
        o.school_id, o.need, o.coverage, o.coverage_low, o.coverage_high, b.coverage AS before,
        o.coverage_status = 'not_applicable' OR b.coverage_status = 'not_applicable' AS has_no_need,
        o.is_out_of_session OR b.is_out_of_session AS is_in_break,
        -- where too much is unknown the fall is at least that to the upper bound
        round((100 * (b.coverage - coalesce(o.coverage, o.coverage_high)))::numeric, 6) AS least_fall,
        round((100 * (b.coverage - coalesce(o.coverage, o.coverage_low)))::numeric, 6) AS most_fall
    FROM school_days AS o
    JOIN school_days AS b USING (district_id, school_id)
    WHERE o.district_id = $1::integer AND o.on_day = $2::date AND b.on_day = $2::date - 7
),
judged AS (
    SELECT
        *,
        CASE
            WHEN has_no_need THEN false
            WHEN is_in_break OR before IS NULL THEN NULL
            WHEN least_fall >= $4::double precision THEN true
            WHEN most_fall < $4::double precision THEN false
        END AS has_fallen
    FROM pairs
)
SELECT
    'school:' || j.school_id AS subject,
    j.school_id,
    $2::date::timestamp AT TIME ZONE d.time_zone AS since_at,
    j.least_fall::double precision AS value,
    jsonb_build_object(
        'points', round(j.least_fall, 1), 'before_percent', round((100 * j.before)::numeric),
        'now_percent', round((100 * coalesce(j.coverage, j.coverage_high))::numeric), 'need', j.need
    ) AS details,
    j.has_fallen AS is_breached
FROM judged AS j
JOIN districts AS d ON d.district_id = $1::integer
WHERE j.has_fallen IS NOT FALSE
