ALTER TABLE tvdb.documents
    ADD COLUMN parent_key   text REFERENCES tvdb.documents (key),
    ADD COLUMN given_sha256 text,
    ADD CHECK (parent_key IS NOT NULL OR given_sha256 IS NULL);
COMMENT ON COLUMN tvdb.documents.parent_key IS 'the message this document is attached to; null: a file of its own';
COMMENT ON COLUMN tvdb.documents.given_sha256 IS 'content of the attachment as last found in the message; its bytes are a raw_file artifact';
CREATE INDEX documents_parent ON tvdb.documents (parent_key) WHERE parent_key IS NOT NULL;
