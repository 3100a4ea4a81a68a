-- The roles of one deployment, made once by an administrator of PostgreSQL, in its database, before `tvdb migrate`:
--   psql -v ON_ERROR_STOP=1 -d tvdb -f deploy/roles.sql
-- Running it again changes nothing. docs/security/roles.md lists what each may do; `tvdb migrate` gives them that.
DO $$
DECLARE
    each text;
BEGIN
    -- Groups, which nobody logs in as.
    FOREACH each IN ARRAY ARRAY['tvdb_migration', 'tvdb_application', 'tvdb_read_only', 'tvdb_backup'] LOOP
        IF to_regrole(each) IS NULL THEN
            EXECUTE format('CREATE ROLE %I NOLOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', each);
        END IF;
    END LOOP;
    -- Logins, one for each place a password is kept in. They have none yet: \password tvdb_app, and so on, keeps them out of logs.
    FOR each IN SELECT unnest(ARRAY['tvdb_owner', 'tvdb_app', 'tvdb_reader', 'tvdb_dump']) LOOP
        IF to_regrole(each) IS NULL THEN
            EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE', each);
        END IF;
    END LOOP;
    EXECUTE format('ALTER DATABASE %I OWNER TO tvdb_migration', current_database());
END $$;
GRANT tvdb_migration TO tvdb_owner;     -- tvdb migrate, tvdb restore
GRANT tvdb_application TO tvdb_app;     -- tvdb serve, tvdb ingest, tvdb search, tvdb watch
GRANT tvdb_read_only TO tvdb_reader;    -- tvdb status, tvdb metrics, tvdb audit, people who look with psql
GRANT tvdb_backup TO tvdb_dump;         -- tvdb backup
CREATE EXTENSION IF NOT EXISTS vector;
