-- The records of a program as districts keep them: rosters, answers, plans, supports, waitlists; and the undoing of
-- imports.

CREATE TYPE need_mode AS ENUM (
    'student',   -- a loan serves its borrower
    'household'  -- a loan serves every student in need of the home
);

CREATE TYPE need_source AS ENUM (
    'totals',  -- the school's own totals
    'answers'  -- one answer per student
);

CREATE TYPE internet_access_type AS ENUM (
    'residential_broadband', 'cellular_network', 'hot_spot', 'community_wifi', 'satellite', 'dial_up', 'other', 'none',
    'unknown'
);

CREATE TYPE internet_barrier AS ENUM ('not_available', 'not_affordable', 'not_desired', 'other');

CREATE TYPE internet_performance AS ENUM (
    'yes',        -- few interruptions or none
    'sometimes',  -- regular interruptions
    'no'          -- schoolwork cannot be completed
);

CREATE TYPE need_indicator AS ENUM (
    'isp',          -- identified students / enrolled (community eligibility)
    'frpl',         -- free and reduced-price lunch / enrolled
    'direct_cert',  -- directly certified / enrolled
    'title1',
    'local'
);

CREATE TYPE support_kind AS ENUM ('library_hours', 'activity_bus', 'community_wifi');

ALTER TYPE allowance_period ADD VALUE 'year' AFTER 'cycle';
ALTER TYPE state_reason ADD VALUE 'year_allowance' AFTER 'cycle_allowance';
ALTER TYPE state_reason ADD VALUE 'pool_allowance' AFTER 'year_allowance';

ALTER TABLE districts ADD COLUMN need_mode need_mode NOT NULL DEFAULT 'student';

ALTER TABLE schools
    ADD COLUMN indicator need_indicator,           -- what high_needs was decided by; NULL: not told
    ADD COLUMN indicator_value double precision,   -- a share, may exceed 1; NULL where it has no number
    ADD COLUMN indicator_year text;                -- the school year it is of, as 2025-26

-- Which school a student belongs to, and when: one at a time. The student is a pseudonym.
CREATE TABLE enrollments (
    district_id  integer NOT NULL,
    student      text NOT NULL,
    starts_on    date NOT NULL,
    ends_on      date,             -- the first day no longer; NULL: still there
    school_id    bigint NOT NULL,
    grade        text,             -- as the roster codes it: KG, 01 to 12; NULL: not told
    PRIMARY KEY (district_id, student, starts_on),
    FOREIGN KEY (district_id, school_id) REFERENCES schools,
    CHECK (ends_on > starts_on)
);
CREATE INDEX enrollments_school ON enrollments (district_id, school_id);

-- What a student answered, or staff documented, on a date. Need is decided from it day by day.
CREATE TABLE need_answers (
    district_id             integer NOT NULL REFERENCES districts,
    student                 text NOT NULL,                   -- pseudonym
    answered_on             date NOT NULL,
    school_id               bigint,                          -- as the answer tells; the roster, where there is one, decides
    household               text NOT NULL DEFAULT '',        -- pseudonym; '': not told
    has_access              boolean,                         -- online at home on the primary learning device
    barrier                 internet_barrier,
    access_type             internet_access_type,
    performance             internet_performance,
    is_documented_by_staff  boolean NOT NULL DEFAULT false,  -- staff vouch for the need
    PRIMARY KEY (district_id, student, answered_on),
    FOREIGN KEY (district_id, school_id) REFERENCES schools
);
CREATE INDEX need_answers_school ON need_answers (district_id, school_id);
CREATE INDEX need_answers_day ON need_answers (district_id, answered_on);
CREATE INDEX need_answers_household ON need_answers (district_id, household) WHERE household <> '';

-- Unfilled requests at a school.
CREATE TABLE waitlist_counts (
    district_id  integer NOT NULL,
    school_id    bigint NOT NULL,
    as_of_on     date NOT NULL,
    requests     integer NOT NULL CHECK (requests >= 0),
    PRIMARY KEY (district_id, school_id, as_of_on),
    FOREIGN KEY (district_id, school_id) REFERENCES schools
);

-- What else helps: shown beside coverage, never inside it.
CREATE TABLE supports (
    district_id   integer NOT NULL,
    school_id     bigint NOT NULL,
    kind          support_kind NOT NULL,
    name          text NOT NULL,            -- of the library, the route or the public place
    starts_on     date NOT NULL,
    ends_on       date,                     -- the first day no longer; NULL: it goes on
    weekly_hours  numeric(5, 2) NOT NULL CHECK (weekly_hours >= 0 AND weekly_hours <= 168),
    PRIMARY KEY (district_id, school_id, kind, name, starts_on),
    FOREIGN KEY (district_id, school_id) REFERENCES schools,
    CHECK (ends_on > starts_on)
);

ALTER TABLE plans
    ADD COLUMN is_configured boolean NOT NULL DEFAULT true,  -- by the configuration file; else by an import
    ADD COLUMN is_pooled boolean NOT NULL DEFAULT false,     -- the lines' allowances are one pool
    ADD COLUMN provider text,
    ADD COLUMN download_mbps real,
    ADD COLUMN upload_mbps real,
    ADD COLUMN starts_on date,                               -- a yearly allowance begins anew on its anniversaries
    ADD COLUMN ends_on date,                                 -- the first day without service; NULL: not told
    ALTER COLUMN is_configured SET DEFAULT false;

ALTER TABLE lines
    ADD COLUMN is_plan_told boolean NOT NULL DEFAULT false;  -- by an import: it stands before the account's plan

ALTER TABLE line_days
    ADD COLUMN cycle_bytes bigint;  -- last total of the cycle read on the day, for yearly and pooled allowances

-- What a line has used of a yearly or a pooled allowance: each day goes on from the one before.
CREATE TABLE allowance_days (
    district_id       integer NOT NULL,
    on_day            date NOT NULL,
    line_id           bigint NOT NULL,
    plan_id           bigint NOT NULL,
    period_starts_on  date NOT NULL,
    period_ends_on    date NOT NULL,     -- its last day
    carried_bytes     bigint NOT NULL,   -- known use of the period before the day
    used_bytes        bigint NOT NULL,   -- known use of the day
    told_bytes        bigint,            -- the largest total that the vendor told within the period; NULL: none
    is_exhausted      boolean NOT NULL,  -- the larger of the two is the allowance or more, or the pool's sum is
    PRIMARY KEY (district_id, on_day, line_id)
) PARTITION BY RANGE (on_day);

