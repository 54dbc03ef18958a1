-- write_schools --
-- Returns how many schools are new and how many changed.
-- Parameters: district; as arrays: NCESSCH, name, whether high-needs, basis, indicator, its value, its school year;
-- whether the file tells of high-needs: else what is known of it stays.
WITH told AS (
    SELECT *
    FROM unnest(
        $2::text[], $3::text[], $4::boolean[], $5::text[], $6::need_indicator[], $7::double precision[], $8::text[]
    ) AS t (ncessch, name, is_high_needs, high_needs_basis, indicator, indicator_value, indicator_year)
), known AS (
    SELECT ncessch FROM schools WHERE district_id = $1
), written AS (
    INSERT INTO schools AS s (
        district_id, ncessch, name, is_high_needs, high_needs_basis, indicator, indicator_value, indicator_year
    )
    SELECT $1, ncessch, name, is_high_needs, high_needs_basis, indicator, indicator_value, indicator_year FROM told
    ON CONFLICT (district_id, ncessch) DO UPDATE
    SET name = excluded.name,
        is_high_needs = CASE WHEN $9 THEN excluded.is_high_needs ELSE s.is_high_needs END,
        high_needs_basis = CASE WHEN $9 THEN excluded.high_needs_basis ELSE s.high_needs_basis END,
        indicator = CASE WHEN $9 THEN excluded.indicator ELSE s.indicator END,
        indicator_value = CASE WHEN $9 THEN excluded.indicator_value ELSE s.indicator_value END,
        indicator_year = CASE WHEN $9 THEN excluded.indicator_year ELSE s.indicator_year END
    WHERE s.name <> excluded.name
        OR ($9::boolean
            AND (s.is_high_needs, s.high_needs_basis, s.indicator, s.indicator_value, s.indicator_year)
            IS DISTINCT FROM (excluded.is_high_needs, excluded.high_needs_basis, excluded.indicator,
                              excluded.indicator_value, excluded.indicator_year))
    RETURNING ncessch
)
SELECT count(*) FILTER (WHERE k.ncessch IS NULL) AS added, count(k.ncessch) AS changed
FROM written AS w LEFT JOIN known AS k USING (ncessch);

-- school_ids --
-- Parameters: district.
SELECT ncessch, school_id FROM schools WHERE district_id = $1;

-- write_need_counts --
-- Returns how many counts are new, how many changed, and the earliest day of either.
-- Parameters: district, and as arrays: school, date, enrolled, answered, need.
WITH told AS (
    SELECT * FROM unnest($2::bigint[], $3::date[], $4::integer[], $5::integer[], $6::integer[])
        AS t (school_id, as_of_on, enrolled, answered, need)
), known AS (
    SELECT school_id, as_of_on FROM need_counts WHERE district_id = $1
), written AS (
    INSERT INTO need_counts AS n (district_id, school_id, as_of_on, enrolled, answered, need)
    SELECT $1, school_id, as_of_on, enrolled, answered, need FROM told
    ON CONFLICT (district_id, school_id, as_of_on) DO UPDATE
    SET enrolled = excluded.enrolled, answered = excluded.answered, need = excluded.need
    WHERE (n.enrolled, n.answered, n.need) IS DISTINCT FROM (excluded.enrolled, excluded.answered, excluded.need)
    RETURNING school_id, as_of_on
)
SELECT count(*) FILTER (WHERE k.school_id IS NULL) AS added, count(k.school_id) AS changed,
       min(w.as_of_on) AS first_on
FROM written AS w LEFT JOIN known AS k USING (school_id, as_of_on);

-- write_calendar_days --
-- Replaces the district's days from the first to the last given one. Returns how many days are new, changed and
-- gone, and the earliest of them. Parameters: district, and as arrays: day, kind.
WITH told AS (
    SELECT * FROM unnest($2::date[], $3::day_kind[]) AS t (on_day, kind)
), known AS (
    SELECT c.on_day FROM calendar_days AS c
    WHERE c.district_id = $1
), removed AS (
    DELETE FROM calendar_days AS c
    WHERE c.district_id = $1 AND c.on_day BETWEEN $4 AND $5
        AND NOT EXISTS (SELECT FROM told AS t WHERE t.on_day = c.on_day)
    RETURNING c.on_day
), written AS (
    INSERT INTO calendar_days AS c (district_id, on_day, kind)
    SELECT $1, on_day, kind FROM told
    ON CONFLICT (district_id, on_day) DO UPDATE SET kind = excluded.kind WHERE c.kind <> excluded.kind
    RETURNING c.on_day
)
SELECT count(w.on_day) FILTER (WHERE k.on_day IS NULL) AS added,
       count(w.on_day) FILTER (WHERE k.on_day IS NOT NULL) AS changed,
       count(r.on_day) AS removed,
       least(min(w.on_day), min(r.on_day)) AS first_on
FROM written AS w
FULL JOIN removed AS r USING (on_day)
LEFT JOIN known AS k ON k.on_day = w.on_day;

-- write_school_calendar_days --
-- Where schools differ from the district. What is no longer told goes: of every school within the district's
-- part of the file, and of each named school from its first to its last day. Returns as write_calendar_days.
-- Parameters: district, arrays of school, day and kind; the district's first and last day (NULL: the file has
-- none); arrays of the named schools, their first and their last days.
WITH told AS (
    SELECT * FROM unnest($2::bigint[], $3::date[], $4::day_kind[]) AS t (school_id, on_day, kind)
), named AS (
    SELECT * FROM unnest($7::bigint[], $8::date[], $9::date[]) AS n (school_id, first_on, last_on)
), known AS (
    SELECT school_id, on_day FROM school_calendar_days WHERE district_id = $1
), removed AS (
    DELETE FROM school_calendar_days AS c
    WHERE c.district_id = $1
        AND (c.on_day BETWEEN $5::date AND $6::date
             OR EXISTS (SELECT FROM named AS n
                        WHERE n.school_id = c.school_id AND c.on_day BETWEEN n.first_on AND n.last_on))
        AND NOT EXISTS (SELECT FROM told AS t WHERE t.school_id = c.school_id AND t.on_day = c.on_day)
    RETURNING c.school_id, c.on_day
), written AS (
    INSERT INTO school_calendar_days AS c (district_id, school_id, on_day, kind)
    SELECT $1, school_id, on_day, kind FROM told
    ON CONFLICT (district_id, school_id, on_day) DO UPDATE SET kind = excluded.kind WHERE c.kind <> excluded.kind
    RETURNING c.school_id, c.on_day
)
SELECT count(w.on_day) FILTER (WHERE k.on_day IS NULL) AS added,
       count(w.on_day) FILTER (WHERE k.on_day IS NOT NULL) AS changed,
       count(r.on_day) AS removed,
       least(min(w.on_day), min(r.on_day)) AS first_on
FROM written AS w
FULL JOIN removed AS r USING (school_id, on_day)
LEFT JOIN known AS k ON k.school_id = w.school_id AND k.on_day = w.on_day;
