-- explained_schools --
-- A school's figures on a day, with what the district makes of them; more than one row where districts share the school.
-- Parameters: NCES id, and as arrays: district, day.
SELECT
    s.district_id, s.school_id, s.name, d.name AS district_name, d.need_mode::text AS need_mode, asked.on_day,
    d.computed_through_on, o.school_id IS NOT NULL AS is_computed,
    o.need_source::text AS need_source, o.enrolled, o.answered, o.need, o.loaned, o.active_30, o.active_7, o.adequate,
    o.unknown, o.weak, o.exhausted, o.idle, o.never_used, o.suspended, o.served_outside_need, o.unattributed,
    CASE WHEN o.need IS NOT NULL THEN least(o.adequate, o.need) END AS covered,
    CASE WHEN o.need IS NOT NULL THEN greatest(0, o.need - o.loaned) END AS unserved,
    o.coverage_status::text AS coverage_status, o.completeness, o.coverage, o.coverage_low, o.coverage_high,
    o.is_need_exceeded, o.is_instructional, o.is_out_of_session, o.computed_at, o.revised_at
FROM unnest($2::integer[], $3::date[]) AS asked (district_id, on_day)
JOIN schools AS s USING (district_id)
JOIN districts AS d USING (district_id)
LEFT JOIN school_days AS o USING (district_id, on_day, school_id)
WHERE s.ncessch = $1
ORDER BY s.district_id;

-- explained_need --
-- What a school's need on a day is made of: its roster, its newest total up to the day, and the answers of its students by
-- what they say; a student may be in need for several reasons. Parameters: district, day, school.
WITH answers AS MATERIALIZED (
    SELECT * FROM answers_on($1, $2) WHERE school_id = $3
)
SELECT
    (SELECT count(*) FROM enrollments AS e
     WHERE e.district_id = $1 AND e.school_id = $3 AND e.starts_on <= $2 AND (e.ends_on IS NULL OR e.ends_on > $2))
        AS on_roster,
    t.as_of_on AS total_on,
    t.enrolled AS total_enrolled,
    -- the last day of the school year after its own
    (valid_since($1, t.as_of_on) + interval '3 years')::date - 1 AS total_valid_through_on,
    a.*
FROM (
    SELECT
        min(answered_on) FILTER (WHERE is_answered) AS oldest_on,
        max(answered_on) FILTER (WHERE is_answered) AS newest_on,
        count(*) FILTER (WHERE NOT is_answered) AS unusable,
        count(*) FILTER (WHERE is_answered) AS answered,
        count(*) FILTER (WHERE is_in_need) AS in_need,
        count(*) FILTER (WHERE says_no) AS says_no,
        count(*) FILTER (WHERE lacks_by_type) AS lacks_by_type,
        count(*) FILTER (WHERE lacks_by_performance) AS lacks_by_performance,
        count(*) FILTER (WHERE is_documented) AS is_documented,
        count(*) FILTER (WHERE has_our_hotspot) AS has_our_hotspot
    FROM answers
) AS a
LEFT JOIN (
    SELECT as_of_on, enrolled
    FROM need_counts
    WHERE district_id = $1 AND school_id = $3 AND as_of_on <= $2
    ORDER BY as_of_on DESC
    LIMIT 1
) AS t ON true;

