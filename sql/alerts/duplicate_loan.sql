-- title: Students with more than one hotspot
-- title_es: Estudiantes con más de un punto de acceso
-- about: family
-- severity: warning
-- ecf.severity: high
-- erate_2024.severity: high
-- owner: coordinator
-- why: While one home has two hotspots another has none; programs that pay for them often allow one each.
-- why_es: Mientras un hogar tiene dos equipos, otro no tiene ninguno; los programas que los pagan suelen permitir uno por persona.
-- action: Ask the schools which hotspot is used and have the other returned. If it is back already, put the day into its loan.
-- action_es: Pregunte a las escuelas cuál se usa y haga que se devuelva el otro. Si ya se devolvió, anote la fecha en su préstamo.
-- threshold: 2
-- unit: hotspots
-- reminder: 28 days
-- urgency: weekly
WITH district AS (
    SELECT time_zone, need_mode, ($3::timestamptz AT TIME ZONE time_zone)::date AS today
    FROM districts
    WHERE district_id = $1::integer
),
lent AS NOT MATERIALIZED (
    -- whom a loan serves: its borrower, or the home where the district counts by household
    SELECT
        l.loan_id, l.device_id, l.school_id, l.checked_out_on,
        CASE WHEN l.household <> '' AND (SELECT d.need_mode FROM district AS d) = 'household' THEN l.household
            ELSE l.borrower END AS served
    FROM loans AS l
    WHERE l.district_id = $1::integer AND l.checked_out_on <= $2::date
        AND (l.returned_on IS NULL OR l.returned_on > (SELECT d.today FROM district AS d))
        AND (l.lost_on IS NULL OR l.lost_on > $2::date)
),
several AS (
    -- who may have several: by a number, as a million pseudonyms take long to compare
    SELECT hashtext(served) AS hash
    FROM lent
    WHERE served <> ''
    GROUP BY hashtext(served)
    HAVING count(*) > 1
),
candidates AS MATERIALIZED (
    SELECT * FROM lent WHERE served <> '' AND hashtext(served) IN (SELECT s.hash FROM several AS s)
),
ranked AS (
    SELECT
        c.loan_id, c.school_id, c.checked_out_on,
        row_number() OVER (PARTITION BY c.served ORDER BY c.checked_out_on, c.loan_id) AS place,
        count(*) OVER (PARTITION BY c.served) AS hotspots
    FROM candidates AS c
    WHERE NOT EXISTS (
        SELECT
        FROM devices AS v
        WHERE v.district_id = $1::integer AND v.device_id = c.device_id AND v.kind <> 'hotspot'
    )
)
SELECT
    'loan:' || r.loan_id AS subject,
    r.school_id,
    r.checked_out_on::timestamp AT TIME ZONE d.time_zone AS since_at,
    r.place::double precision AS value,
    jsonb_build_object('hotspots', r.hotspots, 'counted_by', d.need_mode::text) AS details,
    true AS is_breached
FROM ranked AS r
CROSS JOIN district AS d
WHERE r.place >= $4::double precision
