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

-- Whether a line's traffic is filtered, as the law asks for what children use. NULL: not told.
ALTER TABLE latest_states ADD COLUMN is_filtered boolean;
ALTER TABLE plans ADD COLUMN is_filtered boolean;
