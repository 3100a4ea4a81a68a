CREATE TABLE tvdb.alerts (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name        text NOT NULL CHECK (name ~ '^[a-z_]{1,40}$'),
    subject     text NOT NULL DEFAULT '',
    severity    text NOT NULL CHECK (severity IN ('info', 'warning', 'critical')),
    summary     text NOT NULL,
    mark        text,
    since       timestamptz NOT NULL DEFAULT clock_timestamp(),
    last_seen   timestamptz NOT NULL DEFAULT clock_timestamp(),
    sent_at     timestamptz,
    resolved_at timestamptz,
    CHECK (mark IS NULL OR resolved_at IS NOT NULL)
);
COMMENT ON TABLE tvdb.alerts IS 'what was wrong, and when it was over; keys, counts and codes, no content';
COMMENT ON COLUMN tvdb.alerts.mark IS 'set: it happened once and was over by itself; tells it from others of its name and subject';
COMMENT ON COLUMN tvdb.alerts.last_seen IS 'when a watcher last found it still wrong';
COMMENT ON COLUMN tvdb.alerts.sent_at IS 'when somebody was first told';
CREATE UNIQUE INDEX alerts_firing ON tvdb.alerts (name, subject) WHERE resolved_at IS NULL;
CREATE UNIQUE INDEX alerts_happened ON tvdb.alerts (name, subject, mark) WHERE mark IS NOT NULL;
CREATE INDEX alerts_subject ON tvdb.alerts (subject, since);
CREATE INDEX alerts_since ON tvdb.alerts (since);

CREATE TABLE tvdb.alert_deliveries (
    alert_id      bigint NOT NULL REFERENCES tvdb.alerts ON DELETE CASCADE,
    channel       text NOT NULL CHECK (channel IN ('webhook', 'mail')),
    told_at       timestamptz,
    told_severity text,
    claimed_at    timestamptz,
    claimed_until timestamptz,
    done          boolean NOT NULL DEFAULT false,
    PRIMARY KEY (alert_id, channel)
);
COMMENT ON TABLE tvdb.alert_deliveries IS 'of each alert, what was told by which channel';
COMMENT ON COLUMN tvdb.alert_deliveries.told_at IS 'when it was last told that this is wrong';
COMMENT ON COLUMN tvdb.alert_deliveries.told_severity IS 'the worst that was told: what grows worse is told anew';
COMMENT ON COLUMN tvdb.alert_deliveries.claimed_until IS 'a watcher is sending it; another may when this has passed';
COMMENT ON COLUMN tvdb.alert_deliveries.done IS 'nothing more is to be told of it';
CREATE INDEX alert_deliveries_open ON tvdb.alert_deliveries (channel) WHERE NOT done;
