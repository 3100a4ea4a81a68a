ALTER TABLE tvdb.documents ADD COLUMN source_mark text;
COMMENT ON COLUMN tvdb.documents.source_mark IS 'of a document in object storage: entity tag of what was read last; null: of a file';

ALTER TABLE tvdb.observations ADD COLUMN mark text;
COMMENT ON COLUMN tvdb.observations.mark IS 'entity tag of an object; null: of a file, which bytes and mtime_ns tell apart';
CREATE INDEX observations_order ON tvdb.observations (source, (path COLLATE "C"));

CREATE TABLE tvdb.listings (
    source       text PRIMARY KEY,
    after        text NOT NULL DEFAULT '',
    completed_at timestamptz
);
COMMENT ON TABLE tvdb.listings IS 'how far the sensor has looked through object storage: a look lists some pages, the next goes on there';
COMMENT ON COLUMN tvdb.listings.source IS 'URL of the uploads';
COMMENT ON COLUMN tvdb.listings.after IS 'name of the last object seen; empty: the next look begins anew';
COMMENT ON COLUMN tvdb.listings.completed_at IS 'when the last look came to the end of the list';
