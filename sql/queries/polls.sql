-- take_lease --
-- Claim an endpoint group for one sweep; no row: another process reads it now.
-- Parameters: district, account, endpoint group, holder, now, how long the lease lasts, the cadence where none is planned.
INSERT INTO watermarks AS w (
    district_id, account_id, endpoint_group, cadence, last_attempt_at, lease_holder, lease_expires_at
)
VALUES ($1, $2, $3, $7, $5, $4, now() + $6::interval)
ON CONFLICT (district_id, account_id, endpoint_group) DO UPDATE
SET last_attempt_at = excluded.last_attempt_at, lease_holder = excluded.lease_holder,
    lease_expires_at = excluded.lease_expires_at
WHERE w.lease_holder IS NULL OR w.lease_expires_at < now()
RETURNING w.watermark_at, w.cadence, w.failing_since_at;

-- plan_cadence --
-- How often an endpoint group can really be swept. Parameters: district, account, endpoint group, cadence.
INSERT INTO watermarks AS w (district_id, account_id, endpoint_group, cadence)
VALUES ($1, $2, $3, $4)
ON CONFLICT (district_id, account_id, endpoint_group) DO UPDATE SET cadence = excluded.cadence
WHERE w.cadence <> excluded.cadence;

-- forget_groups --
-- Endpoint groups that an account no longer has: nobody waits for them. Parameters: district, account, those it has.
DELETE FROM watermarks WHERE district_id = $1 AND account_id = $2 AND endpoint_group <> ALL ($3::text[]);

-- renew_lease --
-- In the transaction of every batch: no row, no rows written. Parameters: district, account, endpoint group,
-- holder, how long it lasts from now.
UPDATE watermarks SET lease_expires_at = now() + $5::interval
WHERE district_id = $1 AND account_id = $2 AND endpoint_group = $3 AND lease_holder = $4
RETURNING 1;

-- release_lease --
-- Parameters: district, account, endpoint group, holder.
UPDATE watermarks SET lease_holder = NULL, lease_expires_at = NULL
WHERE district_id = $1 AND account_id = $2 AND endpoint_group = $3 AND lease_holder = $4;

-- abandon_runs --
-- Runs of a process that is gone; returns the newest one that can be taken up again, if its instant is not too
-- old. Parameters: district, account, endpoint group, now, the oldest instant to take up.
WITH gone AS (
    UPDATE poll_runs SET outcome = 'abandoned', finished_at = $4
    WHERE district_id = $1 AND account_id = $2 AND endpoint_group = $3 AND outcome = 'running'
    RETURNING instant_at, cursor
)
SELECT instant_at, cursor FROM gone WHERE instant_at >= $5 AND cursor IS NOT NULL ORDER BY instant_at DESC LIMIT 1;

-- start_run --
-- Parameters: district, account, endpoint group, instant, now.
INSERT INTO poll_runs (district_id, account_id, endpoint_group, instant_at, started_at)
VALUES ($1, $2, $3, $4, $5)
RETURNING poll_run_id;

-- progress_run --
-- Parameters: district, run, cursor, pages, lines, rows written, rows rejected, lines promised.
UPDATE poll_runs
SET cursor = $3, pages = $4, lines = $5, rows_written = $6, rows_rejected = $7, lines_promised = $8
WHERE district_id = $1 AND poll_run_id = $2;

-- finish_run --
-- Parameters: district, run, outcome, now, error.
UPDATE poll_runs SET outcome = $3, finished_at = $4, error = $5 WHERE district_id = $1 AND poll_run_id = $2;

-- record_rejections --
-- Parameters: district, run, reasons, first paths, counts.
INSERT INTO poll_rejections (district_id, poll_run_id, reason, first_path, rejected)
SELECT $1, $2, q.reason, q.first_path, q.rejected
FROM unnest($3::text[], $4::text[], $5::integer[]) AS q (reason, first_path, rejected)
ON CONFLICT (district_id, poll_run_id, reason) DO UPDATE SET rejected = excluded.rejected;

-- move_watermark --
-- In the transaction that stored the last rows. Parameters: district, account, endpoint group, instant.
UPDATE watermarks SET watermark_at = greatest(watermark_at, $4)
WHERE district_id = $1 AND account_id = $2 AND endpoint_group = $3;

-- record_success --
-- Parameters: district, account, endpoint group, now.
UPDATE watermarks SET last_success_at = $4, failing_since_at = NULL, last_error = NULL
WHERE district_id = $1 AND account_id = $2 AND endpoint_group = $3;

-- record_failure --
-- Parameters: district, account, endpoint group, now, error.
UPDATE watermarks SET failing_since_at = coalesce(failing_since_at, $4), last_error = $5
WHERE district_id = $1 AND account_id = $2 AND endpoint_group = $3;

-- record_gap --
-- Parameters: district, account, endpoint group, from, to.
INSERT INTO poll_gaps (district_id, account_id, endpoint_group, starts_at, ends_at)
VALUES ($1, $2, $3, $4, $5)
ON CONFLICT DO NOTHING;

-- watermark --
-- How far an endpoint group has been read; no row: never. Parameters: district, account, endpoint group.
SELECT watermark_at FROM watermarks WHERE district_id = $1 AND account_id = $2 AND endpoint_group = $3;
