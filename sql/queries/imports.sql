-- lock_imports --
-- One import of a district at a time, until the transaction ends. Parameters: the lock's number, district.
SELECT pg_advisory_xact_lock($1, $2);

-- record_import --
-- Parameters: district, kind, SHA-256 of the file, rows accepted, rejected, changed, the earliest day whose figures changed.
INSERT INTO imports (district_id, kind, sha256, imported_at, rows_accepted, rows_rejected, rows_changed, first_on)
VALUES ($1, $2, $3, now(), $4, $5, $6, $7)
RETURNING import_id;

-- watch_table --
-- Keeps in mind, to the end of the transaction, how a district's rows of a table are. Parameters: district, table.
SELECT watch_rows($2::text, format('district_id = %s', $1::integer));

-- watch_known_devices --
-- The devices that are there already: those that an import adds stay when it is undone, as a source may have seen them.
-- Parameters: district, table.
SELECT watch_rows($2::text, format('district_id = %s AND device_id <= %s', $1::integer, coalesce(max(device_id), 0)))
FROM devices
WHERE district_id = $1;

-- keep_import_changes --
-- What became of the watched rows. Parameters: district, import.
SELECT keep_changes($1, $2);

-- newest_import --
-- The newest import that changed anything and still stands: of a kind, or (NULL) of any. What it changed may be in no
-- count of its rows, as the kind of a device. Parameters: district, kind.
SELECT i.import_id, i.kind, i.imported_at, i.first_on, c.rows, i.rows_changed
FROM imports AS i
CROSS JOIN LATERAL (
    SELECT count(*) AS rows FROM import_changes AS c WHERE c.district_id = i.district_id AND c.import_id = i.import_id
) AS c
WHERE i.district_id = $1 AND i.undone_at IS NULL AND ($2::text IS NULL OR i.kind = $2) AND (i.rows_changed > 0 OR c.rows > 0)
ORDER BY i.import_id DESC
LIMIT 1;

-- import_changed_since --
-- How many of its rows are no longer as the import left them. Parameters: district, import.
SELECT changed_since($1, $2);

-- undo_import_changes --
-- Returns how many rows are back as they were. Parameters: district, import.
SELECT undo_changes($1, $2);

-- record_undo --
-- Parameters: district, import.
WITH forgotten AS (
    DELETE FROM import_changes WHERE district_id = $1 AND import_id = $2
)
UPDATE imports SET undone_at = now() WHERE district_id = $1 AND import_id = $2;

-- import_history --
-- The imports, newest first. Parameters: district, how many at most.
SELECT i.import_id, i.kind, i.imported_at, i.rows_accepted, i.rows_rejected, i.rows_changed, i.undone_at,
    EXISTS (SELECT FROM import_changes AS c WHERE c.district_id = i.district_id AND c.import_id = i.import_id) AS is_undoable
FROM imports AS i
WHERE i.district_id = $1
ORDER BY i.import_id DESC
LIMIT $2;

-- importing_district --
-- The district's zone and the fingerprint of its pseudonym key. Parameters: district.
SELECT time_zone, pseudonym_fingerprint FROM districts WHERE district_id = $1;

-- record_pseudonym_fingerprint --
-- The first key that is used is the district's key. Parameters: district, fingerprint.
UPDATE districts SET pseudonym_fingerprint = $2
WHERE district_id = $1 AND pseudonym_fingerprint IS NULL;

-- mark_dirty_loan_days --
-- Loan states and school counts are to be computed again from a day on. Parameters: district, day.
INSERT INTO dirty_loan_days (district_id, on_day)
SELECT d.district_id, day::date
FROM districts AS d
CROSS JOIN LATERAL generate_series(
    $2::date::timestamp, greatest(d.computed_through_on, $2::date)::timestamp, interval '1 day'
) AS day
WHERE d.district_id = $1
ORDER BY day
ON CONFLICT (district_id, on_day) DO UPDATE SET on_day = excluded.on_day;

-- file_account --
-- Parameters: district, key.
SELECT account_id, collector, time_zone FROM accounts WHERE district_id = $1 AND account_key = $2;

-- create_file_account --
-- An account that only imports feed. Parameters: district, key, time zone, rank.
INSERT INTO accounts (district_id, account_key, collector, time_zone, rank, cadence)
VALUES ($1, $2, 'file', $3, $4, '1 day')
RETURNING account_id, collector, time_zone;

