CREATE TABLE tvdb.requests (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    model        text NOT NULL,
    state        text NOT NULL CHECK (state IN ('held', 'settled', 'released', 'charged_unknown')),
    paid         boolean NOT NULL,
    purpose      text NOT NULL CHECK (purpose IN ('documents', 'query')),
    inputs       integer NOT NULL CHECK (inputs > 0),
    tokens       bigint NOT NULL CHECK (tokens >= 0),
    cost_nano    bigint NOT NULL CHECK (cost_nano >= 0),
    day          date NOT NULL,
    started_at   timestamptz NOT NULL,
    ended_at     timestamptz
);
COMMENT ON TABLE tvdb.requests IS 'one row for each HTTP attempt that was allowed; cost in nano-dollars; day in UTC; paid: false for the mock, which no limit binds';
CREATE INDEX requests_day ON tvdb.requests (day);
CREATE INDEX requests_ended ON tvdb.requests (ended_at) WHERE paid;

CREATE TABLE tvdb.request_shares (
    request_id   bigint NOT NULL REFERENCES tvdb.requests (id) ON DELETE CASCADE,
    document_key text NOT NULL,
    texts        integer NOT NULL,
    tokens       bigint NOT NULL,
    PRIMARY KEY (request_id, document_key)
);
COMMENT ON TABLE tvdb.request_shares IS 'the part of a request each document caused; outlives the document, as the bill does';
CREATE INDEX request_shares_document ON tvdb.request_shares (document_key);
