-- reconciliation_is_due --
-- Whether findings are to be counted again: never counted, or of another reported day than the present one, or longer
-- ago than told. Parameters: district, now, how long.
SELECT coalesce(
    (SELECT r.on_day IS DISTINCT FROM d.on_day OR r.computed_at <= $2::timestamptz - $3::interval
     FROM reconciliations AS r
     WHERE r.district_id = d.district_id),
    true
)
FROM reconciliation_days AS d
WHERE d.district_id = $1;

-- lock_reconciliation --
-- One process at a time counts a district's findings, to the end of the transaction. Parameters: district.
SELECT pg_try_advisory_xact_lock(1634034292, $1);

-- prepare_reconciliation --
-- To the end of the transaction hold: the memory that joins may take before they go to disk; and no compiling, which
-- takes longer than it saves.
SELECT set_config('work_mem', '64MB', true), set_config('jit', 'off', true);

-- keep_reconciliation --
-- Parameters: district, now.
INSERT INTO reconciliations (district_id, on_day, computed_at, lines, lines_untold, lines_in_no_device)
SELECT d.district_id, d.on_day, $2, held.lines, held.lines_untold, loose.lines
FROM reconciliation_days AS d
CROSS JOIN LATERAL (
    SELECT count(*) AS lines, count(*) FILTER (WHERE s.line_id IS NULL) AS lines_untold
    FROM line_device_links AS k
    JOIN devices AS v USING (district_id, device_id)
    LEFT JOIN (
        SELECT DISTINCT o.line_id
        FROM line_days AS o
        WHERE o.district_id = d.district_id AND o.on_day = d.on_day AND o.is_state_fresh
            AND o.status <> 'unknown'
    ) AS s USING (line_id)
    WHERE k.district_id = d.district_id AND k.starts_at < d.ends_at AND k.ends_at IS NULL
        AND v.kind IN ('hotspot', 'fixed_router')
    OFFSET 0
) AS held
CROSS JOIN LATERAL (
    SELECT count(DISTINCT o.line_id) AS lines
    FROM line_days AS o
    WHERE o.district_id = d.district_id AND o.on_day = d.on_day AND o.is_state_fresh AND o.status = 'active'
        AND NOT EXISTS (
            SELECT
            FROM line_device_links AS k
            WHERE k.district_id = d.district_id AND k.line_id = o.line_id AND k.ends_at IS NULL
        )
    OFFSET 0
) AS loose
WHERE d.district_id = $1
ON CONFLICT (district_id) DO UPDATE
SET on_day = excluded.on_day, computed_at = excluded.computed_at, lines = excluded.lines,
    lines_untold = excluded.lines_untold, lines_in_no_device = excluded.lines_in_no_device;

-- drop_reconciliation_counts --
-- Parameters: district.
DELETE FROM reconciliation_counts WHERE district_id = $1;

-- keep_reconciliation_counts --
-- Parameters: district.
INSERT INTO reconciliation_counts (district_id, kind, school_id, findings, oldest_on, monthly_cost, without_cost)
SELECT
    f.district_id, f.kind, coalesce(f.school_id, 0), count(*), min(f.since_on), sum(f.monthly_cost),
    count(*) FILTER (WHERE f.monthly_cost IS NULL)
FROM reconciliation_findings AS f
WHERE f.district_id = $1
GROUP BY f.district_id, f.kind, coalesce(f.school_id, 0);

-- kept_reconciliations --
-- When each district's findings were counted last, and of how much nothing could be said.
SELECT district_id, on_day, computed_at, lines, lines_untold, lines_in_no_device FROM reconciliations;

-- kept_reconciliation_counts --
-- By kind and school, the most findings first; NULL: no school is known.
SELECT
    c.district_id, c.kind, s.ncessch, s.name AS school, c.findings, c.oldest_on, c.monthly_cost, c.without_cost
FROM reconciliation_counts AS c
LEFT JOIN schools AS s USING (district_id, school_id)
ORDER BY c.district_id, c.kind, c.findings DESC, s.name, s.ncessch;

-- reconciliation_judged_on --
-- The day that findings are of, by district. Parameters: district (NULL: every).
SELECT district_id, on_day FROM reconciliation_days WHERE $1::integer IS NULL OR district_id = $1 ORDER BY district_id;

-- reconciliation_told --
-- Every finding with its school, the oldest of each kind first. Identifiers come along where they are asked for, and
-- are NULL otherwise. Parameters: district (NULL: every), kind (NULL: every), NCES id of the school (NULL: every, and
-- those of no known school), whether with identifiers.
SELECT
    f.district_id, f.kind, f.on_day, s.ncessch, s.name AS school, f.device_id, f.line_id, f.loan_id,
    f.other_device_id, f.other_loan_id, t.ncessch AS other_ncessch, f.reason, f.since_on, f.days, f.used_bytes,
    f.monthly_cost, v.imei, v.serial, n.iccid, n.mdn, w.imei AS other_imei, w.serial AS other_serial
FROM reconciliation_findings AS f
LEFT JOIN schools AS s ON s.district_id = f.district_id AND s.school_id = f.school_id
LEFT JOIN schools AS t ON t.district_id = f.district_id AND t.school_id = f.other_school_id
LEFT JOIN devices AS v ON $4::boolean AND v.district_id = f.district_id AND v.device_id = f.device_id
LEFT JOIN lines AS n ON $4::boolean AND n.district_id = f.district_id AND n.line_id = f.line_id
LEFT JOIN devices AS w ON $4::boolean AND w.district_id = f.district_id AND w.device_id = f.other_device_id
WHERE ($1::integer IS NULL OR f.district_id = $1) AND ($2::text IS NULL OR f.kind = $2)
    AND ($3::text IS NULL OR s.ncessch = $3)
ORDER BY f.district_id, f.kind, f.since_on, s.name, f.device_id, f.line_id, f.loan_id;
