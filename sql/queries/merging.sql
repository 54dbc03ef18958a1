-- same_lines --
-- Lines that the batch shows to be one with another: known by the vendor's key, by their number or by their device
-- alone, and now seen with a SIM that has a line of its own. A line with a SIM of its own is never one with another.
-- Not where two numbers differ, where a source has a key for each of the two, or the batch's another for it, or where the line is in a device that
-- the one of its own contradicts. Everything is looked up by itself, and so by its index: on a fleet's first sweep the
-- planner takes the tables for nearly empty. Parameters: district, account.
SELECT DISTINCT ON (c.line_id) c.line_id, s.line_id AS into_id
FROM sighted AS s
CROSS JOIN LATERAL (
    SELECT l.mdn FROM lines AS l WHERE l.district_id = $1 AND l.line_id = s.line_id LIMIT 1
) AS l
LEFT JOIN LATERAL (
    SELECT d.device_id FROM devices AS d WHERE d.district_id = $1 AND d.serial = s.serial LIMIT 1
) AS of_serial ON true
CROSS JOIN LATERAL (
    (SELECT k.line_id, NULL::bigint AS device_id
     FROM provider_keys AS k
     WHERE s.iccid IS NOT NULL AND k.district_id = $1 AND k.account_id = $2 AND k.provider_key = s.provider_key
     LIMIT 1)
    UNION ALL
    (SELECT o.line_id, NULL
     FROM lines AS o
     WHERE o.district_id = $1 AND o.mdn = s.mdn AND (l.mdn IS NULL OR l.mdn = s.mdn)
     OFFSET 0)
    UNION ALL
    (SELECT k.line_id, k.device_id
     FROM line_device_links AS k
     WHERE k.district_id = $1 AND k.ends_at IS NULL
         AND k.device_id IN (CASE WHEN s.names_device THEN s.device_id END, of_serial.device_id)
     OFFSET 0)
) AS c
CROSS JOIN LATERAL (
    SELECT p.iccid, p.mdn FROM lines AS p WHERE p.district_id = $1 AND p.line_id = c.line_id LIMIT 1
) AS p
WHERE NOT s.is_new_line AND c.line_id <> s.line_id AND p.iccid IS NULL
    AND (p.mdn IS NULL OR c.device_id IS NULL AND p.mdn = coalesce(s.mdn, l.mdn, p.mdn))
    AND c.line_id NOT IN (SELECT o.line_id FROM sighted AS o WHERE o.is_new_line)
    AND NOT ARRAY(SELECT k.account_id FROM provider_keys AS k WHERE k.district_id = $1 AND k.line_id = c.line_id)
        && ARRAY(SELECT k.account_id FROM provider_keys AS k WHERE k.district_id = $1 AND k.line_id = s.line_id)
    AND s.provider_key = ALL (ARRAY(
        SELECT k.provider_key FROM provider_keys AS k
        WHERE k.district_id = $1 AND k.line_id = c.line_id AND k.account_id = $2
    ))
    AND (c.device_id IS NULL OR NOT (
        EXISTS (
            SELECT FROM line_device_links AS x
            WHERE x.district_id = $1 AND x.device_id = c.device_id AND x.ends_at IS NULL
                AND x.line_id NOT IN (c.line_id, s.line_id)
        )
        OR EXISTS (
            SELECT
            FROM line_device_links AS x
            JOIN devices AS held ON held.district_id = $1 AND held.device_id = x.device_id
            JOIN devices AS seen ON seen.district_id = $1 AND seen.device_id = s.device_id
            WHERE x.district_id = $1 AND x.line_id = s.line_id AND x.ends_at IS NULL AND held.device_id <> seen.device_id
                AND (held.imei <> seen.imei OR held.serial <> coalesce(seen.serial, s.serial))
        )
    ))
ORDER BY c.line_id, s.line_id;

-- join_by_hashes --
-- For a statement that joins whole sets of which the planner knows nothing, and so would take for a single row.
SELECT set_config('enable_nestloop', 'off', true);

-- join_by_lookups --
-- For a statement that picks a few rows out of a table of any size, of which the planner would read all.
SELECT set_config('enable_hashjoin', 'off', true), set_config('enable_mergejoin', 'off', true);

