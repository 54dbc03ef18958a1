-- title: A month until hotspots are collected
-- title_es: Falta un mes para recoger los puntos de acceso
-- about: school
-- severity: info
-- owner: school
-- why: Most hotspots that come back at the end of the year do so because somebody asked in time.
-- why_es: La mayoría de los equipos que vuelven al final del año vuelven porque alguien los pidió a tiempo.
-- action: Tell families when and where hotspots are returned. Put a later due date into the loans of those who keep theirs over the summer.
-- action_es: Avise a las familias cuándo y dónde se devuelven los equipos. Ponga una fecha posterior en los préstamos de quienes lo conservan en verano.
-- clock: calendar
-- threshold: 30
-- unit: days
-- urgency: daily
-- needs: collection_14, collection_0
WITH district AS (
    SELECT time_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today
    FROM districts
    WHERE district_id = $1::integer
),
standing AS (
    SELECT substr(subject, 8)::bigint AS school_id
    FROM alerts
    WHERE district_id = $1::integer AND rule = 'collection_30' AND state <> 'clear'
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
    WHERE district_id = $1::integer AND rule IN ('collection_14', 'collection_0') AND state IN ('firing', 'held')
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
