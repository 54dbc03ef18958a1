-- Making a month's partitions no longer stops those who read, and dropping one gives way to them.

-- Makes the monthly partitions that cover the given days where they are missing; returns how many it made. Each is
-- attached, which whoever reads or writes the table need not wait for: a lock that shuts them out of several tables
-- at once would meet theirs in another order. Who writes lines, which its foreign keys name, waits for the caller's end.
CREATE OR REPLACE FUNCTION ensure_partitions(first_on date, last_on date) RETURNS integer
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
CREATE OR REPLACE FUNCTION drop_partition(parent regclass, partition regclass) RETURNS void
LANGUAGE plpgsql AS $$
BEGIN
    PERFORM set_config('lock_timeout', '200ms', true);
    EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, partition);
    EXECUTE format('DROP TABLE %s', partition);
END
$$;
