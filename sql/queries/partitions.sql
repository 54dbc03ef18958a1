-- old_reading_partitions --
-- Partitions of raw readings that end at or before an instant's month. Parameters: the first month to keep.
SELECT parent.relname::text AS parent, child.relname::text AS partition
FROM pg_inherits AS i
JOIN pg_class AS parent ON parent.oid = i.inhparent
JOIN pg_class AS child ON child.oid = i.inhrelid
WHERE parent.relname IN (
        'usage_readings', 'state_readings', 'signal_readings', 'session_readings', 'student_device_days'
    )
    AND parent.relnamespace = current_schema()::regnamespace
    AND to_date(right(child.relname, 6), 'YYYYMM') < date_trunc('month', $1::date)
ORDER BY child.relname;

-- drop_partition --
-- Parameters: table, partition.
SELECT drop_partition($1::text::regclass, $2::text::regclass);
