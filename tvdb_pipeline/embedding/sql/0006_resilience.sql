CREATE TABLE tvdb.breaker (
    only_row    boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    subject     text NOT NULL DEFAULT '',
    state       text NOT NULL DEFAULT 'closed' CHECK (state IN ('closed', 'open', 'half_open')),
    epoch       bigint NOT NULL DEFAULT 0,
    failures    integer NOT NULL DEFAULT 0,
    trips       integer NOT NULL DEFAULT 0,
    code        text,
    retry_at    timestamptz,
    probe_until timestamptz,
    rest_until  timestamptz,
    changed_at  timestamptz NOT NULL DEFAULT now(),
    CHECK ((state = 'open') = (retry_at IS NOT NULL)),
    CHECK ((state = 'half_open') = (probe_until IS NOT NULL))
);
COMMENT ON TABLE tvdb.breaker IS 'the circuit breaker of all processes; subject: endpoint, model and key it judges, as a hash';
COMMENT ON COLUMN tvdb.breaker.epoch IS 'grows with every change of state; a result that carries an older one changes nothing';
COMMENT ON COLUMN tvdb.breaker.trips IS 'times in a row it opened without closing: the cool-down doubles with each';
COMMENT ON COLUMN tvdb.breaker.rest_until IS 'the provider asked for no request before then';
INSERT INTO tvdb.breaker DEFAULT VALUES;

CREATE TABLE tvdb.embedding_claims (
    model       text NOT NULL,
    text_sha256 text NOT NULL,
    owner       text NOT NULL,
    until       timestamptz NOT NULL,
    PRIMARY KEY (model, text_sha256)
);
COMMENT ON TABLE tvdb.embedding_claims IS 'texts being bought now, so that two processes do not both pay; lapses with `until`';
CREATE INDEX embedding_claims_owner ON tvdb.embedding_claims (owner);

CREATE TABLE tvdb.refused_texts (
    model       text NOT NULL,
    text_sha256 text NOT NULL,
    refused_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (model, text_sha256)
);
COMMENT ON TABLE tvdb.refused_texts IS 'texts a model refuses by themselves: they are not offered to it again';
