ALTER TABLE tvdb.requests
    ADD COLUMN request_key text NOT NULL DEFAULT gen_random_uuid()::text,
    ADD COLUMN attempt     integer NOT NULL DEFAULT 1 CHECK (attempt > 0),
    ADD COLUMN kind        text NOT NULL DEFAULT 'first' CHECK (kind IN ('first', 'retry', 'bisection')),
    ADD COLUMN day_starts  timestamptz,
    ADD COLUMN lease_until timestamptz,
    ADD COLUMN slot_until  timestamptz;
ALTER TABLE tvdb.requests ALTER COLUMN request_key DROP DEFAULT, ALTER COLUMN attempt DROP DEFAULT, ALTER COLUMN kind DROP DEFAULT;
ALTER TABLE tvdb.requests DROP CONSTRAINT requests_state_check;

-- Before this version nothing told a reservation from a request already on its way.
UPDATE tvdb.requests SET
    state = CASE state WHEN 'held' THEN 'sent' ELSE state END,
    day_starts = day::timestamp AT TIME ZONE 'UTC',
    lease_until = CASE WHEN state = 'held' THEN started_at + interval '15 minutes' END,
    slot_until = CASE WHEN paid AND ended_at > now() - interval '60 minutes' THEN ended_at + interval '60 minutes' END;

ALTER TABLE tvdb.requests
    DROP COLUMN day,
    ALTER COLUMN day_starts SET NOT NULL,
    ADD CONSTRAINT requests_state_check CHECK (state IN ('held', 'sent', 'settled', 'released', 'charged_unknown')),
    ADD CONSTRAINT requests_lease_check CHECK ((state IN ('held', 'sent')) = (lease_until IS NOT NULL)),
    ADD CONSTRAINT requests_slot_check CHECK (slot_until IS NULL OR (paid AND lease_until IS NULL)),
    ADD CONSTRAINT requests_attempt_once UNIQUE (request_key, attempt);
DROP INDEX tvdb.requests_ended;
CREATE INDEX requests_lease ON tvdb.requests (lease_until) WHERE lease_until IS NOT NULL;
CREATE INDEX requests_slot ON tvdb.requests (slot_until) WHERE slot_until IS NOT NULL;
COMMENT ON COLUMN tvdb.requests.request_key IS 'names one request through all its attempts; sent to the provider with each';
COMMENT ON COLUMN tvdb.requests.kind IS 'retry: bound by the retry budget; bisection: searches for an input the provider refuses';
COMMENT ON COLUMN tvdb.requests.day_starts IS 'the dollar window it is booked in';
COMMENT ON COLUMN tvdb.requests.lease_until IS 'set while held or sent; once past, a held request is released and a sent one charged in full';
COMMENT ON COLUMN tvdb.requests.slot_until IS 'set once it ended: until then it counts against the request window';

CREATE TABLE tvdb.request_window (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    used     integer NOT NULL,
    retries  integer NOT NULL,
    capacity integer NOT NULL,
    CHECK (used BETWEEN 0 AND capacity),
    CHECK (retries BETWEEN 0 AND used)
);
COMMENT ON TABLE tvdb.request_window IS 'attempts under way or ended less than a window ago; capacity: the limit under which the last was admitted';
INSERT INTO tvdb.request_window (used, retries, capacity)
    SELECT count(*), 0, count(*) FROM tvdb.requests WHERE paid AND (lease_until IS NOT NULL OR slot_until IS NOT NULL);

CREATE TABLE tvdb.dollar_windows (
    starts        timestamptz PRIMARY KEY,
    spent_nano    bigint NOT NULL CHECK (spent_nano >= 0),
    held_nano     bigint NOT NULL CHECK (held_nano >= 0),
    overrun_nano  bigint NOT NULL DEFAULT 0 CHECK (overrun_nano >= 0),
    capacity_nano bigint NOT NULL,
    CHECK (spent_nano + held_nano <= capacity_nano + overrun_nano)
);
COMMENT ON TABLE tvdb.dollar_windows IS 'nano-dollars of each day (UTC); capacity: the limit under which the last reservation was admitted';
COMMENT ON COLUMN tvdb.dollar_windows.overrun_nano IS 'what answers were billed beyond their reservation, by a provider that counts other tokens than we do';
INSERT INTO tvdb.dollar_windows (starts, spent_nano, held_nano, capacity_nano)
    SELECT day_starts, coalesce(sum(cost_nano) FILTER (WHERE state <> 'sent'), 0),
        coalesce(sum(cost_nano) FILTER (WHERE state = 'sent'), 0), sum(cost_nano)
    FROM tvdb.requests WHERE paid GROUP BY 1;
CREATE INDEX requests_day ON tvdb.requests (day_starts);