-- join_as_planned --
-- To the end of the transaction again.
SELECT set_config(name, 'on', true) FROM unnest('{enable_nestloop,enable_hashjoin,enable_mergejoin}'::text[]) AS name;

-- same_devices --
-- Devices that the batch shows to be one with another: what one sighting names them by, or what one line was seen in,
-- is two devices, and neither IMEI nor serial number speaks against it. Not where both were lent on a day, to one
-- borrower; nor, for a line's device, where the other has held another line: then the line has moved.
-- Parameters: district, lines that are one with another, the lines they are one with.
WITH same AS (
    SELECT * FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
),
seen AS MATERIALIZED (
    SELECT line_id, device_id, names_device, serial FROM sighted
    UNION
    SELECT same.line_id, s.device_id, true, NULL FROM same JOIN sighted AS s ON s.line_id = same.into_id
),
candidates AS MATERIALIZED (
    SELECT DISTINCT c.device_id, s.device_id AS into_id
    FROM seen AS s
    CROSS JOIN LATERAL (
        (SELECT o.device_id, false AS is_links FROM devices AS o
         WHERE o.district_id = $1 AND o.serial = s.serial LIMIT 1)
        UNION ALL
        (SELECT k.device_id, true FROM line_device_links AS k
         WHERE s.names_device AND k.district_id = $1 AND k.line_id = s.line_id AND k.ends_at IS NULL LIMIT 1)
    ) AS c
    WHERE c.device_id <> s.device_id AND NOT (
        c.is_links AND s.line_id NOT IN (SELECT same.line_id FROM same) AND EXISTS (
            SELECT FROM line_device_links AS x
            WHERE x.district_id = $1 AND x.device_id = s.device_id AND x.line_id <> s.line_id
                AND x.line_id NOT IN (SELECT same.line_id FROM same)
            OFFSET 0
        )
    )
),
members AS MATERIALIZED (
    SELECT into_id, device_id FROM candidates UNION SELECT into_id, into_id FROM candidates
),
told AS (
    SELECT device_id, max(imei) AS imei, min(serial) AS serial FROM sighted GROUP BY device_id
),
possible AS (
    -- one IMEI and one serial number at most, of all that are to be one
    SELECT m.into_id
    FROM members AS m
    CROSS JOIN LATERAL (
        SELECT d.imei, d.serial FROM devices AS d WHERE d.district_id = $1 AND d.device_id = m.device_id LIMIT 1
    ) AS d
    LEFT JOIN told ON told.device_id = m.device_id
    GROUP BY m.into_id
    HAVING count(DISTINCT coalesce(d.imei, told.imei)) <= 1 AND count(DISTINCT coalesce(d.serial, told.serial)) <= 1
),
lent_twice AS (
    SELECT m.into_id
    FROM members AS m
    CROSS JOIN LATERAL (
        SELECT l.checked_out_on, l.borrower FROM loans AS l
        WHERE l.district_id = $1 AND l.device_id = m.device_id
        OFFSET 0
    ) AS l
    GROUP BY m.into_id, l.checked_out_on, l.borrower
    HAVING count(*) > 1
)
SELECT device_id, min(into_id) AS into_id
FROM candidates
WHERE into_id IN (SELECT into_id FROM possible) AND into_id NOT IN (SELECT into_id FROM lent_twice)
    AND into_id NOT IN (SELECT device_id FROM candidates)
GROUP BY device_id
HAVING count(*) = 1
ORDER BY device_id;

-- lock_same_lines --
-- Whoever writes readings of these lines is waited for, so that none is left behind. Parameters: district, lines.
SELECT line_id FROM lines WHERE district_id = $1 AND line_id = ANY ($2::bigint[]) ORDER BY line_id FOR UPDATE;

-- drop_repeated_usage_readings --
-- What both lines have is kept once. Line by line, as nothing is known of how many there are.
-- Parameters: district, lines, the lines they are one with.
DELETE FROM usage_readings AS r
USING unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
CROSS JOIN LATERAL (
    SELECT account_id, kind, series, starts_at FROM usage_readings WHERE district_id = $1 AND line_id = same.line_id
    INTERSECT
    SELECT account_id, kind, series, starts_at FROM usage_readings WHERE district_id = $1 AND line_id = same.into_id
) AS twice
WHERE r.district_id = $1 AND r.line_id = same.line_id AND (r.account_id, r.kind, r.series, r.starts_at) = (twice.account_id, twice.kind, twice.series, twice.starts_at);

