CREATE TABLE tvdb.audit (
    id      bigint PRIMARY KEY,
    at      timestamptz NOT NULL,
    actor   text NOT NULL,
    role    text NOT NULL,
    process text NOT NULL,
    action  text NOT NULL CHECK (action ~ '^[a-z_]{1,40}$'),
    subject text CHECK (subject ~ '^[a-z0-9-]{1,80}$'),
    run_id  text,
    figures jsonb NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(figures) = 'object'),
    hash    bytea NOT NULL
);
COMMENT ON TABLE tvdb.audit IS 'who did what; only ever added to; keys, counts, codes and names of settings, no content, query or path';
COMMENT ON COLUMN tvdb.audit.id IS 'without gaps: given under a lock by the trigger, as are all columns but action, subject, run_id and figures';
COMMENT ON COLUMN tvdb.audit.actor IS 'the operating-system user of the process, as it introduced itself; unknown where it did not';
COMMENT ON COLUMN tvdb.audit.role IS 'the role it logged in to the database as';
COMMENT ON COLUMN tvdb.audit.process IS 'the command or server, as it introduced itself, else its application_name';
COMMENT ON COLUMN tvdb.audit.subject IS 'the key of the document it was done to';
COMMENT ON COLUMN tvdb.audit.hash IS 'sha256 of the hash of the entry before and of what this one says';
CREATE INDEX audit_subject ON tvdb.audit (subject, id) WHERE subject IS NOT NULL;
CREATE INDEX audit_shown ON tvdb.audit USING gin ((figures -> 'documents')) WHERE action = 'searched';
CREATE INDEX audit_terms ON tvdb.audit ((figures ->> 'setting'), id)
    WHERE action IN ('limit_changed', 'agreement_changed', 'redaction_changed');
CREATE INDEX audit_at ON tvdb.audit USING brin (at);

-- Until the transaction ends, so that nobody chains to an entry that may yet be taken back. Take it last: documents are locked before it.
CREATE FUNCTION tvdb.lock_audit() RETURNS void LANGUAGE sql AS $$ SELECT pg_catalog.pg_advisory_xact_lock(1953916002, 14) $$;

CREATE FUNCTION tvdb.chain_audit() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    last record;
BEGIN
    PERFORM tvdb.lock_audit();
    SELECT id, hash INTO last FROM tvdb.audit ORDER BY id DESC LIMIT 1;
    NEW.id := coalesce(last.id, 0) + 1;
    NEW.at := clock_timestamp();
    NEW.actor := coalesce(nullif(current_setting('tvdb.actor', true), ''), 'unknown');
    NEW.role := session_user;
    NEW.process := coalesce(
        nullif(current_setting('tvdb.process', true), ''), nullif(current_setting('application_name'), ''), 'unknown');
    -- operations/audit.py builds the same text, and no other function of this database, to verify it.
    NEW.hash := sha256(coalesce(last.hash, '') || convert_to(jsonb_build_array(
        NEW.id, to_char(NEW.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US'), NEW.actor, NEW.role, NEW.process,
        NEW.action, NEW.subject, NEW.run_id, NEW.figures)::text, 'UTF8'));
    RETURN NEW;
END $$;
CREATE TRIGGER audit_chained BEFORE INSERT ON tvdb.audit FOR EACH ROW EXECUTE FUNCTION tvdb.chain_audit();
ALTER TABLE tvdb.audit ENABLE ALWAYS TRIGGER audit_chained;

CREATE FUNCTION tvdb.keep_audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'The audit record is only added to: its entries can be neither changed nor removed.'
        USING ERRCODE = 'insufficient_privilege';
END $$;
CREATE TRIGGER audit_kept BEFORE UPDATE OR DELETE OR TRUNCATE ON tvdb.audit
    FOR EACH STATEMENT EXECUTE FUNCTION tvdb.keep_audit();
ALTER TABLE tvdb.audit ENABLE ALWAYS TRIGGER audit_kept;

CREATE FUNCTION tvdb.audit_document() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    key      text := CASE TG_OP WHEN 'DELETE' THEN OLD.key ELSE NEW.key END;
    noted    text := CASE
        WHEN TG_OP = 'DELETE' OR NEW.state = 'deleted'
            THEN coalesce(nullif(current_setting('tvdb.removal', true), ''), 'deleted')
        WHEN TG_OP = 'INSERT' OR NEW.state = 'registered' AND OLD.state <> 'processing' THEN 'registered'
        ELSE 'ingested' END;
    counted  jsonb := CASE noted
        WHEN 'registered' THEN jsonb_build_object('attached_to', NEW.parent_key)
        WHEN 'ingested' THEN jsonb_build_object('state', NEW.state, 'stage', NEW.stage, 'code', NEW.error ->> 'code',
            'bytes', NEW.bytes, 'pages', NEW.pages, 'chunks', NEW.chunks, 'vectors', NEW.vectors)
        ELSE jsonb_build_object('chunks', OLD.chunks, 'vectors', OLD.vectors) END;
BEGIN
    INSERT INTO tvdb.audit (action, subject, run_id, figures)
    VALUES (noted, key, CASE noted WHEN 'ingested' THEN NEW.run_id END, jsonb_strip_nulls(counted));
    RETURN NULL;
END $$;
COMMENT ON FUNCTION tvdb.audit_document() IS
    'tvdb.removal, set for a transaction: what the removals in it are called (vanished) if nobody asked for them';
-- As the transaction is committed, so that the lock is the last it takes.
CREATE CONSTRAINT TRIGGER audit_registered AFTER INSERT ON tvdb.documents DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION tvdb.audit_document();
CREATE CONSTRAINT TRIGGER audit_changed AFTER UPDATE OF state ON tvdb.documents DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (NEW.state IS DISTINCT FROM OLD.state AND NEW.state <> 'processing')
    EXECUTE FUNCTION tvdb.audit_document();
CREATE CONSTRAINT TRIGGER audit_erased AFTER DELETE ON tvdb.documents DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW WHEN (OLD.state <> 'deleted') EXECUTE FUNCTION tvdb.audit_document();

CREATE FUNCTION tvdb.audit_safekeeping() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO tvdb.audit (action, figures)
    VALUES (CASE NEW.kind WHEN 'backup' THEN 'backed_up' WHEN 'restore' THEN 'restored' WHEN 'drill' THEN 'drilled' ELSE NEW.kind END,
            NEW.figures || jsonb_build_object('passed', NEW.passed));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_safekeeping AFTER INSERT ON tvdb.safekeeping FOR EACH ROW EXECUTE FUNCTION tvdb.audit_safekeeping();

CREATE FUNCTION tvdb.audit_migration() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    INSERT INTO tvdb.audit (action, figures)
    VALUES ('migrated', jsonb_build_object('number', NEW.number, 'name', NEW.name));
    RETURN NULL;
END $$;
CREATE TRIGGER audit_migrated AFTER INSERT ON tvdb.schema_migrations FOR EACH ROW EXECUTE FUNCTION tvdb.audit_migration();
