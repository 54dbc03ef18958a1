-- look_up_sighted --
-- What is known of the lines in a batch, in the order given: line_id is NULL where the vendor's key, or what it
-- says of itself, is new; is_repeat, whether this instant has been stored for it; away_since, when it was last
-- read, where that is long ago.
-- Each key is looked up by itself, and so by its index: on a fleet's first sweep the planner takes these tables
-- for nearly empty, and would compare every key with every row.
-- Parameters: district, account, provider keys, identities (each one text, separated by U+001F, NULL U+001E),
-- instant, the instant that counts as long ago.
SELECT
    CASE WHEN k.identity = q.identity THEN k.line_id END AS line_id,
    coalesce(s.read_at = $5, false) AS is_repeat,
    CASE WHEN s.read_at < $6 THEN s.read_at END AS away_since
FROM unnest(string_to_array($3, U&'\001F', U&'\001E'), string_to_array($4, U&'\001F', U&'\001E'))
    WITH ORDINALITY AS q (provider_key, identity, position)
LEFT JOIN LATERAL (
    SELECT p.line_id, p.identity
    FROM provider_keys AS p
    WHERE p.district_id = $1 AND p.account_id = $2 AND p.provider_key = q.provider_key
    LIMIT 1
) AS k ON true
LEFT JOIN LATERAL (
    SELECT l.read_at
    FROM latest_states AS l
    WHERE l.district_id = $1 AND l.account_id = $2 AND l.line_id = k.line_id
    LIMIT 1
) AS s ON true
ORDER BY q.position;

-- lock_registration --
-- Held to the end of the transaction: two accounts that show the same new SIM make one line. Parameters: district.
SELECT pg_advisory_xact_lock(1634034292, $1);

-- stage_sighted --
-- The lines of a batch that are new, or say something new of themselves.
CREATE TEMPORARY TABLE sighted (
    provider_key text PRIMARY KEY,
    identity text NOT NULL,
    iccid text,
    iccid_forms text,
    mdn text,
    imei text,
    serial text,
    line_id bigint,
    device_id bigint,
    is_new_line boolean NOT NULL DEFAULT false,
    is_new_device boolean NOT NULL DEFAULT false
) ON COMMIT DROP;

-- fill_sighted --
-- Parameters: provider keys, identities, ICCIDs, all forms of them, MDNs, IMEIs, serials.
INSERT INTO sighted (provider_key, identity, iccid, iccid_forms, mdn, imei, serial)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]);

-- match_lines --
-- By ICCID; else the line that the vendor's key stood for, unless its SIM is another now; else by number.
-- Parameters: district, account.
UPDATE sighted AS s
SET line_id = coalesce(
    (SELECT l.line_id FROM lines AS l WHERE l.district_id = $1 AND l.iccid = s.iccid),
    (SELECT min(l.line_id)
     FROM lines AS l
     WHERE l.district_id = $1 AND l.iccid = ANY (string_to_array(s.iccid_forms, ','))),
    (SELECT l.line_id
     FROM provider_keys AS k
     JOIN lines AS l USING (district_id, line_id)
     WHERE k.district_id = $1 AND k.account_id = $2 AND k.provider_key = s.provider_key
         AND (s.iccid IS NULL OR l.iccid IS NULL)),
    (SELECT max(l.line_id)
     FROM lines AS l
     WHERE l.district_id = $1 AND l.mdn = s.mdn AND (s.iccid IS NULL OR l.iccid IS NULL))
);

-- number_new_lines --
-- One new line for every SIM that none is known of.
WITH numbered AS (
    SELECT what, nextval(pg_get_serial_sequence('lines', 'line_id')) AS line_id
    FROM (SELECT DISTINCT coalesce(iccid, provider_key) AS what FROM sighted WHERE line_id IS NULL) AS new
)
UPDATE sighted AS s
SET line_id = n.line_id, is_new_line = true
FROM numbered AS n
WHERE s.line_id IS NULL AND n.what = coalesce(s.iccid, s.provider_key);

