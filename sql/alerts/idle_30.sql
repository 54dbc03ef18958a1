-- title: Hotspots without use for a long time
-- title_es: Puntos de acceso sin uso desde hace mucho tiempo
-- about: family
-- severity: warning
-- ecf.severity: high
-- owner: coordinator
-- why: A line nobody uses is paid for every month, while a student on a waitlist could have it.
-- why_es: Una línea que nadie usa se paga cada mes, mientras un estudiante en lista de espera podría tenerla.
-- action: See that every family on the list is reached, and write down when and how. Move hotspots that are not needed to schools with a waitlist.
-- action_es: Asegúrese de que se contacte a cada familia de la lista y anote cuándo y cómo. Pase los equipos que no se necesitan a escuelas con lista de espera.
-- clock: calendar
-- threshold: 30
-- unit: days
-- reminder: 28 days
-- urgency: weekly
-- needs: idle_60_notice
SELECT u.subject, u.school_id, u.since_at, u.value, u.details, u.is_breached
FROM unused_loans(
    $1::integer, $2::date, $3::timestamptz, $4::double precision, $5::text, 'idle_30', ARRAY['idle', 'never_used']::loan_state[],
    ARRAY['idle_60_notice']
) AS u
