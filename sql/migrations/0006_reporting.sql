-- What database roles may read, through views made for reporting.

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

-- Every day that was computed before is to be summed up.
INSERT INTO dirty_summary_days (district_id, on_day)
SELECT DISTINCT district_id, on_day FROM school_days;
