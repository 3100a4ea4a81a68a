CREATE TABLE tvdb.vector_rows (
    document_key    text NOT NULL,
    chunk_index     integer NOT NULL CHECK (chunk_index >= 0),
    text            text NOT NULL,
    page_start      integer NOT NULL CHECK (page_start >= 1),
    page_end        integer NOT NULL CHECK (page_end >= page_start),
    section         text[] NOT NULL DEFAULT '{}',
    tokens          integer NOT NULL CHECK (tokens > 0),
    embedding       vector(1536),
    embedding_model text,
    provisional     boolean NOT NULL DEFAULT false,
    text_sha256     text NOT NULL,
    search_text     tsvector NOT NULL DEFAULT '',
    PRIMARY KEY (document_key, chunk_index),
    CHECK ((embedding IS NULL) = (embedding_model IS NULL))
);
ALTER TABLE tvdb.vector_rows ALTER COLUMN embedding SET STORAGE EXTERNAL;
COMMENT ON COLUMN tvdb.vector_rows.search_text IS 'words of the text and of its section titles';
CREATE TABLE tvdb.document_texts (
    document_key text NOT NULL,
    text_sha256  text NOT NULL,
    PRIMARY KEY (document_key, text_sha256)
);
COMMENT ON TABLE tvdb.document_texts IS 'every text a document ever held, so that deleting it finds their cached vectors';
CREATE INDEX document_texts_text ON tvdb.document_texts (text_sha256);
CREATE INDEX vector_rows_search_text ON tvdb.vector_rows USING gin (search_text);
CREATE INDEX vector_rows_model ON tvdb.vector_rows (embedding_model);
CREATE INDEX vector_rows_text ON tvdb.vector_rows (text_sha256);