-- drop_repeated_lines --
-- Rows of one batch that are one line after all: the first key keeps it. Returns how many were dropped.
WITH dropped AS (
    DELETE FROM sighted AS s
    USING (
        SELECT provider_key, row_number() OVER (PARTITION BY line_id ORDER BY provider_key) AS place FROM sighted
    ) AS repeated
    WHERE repeated.provider_key = s.provider_key AND repeated.place > 1
    RETURNING s.provider_key
)
SELECT count(*) FROM dropped;

-- insert_new_lines --
-- Parameters: district, account, instant.
INSERT INTO lines (district_id, line_id, iccid, mdn, plan_id, observed_since)
OVERRIDING SYSTEM VALUE
SELECT a.district_id, s.line_id, s.iccid, s.mdn, a.plan_id, $3
FROM sighted AS s
JOIN accounts AS a ON a.district_id = $1 AND a.account_id = $2
WHERE s.is_new_line;

-- update_lines --
-- What a source newly says of a known line. Parameters: district.
UPDATE lines AS l
SET iccid = coalesce(l.iccid, s.iccid), mdn = coalesce(s.mdn, l.mdn)
FROM sighted AS s
WHERE l.district_id = $1 AND l.line_id = s.line_id AND NOT s.is_new_line
    AND (coalesce(l.iccid, s.iccid), coalesce(s.mdn, l.mdn)) IS DISTINCT FROM (l.iccid, l.mdn);

-- match_devices --
-- By IMEI; else by serial; else, where the vendor names none, the device the line is in. A device whose IMEI
-- nobody knew takes the one that its line is now seen with.
-- Parameters: district.
UPDATE sighted AS s
SET device_id = coalesce(
    (SELECT d.device_id FROM devices AS d WHERE d.district_id = $1 AND d.imei = s.imei),
    (SELECT d.device_id FROM devices AS d WHERE d.district_id = $1 AND d.serial = s.serial
         AND (s.imei IS NULL OR d.imei IS NULL)),
    (SELECT k.device_id
     FROM line_device_links AS k
     JOIN devices AS d USING (district_id, device_id)
     WHERE k.district_id = $1 AND k.line_id = s.line_id AND k.ends_at IS NULL
         AND (s.imei IS NULL OR d.imei IS NULL) AND (s.serial IS NULL OR d.serial IS NULL))
);

-- number_new_devices --
-- One device for every IMEI, else serial, else line. Two of a batch's lines may be in one device.
WITH numbered AS (
    SELECT what, nextval(pg_get_serial_sequence('devices', 'device_id')) AS device_id
    FROM (SELECT DISTINCT coalesce(imei, serial, provider_key) AS what FROM sighted WHERE device_id IS NULL) AS new
)
UPDATE sighted AS s
SET device_id = n.device_id, is_new_device = true
FROM numbered AS n
WHERE s.device_id IS NULL AND n.what = coalesce(s.imei, s.serial, s.provider_key);

-- join_devices_of_one_imei --
-- Two lines seen with one IMEI are in one device, also where each was in a device whose IMEI nobody knew.
UPDATE sighted AS s
SET device_id = one.device_id, is_new_device = one.is_new
FROM (
    SELECT imei, min(device_id) AS device_id, bool_and(is_new_device) AS is_new
    FROM sighted
    WHERE imei IS NOT NULL
    GROUP BY imei
    HAVING count(DISTINCT device_id) > 1
) AS one
WHERE s.imei = one.imei;

-- leave_out_doubtful_serials --
-- A serial that another device has, or that two devices of the batch have, is nobody's until a person looks.
-- Returns how many were left out. Parameters: district.
WITH doubtful AS (
    UPDATE sighted AS s
    SET serial = NULL
    WHERE s.serial IS NOT NULL AND (
        EXISTS (
            SELECT FROM devices AS d
            WHERE d.district_id = $1 AND d.serial = s.serial AND d.device_id <> s.device_id
        )
        OR EXISTS (SELECT FROM sighted AS o WHERE o.serial = s.serial AND o.device_id < s.device_id)
    )
    RETURNING s.provider_key
)
SELECT count(*) FROM doubtful;

