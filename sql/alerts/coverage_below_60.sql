-- title: Schools where many students in need are not connected
-- title_es: Escuelas donde muchos estudiantes con necesidad no están conectados
-- about: school
-- severity: critical
-- owner: coordinator
-- why: For two weeks many of these schools' students in need have had no working connection at home; they fall behind while it lasts.
-- why_es: Durante dos semanas, muchos estudiantes con necesidad de estas escuelas no han tenido en casa una conexión que funcione; mientras dure, se atrasan.
-- action: Call the school. Look at its page for the reason, move hotspots to it from the reclaim list, and offer another way for the time being.
-- action_es: Llame a la escuela. Vea la causa en su página, traslade equipos de la lista de recuperación y ofrezca otra opción mientras tanto.
-- clock: calendar
-- threshold: 60
-- unit: %
-- clears_after: 3 days
-- reminder: 14 days
-- escalates_after: 7 days
-- urgency: daily
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
