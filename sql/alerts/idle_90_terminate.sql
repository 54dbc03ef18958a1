-- title: Lines to end: no use since the notice
-- title_es: Líneas por dar de baja: sin uso desde el aviso
-- about: family
-- severity: critical
-- owner: it
-- ecf.owner: finance
-- erate_2024.owner: finance
-- why: The hotspot stayed unused for 30 days after the notice, and its line is paid for. Nothing is ended by itself: this is a proposal.
-- why_es: El equipo siguió sin usarse 30 días después del aviso y su línea se sigue pagando. Nada se da de baja solo: esto es una propuesta.
-- action: Ask the school once more, then end or suspend each line at the carrier and collect the hotspot. Acknowledge what is to stay, and write down why.
-- action_es: Consulte una vez más con la escuela; después dé de baja o suspenda cada línea con el operador y recoja el equipo. Marque como atendido lo que se conserva y anote por qué.
-- clock: instructional
-- erate_2024.clock: calendar
-- threshold: 90
-- unit: days
-- reminder: 14 days
-- escalates_after: 14 days
-- urgency: daily
-- needs: idle_60_notice
WITH notices AS (
    -- that were given 30 days ago and have stood since
    SELECT substr(a.subject, 6)::bigint AS loan_id, (a.fired_at AT TIME ZONE d.time_zone)::date AS noticed_on
    FROM alerts AS a
    JOIN districts AS d USING (district_id)
    WHERE a.district_id = $1::integer AND a.rule = 'idle_60_notice' AND a.state IN ('firing', 'held')
        AND (a.fired_at AT TIME ZONE d.time_zone)::date <= ($3::timestamptz AT TIME ZONE d.time_zone)::date - 30
)
SELECT
    u.subject, u.school_id, u.since_at, u.value,
    u.details || jsonb_strip_nulls(jsonb_build_object('noticed_on', n.noticed_on::text)) AS details,
    u.is_breached
FROM unused_loans(
    $1::integer, $2::date, $3::timestamptz, $4::double precision, $5::text, 'idle_90_terminate',
    ARRAY['idle', 'never_used']::loan_state[], ARRAY[]::text[]
) AS u
LEFT JOIN notices AS n USING (loan_id)
WHERE n.loan_id IS NOT NULL OR u.is_breached IS NOT TRUE
