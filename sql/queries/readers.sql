-- reader_role --
-- A role as the server knows it, and as a reader: whether it may do more than read, is a member of others, and which
-- district it reads (NULL: none). No row: there is no such role. Parameters: role.
SELECT
    o.rolsuper OR o.rolcreaterole OR o.rolcreatedb OR o.rolreplication OR o.rolbypassrls AS is_powerful,
    EXISTS (SELECT FROM pg_auth_members AS m WHERE m.member = o.oid) AS is_member,
    (SELECT min(r.district_id) FROM reader_roles AS r WHERE r.role_name = o.rolname) AS district_id
FROM pg_roles AS o
WHERE o.rolname = $1::name;

-- make_reader --
-- The statements that make a role, its name and secret quoted by the server. Parameters: role, verifier of its password.
SELECT format(
    'CREATE ROLE %I LOGIN NOINHERIT NOCREATEDB NOCREATEROLE CONNECTION LIMIT 20 PASSWORD %L', $1::text, $2::text
);

-- change_reader --
-- Likewise, one that is there. Parameters: role, verifier of its password.
SELECT format('ALTER ROLE %I LOGIN NOINHERIT CONNECTION LIMIT 20 PASSWORD %L', $1::text, $2::text);

-- limit_reader --
-- The statements that keep a reader's sessions short and harmless: what they see is decided by grants and views.
-- Parameters: role.
SELECT format('ALTER ROLE %I SET %s', $1::text, setting)
FROM unnest(ARRAY[
    'default_transaction_read_only = on', 'statement_timeout = ''30s''',
    'idle_in_transaction_session_timeout = ''60s''', 'search_path = reporting', 'jit = off'
]) AS setting;

-- let_reader_in --
-- The statements that let a role reach the views, and nothing else. Parameters: role.
SELECT format('GRANT CONNECT ON DATABASE %I TO %I', current_database(), $1::text)
UNION ALL
SELECT format('GRANT USAGE ON SCHEMA reporting TO %I', $1::text);

-- shut_reader_out --
-- The statements after which a role reaches nothing here and cannot log in. Each is for itself: a database user who may not
-- change roles still takes back what it granted. Parameters: role.
SELECT format('REVOKE ALL ON SCHEMA reporting FROM %I', $1::text)
UNION ALL
SELECT format('REVOKE ALL ON DATABASE %I FROM %I', current_database(), $1::text)
UNION ALL
SELECT format('ALTER ROLE %I NOLOGIN', $1::text);

-- end_sessions_of_reader --
-- The statements that end a role's sessions, and wait for each. Only members of a role may. Parameters: role.
SELECT format('GRANT %I TO CURRENT_USER', $1::text)
UNION ALL
SELECT format('SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = %L', $1::text)
UNION ALL
SELECT format('REVOKE %I FROM CURRENT_USER', $1::text);

-- drop_reader --
-- The statement that drops a role. Parameters: role.
SELECT format('DROP ROLE %I', $1::text);

-- is_reader --
-- Whether a role is a reader here, be it on the server or gone from it. Parameters: role.
SELECT EXISTS (SELECT FROM reader_roles WHERE role_name = $1::name);

-- write_reader --
-- Parameters: district, role, now.
INSERT INTO reader_roles (district_id, role_name, created_at)
VALUES ($1, $2, $3)
ON CONFLICT (district_id, role_name) DO NOTHING;

-- forget_reader --
-- Parameters: role.
DELETE FROM reader_roles WHERE role_name = $1::name;

-- readers --
-- Every reader, and whether the server still has its role.
SELECT
    r.district_id, d.name AS district, r.role_name, r.created_at,
    EXISTS (SELECT FROM pg_roles AS o WHERE o.rolname = r.role_name) AS is_there
FROM reader_roles AS r
JOIN districts AS d USING (district_id)
ORDER BY r.district_id, r.role_name;