-- create_import_usage --
-- Where the rows of a usage file wait for their lines.
CREATE TEMP TABLE import_usage (
    row_number   integer NOT NULL,
    mdn          text,
    iccids       text[],
    imei         text,
    on_day       date,                  -- a row of one day; NULL: a longer period
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    total_bytes  bigint NOT NULL,
    line_id      bigint,
    reason       text,                  -- why the row is refused
    other_row    integer,               -- the row it contradicts
    is_written   boolean NOT NULL DEFAULT false
) ON COMMIT DROP;

-- analyze_import_usage --
-- A temporary table has no statistics until it is told to.
ANALYZE import_usage;

-- match_usage_lines --
-- Gives each row its line: by its SIM; else by its number, which the latest SIM of the period has; else, where
-- the row has neither, by the line that was in its device. A SIM that nobody has told of is never taken for the
-- SIM that had its number before. Parameters: district.
WITH by_iccid AS (
    SELECT DISTINCT i.row_number, l.line_id
    FROM import_usage AS i
    CROSS JOIN LATERAL unnest(i.iccids) AS form (iccid)
    JOIN lines AS l ON l.district_id = $1 AND l.iccid = form.iccid
), by_mdn AS (
    SELECT DISTINCT ON (i.row_number) i.row_number, l.line_id
    FROM import_usage AS i
    JOIN lines AS l ON l.district_id = $1 AND l.mdn = i.mdn AND (i.iccids IS NULL OR l.iccid IS NULL)
    WHERE NOT EXISTS (SELECT FROM by_iccid AS b WHERE b.row_number = i.row_number)
    ORDER BY i.row_number, l.observed_since < i.ends_at DESC, l.observed_since DESC, l.line_id DESC
), by_imei AS (
    SELECT DISTINCT i.row_number, k.line_id
    FROM import_usage AS i
    JOIN devices AS d ON d.district_id = $1 AND d.imei = i.imei
    JOIN line_device_links AS k ON k.district_id = $1 AND k.device_id = d.device_id
        AND k.starts_at < i.ends_at AND (k.ends_at IS NULL OR k.ends_at > i.starts_at)
    WHERE i.iccids IS NULL AND i.mdn IS NULL
), matched AS (
    SELECT row_number, min(line_id) AS line_id, count(DISTINCT line_id) AS lines
    FROM (TABLE by_iccid UNION ALL TABLE by_mdn UNION ALL TABLE by_imei) AS found
    GROUP BY row_number
)
UPDATE import_usage AS i
SET line_id = m.line_id, reason = CASE WHEN m.lines > 1 THEN 'several_lines' END
FROM matched AS m
WHERE m.row_number = i.row_number;

-- refuse_usage_rows --
-- Unknown lines; two rows of one line and period, which are never added up; periods of one line that overlap
-- in the file or with what an earlier file told of the account. Parameters: district, account.
WITH twice AS (
    SELECT row_number, min(row_number) OVER same AS first_row, max(row_number) OVER same AS last_row
    FROM import_usage
    WHERE line_id IS NOT NULL
    WINDOW same AS (PARTITION BY line_id, starts_at)
), overlapping AS (
    SELECT a.row_number, min(b.row_number) AS other_row
    FROM import_usage AS a
    JOIN import_usage AS b ON b.line_id = a.line_id AND b.starts_at <> a.starts_at
        AND b.starts_at < a.ends_at AND a.starts_at < b.ends_at
    WHERE a.on_day IS NULL OR b.on_day IS NULL
    GROUP BY a.row_number
), contradicting AS (
    SELECT i.row_number
    FROM import_usage AS i
    JOIN usage_spans AS s ON s.district_id = $1 AND s.account_id = $2 AND s.line_id = i.line_id AND s.is_file
        AND s.starts_at < i.ends_at AND i.starts_at < s.ends_at
    WHERE s.starts_at <> i.starts_at OR i.on_day IS NOT NULL
    UNION
    SELECT i.row_number
    FROM import_usage AS i
    JOIN usage_readings AS r ON r.district_id = $1 AND r.account_id = $2 AND r.line_id = i.line_id
        AND r.kind = 'interval' AND r.series = 'day'
        AND r.starts_at >= i.starts_at AND r.starts_at < i.ends_at
    WHERE i.on_day IS NULL
), judged AS (
    SELECT
        i.row_number,
        CASE
            WHEN i.line_id IS NULL THEN 'unknown_line'
            WHEN t.first_row < t.last_row THEN 'told_twice'
            WHEN o.row_number IS NOT NULL THEN 'overlaps_row'
            WHEN c.row_number IS NOT NULL THEN 'overlaps_earlier_file'
        END AS reason,
        CASE
            WHEN t.first_row = t.last_row THEN o.other_row
            WHEN i.row_number = t.first_row THEN t.last_row
            ELSE t.first_row
        END AS other_row
    FROM import_usage AS i
    LEFT JOIN twice AS t USING (row_number)
    LEFT JOIN overlapping AS o USING (row_number)
    LEFT JOIN contradicting AS c USING (row_number)
    WHERE i.reason IS NULL
)
UPDATE import_usage AS i
SET reason = j.reason, other_row = j.other_row
FROM judged AS j
WHERE j.row_number = i.row_number AND j.reason IS NOT NULL;

