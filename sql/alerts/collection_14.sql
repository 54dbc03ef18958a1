-- title: Two weeks until hotspots are collected
-- title_es: Faltan dos semanas para recoger los puntos de acceso
-- about: school
-- severity: warning
-- owner: school
-- why: After the last day of school a hotspot is hard to get back, and its line is paid for all summer.
-- why_es: Después del último día de clases es difícil recuperar un equipo, y su línea se paga todo el verano.
-- action: Remind each family that has not returned its hotspot, by phone or by a letter that the student takes home.
-- action_es: Recuérdeselo a cada familia que no lo ha devuelto, por teléfono o con una carta que lleve el estudiante.
-- clock: calendar
-- threshold: 14
-- unit: days
-- urgency: daily
-- needs: collection_0
WITH district AS (
    SELECT time_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today
    FROM districts
    WHERE district_id = $1::integer
),
standing AS (
    SELECT substr(subject, 8)::bigint AS school_id
    FROM alerts
    WHERE district_id = $1::integer AND rule = 'collection_14' AND state <> 'clear'
),
school_year AS (
    SELECT
        (valid_since($1::integer, $2::date) + interval '1 year')::date AS first_on,
        (valid_since($1::integer, $2::date) + interval '2 years')::date AS next_on
),
district_days AS (
    SELECT c.on_day, c.kind IN ('instructional', 'half_day') AS has_school
    FROM calendar_days AS c
    JOIN school_year AS y ON c.on_day >= y.first_on AND c.on_day < y.next_on
    WHERE c.district_id = $1::integer
),
own_days AS (
    SELECT c.school_id, c.on_day, c.kind IN ('instructional', 'half_day') AS has_school
    FROM school_calendar_days AS c
    JOIN school_year AS y ON c.on_day >= y.first_on AND c.on_day < y.next_on
    WHERE c.district_id = $1::integer
),
own_last_days AS (
    -- of schools that differ from the district on some day
    SELECT x.school_id, max(x.on_day) AS last_on
    FROM (
        SELECT o.school_id, o.on_day
        FROM own_days AS o
        WHERE o.has_school
        UNION ALL
        SELECT o.school_id, c.on_day
        FROM (SELECT DISTINCT school_id FROM own_days) AS o
        CROSS JOIN district_days AS c
        WHERE c.has_school
            AND NOT EXISTS (SELECT FROM own_days AS n WHERE n.school_id = o.school_id AND n.on_day = c.on_day)
    ) AS x
    GROUP BY x.school_id
),
last_days AS (
    -- a calendar that ends within eight months of the school year's start is not all there yet
    SELECT
        s.school_id,
        CASE WHEN k.last_on >= y.first_on + interval '8 months' THEN k.last_on END AS last_on
    FROM schools AS s
    CROSS JOIN school_year AS y
    LEFT JOIN own_last_days AS o USING (school_id)
    CROSS JOIN LATERAL (
        SELECT coalesce(o.last_on, (SELECT max(c.on_day) FROM district_days AS c WHERE c.has_school)) AS last_on
    ) AS k
    WHERE s.district_id = $1::integer
),
to_collect AS (
    -- what is due back later stays out
    SELECT e.school_id, e.last_on, count(*) AS hotspots
    FROM last_days AS e
    JOIN loans AS l ON l.district_id = $1::integer AND l.school_id = e.school_id
    JOIN devices AS v USING (district_id, device_id)
    CROSS JOIN district AS d
    WHERE (
            e.last_on - $2::date <= $4::double precision
            OR e.last_on IS NULL AND e.school_id IN (SELECT t.school_id FROM standing AS t)
        )
        AND (l.due_on <= e.last_on OR l.due_on IS NULL) AND l.checked_out_on <= $2::date
        AND (l.returned_on IS NULL OR l.returned_on > d.today) AND (l.lost_on IS NULL OR l.lost_on > $2::date)
        AND v.kind IN ('hotspot', 'fixed_router')
    GROUP BY e.school_id, e.last_on
),
later AS (
    -- of several rules about the same collection only the latest is told
    SELECT substr(subject, 8)::bigint AS school_id, min(rule) AS rule
    FROM alerts
    WHERE district_id = $1::integer AND rule IN ('collection_0') AND state IN ('firing', 'held')
    GROUP BY subject
)
SELECT
    'school:' || c.school_id AS subject,
    c.school_id,
    (c.last_on - floor($4::double precision)::integer)::timestamp AT TIME ZONE d.time_zone AS since_at,
    (c.last_on - $2::date)::double precision AS value,
    jsonb_strip_nulls(jsonb_build_object(
        'hotspots', c.hotspots, 'days_left', c.last_on - $2::date, 'last_day_of_school', c.last_on::text,
        'taken_over_by', r.rule
    )) AS details,
    CASE WHEN c.last_on IS NOT NULL THEN r.rule IS NULL END AS is_breached
FROM to_collect AS c
CROSS JOIN district AS d
LEFT JOIN later AS r ON r.school_id = c.school_id
