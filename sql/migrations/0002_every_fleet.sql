-- Carriers, routers and students' devices: sessions, last seen, students' devices, and budgets that hold across processes.

ALTER TYPE reading_kind ADD VALUE 'session';
ALTER TYPE reading_series ADD VALUE 'part';
ALTER TYPE reading_series ADD VALUE 'connection';

CREATE TYPE last_seen_by AS ENUM (
    'session',     -- the end of its last data session; the present, while one goes on
    'connection',  -- when it last connected: it may have been connected ever since
    'cloud',       -- when its manager in the cloud last heard of it
    'policy_sync'  -- when it last fetched its settings: says nothing of use
);

ALTER TABLE latest_states ADD COLUMN last_seen_at timestamptz, ADD COLUMN last_seen_by last_seen_by;

ALTER TABLE state_readings ALTER COLUMN status DROP NOT NULL, ADD COLUMN is_limit_reached boolean;

ALTER TABLE line_days ADD COLUMN is_state_fresh boolean NOT NULL DEFAULT false;
UPDATE line_days SET is_state_fresh = true WHERE status IS NOT NULL;

ALTER TABLE watermarks ADD COLUMN cadence interval NOT NULL DEFAULT '1 hour';

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

-- What was told is digested another way: every line is looked at once more.
UPDATE provider_keys SET identity = '';

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
        'student_device_days'
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