-- move_usage_readings --
-- Parameters: district, lines, the lines they are one with.
UPDATE usage_readings AS r
SET line_id = same.into_id
FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
WHERE r.district_id = $1 AND r.line_id = same.line_id;

-- drop_repeated_state_readings --
-- What both lines have is kept once. Line by line, as nothing is known of how many there are.
-- Parameters: district, lines, the lines they are one with.
DELETE FROM state_readings AS r
USING unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
CROSS JOIN LATERAL (
    SELECT account_id, kind, series, starts_at FROM state_readings WHERE district_id = $1 AND line_id = same.line_id
    INTERSECT
    SELECT account_id, kind, series, starts_at FROM state_readings WHERE district_id = $1 AND line_id = same.into_id
) AS twice
WHERE r.district_id = $1 AND r.line_id = same.line_id AND (r.account_id, r.kind, r.series, r.starts_at) = (twice.account_id, twice.kind, twice.series, twice.starts_at);

-- move_state_readings --
-- Parameters: district, lines, the lines they are one with.
UPDATE state_readings AS r
SET line_id = same.into_id
FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
WHERE r.district_id = $1 AND r.line_id = same.line_id;

-- drop_repeated_signal_readings --
-- What both lines have is kept once. Line by line, as nothing is known of how many there are.
-- Parameters: district, lines, the lines they are one with.
DELETE FROM signal_readings AS r
USING unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
CROSS JOIN LATERAL (
    SELECT account_id, kind, series, starts_at FROM signal_readings WHERE district_id = $1 AND line_id = same.line_id
    INTERSECT
    SELECT account_id, kind, series, starts_at FROM signal_readings WHERE district_id = $1 AND line_id = same.into_id
) AS twice
WHERE r.district_id = $1 AND r.line_id = same.line_id AND (r.account_id, r.kind, r.series, r.starts_at) = (twice.account_id, twice.kind, twice.series, twice.starts_at);

-- move_signal_readings --
-- Parameters: district, lines, the lines they are one with.
UPDATE signal_readings AS r
SET line_id = same.into_id
FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
WHERE r.district_id = $1 AND r.line_id = same.line_id;

-- drop_repeated_session_readings --
-- What both lines have is kept once. Line by line, as nothing is known of how many there are.
-- Parameters: district, lines, the lines they are one with.
DELETE FROM session_readings AS r
USING unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
CROSS JOIN LATERAL (
    SELECT account_id, kind, series, starts_at FROM session_readings WHERE district_id = $1 AND line_id = same.line_id
    INTERSECT
    SELECT account_id, kind, series, starts_at FROM session_readings WHERE district_id = $1 AND line_id = same.into_id
) AS twice
WHERE r.district_id = $1 AND r.line_id = same.line_id AND (r.account_id, r.kind, r.series, r.starts_at) = (twice.account_id, twice.kind, twice.series, twice.starts_at);

-- move_session_readings --
-- Parameters: district, lines, the lines they are one with.
UPDATE session_readings AS r
SET line_id = same.into_id
FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
WHERE r.district_id = $1 AND r.line_id = same.line_id;

-- drop_repeated_usage_spans --
-- What both lines have is kept once. Line by line, as nothing is known of how many there are.
-- Parameters: district, lines, the lines they are one with.
DELETE FROM usage_spans AS r
USING unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
CROSS JOIN LATERAL (
    SELECT account_id, starts_at FROM usage_spans WHERE district_id = $1 AND line_id = same.line_id
    INTERSECT
    SELECT account_id, starts_at FROM usage_spans WHERE district_id = $1 AND line_id = same.into_id
) AS twice
WHERE r.district_id = $1 AND r.line_id = same.line_id AND (r.account_id, r.starts_at) = (twice.account_id, twice.starts_at);