-- refused_usage_rows --
-- What was refused, in the file's order.
SELECT row_number, reason, other_row, coalesce(iccids[1], mdn, imei) AS line
FROM import_usage WHERE reason IS NOT NULL ORDER BY row_number;

-- create_usage_lines --
-- Makes the lines that only files tell of, where the district asks for it: one for each SIM, or for each
-- number that comes without a SIM, linked to its device; returns how many. Parameters: district.
WITH wanted AS (
    SELECT DISTINCT ON (coalesce(iccids[1], mdn)) coalesce(iccids[1], mdn) AS name, iccids[1] AS iccid, mdn,
           imei, min(starts_at) OVER (PARTITION BY coalesce(iccids[1], mdn)) AS observed_since
    FROM import_usage
    WHERE line_id IS NULL AND coalesce(iccids[1], mdn) IS NOT NULL
    ORDER BY coalesce(iccids[1], mdn), ends_at DESC, row_number
), made AS (
    INSERT INTO lines (district_id, iccid, mdn, observed_since)
    SELECT $1, iccid, mdn, observed_since FROM wanted
    RETURNING line_id, coalesce(iccid, mdn) AS name
), known AS (
    SELECT imei, device_id FROM devices WHERE district_id = $1 AND imei IS NOT NULL
), made_devices AS (
    INSERT INTO devices (district_id, imei)
    SELECT DISTINCT $1::integer, w.imei FROM wanted AS w LEFT JOIN known AS k USING (imei)
    WHERE w.imei IS NOT NULL AND k.imei IS NULL
    RETURNING imei, device_id
), linked AS (
    INSERT INTO line_device_links (district_id, line_id, starts_at, device_id)
    SELECT $1, m.line_id, '-infinity', d.device_id
    FROM made AS m
    JOIN wanted AS w USING (name)
    JOIN (TABLE known UNION ALL TABLE made_devices) AS d USING (imei)
)
SELECT count(*) FROM made;

-- good_usage_lines --
-- The lines of the good rows.
SELECT coalesce(array_agg(DISTINCT line_id), '{}') FROM import_usage WHERE reason IS NULL;

-- usage_bounds --
-- The days of the good rows. Parameters: time zone of the account.
SELECT min((starts_at AT TIME ZONE $1)::date) AS first_on, max(on_day) AS last_day
FROM import_usage WHERE reason IS NULL;

-- make_partitions --
-- Parameters: first day, last day.
SELECT ensure_partitions($1, $2);

-- watch_usage --
-- Keeps in mind what the account has of the days of the good rows, and since when their lines were observed. Days before
-- the retention have line days only; later ones are computed. Parameters: district, account, its time zone, first day of
-- the retention.
WITH bounds AS (
    SELECT min(starts_at) AS first_at, max(starts_at) AS last_at, min((starts_at AT TIME ZONE $3)::date) AS first_on
    FROM import_usage WHERE reason IS NULL
)
SELECT watch_rows(w.watched, w.filter)
FROM bounds AS b
CROSS JOIN LATERAL (VALUES
    ('lines', format('district_id = %s AND line_id IN (SELECT line_id FROM import_usage WHERE line_id IS NOT NULL)',
        $1::integer)),
    ('usage_readings', format('district_id = %s AND account_id = %s AND starts_at BETWEEN %L AND %L',
        $1::integer, $2::bigint, b.first_at, b.last_at)),
    ('usage_spans', format('district_id = %s AND account_id = %s AND starts_at BETWEEN %L AND %L',
        $1::integer, $2::bigint, b.first_at, b.last_at)),
    ('line_days', format('district_id = %s AND account_id = %s AND on_day >= %L AND on_day < %L',
        $1::integer, $2::bigint, b.first_on, $4::date))
) AS w (watched, filter)
WHERE b.first_at IS NOT NULL;

