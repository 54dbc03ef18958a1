-- reclaim_loans --
-- Loans that were not used for so many days, longest first. The clock is that of the loan's state: known days without a
-- byte, paused while nothing is known. Where a file told only longer periods, their days of 0 count. What is reported lost
-- cannot be asked back.
-- Parameters: district, day, days.
WITH unused AS (
    SELECT
        o.loan_id, o.school_id, o.state, o.idle_days, o.last_used_on, o.observed_since_on, l.device_id, l.checked_out_on
    FROM loan_days AS o
    JOIN loans AS l USING (district_id, loan_id)
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.state IN ('never_used', 'idle')
        AND l.lost_on IS NULL AND (o.idle_days >= $3 OR o.is_coarse)
),
carried AS (
    SELECT
        h.device_id, min(h.line_id) AS line_id,
        CASE WHEN count(*) = count(p.monthly_cost) THEN sum(p.monthly_cost) END AS monthly_cost
    FROM lines_held($1, $2) AS h
    JOIN lines AS n ON n.district_id = $1 AND n.line_id = h.line_id
    LEFT JOIN plans AS p USING (district_id, plan_id)
    GROUP BY h.device_id
)
SELECT
    u.state::text AS kind, s.ncessch, s.name AS school, u.device_id, c.line_id, u.loan_id,
    greatest(u.idle_days, coalesce(t.zero_days, 0))::integer AS days,
    u.state = 'never_used' AND u.observed_since_on > u.checked_out_on AS is_at_least,
    CASE WHEN u.state = 'never_used' THEN u.checked_out_on
         ELSE greatest(u.last_used_on + 1, t.used_until_on, u.checked_out_on) END AS since_on,
    c.monthly_cost
FROM unused AS u
JOIN schools AS s ON s.district_id = $1 AND s.school_id = u.school_id
LEFT JOIN file_idle_days($1, $2) AS t USING (loan_id)
LEFT JOIN carried AS c USING (device_id)
WHERE greatest(u.idle_days, coalesce(t.zero_days, 0)) >= $3
ORDER BY s.ncessch, days DESC, u.loan_id;

-- reclaim_lines --
-- Lines that were active for so many days without an open loan of the device they are in. Days whose status is not
-- known do not count; the days are looked for over three times as many. The school is the one that lent it last.
-- Parameters: district, day, days.
WITH district AS (
    SELECT time_zone AS local_zone FROM districts WHERE district_id = $1
),
present AS (
    SELECT DISTINCT ON (o.line_id) o.line_id, o.status
    FROM line_days AS o
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.is_state_fresh AND o.status IS NOT NULL
    ORDER BY o.line_id, a.rank, o.account_id
),
links AS MATERIALIZED (
    SELECT
        k.line_id, k.device_id, k.starts_at,
        (k.starts_at AT TIME ZONE d.local_zone)::date AS starts_on,
        coalesce((k.ends_at AT TIME ZONE d.local_zone)::date, 'infinity') AS ends_on
    FROM line_device_links AS k
    CROSS JOIN district AS d
    WHERE k.district_id = $1 AND k.starts_at < ($2::date + 1)::timestamp AT TIME ZONE d.local_zone
),
held AS (
    SELECT DISTINCT ON (line_id) line_id, device_id
    FROM links
    WHERE ends_on > $2
    ORDER BY line_id, starts_at DESC
),
lent AS (
    SELECT DISTINCT ON (k.line_id)
        k.line_id, l.school_id, least(coalesce(l.returned_on, 'infinity'), k.ends_on) AS free_since_on
    FROM links AS k
    JOIN loans AS l ON l.district_id = $1 AND l.device_id = k.device_id
    WHERE l.checked_out_on <= $2 AND l.checked_out_on < k.ends_on
        AND coalesce(l.returned_on, 'infinity') > k.starts_on
    ORDER BY k.line_id, free_since_on DESC, l.checked_out_on DESC, l.loan_id DESC
),
unlent AS MATERIALIZED (
    SELECT
        a.line_id, h.device_id, o.school_id, p.monthly_cost,
        greatest(o.free_since_on, (n.observed_since AT TIME ZONE d.local_zone)::date) AS since_on,
        o.line_id IS NULL AS is_never_lent
    FROM present AS a
    CROSS JOIN district AS d
    JOIN lines AS n ON n.district_id = $1 AND n.line_id = a.line_id
    LEFT JOIN plans AS p USING (district_id, plan_id)
    LEFT JOIN held AS h ON h.line_id = a.line_id
    LEFT JOIN devices AS v ON v.district_id = $1 AND v.device_id = h.device_id
    LEFT JOIN lent AS o ON o.line_id = a.line_id
    WHERE a.status = 'active' AND coalesce(v.kind IN ('hotspot', 'fixed_router'), true)
        AND greatest(o.free_since_on, (n.observed_since AT TIME ZONE d.local_zone)::date) <= $2::date - $3::integer + 1
),
active AS (
    SELECT o.line_id, count(DISTINCT o.on_day)::integer AS days
    FROM line_days AS o
    JOIN unlent AS u USING (line_id)
    WHERE o.district_id = $1 AND o.on_day BETWEEN $2::date - 3 * $3::integer + 1 AND $2
        AND o.on_day >= u.since_on AND o.status = 'active'
    GROUP BY o.line_id
)
SELECT
    'line_without_loan' AS kind, s.ncessch, s.name AS school, u.device_id, u.line_id, NULL::bigint AS loan_id, a.days,
    u.since_on < $2::date - 3 * $3::integer + 1 OR u.is_never_lent AS is_at_least, u.since_on, u.monthly_cost
