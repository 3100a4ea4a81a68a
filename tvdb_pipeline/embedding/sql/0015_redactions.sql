CREATE TABLE tvdb.redactions (
    request_id bigint NOT NULL REFERENCES tvdb.requests (id) ON DELETE CASCADE,
    kind       text NOT NULL CHECK (kind ~ '^[A-Z_]{2,20}$'),
    count      integer NOT NULL CHECK (count > 0),
    PRIMARY KEY (request_id, kind)
);
COMMENT ON TABLE tvdb.redactions IS 'how many numbers and addresses of each kind were taken out of the texts of a request before it was sent';
