-- title: Hotspots lent and never used
-- title_es: Puntos de acceso prestados que nunca se han usado
-- about: family
-- severity: info
-- owner: school
-- why: Families seldom say that a hotspot does not work for them; help in the first weeks is what gets a student online.
-- why_es: Las familias rara vez avisan que el equipo no les funciona; la ayuda en las primeras semanas es lo que conecta al estudiante.
-- action: Ask the family whether the hotspot turns on and their device finds it. Show them how, or exchange it. Take it back if nobody needs it.
-- action_es: Pregunte a la familia si el equipo enciende y si su dispositivo lo encuentra. Muéstreles cómo se usa o cámbielo. Recójalo si nadie lo necesita.
-- clock: calendar
-- threshold: 7
-- unit: days
-- urgency: weekly
-- needs: idle_early, idle_30, idle_60_notice
SELECT u.subject, u.school_id, u.since_at, u.value, u.details, u.is_breached
FROM unused_loans(
    $1::integer, $2::date, $3::timestamptz, $4::double precision, $5::text, 'never_used', ARRAY['never_used']::loan_state[],
    ARRAY['idle_60_notice', 'idle_30', 'idle_early']
) AS u
