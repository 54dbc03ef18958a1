-- upsert_student_devices --
-- Parameters: district, account, instant, keys, groups, raw statuses, in service, last seen at, last seen by.
INSERT INTO student_devices AS o (
    district_id, account_id, read_at, device_key, group_key, raw_status, is_in_service, last_seen_at, last_seen_by
)
SELECT $1, $2, $3, q.*
FROM unnest($4::text[], $5::text[], $6::text[], $7::boolean[], $8::timestamptz[], $9::last_seen_by[]) AS q
ON CONFLICT (district_id, account_id, device_key) DO UPDATE
SET read_at = excluded.read_at, group_key = coalesce(excluded.group_key, o.group_key),
    raw_status = coalesce(excluded.raw_status, o.raw_status),
    is_in_service = CASE WHEN excluded.raw_status IS NULL THEN o.is_in_service ELSE excluded.is_in_service END,
    last_seen_at = coalesce(excluded.last_seen_at, o.last_seen_at),
    last_seen_by = coalesce(excluded.last_seen_by, o.last_seen_by)
WHERE o.read_at <= excluded.read_at;

-- upsert_active_days --
-- The present day grows, so the most that was told counts. Parameters: district, account, keys, days, seconds.
INSERT INTO student_device_days AS o (district_id, on_day, student_device_id, active_seconds)
SELECT $1, q.on_day, d.student_device_id, max(q.active_seconds)
FROM unnest($3::text[], $4::date[], $5::integer[]) AS q (device_key, on_day, active_seconds)
JOIN student_devices AS d ON d.district_id = $1 AND d.account_id = $2 AND d.device_key = q.device_key
GROUP BY q.on_day, d.student_device_id
ON CONFLICT (district_id, on_day, student_device_id) DO UPDATE
SET active_seconds = excluded.active_seconds
WHERE o.active_seconds IS NULL OR o.active_seconds < excluded.active_seconds;

-- upsert_whereabouts --
-- On the district's local day. Parameters: district, account, keys, instants, places.
INSERT INTO student_device_days AS o (district_id, on_day, student_device_id, was_at_school, was_elsewhere)
SELECT
    $1, (q.seen_at AT TIME ZONE z.time_zone)::date, d.student_device_id,
    nullif(bool_or(q.place = 'at_school'), false), nullif(bool_or(q.place = 'elsewhere'), false)
FROM unnest($3::text[], $4::timestamptz[], $5::text[]) AS q (device_key, seen_at, place)
JOIN student_devices AS d ON d.district_id = $1 AND d.account_id = $2 AND d.device_key = q.device_key
JOIN districts AS z ON z.district_id = $1
WHERE q.place <> 'unknown'
GROUP BY 2, 3
ON CONFLICT (district_id, on_day, student_device_id) DO UPDATE
SET was_at_school = coalesce(o.was_at_school, excluded.was_at_school),
    was_elsewhere = coalesce(o.was_elsewhere, excluded.was_elsewhere)
WHERE (o.was_at_school, o.was_elsewhere) IS DISTINCT FROM
    (coalesce(o.was_at_school, excluded.was_at_school), coalesce(o.was_elsewhere, excluded.was_elsewhere));
