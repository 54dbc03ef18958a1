-- title: Notice of hotspots that remain unused
-- title_es: Aviso de puntos de acceso que siguen sin usarse
-- about: family
-- severity: high
-- owner: coordinator
-- why: This is the dated notice of non-use: with 30 more days and still no use, ending the line is proposed.
-- why_es: Este es el aviso de falta de uso, con su fecha: después de 30 días más sin uso se propondrá dar de baja la línea.
-- action: Give each family on the list a dated notice with 30 days to use or return the hotspot. Help those who want to keep it, and write down what was done.
-- action_es: Entregue a cada familia de la lista un aviso con fecha y 30 días para usar o devolver el equipo. Ayude a quien quiera conservarlo y anote lo que se hizo.
-- clock: instructional
-- erate_2024.clock: calendar
-- threshold: 60
-- unit: days
-- escalates_after: 14 days
-- urgency: daily
SELECT u.subject, u.school_id, u.since_at, u.value, u.details, u.is_breached
FROM unused_loans(
    $1::integer, $2::date, $3::timestamptz, $4::double precision, $5::text, 'idle_60_notice', ARRAY['idle', 'never_used']::loan_state[],
    ARRAY[]::text[]
) AS u
