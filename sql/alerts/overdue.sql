-- title: Hotspots that are overdue
-- title_es: Puntos de acceso con la devolución vencida
-- about: family
-- severity: warning
-- owner: school
-- why: A hotspot that nobody asks back is soon a lost one, and its line goes on being paid for.
-- why_es: Un equipo que nadie reclama pronto es un equipo perdido, y su línea se sigue pagando.
-- action: Remind the family. Put a later date into the loan if the student still needs it; report it lost if it cannot be found, so that its line is stopped.
-- action_es: Recuérdeselo a la familia. Si el estudiante aún lo necesita, ponga una fecha posterior en el préstamo; si no aparece, repórtelo como perdido para que se suspenda su línea.
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
)
SELECT
    'loan:' || l.loan_id AS subject,
    l.school_id,
    (l.due_on + ceil($4::double precision)::integer)::timestamp AT TIME ZONE d.time_zone AS since_at,
    ($2::date - l.due_on)::double precision AS value,
    jsonb_build_object('overdue_days', $2::date - l.due_on, 'due_on', l.due_on::text) AS details,
    true AS is_breached
FROM loans AS l
JOIN devices AS v USING (district_id, device_id)
CROSS JOIN district AS d
WHERE l.district_id = $1::integer AND l.due_on <= $2::date - ceil($4::double precision)::integer
    AND l.checked_out_on <= $2::date AND (l.returned_on IS NULL OR l.returned_on > d.today)
    AND (l.lost_on IS NULL OR l.lost_on > $2::date)
    AND v.kind IN ('hotspot', 'fixed_router')
