ALTER TABLE tvdb.documents ADD COLUMN run_id text;
COMMENT ON COLUMN tvdb.documents.run_id IS 'the Dagster run that claimed it last';

CREATE TABLE tvdb.journal (
    id              bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at              timestamptz NOT NULL DEFAULT clock_timestamp(),
    document_key    text NOT NULL,
    event           text NOT NULL CHECK (event IN ('registered', 'claimed', 'state')),
    state           text NOT NULL,
    stage           text,
    code            text,
    run_id          text,
    attempts        integer NOT NULL,
    next_attempt_at timestamptz,
    seconds         jsonb
);
COMMENT ON TABLE tvdb.journal IS 'what happened to each document, in order; only ever added to; keys and codes, no content';
COMMENT ON COLUMN tvdb.journal.seconds IS 'by stage, where the entry ends a walk';
CREATE INDEX journal_document ON tvdb.journal (document_key, id);
CREATE INDEX journal_at ON tvdb.journal USING brin (at);

CREATE FUNCTION tvdb.note_document() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    noted text := CASE WHEN TG_OP = 'INSERT' THEN 'registered'
                       WHEN NEW.fence > OLD.fence AND NEW.state <> 'deleted' THEN 'claimed'
                       ELSE 'state' END;
BEGIN
    INSERT INTO tvdb.journal (document_key, event, state, stage, code, run_id, attempts, next_attempt_at, seconds)
    VALUES (NEW.key, noted, NEW.state, NEW.stage, NEW.error ->> 'code', NEW.run_id, NEW.attempts, NEW.next_attempt_at,
            CASE WHEN noted = 'state' AND NEW.state IN ('ready', 'partial', 'deferred', 'rejected', 'failed')
                THEN NEW.seconds END);
    RETURN NULL;
END $$;

CREATE TRIGGER note_registered AFTER INSERT ON tvdb.documents FOR EACH ROW EXECUTE FUNCTION tvdb.note_document();
-- That it is being worked on is told by the claim.
CREATE TRIGGER note_changed AFTER UPDATE OF state, fence ON tvdb.documents FOR EACH ROW
    WHEN (NEW.fence > OLD.fence OR NEW.state IS DISTINCT FROM OLD.state AND NEW.state <> 'processing')
    EXECUTE FUNCTION tvdb.note_document();

INSERT INTO tvdb.journal (at, document_key, event, state, attempts)
    SELECT registered_at, key, 'registered', 'registered', 0 FROM tvdb.documents ORDER BY registered_at;
INSERT INTO tvdb.journal (at, document_key, event, state, stage, code, attempts, next_attempt_at, seconds)
    SELECT updated_at, key, 'state', state, stage, error ->> 'code', attempts, next_attempt_at, seconds
    FROM tvdb.documents WHERE state NOT IN ('registered', 'processing') ORDER BY updated_at;
