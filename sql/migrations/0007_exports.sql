-- What was published, and who took what.

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
    rows         jsonb NOT NULL,  -- key -> column -> text as in the CSV file
    PRIMARY KEY (district_id, release_id, table_name),
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
