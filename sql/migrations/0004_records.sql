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
