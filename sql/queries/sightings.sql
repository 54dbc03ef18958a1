-- look_up_sighted --
-- What is known of the lines in a batch, in the order given: line_id is NULL where the vendor's key, or what it
-- says of itself, is new; is_repeat, whether this instant has been stored for it; away_since, when it was last
-- read, where that is long ago.
-- What is told must be what was told before; what is not told may have been anything. Who tells nothing of itself is
-- known by the vendor's key.
-- Each key is looked up by itself, and so by its index: on a fleet's first sweep the planner takes these tables
-- for nearly empty, and would compare every key with every row.
-- Parameters: district, account, provider keys, identities with underscores where nothing is told (each one text,
-- separated by U+001F, NULL U+001E), instant, the instant that counts as long ago.
SELECT
    CASE WHEN k.identity LIKE q.identity OR q.identity = repeat('_', 32) THEN k.line_id END AS line_id,
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
    names_device boolean NOT NULL DEFAULT false,  -- now, or earlier
    serial_holder_id bigint,                      -- the other device that has its serial
    is_new_line boolean NOT NULL DEFAULT false,
    is_new_device boolean NOT NULL DEFAULT false
) ON COMMIT DROP;

-- fill_sighted --
-- Parameters: provider keys, identities, ICCIDs, all forms of them, MDNs, IMEIs, serials.
INSERT INTO sighted (provider_key, identity, iccid, iccid_forms, mdn, imei, serial)
SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[]);

-- analyze_sighted --
-- A temporary table has no statistics until it is told to.
ANALYZE sighted;

-- match_lines --
-- By ICCID, in its likeliest form; else the line that the vendor's key stood for, unless its SIM is another now; else
-- by number, which the latest SIM has.
-- Parameters: district, account.
UPDATE sighted AS s
SET line_id = coalesce(
    (SELECT l.line_id FROM lines AS l WHERE l.district_id = $1 AND l.iccid = s.iccid),
    (SELECT l.line_id
     FROM lines AS l
     WHERE l.district_id = $1 AND l.iccid = ANY (string_to_array(s.iccid_forms, ','))
     ORDER BY array_position(string_to_array(s.iccid_forms, ','), l.iccid)
     LIMIT 1),
    (SELECT l.line_id
     FROM provider_keys AS k
     JOIN lines AS l USING (district_id, line_id)
     WHERE k.district_id = $1 AND k.account_id = $2 AND k.provider_key = s.provider_key
         AND (s.iccid IS NULL OR l.iccid IS NULL)),
    (SELECT l.line_id
     FROM lines AS l
     WHERE l.district_id = $1 AND l.mdn = s.mdn AND (s.iccid IS NULL OR l.iccid IS NULL)
     ORDER BY l.observed_since DESC, l.line_id DESC
     LIMIT 1)
);