-- move_usage_spans --
-- Parameters: district, lines, the lines they are one with.
UPDATE usage_spans AS r
SET line_id = same.into_id
FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
WHERE r.district_id = $1 AND r.line_id = same.line_id;

-- drop_repeated_latest_states --
-- What both lines have is kept once. Line by line, as nothing is known of how many there are.
-- Parameters: district, lines, the lines they are one with.
DELETE FROM latest_states AS r
USING unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
CROSS JOIN LATERAL (
    SELECT account_id FROM latest_states WHERE district_id = $1 AND line_id = same.line_id
    INTERSECT
    SELECT account_id FROM latest_states WHERE district_id = $1 AND line_id = same.into_id
) AS twice
WHERE r.district_id = $1 AND r.line_id = same.line_id AND r.account_id = twice.account_id;

-- move_latest_states --
-- Parameters: district, lines, the lines they are one with.
UPDATE latest_states AS r
SET line_id = same.into_id
FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
WHERE r.district_id = $1 AND r.line_id = same.line_id;

-- move_line_days --
-- Day by day, as the table is looked up by the day; marks the days, as their loans may be judged otherwise now. What
-- both lines have is kept once. Parameters: district, lines, the lines they are one with, the last day there may be.
WITH told AS MATERIALIZED (
    SELECT d.on_day, d.line_id, d.account_id, same.into_id, other.line_id IS NOT NULL AS is_repeated
    FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
    JOIN lines AS l ON l.district_id = $1 AND l.line_id = same.line_id
    CROSS JOIN LATERAL generate_series(l.observed_since - interval '2 days', $4::date, interval '1 day') AS day
    CROSS JOIN LATERAL (
        SELECT o.on_day, o.line_id, o.account_id
        FROM line_days AS o
        WHERE o.district_id = $1 AND o.on_day = day::date AND o.line_id = same.line_id
        OFFSET 0
    ) AS d
    LEFT JOIN LATERAL (
        SELECT o.line_id
        FROM line_days AS o
        WHERE o.district_id = $1 AND o.on_day = d.on_day AND o.line_id = same.into_id AND o.account_id = d.account_id
        LIMIT 1
    ) AS other ON true
),
dropped AS (
    DELETE FROM line_days AS d
    USING told AS t
    WHERE d.district_id = $1 AND d.on_day = t.on_day AND d.line_id = t.line_id AND d.account_id = t.account_id
        AND t.is_repeated
),
moved AS (
    UPDATE line_days AS d
    SET line_id = t.into_id
    FROM told AS t
    WHERE d.district_id = $1 AND d.on_day = t.on_day AND d.line_id = t.line_id AND d.account_id = t.account_id
        AND NOT t.is_repeated
)
INSERT INTO dirty_loan_days (district_id, on_day)
SELECT DISTINCT $1::integer, on_day FROM told
ORDER BY 2
ON CONFLICT (district_id, on_day) DO UPDATE SET on_day = excluded.on_day;

-- move_line_keys --
-- Parameters: district, lines, the lines they are one with.
UPDATE provider_keys AS k
SET line_id = same.into_id
FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
WHERE k.district_id = $1 AND k.line_id = same.line_id;

-- move_line_conflicts --
-- Parameters: district, lines, the lines they are one with.
UPDATE conflicts AS c
SET line_id = same.into_id
FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
WHERE c.district_id = $1 AND c.line_id = same.line_id;

-- move_links --
-- Where a line is, and was, is what the line with the SIM says; the other's word counts where that says nothing.
-- Parameters: district, lines, the lines they are one with.
WITH same AS (
    SELECT same.line_id, same.into_id, EXISTS (
        SELECT FROM line_device_links AS k WHERE k.district_id = $1 AND k.line_id = same.into_id
    ) AS is_linked
    FROM unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
),
dropped AS (
    DELETE FROM line_device_links AS k
    USING same
    WHERE k.district_id = $1 AND k.line_id = same.line_id AND same.is_linked
)
UPDATE line_device_links AS k
SET line_id = same.into_id
FROM same
WHERE k.district_id = $1 AND k.line_id = same.line_id AND NOT same.is_linked;