-- insert_new_devices --
-- Parameters: district.
INSERT INTO devices (district_id, device_id, imei, serial)
OVERRIDING SYSTEM VALUE
SELECT DISTINCT ON (device_id) $1::integer, device_id, imei, serial
FROM sighted
WHERE is_new_device
ORDER BY device_id, serial;

-- update_devices --
-- Parameters: district.
UPDATE devices AS d
SET imei = coalesce(d.imei, s.imei), serial = coalesce(d.serial, s.serial)
FROM (SELECT DISTINCT ON (device_id) * FROM sighted WHERE NOT is_new_device ORDER BY device_id, provider_key) AS s
WHERE d.district_id = $1 AND d.device_id = s.device_id
    AND (coalesce(d.imei, s.imei), coalesce(d.serial, s.serial)) IS DISTINCT FROM (d.imei, d.serial)
    AND NOT EXISTS (
        SELECT FROM devices AS o WHERE o.district_id = $1 AND o.imei = s.imei AND o.device_id <> d.device_id
    );

-- close_moved_links --
-- The line is in another device now. Parameters: district, instant.
UPDATE line_device_links AS k
SET ends_at = $2
FROM sighted AS s
WHERE k.district_id = $1 AND k.line_id = s.line_id AND k.ends_at IS NULL
    AND k.device_id <> s.device_id AND k.starts_at < $2;

-- open_links --
-- The first link of a line to a device that had none is taken to have always been. Parameters: district, instant.
INSERT INTO line_device_links (district_id, line_id, device_id, starts_at)
SELECT
    $1, s.line_id, s.device_id,
    CASE WHEN s.is_new_device AND s.is_new_line THEN '-infinity'
         WHEN EXISTS (SELECT FROM line_device_links AS k WHERE k.district_id = $1 AND k.line_id = s.line_id)
             OR EXISTS (SELECT FROM line_device_links AS k WHERE k.district_id = $1 AND k.device_id = s.device_id)
         THEN $2::timestamptz
         ELSE '-infinity' END
FROM sighted AS s
WHERE NOT EXISTS (
    SELECT FROM line_device_links AS k WHERE k.district_id = $1 AND k.line_id = s.line_id AND k.ends_at IS NULL
)
ON CONFLICT (district_id, line_id, starts_at) DO NOTHING;

-- upsert_provider_keys --
-- Parameters: district, account.
INSERT INTO provider_keys (district_id, account_id, provider_key, line_id, identity)
SELECT $1, $2, provider_key, line_id, identity FROM sighted
ON CONFLICT (district_id, account_id, provider_key) DO UPDATE
SET line_id = excluded.line_id, identity = excluded.identity;

-- sighted_lines --
-- The line of each of the vendor's keys in the batch.
SELECT provider_key, line_id FROM sighted;

-- close_replaced_links --
-- After a whole sweep: a line that was not in it, in a device that now shows another line, was swapped out.
-- Parameters: district, account, the sweep's instant.
UPDATE line_device_links AS k
SET ends_at = $3
FROM latest_states AS gone
WHERE k.district_id = $1 AND k.ends_at IS NULL AND k.starts_at < $3
    AND gone.district_id = $1 AND gone.line_id = k.line_id AND gone.account_id = $2 AND gone.read_at < $3
    AND EXISTS (
        SELECT
        FROM line_device_links AS other
        JOIN latest_states AS seen
            ON seen.district_id = $1 AND seen.line_id = other.line_id AND seen.account_id = $2
        WHERE other.district_id = $1 AND other.device_id = k.device_id AND other.line_id <> k.line_id
            AND other.ends_at IS NULL AND seen.read_at = $3
    );

