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

-- Whether a line's traffic is filtered, as the law asks for what children use. NULL: not told.
ALTER TABLE latest_states ADD COLUMN is_filtered boolean;
ALTER TABLE plans ADD COLUMN is_filtered boolean;
