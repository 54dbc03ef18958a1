-- create_import_roster_users --
-- Where the users of a roster wait for their schools. People are pseudonyms already.
CREATE TEMP TABLE import_roster_users (
    row_number         integer NOT NULL,
    user_key           text NOT NULL,      -- of the sourcedId, by which the files of the roster name a user
    student            text NOT NULL,      -- of the student key; '': not told
    is_student         boolean,            -- NULL: the roles tell
    is_gone            boolean NOT NULL,
    grade              text,
    has_strange_grade  boolean NOT NULL,
    orgs               integer[] NOT NULL, -- the user's own, in the order of the file
    org                integer,            -- the one that counts
    school_id          bigint,
    standing           text,               -- of the org
    is_at_several      boolean NOT NULL DEFAULT false,
    reason             text,               -- why the row is refused or passed over
    other_row          integer             -- the row it repeats or contradicts
) ON COMMIT DROP;

-- create_import_roster_roles --
-- What every user is at which org.
CREATE TEMP TABLE import_roster_roles (
    row_number  integer NOT NULL,
    user_key    text NOT NULL,
    org         integer,
    is_student  boolean NOT NULL,
    is_primary  boolean NOT NULL,
    is_gone     boolean NOT NULL
) ON COMMIT DROP;

-- create_import_roster_classes --
-- The school of each class that a student takes.
CREATE TEMP TABLE import_roster_classes (
    user_key  text NOT NULL,
    org       integer NOT NULL
) ON COMMIT DROP;

-- create_import_roster_orgs --
-- What each org of the roster is here.
CREATE TEMP TABLE import_roster_orgs (
    org        integer PRIMARY KEY,
    school_id  bigint,
    standing   text NOT NULL  -- school, unmatched, left_out, no_school
) ON COMMIT DROP;

-- create_import_roster_changes --
-- What becomes of the enrollment of each student whom the roster changes.
CREATE TEMP TABLE import_roster_changes (
    student    text PRIMARY KEY,
    change     text NOT NULL,  -- new, returned, reopened, moved, regraded, grade_told, left
    starts_on  date NOT NULL,  -- of the last enrollment; for those who are new, of the first
    school_id  bigint,         -- from now on
    grade      text
) ON COMMIT DROP;

-- analyze_import_roster_users --
-- A temporary table has no statistics until it is told to.
ANALYZE import_roster_users;

-- analyze_import_roster_roles --
-- Likewise.
ANALYZE import_roster_roles;

-- analyze_import_roster_classes --
-- Likewise.
ANALYZE import_roster_classes;

-- analyze_import_roster_orgs --
-- Likewise.
ANALYZE import_roster_orgs;

-- newest_enrollment_change --
-- The last day on which an enrollment began or ended. Parameters: district.
SELECT max(greatest(starts_on, ends_on)) FROM enrollments WHERE district_id = $1;

-- tell_roster_students --
-- Who is a student, where the roles tell: whoever has a role of one. In a delta, also a known student whose roles did
-- not change; there a secondary role that ends leaves the primary one. Parameters: district, whether all roles are there.
WITH told AS (
    SELECT user_key, bool_and(is_gone) AND bool_or(is_primary OR $2) AS is_gone
    FROM import_roster_roles
    WHERE is_student
    GROUP BY user_key
)
UPDATE import_roster_users AS u
SET is_student = t.user_key IS NOT NULL OR (
        NOT $2::boolean AND EXISTS (SELECT FROM enrollments AS e WHERE e.district_id = $1 AND e.student = u.student)
    ),
    is_gone = u.is_gone OR coalesce(t.is_gone, false)
FROM import_roster_users AS self
LEFT JOIN told AS t USING (user_key)
WHERE self.row_number = u.row_number AND u.is_student IS NULL;

-- roster_without_roles --
-- What a delta leaves open: users who have no role in it and are no known students, and students' roles whose users are
-- not in it.
SELECT
    (SELECT count(*) FROM import_roster_users AS u
     WHERE NOT u.is_student AND NOT u.is_gone
        AND NOT EXISTS (SELECT FROM import_roster_roles AS r WHERE r.user_key = u.user_key)) AS without_role,
    (SELECT count(DISTINCT r.user_key) FROM import_roster_roles AS r
     WHERE r.is_student
        AND NOT EXISTS (SELECT FROM import_roster_users AS u WHERE u.user_key = r.user_key)) AS roles_alone;

-- drop_roster_staff --
-- Only students are enrolled.
DELETE FROM import_roster_users WHERE NOT is_student;

