CREATE TABLE tvdb.safekeeping (
    id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at      timestamptz NOT NULL DEFAULT now(),
    kind    text NOT NULL CHECK (kind IN ('backup', 'drill', 'restore')),
    passed  boolean NOT NULL,
    figures jsonb NOT NULL DEFAULT '{}'
);
COMMENT ON TABLE tvdb.safekeeping IS 'backups made, drills held and restores done; counts and seconds only';
CREATE INDEX safekeeping_kind ON tvdb.safekeeping (kind, at);
