-- write_high_needs --
-- What a rule decided of each school. Returns how many rows changed, and how many schools become high-needs, are so no
-- longer, are unknown, stay high-needs and are not high-needs, as they were not. Parameters: district; as arrays: NCESSCH,
-- whether high-needs (NULL: unknown), basis, indicator, its value; the school year.
WITH told AS (
    SELECT * FROM unnest($2::text[], $3::boolean[], $4::text[], $5::need_indicator[], $6::double precision[])
        AS t (ncessch, is_high_needs, high_needs_basis, indicator, indicator_value)
), known AS (
    SELECT ncessch, is_high_needs FROM schools WHERE district_id = $1
), written AS (
    UPDATE schools AS s
    SET is_high_needs = t.is_high_needs, high_needs_basis = t.high_needs_basis, indicator = t.indicator,
        indicator_value = t.indicator_value, indicator_year = $7
    FROM told AS t
    WHERE s.district_id = $1 AND s.ncessch = t.ncessch
        AND (s.is_high_needs, s.high_needs_basis, s.indicator, s.indicator_value, s.indicator_year)
            IS DISTINCT FROM (t.is_high_needs, t.high_needs_basis, t.indicator, t.indicator_value, $7::text)
    RETURNING s.ncessch
)
SELECT
    (SELECT count(*) FROM written) AS changed,
    count(*) FILTER (WHERE t.is_high_needs AND k.is_high_needs IS NOT TRUE) AS become,
    count(*) FILTER (WHERE NOT t.is_high_needs AND k.is_high_needs) AS no_longer,
    count(*) FILTER (WHERE t.is_high_needs IS NULL) AS unknown,
    count(*) FILTER (WHERE t.is_high_needs AND k.is_high_needs) AS stay,
    count(*) FILTER (WHERE NOT t.is_high_needs AND k.is_high_needs IS NOT TRUE) AS others
FROM told AS t JOIN known AS k USING (ncessch);

-- school_year_starts --
-- The month and day that school years begin on. Parameters: district.
SELECT school_year_starts FROM districts WHERE district_id = $1;

-- known_plans --
-- Every plan, and whether it is in the configuration. Parameters: district.
SELECT plan_key, plan_id, is_configured FROM plans WHERE district_id = $1;

-- write_plans --
-- Plans that are not in the configuration. Returns how many are new, and which changed.
-- Parameters: district; as arrays: key, provider, allowance in bytes, its period, cycle day, whether pooled, at
-- allowance, monthly cost, Mbit/s down and up, first day, first day without service, whether filtered.
WITH told AS (
    SELECT * FROM unnest(
        $2::text[], $3::text[], $4::bigint[], $5::allowance_period[], $6::smallint[], $7::boolean[], $8::at_allowance[],
        $9::numeric[], $10::real[], $11::real[], $12::date[], $13::date[], $14::boolean[]
    ) AS t (
        plan_key, provider, allowance_bytes, allowance_period, cycle_day, is_pooled, at_allowance, monthly_cost,
        download_mbps, upload_mbps, starts_on, ends_on, is_filtered
    )
), known AS (
    SELECT plan_key FROM plans WHERE district_id = $1
), written AS (
    INSERT INTO plans AS p (
        district_id, plan_key, provider, allowance_bytes, allowance_period, cycle_day, is_pooled, at_allowance,
        monthly_cost, download_mbps, upload_mbps, starts_on, ends_on, is_filtered
    )
    SELECT $1, plan_key, provider, allowance_bytes, allowance_period, cycle_day, is_pooled, at_allowance, monthly_cost,
        download_mbps, upload_mbps, starts_on, ends_on, is_filtered
    FROM told
    ON CONFLICT (district_id, plan_key) DO UPDATE
    SET provider = excluded.provider, allowance_bytes = excluded.allowance_bytes,
        allowance_period = excluded.allowance_period, cycle_day = excluded.cycle_day, is_pooled = excluded.is_pooled,
        at_allowance = excluded.at_allowance, monthly_cost = excluded.monthly_cost,
        download_mbps = excluded.download_mbps, upload_mbps = excluded.upload_mbps, starts_on = excluded.starts_on,
        ends_on = excluded.ends_on, is_filtered = excluded.is_filtered
    WHERE NOT p.is_configured
        AND (p.provider, p.allowance_bytes, p.allowance_period, p.cycle_day, p.is_pooled, p.at_allowance,
             p.monthly_cost, p.download_mbps, p.upload_mbps, p.starts_on, p.ends_on, p.is_filtered)
        IS DISTINCT FROM (excluded.provider, excluded.allowance_bytes, excluded.allowance_period, excluded.cycle_day,
             excluded.is_pooled, excluded.at_allowance, excluded.monthly_cost, excluded.download_mbps,
             excluded.upload_mbps, excluded.starts_on, excluded.ends_on, excluded.is_filtered)
    RETURNING plan_key, plan_id
)
SELECT count(*) FILTER (WHERE k.plan_key IS NULL) AS added,
       coalesce(array_agg(w.plan_id) FILTER (WHERE k.plan_key IS NOT NULL), '{}') AS changed_ids
