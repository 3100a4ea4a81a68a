CREATE TABLE tvdb.tombstones (
    document_key         text PRIMARY KEY CHECK (document_key ~ '^[a-z0-9-]{1,80}$'),
    erased_at            timestamptz NOT NULL DEFAULT clock_timestamp(),
    reason               text NOT NULL CHECK (reason IN ('command', 'vanished')),
    vectors_forgotten_at timestamptz,
    events_forgotten_at  timestamptz,
    file_bytes           bigint,
    file_mtime_ns        bigint,
    CHECK ((file_bytes IS NULL) = (file_mtime_ns IS NULL))
);
COMMENT ON TABLE tvdb.tombstones IS 'every document that was erased, by its key; nothing that was made of its content';
COMMENT ON COLUMN tvdb.tombstones.erased_at IS 'the last time: a document that is registered anew may be erased again';
COMMENT ON COLUMN tvdb.tombstones.reason IS 'command: somebody asked for it; vanished: its file is gone, or its message no longer holds it';
COMMENT ON COLUMN tvdb.tombstones.vectors_forgotten_at IS 'null: cached vectors of its texts are kept yet, for a file that was only renamed';
COMMENT ON COLUMN tvdb.tombstones.events_forgotten_at IS 'null: Dagster has events of its partition yet';
COMMENT ON COLUMN tvdb.tombstones.file_bytes IS 'of the file that was left lying in the upload folder: as long as it does so unchanged, it is not taken up again';
CREATE INDEX tombstones_vectors ON tvdb.tombstones (erased_at) WHERE vectors_forgotten_at IS NULL;
CREATE INDEX tombstones_events ON tvdb.tombstones (document_key) WHERE events_forgotten_at IS NULL;
CREATE INDEX tombstones_files ON tvdb.tombstones (document_key) WHERE file_bytes IS NOT NULL;

CREATE TABLE tvdb.texts_to_forget (
    document_key text NOT NULL REFERENCES tvdb.tombstones ON DELETE CASCADE,
    text_sha256  text NOT NULL,
    PRIMARY KEY (document_key, text_sha256)
);
COMMENT ON TABLE tvdb.texts_to_forget IS 'texts erased documents held, until their cached vectors are forgotten';

CREATE TABLE tvdb.former_artifacts (
    document_key text NOT NULL,
    stage        text NOT NULL,
    version      text NOT NULL,
    since        timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (document_key, stage, version)
);
COMMENT ON TABLE tvdb.former_artifacts IS 'artifacts a document''s record named before and names no longer, until their files are gone';
CREATE INDEX former_artifacts_since ON tvdb.former_artifacts (since);

CREATE FUNCTION tvdb.note_former_artifacts() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    INSERT INTO tvdb.former_artifacts (document_key, stage, version)
        (SELECT OLD.key, v.stage, v.version FROM jsonb_each_text(OLD.versions) AS v (stage, version)
            WHERE v.stage IN ('raw_file', 'parsed_text', 'chunks')
         UNION SELECT OLD.key, 'raw_file', OLD.given_sha256 WHERE OLD.given_sha256 IS NOT NULL)
        EXCEPT
        (SELECT NEW.key, v.stage, v.version FROM jsonb_each_text(NEW.versions) AS v (stage, version)
         UNION SELECT NEW.key, 'raw_file', NEW.given_sha256 WHERE NEW.given_sha256 IS NOT NULL)
    ON CONFLICT (document_key, stage, version) DO UPDATE SET since = excluded.since;
    RETURN NULL;
END $$;
CREATE TRIGGER note_former_artifacts AFTER UPDATE OF versions, given_sha256 ON tvdb.documents FOR EACH ROW
    WHEN (NEW.versions IS DISTINCT FROM OLD.versions OR NEW.given_sha256 IS DISTINCT FROM OLD.given_sha256)
    EXECUTE FUNCTION tvdb.note_former_artifacts();

-- Documents deleted before this version keep no more than those deleted from now on.
INSERT INTO tvdb.tombstones (document_key, erased_at, reason)
    SELECT key, updated_at, 'vanished' FROM tvdb.documents WHERE state = 'deleted';
DELETE FROM tvdb.observations o USING tvdb.documents d WHERE d.state = 'deleted' AND o.path = d.path AND o.gone_at IS NOT NULL;
UPDATE tvdb.documents SET path = './' || key, parent_key = NULL, error = NULL, run_id = NULL WHERE state = 'deleted';
COMMENT ON COLUMN tvdb.documents.path IS 'identity: relative to the upload folder inside it, absolute elsewhere; of an erased document `./` and its key';
