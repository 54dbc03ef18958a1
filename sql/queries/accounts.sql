-- upsert_district --
-- Parameters: district, name, time zone, month and day that the school year starts on, need mode.
INSERT INTO districts (district_id, name, time_zone, school_year_starts, need_mode)
VALUES ($1, $2, $3, $4, $5::text::need_mode)
ON CONFLICT (district_id) DO UPDATE
SET name = excluded.name, time_zone = excluded.time_zone, school_year_starts = excluded.school_year_starts,
    need_mode = excluded.need_mode
WHERE (districts.name, districts.time_zone, districts.school_year_starts, districts.need_mode)
    IS DISTINCT FROM (excluded.name, excluded.time_zone, excluded.school_year_starts, excluded.need_mode);

-- districts_without_households --
-- Districts that count by household, though no student's answer tells one. Parameters: the districts to look at.
SELECT d.district_id
FROM districts AS d
WHERE d.district_id = ANY ($1::integer[]) AND d.need_mode = 'household'
    AND NOT EXISTS (SELECT FROM need_answers AS a WHERE a.district_id = d.district_id AND a.household <> '')
ORDER BY d.district_id;

-- upsert_plan --
-- Parameters: district, key, allowance in bytes, period, cycle day, at allowance, monthly cost, whether a pool, provider,
-- download and upload in Mbit/s, first day, first day without service, whether filtered.
INSERT INTO plans (
    district_id, plan_key, allowance_bytes, allowance_period, cycle_day, at_allowance, monthly_cost, is_pooled, provider,
    download_mbps, upload_mbps, starts_on, ends_on, is_filtered, is_configured
)
VALUES ($1, $2, $3, $4, $5, $6, $7::text::numeric, $8, $9, $10, $11, $12, $13, $14, true)
ON CONFLICT (district_id, plan_key) DO UPDATE
SET allowance_bytes = excluded.allowance_bytes, allowance_period = excluded.allowance_period,
    cycle_day = excluded.cycle_day, at_allowance = excluded.at_allowance, monthly_cost = excluded.monthly_cost,
    is_pooled = excluded.is_pooled, provider = excluded.provider, download_mbps = excluded.download_mbps,
    upload_mbps = excluded.upload_mbps, starts_on = excluded.starts_on, ends_on = excluded.ends_on,
    is_filtered = excluded.is_filtered, is_configured = true;

-- release_plans --
-- Plans that the configuration no longer names are as if imported: an import may change them.
-- Parameters: district, keys.
UPDATE plans SET is_configured = false
WHERE district_id = $1 AND is_configured AND plan_key <> ALL ($2::text[]);

-- upsert_account --
-- Who polls may have planned a longer cadence, as the vendor's limit allows, and plans it anew: it is kept until then.
-- Tells whether it is an account of files whose lines' plan may be another by that.
-- Parameters: district, key, collector, time zone, lag days, rank, cadence, plan key.
WITH before AS (
    SELECT plan_id, rank FROM accounts WHERE district_id = $1 AND account_key = $2 AND collector = 'file'
)
INSERT INTO accounts AS a (district_id, account_key, collector, time_zone, lag_days, rank, cadence, plan_id)
SELECT $1, $2, $3, $4, $5, $6, $7, (SELECT plan_id FROM plans WHERE district_id = $1 AND plan_key = $8)
ON CONFLICT (district_id, account_key) DO UPDATE
SET collector = excluded.collector, time_zone = excluded.time_zone, lag_days = excluded.lag_days,
    rank = excluded.rank, cadence = greatest(a.cadence, excluded.cadence), plan_id = excluded.plan_id
RETURNING a.account_id, a.collector = 'file' AND NOT EXISTS (
    SELECT FROM before AS b WHERE (b.plan_id, b.rank) IS NOT DISTINCT FROM (a.plan_id, a.rank)
) AS is_changed_file;

-- give_lines_their_plan --
-- The lines of an account have its plan, but for those that an import gave one. Parameters: district, account.
UPDATE lines AS l
SET plan_id = a.plan_id
FROM provider_keys AS k
JOIN accounts AS a USING (district_id, account_id)
WHERE k.district_id = $1 AND k.account_id = $2
    AND l.district_id = k.district_id AND l.line_id = k.line_id AND NOT l.is_plan_told
    AND l.plan_id IS DISTINCT FROM a.plan_id;