-- mark_undone_usage --
-- The days of the usage that an import is undone of are to be computed again. Parameters: district, import.
WITH touched AS (
    SELECT r.account_id, r.starts_at, coalesce(r.ends_at, r.starts_at) AS ends_at
    FROM import_changes AS c
    CROSS JOIN LATERAL jsonb_populate_record(NULL::usage_readings, coalesce(c.before, c.after)) AS r
    WHERE c.district_id = $1 AND c.import_id = $2 AND c.table_name = 'usage_readings'
    UNION ALL
    SELECT s.account_id, s.starts_at, s.ends_at
    FROM import_changes AS c
    CROSS JOIN LATERAL (VALUES (c.before), (c.after)) AS side (told)
    CROSS JOIN LATERAL jsonb_populate_record(NULL::usage_spans, side.told) AS s
    WHERE c.district_id = $1 AND c.import_id = $2 AND c.table_name = 'usage_spans' AND side.told IS NOT NULL
)
INSERT INTO dirty_line_days (district_id, account_id, on_day, line_id)
SELECT DISTINCT $1::integer, t.account_id, day::date, 0
FROM touched AS t
JOIN accounts AS a ON a.district_id = $1 AND a.account_id = t.account_id
CROSS JOIN LATERAL generate_series(
    (t.starts_at AT TIME ZONE a.time_zone)::date::timestamp,
    ((t.ends_at - interval '1 second') AT TIME ZONE a.time_zone)::date::timestamp,
    interval '1 day'
) AS day
ON CONFLICT (district_id, account_id, on_day, line_id) DO UPDATE SET on_day = excluded.on_day;

-- write_usage_readings --
-- Days within the retention become readings; returns how many are new and how many changed.
-- Parameters: district, account, first day of the retention.
WITH told AS (
    SELECT line_id, starts_at, ends_at, total_bytes FROM import_usage
    WHERE reason IS NULL AND on_day >= $3
), known AS (
    SELECT r.line_id, r.starts_at
    FROM usage_readings AS r JOIN told AS t USING (line_id, starts_at)
    WHERE r.district_id = $1 AND r.account_id = $2 AND r.kind = 'interval' AND r.series = 'day'
), written AS (
    INSERT INTO usage_readings AS r
        (district_id, line_id, account_id, kind, series, starts_at, ends_at, total_bytes)
    SELECT $1, line_id, $2, 'interval', 'day', starts_at, ends_at, total_bytes FROM told
    ON CONFLICT (district_id, line_id, account_id, kind, series, starts_at) DO UPDATE
    SET ends_at = excluded.ends_at, total_bytes = excluded.total_bytes
    WHERE (r.ends_at, r.total_bytes) IS DISTINCT FROM (excluded.ends_at, excluded.total_bytes)
    RETURNING line_id, starts_at
), marked AS (
    UPDATE import_usage AS i SET is_written = true
    FROM written AS w
    WHERE w.line_id = i.line_id AND w.starts_at = i.starts_at AND i.reason IS NULL
)
SELECT count(*) FILTER (WHERE k.line_id IS NULL) AS added, count(k.line_id) AS changed
FROM written AS w LEFT JOIN known AS k USING (line_id, starts_at);