-- upsert_latest_states --
-- What a sweep that lists an account's lines says of each. Parameters: district, account, instant, lines, statuses,
-- raw statuses, suspended by, online, last seen at, last seen by, day limits, cycle limits, group keys (each one text,
-- separated by U+001F, NULL U+001E).
INSERT INTO latest_states AS o (
    district_id, line_id, account_id, read_at, status, raw_status, suspended_by, is_online, last_seen_at, last_seen_by,
    day_limit_bytes, cycle_limit_bytes, group_key
)
SELECT
    $1, q.line_id, $2, $3, q.status, q.raw_status, q.suspended_by, q.is_online, q.last_seen_at, q.last_seen_by,
    q.day_limit, q.cycle_limit, q.group_key
FROM unnest(
    string_to_array($4, U&'\001F', U&'\001E')::bigint[],
    string_to_array($5, U&'\001F', U&'\001E')::line_status[],
    string_to_array($6, U&'\001F', U&'\001E'),
    string_to_array($7, U&'\001F', U&'\001E')::suspended_by[],
    string_to_array($8, U&'\001F', U&'\001E')::boolean[],
    string_to_array($9, U&'\001F', U&'\001E')::timestamptz[],
    string_to_array($10, U&'\001F', U&'\001E')::last_seen_by[],
    string_to_array($11, U&'\001F', U&'\001E')::bigint[],
    string_to_array($12, U&'\001F', U&'\001E')::bigint[],
    string_to_array($13, U&'\001F', U&'\001E')
) AS q (
    line_id, status, raw_status, suspended_by, is_online, last_seen_at, last_seen_by, day_limit, cycle_limit, group_key
)
ON CONFLICT (district_id, account_id, line_id) DO UPDATE
SET read_at = excluded.read_at, status = coalesce(excluded.status, o.status),
    raw_status = coalesce(excluded.raw_status, o.raw_status), suspended_by = excluded.suspended_by,
    is_online = excluded.is_online, last_seen_at = coalesce(excluded.last_seen_at, o.last_seen_at),
    last_seen_by = coalesce(excluded.last_seen_by, o.last_seen_by), day_limit_bytes = excluded.day_limit_bytes,
    cycle_limit_bytes = excluded.cycle_limit_bytes, group_key = excluded.group_key
WHERE o.read_at <= excluded.read_at;

-- note_latest_states --
-- What a sweep says in passing, of lines that another lists: it takes nothing back that it does not speak of.
-- Parameters: district, account, instant, lines, statuses, raw statuses, suspended by, online, last seen at, last seen
-- by (each one text, separated by U+001F, NULL U+001E).
INSERT INTO latest_states AS o (
    district_id, line_id, account_id, read_at, status, raw_status, suspended_by, is_online, last_seen_at, last_seen_by
)
SELECT
    $1, q.line_id, $2, $3, q.status, q.raw_status, q.suspended_by, q.is_online, q.last_seen_at, q.last_seen_by
FROM unnest(
    string_to_array($4, U&'\001F', U&'\001E')::bigint[],
    string_to_array($5, U&'\001F', U&'\001E')::line_status[],
    string_to_array($6, U&'\001F', U&'\001E'),
    string_to_array($7, U&'\001F', U&'\001E')::suspended_by[],
    string_to_array($8, U&'\001F', U&'\001E')::boolean[],
    string_to_array($9, U&'\001F', U&'\001E')::timestamptz[],
    string_to_array($10, U&'\001F', U&'\001E')::last_seen_by[]
) AS q (line_id, status, raw_status, suspended_by, is_online, last_seen_at, last_seen_by)
ON CONFLICT (district_id, account_id, line_id) DO UPDATE
SET status = coalesce(excluded.status, o.status), raw_status = coalesce(excluded.raw_status, o.raw_status),
    suspended_by = CASE WHEN excluded.status IS NULL THEN o.suspended_by ELSE excluded.suspended_by END,
    is_online = coalesce(excluded.is_online, o.is_online),
    last_seen_at = greatest(excluded.last_seen_at, o.last_seen_at),
    last_seen_by = CASE WHEN excluded.last_seen_at >= coalesce(o.last_seen_at, '-infinity')
        THEN excluded.last_seen_by ELSE o.last_seen_by END
WHERE o.read_at <= excluded.read_at;

