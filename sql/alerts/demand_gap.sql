-- title: Students wait while hotspots lie unused
-- title_es: Hay estudiantes en espera mientras hay equipos sin usar
-- about: school
-- severity: info
-- owner: coordinator
-- why: Schools have unfilled requests, and elsewhere in the district there are hotspots that nobody has used for a month.
-- why_es: Hay escuelas con solicitudes sin atender y, en otras partes del distrito, equipos que nadie ha usado en un mes.
-- action: Run the reclaim list and the reallocation plan, and move the unused hotspots to the schools with a waitlist.
-- action_es: Genere la lista de recuperación y el plan de reasignación, y traslade los equipos sin usar a las escuelas con lista de espera.
-- clock: calendar
-- threshold: 30
-- unit: days
-- reminder: 30 days
-- urgency: weekly
WITH district AS (
    SELECT time_zone AS local_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today
    FROM districts
    WHERE district_id = $1::integer
),
counts AS (
    SELECT DISTINCT ON (w.school_id) w.school_id, w.requests, w.as_of_on
    FROM waitlist_counts AS w
    WHERE w.district_id = $1::integer AND w.as_of_on BETWEEN valid_since($1::integer, $2::date) AND $2::date
    ORDER BY w.school_id, w.as_of_on DESC
),
waiting AS MATERIALIZED (
    SELECT sum(requests) AS requests, count(*) AS schools, min(as_of_on) AS since_on
    FROM counts
    WHERE requests > 0
),
unused AS (
    SELECT
        count(*) FILTER (WHERE o.state <> 'unknown') AS loans, count(*) AS possible,
        max(o.idle_days) FILTER (WHERE o.state <> 'unknown') AS longest_days
    FROM loan_days AS o
    CROSS JOIN district AS d
    JOIN loans AS l USING (district_id, loan_id)
    WHERE o.district_id = $1::integer AND o.on_day = $2::date AND o.idle_days >= $4::double precision
        AND o.state IN ('never_used', 'idle', 'unknown') AND l.lost_on IS NULL
        AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND EXISTS (SELECT FROM waiting WHERE requests > 0)
)
SELECT
    'district' AS subject,
    NULL::bigint AS school_id,
    w.since_on::timestamp AT TIME ZONE d.local_zone AS since_at,
    u.longest_days::double precision AS value,
    jsonb_build_object('requests', w.requests, 'schools', w.schools, 'unused_hotspots', u.loans) AS details,
    CASE
        -- in a break nothing is used, and nothing is lent
        WHEN NOT EXISTS (
            SELECT FROM school_days AS s
            WHERE s.district_id = $1::integer AND s.on_day = $2::date AND NOT s.is_out_of_session
        ) THEN NULL
        WHEN u.loans > 0 THEN true
    END AS is_breached
FROM waiting AS w
CROSS JOIN district AS d
CROSS JOIN unused AS u
WHERE w.requests > 0 AND u.possible > 0