-- move_sighted_lines --
-- Parameters: lines, the lines they are one with.
UPDATE sighted AS s
SET line_id = same.into_id, is_new_line = false
FROM unnest($1::bigint[], $2::bigint[]) AS same (line_id, into_id)
WHERE s.line_id = same.line_id;

-- drop_same_lines --
-- What was known of them goes to the lines they are one with. Parameters: district, lines, the lines they are one with.
WITH gone AS (
    DELETE FROM lines AS l
    USING unnest($2::bigint[], $3::bigint[]) AS same (line_id, into_id)
    WHERE l.district_id = $1 AND l.line_id = same.line_id
    RETURNING same.into_id, l.mdn, l.plan_id, l.observed_since
)
UPDATE lines AS l
SET mdn = coalesce(l.mdn, g.mdn), plan_id = coalesce(l.plan_id, g.plan_id),
    observed_since = least(l.observed_since, g.observed_since)
FROM gone AS g
WHERE l.district_id = $1 AND l.line_id = g.into_id;

-- move_devices --
-- Everything that belongs to devices goes to those they are one with. Parameters: district, devices, the devices they
-- are one with.
WITH same AS (
    SELECT * FROM unnest($2::bigint[], $3::bigint[]) AS same (device_id, into_id)
),
links AS (
    UPDATE line_device_links AS k SET device_id = same.into_id
    FROM same WHERE k.district_id = $1 AND k.device_id = same.device_id
),
lent AS (
    UPDATE loans AS l SET device_id = same.into_id
    FROM same WHERE l.district_id = $1 AND l.device_id = same.device_id
),
keys AS (
    UPDATE provider_keys AS k SET device_id = same.into_id
    FROM same WHERE k.district_id = $1 AND k.device_id = same.device_id
),
contradicted AS (
    UPDATE conflicts AS c
    SET device_id = coalesce((SELECT same.into_id FROM same WHERE same.device_id = c.device_id), c.device_id),
        other_device_id = coalesce(
            (SELECT same.into_id FROM same WHERE same.device_id = c.other_device_id), c.other_device_id
        )
    WHERE c.district_id = $1 AND (c.device_id IN (SELECT same.device_id FROM same)
        OR c.other_device_id IN (SELECT same.device_id FROM same))
)
UPDATE sighted AS s SET device_id = same.into_id
FROM same WHERE s.device_id = same.device_id;

-- drop_same_devices --
-- What was known of them goes to the devices they are one with. Parameters: district, devices, the devices they are
-- one with.
WITH gone AS (
    DELETE FROM devices AS d
    USING unnest($2::bigint[], $3::bigint[]) AS same (device_id, into_id)
    WHERE d.district_id = $1 AND d.device_id = same.device_id
    RETURNING same.into_id, d.imei, d.serial, d.kind
)
UPDATE devices AS d
SET imei = coalesce(d.imei, g.imei), serial = coalesce(d.serial, g.serial), kind = greatest(d.kind, g.kind)
FROM (
    SELECT into_id, max(imei) AS imei, max(serial) AS serial, max(kind) AS kind FROM gone GROUP BY into_id
) AS g
WHERE d.district_id = $1 AND d.device_id = g.into_id;

-- mark_joined_devices --
-- The loans of devices that have just become one with others are judged again, from the first day that they were out
-- and their lines were known. Parameters: district, devices.
WITH first AS (
    SELECT max(d.computed_through_on) AS until_on, min(greatest(
        o.checked_out_on,
        (SELECT min(l.observed_since AT TIME ZONE d.time_zone)::date
         FROM line_device_links AS k
         JOIN lines AS l USING (district_id, line_id)
         WHERE k.district_id = $1 AND k.device_id = o.device_id)
    )) AS on_day
    FROM loans AS o
    JOIN districts AS d USING (district_id)
    WHERE o.district_id = $1 AND o.device_id = ANY ($2::bigint[])
)
INSERT INTO dirty_loan_days (district_id, on_day)
SELECT $1::integer, day::date
FROM first
CROSS JOIN LATERAL generate_series(first.on_day::timestamp, first.until_on::timestamp, interval '1 day') AS day
ORDER BY day
ON CONFLICT (district_id, on_day) DO UPDATE SET on_day = excluded.on_day;
