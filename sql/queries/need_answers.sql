-- create_import_answers --
-- Where the rows of an import of answers wait for their schools.
CREATE TEMP TABLE import_answers (
    row_number              integer NOT NULL,
    student                 text NOT NULL,
    ncessch                 text NOT NULL,     -- '': not told
    answered_on             date NOT NULL,
    household               text NOT NULL,
    has_access              boolean,
    barrier                 text,
    access_type             text,
    performance             text,
    is_documented_by_staff  boolean NOT NULL,
    school_id               bigint,
    reason                  text,              -- why the row is refused
    other_row               integer            -- the row it repeats or contradicts
) ON COMMIT DROP;

-- analyze_import_answers --
-- A temporary table has no statistics until it is told to.
ANALYZE import_answers;

-- match_answer_schools --
-- The school that the row names. Parameters: district.
UPDATE import_answers AS i
SET school_id = s.school_id
FROM schools AS s
WHERE s.district_id = $1 AND s.ncessch = i.ncessch;

-- keep_untold_answers --
-- Where a student's day is known already, what the import cannot tell of it stays as it is.
-- Parameters: district, the columns of need_answers that the import tells.
UPDATE import_answers AS i
SET school_id = CASE WHEN i.ncessch = '' AND 'school_id' <> ALL ($2::text[]) THEN n.school_id ELSE i.school_id END,
    has_access = CASE WHEN 'has_access' = ANY ($2) THEN i.has_access ELSE n.has_access END,
    barrier = CASE WHEN 'barrier' = ANY ($2) THEN i.barrier ELSE n.barrier::text END,
    access_type = CASE WHEN 'access_type' = ANY ($2) THEN i.access_type ELSE n.access_type::text END,
    performance = CASE WHEN 'performance' = ANY ($2) THEN i.performance ELSE n.performance::text END,
    is_documented_by_staff = CASE WHEN 'is_documented_by_staff' = ANY ($2) THEN i.is_documented_by_staff
        ELSE n.is_documented_by_staff END
FROM need_answers AS n
WHERE n.district_id = $1 AND n.student = i.student AND n.answered_on = i.answered_on;

-- keep_households --
-- An import that tells of no homes takes nobody out of one: the home is that of the student's newest answer until then.
-- Parameters: district.
UPDATE import_answers AS i
SET household = k.household
FROM (
    SELECT DISTINCT ON (a.row_number) a.row_number, n.household
    FROM import_answers AS a
    JOIN need_answers AS n ON n.district_id = $1 AND n.student = a.student AND n.answered_on <= a.answered_on
    ORDER BY a.row_number, n.answered_on DESC
) AS k
WHERE k.row_number = i.row_number;

-- refuse_answers_of_unknown_schools --
-- Rows that name a school which is not there.
UPDATE import_answers SET reason = 'unknown_school' WHERE school_id IS NULL AND ncessch <> '';

-- refuse_repeated_answers --
-- The same student and day again: 'repeat' where it says the same (or names no school), 'told_differently' where not.
WITH numbered AS (
    SELECT *, first_value(row_number) OVER (
        PARTITION BY student, answered_on ORDER BY school_id IS NULL, row_number
    ) AS first_row
    FROM import_answers
    WHERE reason IS NULL
)
UPDATE import_answers AS i
SET other_row = n.first_row,
    reason = CASE WHEN (n.household, n.has_access, n.barrier, n.access_type, n.performance, n.is_documented_by_staff)
                  IS NOT DISTINCT FROM
                  (f.household, f.has_access, f.barrier, f.access_type, f.performance, f.is_documented_by_staff)
                  AND (n.school_id IS NULL OR n.school_id = f.school_id)
                  THEN 'repeat' ELSE 'told_differently' END
FROM numbered AS n
JOIN import_answers AS f ON f.row_number = n.first_row
WHERE n.row_number = i.row_number AND n.first_row <> n.row_number;

-- refuse_answers_without_school --
-- Rows that name no school, of students whom the roster does not know. Parameters: district.
UPDATE import_answers AS i
SET reason = 'no_school'
WHERE i.reason IS NULL AND i.school_id IS NULL
    AND NOT EXISTS (SELECT FROM enrollments AS e WHERE e.district_id = $1 AND e.student = i.student);

