-- afterbell's schema as it stands: the sum of migrations/, kept equal by a test.
--
-- district_id leads every primary key, foreign key and unique index, so that the schema can be distributed on
-- it unchanged: no triggers, no EXCLUDE, no unique index without district_id.
-- No person's name, student number, address or place is in any table. Instants are timestamptz (UTC),
-- dates are the district's local days.

CREATE TYPE reading_kind AS ENUM (
    'interval',   -- bytes between two instants
    'counter',    -- total so far in a day or billing cycle; may reset
    'gauge',      -- a rolling total
    'sample',     -- a state or signal as observed at an instant
    'session'     -- a time in which the line was connected
);

CREATE TYPE reading_series AS ENUM (
    'day',           -- the provider's day
    'cycle',         -- the billing cycle or calendar month
    'last_30_days',  -- rolling
    'line',          -- the line's state
    'modem',         -- the radio's signal
    'part',          -- less than the provider's day
    'connection'     -- the line's sessions
);

CREATE TYPE line_status AS ENUM ('active', 'suspended', 'deactivated', 'pre_active', 'pending', 'unknown');

CREATE TYPE suspended_by AS ENUM (
    'loan_desk',  -- checked in at the desk: suspended by design
    'season',     -- a summer suspension
    'carrier'     -- suspended at the carrier, reason not told
);

CREATE TYPE last_seen_by AS ENUM (
    'session',     -- the end of its last data session; the present, while one goes on
    'connection',  -- when it last connected: it may have been connected ever since
    'cloud',       -- when its manager in the cloud last heard of it
    'policy_sync'  -- when it last fetched its settings: says nothing of use
);

CREATE TYPE device_kind AS ENUM (
    'hotspot',       -- battery hotspot: switched off is no fault
    'fixed_router',  -- a router that stays at home
    'bus_router',    -- never a home connection
    'laptop'         -- never a home connection
);

CREATE TYPE day_kind AS ENUM ('instructional', 'half_day', 'break', 'holiday');

CREATE TYPE at_allowance AS ENUM (
    'stop',      -- no data until the next period
    'throttle',  -- too slow for homework until the next period
    'charge',    -- goes on, for a price
    'none'       -- no allowance
);

CREATE TYPE allowance_period AS ENUM ('day', 'month', 'cycle', 'year');

CREATE TYPE line_day_basis AS ENUM (
    'interval',    -- the provider's own figure for the day or parts of it
    'bucket',      -- last total of the provider's day
    'difference',  -- differences of a cycle counter
    'span'         -- a known 0 inside a longer span of 0
);

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

CREATE TYPE loan_state AS ENUM (
    -- in the order of preference for a student with several loans: what may be adequate comes before what is not
    'adequate',
    'unknown',     -- no data, or too old: never counted as unused
    'weak',        -- used, but measured evidence is below the floor
    'exhausted',   -- the allowance is used up and the plan stops or throttles
    'idle',        -- every day of the last 7 is known and 0
    'never_used',  -- no byte since the loan or the first observation
    'suspended'
);

CREATE TYPE state_reason AS ENUM (
    'loan_desk', 'season', 'carrier', 'deactivated',  -- suspended
    'day_allowance', 'cycle_allowance', 'year_allowance', 'pool_allowance',  -- exhausted
    'no_line', 'status_stale', 'usage_unknown',       -- unknown
    'signal', 'offline_evenings'                      -- weak
);

CREATE TYPE coverage_status AS ENUM (
    'known',
    'incomplete',      -- completeness below the floor: only the bounds are shown
    'need_unknown',
    'not_applicable'   -- need is 0
);

CREATE TYPE conflict_kind AS ENUM (
    'line_device',  -- two accounts say that a line is in two devices
    'serial'        -- a device is told to have the serial number of another
);

CREATE TYPE conflict_settlement AS ENUM (
    'agreed',  -- nobody contradicts any more
    'kept',    -- a person decided for what was in force
    'taken'    -- a person decided for what was claimed
);

CREATE TYPE poll_outcome AS ENUM (
    'running',
    'succeeded',
    'partial',    -- the list was read to its end, but some lines it promised were not seen
    'failed',
    'abandoned'   -- the process that ran it is gone
);