-- set_device_kinds --
-- What a source says its devices are. Parameters: district, lines, kinds.
UPDATE devices AS d
SET kind = q.kind
FROM unnest($2::bigint[], $3::device_kind[]) AS q (line_id, kind)
JOIN line_device_links AS k ON k.district_id = $1 AND k.line_id = q.line_id AND k.ends_at IS NULL
WHERE d.district_id = $1 AND d.device_id = k.device_id AND d.kind <> q.kind;

-- upsert_groups --
-- Parameters: district, account, group keys, parent keys.
INSERT INTO provider_groups (district_id, account_id, group_key, parent_key)
SELECT $1, $2, q.group_key, q.parent_key FROM unnest($3::text[], $4::text[]) AS q (group_key, parent_key)
ON CONFLICT (district_id, account_id, group_key) DO UPDATE SET parent_key = excluded.parent_key
WHERE provider_groups.parent_key IS DISTINCT FROM excluded.parent_key;

-- ensure_partitions --
-- Parameters: first and last day to hold readings of.
SELECT ensure_partitions($1, $2);

-- stage_usage_readings --
-- Where a batch waits that repeats stored instants.
CREATE TEMPORARY TABLE staged_usage_readings (LIKE usage_readings) ON COMMIT DROP;

-- merge_usage_readings --
-- Writes the staged batch; a stored instant takes what was read last.
INSERT INTO usage_readings SELECT * FROM staged_usage_readings
ON CONFLICT (district_id, line_id, account_id, kind, series, starts_at) DO UPDATE
SET total_bytes = excluded.total_bytes, ends_at = excluded.ends_at
WHERE (usage_readings.total_bytes, usage_readings.ends_at) IS DISTINCT FROM (excluded.total_bytes, excluded.ends_at);

-- drop_staged_usage_readings --
-- The next batch of the transaction stages its own.
DROP TABLE staged_usage_readings;

-- stage_state_readings --
-- Where a batch waits that repeats stored instants.
CREATE TEMPORARY TABLE staged_state_readings (LIKE state_readings) ON COMMIT DROP;

-- merge_state_readings --
-- Writes the staged batch; a stored instant takes what was read last.
INSERT INTO state_readings SELECT * FROM staged_state_readings
ON CONFLICT (district_id, line_id, account_id, kind, series, starts_at) DO UPDATE
SET status = excluded.status, suspended_by = excluded.suspended_by, is_online = excluded.is_online;

-- drop_staged_state_readings --
-- The next batch of the transaction stages its own.
DROP TABLE staged_state_readings;

-- stage_signal_readings --
-- Where a batch waits that repeats stored instants.
CREATE TEMPORARY TABLE staged_signal_readings (LIKE signal_readings) ON COMMIT DROP;

-- merge_signal_readings --
-- Writes the staged batch; a stored instant takes what was read last.
INSERT INTO signal_readings SELECT * FROM staged_signal_readings
ON CONFLICT (district_id, line_id, account_id, kind, series, starts_at) DO UPDATE
SET rsrp_dbm = excluded.rsrp_dbm, rsrq_db = excluded.rsrq_db, sinr_db = excluded.sinr_db;

-- drop_staged_signal_readings --
-- The next batch of the transaction stages its own.
DROP TABLE staged_signal_readings;

-- stage_session_readings --
-- Where a batch waits that repeats stored instants.
CREATE TEMPORARY TABLE staged_session_readings (LIKE session_readings) ON COMMIT DROP;

-- merge_session_readings --
-- Writes the staged batch; a session that has ended stays ended.
INSERT INTO session_readings SELECT * FROM staged_session_readings
ON CONFLICT (district_id, line_id, account_id, kind, series, starts_at) DO UPDATE
SET ends_at = coalesce(excluded.ends_at, session_readings.ends_at)
WHERE session_readings.ends_at IS DISTINCT FROM coalesce(excluded.ends_at, session_readings.ends_at);

-- drop_staged_session_readings --
-- The next batch of the transaction stages its own.
DROP TABLE staged_session_readings;

-- drop_sighted --
-- The next batch of the transaction stages its own.
DROP TABLE sighted;
