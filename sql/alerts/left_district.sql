-- title: Hotspots of students who have left
-- title_es: Puntos de acceso de estudiantes que ya no están en el distrito
-- about: family
-- severity: warning
-- owner: school
-- why: Once a family has moved away a hotspot is hard to get back, and another student is waiting for one.
-- why_es: Cuando una familia se ha mudado es difícil recuperar el equipo, y otro estudiante lo está esperando.
-- action: Ask the family to return it, and suspend its line if they do not. If the student is still in the district, have the roster put right.
-- action_es: Pida a la familia que lo devuelva y suspenda la línea si no lo hace. Si el estudiante sigue en el distrito, haga corregir la matrícula.
-- clock: calendar
-- threshold: 1
-- unit: days
-- reminder: 14 days
-- escalates_after: 30 days
-- urgency: daily
WITH district AS (
    SELECT time_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today
    FROM districts
    WHERE district_id = $1::integer
),
left_behind AS (
    -- open loans of students whom the roster knows, and knows neither to be there nor to come
    SELECT l.loan_id, l.device_id, l.school_id, l.checked_out_on, max(e.ends_on) AS left_on
    FROM loans AS l
    CROSS JOIN district AS d
    JOIN enrollments AS e ON e.district_id = $1::integer AND e.student = l.borrower AND e.ends_on <= $2::date
    WHERE l.district_id = $1::integer AND l.borrower <> '' AND l.checked_out_on <= $2::date
        AND (l.returned_on IS NULL OR l.returned_on > d.today) AND (l.lost_on IS NULL OR l.lost_on > $2::date)
        AND NOT EXISTS (
            SELECT
            FROM enrollments AS n
            WHERE n.district_id = $1::integer AND n.student = l.borrower
                AND (n.ends_on IS NULL OR n.ends_on > $2::date)
        )
    GROUP BY l.loan_id, l.device_id, l.school_id, l.checked_out_on
)
SELECT
    'loan:' || l.loan_id AS subject,
    l.school_id,
    (k.since_on + ceil($4::double precision)::integer)::timestamp AT TIME ZONE d.time_zone AS since_at,
    ($2::date - k.since_on)::double precision AS value,
    jsonb_build_object('left_days', $2::date - l.left_on, 'left_on', l.left_on::text) AS details,
    -- between two school years the roster has nobody: who comes back is not known
    CASE WHEN EXISTS (
        SELECT
        FROM enrollments AS o
        WHERE o.district_id = $1::integer AND o.starts_on <= $2::date AND (o.ends_on IS NULL OR o.ends_on > $2::date)
    ) THEN true END AS is_breached
FROM left_behind AS l
JOIN devices AS v ON v.district_id = $1::integer AND v.device_id = l.device_id
CROSS JOIN district AS d
CROSS JOIN LATERAL (SELECT greatest(l.left_on, l.checked_out_on) AS since_on) AS k
WHERE k.since_on <= $2::date - ceil($4::double precision)::integer AND v.kind IN ('hotspot', 'fixed_router')