-- explained_loans --
-- The open loans that a school's figures on a day are made of, by what they count as, state and reason. Where need is
-- known by student: those of its students in need, those that serve nobody known to be in need, and those that name no
-- borrower; else the loans that it lent. Parameters: district, day, school, whether need is known by student.
WITH open_loans AS MATERIALIZED (
    SELECT o.loan_id, o.school_id, o.state, o.reason, l.borrower, l.household
    FROM loan_days AS o
    JOIN loans AS l USING (district_id, loan_id)
    WHERE o.district_id = $1 AND o.on_day = $2
),
answers AS MATERIALIZED (
    SELECT student, school_id, household, is_in_need FROM answers_on($1, $2) WHERE is_answered
),
serving AS MATERIALIZED (
    SELECT a.school_id, o.loan_id
    FROM answers AS a
    JOIN open_loans AS o ON o.borrower = a.student
    WHERE a.is_in_need AND a.school_id IS NOT NULL
    UNION
    SELECT a.school_id, o.loan_id
    FROM answers AS a
    JOIN open_loans AS o ON o.household = a.household
    WHERE a.is_in_need AND a.school_id IS NOT NULL AND a.household <> ''
        AND (SELECT need_mode FROM districts WHERE district_id = $1) = 'household'
),
lent AS (
    SELECT
        o.loan_id, o.borrower, coalesce(k.school_id, o.school_id) AS own_school_id,
        EXISTS (SELECT FROM serving AS s WHERE s.loan_id = o.loan_id) AS is_serving
    FROM open_loans AS o
    LEFT JOIN answers AS a ON a.student = o.borrower
    LEFT JOIN enrollments AS e ON e.district_id = $1 AND e.student = o.borrower
        AND e.starts_on <= $2 AND (e.ends_on IS NULL OR e.ends_on > $2)
    LEFT JOIN (SELECT DISTINCT school_id FROM answers) AS k ON k.school_id = coalesce(e.school_id, a.school_id)
),
counted AS (
    SELECT loan_id, 'presumed' AS counts_as
    FROM lent
    WHERE NOT $4 AND own_school_id = $3 AND NOT (is_serving AND borrower = '')
    UNION ALL
    SELECT loan_id, 'in_need' FROM serving WHERE $4 AND school_id = $3
    UNION ALL
    SELECT loan_id, CASE WHEN borrower = '' THEN 'unattributed' ELSE 'outside_need' END
    FROM lent
    WHERE $4 AND own_school_id = $3 AND NOT is_serving
)
SELECT c.counts_as, o.state::text AS state, o.reason::text AS reason, count(*) AS loans
FROM counted AS c
JOIN open_loans AS o USING (loan_id)
GROUP BY c.counts_as, o.state, o.reason
ORDER BY array_position(ARRAY['in_need', 'presumed', 'outside_need', 'unattributed'], c.counts_as), o.state, o.reason;

-- explained_sources --
-- The accounts that tell of the hotspots which a school lent: of how many lines each has said something on the day, of
-- how many it told bytes, and when it last spoke of one. Parameters: district, day, school.
WITH held AS (
    SELECT DISTINCT k.line_id
    FROM loan_days AS o
    JOIN loans AS l USING (district_id, loan_id)
    JOIN line_device_links AS k ON k.district_id = $1 AND k.device_id = l.device_id
    JOIN districts AS d ON d.district_id = $1
    WHERE o.district_id = $1 AND o.on_day = $2 AND o.school_id = $3
        AND k.starts_at < ($2::date + 1)::timestamp AT TIME ZONE d.time_zone
        AND (k.ends_at IS NULL OR k.ends_at > $2::date::timestamp AT TIME ZONE d.time_zone)
)
SELECT
    a.account_key, a.collector, a.lag_days, count(DISTINCT k.line_id) AS lines,
    count(DISTINCT n.line_id) FILTER (WHERE n.is_state_fresh) AS lines_with_state,
    count(DISTINCT n.line_id) FILTER (WHERE n.used_bytes IS NOT NULL) AS lines_with_use,
    max(s.read_at) AS last_spoke_at
FROM held AS h
JOIN provider_keys AS k ON k.district_id = $1 AND k.line_id = h.line_id
JOIN accounts AS a ON a.district_id = $1 AND a.account_id = k.account_id
LEFT JOIN line_days AS n ON n.district_id = $1 AND n.on_day = $2 AND n.line_id = k.line_id AND n.account_id = k.account_id
LEFT JOIN latest_states AS s ON s.district_id = $1 AND s.line_id = k.line_id AND s.account_id = k.account_id
GROUP BY a.account_id, a.account_key, a.collector, a.lag_days, a.rank
ORDER BY a.rank, a.account_key;
