-- title: Schools with too few of their students in need connected
-- title_es: Escuelas con muy pocos estudiantes con necesidad conectados
-- about: school
-- severity: warning
-- owner: coordinator
-- why: For two weeks fewer than the target share of these schools' students in need have had a working connection at home.
-- why_es: Durante dos semanas, menos estudiantes con necesidad de los previstos como meta han tenido en casa una conexión que funciona.
-- action: Look at the school's page for the reason (not lent, not used, out of data, no signal), and settle with the school what comes first.
-- action_es: Vea en la página de la escuela la causa (sin prestar, sin usar, sin datos, sin señal) y acuerde con la escuela qué hacer primero.
-- clock: calendar
-- threshold: 80
-- unit: %
-- clears_after: 3 days
-- reminder: 30 days
-- urgency: weekly
WITH district AS (
    SELECT time_zone AS local_zone FROM districts WHERE district_id = $1::integer
),
days AS (
    -- where too much is unknown, a day is judged only if even the bounds leave no doubt
    SELECT
        o.school_id, o.on_day, o.need, o.coverage_status, o.completeness,
        coalesce(o.coverage, o.coverage_high) AS coverage,
        CASE
            WHEN o.coverage_status = 'not_applicable' THEN false
            WHEN o.is_out_of_session THEN NULL
            WHEN o.coverage IS NOT NULL THEN o.coverage < $4::double precision / 100
            WHEN o.coverage_high < $4::double precision / 100 THEN true
            WHEN o.coverage_low >= $4::double precision / 100 THEN false
        END AS is_below
    FROM school_days AS o
    WHERE o.district_id = $1::integer AND o.on_day BETWEEN $2::date - 13 AND $2::date
),
weeks AS (
    SELECT school_id, count(is_below) AS judged, coalesce(bool_or(NOT is_below), false) AS was_above
    FROM days
    GROUP BY school_id
)
SELECT
    'school:' || o.school_id AS subject,
    o.school_id,
    ($2::date - 13)::timestamp AT TIME ZONE d.local_zone AS since_at,
    round((100 * o.coverage)::numeric, 1)::double precision AS value,
    jsonb_build_object(
        'coverage_percent', round((100 * o.coverage)::numeric), 'is_upper_bound', o.coverage_status = 'incomplete',
        'need', o.need, 'completeness_percent', round((100 * o.completeness)::numeric), 'days', 14
    ) AS details,
    CASE
        WHEN o.is_below IS NULL THEN NULL
        WHEN w.was_above OR NOT o.is_below THEN false
        WHEN w.judged >= 7 THEN true  -- of fourteen days: not the first ones after a break
    END AS is_breached
FROM days AS o
CROSS JOIN district AS d
JOIN weeks AS w USING (school_id)
WHERE o.on_day = $2::date AND (o.is_below IS NULL OR o.is_below AND NOT w.was_above)
