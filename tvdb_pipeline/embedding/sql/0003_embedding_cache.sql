CREATE TABLE tvdb.embedding_cache (
    text_sha256 text NOT NULL,
    model       text NOT NULL,
    dimensions  integer NOT NULL,
    embedding   vector NOT NULL,
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model, dimensions, text_sha256)
);
-- A vector is incompressible, so trying costs time and gains nothing.
ALTER TABLE tvdb.embedding_cache ALTER COLUMN embedding SET STORAGE EXTERNAL;