FROM written AS w LEFT JOIN known AS k USING (plan_key);

-- named_lines --
-- The lines that rows name: by the SIM; else by the number, which the SIM seen latest has.
-- Parameters: district; arrays of row and SIM; arrays of row and number.
WITH by_sim AS (
    SELECT DISTINCT n.row_number, l.line_id
    FROM unnest($2::integer[], $3::text[]) AS n (row_number, iccid)
    JOIN lines AS l ON l.district_id = $1 AND l.iccid = n.iccid
), by_number AS (
    SELECT DISTINCT ON (n.row_number) n.row_number, l.line_id
    FROM unnest($4::integer[], $5::text[]) AS n (row_number, mdn)
    JOIN lines AS l ON l.district_id = $1 AND l.mdn = n.mdn
    WHERE NOT EXISTS (SELECT FROM by_sim AS s WHERE s.row_number = n.row_number)
    ORDER BY n.row_number, l.observed_since DESC, l.line_id DESC
)
SELECT row_number, array_agg(line_id ORDER BY line_id) AS line_ids
FROM (TABLE by_sim UNION ALL TABLE by_number) AS found
GROUP BY row_number;

-- write_line_plans --
-- Lines whose plan is told line by line: it stands before their account's. Returns those that changed.
-- Parameters: district, arrays of line and plan.
WITH written AS (
    UPDATE lines AS l
    SET plan_id = t.plan_id, is_plan_told = true
    FROM unnest($2::bigint[], $3::bigint[]) AS t (line_id, plan_id)
    WHERE l.district_id = $1 AND l.line_id = t.line_id
        AND (l.plan_id IS DISTINCT FROM t.plan_id OR NOT l.is_plan_told)
    RETURNING l.line_id
)
SELECT coalesce(array_agg(line_id), '{}') FROM written;

-- mark_days_of_plans --
-- The days of every account that has one of the lines, or a line of one of the plans, are to be computed again.
-- Parameters: district, plans, lines, first day, last day.
INSERT INTO dirty_line_days (district_id, account_id, on_day, line_id)
SELECT a.district_id, a.account_id, day::date, 0
FROM accounts AS a
CROSS JOIN generate_series($4::date::timestamp, $5::date::timestamp, interval '1 day') AS day
WHERE a.district_id = $1 AND a.account_id IN (
    SELECT k.account_id
    FROM lines AS l
    JOIN provider_keys AS k USING (district_id, line_id)
    WHERE l.district_id = $1 AND (l.plan_id = ANY ($2::bigint[]) OR l.line_id = ANY ($3::bigint[]))
)
ORDER BY 2, 3
ON CONFLICT (district_id, account_id, on_day, line_id) DO UPDATE SET on_day = excluded.on_day;

-- mark_undone_plans --
-- Likewise, where an import of plans, or of lines' plans, is undone. Parameters: district, import.
WITH touched AS (
    SELECT
        (coalesce(c.before, c.after) ->> 'plan_id')::bigint AS plan_id,
        (coalesce(c.before, c.after) ->> 'line_id')::bigint AS line_id
    FROM import_changes AS c
    WHERE c.district_id = $1 AND c.import_id = $2
        AND (c.table_name = 'plans'
             OR (c.table_name = 'lines' AND (c.before ->> 'plan_id') IS DISTINCT FROM (c.after ->> 'plan_id')))
)
INSERT INTO dirty_line_days (district_id, account_id, on_day, line_id)
SELECT a.district_id, a.account_id, day::date, 0
FROM accounts AS a
JOIN imports AS i ON i.district_id = $1 AND i.import_id = $2
JOIN districts AS d ON d.district_id = $1
CROSS JOIN LATERAL generate_series(
    i.first_on::timestamp, (now() AT TIME ZONE d.time_zone)::date::timestamp, interval '1 day'
) AS day
WHERE a.district_id = $1 AND a.account_id IN (
    SELECT k.account_id
    FROM lines AS l
    JOIN provider_keys AS k USING (district_id, line_id)
    JOIN touched AS t ON t.line_id = l.line_id OR (t.line_id IS NULL AND t.plan_id = l.plan_id)
    WHERE l.district_id = $1
)
ORDER BY 2, 3
ON CONFLICT (district_id, account_id, on_day, line_id) DO UPDATE SET on_day = excluded.on_day;

