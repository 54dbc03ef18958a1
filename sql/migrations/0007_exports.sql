-- What was published, and who took what.

-- The device that each line was in on a day, the last one of the local day.
CREATE FUNCTION lines_held(of_district integer, of_day date) RETURNS TABLE (line_id bigint, device_id bigint)
LANGUAGE sql STABLE AS $$
    SELECT DISTINCT ON (k.line_id) k.line_id, k.device_id
    FROM line_device_links AS k
    JOIN districts AS d USING (district_id)
    WHERE k.district_id = of_district
        AND k.starts_at < (of_day + 1)::timestamp AT TIME ZONE d.time_zone
        AND (k.ends_at IS NULL OR k.ends_at > of_day::timestamp AT TIME ZONE d.time_zone)
    ORDER BY k.line_id, k.starts_at DESC
$$;

-- Of the unused loans of a day that files told only longer periods of: the days of those that moved nothing since the last
-- that moved a byte, in the provider's days, and the end of that one.
CREATE FUNCTION file_idle_days(of_district integer, of_day date)
RETURNS TABLE (loan_id bigint, zero_days bigint, used_until_on date)
LANGUAGE sql STABLE AS $$
    WITH told AS (
        SELECT
            o.loan_id, s.total_bytes,
            greatest((s.starts_at AT TIME ZONE a.time_zone)::date, l.checked_out_on) AS first_on,
            least((s.ends_at AT TIME ZONE a.time_zone)::date, of_day + 1) AS end_on
        FROM loan_days AS o
        JOIN loans AS l USING (district_id, loan_id)
        JOIN lines_held(of_district, of_day) AS h USING (device_id)
        JOIN usage_spans AS s ON s.district_id = of_district AND s.line_id = h.line_id AND s.is_file
        JOIN accounts AS a ON a.district_id = of_district AND a.account_id = s.account_id
        WHERE o.district_id = of_district AND o.on_day = of_day AND o.state IN ('never_used', 'idle') AND o.is_coarse
    )
    SELECT
        t.loan_id,
        sum(t.end_on - t.first_on) FILTER (
            WHERE t.total_bytes = 0 AND t.end_on > t.first_on AND t.first_on >= coalesce(m.used_until_on, t.first_on)
        ),
        max(m.used_until_on)
    FROM told AS t
    LEFT JOIN (
        SELECT u.loan_id, max(u.end_on) AS used_until_on FROM told AS u WHERE u.total_bytes > 0 GROUP BY u.loan_id
    ) AS m USING (loan_id)
    GROUP BY t.loan_id
$$;

CREATE TYPE export_profile AS ENUM (
    'shareable',  -- may leave the district: nobody can be found in it
    'internal',   -- pseudonymous: lines and devices by internal ids
    'inventory'   -- restricted: may hold names
);

CREATE TYPE publishing_level AS ENUM (
    'exact',
    'five',     -- counts as ranges of five
    'ten',      -- counts as ranges of ten, coverage as a band
    'band',     -- coverage as a band, no counts
    'withheld'  -- the school is too small to show
);

-- The ledger: every package that was issued, and under which revision. A package stays as it was issued.
CREATE TABLE releases (
    district_id     integer NOT NULL REFERENCES districts,
    release_id      bigint GENERATED ALWAYS AS IDENTITY,
    profile         export_profile NOT NULL,
    pilot           text NOT NULL DEFAULT '',      -- its name; '': of no pilot
    month_on        date NOT NULL,                 -- its first day
    is_partial      boolean NOT NULL DEFAULT false,  -- issued before the month had settled
    is_strict       boolean NOT NULL DEFAULT false,  -- small counts are hidden, not coarsened
    is_deidentified boolean NOT NULL DEFAULT false,  -- an inventory without names
    revision        integer NOT NULL CHECK (revision >= 1),
    version         text NOT NULL,                 -- of afterbell
    facts_digest    text NOT NULL,                 -- SHA-256 of everything it was made from
    reasons         text[] NOT NULL DEFAULT '{}',  -- why there is a new revision
    folder          text NOT NULL,                 -- name of its folder, below the district's
    archive_sha256  text NOT NULL,
    archive_bytes   bigint NOT NULL,
    created_at      timestamptz NOT NULL,
    created_by      text NOT NULL,                 -- command, schedule; never a person's name
    announced_at    timestamptz,                   -- its link was sent; NULL: not yet, or nobody is to be told
    PRIMARY KEY (district_id, release_id),
    UNIQUE (district_id, profile, pilot, month_on, is_partial, is_strict, is_deidentified, revision),
    UNIQUE (district_id, folder)
);

-- What a shareable release told of each school, and the counts it was made from: what may still be told is judged by it.
CREATE TABLE release_schools (
    district_id  integer NOT NULL,
    release_id   bigint NOT NULL,
    school_id    bigint NOT NULL,
    level        publishing_level NOT NULL,
    enrolled     integer,
    counts       jsonb NOT NULL,    -- name -> the true count; null: unknown
    cells        jsonb NOT NULL,    -- name -> [least, most] as published; what is not told is absent
    band         double precision[],  -- coverage as published: from, below
    PRIMARY KEY (district_id, release_id, school_id),
    FOREIGN KEY (district_id, release_id) REFERENCES releases,
    FOREIGN KEY (district_id, school_id) REFERENCES schools
);
CREATE INDEX release_schools_school ON release_schools (district_id, school_id);

-- What it told of the district.
CREATE TABLE release_totals (
    district_id  integer NOT NULL,
    release_id   bigint NOT NULL,
    name         text NOT NULL,
    least        bigint NOT NULL,
    most         bigint NOT NULL,
    PRIMARY KEY (district_id, release_id, name),
    FOREIGN KEY (district_id, release_id) REFERENCES releases
);

-- Every cell of a release's tables as it was published: a revision lists what differs.
CREATE TABLE release_tables (
    district_id  integer NOT NULL,
    release_id   bigint NOT NULL,
    table_name   text NOT NULL,
    part         integer NOT NULL,  -- a large table is kept in several
    rows         jsonb NOT NULL,    -- key -> column -> text as in the CSV file
    PRIMARY KEY (district_id, release_id, table_name, part),
    FOREIGN KEY (district_id, release_id) REFERENCES releases
);

-- One export of a district at a time: a lease, so that a process that dies holds it no longer than that.
CREATE TABLE export_leases (
    district_id  integer PRIMARY KEY REFERENCES districts,
    holder       text NOT NULL,
    until_at     timestamptz NOT NULL
);

CREATE TABLE audit_log (
    district_id  integer NOT NULL REFERENCES districts,
    entry_id     bigint GENERATED ALWAYS AS IDENTITY,
    happened_at  timestamptz NOT NULL,
    actor        text NOT NULL,   -- command, schedule, or the name of a token
    action       text NOT NULL,   -- as export_created, export_downloaded
    subject      text NOT NULL,   -- as 2026-10 shareable revision 1
    details      jsonb NOT NULL DEFAULT '{}',
    PRIMARY KEY (district_id, entry_id)
);
CREATE INDEX audit_log_time ON audit_log (district_id, happened_at);