CREATE TABLE schema_migrations (
    name        text PRIMARY KEY,
    checksum    text NOT NULL,  -- SHA-256 of the file
    applied_at  timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE districts (
    district_id            integer PRIMARY KEY,  -- chosen in the configuration; never changes
    name                   text NOT NULL,
    time_zone              text NOT NULL,
    school_year_starts     text NOT NULL DEFAULT '07-01' CHECK (school_year_starts ~ '^\d\d-\d\d$'),
    pseudonym_fingerprint  text,                 -- of the key file; a wrong key is refused
    computed_through_on    date,                 -- loan days and school days exist up to this day
    need_mode              need_mode NOT NULL DEFAULT 'student'
);

CREATE TABLE schools (
    district_id       integer NOT NULL REFERENCES districts,
    school_id         bigint GENERATED ALWAYS AS IDENTITY,
    ncessch           text NOT NULL CHECK (ncessch ~ '^\d{12}$'),  -- NCES school id, as text
    name              text NOT NULL,
    is_high_needs     boolean,                                     -- NULL: not told
    high_needs_basis  text,                                        -- the list or rule, with its year
    indicator         need_indicator,                              -- what it was decided by; NULL: not told
    indicator_value   double precision,                            -- a share, may exceed 1; NULL where it has no number
    indicator_year    text,                                        -- the school year it is of, as 2025-26
    PRIMARY KEY (district_id, school_id),
    UNIQUE (district_id, ncessch)
);

CREATE TABLE need_counts (
    district_id  integer NOT NULL,
    school_id    bigint NOT NULL,
    as_of_on     date NOT NULL,
    enrolled     integer NOT NULL,
    answered     integer NOT NULL,
    need         integer NOT NULL,
    PRIMARY KEY (district_id, school_id, as_of_on),
    FOREIGN KEY (district_id, school_id) REFERENCES schools,
    CHECK (0 <= need AND need <= answered AND answered <= enrolled)
);

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

-- The district's school days. A day that is not listed, between the first and the last listed one, has no school.
CREATE TABLE calendar_days (
    district_id  integer NOT NULL REFERENCES districts,
    on_day       date NOT NULL,
    kind         day_kind NOT NULL,
    PRIMARY KEY (district_id, on_day)
);

-- Where one school differs from the district.
CREATE TABLE school_calendar_days (
    district_id  integer NOT NULL,
    school_id    bigint NOT NULL,
    on_day       date NOT NULL,
    kind         day_kind NOT NULL,
    PRIMARY KEY (district_id, school_id, on_day),
    FOREIGN KEY (district_id, school_id) REFERENCES schools
);

CREATE TABLE plans (
    district_id       integer NOT NULL REFERENCES districts,
    plan_id           bigint GENERATED ALWAYS AS IDENTITY,
    plan_key          text NOT NULL,
    allowance_bytes   bigint CHECK (allowance_bytes > 0),  -- NULL: unlimited, or told line by line by the vendor
    allowance_period  allowance_period NOT NULL DEFAULT 'month',
    cycle_day         smallint NOT NULL DEFAULT 1 CHECK (cycle_day BETWEEN 1 AND 28),
    at_allowance      at_allowance NOT NULL DEFAULT 'stop',
    monthly_cost      numeric(10, 2),                      -- NULL: not told
    is_configured     boolean NOT NULL DEFAULT false,      -- by the configuration file; else by an import
    is_pooled         boolean NOT NULL DEFAULT false,      -- the lines' allowances are one pool
    provider          text,
    download_mbps     real,
    upload_mbps       real,
    starts_on         date,                                -- a yearly allowance begins anew on its anniversaries
    ends_on           date,                                -- the first day without service; NULL: not told
    is_filtered       boolean,                             -- as the law asks for what children use; NULL: not told
    PRIMARY KEY (district_id, plan_id),
    UNIQUE (district_id, plan_key)
);

CREATE TABLE accounts (
    district_id  integer NOT NULL REFERENCES districts,
    account_id   bigint GENERATED ALWAYS AS IDENTITY,
    account_key  text NOT NULL,
    collector    text NOT NULL,              -- 'file': fed by imports only
    time_zone    text NOT NULL,              -- of the provider's day
    lag_days     smallint NOT NULL DEFAULT 0,
    rank         smallint NOT NULL DEFAULT 1,  -- which source a line's day is taken from: lowest first
    cadence      interval NOT NULL DEFAULT '1 hour',  -- of its line states
    plan_id      bigint,                     -- of its lines
    is_in_use    boolean NOT NULL DEFAULT true,  -- false once it is out of the configuration
    PRIMARY KEY (district_id, account_id),
    UNIQUE (district_id, account_key),
    FOREIGN KEY (district_id, plan_id) REFERENCES plans
);
CREATE INDEX accounts_plan ON accounts (district_id, plan_id);

CREATE TABLE devices (
    district_id  integer NOT NULL REFERENCES districts,
    device_id    bigint GENERATED ALWAYS AS IDENTITY,
    imei         text CHECK (imei ~ '^\d{15}$'),  -- 14 digits and the check digit
    serial       text,
    kind         device_kind NOT NULL DEFAULT 'hotspot',
    PRIMARY KEY (district_id, device_id),
    UNIQUE (district_id, imei),
    UNIQUE (district_id, serial)
);

-- A line is a SIM (ICCID) that carries a number (MDN). Numbers move between SIMs, so only the ICCID is unique.
CREATE TABLE lines (
    district_id     integer NOT NULL REFERENCES districts,
    line_id         bigint GENERATED ALWAYS AS IDENTITY,
    iccid           text CHECK (iccid ~ '^\d{18,20}$'),  -- with its Luhn digit where the vendor gives it
    mdn             text CHECK (mdn ~ '^\+\d{8,15}$'),   -- E.164
    plan_id         bigint,
    observed_since  timestamptz NOT NULL,                -- the first instant a source spoke of it
    is_plan_told    boolean NOT NULL DEFAULT false,      -- by an import: it stands before the account's plan
    PRIMARY KEY (district_id, line_id),
    UNIQUE (district_id, iccid),
    FOREIGN KEY (district_id, plan_id) REFERENCES plans
);
CREATE INDEX lines_mdn ON lines (district_id, mdn);
CREATE INDEX lines_plan ON lines (district_id, plan_id);

-- Which device held which line, and when. A line's day belongs to the last device that held it on that day.
CREATE TABLE line_device_links (
    district_id  integer NOT NULL,
    line_id      bigint NOT NULL,
    starts_at    timestamptz NOT NULL,  -- -infinity: as far back as anyone knows
    ends_at      timestamptz,           -- NULL: still there
    device_id    bigint NOT NULL,
    PRIMARY KEY (district_id, line_id, starts_at),
    FOREIGN KEY (district_id, line_id) REFERENCES lines,
    FOREIGN KEY (district_id, device_id) REFERENCES devices,
    CHECK (ends_at > starts_at)
);
CREATE INDEX line_device_links_device ON line_device_links (district_id, device_id);

-- A vendor's device groups: only their keys, as their names can be a child's.
CREATE TABLE provider_groups (
    district_id  integer NOT NULL,
    account_id   bigint NOT NULL,
    group_key    text NOT NULL,
    parent_key   text,
    school_id    bigint,  -- the school whose devices are in the group, where the district says so
    PRIMARY KEY (district_id, account_id, group_key),
    FOREIGN KEY (district_id, account_id) REFERENCES accounts,
    FOREIGN KEY (district_id, school_id) REFERENCES schools
);
CREATE INDEX provider_groups_school ON provider_groups (district_id, school_id);

-- A vendor's own id of a line.
CREATE TABLE provider_keys (
    district_id   integer NOT NULL,
    account_id    bigint NOT NULL,
    provider_key  text NOT NULL,
    line_id       bigint NOT NULL,
    -- digests of MDN, ICCID, IMEI and serial as last told, 8 characters each, hyphens where never told: who says no
    -- more, and nothing else, needs no second look
    identity      text NOT NULL,
    device_id     bigint,  -- the device that the line is in, as this source tells; NULL: it names none
    PRIMARY KEY (district_id, account_id, provider_key),
    FOREIGN KEY (district_id, account_id) REFERENCES accounts,
    FOREIGN KEY (district_id, line_id) REFERENCES lines,
    FOREIGN KEY (district_id, device_id) REFERENCES devices
);
CREATE INDEX provider_keys_line ON provider_keys (district_id, line_id);
CREATE INDEX provider_keys_device ON provider_keys (district_id, device_id);

-- What two sources cannot both be right about. Until it is settled, what is in force stays in force.
CREATE TABLE conflicts (
    district_id         integer NOT NULL,
    conflict_id         bigint GENERATED ALWAYS AS IDENTITY,
    kind                conflict_kind NOT NULL,
    line_id             bigint NOT NULL,  -- the line that is claimed, or that the claim was made with
    device_id           bigint NOT NULL,  -- in force: it holds the line, or has the serial number
    other_device_id     bigint NOT NULL,  -- claimed
    account_id          bigint NOT NULL,  -- who claims it
    against_account_id  bigint,           -- who says what is in force; NULL: no account does
    opened_at           timestamptz NOT NULL,
    claimed_at          timestamptz NOT NULL,  -- when the claim was last looked into
    settled_at          timestamptz,           -- NULL: it is open
    settled_as          conflict_settlement,
    PRIMARY KEY (district_id, conflict_id),
    FOREIGN KEY (district_id, line_id) REFERENCES lines,
    FOREIGN KEY (district_id, device_id) REFERENCES devices,
    FOREIGN KEY (district_id, other_device_id) REFERENCES devices,
    FOREIGN KEY (district_id, account_id) REFERENCES accounts,
    FOREIGN KEY (district_id, against_account_id) REFERENCES accounts,
    CHECK ((settled_at IS NULL) = (settled_as IS NULL))
);
CREATE INDEX conflicts_line ON conflicts (district_id, line_id);
CREATE INDEX conflicts_device ON conflicts (district_id, device_id);
CREATE INDEX conflicts_other_device ON conflicts (district_id, other_device_id);
CREATE INDEX conflicts_account ON conflicts (district_id, account_id);
CREATE INDEX conflicts_against_account ON conflicts (district_id, against_account_id);

-- The newest a source has said of a line. Written with the readings, in their transaction.
CREATE TABLE latest_states (
    district_id        integer NOT NULL,
    line_id            bigint NOT NULL,
    account_id         bigint NOT NULL,
    read_at            timestamptz NOT NULL,  -- the instant of the newest sweep that saw the line
    status             line_status,
    raw_status         text,
    suspended_by       suspended_by,
    is_online          boolean,               -- NULL: not told
    day_limit_bytes    bigint,
    cycle_limit_bytes  bigint,
    group_key          text,
    last_seen_at       timestamptz,
    last_seen_by       last_seen_by,          -- what this source means by it: the meanings are never mixed
    is_filtered        boolean,               -- its traffic, as the law asks for what children use; NULL: not told
    PRIMARY KEY (district_id, account_id, line_id),
    FOREIGN KEY (district_id, line_id) REFERENCES lines,
    FOREIGN KEY (district_id, account_id) REFERENCES accounts
) WITH (fillfactor = 50);  -- rewritten by every sweep: room for updates in place
CREATE INDEX latest_states_line ON latest_states (district_id, line_id);

CREATE TABLE loans (
    district_id     integer NOT NULL REFERENCES districts,
    loan_id         bigint GENERATED ALWAYS AS IDENTITY,
    device_id       bigint NOT NULL,
    school_id       bigint NOT NULL,
    borrower        text NOT NULL DEFAULT '',  -- pseudonym (HMAC-SHA256); '': not told
    household       text NOT NULL DEFAULT '',  -- pseudonym; '': not told
    checked_out_on  date NOT NULL,
    due_on          date,
    returned_on     date,                      -- the first day it was no longer out
    source          text NOT NULL DEFAULT '',  -- which loan system told of it: a full file closes only its own
    lost_on         date,                      -- the day it was reported lost, stolen or broken
    PRIMARY KEY (district_id, loan_id),
    UNIQUE (district_id, device_id, checked_out_on, borrower),
    FOREIGN KEY (district_id, device_id) REFERENCES devices,
    FOREIGN KEY (district_id, school_id) REFERENCES schools,
    CHECK (returned_on >= checked_out_on)
);
CREATE INDEX loans_school ON loans (district_id, school_id);
CREATE INDEX loans_borrower ON loans (district_id, borrower) WHERE borrower <> '';
CREATE INDEX loans_household ON loans (district_id, household) WHERE household <> '';

-- Raw readings: one row per line, source, kind, series and instant; a page read twice is one reading.
-- Monthly partitions, made ahead; no default partition, as an instant out of range is refused at parse.
-- The account has no foreign key here: it comes from provider_keys, which has one, and a second check of every
-- row costs as much as the first.
CREATE TABLE usage_readings (
    district_id  integer NOT NULL,
    line_id      bigint NOT NULL,
    account_id   bigint NOT NULL,
    kind         reading_kind NOT NULL,
    series       reading_series NOT NULL,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz,      -- intervals only
    total_bytes  bigint NOT NULL CHECK (total_bytes >= 0),
    PRIMARY KEY (district_id, line_id, account_id, kind, series, starts_at),
    FOREIGN KEY (district_id, line_id) REFERENCES lines
) PARTITION BY RANGE (starts_at);
CREATE INDEX usage_readings_starts_at ON usage_readings USING brin (starts_at) WITH (pages_per_range = 32);

CREATE TABLE state_readings (
    district_id   integer NOT NULL,
    line_id       bigint NOT NULL,
    account_id    bigint NOT NULL,
    kind          reading_kind NOT NULL,
    series        reading_series NOT NULL,
    starts_at     timestamptz NOT NULL,
    status        line_status,  -- NULL: this source tells none
    suspended_by  suspended_by,
    is_online     boolean,  -- NULL: not told
    is_limit_reached  boolean,  -- the vendor says that the allowance is used up; NULL: not told
    PRIMARY KEY (district_id, line_id, account_id, kind, series, starts_at),
    FOREIGN KEY (district_id, line_id) REFERENCES lines
) PARTITION BY RANGE (starts_at);
CREATE INDEX state_readings_starts_at ON state_readings USING brin (starts_at) WITH (pages_per_range = 32);

CREATE TABLE signal_readings (
    district_id  integer NOT NULL,
    line_id      bigint NOT NULL,
    account_id   bigint NOT NULL,
    kind         reading_kind NOT NULL,
    series       reading_series NOT NULL,
    starts_at    timestamptz NOT NULL,
    rsrp_dbm     real,
    rsrq_db      real,
    sinr_db      real,
    PRIMARY KEY (district_id, line_id, account_id, kind, series, starts_at),
    FOREIGN KEY (district_id, line_id) REFERENCES lines
) PARTITION BY RANGE (starts_at);
CREATE INDEX signal_readings_starts_at ON signal_readings USING brin (starts_at) WITH (pages_per_range = 32);

CREATE TABLE session_readings (
    district_id  integer NOT NULL,
    line_id      bigint NOT NULL,
    account_id   bigint NOT NULL,
    kind         reading_kind NOT NULL,
    series       reading_series NOT NULL,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz,  -- NULL: it went on when it was last read
    PRIMARY KEY (district_id, line_id, account_id, kind, series, starts_at),
    FOREIGN KEY (district_id, line_id) REFERENCES lines
) PARTITION BY RANGE (starts_at);
CREATE INDEX session_readings_starts_at ON session_readings USING brin (starts_at) WITH (pages_per_range = 32);

-- Use that cannot be given to a day: a portal's period, or a counter's difference over more than 36 hours.
CREATE TABLE usage_spans (
    district_id  integer NOT NULL,
    line_id      bigint NOT NULL,
    account_id   bigint NOT NULL,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    total_bytes  bigint NOT NULL CHECK (total_bytes >= 0),
    is_file      boolean NOT NULL,  -- a portal's period: its own window for "in use"
    PRIMARY KEY (district_id, line_id, account_id, starts_at),
    FOREIGN KEY (district_id, line_id) REFERENCES lines,
    FOREIGN KEY (district_id, account_id) REFERENCES accounts,
    CHECK (ends_at > starts_at)
);
CREATE INDEX usage_spans_account ON usage_spans (district_id, account_id, ends_at);

-- What one source says of a line on a local day. No row: that source has not spoken.
-- Line days and loan days are written by one statement each, from rows that have their foreign keys; checking
-- them again would double what a day costs.
CREATE TABLE line_days (
    district_id              integer NOT NULL,
    on_day                   date NOT NULL,
    line_id                  bigint NOT NULL,
    account_id               bigint NOT NULL,
    used_bytes               bigint,         -- NULL: unknown
    basis                    line_day_basis,
    status                   line_status,    -- at the day's end; NULL: none read within 2 x cadence of it
    suspended_by             suspended_by,
    has_reached_day_limit    boolean NOT NULL DEFAULT false,
    has_reached_cycle_limit  boolean,        -- NULL: no total of the cycle read on the day, or no limit
    is_state_fresh           boolean NOT NULL DEFAULT false,  -- a state, if only online or not, was read as late
    cycle_bytes              bigint,         -- last total of the cycle read on the day, where the line has an allowance
    PRIMARY KEY (district_id, on_day, line_id, account_id)
) PARTITION BY RANGE (on_day);
CREATE INDEX line_days_at_limit ON line_days (district_id, on_day, line_id) WHERE has_reached_day_limit;

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

-- The one state of every open loan on every day, with its reason.
CREATE TABLE loan_days (
    district_id              integer NOT NULL,
    on_day                   date NOT NULL,
    loan_id                  bigint NOT NULL,
    school_id                bigint NOT NULL,  -- the school that held the loan that day
    state                    loan_state NOT NULL,
    reason                   state_reason,     -- NULL where the state says it all
    used_bytes               bigint,           -- over the SIMs its device held; NULL: unknown
    is_used_7                boolean,          -- use_7; NULL: unknown
    is_used_30               boolean,          -- use_30; NULL: unknown
    is_coarse                boolean NOT NULL, -- a portal's period stood in for the window
    last_used_on             date,
    last_unknown_on          date,
    observed_since_on        date,             -- the later of the loan's start and the first observation
    exhausted_until_on       date,             -- last day of the cycle that is used up; of a year or pool: allowance_days
    idle_days                integer NOT NULL, -- calendar clock: known-zero days since the last use
    idle_instructional_days  integer,          -- instructional clock; NULL: no calendar
    computed_at              timestamptz NOT NULL,
    revised_at               timestamptz,      -- late data changed the row after its day had been reported
    PRIMARY KEY (district_id, on_day, loan_id)
) PARTITION BY RANGE (on_day);

-- Counts of students, not of loans: a student takes the best state of their open loans.
CREATE TABLE school_days (
    district_id          integer NOT NULL,
    on_day               date NOT NULL,
    school_id            bigint NOT NULL,
    enrolled             integer,           -- NULL: not known, though need may be
    answered             integer,           -- NULL, with need: not known
    need                 integer,
    loaned               integer NOT NULL,
    active_30            integer NOT NULL,
    active_7             integer NOT NULL,
    adequate             integer NOT NULL,
    unknown              integer NOT NULL,
    weak                 integer NOT NULL,
    exhausted            integer NOT NULL,
    idle                 integer NOT NULL,
    never_used           integer NOT NULL,
    suspended            integer NOT NULL,
    coverage_status      coverage_status NOT NULL,
    completeness         double precision NOT NULL,
    coverage             double precision,  -- NULL: see coverage_status
    coverage_low         double precision,
    coverage_high        double precision,
    is_need_exceeded     boolean NOT NULL,  -- more adequate loans than need: the need count is stale
    is_instructional     boolean,           -- NULL: no calendar
    is_out_of_session    boolean NOT NULL,  -- in a break
    computed_at          timestamptz NOT NULL,
    revised_at           timestamptz,
    need_source          need_source,       -- NULL: need is unknown
    served_outside_need  integer,           -- students with an open loan who are not in need; NULL: totals do not tell
    unattributed         integer,           -- open loans that name no borrower, where need is known by student
    PRIMARY KEY (district_id, on_day, school_id),
    FOREIGN KEY (district_id, school_id) REFERENCES schools
);
CREATE INDEX school_days_school ON school_days (district_id, school_id);

-- Days to compute again because data came in. line_id 0: every line of the account.
CREATE TABLE dirty_line_days (
    district_id  integer NOT NULL,
    account_id   bigint NOT NULL,
    on_day       date NOT NULL,
    line_id      bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (district_id, account_id, on_day, line_id),
    FOREIGN KEY (district_id, account_id) REFERENCES accounts
);

-- Days whose loan states and school counts are to be computed again, and on from there.
CREATE TABLE dirty_loan_days (
    district_id  integer NOT NULL REFERENCES districts,
    on_day       date NOT NULL,
    PRIMARY KEY (district_id, on_day)
);

CREATE TABLE poll_runs (
    district_id     integer NOT NULL,
    poll_run_id     bigint GENERATED ALWAYS AS IDENTITY,
    account_id      bigint NOT NULL,
    endpoint_group  text NOT NULL,
    instant_at      timestamptz NOT NULL,  -- the instant of every snapshot reading in the sweep
    started_at      timestamptz NOT NULL,
    finished_at     timestamptz,
    outcome         poll_outcome NOT NULL DEFAULT 'running',
    cursor          text,                  -- after the last stored page
    pages           integer NOT NULL DEFAULT 0,
    lines           integer NOT NULL DEFAULT 0,  -- distinct lines seen
    rows_written    bigint NOT NULL DEFAULT 0,
    rows_rejected   integer NOT NULL DEFAULT 0,
    lines_promised  integer,               -- what the vendor says the list holds
    error           text,                  -- what went wrong, without secrets or values
    PRIMARY KEY (district_id, poll_run_id),
    FOREIGN KEY (district_id, account_id) REFERENCES accounts
);
CREATE INDEX poll_runs_account ON poll_runs (district_id, account_id, endpoint_group, started_at);

-- Rows of a sweep that were skipped, by place and reason; never the value.
CREATE TABLE poll_rejections (
    district_id  integer NOT NULL,
    poll_run_id  bigint NOT NULL,
    reason       text NOT NULL,
    first_path   text NOT NULL,
    rejected     integer NOT NULL,
    PRIMARY KEY (district_id, poll_run_id, reason),
    FOREIGN KEY (district_id, poll_run_id) REFERENCES poll_runs
);

-- How far each endpoint group has been read, who may read it now, and how it fares.
CREATE TABLE watermarks (
    district_id           integer NOT NULL,
    account_id            bigint NOT NULL,
    endpoint_group        text NOT NULL,
    watermark_at          timestamptz,  -- moves only in the transaction that stored the rows
    last_attempt_at       timestamptz,
    last_success_at       timestamptz,
    failing_since_at      timestamptz,  -- NULL: the last attempt succeeded
    last_error            text,
    lease_holder          uuid,
    lease_expires_at      timestamptz,
    cadence               interval NOT NULL DEFAULT '1 hour',  -- as the vendor's limit allows
    PRIMARY KEY (district_id, account_id, endpoint_group),
    FOREIGN KEY (district_id, account_id) REFERENCES accounts
);

-- Times that nothing was read, so that nobody takes them for times without use.
CREATE TABLE poll_gaps (
    district_id     integer NOT NULL,
    account_id      bigint NOT NULL,
    endpoint_group  text NOT NULL,
    starts_at       timestamptz NOT NULL,
    ends_at         timestamptz NOT NULL,
    PRIMARY KEY (district_id, account_id, endpoint_group, starts_at),
    FOREIGN KEY (district_id, account_id) REFERENCES accounts
);

-- Students' own devices, as their manager sees them: shown beside coverage, never a line, never a loan's state.
CREATE TABLE student_devices (
    district_id        integer NOT NULL,
    student_device_id  bigint GENERATED ALWAYS AS IDENTITY,
    account_id         bigint NOT NULL,
    device_key         text NOT NULL,         -- the vendor's own id
    group_key          text,
    raw_status         text,
    is_in_service      boolean,               -- NULL: a status that is not known
    read_at            timestamptz NOT NULL,  -- the instant of the newest sweep that saw it
    last_seen_at       timestamptz,
    last_seen_by       last_seen_by,
    PRIMARY KEY (district_id, student_device_id),
    UNIQUE (district_id, account_id, device_key),
    FOREIGN KEY (district_id, account_id) REFERENCES accounts
) WITH (fillfactor = 70);

-- A student's device on a day: how long it was in use, and whether it was online at school and elsewhere. No row,
-- and NULL: nothing is known.
CREATE TABLE student_device_days (
    district_id        integer NOT NULL,
    on_day             date NOT NULL,
    student_device_id  bigint NOT NULL,
    active_seconds     integer,
    was_at_school      boolean,  -- true, or NULL
    was_elsewhere      boolean,  -- true, or NULL
    PRIMARY KEY (district_id, on_day, student_device_id)
) PARTITION BY RANGE (on_day);

-- What each credential may spend next, in all processes. A credential is named by a fingerprint; one may serve several
-- districts, so this table alone knows none.
CREATE TABLE credential_budgets (
    fingerprint        text PRIMARY KEY,
    next_slot_at       timestamptz NOT NULL,  -- no request before this
    quiet_until        timestamptz,           -- nor, whatever slot it has, before this: the vendor asked for it
    holder             uuid,                  -- who has a request under way, where only one may be
    holder_expires_at  timestamptz            -- a process that is gone frees it by then
) WITH (fillfactor = 50);

CREATE TABLE imports (
    district_id    integer NOT NULL REFERENCES districts,
    import_id      bigint GENERATED ALWAYS AS IDENTITY,
    kind           text NOT NULL,
    sha256         text NOT NULL,     -- of the file's bytes
    imported_at    timestamptz NOT NULL,
    rows_accepted  integer NOT NULL,
    rows_rejected  integer NOT NULL,
    rows_changed   integer NOT NULL,
    first_on       date,              -- the earliest day whose figures it changed; NULL: none
    undone_at      timestamptz,
    PRIMARY KEY (district_id, import_id)
);

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

-- Makes the monthly partitions that cover the given days where they are missing; returns how many it made. Each is
-- attached, which whoever reads or writes the table need not wait for: a lock that shuts them out of several tables
-- at once would meet theirs in another order. Who writes lines, which its foreign keys name, waits for the caller's end.
CREATE FUNCTION ensure_partitions(first_on date, last_on date) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    parent text;
    month date;
    partition_name text;
    utc text;
    made integer := 0;
BEGIN
    FOREACH parent IN ARRAY ARRAY[
        'usage_readings', 'state_readings', 'signal_readings', 'session_readings', 'line_days', 'loan_days',
        'allowance_days', 'student_device_days'
    ] LOOP
        utc := CASE WHEN parent LIKE '%readings' THEN ' 00:00:00+00' ELSE '' END;
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
                EXECUTE format('CREATE TABLE %I (LIKE %I INCLUDING ALL)', partition_name, parent);
                EXECUTE format(
                    'ALTER TABLE %I ATTACH PARTITION %I FOR VALUES FROM (%L) TO (%L)',
                    parent, partition_name, month || utc, (month + interval '1 month')::date || utc
                );
                made := made + 1;
            END IF;
            month := month + interval '1 month';
        END LOOP;
    END LOOP;
    RETURN made;
END
$$;

-- Takes a partition out of its table and drops it. Locks are waited for briefly, so that nobody else waits behind us, and
-- the four of them for less than PostgreSQL lets two wait for each other (deadlock_timeout, 1 s); the caller tries again.
CREATE FUNCTION drop_partition(parent regclass, partition regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lock_timeout', '200ms', true);
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, partition);
    EXECUTE format('DROP TABLE %s', partition);
END
$$;

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

-- The district's figures on a day, over the schools whose need is known: a surplus at one school never hides a
-- shortage at another. Where one of them does not know how many students it has, neither does the district. The
-- loans that serve no student in need are those of the schools whose need is known by student.
CREATE VIEW district_days AS
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

-- Which device a line is in, as each account in use says. An account that has since read its list twice without the
-- line no longer lists it; one that cannot be read is taken at its last word.
CREATE VIEW line_claims AS
SELECT
    k.district_id,
    k.line_id,
    k.device_id,
    k.account_id,
    a.rank,
    coalesce(
        s.read_at >= (
            SELECT min(w.watermark_at) - 2 * a.cadence
            FROM watermarks AS w
            WHERE w.district_id = k.district_id AND w.account_id = k.account_id
        ),
        true
    ) AS is_listed
FROM provider_keys AS k
JOIN accounts AS a USING (district_id, account_id)
LEFT JOIN latest_states AS s USING (district_id, account_id, line_id)
WHERE k.device_id IS NOT NULL AND a.is_in_use;

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

-- Alerts: what a rule found, what became of it, and what was sent to whom.
CREATE TYPE alert_state AS ENUM (
    'pending',  -- in breach, not yet for as long as its rule waits
    'firing',
    'held',     -- in breach, and held back: it has come and gone too often
    'clear'
);

CREATE TYPE flip_kind AS ENUM (
    'fired', 'cleared',
    'held', 'released',                -- flapping: held back, and let go again
    'acknowledged', 'unacknowledged',
    'snoozed', 'woken',
    'reminded', 'escalated'
);

CREATE TYPE notification_state AS ENUM (
    'waiting',  -- for its time: the next digest, the end of quiet hours, another try
    'sent',
    'given_up'  -- the receiver refused it for good, or every try failed
);

-- What each rule said when it last ran.
CREATE TABLE rule_runs (
    district_id       integer NOT NULL REFERENCES districts,
    rule              text NOT NULL,
    evaluated_at      timestamptz NOT NULL,
    judged_on         date,                   -- the reported day; NULL: there is none yet
    seconds           double precision NOT NULL,
    breached          integer NOT NULL,       -- subjects
    unjudged          integer NOT NULL,       -- subjects of open alerts of which too little is known
    failing_since_at  timestamptz,            -- NULL: the last run succeeded
    error             text,                   -- what the database said of the query, without values
    PRIMARY KEY (district_id, rule)
);

-- The newest of each subject that a rule ever found. Internal ids alone name subjects.
CREATE TABLE alerts (
    district_id        integer NOT NULL REFERENCES districts,
    alert_id           bigint GENERATED ALWAYS AS IDENTITY,
    rule               text NOT NULL,
    subject            text NOT NULL CHECK (subject ~ '^[a-z]+(:[a-z0-9_.-]+)?$'),  -- as loan:12, account:kajeet, district
    school_id          bigint,                   -- NULL: of no one school
    state              alert_state NOT NULL,
    severity           text NOT NULL,
    is_judged          boolean NOT NULL DEFAULT true,  -- false: too little is known now, so the state stays as it is
    breached_since_at  timestamptz NOT NULL,
    clear_since_at     timestamptz,              -- no longer in breach, not yet for as long as its rule waits
    fired_at           timestamptz,
    judged_at          timestamptz NOT NULL,
    value              double precision,         -- what the rule compares with its threshold
    details            jsonb NOT NULL DEFAULT '{}',
    acknowledged_at    timestamptz,
    snoozed_until_at   timestamptz,
    reminded_at        timestamptz,
    escalated_at       timestamptz,
    PRIMARY KEY (district_id, alert_id),
    UNIQUE (district_id, rule, subject),
    FOREIGN KEY (district_id, school_id) REFERENCES schools
);
CREATE INDEX alerts_open ON alerts (district_id, rule) WHERE state <> 'clear';
CREATE INDEX alerts_school ON alerts (district_id, school_id);

-- Every change of an alert, in order: its history can be read aloud.
CREATE TABLE flips (
    district_id   integer NOT NULL,
    flip_id       bigint GENERATED ALWAYS AS IDENTITY,
    alert_id      bigint NOT NULL,
    kind          flip_kind NOT NULL,
    old_state     alert_state NOT NULL,
    new_state     alert_state NOT NULL,
    reason        text NOT NULL,                  -- a word of service/model/alert_words.py
    evidence      jsonb NOT NULL DEFAULT '{}',    -- value, threshold, since, the rule's details
    actor         text NOT NULL DEFAULT 'afterbell',  -- or the role that acted; never a person's name
    created_at    timestamptz NOT NULL,
    processed_at  timestamptz,                    -- put into notifications, or found to concern nobody
    PRIMARY KEY (district_id, flip_id),
    FOREIGN KEY (district_id, alert_id) REFERENCES alerts
);
CREATE INDEX flips_alert ON flips (district_id, alert_id, flip_id);
CREATE INDEX flips_unprocessed ON flips (district_id, flip_id) WHERE processed_at IS NULL;
CREATE INDEX flips_cleared ON flips (district_id, created_at) WHERE kind = 'cleared';

-- A message to one channel, from the first flip that it tells of to its delivery.
CREATE TABLE notifications (
    district_id       integer NOT NULL REFERENCES districts,
    notification_id   bigint GENERATED ALWAYS AS IDENTITY,
    channel_key       text NOT NULL,
    first_flip_id     bigint NOT NULL,                -- its Message-ID is made of this, the same at every try
    topic             text NOT NULL,                  -- what is told together: a rule at a school, a digest
    due_at            timestamptz NOT NULL,
    state             notification_state NOT NULL DEFAULT 'waiting',
    attempts          smallint NOT NULL DEFAULT 0,
    claimed_until_at  timestamptz,                    -- somebody is sending it; one who dies frees it by then
    sent_at           timestamptz,
    error             text,                           -- of the last try, without addresses and secrets
    created_at        timestamptz NOT NULL,
    PRIMARY KEY (district_id, notification_id),
    FOREIGN KEY (district_id, first_flip_id) REFERENCES flips
);
CREATE INDEX notifications_waiting ON notifications (district_id, due_at) WHERE state = 'waiting';
CREATE INDEX notifications_first_flip ON notifications (district_id, first_flip_id);

CREATE TABLE notification_flips (
    district_id      integer NOT NULL,
    notification_id  bigint NOT NULL,
    flip_id          bigint NOT NULL,
    PRIMARY KEY (district_id, notification_id, flip_id),
    FOREIGN KEY (district_id, notification_id) REFERENCES notifications,
    FOREIGN KEY (district_id, flip_id) REFERENCES flips
);
CREATE INDEX notification_flips_flip ON notification_flips (district_id, flip_id);

-- How each configured channel fares.
CREATE TABLE channels (
    district_id       integer NOT NULL REFERENCES districts,
    channel_key       text NOT NULL,
    is_in_use         boolean NOT NULL DEFAULT true,  -- false once it is out of the configuration
    last_success_at   timestamptz,
    failing_since_at  timestamptz,                    -- NULL: the last message was accepted
    is_refused        boolean NOT NULL DEFAULT false, -- for good: trying again will not help
    error             text,
    PRIMARY KEY (district_id, channel_key)
);

-- Times in which the district works on its fleet: no alert about a family.
CREATE TABLE maintenance_windows (
    district_id  integer NOT NULL REFERENCES districts,
    starts_at    timestamptz NOT NULL,
    ends_at      timestamptz NOT NULL,
    account_key  text NOT NULL DEFAULT '',  -- '': everything
    PRIMARY KEY (district_id, starts_at, account_key),
    CHECK (ends_at > starts_at)
);

-- Open loans that were not used for so many days, by a rule's clock, and those that an alert of the rule stands for, with
-- what the rule says of each: the rules about unused hotspots differ in little else. Of several rules about the same
-- hotspot only the one that asks for most is told: an alert of of_higher (the first goes first) takes a loan over.
CREATE FUNCTION unused_loans(
    of_district integer, of_day date, of_instant timestamptz, of_threshold double precision, of_clock text,
    of_rule text, of_states loan_state[], of_higher text[]
)
RETURNS TABLE (
    subject      text,
    loan_id      bigint,
    school_id    bigint,
    since_at     timestamptz,       -- the first day that its clock showed the threshold
    value        double precision,  -- days
    details      jsonb,
    is_breached  boolean            -- NULL: the clock stands still, or needs a calendar
)
LANGUAGE sql STABLE AS $$
    WITH district AS (
        SELECT d.time_zone, (of_instant AT TIME ZONE d.time_zone)::date AS today
        FROM districts AS d
        WHERE d.district_id = of_district
    ),
    standing AS (
        -- whoever was told of it is told its end
        SELECT substr(a.subject, 6)::bigint AS loan_id
        FROM alerts AS a
        WHERE a.district_id = of_district AND a.rule = of_rule AND a.state <> 'clear'
    ),
    higher AS (
        SELECT DISTINCT ON (a.subject) substr(a.subject, 6)::bigint AS loan_id, a.rule
        FROM alerts AS a
        WHERE a.district_id = of_district AND a.rule = ANY (of_higher) AND a.state IN ('firing', 'held')
        ORDER BY a.subject, array_position(of_higher, a.rule)
    ),
    gone AS (
        -- back since, or reported lost
        SELECT l.loan_id
        FROM loans AS l
        CROSS JOIN district AS d
        WHERE l.district_id = of_district
            AND (l.returned_on > of_day AND l.returned_on <= d.today OR l.lost_on <= of_day)
    ),
    days_of_school AS (
        SELECT c.on_day, row_number() OVER (ORDER BY c.on_day DESC) - 1 AS days_before
        FROM calendar_days AS c
        WHERE c.district_id = of_district AND c.on_day <= of_day AND c.kind IN ('instructional', 'half_day')
    ),
    unused AS (
        SELECT
            o.loan_id, o.school_id, o.state, o.idle_days, o.idle_instructional_days, o.last_used_on,
            o.observed_since_on, k.days, ceil(of_threshold)::integer AS due_days
        FROM loan_days AS o
        CROSS JOIN LATERAL (
            SELECT CASE WHEN of_clock = 'instructional' THEN o.idle_instructional_days ELSE o.idle_days END AS days
        ) AS k
        WHERE o.district_id = of_district AND o.on_day = of_day AND (
            k.days >= of_threshold AND o.state = ANY (of_states)
            OR o.loan_id IN (SELECT t.loan_id FROM standing AS t)
        )
    )
    SELECT
        'loan:' || u.loan_id,
        u.loan_id,
        u.school_id,
        CASE WHEN of_clock = 'instructional' THEN s.on_day ELSE of_day - (u.days - u.due_days) END
            ::timestamp AT TIME ZONE d.time_zone,
        u.days::double precision,
        jsonb_strip_nulls(jsonb_build_object(
            'state', u.state::text,
            'idle_days', u.idle_days,
            'instructional_days', u.idle_instructional_days,
            'last_used_on', u.last_used_on::text,
            'known_since_on', CASE WHEN u.last_used_on IS NULL THEN u.observed_since_on::text END,
            'taken_over_by', h.rule
        )),
        CASE
            WHEN u.state <> 'unknown' AND u.state <> ALL (of_states) THEN false  -- used, or stopped by somebody or its plan
            WHEN u.last_used_on IS NOT NULL AND 'idle' <> ALL (of_states) THEN false
            WHEN coalesce(u.days, u.idle_days) < of_threshold THEN false
            WHEN u.state = 'unknown' OR u.days IS NULL THEN NULL
            ELSE h.rule IS NULL
        END
    FROM unused AS u
    CROSS JOIN district AS d
    LEFT JOIN days_of_school AS s ON s.days_before = u.days - u.due_days
    LEFT JOIN higher AS h ON h.loan_id = u.loan_id
    WHERE u.loan_id NOT IN (SELECT g.loan_id FROM gone AS g)
        AND (h.rule IS NULL OR u.loan_id IN (SELECT t.loan_id FROM standing AS t))
$$;

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

-- Which roles may read which district's figures in the schema reporting.
CREATE TABLE reader_roles (
    district_id  integer NOT NULL REFERENCES districts,
    role_name    name NOT NULL,
    created_at   timestamptz NOT NULL,
    PRIMARY KEY (district_id, role_name)
);

-- Days whose sums, for reporting, are to be made again.
CREATE TABLE dirty_summary_days (
    district_id  integer NOT NULL REFERENCES districts,
    on_day       date NOT NULL,
    PRIMARY KEY (district_id, on_day)
);

-- What the sums of a district's days were made by.
CREATE TABLE summaries (
    district_id         integer PRIMARY KEY REFERENCES districts,
    completeness_floor  double precision NOT NULL,  -- below it coverage is not told
    minimum_cell_size   integer NOT NULL,           -- schools with fewer students in need are withheld
    groups_digest       text NOT NULL               -- of which schools are high-needs
);

-- The days that are summed up, and what is withheld on them beside schools that are too small, so that nobody can take
-- one of these to be what is missing from a sum.
CREATE TABLE summary_days (
    district_id         integer NOT NULL REFERENCES districts,
    on_day              date NOT NULL,
    withheld            bigint[] NOT NULL,  -- schools
    are_groups_told     boolean NOT NULL,   -- false: a group has but one school that is withheld
    is_district_told    boolean NOT NULL,   -- likewise the district
    PRIMARY KEY (district_id, on_day)
);

-- The sums of a day's schools, by whether they are high-needs; but for the first three counts, of those whose need is
-- known. What is NULL is not known.
CREATE TABLE group_days (
    district_id            integer NOT NULL REFERENCES districts,
    on_day                 date NOT NULL,
    school_group           text NOT NULL CHECK (school_group IN ('high_needs', 'others', 'not_told')),
    schools_with_need      integer NOT NULL,
    schools_without_need   integer NOT NULL,
    schools_not_enrolling  integer NOT NULL,  -- need is known, and how many students there are is not
    enrolled               integer,
    answered               integer,
    need                   integer,
    loaned                 integer,
    active_30              integer,
    active_7               integer,
    adequate               integer,
    unknown                integer,
    weak                   integer,
    exhausted              integer,
    idle                   integer,
    never_used             integer,
    suspended              integer,
    covered                integer,
    unserved               integer,
    covered_low            integer,           -- if everyone who has not answered were in need
    need_high              integer,            -- likewise
    covered_high           integer,            -- if every loan of unknown state were adequate
    is_out_of_session      boolean NOT NULL,  -- a school is in a break
    PRIMARY KEY (district_id, on_day, school_group)
);

-- How many lines an account told of on a day, by status. Several accounts may tell of one line: never a sum over them.
CREATE TABLE fleet_days (
    district_id     integer NOT NULL REFERENCES districts,
    on_day          date NOT NULL,
    account_id      bigint NOT NULL,
    status          line_status NOT NULL,  -- unknown also where none was fresh
    lines           integer NOT NULL,
    lines_used      integer NOT NULL,
    lines_idle      integer NOT NULL,      -- the day is a known 0
    lines_at_limit  integer NOT NULL,      -- of a day, or of a cycle
    used_bytes      numeric,               -- of the lines whose day is known; NULL: of none
    PRIMARY KEY (district_id, on_day, account_id, status)
);

-- How many lines of a plan any account told of on a day, and how far yearly and pooled allowances are used.
CREATE TABLE plan_days (
    district_id      integer NOT NULL REFERENCES districts,
    on_day           date NOT NULL,
    plan_id          bigint NOT NULL,
    lines            integer NOT NULL,
    lines_at_limit   integer NOT NULL,  -- of a day, a cycle, a year or a pool
    lines_carried    integer NOT NULL,  -- lines with a yearly or a pooled allowance
    period_bytes     numeric,           -- what these have used of their period; NULL: there are none
    PRIMARY KEY (district_id, on_day, plan_id)
);

-- The signal of the lines that an account measured on a day: of the medians of each.
CREATE TABLE signal_days (
    district_id       integer NOT NULL REFERENCES districts,
    on_day            date NOT NULL,
    account_id        bigint NOT NULL,
    lines             integer NOT NULL,
    samples           bigint NOT NULL,
    lines_weak        integer NOT NULL,  -- whose median is below the floor
    median_rsrp_dbm   real NOT NULL,
    lowest_rsrp_dbm   real NOT NULL,     -- a tenth of the lines has less
    PRIMARY KEY (district_id, on_day, account_id)
);

-- How many changes of alerts there were on a day.
CREATE TABLE flip_days (
    district_id  integer NOT NULL REFERENCES districts,
    on_day       date NOT NULL,
    rule         text NOT NULL,
    kind         flip_kind NOT NULL,
    flips        integer NOT NULL,
    PRIMARY KEY (district_id, on_day, rule, kind)
);
CREATE INDEX flips_created ON flips (district_id, created_at);
CREATE INDEX poll_runs_started ON poll_runs (district_id, started_at);

-- How many sweeps began on a day, by how they ended.
CREATE TABLE poll_days (
    district_id     integer NOT NULL REFERENCES districts,
    on_day          date NOT NULL,
    account_id      bigint NOT NULL,
    endpoint_group  text NOT NULL,
    outcome         poll_outcome NOT NULL,
    runs            integer NOT NULL,
    rows_written    bigint NOT NULL,
    rows_rejected   bigint NOT NULL,
    seconds         double precision NOT NULL,  -- of all that are finished, together
    PRIMARY KEY (district_id, on_day, account_id, endpoint_group, outcome)
);

-- What a complete month's lines cost, by the school that lent them last.
CREATE TABLE cost_months (
    district_id   integer NOT NULL REFERENCES districts,
    month_on      date NOT NULL,            -- its first day
    school_id     bigint NOT NULL,          -- 0: no school lent them
    lines         integer NOT NULL,
    lines_idle    integer NOT NULL,         -- every day is a known 0
    lines_known   integer NOT NULL,         -- idle, or used
    cost          numeric(14, 2) NOT NULL,  -- of the lines whose plan's cost is known
    idle_cost     numeric(14, 2) NOT NULL,
    without_cost  integer NOT NULL,         -- lines whose plan's cost is not known
    computed_at   timestamptz NOT NULL,
    PRIMARY KEY (district_id, month_on, school_id)
);

-- Everything below is read by roles that may see one district: the views alone decide what.
CREATE SCHEMA reporting;
-- A reader finds nothing but the views.
REVOKE ALL ON SCHEMA public FROM PUBLIC;

-- The views that begin with reader_ are parts of those in the schema reporting, where the barriers are, and are nobody's
-- to read. The districts of the present role, each with its reported day: the latest whose lag has passed for every account.
CREATE VIEW reader_districts AS
SELECT
    r.district_id, d.name, d.time_zone, s.minimum_cell_size, s.completeness_floor,
    least(
        d.computed_through_on,
        (now() AT TIME ZONE d.time_zone)::date - 1 - coalesce((
            SELECT max(a.lag_days) FROM accounts AS a
            WHERE a.district_id = d.district_id AND a.collector <> 'file' AND a.is_in_use
        ), 0)
    ) AS reported_on,
    d.computed_through_on
FROM reader_roles AS r
JOIN districts AS d USING (district_id)
JOIN summaries AS s USING (district_id)
WHERE r.role_name = current_user AND d.computed_through_on IS NOT NULL;

-- School days up to the reported one that are summed up, and whether the school is withheld on the day: too few are in
-- need, or nobody knows how many, or another would be found out.
CREATE VIEW reader_school_days AS
SELECT
    o.*, r.time_zone,
    o.need IS NULL OR o.need < r.minimum_cell_size OR o.school_id = ANY (d.withheld) AS is_withheld
FROM reader_districts AS r
JOIN summary_days AS d ON d.district_id = r.district_id AND d.on_day <= r.reported_on
JOIN school_days AS o ON o.district_id = d.district_id AND o.on_day = d.on_day;

-- The schools that are not withheld on a day, of whichever district: for one row at a time, by its keys.
CREATE VIEW reader_schools AS
SELECT o.district_id, o.on_day, o.school_id, s.ncessch, s.name
FROM summary_days AS d
JOIN summaries AS t ON t.district_id = d.district_id
JOIN school_days AS o ON o.district_id = d.district_id AND o.on_day = d.on_day
JOIN schools AS s ON s.district_id = o.district_id AND s.school_id = o.school_id
WHERE o.need >= t.minimum_cell_size AND o.school_id <> ALL (d.withheld);

CREATE VIEW reporting.districts WITH (security_barrier) AS
SELECT district_id, name, time_zone, reported_on, computed_through_on, minimum_cell_size, completeness_floor
FROM reader_districts;

CREATE VIEW reporting.schools WITH (security_barrier) AS
SELECT
    s.district_id, s.ncessch, s.name, s.is_high_needs, s.high_needs_basis, s.indicator::text AS indicator,
    s.indicator_value, s.indicator_year
FROM reader_districts AS r
JOIN schools AS s USING (district_id);

-- A school's figures on a day. Of one that is withheld: that it is.
CREATE VIEW reporting.school_days WITH (security_barrier) AS
SELECT
    o.district_id, o.on_day, o.on_day::timestamp AT TIME ZONE o.time_zone AS day_at,
    s.ncessch, s.name AS school, s.is_high_needs, o.is_withheld, o.is_out_of_session, o.is_instructional,
    CASE WHEN NOT o.is_withheld OR o.need IS NULL THEN o.coverage_status::text END AS coverage_status,
    CASE WHEN NOT o.is_withheld THEN o.need_source::text END AS need_source,
    CASE WHEN NOT o.is_withheld THEN o.enrolled END AS enrolled,
    CASE WHEN NOT o.is_withheld THEN o.answered END AS answered,
    CASE WHEN NOT o.is_withheld THEN o.need END AS need,
    CASE WHEN NOT o.is_withheld THEN o.loaned END AS loaned,
    CASE WHEN NOT o.is_withheld THEN o.active_30 END AS active_30,
    CASE WHEN NOT o.is_withheld THEN o.active_7 END AS active_7,
    CASE WHEN NOT o.is_withheld THEN o.adequate END AS adequate,
    CASE WHEN NOT o.is_withheld THEN o.unknown END AS unknown,
    CASE WHEN NOT o.is_withheld THEN o.weak END AS weak,
    CASE WHEN NOT o.is_withheld THEN o.exhausted END AS exhausted,
    CASE WHEN NOT o.is_withheld THEN o.idle END AS idle,
    CASE WHEN NOT o.is_withheld THEN o.never_used END AS never_used,
    CASE WHEN NOT o.is_withheld THEN o.suspended END AS suspended,
    CASE WHEN NOT o.is_withheld THEN least(o.adequate, o.need) END AS covered,
    CASE WHEN NOT o.is_withheld THEN o.need - least(o.adequate, o.need) END AS unmet,
    CASE WHEN NOT o.is_withheld THEN greatest(0, o.need - o.loaned) END AS unserved,
    CASE WHEN NOT o.is_withheld THEN least(1, o.answered::double precision / nullif(o.enrolled, 0)) END
        AS response_ratio,
    CASE WHEN NOT o.is_withheld THEN o.completeness END AS completeness,
    CASE WHEN NOT o.is_withheld THEN o.coverage END AS coverage,
    CASE WHEN NOT o.is_withheld THEN o.coverage_low END AS coverage_low,
    CASE WHEN NOT o.is_withheld THEN o.coverage_high END AS coverage_high,
    CASE WHEN NOT o.is_withheld THEN o.is_need_exceeded END AS is_need_exceeded
FROM reader_school_days AS o
JOIN schools AS s ON s.district_id = o.district_id AND s.school_id = o.school_id;

-- The district's figures on a day, over the schools whose need is known, the withheld ones among them. No row: they are
-- of so few students, or of one school that is withheld.
CREATE VIEW reporting.district_days WITH (security_barrier) AS
SELECT
    d.district_id, d.on_day, d.on_day::timestamp AT TIME ZONE d.time_zone AS day_at,
    d.schools_with_need, d.schools_without_need, d.is_out_of_session,
    CASE WHEN d.schools_not_enrolling = 0 THEN d.enrolled END AS enrolled,
    d.answered, d.need, d.loaned, d.active_30, d.active_7, d.adequate, d.unknown, d.weak, d.exhausted, d.idle,
    d.never_used, d.suspended, d.covered, d.need - d.covered AS unmet, d.unserved, d.completeness,
    CASE WHEN d.schools_not_enrolling = 0 THEN least(1, d.answered::double precision / nullif(d.enrolled, 0)) END
        AS response_ratio,
    CASE WHEN d.completeness >= d.completeness_floor THEN d.covered::double precision / nullif(d.need, 0) END
        AS coverage,
    CASE WHEN d.schools_not_enrolling = 0 THEN d.covered_low::double precision / nullif(d.need_high, 0) END
        AS coverage_low,
    d.covered_high::double precision / nullif(d.need, 0) AS coverage_high
FROM (
    SELECT
        g.district_id, g.on_day, r.time_zone, r.completeness_floor,
        sum(g.schools_with_need) AS schools_with_need, sum(g.schools_without_need) AS schools_without_need,
        sum(g.schools_not_enrolling) AS schools_not_enrolling, bool_or(g.is_out_of_session) AS is_out_of_session,
        sum(g.enrolled) AS enrolled, sum(g.answered) AS answered, sum(g.need) AS need, sum(g.loaned) AS loaned,
        sum(g.active_30) AS active_30, sum(g.active_7) AS active_7, sum(g.adequate) AS adequate,
        sum(g.unknown) AS unknown, sum(g.weak) AS weak, sum(g.exhausted) AS exhausted, sum(g.idle) AS idle,
        sum(g.never_used) AS never_used, sum(g.suspended) AS suspended, sum(g.covered) AS covered,
        sum(g.unserved) AS unserved, sum(g.covered_low) AS covered_low, sum(g.need_high) AS need_high,
        sum(g.covered_high) AS covered_high,
        CASE WHEN sum(g.loaned) > 0 THEN 1 - sum(g.unknown)::double precision / sum(g.loaned) ELSE 1 END AS completeness
    FROM reader_districts AS r
    JOIN summary_days AS t ON t.district_id = r.district_id AND t.on_day <= r.reported_on AND t.is_district_told
    JOIN group_days AS g ON g.district_id = t.district_id AND g.on_day = t.on_day
    GROUP BY g.district_id, g.on_day, r.time_zone, r.completeness_floor, r.minimum_cell_size
    HAVING sum(g.need) >= r.minimum_cell_size OR sum(g.need) IS NULL
) AS d;

-- High-needs schools against others. A group of too few students in need is withheld, as a school would be.
CREATE VIEW reporting.group_days WITH (security_barrier) AS
SELECT
    w.district_id, w.on_day, w.on_day::timestamp AT TIME ZONE w.time_zone AS day_at, w.school_group, w.is_withheld,
    w.schools_with_need, w.schools_without_need,
    CASE WHEN NOT w.is_withheld THEN w.need END AS need,
    CASE WHEN NOT w.is_withheld THEN w.loaned END AS loaned,
    CASE WHEN NOT w.is_withheld THEN w.covered END AS covered,
    CASE WHEN NOT w.is_withheld THEN w.unserved END AS unserved,
    CASE WHEN NOT w.is_withheld THEN w.completeness END AS completeness,
    CASE WHEN NOT w.is_withheld AND w.completeness >= w.completeness_floor
        THEN w.covered::double precision / nullif(w.need, 0) END AS coverage,
    CASE WHEN NOT w.is_withheld AND w.schools_not_enrolling = 0
        THEN w.covered_low::double precision / nullif(w.need_high, 0) END AS coverage_low,
    CASE WHEN NOT w.is_withheld THEN w.covered_high::double precision / nullif(w.need, 0) END AS coverage_high
FROM (
    SELECT
        g.*, r.time_zone, r.completeness_floor,
        CASE WHEN g.loaned > 0 THEN 1 - g.unknown::double precision / g.loaned ELSE 1 END AS completeness,
        NOT t.are_groups_told OR g.need < r.minimum_cell_size OR (
            count(*) FILTER (WHERE g.need < r.minimum_cell_size) OVER same_day = 1
            AND row_number() OVER (PARTITION BY g.district_id, g.on_day ORDER BY g.need, g.school_group) = 2
        ) AS is_withheld
    FROM reader_districts AS r
    JOIN summary_days AS t ON t.district_id = r.district_id AND t.on_day <= r.reported_on
    JOIN group_days AS g ON g.district_id = t.district_id AND g.on_day = t.on_day
    WINDOW same_day AS (PARTITION BY g.district_id, g.on_day)
) AS w;

CREATE VIEW reporting.fleet_days WITH (security_barrier) AS
SELECT
    f.district_id, f.on_day, f.on_day::timestamp AT TIME ZONE r.time_zone AS day_at, a.account_key AS account,
    a.collector, f.status::text AS status, f.lines, f.lines_used, f.lines_idle,
    f.lines - f.lines_used - f.lines_idle AS lines_unknown, f.lines_at_limit,
    f.used_bytes::double precision AS used_bytes
FROM reader_districts AS r
JOIN fleet_days AS f ON f.district_id = r.district_id AND f.on_day <= r.reported_on
JOIN accounts AS a ON a.district_id = f.district_id AND a.account_id = f.account_id;

-- Allowances and prices are the plan's present ones.
CREATE VIEW reporting.plan_days WITH (security_barrier) AS
SELECT
    f.district_id, f.on_day, f.on_day::timestamp AT TIME ZONE r.time_zone AS day_at, p.plan_key AS plan, p.provider,
    p.allowance_period::text AS allowance_period, p.at_allowance::text AS at_allowance, p.is_pooled,
    p.allowance_bytes, p.monthly_cost::double precision AS monthly_cost, f.lines, f.lines_at_limit, f.lines_carried,
    f.period_bytes::double precision AS period_bytes,
    f.period_bytes::double precision / nullif(p.allowance_bytes * f.lines_carried, 0) AS used_ratio
FROM reader_districts AS r
JOIN plan_days AS f ON f.district_id = r.district_id AND f.on_day <= r.reported_on
JOIN plans AS p ON p.district_id = f.district_id AND p.plan_id = f.plan_id;

CREATE VIEW reporting.signal_days WITH (security_barrier) AS
SELECT
    f.district_id, f.on_day, f.on_day::timestamp AT TIME ZONE r.time_zone AS day_at, a.account_key AS account, f.lines,
    f.samples, f.lines_weak, f.median_rsrp_dbm::double precision AS median_rsrp_dbm,
    f.lowest_rsrp_dbm::double precision AS lowest_rsrp_dbm
FROM reader_districts AS r
JOIN signal_days AS f ON f.district_id = r.district_id AND f.on_day <= r.reported_on
JOIN accounts AS a ON a.district_id = f.district_id AND a.account_id = f.account_id;

-- How fresh each part of each account is. A file's account has no part.
CREATE VIEW reporting.accounts WITH (security_barrier) AS
SELECT
    a.district_id, a.account_key AS account, a.collector, a.lag_days, a.rank, w.endpoint_group,
    extract(epoch FROM coalesce(w.cadence, a.cadence))::double precision AS cadence_seconds,
    w.last_attempt_at, w.last_success_at, w.failing_since_at, w.last_error
FROM reader_districts AS r
JOIN accounts AS a USING (district_id)
LEFT JOIN watermarks AS w ON w.district_id = a.district_id AND w.account_id = a.account_id
WHERE a.is_in_use;

-- Sweeps by the local day that they began on.
CREATE VIEW reporting.poll_days WITH (security_barrier) AS
SELECT
    p.district_id, p.on_day, p.on_day::timestamp AT TIME ZONE r.time_zone AS day_at, a.account_key AS account,
    p.endpoint_group, p.outcome::text AS outcome, p.runs, p.rows_written, p.rows_rejected, p.seconds
FROM reader_districts AS r
JOIN poll_days AS p USING (district_id)
JOIN accounts AS a ON a.district_id = p.district_id AND a.account_id = p.account_id;

-- Alerts that are not clear. The school is NULL where the alert is of none, or of one that is withheld.
CREATE VIEW reporting.alerts WITH (security_barrier) AS
SELECT
    a.district_id, a.rule, a.severity, a.state::text AS state, a.acknowledged_at IS NOT NULL AS is_acknowledged,
    s.ncessch, s.name AS school, count(*) AS alerts, min(a.breached_since_at AT TIME ZONE r.time_zone)::date AS since_on
FROM reader_districts AS r
JOIN alerts AS a ON a.district_id = r.district_id AND a.state <> 'clear'
LEFT JOIN LATERAL (
    SELECT o.ncessch, o.name
    FROM reader_schools AS o
    WHERE o.district_id = a.district_id AND o.on_day = r.reported_on AND o.school_id = a.school_id
    LIMIT 1
) AS s ON true
GROUP BY a.district_id, a.rule, a.severity, a.state, a.acknowledged_at IS NOT NULL, s.ncessch, s.name;

CREATE VIEW reporting.alert_days WITH (security_barrier) AS
SELECT
    f.district_id, f.on_day, f.on_day::timestamp AT TIME ZONE r.time_zone AS day_at, f.rule, f.kind::text AS kind, f.flips
FROM reader_districts AS r
JOIN flip_days AS f USING (district_id);

-- How each rule's last run went.
CREATE VIEW reporting.rules WITH (security_barrier) AS
SELECT
    u.district_id, u.rule, u.evaluated_at, u.judged_on, u.seconds, u.breached, u.unjudged, u.failing_since_at, u.error
FROM reader_districts AS r
JOIN rule_runs AS u USING (district_id);

CREATE VIEW reporting.channels WITH (security_barrier) AS
SELECT c.district_id, c.channel_key AS channel, c.last_success_at, c.failing_since_at, c.is_refused, c.error
FROM reader_districts AS r
JOIN channels AS c USING (district_id)
WHERE c.is_in_use;

CREATE VIEW reporting.cost_months WITH (security_barrier) AS
SELECT
    c.district_id, c.month_on, c.month_on::timestamp AT TIME ZONE r.time_zone AS month_at,
    sum(c.lines) AS lines, sum(c.lines_idle) AS lines_idle, sum(c.lines_known) AS lines_known,
    sum(c.cost)::double precision AS cost, sum(c.idle_cost)::double precision AS idle_cost,
    sum(c.without_cost) AS without_cost
FROM reader_districts AS r
JOIN cost_months AS c USING (district_id)
GROUP BY c.district_id, c.month_on, r.time_zone;

-- The lines that no school lent, and those of schools that are withheld, are told of together: their school is NULL.
CREATE VIEW reporting.school_cost_months WITH (security_barrier) AS
SELECT
    c.district_id, c.month_on, s.ncessch, s.name AS school,
    sum(c.lines) AS lines, sum(c.lines_idle) AS lines_idle, sum(c.lines_known) AS lines_known,
    sum(c.cost)::double precision AS cost, sum(c.idle_cost)::double precision AS idle_cost,
    sum(c.without_cost) AS without_cost
FROM reader_districts AS r
JOIN cost_months AS c USING (district_id)
LEFT JOIN LATERAL (
    SELECT o.ncessch, o.name
    FROM reader_schools AS o
    WHERE o.district_id = c.district_id AND o.on_day = r.reported_on AND o.school_id = c.school_id
    LIMIT 1
) AS s ON true
GROUP BY c.district_id, c.month_on, s.ncessch, s.name;

CREATE VIEW reporting.reconciliation WITH (security_barrier) AS
SELECT
    c.district_id, c.kind, sum(c.findings) AS findings, min(c.oldest_on) AS oldest_on,
    sum(c.monthly_cost)::double precision AS monthly_cost
FROM reader_districts AS r
JOIN reconciliation_counts AS c USING (district_id)
GROUP BY c.district_id, c.kind;

-- Every role may select, and none can reach the views but those that are let into their schema, as readers are.
GRANT SELECT ON ALL TABLES IN SCHEMA reporting TO PUBLIC;
