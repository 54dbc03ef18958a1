-- lock_migrations --
-- Wait for any other migration to end. Parameters: the lock's number.
SELECT pg_advisory_lock($1);

-- unlock_migrations --
-- Parameters: the lock's number.
SELECT pg_advisory_unlock($1);

-- has_migrations_table --
-- NULL in an empty database.
SELECT to_regclass('schema_migrations')::text;

-- applied_migrations --
-- What has been applied, with its checksum.
SELECT name, checksum FROM schema_migrations ORDER BY name;

-- record_migration --
-- Parameters: name, checksum.
INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2);
