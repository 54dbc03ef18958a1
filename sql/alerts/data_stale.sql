-- title: A source of data is not being read
-- title_es: No se está leyendo una fuente de datos
-- about: service
-- severity: high
-- owner: it
-- why: While a source is silent its hotspots become unknown: coverage has wide bounds, and no alert about a family can be judged.
-- why_es: Mientras una fuente calla, sus equipos pasan a ser desconocidos: la cobertura queda con límites amplios y no se puede juzgar ningún aviso sobre una familia.
-- action: Look at the account on the district's page: it names the error. Often a password or token has expired, or the vendor has an outage.
-- action_es: Vea la cuenta en la página del distrito: allí se nombra el error. A menudo venció una contraseña o un token, o el proveedor tiene un corte.
-- threshold: 2
-- unit: hours
-- urgency: now
-- reminder: 1 day
-- escalates_after: 1 day
WITH heard AS (
    -- the last whole reading of each of an account's lists up to the present instant; before the first, the first try
    SELECT
        a.account_id, a.account_key, w.endpoint_group, w.cadence, r.finished_at IS NULL AS is_never_read,
        greatest(
            r.finished_at, CASE WHEN w.last_success_at <= $3::timestamptz THEN w.last_success_at END,
            CASE WHEN r.finished_at IS NULL THEN f.started_at END
        ) AS heard_at
    FROM accounts AS a
    JOIN watermarks AS w USING (district_id, account_id)
    LEFT JOIN LATERAL (
        SELECT p.finished_at
        FROM poll_runs AS p
        WHERE p.district_id = $1::integer AND p.account_id = a.account_id AND p.endpoint_group = w.endpoint_group
            AND p.outcome IN ('succeeded', 'partial') AND p.started_at <= $3::timestamptz
            AND p.finished_at <= $3::timestamptz
        ORDER BY p.started_at DESC
        LIMIT 1
    ) AS r ON true
    LEFT JOIN LATERAL (
        SELECT p.started_at
        FROM poll_runs AS p
        WHERE p.district_id = $1::integer AND p.account_id = a.account_id AND p.endpoint_group = w.endpoint_group
            AND p.started_at <= $3::timestamptz
        ORDER BY p.started_at
        LIMIT 1
    ) AS f ON true
    WHERE a.district_id = $1::integer AND a.is_in_use AND a.collector <> 'file'
),
late AS (
    SELECT
        *, extract(epoch FROM $3::timestamptz - heard_at - cadence) / 3600 AS hours,
        row_number() OVER (PARTITION BY account_id ORDER BY heard_at + cadence, endpoint_group) AS nth
    FROM heard
    WHERE heard_at IS NOT NULL
)
SELECT
    'account:' || l.account_key AS subject,
    NULL::bigint AS school_id,
    l.heard_at + l.cadence + make_interval(mins => (60 * $4::double precision)::integer) AS since_at,
    l.hours::double precision AS value,
    jsonb_build_object(
        'hours_late', round(l.hours, 1), 'last_read_at', CASE WHEN NOT l.is_never_read THEN l.heard_at END,
        'list', l.endpoint_group, 'cadence_minutes', round(extract(epoch FROM l.cadence) / 60)
    ) AS details,
    CASE WHEN m.is_planned IS NULL THEN true END AS is_breached
FROM late AS l
LEFT JOIN LATERAL (
    -- somebody is working on it
    SELECT true AS is_planned
    FROM maintenance_windows AS w
    WHERE w.district_id = $1::integer AND w.account_key IN ('', l.account_key)
        AND w.starts_at <= $3::timestamptz AND w.ends_at > $3::timestamptz
    LIMIT 1
) AS m ON true
WHERE l.nth = 1 AND l.hours > $4::double precision
