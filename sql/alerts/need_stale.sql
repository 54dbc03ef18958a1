-- title: Schools whose count of need is out of date
-- title_es: Escuelas cuyo recuento de necesidad no está al día
-- about: school
-- severity: info
-- owner: coordinator
-- why: Coverage is a share of the students in need. Where too few have answered, or long ago, nobody knows of how many.
-- why_es: La cobertura es una parte de los estudiantes con necesidad. Si respondieron pocos, o hace mucho, nadie sabe de cuántos.
-- action: Ask these schools' students again, at registration or by a short survey, and import the answers or the new totals.
-- action_es: Vuelva a preguntar a los estudiantes de estas escuelas, en la inscripción o con una encuesta corta, e importe las respuestas o los nuevos totales.
-- clock: calendar
-- threshold: 70
-- unit: %
-- urgency: weekly
-- reminder: 30 days
WITH totals AS (
    SELECT n.school_id, max(n.as_of_on) AS as_of_on
    FROM need_counts AS n
    WHERE n.district_id = $1::integer AND n.as_of_on <= $2::date
    GROUP BY n.school_id
),
answers AS (
    -- a student has the newest answer alone; half of those that are valid are as old as the one in the middle
    SELECT
        coalesce(e.school_id, a.school_id) AS school_id,
        max(a.answered_on) AS newest_on,
        percentile_disc(0.5) WITHIN GROUP (ORDER BY a.answered_on)
            FILTER (WHERE a.answered_on >= valid_since($1::integer, $2::date)) AS middle_on
    FROM (
        SELECT n.student, max(n.school_id) AS school_id, max(n.answered_on) AS answered_on
        FROM need_answers AS n
        WHERE n.district_id = $1::integer AND n.answered_on <= $2::date
        GROUP BY n.student
    ) AS a
    LEFT JOIN enrollments AS e ON e.district_id = $1::integer AND e.student = a.student AND e.starts_on <= $2::date
        AND (e.ends_on IS NULL OR e.ends_on > $2::date)
    GROUP BY coalesce(e.school_id, a.school_id)
),
told AS (
    SELECT
        o.school_id, o.need, o.is_need_exceeded,
        100.0 * o.answered / nullif(o.enrolled, 0) AS answered_percent,
        CASE
            WHEN o.need_source = 'answers' THEN b.middle_on
            WHEN o.need_source = 'totals' THEN t.as_of_on
            ELSE greatest(t.as_of_on, b.newest_on)
        END AS as_of_on
    FROM school_days AS o
    LEFT JOIN totals AS t USING (school_id)
    LEFT JOIN answers AS b USING (school_id)
    WHERE o.district_id = $1::integer AND o.on_day = $2::date
),
judged AS (
    SELECT
        *,
        CASE
            WHEN need IS NULL THEN 'expired'
            WHEN is_need_exceeded THEN 'exceeded'
            WHEN as_of_on <= $2::date - interval '1 year' THEN 'old'
            WHEN answered_percent < $4::double precision THEN 'few_answers'
        END AS reason
    FROM told
    WHERE as_of_on IS NOT NULL
)
SELECT
    'school:' || j.school_id AS subject,
    j.school_id,
    NULL::timestamptz AS since_at,
    CASE WHEN j.reason = 'few_answers' THEN round(j.answered_percent, 1)::double precision END AS value,
    jsonb_strip_nulls(jsonb_build_object(
        'reason', j.reason, 'as_of_on', j.as_of_on, 'answered_percent', floor(j.answered_percent)
    )) AS details,
    true AS is_breached
FROM judged AS j
WHERE j.reason IS NOT NULL
