-- add_audit_entry --
-- Parameters: district, when, actor, action, subject, details.
INSERT INTO audit_log (district_id, happened_at, actor, action, subject, details) VALUES ($1, $2, $3, $4, $5, $6::jsonb);

-- audit_entries --
-- The newest entries first. Parameters: district, since when (NULL: ever), how many.
SELECT happened_at, actor, action, subject, details::text AS details
FROM audit_log
WHERE district_id = $1 AND ($2::timestamptz IS NULL OR happened_at >= $2)
ORDER BY happened_at DESC, entry_id DESC
LIMIT $3;

-- releases --
-- Everything that was issued, in that order; NULL asks for any. Parameters: district, profile, pilot, the month's first
-- day, whether partial, strict, without names, and the package's folder.
SELECT
    district_id, release_id, profile::text AS profile, pilot, month_on, is_partial, is_strict, is_deidentified, revision,
    version, facts_digest, reasons, folder, archive_sha256, archive_bytes, created_at, created_by, announced_at
FROM releases
WHERE district_id = $1
    AND ($2::text IS NULL OR profile = $2::text::export_profile)
    AND ($3::text IS NULL OR pilot = $3)
    AND ($4::date IS NULL OR month_on = $4)
    AND ($5::boolean IS NULL OR is_partial = $5)
    AND ($6::boolean IS NULL OR is_strict = $6)
    AND ($7::boolean IS NULL OR is_deidentified = $7)
    AND ($8::text IS NULL OR folder = $8)
ORDER BY release_id;

-- release --
-- Parameters: district, release.
SELECT
    district_id, release_id, profile::text AS profile, pilot, month_on, is_partial, is_strict, is_deidentified, revision,
    version, facts_digest, reasons, folder, archive_sha256, archive_bytes, created_at, created_by, announced_at
FROM releases
WHERE district_id = $1 AND release_id = $2;

-- release_school_rows --
-- What releases told of schools, and the counts behind it. Parameters: district, releases.
SELECT
    o.release_id, s.ncessch, o.level::text AS level, o.enrolled, o.counts::text AS counts, o.cells::text AS cells, o.band
FROM release_schools AS o
JOIN schools AS s USING (district_id, school_id)
WHERE o.district_id = $1 AND o.release_id = ANY ($2::bigint[])
ORDER BY o.release_id, s.ncessch;

-- release_total_rows --
-- Parameters: district, releases.
SELECT release_id, name, least, most
FROM release_totals
WHERE district_id = $1 AND release_id = ANY ($2::bigint[])
ORDER BY release_id, name;

-- release_table_rows --
-- Parameters: district, release.
SELECT table_name, rows::text AS rows
FROM release_tables
WHERE district_id = $1 AND release_id = $2
ORDER BY table_name, part;

-- add_release --
-- Parameters: district, profile, pilot, the month's first day, whether partial, strict, without names, revision, version,
-- digest, reasons, folder, the archive's SHA-256 and size, when, by whom.
INSERT INTO releases (
    district_id, profile, pilot, month_on, is_partial, is_strict, is_deidentified, revision, version, facts_digest, reasons,
    folder, archive_sha256, archive_bytes, created_at, created_by
)
VALUES ($1, $2::text::export_profile, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16)
RETURNING release_id;

-- add_release_schools --
-- Parameters: district, release, and of each school its NCESSCH, level, students enrolled, counts, cells, and the ends of
-- its band.
INSERT INTO release_schools (district_id, release_id, school_id, level, enrolled, counts, cells, band)
SELECT
    $1, $2, s.school_id, q.level::publishing_level, q.enrolled, q.counts::jsonb, q.cells::jsonb,
    CASE WHEN q.low IS NOT NULL THEN ARRAY[q.low, q.high] END
FROM unnest($3::text[], $4::text[], $5::integer[], $6::text[], $7::text[], $8::double precision[], $9::double precision[])
    AS q (ncessch, level, enrolled, counts, cells, low, high)
JOIN schools AS s ON s.district_id = $1 AND s.ncessch = q.ncessch
RETURNING school_id;

-- add_release_totals --
-- Parameters: district, release, and of each total its name and the ends of its range.
INSERT INTO release_totals (district_id, release_id, name, least, most)
SELECT $1, $2, q.name, q.least, q.most FROM unnest($3::text[], $4::bigint[], $5::bigint[]) AS q (name, least, most);

-- add_release_table --
-- Parameters: district, release, table, the part's number, its rows.
INSERT INTO release_tables (district_id, release_id, table_name, part, rows) VALUES ($1, $2, $3, $4, $5::jsonb);

-- announceable_releases --
-- What may be told of: shareable packages of settled months. Parameters: district, issued since when.
SELECT
    district_id, release_id, profile::text AS profile, pilot, month_on, is_partial, is_strict, is_deidentified, revision,
    version, facts_digest, reasons, folder, archive_sha256, archive_bytes, created_at, created_by, announced_at
FROM releases
WHERE district_id = $1 AND profile = 'shareable' AND NOT is_partial AND created_at >= $2
ORDER BY release_id;

-- announced_channels --
-- Which channels took the link of which release. Parameters: district, since when.
SELECT DISTINCT (details ->> 'release_id')::bigint AS release_id, details ->> 'channel' AS channel
FROM audit_log
WHERE district_id = $1 AND happened_at >= $2 AND action = 'export_announced';

-- claim_announcement --
-- A row: nobody else is to tell of it for now. Parameters: district, release, now, how long a claim lasts.
UPDATE releases SET announced_at = $3::timestamptz
WHERE district_id = $1 AND release_id = $2 AND (announced_at IS NULL OR announced_at <= $3::timestamptz - $4::interval)
RETURNING release_id;

-- unclaim_announcement --
-- Not everybody was told after all. Parameters: district, release, when it was claimed.
UPDATE releases SET announced_at = NULL WHERE district_id = $1 AND release_id = $2 AND announced_at = $3;

-- take_export_lease --
-- A row: this holder has it, by the database's clock. Parameters: district, holder, how long it lasts.
INSERT INTO export_leases AS e (district_id, holder, until_at)
VALUES ($1, $2, clock_timestamp() + $3::interval)
ON CONFLICT (district_id) DO UPDATE SET holder = excluded.holder, until_at = excluded.until_at
WHERE e.until_at < clock_timestamp()
RETURNING e.holder;

-- renew_export_lease --
-- No row: somebody else has it, or nobody. Parameters: district, holder, how long it lasts.
UPDATE export_leases SET until_at = clock_timestamp() + $3::interval
WHERE district_id = $1 AND holder = $2
RETURNING holder;

-- release_export_lease --
-- Parameters: district, holder.
DELETE FROM export_leases WHERE district_id = $1 AND holder = $2;