-- match_lines_by_device --
-- A source that names the device alone speaks of the one line in it; and a line that is known by its device alone
-- takes the SIM that is seen in it. Not where the source has two rows for the device, which may be two slots, or
-- where the device holds several lines. Parameters: district, account.
WITH alone AS (
    SELECT provider_key, (iccid, mdn) IS NULL AS is_nameless, imei, serial
    FROM (
        SELECT
            *, count(*) OVER (PARTITION BY imei) AS imei_rows, count(*) OVER (PARTITION BY serial) AS serial_rows
        FROM sighted
    ) AS counted
    WHERE line_id IS NULL AND (imei IS NULL OR imei_rows = 1) AND (serial IS NULL OR serial_rows = 1)
),
placed AS (
    SELECT
        a.provider_key, a.is_nameless,
        coalesce(
            (SELECT d.device_id FROM devices AS d WHERE d.district_id = $1 AND d.imei = a.imei),
            (SELECT d.device_id FROM devices AS d WHERE d.district_id = $1 AND d.serial = a.serial
                 AND (a.imei IS NULL OR d.imei IS NULL))
        ) AS device_id
    FROM alone AS a
),
held AS (
    SELECT p.provider_key, min(k.line_id) AS line_id
    FROM placed AS p
    JOIN line_device_links AS k ON k.district_id = $1 AND k.device_id = p.device_id AND k.ends_at IS NULL
    JOIN lines AS l ON l.district_id = $1 AND l.line_id = k.line_id
    GROUP BY p.provider_key, p.is_nameless
    HAVING count(*) = 1 AND (p.is_nameless OR bool_and(l.iccid IS NULL AND l.mdn IS NULL))
)
UPDATE sighted AS s
SET line_id = h.line_id
FROM held AS h
WHERE s.provider_key = h.provider_key AND NOT EXISTS (
    SELECT FROM provider_keys AS k
    WHERE k.district_id = $1 AND k.account_id = $2 AND k.line_id = h.line_id AND k.provider_key <> s.provider_key
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

-- follow_numbers --
-- A number that is on another SIM now takes along the accounts that know no more than the number.
-- Parameters: district, account.
UPDATE provider_keys AS k
SET line_id = s.line_id
FROM sighted AS s
JOIN lines AS now_on ON now_on.district_id = $1 AND now_on.line_id = s.line_id
JOIN lines AS was_on ON was_on.district_id = $1 AND was_on.mdn = s.mdn AND was_on.line_id <> s.line_id
WHERE s.iccid IS NOT NULL AND (s.is_new_line OR now_on.mdn IS DISTINCT FROM s.mdn)
    AND k.district_id = $1 AND k.line_id = was_on.line_id AND k.account_id <> $2
    AND left(k.identity, 8) <> '--------' AND substr(k.identity, 9, 8) = '--------';

-- update_lines --
-- What a source newly says of a known line. Parameters: district.
UPDATE lines AS l
SET iccid = coalesce(l.iccid, s.iccid), mdn = coalesce(s.mdn, l.mdn)
FROM sighted AS s
WHERE l.district_id = $1 AND l.line_id = s.line_id AND NOT s.is_new_line
    AND (coalesce(l.iccid, s.iccid), coalesce(s.mdn, l.mdn)) IS DISTINCT FROM (l.iccid, l.mdn);

-- match_devices --
-- By IMEI; else by serial; else, where the vendor names none now, the one that it named earlier; else the device the
-- line is in. A device whose IMEI nobody knew takes the one that its line is now seen with.
-- Parameters: district, account.
UPDATE sighted AS s
SET device_id = coalesce(
        (SELECT d.device_id FROM devices AS d WHERE d.district_id = $1 AND d.imei = s.imei),
        (SELECT d.device_id FROM devices AS d WHERE d.district_id = $1 AND d.serial = s.serial
             AND (s.imei IS NULL OR d.imei IS NULL)),
        CASE WHEN (s.imei, s.serial) IS NULL THEN o.device_id END,
        (SELECT k.device_id
         FROM line_device_links AS k
         JOIN devices AS d USING (district_id, device_id)
         WHERE k.district_id = $1 AND k.line_id = s.line_id AND k.ends_at IS NULL
             AND (s.imei IS NULL OR d.imei IS NULL) AND (s.serial IS NULL OR d.serial IS NULL))
    ),
    names_device = s.imei IS NOT NULL OR s.serial IS NOT NULL OR o.device_id IS NOT NULL
FROM sighted AS self
LEFT JOIN provider_keys AS o
    ON o.district_id = $1 AND o.account_id = $2 AND o.provider_key = self.provider_key
WHERE self.provider_key = s.provider_key;

-- part_devices_of_two_imeis --
-- Two IMEIs are two devices, also where nobody knew that the device with their lines was two.
UPDATE sighted AS s
SET device_id = NULL
FROM (SELECT device_id, min(imei) AS imei FROM sighted GROUP BY device_id HAVING count(DISTINCT imei) > 1) AS first
WHERE s.device_id = first.device_id AND s.imei <> first.imei;

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

-- insert_new_devices --
-- Parameters: district.
INSERT INTO devices (district_id, device_id, imei)
OVERRIDING SYSTEM VALUE
SELECT $1::integer, device_id, max(imei)
FROM sighted
WHERE is_new_device
GROUP BY device_id;

-- leave_out_doubtful_serials --
-- A serial that another device has, or that two devices of the batch have, is nobody else's until a person looks.
-- Returns how many were left out. Parameters: district.
WITH claimed AS (
    SELECT s.provider_key, coalesce(d.device_id, s.first_id) AS holder_id
    FROM (SELECT *, min(device_id) OVER (PARTITION BY serial) AS first_id FROM sighted WHERE serial IS NOT NULL) AS s
    LEFT JOIN devices AS d ON d.district_id = $1 AND d.serial = s.serial
    WHERE coalesce(d.device_id, s.first_id) <> s.device_id
),
doubtful AS (
    UPDATE sighted AS s
    SET serial = NULL, serial_holder_id = c.holder_id
    FROM claimed AS c
    WHERE c.provider_key = s.provider_key
    RETURNING s.provider_key
)
SELECT count(*) FROM doubtful;

-- update_devices --
-- What a source newly says of a device. Parameters: district.
UPDATE devices AS d
SET imei = coalesce(d.imei, s.imei), serial = coalesce(d.serial, s.serial)
FROM (
    SELECT device_id, max(imei) AS imei, min(serial) AS serial FROM sighted GROUP BY device_id
) AS s
WHERE d.district_id = $1 AND d.device_id = s.device_id
    AND (coalesce(d.imei, s.imei), coalesce(d.serial, s.serial)) IS DISTINCT FROM (d.imei, d.serial)
    AND NOT EXISTS (
        SELECT FROM devices AS o WHERE o.district_id = $1 AND o.imei = s.imei AND o.device_id <> d.device_id
    );

-- upsert_provider_keys --
-- What is not told now stays as it was told before. Parameters: district, account.
INSERT INTO provider_keys AS o (district_id, account_id, provider_key, line_id, identity, device_id)
SELECT $1, $2, provider_key, line_id, identity, CASE WHEN names_device THEN device_id END FROM sighted
ON CONFLICT (district_id, account_id, provider_key) DO UPDATE
SET line_id = excluded.line_id, device_id = excluded.device_id,
    identity = (
        SELECT string_agg(
            CASE WHEN substr(excluded.identity, part, 8) = '--------' THEN substr(rpad(o.identity, 32, '-'), part, 8)
                 ELSE substr(excluded.identity, part, 8) END,
            '' ORDER BY part
        )
        FROM generate_series(1, 25, 8) AS part
    );

-- close_moved_links --
-- The line is in another device now. Where another account still says that it is where it was, the two contradict
-- each other, and it stays. Parameters: district, account, instant.
UPDATE line_device_links AS k
SET ends_at = $3
FROM sighted AS s
WHERE k.district_id = $1 AND k.line_id = s.line_id AND k.ends_at IS NULL AND s.names_device
    AND k.device_id <> s.device_id AND k.starts_at < $3
    AND NOT EXISTS (
        SELECT FROM line_claims AS c
        WHERE c.district_id = $1 AND c.line_id = k.line_id AND c.device_id = k.device_id
            AND c.account_id <> $2 AND c.is_listed
    );

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

-- sighted_lines --
-- The line of each of the vendor's keys in the batch.
SELECT provider_key, line_id FROM sighted;

-- close_replaced_links --
-- After a whole sweep: a line that was not in it, in a device that now shows another line, was swapped out. Accounts
-- that name the device alone speak of the other line from now on.
-- Parameters: district, account, the sweep's instant.
WITH replaced AS (
    SELECT
        k.line_id, k.starts_at, k.device_id,
        CASE WHEN count(DISTINCT other.line_id) = 1 THEN min(other.line_id) END AS into_id
    FROM line_device_links AS k
    JOIN latest_states AS gone ON gone.district_id = $1 AND gone.line_id = k.line_id AND gone.account_id = $2
    JOIN line_device_links AS other
        ON other.district_id = $1 AND other.device_id = k.device_id AND other.line_id <> k.line_id
        AND other.ends_at IS NULL
    JOIN latest_states AS seen ON seen.district_id = $1 AND seen.line_id = other.line_id AND seen.account_id = $2
    WHERE k.district_id = $1 AND k.ends_at IS NULL AND k.starts_at < $3 AND gone.read_at < $3 AND seen.read_at = $3
    GROUP BY k.line_id, k.starts_at, k.device_id
),
followed AS (
    UPDATE provider_keys AS p
    SET line_id = r.into_id
    FROM replaced AS r
    WHERE p.district_id = $1 AND p.line_id = r.line_id AND p.device_id = r.device_id AND p.account_id <> $2
        AND r.into_id IS NOT NULL AND left(p.identity, 16) = repeat('-', 16)
)
UPDATE line_device_links AS k
SET ends_at = $3
FROM replaced AS r
WHERE k.district_id = $1 AND k.line_id = r.line_id AND k.starts_at = r.starts_at;

-- upsert_latest_states --
-- What a sweep that lists an account's lines says of each. Parameters: district, account, instant, lines, statuses,
-- raw statuses, suspended by, online, last seen at, last seen by, day limits, cycle limits, group keys, filtered (each one
-- text, separated by U+001F, NULL U+001E).
INSERT INTO latest_states AS o (
    district_id, line_id, account_id, read_at, status, raw_status, suspended_by, is_online, last_seen_at, last_seen_by,
    day_limit_bytes, cycle_limit_bytes, group_key, is_filtered
)
SELECT
    $1, q.line_id, $2, $3, q.status, q.raw_status, q.suspended_by, q.is_online,
    CASE WHEN q.last_seen_at <= $3::timestamptz + interval '1 day' THEN q.last_seen_at END, q.last_seen_by,
    q.day_limit, q.cycle_limit, q.group_key, q.is_filtered
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
    string_to_array($13, U&'\001F', U&'\001E'),
    string_to_array($14, U&'\001F', U&'\001E')::boolean[]
) AS q (
    line_id, status, raw_status, suspended_by, is_online, last_seen_at, last_seen_by, day_limit, cycle_limit, group_key,
    is_filtered
)
ON CONFLICT (district_id, account_id, line_id) DO UPDATE
SET read_at = excluded.read_at, status = coalesce(excluded.status, o.status),
    raw_status = coalesce(excluded.raw_status, o.raw_status),
    suspended_by = CASE WHEN excluded.status IS NULL THEN o.suspended_by ELSE excluded.suspended_by END,
    is_online = coalesce(excluded.is_online, o.is_online),
    last_seen_at = greatest(excluded.last_seen_at, o.last_seen_at),
    last_seen_by = CASE WHEN excluded.last_seen_at >= coalesce(o.last_seen_at, '-infinity')
        THEN excluded.last_seen_by ELSE o.last_seen_by END,
    day_limit_bytes = excluded.day_limit_bytes,
    cycle_limit_bytes = excluded.cycle_limit_bytes, group_key = excluded.group_key,
    is_filtered = excluded.is_filtered
WHERE o.read_at <= excluded.read_at;

-- note_latest_states --
-- What a sweep says in passing, of lines that another lists: it takes nothing back that it does not speak of.
-- Parameters: district, account, instant, lines, statuses, raw statuses, suspended by, online, last seen at, last seen
-- by (each one text, separated by U+001F, NULL U+001E).
INSERT INTO latest_states AS o (
    district_id, line_id, account_id, read_at, status, raw_status, suspended_by, is_online, last_seen_at, last_seen_by
)
SELECT
    $1, q.line_id, $2, $3, q.status, q.raw_status, q.suspended_by, q.is_online,
    CASE WHEN q.last_seen_at <= $3::timestamptz + interval '1 day' THEN q.last_seen_at END, q.last_seen_by
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
SET status = excluded.status, suspended_by = excluded.suspended_by, is_online = excluded.is_online,
    is_limit_reached = excluded.is_limit_reached;

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