-- refused_answers --
-- What was refused and what is there twice, in the order of the rows.
SELECT row_number, reason, other_row, ncessch FROM import_answers WHERE reason IS NOT NULL ORDER BY row_number;

-- write_answers --
-- A student's answers of the same day are replaced. Returns how many are new, how many changed, and the earliest day
-- of either. Parameters: district.
WITH told AS (
    SELECT student, answered_on, school_id, household, has_access, barrier::internet_barrier AS barrier,
           access_type::internet_access_type AS access_type, performance::internet_performance AS performance,
           is_documented_by_staff
    FROM import_answers WHERE reason IS NULL
), known AS (
    SELECT n.student, n.answered_on FROM need_answers AS n JOIN told AS t USING (student, answered_on)
    WHERE n.district_id = $1
), written AS (
    INSERT INTO need_answers AS n (
        district_id, student, answered_on, school_id, household, has_access, barrier, access_type, performance,
        is_documented_by_staff
    )
    SELECT $1, student, answered_on, school_id, household, has_access, barrier, access_type, performance,
           is_documented_by_staff
    FROM told
    ON CONFLICT (district_id, student, answered_on) DO UPDATE
    SET school_id = excluded.school_id, household = excluded.household, has_access = excluded.has_access,
        barrier = excluded.barrier, access_type = excluded.access_type, performance = excluded.performance,
        is_documented_by_staff = excluded.is_documented_by_staff
    WHERE (n.school_id, n.household, n.has_access, n.barrier, n.access_type, n.performance, n.is_documented_by_staff)
        IS DISTINCT FROM
        (excluded.school_id, excluded.household, excluded.has_access, excluded.barrier, excluded.access_type,
         excluded.performance, excluded.is_documented_by_staff)
    RETURNING n.student, n.answered_on
)
SELECT count(*) FILTER (WHERE k.student IS NULL) AS added, count(k.student) AS changed,
       min(w.answered_on) AS first_on
FROM written AS w LEFT JOIN known AS k USING (student, answered_on);

-- answers_known --
-- How many of the imported students the roster and the open loans know, how many answers cannot be used, and how many
-- students there are in all. Parameters: district, day.
WITH told AS (
    SELECT DISTINCT student FROM import_answers WHERE reason IS NULL
), roster AS (
    SELECT DISTINCT student FROM enrollments WHERE district_id = $1
), borrowers AS (
    SELECT DISTINCT borrower AS student FROM loans
    WHERE district_id = $1 AND borrower <> '' AND checked_out_on <= $2 AND (returned_on IS NULL OR returned_on > $2)
), unusable AS (
    SELECT DISTINCT i.student
    FROM import_answers AS i
    JOIN answers_on($1, $2) AS a USING (student, answered_on)
    WHERE i.reason IS NULL AND NOT a.is_answered
)
SELECT
    (SELECT count(*) FROM told) AS students,
    (SELECT count(*) FROM told JOIN roster USING (student)) AS in_roster,
    (SELECT count(*) FROM told JOIN borrowers USING (student)) AS with_loan,
    (SELECT count(*) FROM unusable) AS unusable,
    (SELECT count(*) FROM roster) AS roster,
    (SELECT count(*) FROM borrowers) AS borrowers;