-- give_file_lines_their_plan --
-- Lines that no polled account lists have the plan of the account of files that has told of them: of several, of one
-- that has a plan, and the lowest rank; but for lines that an import gave one. What is looked up line by line are periods
-- and readings: days before the retention, which have neither, count for the account of the import alone.
-- Parameters: district, lines (NULL: all), account that an import tells these lines of (NULL: none).
WITH unlisted AS (
    SELECT l.line_id
    FROM lines AS l
    WHERE l.district_id = $1::integer AND NOT l.is_plan_told AND ($2::bigint[] IS NULL OR l.line_id = ANY ($2::bigint[]))
        AND NOT EXISTS (SELECT FROM provider_keys AS k WHERE k.district_id = l.district_id AND k.line_id = l.line_id)
), given AS (
    SELECT DISTINCT ON (u.line_id) u.line_id, a.plan_id
    FROM unlisted AS u
    JOIN accounts AS a ON a.district_id = $1::integer AND a.collector = 'file'
        -- to take a plan away, one without a plan must have told of the line; an import knows that of its own
        AND (a.plan_id IS NOT NULL OR a.account_id = $3::bigint OR $3::bigint IS NULL)
    CROSS JOIN LATERAL (
        SELECT 1 WHERE a.account_id = $3::bigint
        UNION ALL
        SELECT 1 FROM usage_spans AS s
        WHERE s.district_id = $1::integer AND s.line_id = u.line_id AND s.account_id = a.account_id
        UNION ALL
        SELECT 1 FROM usage_readings AS r
        WHERE r.district_id = $1::integer AND r.line_id = u.line_id AND r.account_id = a.account_id
        LIMIT 1
    ) AS told
    ORDER BY u.line_id, a.plan_id IS NULL, a.rank, a.account_id
)
UPDATE lines AS l
SET plan_id = g.plan_id
FROM given AS g
WHERE l.district_id = $1::integer AND l.line_id = g.line_id AND l.plan_id IS DISTINCT FROM g.plan_id;

-- set_accounts_in_use --
-- Accounts that the configuration no longer names are kept with their history, and waited for no more.
-- Parameters: district, keys.
UPDATE accounts SET is_in_use = (account_key = ANY ($2::text[]))
WHERE district_id = $1 AND collector <> 'file' AND is_in_use <> (account_key = ANY ($2::text[]));

-- unmap_groups --
-- Groups that the configuration no longer leads to a school. Parameters: district, account, the group keys it names.
UPDATE provider_groups SET school_id = NULL
WHERE district_id = $1 AND account_id = $2 AND school_id IS NOT NULL AND group_key <> ALL ($3::text[]);

-- map_groups --
-- Which school's devices are in a vendor's group. Parameters: district, account, group keys, NCES school ids.
INSERT INTO provider_groups (district_id, account_id, group_key, school_id)
SELECT $1, $2, q.group_key, s.school_id
FROM unnest($3::text[], $4::text[]) AS q (group_key, ncessch)
JOIN schools AS s ON s.district_id = $1 AND s.ncessch = q.ncessch
ON CONFLICT (district_id, account_id, group_key) DO UPDATE SET school_id = excluded.school_id
WHERE provider_groups.school_id IS DISTINCT FROM excluded.school_id;

-- lines_of_accounts --
-- How many lines, or students' devices, each account has shown so far.
SELECT a.district_id, a.account_id,
    (SELECT count(*) FROM provider_keys AS k WHERE k.district_id = a.district_id AND k.account_id = a.account_id)
    + (SELECT count(*) FROM student_devices AS s WHERE s.district_id = a.district_id AND s.account_id = a.account_id)
        AS lines
FROM accounts AS a
WHERE a.is_in_use;

-- set_cadence --
-- How often the account's line states can really be read. Parameters: district, account, cadence.
UPDATE accounts SET cadence = $3 WHERE district_id = $1 AND account_id = $2 AND cadence <> $3;
