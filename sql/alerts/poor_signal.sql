-- title: Hotspots with a poor signal
-- title_es: Equipos con mala señal
-- about: family
-- severity: info
-- owner: it
-- why: They connect, but lessons freeze and uploads fail; the carrier that is weak in one street may not be the one to use there.
-- why_es: Conectan, pero las clases se congelan y los envíos fallan; el operador débil en una calle quizá no sea el indicado allí.
-- action: Ask the family to try the hotspot near a window. If that does not help, exchange it for one of another carrier.
-- action_es: Pida a la familia que pruebe el equipo cerca de una ventana. Si no mejora, cámbielo por uno de otro operador.
-- threshold: -110
-- unit: dBm
-- clears_after: 2 days
-- urgency: weekly
WITH district AS (
    SELECT
        time_zone AS local_zone, ($3::timestamptz AT TIME ZONE time_zone)::date AS today,
        ($2::date - 6)::timestamp AT TIME ZONE time_zone AS first_at,
        ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at
    FROM districts
    WHERE district_id = $1::integer
),
measured AS MATERIALIZED (
    SELECT
        r.line_id, k.device_id, l.loan_id, l.school_id,
        count(r.rsrp_dbm) AS rsrp_samples, count(r.rsrq_db) AS rsrq_samples,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY r.rsrp_dbm) AS rsrp_dbm,
        percentile_cont(0.5) WITHIN GROUP (ORDER BY r.rsrq_db) AS rsrq_db
    FROM signal_readings AS r
    CROSS JOIN district AS d
    JOIN line_device_links AS k ON k.district_id = $1::integer AND k.line_id = r.line_id AND k.starts_at <= r.starts_at
        AND k.starts_at < d.ends_at AND (k.ends_at IS NULL OR k.ends_at >= d.ends_at)
    JOIN loans AS l ON l.district_id = $1::integer AND l.device_id = k.device_id AND l.checked_out_on <= $2::date
        AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND (l.lost_on IS NULL OR l.lost_on > $2::date)
        -- where it is now was measured since it was lent
        AND r.starts_at >= l.checked_out_on::timestamp AT TIME ZONE d.local_zone
    JOIN devices AS v ON v.district_id = $1::integer AND v.device_id = k.device_id
        AND v.kind IN ('hotspot', 'fixed_router')
    WHERE r.district_id = $1::integer AND r.starts_at >= (SELECT first_at FROM district)
        AND r.starts_at < (SELECT ends_at FROM district)
        -- wherever on earth, so that the months to read are known beforehand
        AND r.starts_at >= ($2::date - 7)::timestamp AT TIME ZONE 'UTC'
        AND r.starts_at < ($2::date + 2)::timestamp AT TIME ZONE 'UTC'
    GROUP BY r.line_id, k.device_id, l.loan_id, l.school_id
),
judged AS (
    -- fewer samples are no evidence; -15 dB is as weak a share of the signal as -110 dBm is a signal
    SELECT
        loan_id, school_id, rsrp_samples, rsrp_dbm, rsrq_db,
        CASE
            WHEN rsrp_samples >= 20 AND rsrp_dbm < $4::double precision THEN true
            WHEN rsrq_samples >= 20 AND rsrq_db < -15 THEN true
            WHEN rsrp_samples >= 20 OR rsrq_samples >= 20 THEN false
        END AS is_poor
    FROM measured
    UNION ALL
    -- whose alert stands, and of which nothing was measured
    SELECT l.loan_id, l.school_id, NULL, NULL, NULL, NULL
    FROM alerts AS e
    CROSS JOIN district AS d
    JOIN loans AS l ON l.district_id = $1::integer AND l.loan_id = split_part(e.subject, ':', 2)::bigint
        AND (l.returned_on IS NULL OR l.returned_on > d.today)
        AND (l.lost_on IS NULL OR l.lost_on > $2::date)
    WHERE e.district_id = $1::integer AND e.rule = 'poor_signal' AND e.state <> 'clear'
        AND l.loan_id NOT IN (SELECT m.loan_id FROM measured AS m)
)
SELECT DISTINCT ON (j.loan_id)
    'loan:' || j.loan_id AS subject,
    j.school_id,
    ($2::date - 6)::timestamp AT TIME ZONE d.local_zone AS since_at,
    CASE WHEN j.rsrp_dbm < $4::double precision THEN j.rsrp_dbm END AS value,
    jsonb_strip_nulls(jsonb_build_object(
        'median_rsrp_dbm', round(j.rsrp_dbm::numeric), 'median_rsrq_db', round(j.rsrq_db::numeric), 'days', 7,
        'samples', j.rsrp_samples
    )) AS details,
    j.is_poor AS is_breached
FROM judged AS j
CROSS JOIN district AS d
WHERE j.is_poor IS NOT FALSE
ORDER BY j.loan_id, j.is_poor DESC NULLS LAST
