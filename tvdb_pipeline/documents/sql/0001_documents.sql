CREATE TABLE tvdb.documents (
    key                 text PRIMARY KEY CHECK (key ~ '^[a-z0-9-]{1,80}$'),
    path                text NOT NULL UNIQUE,
    source              text,
    state               text NOT NULL DEFAULT 'registered' CHECK (state IN
                            ('registered', 'processing', 'ready', 'partial', 'deferred', 'rejected', 'failed', 'deleted')),
    stage               text CHECK (stage IN ('raw_file', 'parsed_text', 'chunks', 'embeddings', 'vector_rows')),
    error               jsonb,
    media_type          text,
    bytes               bigint,
    content_sha256      text,
    pages               integer NOT NULL DEFAULT 0,
    page_coverage       jsonb NOT NULL DEFAULT '{"text": 0, "ocr": 0, "blank": 0, "failed": 0}',
    chunks              integer NOT NULL DEFAULT 0,
    vectors             integer NOT NULL DEFAULT 0,
    provisional_vectors integer NOT NULL DEFAULT 0,
    embedding_model     text,
    seconds             jsonb NOT NULL DEFAULT '{"parse": 0, "chunk": 0, "embed": 0, "store": 0}',
    versions            jsonb NOT NULL DEFAULT '{}',
    attempts            integer NOT NULL DEFAULT 0,
    next_attempt_at     timestamptz,
    claim_owner         text,
    claim_until         timestamptz,
    fence               bigint NOT NULL DEFAULT 0,
    registered_at       timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    CHECK ((claim_owner IS NULL) = (claim_until IS NULL))
);
COMMENT ON COLUMN tvdb.documents.path IS 'identity: relative to the upload folder inside it, absolute elsewhere';
COMMENT ON COLUMN tvdb.documents.source IS 'the folder it was found in, whose vanished files are removed; null: named singly';
COMMENT ON COLUMN tvdb.documents.versions IS 'data version of each stage that last passed';
COMMENT ON COLUMN tvdb.documents.fence IS 'grows with every claim; a write that carries an older number is refused';
CREATE INDEX documents_source ON tvdb.documents (source);
CREATE INDEX documents_unfinished ON tvdb.documents (next_attempt_at)
    WHERE state IN ('registered', 'processing', 'deferred', 'failed');

CREATE TABLE tvdb.observations (
    path     text PRIMARY KEY,
    source   text NOT NULL,
    bytes    bigint NOT NULL,
    mtime_ns bigint NOT NULL,
    settled  boolean NOT NULL DEFAULT false,
    gone_at  timestamptz
);
COMMENT ON COLUMN tvdb.observations.path IS 'as in documents';
COMMENT ON TABLE tvdb.observations IS 'what the sensor saw of each upload at its last look; settled: unchanged between two looks; gone_at: when it was first missed';
