-- title: Hotspots in use after they came back
-- title_es: Equipos en uso después de haber sido devueltos
-- about: fleet
-- severity: high
-- owner: it
-- why: Either somebody took these hotspots from the shelf without a loan, or the return was recorded of the wrong one: both end in losses and in wrong records.
-- why_es: O alguien tomó estos equipos sin préstamo, o se registró la devolución de otro: ambas cosas acaban en pérdidas y en registros equivocados.
-- action: Look whether each hotspot is where its school keeps them. Record the loan if it was lent; if it is missing, report it lost and suspend its line.
-- action_es: Compruebe si cada equipo está donde la escuela los guarda. Registre el préstamo si se prestó; si falta, repórtelo como perdido y suspenda su línea.
-- threshold: 0
-- unit: MB
-- clears_after: 3 days
-- urgency: daily
WITH district AS (
    SELECT
        ($3::timestamptz AT TIME ZONE time_zone)::date AS today,
        time_zone,
        $2::date::timestamp AT TIME ZONE time_zone AS starts_at,
        ($2::date + 1)::timestamp AT TIME ZONE time_zone AS ends_at
    FROM districts
    WHERE district_id = $1::integer
),
unlent AS MATERIALIZED (
    -- all of the day in one device, with nobody having it on loan
    SELECT k.line_id, k.device_id, k.starts_at AS linked_at
    FROM line_device_links AS k
    WHERE k.district_id = $1::integer AND k.starts_at <= (SELECT starts_at FROM district)
        AND (k.ends_at IS NULL OR k.ends_at >= (SELECT ends_at FROM district))
        AND NOT EXISTS (
            SELECT
            FROM loans AS o
            WHERE o.district_id = $1::integer AND o.device_id = k.device_id
                AND o.checked_out_on <= (SELECT today FROM district)
                AND (o.returned_on IS NULL OR o.returned_on >= $2::date)
        )
)
SELECT
    'line:' || u.line_id AS subject,
    b.school_id,
    coalesce(f.on_day, $2::date)::timestamp AT TIME ZONE d.time_zone AS since_at,
    t.used_bytes / 1e6::double precision AS value,
    jsonb_strip_nulls(jsonb_build_object(
        'used_mb', round(t.used_bytes / 1e6, 1), 'on_day', $2::date, 'returned_on', b.returned_on,
        'days_since_return', $2::date - b.returned_on
    )) AS details,
    -- what a counter adds over a night may have been used before the return, the day before
    CASE WHEN t.basis <> 'difference' OR b.returned_on < $2::date - 1 THEN t.used_bytes > $4::double precision * 1e6
        END AS is_breached
FROM unlent AS u
CROSS JOIN district AS d
CROSS JOIN LATERAL (
    SELECT l.school_id, l.returned_on
    FROM loans AS l
    WHERE l.district_id = $1::integer AND l.device_id = u.device_id AND l.returned_on < $2::date
    ORDER BY l.returned_on DESC, l.loan_id DESC
    LIMIT 1
) AS b
LEFT JOIN LATERAL (
    SELECT o.used_bytes, o.basis
    FROM line_days AS o
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = $1::integer AND o.on_day = $2::date AND o.line_id = u.line_id AND o.used_bytes IS NOT NULL
    ORDER BY a.rank, o.basis, o.account_id
    LIMIT 1
) AS t ON true
LEFT JOIN LATERAL (
    -- the first day of use after the return, of 31 days: each day for itself, as the best source told it then
    SELECT $2::date - max(g.days_ago) AS on_day
    FROM generate_series(1, least(30, $2::date - b.returned_on - 1)) AS g (days_ago)
    CROSS JOIN LATERAL (
        SELECT o.used_bytes, o.basis
        FROM line_days AS o
        JOIN accounts AS a USING (district_id, account_id)
        WHERE o.district_id = $1::integer AND o.on_day = $2::date - g.days_ago AND o.line_id = u.line_id
            AND o.on_day BETWEEN $2::date - 30 AND $2::date - 1 AND o.used_bytes IS NOT NULL
        ORDER BY a.rank, o.basis, o.account_id
        LIMIT 1
    ) AS e
    WHERE t.used_bytes > $4::double precision * 1e6 AND e.used_bytes > $4::double precision * 1e6
        AND ($2::date - g.days_ago)::timestamp AT TIME ZONE d.time_zone >= u.linked_at
        AND (e.basis <> 'difference' OR b.returned_on < $2::date - g.days_ago - 1)
) AS f ON true
WHERE (SELECT v.kind FROM devices AS v WHERE v.district_id = $1::integer AND v.device_id = u.device_id)
        IN ('hotspot', 'fixed_router')
    AND (t.used_bytes IS NULL OR t.used_bytes > $4::double precision * 1e6)
