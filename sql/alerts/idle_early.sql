-- title: Hotspots that are not in use
-- title_es: Puntos de acceso que no se están usando
-- about: family
-- severity: warning
-- owner: school
-- why: Two weeks of school without use is early enough to help, and too long to be a coincidence.
-- why_es: Dos semanas de clases sin uso son pronto para ayudar y demasiado tiempo para ser casualidad.
-- action: Ask the family what stands in the way: no signal, a broken charger, a forgotten password, internet of their own. Help, exchange it, or take it back.
-- action_es: Pregunte a la familia qué lo impide: falta de señal, cargador roto, contraseña olvidada, internet propio. Ayude, cambie el equipo o recójalo.
-- clock: instructional
-- threshold: 14
-- unit: days
-- urgency: weekly
-- needs: idle_30, idle_60_notice
SELECT u.subject, u.school_id, u.since_at, u.value, u.details, u.is_breached
FROM unused_loans(
    $1::integer, $2::date, $3::timestamptz, $4::double precision, $5::text, 'idle_early', ARRAY['idle', 'never_used']::loan_state[],
    ARRAY['idle_60_notice', 'idle_30']
) AS u
