#!/bin/sh
# Makes afterbell's role and database where they are missing, as when the server's data are made, and gives the role the
# password of the secret's file. It is no superuser: it owns its database, and may make the roles that Grafana reads with.
set -eu
psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --username=postgres --dbname=postgres <<'SQL'
\set password `cat /run/secrets/database_password`
SELECT count(*) = 0 AS is_missing FROM pg_roles WHERE rolname = 'afterbell' \gset
\if :is_missing
CREATE ROLE afterbell LOGIN CREATEROLE;
\endif
ALTER ROLE afterbell PASSWORD :'password';
SELECT count(*) = 0 AS is_missing FROM pg_database WHERE datname = 'afterbell' \gset
\if :is_missing
CREATE DATABASE afterbell OWNER afterbell;
REVOKE CONNECT, TEMPORARY ON DATABASE afterbell FROM PUBLIC;
\endif
\connect afterbell
-- A role that only reads may otherwise hold the locks that the service takes, and store large objects.
SELECT format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC; GRANT EXECUTE ON FUNCTION %1$s TO afterbell', oid::regprocedure)
FROM pg_proc
WHERE pronamespace = 'pg_catalog'::regnamespace
    AND (proname ~ '^pg_(try_)?advisory_(xact_)?lock' OR proname IN ('lo_creat', 'lo_create', 'lo_from_bytea')) \gexec
SQL