-- write_supports --
-- Returns how many are new and how many changed. Parameters: district; as arrays: school, kind, name, first day, first
-- day no longer (NULL: it goes on), hours a week.
WITH told AS (
    SELECT * FROM unnest($2::bigint[], $3::support_kind[], $4::text[], $5::date[], $6::date[], $7::numeric[])
        AS t (school_id, kind, name, starts_on, ends_on, weekly_hours)
), known AS (
    SELECT school_id, kind, name, starts_on FROM supports WHERE district_id = $1
), written AS (
    INSERT INTO supports AS s (district_id, school_id, kind, name, starts_on, ends_on, weekly_hours)
    SELECT $1, school_id, kind, name, starts_on, ends_on, weekly_hours FROM told
    ON CONFLICT (district_id, school_id, kind, name, starts_on) DO UPDATE
    SET ends_on = excluded.ends_on, weekly_hours = excluded.weekly_hours
    WHERE (s.ends_on, s.weekly_hours) IS DISTINCT FROM (excluded.ends_on, excluded.weekly_hours)
    RETURNING school_id, kind, name, starts_on
)
SELECT count(*) FILTER (WHERE k.school_id IS NULL) AS added, count(k.school_id) AS changed
FROM written AS w LEFT JOIN known AS k USING (school_id, kind, name, starts_on);

-- write_waitlist_counts --
-- Returns how many are new and how many changed. Parameters: district; as arrays: school, date, unfilled requests.
WITH told AS (
    SELECT * FROM unnest($2::bigint[], $3::date[], $4::integer[]) AS t (school_id, as_of_on, requests)
), known AS (
    SELECT school_id, as_of_on FROM waitlist_counts WHERE district_id = $1
), written AS (
    INSERT INTO waitlist_counts AS w (district_id, school_id, as_of_on, requests)
    SELECT $1, school_id, as_of_on, requests FROM told
    ON CONFLICT (district_id, school_id, as_of_on) DO UPDATE SET requests = excluded.requests
    WHERE w.requests <> excluded.requests
    RETURNING school_id, as_of_on
)
SELECT count(*) FILTER (WHERE k.school_id IS NULL) AS added, count(k.school_id) AS changed
FROM written AS w LEFT JOIN known AS k USING (school_id, as_of_on);

-- beside_coverage --
-- What helps a school's students beside loans, on its district's day: the newest count of its waitlist with its date,
-- and hours a week by kind. Of one place or route only what began last counts. Parameters: the districts, and the day
-- of each.
SELECT
    s.district_id, s.ncessch, w.requests, w.as_of_on, h.library_hours, h.activity_bus_hours, h.community_wifi_hours
FROM unnest($1::integer[], $2::date[]) AS asked (district_id, on_day)
JOIN schools AS s USING (district_id)
LEFT JOIN (
    SELECT DISTINCT ON (c.district_id, c.school_id) c.district_id, c.school_id, c.requests, c.as_of_on
    FROM unnest($1::integer[], $2::date[]) AS asked (district_id, on_day)
    JOIN waitlist_counts AS c ON c.district_id = asked.district_id AND c.as_of_on <= asked.on_day
    ORDER BY c.district_id, c.school_id, c.as_of_on DESC
) AS w USING (district_id, school_id)
LEFT JOIN (
    SELECT
        district_id, school_id,
        sum(weekly_hours) FILTER (WHERE kind = 'library_hours') AS library_hours,
        sum(weekly_hours) FILTER (WHERE kind = 'activity_bus') AS activity_bus_hours,
        sum(weekly_hours) FILTER (WHERE kind = 'community_wifi') AS community_wifi_hours
    FROM (
        SELECT DISTINCT ON (u.district_id, u.school_id, u.kind, u.name)
            u.district_id, u.school_id, u.kind, u.weekly_hours, u.ends_on, asked.on_day
        FROM unnest($1::integer[], $2::date[]) AS asked (district_id, on_day)
        JOIN supports AS u ON u.district_id = asked.district_id AND u.starts_on <= asked.on_day
        ORDER BY u.district_id, u.school_id, u.kind, u.name, u.starts_on DESC
    ) AS latest
    WHERE ends_on IS NULL OR ends_on > on_day
    GROUP BY district_id, school_id
) AS h USING (district_id, school_id)
WHERE w.as_of_on IS NOT NULL OR h.school_id IS NOT NULL;