-- write_usage_line_days --
-- Days before the retention become line days at once, as their readings would be dropped; returns how many are
-- new and how many changed. Parameters: district, account, first day of the retention.
WITH told AS (
    SELECT line_id, on_day, total_bytes FROM import_usage WHERE reason IS NULL AND on_day < $3
), known AS (
    SELECT d.line_id, d.on_day
    FROM line_days AS d JOIN told AS t USING (line_id, on_day)
    WHERE d.district_id = $1 AND d.account_id = $2
), written AS (
    INSERT INTO line_days AS d (district_id, on_day, line_id, account_id, used_bytes, basis)
    SELECT $1, on_day, line_id, $2, total_bytes, 'interval' FROM told
    ON CONFLICT (district_id, on_day, line_id, account_id) DO UPDATE
    SET used_bytes = excluded.used_bytes, basis = excluded.basis
    WHERE (d.used_bytes, d.basis) IS DISTINCT FROM (excluded.used_bytes, excluded.basis)
    RETURNING line_id, on_day
), marked AS (
    UPDATE import_usage AS i SET is_written = true
    FROM written AS w
    WHERE w.line_id = i.line_id AND w.on_day = i.on_day AND i.reason IS NULL
)
SELECT count(*) FILTER (WHERE k.line_id IS NULL) AS added, count(k.line_id) AS changed
FROM written AS w LEFT JOIN known AS k USING (line_id, on_day);

-- write_usage_spans --
-- Longer periods; the same start with another end or figure is a correction. Returns how many are new and how
-- many changed. Parameters: district, account.
WITH told AS (
    SELECT line_id, starts_at, ends_at, total_bytes FROM import_usage WHERE reason IS NULL AND on_day IS NULL
), known AS (
    SELECT s.line_id, s.starts_at
    FROM usage_spans AS s JOIN told AS t USING (line_id, starts_at)
    WHERE s.district_id = $1 AND s.account_id = $2
), written AS (
    INSERT INTO usage_spans AS s (district_id, line_id, account_id, starts_at, ends_at, total_bytes, is_file)
    SELECT $1, line_id, $2, starts_at, ends_at, total_bytes, true FROM told
    ON CONFLICT (district_id, line_id, account_id, starts_at) DO UPDATE
    SET ends_at = excluded.ends_at, total_bytes = excluded.total_bytes, is_file = true
    WHERE (s.ends_at, s.total_bytes, s.is_file) IS DISTINCT FROM (excluded.ends_at, excluded.total_bytes, true)
    RETURNING line_id, starts_at
), marked AS (
    UPDATE import_usage AS i SET is_written = true
    FROM written AS w
    WHERE w.line_id = i.line_id AND w.starts_at = i.starts_at AND i.reason IS NULL
)
SELECT count(*) FILTER (WHERE k.line_id IS NULL) AS added, count(k.line_id) AS changed
FROM written AS w LEFT JOIN known AS k USING (line_id, starts_at);

-- widen_observed_since --
-- A file may speak of a time before any source had spoken of the line. Parameters: district.
UPDATE lines AS l
SET observed_since = i.starts_at
FROM (SELECT line_id, min(starts_at) AS starts_at FROM import_usage WHERE is_written GROUP BY line_id) AS i
WHERE l.district_id = $1 AND l.line_id = i.line_id AND l.observed_since > i.starts_at;

-- mark_dirty_usage_days --
-- The days that the written rows touch: line by line, or the whole account where many lines are touched or the
-- days are those of a longer period. Line days before the retention have no readings to be computed from.
-- Parameters: district, account, its time zone, first day of the retention, most lines to name.
WITH touched AS (
    SELECT line_id, starts_at, ends_at,
           on_day IS NULL OR (SELECT count(DISTINCT line_id) FROM import_usage WHERE is_written) > $5 AS is_whole
    FROM import_usage
    WHERE is_written
)
INSERT INTO dirty_line_days (district_id, account_id, on_day, line_id)
SELECT DISTINCT $1::integer, $2::bigint, day::date, CASE WHEN is_whole THEN 0 ELSE line_id END
FROM touched
CROSS JOIN LATERAL generate_series(
    (starts_at AT TIME ZONE $3)::date::timestamp,
    ((ends_at - interval '1 second') AT TIME ZONE $3)::date::timestamp,
    interval '1 day'
) AS day
WHERE day >= $4::date
ORDER BY 3, 4
ON CONFLICT (district_id, account_id, on_day, line_id) DO UPDATE SET on_day = excluded.on_day;

-- first_written_usage_day --
-- Parameters: time zone of the account.
SELECT min((starts_at AT TIME ZONE $1)::date) FROM import_usage WHERE is_written;