-- place_roster_students --
-- The school of each student: the first of its own orgs that is one, else that of the first primary role, else of
-- another role. A school that is left out counts only where there is no other; what is no school, last.
WITH places AS (
    SELECT u.row_number, p.org, 0 AS rank, p.place
    FROM import_roster_users AS u CROSS JOIN LATERAL unnest(u.orgs) WITH ORDINALITY AS p (org, place)
    UNION ALL
    SELECT u.row_number, r.org, CASE WHEN r.is_primary THEN 1 ELSE 2 END, r.row_number
    FROM import_roster_users AS u JOIN import_roster_roles AS r USING (user_key)
    WHERE r.is_student AND NOT r.is_gone
), chosen AS (
    SELECT
        p.row_number,
        (array_agg(p.org ORDER BY
            CASE o.standing WHEN 'no_school' THEN 2 WHEN 'left_out' THEN 1 ELSE 0 END, p.rank, p.place))[1] AS org,
        count(DISTINCT p.org) FILTER (WHERE o.standing IN ('school', 'unmatched')) > 1 AS is_at_several
    FROM places AS p JOIN import_roster_orgs AS o USING (org)
    GROUP BY p.row_number
)
UPDATE import_roster_users AS u
SET org = o.org, school_id = o.school_id, standing = o.standing, is_at_several = c.is_at_several
FROM chosen AS c JOIN import_roster_orgs AS o USING (org)
WHERE c.row_number = u.row_number;

-- find_roster_students_elsewhere --
-- Students who take classes at another school than the one they are counted at.
UPDATE import_roster_users AS u
SET is_at_several = true
FROM import_roster_classes AS c
JOIN import_roster_orgs AS o USING (org)
WHERE c.user_key = u.user_key AND c.org <> u.org AND o.standing IN ('school', 'unmatched');

-- refuse_roster_students --
-- Those without a key and, unless they are gone, without a school.
UPDATE import_roster_users
SET reason = CASE WHEN student = '' THEN 'no_key' ELSE 'misplaced' END
WHERE student = '' OR (NOT is_gone AND coalesce(standing, 'no_school') IN ('unmatched', 'no_school'));

-- refuse_repeated_users --
-- The same user again: 'repeat' where it is told the same, 'told_differently' where not.
WITH numbered AS (
    SELECT *, first_value(row_number) OVER (PARTITION BY user_key ORDER BY row_number) AS first_row
    FROM import_roster_users
    WHERE reason IS NULL
)
UPDATE import_roster_users AS u
SET other_row = n.first_row,
    reason = CASE WHEN (n.student, n.is_gone, n.org, n.grade) IS NOT DISTINCT FROM (f.student, f.is_gone, f.org, f.grade)
                  THEN 'repeat' ELSE 'told_differently' END
FROM numbered AS n
JOIN import_roster_users AS f ON f.row_number = n.first_row
WHERE n.row_number = u.row_number AND n.first_row < n.row_number;

-- pass_over_same_students --
-- Several users who are one student: the first active one counts.
WITH numbered AS (
    SELECT row_number, first_value(row_number) OVER (PARTITION BY student ORDER BY is_gone, row_number) AS first_row
    FROM import_roster_users
    WHERE reason IS NULL
)
UPDATE import_roster_users AS u
SET reason = 'same_student', other_row = n.first_row
FROM numbered AS n
WHERE n.row_number = u.row_number AND n.first_row <> n.row_number;

-- judged_roster --
-- What was found of the students.
SELECT
    count(*) AS students,
    count(*) FILTER (WHERE reason = 'repeat') AS repeated,
    count(*) FILTER (WHERE reason IS NULL AND NOT is_gone AND is_at_several) AS at_several,
    count(*) FILTER (WHERE reason = 'same_student') AS same_student,
    count(*) FILTER (WHERE reason IS NULL AND NOT is_gone AND standing = 'left_out') AS left_out,
    count(*) FILTER (WHERE reason IS NULL AND NOT is_gone AND has_strange_grade) AS strange_grades,
    min(row_number) FILTER (WHERE reason IS NULL AND NOT is_gone AND has_strange_grade) AS first_strange_grade
FROM import_roster_users;

-- refused_roster_students --
-- Rows that are refused one by one, in the file's order.
SELECT row_number, reason, other_row FROM import_roster_users
WHERE reason IN ('no_key', 'told_differently')
ORDER BY row_number;

-- misplaced_roster_students --
-- Students whose school is not known, by org, the largest first.
SELECT org, count(*) AS students, min(row_number) AS first_row FROM import_roster_users
WHERE reason = 'misplaced'
GROUP BY org
ORDER BY students DESC, first_row;