FROM unlent AS u
JOIN active AS a USING (line_id)
LEFT JOIN schools AS s ON s.district_id = $1 AND s.school_id = u.school_id
WHERE a.days >= $3
ORDER BY s.ncessch, u.since_on, u.line_id;

-- reclaim_unheard --
-- How many loans had not been used for so many days when their provider fell silent. Parameters: district, day, days.
SELECT count(*) FROM loan_days
WHERE district_id = $1 AND on_day = $2 AND state = 'unknown' AND idle_days >= $3;

-- reclaim_identifiers --
-- What names devices and lines: for the terminal alone. Parameters: district, devices, lines (NULL where there is none).
SELECT q.device_id, q.line_id, d.imei, d.serial, n.iccid, n.mdn
FROM unnest($2::bigint[], $3::bigint[]) AS q (device_id, line_id)
LEFT JOIN devices AS d ON d.district_id = $1 AND d.device_id = q.device_id
LEFT JOIN lines AS n ON n.district_id = $1 AND n.line_id = q.line_id;

-- reclaimed_students --
-- By school, the students counted as having a loan whose every loan is among those given: in need and at their own school
-- where need is known by student, else of the school that lent it. Parameters: district, day, loans.
WITH open_loans AS MATERIALIZED (
    SELECT o.loan_id, o.school_id, l.borrower, l.household, o.loan_id = ANY ($3::bigint[]) AS is_reclaimed
    FROM loan_days AS o
    JOIN loans AS l USING (district_id, loan_id)
    WHERE o.district_id = $1 AND o.on_day = $2
),
answers AS MATERIALIZED (
    SELECT student, school_id, household, is_in_need FROM answers_on($1, $2) WHERE is_answered AND school_id IS NOT NULL
),
serving AS (
    SELECT a.student, a.school_id, o.loan_id, o.is_reclaimed
    FROM answers AS a
    JOIN open_loans AS o ON o.borrower = a.student
    WHERE a.is_in_need
    UNION ALL
    SELECT a.student, a.school_id, o.loan_id, o.is_reclaimed
    FROM answers AS a
    JOIN open_loans AS o ON o.household = a.household
    WHERE a.is_in_need AND a.household <> ''
        AND (SELECT need_mode FROM districts WHERE district_id = $1) = 'household'
),
students AS (
    SELECT school_id, bool_and(is_reclaimed) AS is_reclaimed FROM serving GROUP BY school_id, student
    UNION ALL
    SELECT o.school_id, bool_and(o.is_reclaimed)
    FROM open_loans AS o
    LEFT JOIN answers AS a ON a.student = o.borrower
    LEFT JOIN enrollments AS e ON e.district_id = $1 AND e.student = o.borrower
        AND e.starts_on <= $2 AND (e.ends_on IS NULL OR e.ends_on > $2)
    LEFT JOIN (SELECT DISTINCT school_id FROM answers) AS k ON k.school_id = coalesce(e.school_id, a.school_id)
    WHERE NOT EXISTS (SELECT FROM answers AS n WHERE n.school_id = coalesce(k.school_id, o.school_id))
        AND NOT (o.borrower = '' AND EXISTS (SELECT FROM serving AS s WHERE s.loan_id = o.loan_id))
    GROUP BY o.school_id, CASE WHEN o.borrower = '' THEN o.loan_id::text ELSE o.borrower END
)
SELECT s.ncessch, count(*)::integer AS students
FROM students AS n
JOIN schools AS s ON s.district_id = $1 AND s.school_id = n.school_id
WHERE n.is_reclaimed
GROUP BY s.ncessch
ORDER BY s.ncessch;
