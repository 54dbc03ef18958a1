-- title: SIMs that were moved to another device
-- title_es: Tarjetas SIM que se pasaron a otro dispositivo
-- about: fleet
-- severity: high
-- owner: it
-- why: A SIM in a device of its finder's own is unfiltered, uses the district's data, and leaves a student with a dead hotspot.
-- why_es: Una SIM en un dispositivo ajeno no tiene filtro, gasta los datos del distrito y deja a un estudiante con un equipo que no funciona.
-- action: If your staff exchanged the hotspot, record it in the loan system and acknowledge. If not, suspend the line and ask the school for the hotspot.
-- action_es: Si su personal cambió el equipo, regístrelo en el sistema de préstamos y confírmelo aquí. Si no, suspenda la línea y pida el equipo a la escuela.
-- threshold: 14
-- unit: days
-- urgency: now
WITH district AS (
    SELECT
        time_zone AS local_zone, ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at,
        ($2::date + 1 - ceil($4::double precision)::integer)::timestamp AT TIME ZONE time_zone AS first_at
    FROM districts
    WHERE district_id = $1::integer
)
SELECT
    'line:' || k.line_id AS subject,
    coalesce(b.school_id, c.school_id) AS school_id,
    k.starts_at AS since_at,
    ($2::date - (k.starts_at AT TIME ZONE d.local_zone)::date)::double precision AS value,
    jsonb_build_object(
        'moved_on', (k.starts_at AT TIME ZONE d.local_zone)::date, 'was_on_loan', coalesce(b.is_open, false),
        'is_in_lent_device', coalesce(c.is_open, false)
    ) AS details,
    true AS is_breached
FROM line_device_links AS k
CROSS JOIN district AS d
CROSS JOIN LATERAL (
    SELECT e.device_id
    FROM line_device_links AS e
    WHERE e.district_id = $1::integer AND e.line_id = k.line_id AND e.starts_at < k.starts_at
    ORDER BY e.starts_at DESC
    LIMIT 1
) AS p
LEFT JOIN LATERAL (
    SELECT l.school_id, l.returned_on IS NULL OR l.returned_on > $2::date AS is_open
    FROM loans AS l
    WHERE l.district_id = $1::integer AND l.device_id = p.device_id AND l.checked_out_on <= $2::date
    ORDER BY l.checked_out_on DESC, l.loan_id DESC
    LIMIT 1
) AS b ON true
LEFT JOIN LATERAL (
    SELECT l.school_id, l.returned_on IS NULL OR l.returned_on > $2::date AS is_open
    FROM loans AS l
    WHERE l.district_id = $1::integer AND l.device_id = k.device_id AND l.checked_out_on <= $2::date
    ORDER BY l.checked_out_on DESC, l.loan_id DESC
    LIMIT 1
) AS c ON true
WHERE k.district_id = $1::integer AND k.starts_at >= d.first_at AND k.starts_at < d.ends_at
    AND (k.ends_at IS NULL OR k.ends_at >= d.ends_at) AND k.device_id <> p.device_id