-- Makes the monthly partitions that cover the given days where they are missing; returns how many it made.
CREATE OR REPLACE FUNCTION ensure_partitions(first_on date, last_on date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    month date;
    partition_name text;
    made integer := 0;
BEGIN
    FOREACH parent IN ARRAY ARRAY[
        'usage_readings', 'state_readings', 'signal_readings', 'session_readings', 'line_days', 'loan_days',
        'allowance_days', 'student_device_days'
    ] LOOP
        month := date_trunc('month', first_on);
        WHILE month <= last_on LOOP
            partition_name := parent || to_char(month, '_YYYYMM');
            IF to_regclass(partition_name) IS NULL THEN
                PERFORM pg_advisory_xact_lock(1634034291);  -- whoever is second finds it made
            END IF;
            IF NOT EXISTS (
                SELECT FROM pg_class
                WHERE relname = partition_name AND relnamespace = current_schema()::regnamespace
            ) THEN
                EXECUTE format(
                    'CREATE TABLE IF NOT EXISTS %I PARTITION OF %I FOR VALUES FROM (%L) TO (%L)',
                    partition_name, parent,
                    CASE WHEN parent LIKE '%readings' THEN month::text || ' 00:00:00+00' ELSE month::text END,
                    CASE WHEN parent LIKE '%readings' THEN (month + interval '1 month')::date::text || ' 00:00:00+00'
                         ELSE (month + interval '1 month')::date::text END
                );
                made := made + 1;
            END IF;
            month := month + interval '1 month';
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

ALTER TABLE loans
    ADD COLUMN source text NOT NULL DEFAULT '',   -- which loan system told of it: a full file closes only its own
    ADD COLUMN lost_on date;                      -- the day it was reported lost, stolen or broken
CREATE INDEX loans_borrower ON loans (district_id, borrower) WHERE borrower <> '';
CREATE INDEX loans_household ON loans (district_id, household) WHERE household <> '';

ALTER TABLE school_days
    ADD COLUMN need_source need_source,        -- NULL: need is unknown
    ADD COLUMN served_outside_need integer,    -- students with an open loan who are not in need; NULL: totals do not tell
    ADD COLUMN unattributed integer;           -- open loans that name no borrower, where need is known by student

ALTER TABLE imports
    ADD COLUMN first_on date,           -- the earliest day whose figures it changed; NULL: none
    ADD COLUMN undone_at timestamptz;

-- What the newest import of each kind changed, row by row, so that it can be undone.
CREATE TABLE import_changes (
    district_id  integer NOT NULL,
    change_id    bigint GENERATED ALWAYS AS IDENTITY,
    import_id    bigint NOT NULL,
    table_name   text NOT NULL,
    before       jsonb,  -- NULL: the row is new
    after        jsonb,  -- NULL: the row is gone
    PRIMARY KEY (district_id, change_id),
    FOREIGN KEY (district_id, import_id) REFERENCES imports
);
CREATE INDEX import_changes_import ON import_changes (district_id, import_id);

-- The first day that a count or an answer can be of and still be valid on a day: each is valid to the end of the school
-- year after its own.
CREATE FUNCTION valid_since(of_district integer, of_day date) RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT (y.starts_on - CASE WHEN of_day < y.starts_on THEN interval '2 years' ELSE interval '1 year' END)::date
    FROM districts AS d
    CROSS JOIN LATERAL (
        SELECT make_date(
            extract(year FROM of_day)::integer,
            split_part(d.school_year_starts, '-', 1)::integer,
            split_part(d.school_year_starts, '-', 2)::integer
        ) AS starts_on
    ) AS y
    WHERE d.district_id = of_district
$$;

-- What is known on a day of every student whose newest answer is valid then. A student belongs to the school that the
-- roster says (NULL: to none, having left), or, where no roster has ever named them, to the school of their answer.
-- Lending does not end need: who is online by our own hotspot, lent on the day of the answer, is in need of it.
CREATE FUNCTION answers_on(of_district integer, of_day date)
RETURNS TABLE (
    student               text,
    school_id             bigint,
    household             text,     -- '' where the district does not count by household
    answered_on           date,
    is_answered           boolean,  -- with anything that can be used
    is_in_need            boolean,  -- for at least one of the reasons that follow
    says_no               boolean,
    lacks_by_type         boolean,
    lacks_by_performance  boolean,
    is_documented         boolean,
    has_our_hotspot       boolean
)
LANGUAGE sql STABLE AS $$
    WITH valid AS (
        -- the newest; joined, as sorting hundreds of thousands takes longer
        SELECT
            n.student, n.school_id, n.answered_on, n.has_access, n.access_type, n.performance, n.is_documented_by_staff,
            -- not carried along where no loan serves a home
            CASE WHEN (SELECT d.need_mode FROM districts AS d WHERE d.district_id = of_district) = 'household'
                THEN n.household ELSE '' END AS household
        FROM need_answers AS n
        WHERE n.district_id = of_district AND n.answered_on <= of_day
            AND n.answered_on >= (SELECT valid_since(of_district, of_day))
            AND NOT EXISTS (
                SELECT
                FROM need_answers AS l
                WHERE l.district_id = of_district AND l.student = n.student AND l.answered_on > n.answered_on
                    AND l.answered_on <= of_day AND l.answered_on >= (SELECT valid_since(of_district, of_day))
            )
    ),
    lent AS (
        SELECT l.borrower, l.household, l.checked_out_on, l.returned_on
        FROM loans AS l
        JOIN devices AS d USING (district_id, device_id)
        WHERE l.district_id = of_district AND l.checked_out_on <= of_day AND d.kind IN ('hotspot', 'fixed_router')
    ),
    our_hotspots AS (
        SELECT v.student
        FROM valid AS v
        JOIN lent AS l ON l.borrower = v.student
        WHERE v.access_type = 'hot_spot'
            AND l.checked_out_on <= v.answered_on AND (l.returned_on IS NULL OR l.returned_on > v.answered_on)
        UNION
        SELECT v.student
        FROM valid AS v
        JOIN lent AS l ON l.household = v.household
        WHERE v.access_type = 'hot_spot' AND v.household <> ''
            AND l.checked_out_on <= v.answered_on AND (l.returned_on IS NULL OR l.returned_on > v.answered_on)
    ),
    judged AS (
        SELECT
            v.student,
            CASE
                WHEN e.student IS NOT NULL THEN e.school_id
                WHEN (SELECT o.student FROM enrollments AS o
                      WHERE o.district_id = of_district AND o.student = v.student LIMIT 1) IS NULL THEN v.school_id
            END AS school_id,
            v.household, v.answered_on,
            v.has_access IS NOT NULL OR coalesce(v.access_type <> 'unknown', false) OR v.performance IS NOT NULL
                OR v.is_documented_by_staff AS is_answered,
            coalesce(NOT v.has_access, false) AS says_no,
            coalesce(v.access_type IN ('none', 'dial_up', 'cellular_network'), false) AS lacks_by_type,
            coalesce(v.performance = 'no', false) AS lacks_by_performance,
            v.is_documented_by_staff AS is_documented,
            h.student IS NOT NULL AS has_our_hotspot
        FROM valid AS v
        LEFT JOIN our_hotspots AS h USING (student)
        LEFT JOIN enrollments AS e ON e.district_id = of_district AND e.student = v.student
            AND e.starts_on <= of_day AND (e.ends_on IS NULL OR e.ends_on > of_day)
    )
    SELECT
        j.student, j.school_id, j.household, j.answered_on, j.is_answered,
        j.says_no OR j.lacks_by_type OR j.lacks_by_performance OR j.is_documented OR j.has_our_hotspot,
        j.says_no, j.lacks_by_type, j.lacks_by_performance, j.is_documented, j.has_our_hotspot
    FROM judged AS j
$$;

-- The district's figures on a day, over the schools whose need is known: a surplus at one school never hides a
-- shortage at another. Where one of them does not know how many students it has, neither does the district. The
-- loans that serve no student in need are those of the schools whose need is known by student.
CREATE OR REPLACE VIEW district_days AS
SELECT
    d.district_id,
    d.on_day,
    count(*) FILTER (WHERE d.need IS NOT NULL) AS schools_with_need,
    count(*) FILTER (WHERE d.need IS NULL) AS schools_without_need,
    CASE WHEN count(*) FILTER (WHERE d.need IS NOT NULL AND d.enrolled IS NULL) = 0
         THEN sum(d.enrolled) FILTER (WHERE d.need IS NOT NULL) END AS enrolled,
    sum(d.answered) FILTER (WHERE d.need IS NOT NULL) AS answered,
    sum(d.need) AS need,
    sum(d.loaned) FILTER (WHERE d.need IS NOT NULL) AS loaned,
    sum(d.active_30) FILTER (WHERE d.need IS NOT NULL) AS active_30,
    sum(d.active_7) FILTER (WHERE d.need IS NOT NULL) AS active_7,
    sum(d.adequate) FILTER (WHERE d.need IS NOT NULL) AS adequate,
    sum(d.unknown) FILTER (WHERE d.need IS NOT NULL) AS unknown,
    sum(least(d.adequate, d.need)) FILTER (WHERE d.need IS NOT NULL) AS covered,
    sum(greatest(0, d.need - d.loaned)) FILTER (WHERE d.need IS NOT NULL) AS unserved,
    CASE WHEN sum(d.loaned) FILTER (WHERE d.need IS NOT NULL) > 0
         THEN 1 - sum(d.unknown) FILTER (WHERE d.need IS NOT NULL)::double precision
             / sum(d.loaned) FILTER (WHERE d.need IS NOT NULL)
         ELSE 1 END AS completeness,
    sum(least(d.adequate, d.need)) FILTER (WHERE d.need IS NOT NULL)::double precision
        / nullif(sum(d.need), 0) AS coverage_if_complete,
    CASE WHEN count(*) FILTER (WHERE d.need IS NOT NULL AND d.enrolled IS NULL) = 0
         THEN sum(least(d.adequate, d.need + greatest(0, d.enrolled - d.answered)))
                 FILTER (WHERE d.need IS NOT NULL)::double precision
             / nullif(sum(d.need + greatest(0, d.enrolled - d.answered)) FILTER (WHERE d.need IS NOT NULL), 0)
         END AS coverage_low,
    sum(least(d.adequate + d.unknown, d.need)) FILTER (WHERE d.need IS NOT NULL)::double precision
        / nullif(sum(d.need), 0) AS coverage_high,
    sum(least(d.adequate, d.need)) FILTER (WHERE s.is_high_needs AND d.need IS NOT NULL)::double precision
        / nullif(sum(d.need) FILTER (WHERE s.is_high_needs), 0) AS high_needs_coverage_if_complete,
    sum(least(d.adequate, d.need)) FILTER (WHERE NOT s.is_high_needs AND d.need IS NOT NULL)::double precision
        / nullif(sum(d.need) FILTER (WHERE NOT s.is_high_needs), 0) AS other_coverage_if_complete,
    bool_or(d.is_out_of_session) AS is_out_of_session,
    sum(d.served_outside_need) AS served_outside_need,
    sum(d.unattributed) AS unattributed
FROM school_days AS d
JOIN schools AS s USING (district_id, school_id)
GROUP BY d.district_id, d.on_day;

-- Keeps a copy, to the end of the transaction, of the rows of a table that an import may change. Filter: a condition
-- on them. Tables are named in the order in which their rows may be made.
CREATE FUNCTION watch_rows(watched text, filter text) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS watched_tables (
        watched_id integer GENERATED ALWAYS AS IDENTITY, table_name text NOT NULL, filter text NOT NULL
    ) ON COMMIT DROP;
    INSERT INTO watched_tables (table_name, filter) VALUES (watched, filter);
    EXECUTE format(
        'CREATE TEMP TABLE %I ON COMMIT DROP AS SELECT * FROM %I WHERE %s', 'before_' || watched, watched, filter
    );
END
$$;

CREATE FUNCTION primary_key_of(watched text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT string_agg(quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_index AS i
    JOIN pg_attribute AS a ON a.attrelid = i.indrelid AND a.attnum = ANY (i.indkey)
    WHERE i.indrelid = to_regclass(watched) AND i.indisprimary
$$;

-- The columns of a table beside its primary key.
CREATE FUNCTION other_columns_of(watched text, prefix text) RETURNS text
LANGUAGE sql STABLE AS $$
    SELECT string_agg(prefix || quote_ident(a.attname), ', ' ORDER BY a.attnum)
    FROM pg_attribute AS a
    JOIN pg_index AS i ON i.indrelid = a.attrelid AND i.indisprimary
    WHERE a.attrelid = to_regclass(watched) AND a.attnum > 0 AND NOT a.attisdropped AND NOT a.attnum = ANY (i.indkey)
$$;

-- Writes down what became of the watched rows. Of each kind only the newest import that changed anything can be undone:
-- what older ones changed is forgotten. Returns how many rows changed.
CREATE FUNCTION keep_changes(of_district integer, of_import bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    watched record;
    changed bigint;
    total bigint := 0;
BEGIN
    IF to_regclass('pg_temp.watched_tables') IS NULL THEN
        RETURN 0;
    END IF;
    FOR watched IN SELECT * FROM watched_tables ORDER BY watched_id LOOP
        EXECUTE format(
            'WITH gone AS (SELECT * FROM pg_temp.%1$I EXCEPT SELECT * FROM %2$I WHERE %3$s),
                  come AS (SELECT * FROM %2$I WHERE %3$s EXCEPT SELECT * FROM pg_temp.%1$I)
             INSERT INTO import_changes (district_id, import_id, table_name, before, after)
             SELECT $1, $2, %2$L, to_jsonb(gone), to_jsonb(come) FROM gone FULL JOIN come USING (%4$s)',
            'before_' || watched.table_name, watched.table_name, watched.filter, primary_key_of(watched.table_name)
        ) USING of_district, of_import;
        GET DIAGNOSTICS changed = ROW_COUNT;
        total := total + changed;
    END LOOP;
    DELETE FROM import_changes AS c
    USING imports AS i
    WHERE total > 0 AND c.district_id = of_district AND c.import_id <> of_import
        AND i.district_id = c.district_id AND i.import_id = c.import_id
        AND i.kind = (SELECT n.kind FROM imports AS n WHERE n.district_id = of_district AND n.import_id = of_import);
    RETURN total;
END
$$;

-- How many rows are no longer as an import left them.
CREATE FUNCTION changed_since(of_district integer, of_import bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    watched text;
    changed bigint;
    total bigint := 0;
BEGIN
    FOR watched IN
        SELECT DISTINCT table_name FROM import_changes WHERE district_id = of_district AND import_id = of_import
    LOOP
        EXECUTE format(
            'SELECT count(*)
             FROM (
                 SELECT told.*, c.after AS left_as FROM import_changes AS c
                 CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$I, coalesce(c.after, c.before)) AS told
                 WHERE c.district_id = $1 AND c.import_id = $2 AND c.table_name = %1$L
             ) AS changed
             LEFT JOIN %1$I AS present USING (%2$s)
             WHERE to_jsonb(present) IS DISTINCT FROM changed.left_as',
            watched, primary_key_of(watched)
        ) INTO changed USING of_district, of_import;
        total := total + changed;
    END LOOP;
    RETURN total;
END
$$;

-- Puts the rows back that an import changed, the last table first. Returns how many.
CREATE FUNCTION undo_changes(of_district integer, of_import bigint) RETURNS bigint
LANGUAGE plpgsql AS $$
DECLARE
    watched text;
    changed bigint;
    total bigint := 0;
BEGIN
    FOR watched IN
        SELECT table_name FROM import_changes WHERE district_id = of_district AND import_id = of_import
        GROUP BY table_name ORDER BY min(change_id) DESC
    LOOP
        EXECUTE format(
            'DELETE FROM %1$I WHERE (%2$s) IN (
                 SELECT %2$s FROM (
                     SELECT told.* FROM import_changes AS c
                     CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$I, c.after) AS told
                     WHERE c.district_id = $1 AND c.import_id = $2 AND c.table_name = %1$L AND c.before IS NULL
                 ) AS made
             )',
            watched, primary_key_of(watched)
        ) USING of_district, of_import;
        GET DIAGNOSTICS changed = ROW_COUNT;
        total := total + changed;
        EXECUTE format(
            'INSERT INTO %1$I OVERRIDING SYSTEM VALUE
             SELECT told.* FROM import_changes AS c
             CROSS JOIN LATERAL jsonb_populate_record(NULL::%1$I, c.before) AS told
             WHERE c.district_id = $1 AND c.import_id = $2 AND c.table_name = %1$L AND c.before IS NOT NULL
             ON CONFLICT (%2$s) DO UPDATE SET (%3$s) = ROW (%4$s)',
            watched, primary_key_of(watched), other_columns_of(watched, ''), other_columns_of(watched, 'excluded.')
        ) USING of_district, of_import;
        GET DIAGNOSTICS changed = ROW_COUNT;
        total := total + changed;
    END LOOP;
    RETURN total;
END
$$;

-- What reconciliation is judged on: the district's reported day, and the instant at its end. What was wrong on that day
-- and is known to have been put right since is not found.
CREATE VIEW reconciliation_days AS
SELECT
    d.district_id,
    d.need_mode,
    r.on_day,
    (r.on_day + 1)::timestamp AT TIME ZONE d.time_zone AS ends_at,
    d.time_zone
FROM districts AS d
CROSS JOIN LATERAL (
    SELECT d.computed_through_on - 1
        - coalesce(max(a.lag_days) FILTER (WHERE a.collector <> 'file' AND a.is_in_use), 0) AS on_day
    FROM accounts AS a
    WHERE a.district_id = d.district_id
) AS r
WHERE r.on_day IS NOT NULL;

-- What the best source told of a line's status on a day, where that was fresh; no row: nothing is known.
CREATE FUNCTION line_status_on(of_district integer, of_line bigint, of_day date)
RETURNS TABLE (status line_status)
LANGUAGE sql STABLE AS $$
    SELECT o.status
    FROM line_days AS o
    JOIN accounts AS a USING (district_id, account_id)
    WHERE o.district_id = of_district AND o.on_day = of_day AND o.line_id = of_line
        AND o.is_state_fresh AND o.status IS NOT NULL
    ORDER BY a.rank, o.account_id
    LIMIT 1
$$;

-- Every loan of a hotspot or a router that stays at home which was open on the reported day and has not ended since.
CREATE VIEW reconciliation_loans AS
SELECT
    d.district_id, d.on_day, l.loan_id, l.device_id, v.kind AS device_kind, l.school_id, l.borrower, l.household,
    l.checked_out_on, l.lost_on
FROM reconciliation_days AS d
JOIN loans AS l ON l.district_id = d.district_id AND l.checked_out_on <= d.on_day
    AND (l.returned_on IS NULL OR l.returned_on > d.on_day)
JOIN devices AS v ON v.district_id = l.district_id AND v.device_id = l.device_id
WHERE v.kind IN ('hotspot', 'fixed_router');

-- Active lines whose hotspot or home router nobody has on loan. Since the last loan ended, or since the line is known
-- to be in it.
CREATE VIEW reconciliation_line_without_loan AS
SELECT
    d.district_id, d.on_day, x.school_id, x.device_id, x.line_id, x.loan_id, NULL::bigint AS other_school_id,
    NULL::bigint AS other_device_id, NULL::bigint AS other_loan_id,
    CASE WHEN x.loan_id IS NULL THEN 'never_lent' ELSE 'returned' END AS reason,
    x.since_on, d.on_day - x.since_on AS days, NULL::bigint AS used_bytes, x.monthly_cost
FROM reconciliation_days AS d
CROSS JOIN LATERAL (
    WITH unlent AS MATERIALIZED (
        SELECT k.device_id, k.line_id, k.starts_at
        FROM line_device_links AS k
        JOIN devices AS v USING (district_id, device_id)
        WHERE k.district_id = d.district_id AND k.starts_at < d.ends_at AND k.ends_at IS NULL
            AND v.kind IN ('hotspot', 'fixed_router')
            AND NOT EXISTS (
                SELECT
                FROM loans AS o
                WHERE o.district_id = d.district_id AND o.device_id = k.device_id
                    AND (o.returned_on IS NULL OR o.returned_on > d.on_day)
            )
    )
    SELECT
        u.device_id, u.line_id, b.loan_id, coalesce(b.school_id, g.school_id) AS school_id, p.monthly_cost,
        greatest(b.returned_on, (greatest(u.starts_at, n.observed_since) AT TIME ZONE d.time_zone)::date) AS since_on
    FROM unlent AS u
    CROSS JOIN LATERAL line_status_on(d.district_id, u.line_id, d.on_day) AS s
    JOIN lines AS n ON n.district_id = d.district_id AND n.line_id = u.line_id
    LEFT JOIN plans AS p ON p.district_id = n.district_id AND p.plan_id = n.plan_id
    LEFT JOIN LATERAL (
        SELECT l.loan_id, l.school_id, l.returned_on
        FROM loans AS l
        WHERE l.district_id = d.district_id AND l.device_id = u.device_id
        ORDER BY l.returned_on DESC, l.loan_id DESC
        LIMIT 1
    ) AS b ON true
    LEFT JOIN LATERAL (
        -- where it was never lent: the school whose devices its vendor's group holds
        SELECT q.school_id
        FROM latest_states AS t
        JOIN provider_groups AS q USING (district_id, account_id, group_key)
        WHERE t.district_id = d.district_id AND t.line_id = u.line_id AND q.school_id IS NOT NULL
        ORDER BY t.read_at DESC, t.account_id
        LIMIT 1
    ) AS g ON b.loan_id IS NULL
    WHERE s.status = 'active' AND NOT EXISTS (
        SELECT
        FROM latest_states AS t
        WHERE t.district_id = d.district_id AND t.line_id = u.line_id AND t.read_at >= d.ends_at
            AND t.status IN ('suspended', 'deactivated')
    )
    OFFSET 0
) AS x;

-- Open loans whose lines are all suspended or deactivated: but for those reported lost, and for a season's suspension
-- while the school is known to be, or may be, out of session. Looks back 30 days for the first such day.
CREATE VIEW reconciliation_loan_on_suspended_line AS
SELECT
    d.district_id, d.on_day, x.school_id, x.device_id, x.line_id, x.loan_id, NULL::bigint AS other_school_id,
    NULL::bigint AS other_device_id, NULL::bigint AS other_loan_id, x.reason,
    x.since_on, d.on_day - x.since_on AS days, NULL::bigint AS used_bytes, NULL::numeric AS monthly_cost
FROM reconciliation_days AS d
CROSS JOIN LATERAL (
    SELECT
        o.school_id, l.device_id, k.line_id, l.loan_id, o.reason::text AS reason,
        greatest(l.checked_out_on, coalesce(b.on_day, d.on_day - 31) + 1) AS since_on
    FROM loan_days AS o
    JOIN loans AS l USING (district_id, loan_id)
    CROSS JOIN LATERAL (
        SELECT min(i.line_id) AS line_id
        FROM line_device_links AS i
        WHERE i.district_id = l.district_id AND i.device_id = l.device_id AND i.ends_at IS NULL
        HAVING NOT EXISTS (
            SELECT
            FROM line_device_links AS h
            JOIN latest_states AS t USING (district_id, line_id)
            WHERE h.district_id = d.district_id AND h.device_id = l.device_id AND h.ends_at IS NULL
                AND t.status = 'active' AND t.read_at >= d.ends_at
        )
    ) AS k
    CROSS JOIN LATERAL (
        -- the last day before that it was not suspended, as far as is known
        SELECT max(d.on_day - ago) AS on_day
        FROM generate_series(1, 30) AS ago
        LEFT JOIN LATERAL (
            SELECT q.state
            FROM loan_days AS q
            WHERE q.district_id = d.district_id AND q.on_day = d.on_day - ago AND q.loan_id = l.loan_id
            OFFSET 0
        ) AS p ON true
        WHERE p.state IS DISTINCT FROM 'suspended'
    ) AS b
    WHERE o.district_id = d.district_id AND o.on_day = d.on_day AND o.state = 'suspended'
        AND (l.returned_on IS NULL OR l.returned_on > d.on_day) AND l.lost_on IS NULL
        AND (o.reason <> 'season' OR EXISTS (
            SELECT
            FROM school_days AS c
            WHERE c.district_id = d.district_id AND c.school_id = o.school_id
                AND c.on_day BETWEEN d.on_day - 6 AND d.on_day AND c.is_instructional
        ))
    OFFSET 0
) AS x;

-- Lines that moved bytes in the last seven days, on whole days after their device's last return, with nobody having it
-- on loan. Of each line's day the best source alone speaks; a day that no source knows is no use and no rest.
CREATE VIEW reconciliation_use_after_return AS
SELECT
    d.district_id, d.on_day, x.school_id, x.device_id, x.line_id, x.loan_id, NULL::bigint AS other_school_id,
    NULL::bigint AS other_device_id, NULL::bigint AS other_loan_id, NULL::text AS reason,
    x.since_on, x.days, x.used_bytes, x.monthly_cost
FROM reconciliation_days AS d
CROSS JOIN LATERAL (
    WITH returned AS MATERIALIZED (
        SELECT l.device_id, max(l.returned_on) AS returned_on
        FROM loans AS l
        WHERE l.district_id = d.district_id
        GROUP BY l.device_id
        HAVING bool_and(l.returned_on IS NOT NULL) AND max(l.returned_on) < d.on_day
    ),
    told AS (
        SELECT DISTINCT ON (o.line_id, o.on_day)
            r.device_id, o.line_id, o.on_day, o.used_bytes
        FROM returned AS r
        JOIN line_device_links AS k ON k.district_id = d.district_id AND k.device_id = r.device_id
        JOIN line_days AS o ON o.district_id = d.district_id AND o.line_id = k.line_id
            AND o.on_day > d.on_day - 7 AND o.on_day <= d.on_day AND o.on_day > r.returned_on
            AND o.on_day::timestamp AT TIME ZONE d.time_zone >= k.starts_at
            AND (k.ends_at IS NULL OR (o.on_day + 1)::timestamp AT TIME ZONE d.time_zone <= k.ends_at)
        JOIN accounts AS a ON a.district_id = d.district_id AND a.account_id = o.account_id
        WHERE o.used_bytes IS NOT NULL
        ORDER BY o.line_id, o.on_day, a.rank, o.basis, o.account_id
    ),
    used AS MATERIALIZED (
        SELECT
            t.device_id, t.line_id, min(t.on_day) AS since_on, count(*)::integer AS days,
            sum(t.used_bytes)::bigint AS used_bytes
        FROM told AS t
        WHERE t.used_bytes > 0
        GROUP BY t.device_id, t.line_id
    )
    SELECT u.device_id, u.line_id, u.since_on, u.days, u.used_bytes, b.loan_id, b.school_id, p.monthly_cost
    FROM used AS u
    JOIN devices AS v ON v.district_id = d.district_id AND v.device_id = u.device_id
    JOIN lines AS n ON n.district_id = d.district_id AND n.line_id = u.line_id
    LEFT JOIN plans AS p ON p.district_id = n.district_id AND p.plan_id = n.plan_id
    CROSS JOIN LATERAL (
        SELECT l.loan_id, l.school_id
        FROM loans AS l
        WHERE l.district_id = d.district_id AND l.device_id = u.device_id
        ORDER BY l.returned_on DESC, l.loan_id DESC
        LIMIT 1
    ) AS b
    WHERE v.kind IN ('hotspot', 'fixed_router')
    OFFSET 0
) AS x;

-- Devices that were reported lost and have not come back, with a line that is still active.
CREATE VIEW reconciliation_lost_but_billed AS
SELECT
    d.district_id, d.on_day, x.school_id, x.device_id, x.line_id, x.loan_id, NULL::bigint AS other_school_id,
    NULL::bigint AS other_device_id, NULL::bigint AS other_loan_id, NULL::text AS reason,
    x.lost_on AS since_on, d.on_day - x.lost_on AS days, NULL::bigint AS used_bytes, x.monthly_cost
FROM reconciliation_days AS d
CROSS JOIN LATERAL (
    WITH lost AS MATERIALIZED (
        SELECT l.loan_id, l.device_id, l.school_id, l.lost_on, k.line_id
        FROM loans AS l
        JOIN devices AS v USING (district_id, device_id)
        JOIN line_device_links AS k ON k.district_id = d.district_id AND k.device_id = l.device_id
            AND k.starts_at < d.ends_at AND k.ends_at IS NULL
        WHERE l.district_id = d.district_id AND l.lost_on <= d.on_day AND l.checked_out_on <= d.on_day
            AND (l.returned_on IS NULL OR l.returned_on > d.on_day) AND v.kind IN ('hotspot', 'fixed_router')
    )
    SELECT l.loan_id, l.device_id, l.school_id, l.lost_on, l.line_id, p.monthly_cost
    FROM lost AS l
    CROSS JOIN LATERAL line_status_on(d.district_id, l.line_id, d.on_day) AS s
    JOIN lines AS n ON n.district_id = d.district_id AND n.line_id = l.line_id
    LEFT JOIN plans AS p ON p.district_id = n.district_id AND p.plan_id = n.plan_id
    WHERE s.status = 'active' AND NOT EXISTS (
        SELECT
        FROM latest_states AS t
        WHERE t.district_id = d.district_id AND t.line_id = l.line_id AND t.read_at >= d.ends_at
            AND t.status IN ('suspended', 'deactivated')
    )
    OFFSET 0
) AS x;

-- Open loans whose device lost its SIM: to another device while the loan was open, or to nowhere known and it holds
-- none. A device of which no source has ever told a line is not judged.
CREATE VIEW reconciliation_sim_moved AS
SELECT
    d.district_id, d.on_day, x.school_id, x.device_id, x.line_id, x.loan_id, NULL::bigint AS other_school_id,
    x.other_device_id, NULL::bigint AS other_loan_id,
    CASE WHEN x.is_empty THEN 'no_sim' ELSE 'another_sim' END AS reason,
    x.since_on, d.on_day - x.since_on AS days, NULL::bigint AS used_bytes, NULL::numeric AS monthly_cost
FROM reconciliation_days AS d
CROSS JOIN LATERAL (
    SELECT DISTINCT ON (l.loan_id)
        l.school_id, l.device_id, k.line_id, l.loan_id, e.device_id AS other_device_id, h.device_id IS NULL AS is_empty,
        greatest(l.checked_out_on, (k.ends_at AT TIME ZONE d.time_zone)::date) AS since_on
    FROM line_device_links AS k
    JOIN loans AS l ON l.district_id = d.district_id AND l.device_id = k.device_id
    JOIN devices AS v ON v.district_id = d.district_id AND v.device_id = k.device_id
    LEFT JOIN line_device_links AS e ON e.district_id = d.district_id AND e.line_id = k.line_id AND e.ends_at IS NULL
    LEFT JOIN (
        SELECT DISTINCT c.device_id
        FROM line_device_links AS c
        WHERE c.district_id = d.district_id AND c.ends_at IS NULL
    ) AS h ON h.device_id = k.device_id
    WHERE k.district_id = d.district_id AND k.ends_at < d.ends_at AND e.device_id IS DISTINCT FROM k.device_id
        AND v.kind IN ('hotspot', 'fixed_router')
        AND l.checked_out_on <= d.on_day AND (l.returned_on IS NULL OR l.returned_on > d.on_day)
        AND (h.device_id IS NULL OR (
            e.device_id IS NOT NULL AND k.ends_at >= l.checked_out_on::timestamp AT TIME ZONE d.time_zone
        ))
    ORDER BY l.loan_id, k.ends_at DESC, k.line_id
    OFFSET 0
) AS x;

-- Open loans of students whom the roster knows, and knows to have left, or to be at another school than the loan.
CREATE VIEW reconciliation_loan_after_leaving AS
SELECT
    d.district_id, d.on_day, x.school_id, x.device_id, NULL::bigint AS line_id, x.loan_id, x.other_school_id,
    NULL::bigint AS other_device_id, NULL::bigint AS other_loan_id,
    CASE WHEN x.is_enrolled THEN 'another_school' ELSE 'left_district' END AS reason,
    greatest(x.checked_out_on, CASE WHEN x.is_enrolled THEN x.starts_on ELSE x.left_on END) AS since_on,
    d.on_day - greatest(x.checked_out_on, CASE WHEN x.is_enrolled THEN x.starts_on ELSE x.left_on END) AS days,
    NULL::bigint AS used_bytes, NULL::numeric AS monthly_cost
FROM reconciliation_days AS d
CROSS JOIN LATERAL (
    SELECT
        l.loan_id, l.device_id, l.school_id, l.checked_out_on,
        bool_or(e.ends_on IS NULL OR e.ends_on > d.on_day) AS is_enrolled,
        max(e.ends_on) AS left_on,
        max(e.starts_on) FILTER (WHERE e.starts_on <= d.on_day) AS starts_on,
        max(e.school_id) FILTER (
            WHERE e.starts_on <= d.on_day AND (e.ends_on IS NULL OR e.ends_on > d.on_day)
        ) AS other_school_id
    FROM loans AS l
    JOIN devices AS v USING (district_id, device_id)
    JOIN enrollments AS e ON e.district_id = l.district_id AND e.student = l.borrower
    WHERE l.district_id = d.district_id AND l.borrower <> '' AND v.kind IN ('hotspot', 'fixed_router')
        AND l.checked_out_on <= d.on_day AND (l.returned_on IS NULL OR l.returned_on > d.on_day)
    GROUP BY l.loan_id, l.device_id, l.school_id, l.checked_out_on
    HAVING NOT bool_or(e.ends_on IS NULL OR e.ends_on > d.on_day)
        OR (bool_or(e.starts_on <= d.on_day AND (e.ends_on IS NULL OR e.ends_on > d.on_day))
            AND NOT bool_or(e.school_id = l.school_id AND (e.ends_on IS NULL OR e.ends_on > d.on_day)))
    OFFSET 0
) AS x;

-- Schools whose count of need cannot be relied upon: it is no longer valid, smaller than what was found working, more
-- than a year old (of answers: half of them), or of too few answers.
CREATE VIEW reconciliation_need_stale AS
SELECT
    d.district_id, d.on_day, x.school_id, NULL::bigint AS device_id, NULL::bigint AS line_id, NULL::bigint AS loan_id,
    NULL::bigint AS other_school_id, NULL::bigint AS other_device_id, NULL::bigint AS other_loan_id, x.reason,
    x.since_on, d.on_day - x.since_on AS days, NULL::bigint AS used_bytes, NULL::numeric AS monthly_cost
FROM reconciliation_days AS d
CROSS JOIN LATERAL (
    SELECT
        o.school_id,
        CASE
            WHEN o.need IS NULL THEN 'expired'
            WHEN o.is_need_exceeded THEN 'exceeded'
            WHEN c.as_of_on <= d.on_day - interval '1 year' THEN 'old'
            ELSE 'few_answers'
        END AS reason,
        c.as_of_on AS since_on
    FROM school_days AS o
    LEFT JOIN (
        SELECT n.school_id, max(n.as_of_on) AS as_of_on
        FROM need_counts AS n
        WHERE n.district_id = d.district_id AND n.as_of_on <= d.on_day
        GROUP BY n.school_id
    ) AS t USING (school_id)
    LEFT JOIN (
        -- a student has the newest answer alone; half of those that are valid are as old as the one in the middle
        SELECT
            coalesce(e.school_id, a.school_id) AS school_id,
            max(a.answered_on) AS newest_on,
            percentile_disc(0.5) WITHIN GROUP (ORDER BY a.answered_on)
                FILTER (WHERE a.answered_on >= (SELECT valid_since(d.district_id, d.on_day))) AS middle_on
        FROM (
            SELECT n.student, max(n.school_id) AS school_id, max(n.answered_on) AS answered_on
            FROM need_answers AS n
            WHERE n.district_id = d.district_id AND n.answered_on <= d.on_day
            GROUP BY n.student
        ) AS a
        LEFT JOIN (
            SELECT r.student, r.school_id
            FROM enrollments AS r
            WHERE r.district_id = d.district_id AND r.starts_on <= d.on_day
                AND (r.ends_on IS NULL OR r.ends_on > d.on_day)
            OFFSET 0
        ) AS e USING (student)
        GROUP BY coalesce(e.school_id, a.school_id)
    ) AS b USING (school_id)
    CROSS JOIN LATERAL (
        SELECT CASE
            WHEN o.need_source = 'answers' THEN b.middle_on
            WHEN o.need_source = 'totals' THEN t.as_of_on
            ELSE greatest(t.as_of_on, b.newest_on)
        END AS as_of_on
    ) AS c
    WHERE o.district_id = d.district_id AND o.on_day = d.on_day AND c.as_of_on IS NOT NULL AND (
        o.need IS NULL OR o.is_need_exceeded OR c.as_of_on <= d.on_day - interval '1 year'
        OR o.answered < 0.7 * o.enrolled
    )
    OFFSET 0
) AS x;

-- Borrowers with more than one hotspot at a time, or homes where a loan serves the home: every loan but the first. One
-- that was reported lost does not count.
CREATE VIEW reconciliation_duplicate_loan AS
SELECT
    x.district_id, x.on_day, x.school_id, x.device_id, c.line_id, x.loan_id, NULL::bigint AS other_school_id,
    NULL::bigint AS other_device_id, x.other_loan_id, NULL::text AS reason,
    x.checked_out_on AS since_on, x.on_day - x.checked_out_on AS days, NULL::bigint AS used_bytes, c.monthly_cost
FROM (
    SELECT
        l.district_id, l.on_day, l.loan_id, l.device_id, l.school_id, l.checked_out_on,
        first_value(l.loan_id) OVER (PARTITION BY l.district_id, s.served ORDER BY l.checked_out_on, l.loan_id)
            AS other_loan_id
    FROM reconciliation_loans AS l
    JOIN districts AS d USING (district_id)
    CROSS JOIN LATERAL (
        SELECT CASE WHEN d.need_mode = 'household' AND l.household <> '' THEN l.household
            ELSE nullif(l.borrower, '') END AS served
    ) AS s
    WHERE l.device_kind = 'hotspot' AND s.served IS NOT NULL AND (l.lost_on IS NULL OR l.lost_on > l.on_day)
) AS x
LEFT JOIN LATERAL (
    SELECT min(k.line_id) AS line_id, sum(p.monthly_cost) AS monthly_cost
    FROM line_device_links AS k
    JOIN lines AS n USING (district_id, line_id)
    LEFT JOIN plans AS p USING (district_id, plan_id)
    WHERE k.district_id = x.district_id AND k.device_id = x.device_id AND k.ends_at IS NULL
) AS c ON true
WHERE x.other_loan_id <> x.loan_id;

-- Open loans of a device that was lent anew while they were open.
CREATE VIEW reconciliation_overlapping_loans AS
SELECT DISTINCT ON (l.district_id, l.loan_id)
    l.district_id, l.on_day, l.school_id, l.device_id, NULL::bigint AS line_id, l.loan_id,
    NULL::bigint AS other_school_id, NULL::bigint AS other_device_id, o.loan_id AS other_loan_id, NULL::text AS reason,
    o.checked_out_on AS since_on, l.on_day - o.checked_out_on AS days, NULL::bigint AS used_bytes,
    NULL::numeric AS monthly_cost
FROM reconciliation_loans AS l
JOIN loans AS o ON o.district_id = l.district_id AND o.device_id = l.device_id
WHERE (o.checked_out_on, o.loan_id) > (l.checked_out_on, l.loan_id) AND o.checked_out_on <= l.on_day
    AND (o.returned_on IS NULL OR o.returned_on > o.checked_out_on)
ORDER BY l.district_id, l.loan_id, o.checked_out_on, o.loan_id;

-- Everything that records, vendors and bills contradict each other in, by kind. Internal ids alone name what it is of.
CREATE VIEW reconciliation_findings AS
SELECT 'line_without_loan' AS kind, f.* FROM reconciliation_line_without_loan AS f
UNION ALL SELECT 'loan_on_suspended_line', f.* FROM reconciliation_loan_on_suspended_line AS f
UNION ALL SELECT 'use_after_return', f.* FROM reconciliation_use_after_return AS f
UNION ALL SELECT 'lost_but_billed', f.* FROM reconciliation_lost_but_billed AS f
UNION ALL SELECT 'sim_moved', f.* FROM reconciliation_sim_moved AS f
UNION ALL SELECT 'loan_after_leaving', f.* FROM reconciliation_loan_after_leaving AS f
UNION ALL SELECT 'need_stale', f.* FROM reconciliation_need_stale AS f
UNION ALL SELECT 'duplicate_loan', f.* FROM reconciliation_duplicate_loan AS f
UNION ALL SELECT 'overlapping_loans', f.* FROM reconciliation_overlapping_loans AS f;

-- When reconciliation was last counted, and of how much it could say nothing.
CREATE TABLE reconciliations (
    district_id         integer PRIMARY KEY REFERENCES districts,
    on_day              date NOT NULL,         -- the reported day that it was judged on
    computed_at         timestamptz NOT NULL,
    lines               integer NOT NULL,      -- in hotspots and home routers
    lines_untold        integer NOT NULL,      -- of these: no fresh status was known on the day
    lines_in_no_device  integer NOT NULL       -- active, and in no device that any source names
);

-- How many of each kind of reconciliation_findings there were, by school. Kept: looking costs too much for each minute.
CREATE TABLE reconciliation_counts (
    district_id   integer NOT NULL REFERENCES districts,
    kind          text NOT NULL,
    school_id     bigint NOT NULL,   -- 0: no school is known
    findings      integer NOT NULL,
    oldest_on     date NOT NULL,
    monthly_cost  numeric(12, 2),    -- of those whose cost is known; NULL: of none
    without_cost  integer NOT NULL,
    PRIMARY KEY (district_id, kind, school_id)
);