-- answers_summary --
-- Every school's answers on a day: how many students, how many answered, who is in need and why (a student may be for
-- several reasons), how old the answers are. What holds of the school year before (expiring) ends with this one; what
-- is older (expired) has ended. Where no student's answer can be used, the school's latest valid total is told.
-- Parameters: district, day.
WITH bounds AS (
    SELECT valid_since($1, $2) AS valid_on, (valid_since($1, $2) + interval '1 year')::date AS year_on
), newest AS (
    SELECT DISTINCT ON (student) student, school_id, answered_on
    FROM need_answers
    WHERE district_id = $1 AND answered_on <= $2
    ORDER BY student, answered_on DESC
), enrolled AS MATERIALIZED (
    SELECT student, school_id FROM enrollments
    WHERE district_id = $1 AND starts_on <= $2 AND (ends_on IS NULL OR ends_on > $2)
), rosters AS (
    SELECT school_id, count(*) AS enrolled FROM enrolled GROUP BY school_id
), asked AS (
    SELECT
        a.school_id,
        count(*) FILTER (WHERE a.is_answered) AS answered,
        count(*) FILTER (WHERE a.is_answered AND a.is_in_need) AS need,
        count(*) FILTER (WHERE a.says_no) AS says_no,
        count(*) FILTER (WHERE a.lacks_by_type) AS lacks_by_type,
        count(*) FILTER (WHERE a.lacks_by_performance) AS lacks_by_performance,
        count(*) FILTER (WHERE a.is_documented) AS is_documented,
        count(*) FILTER (WHERE a.has_our_hotspot) AS has_our_hotspot,
        count(*) FILTER (WHERE NOT a.is_answered) AS unusable,
        min(a.answered_on) FILTER (WHERE a.is_answered) AS oldest_on,
        max(a.answered_on) FILTER (WHERE a.is_answered) AS newest_on,
        count(*) FILTER (WHERE a.is_answered AND a.answered_on < b.year_on) AS expiring
    FROM answers_on($1, $2) AS a
    CROSS JOIN bounds AS b
    WHERE a.school_id IS NOT NULL
    GROUP BY a.school_id
), gone AS (
    SELECT coalesce(e.school_id, n.school_id) AS school_id, count(*) AS expired
    FROM newest AS n
    CROSS JOIN bounds AS b
    LEFT JOIN enrolled AS e USING (student)
    WHERE n.answered_on < b.valid_on
        AND (e.student IS NOT NULL
             OR NOT EXISTS (SELECT FROM enrollments AS o WHERE o.district_id = $1 AND o.student = n.student))
    GROUP BY coalesce(e.school_id, n.school_id)
), totals AS (
    SELECT DISTINCT ON (n.school_id) n.school_id, n.as_of_on, n.enrolled, n.answered, n.need
    FROM need_counts AS n
    CROSS JOIN bounds AS b
    WHERE n.district_id = $1 AND n.as_of_on <= $2 AND n.as_of_on >= b.valid_on
    ORDER BY n.school_id, n.as_of_on DESC
), told AS (
    SELECT s.school_id, CASE WHEN a.answered > 0 THEN 'answers' WHEN t.school_id IS NOT NULL THEN 'totals' END AS source
    FROM schools AS s
    LEFT JOIN asked AS a USING (school_id)
    LEFT JOIN totals AS t USING (school_id)
    WHERE s.district_id = $1
)
SELECT
    s.ncessch,
    s.name,
    w.source,
    CASE WHEN w.source = 'totals' THEN t.enrolled ELSE coalesce(r.enrolled, t.enrolled) END AS enrolled,
    CASE w.source WHEN 'answers' THEN a.answered WHEN 'totals' THEN t.answered END AS answered,
    CASE w.source WHEN 'answers' THEN a.need WHEN 'totals' THEN t.need END AS need,
    CASE WHEN w.source = 'answers' THEN a.says_no END AS says_no,
    CASE WHEN w.source = 'answers' THEN a.lacks_by_type END AS lacks_by_type,
    CASE WHEN w.source = 'answers' THEN a.lacks_by_performance END AS lacks_by_performance,
    CASE WHEN w.source = 'answers' THEN a.is_documented END AS is_documented,
    CASE WHEN w.source = 'answers' THEN a.has_our_hotspot END AS has_our_hotspot,
    coalesce(a.unusable, 0) AS unusable,
    CASE w.source WHEN 'answers' THEN a.oldest_on WHEN 'totals' THEN t.as_of_on END AS oldest_on,
    CASE w.source WHEN 'answers' THEN a.newest_on WHEN 'totals' THEN t.as_of_on END AS newest_on,
    CASE w.source
        WHEN 'answers' THEN a.expiring
        WHEN 'totals' THEN CASE WHEN t.as_of_on < b.year_on THEN t.answered ELSE 0 END
        ELSE 0
    END AS expiring,
    coalesce(g.expired, 0) AS expired,
    (b.year_on + interval '1 year')::date - 1 AS year_ends_on
FROM told AS w
JOIN schools AS s ON s.district_id = $1 AND s.school_id = w.school_id
CROSS JOIN bounds AS b
LEFT JOIN asked AS a ON a.school_id = w.school_id
LEFT JOIN totals AS t ON t.school_id = w.school_id
LEFT JOIN rosters AS r ON r.school_id = w.school_id
LEFT JOIN gone AS g ON g.school_id = w.school_id
ORDER BY s.name, s.ncessch;