-- find_enrollment_changes --
-- Compares the roster with the enrollments that are open. A student who comes back on the day on which they left never
-- left. Parameters: district, day, first day of the first students of a school, whether those who are absent have left.
WITH present AS (
    SELECT student, school_id, grade FROM import_roster_users
    WHERE reason IS NULL AND NOT is_gone AND school_id IS NOT NULL
), open AS (
    SELECT student, starts_on, school_id, grade FROM enrollments WHERE district_id = $1 AND ends_on IS NULL
), past AS (
    SELECT DISTINCT ON (student) student, starts_on, ends_on, school_id, grade
    FROM enrollments
    WHERE district_id = $1 AND ends_on IS NOT NULL
    ORDER BY student, starts_on DESC
), known_schools AS (
    SELECT DISTINCT school_id FROM enrollments WHERE district_id = $1
), compared AS (
    SELECT
        coalesce(p.student, o.student) AS student,
        CASE
            WHEN p.student IS NULL THEN 'left'
            WHEN o.student IS NULL AND b.student IS NULL THEN 'new'
            WHEN o.student IS NULL AND b.ends_on = $2 AND b.school_id = p.school_id
                AND b.grade IS NOT DISTINCT FROM coalesce(p.grade, b.grade) THEN 'reopened'
            WHEN o.student IS NULL THEN 'returned'
            WHEN o.school_id <> p.school_id THEN 'moved'
            WHEN o.grade <> p.grade THEN 'regraded'
            WHEN o.grade IS NULL AND p.grade IS NOT NULL THEN 'grade_told'
        END AS change,
        coalesce(o.starts_on, b.starts_on, CASE WHEN k.school_id IS NULL THEN $3 ELSE $2 END) AS starts_on,
        p.school_id,
        coalesce(p.grade, CASE WHEN o.school_id = p.school_id THEN o.grade END) AS grade
    FROM present AS p
    FULL JOIN open AS o USING (student)
    LEFT JOIN past AS b ON b.student = p.student
    LEFT JOIN known_schools AS k ON k.school_id = p.school_id
    WHERE p.student IS NOT NULL
        OR EXISTS (SELECT FROM import_roster_users AS u WHERE u.student = o.student AND u.reason IS NULL)
        OR ($4 AND NOT EXISTS (SELECT FROM import_roster_users AS u WHERE u.student = o.student))
)
INSERT INTO import_roster_changes (student, change, starts_on, school_id, grade)
SELECT student, change, starts_on, school_id, grade FROM compared WHERE change IS NOT NULL;

-- enrollment_changes --
-- How many students the roster changes in which way, and the earliest day that it affects. Parameters: district, day.
SELECT
    (SELECT count(*) FROM enrollments WHERE district_id = $1 AND ends_on IS NULL) AS before,
    (SELECT count(*) FROM import_roster_users WHERE reason IS NULL AND NOT is_gone AND school_id IS NOT NULL) AS present,
    count(*) FILTER (WHERE change IN ('new', 'returned', 'reopened')) AS new,
    count(*) FILTER (WHERE change = 'moved') AS moved,
    count(*) FILTER (WHERE change IN ('regraded', 'grade_told')) AS regraded,
    count(*) FILTER (WHERE change = 'left') AS "left",
    min(CASE
        WHEN change = 'new' THEN starts_on
        WHEN change NOT IN ('regraded', 'grade_told') THEN $2::date
    END) AS first_on
FROM import_roster_changes;

-- drop_enrollments_of_the_day --
-- Who began on the very day on which they left was never there. Parameters: district, day.
DELETE FROM enrollments AS e
USING import_roster_changes AS c
WHERE e.district_id = $1 AND e.student = c.student AND e.starts_on = $2 AND c.starts_on = $2 AND c.change = 'left';

-- end_enrollments --
-- Of those who left, and of those who go on at another school or in another grade. Parameters: district, day.
UPDATE enrollments AS e SET ends_on = $2
FROM import_roster_changes AS c
WHERE e.district_id = $1 AND e.student = c.student AND e.starts_on = c.starts_on AND e.starts_on < $2
    AND c.change IN ('left', 'moved', 'regraded');

-- correct_enrollments --
-- What is told otherwise on the day on which it began, a grade that was not told until now, and students who come back
-- on the day on which they left. Parameters: district, day.
UPDATE enrollments AS e SET ends_on = NULL, school_id = c.school_id, grade = c.grade
FROM import_roster_changes AS c
WHERE e.district_id = $1 AND e.student = c.student AND e.starts_on = c.starts_on
    AND (c.change IN ('grade_told', 'reopened') OR (c.change IN ('moved', 'regraded') AND c.starts_on = $2));

-- begin_enrollments --
-- Parameters: district, day.
INSERT INTO enrollments (district_id, student, starts_on, school_id, grade)
SELECT $1, student, CASE WHEN change = 'new' THEN starts_on ELSE $2 END, school_id, grade
FROM import_roster_changes
WHERE change IN ('new', 'returned') OR (change IN ('moved', 'regraded') AND starts_on < $2);

-- enrolled_by_grade --
-- Students of each school and grade on a day. Parameters: district, day.
SELECT s.ncessch, s.name, e.grade, count(*) AS students
FROM enrollments AS e
JOIN schools AS s USING (district_id, school_id)
WHERE e.district_id = $1 AND e.starts_on <= $2 AND (e.ends_on IS NULL OR e.ends_on > $2)
GROUP BY s.ncessch, s.name, e.grade
ORDER BY s.name, s.ncessch, e.grade;
