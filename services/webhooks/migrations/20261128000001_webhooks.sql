-- migrate:up

-- A row is in scope for the practice the transaction is bound to, or for the system. The tables'
-- owner is bound as well: it works across practices by a setting of its role, which only a superuser
-- can make: ALTER ROLE … SET app.practice = 'every' (local/databases.py).
-- With coalesce the planner takes half of the rows to be in scope, without it a hundredth.
CREATE FUNCTION practice_in_scope(p uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT coalesce(current_setting('app.practice', true) IN (p::text, 'every'), false)
$$;

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_received ON inbox (received_at);
GRANT SELECT, INSERT, DELETE ON inbox TO webhooks;

-- Where a practice's events are sent. Whoever queues, ends or removes an endpoint's deliveries holds
-- its row's lock until the commit, so that nobody takes half of an appointment's queue for all of it.
CREATE TABLE endpoints (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    url text NOT NULL,
    description text NOT NULL,
    event_types text[] NOT NULL,        -- empty: every one
    secret bytea NOT NULL,              -- sealed
    old_secret bytea,                   -- sealed; signs beside the other until old_secret_until
    old_secret_until timestamptz,
    created_at timestamptz NOT NULL,
    enabled boolean NOT NULL,
    disabled_at timestamptz,
    disabled_reason text CHECK (disabled_reason IN ('gone', 'failing', 'practice', 'operator')),
    failing_since timestamptz,          -- nothing but failures since then
    CHECK (enabled = (disabled_at IS NULL)),
    CHECK (enabled = (disabled_reason IS NULL)),
    CHECK ((old_secret IS NULL) = (old_secret_until IS NULL))
);
CREATE INDEX endpoints_practice ON endpoints (practice_id, id);
ALTER TABLE endpoints ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON endpoints
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON endpoints TO webhooks;

-- Events of practices that have endpoints, as they are sent. No patient data.
CREATE TABLE events (
    id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY UNIQUE, -- in the order in which they came
    practice_id uuid NOT NULL,
    subject uuid NOT NULL,              -- the appointment; of a test the endpoint
    type text NOT NULL,
    time timestamptz NOT NULL,
    received_at timestamptz NOT NULL,
    body text NOT NULL,                 -- byte for byte the same at each try
    traceparent text
);
CREATE INDEX events_practice ON events (practice_id, position);
CREATE INDEX events_subject ON events (subject);
CREATE INDEX events_received ON events (received_at);
ALTER TABLE events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON events
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON events TO webhooks;

-- An event to send to an endpoint. Of the open ones of one subject to one endpoint the first alone
-- has a `next_try_at`; while it is tried, that is when its lease runs out.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    position bigint GENERATED ALWAYS AS IDENTITY,
    practice_id uuid NOT NULL,
    endpoint_id uuid NOT NULL REFERENCES endpoints ON DELETE CASCADE,
    event_id uuid NOT NULL REFERENCES events ON DELETE CASCADE,
    subject uuid NOT NULL,
    state text NOT NULL CHECK (state IN ('open', 'delivered', 'failed', 'cancelled')),
    tries integer NOT NULL DEFAULT 0,
    next_try_at timestamptz,
    lease uuid,
    ended_at timestamptz,
    CHECK ((state = 'open') = (ended_at IS NULL)),
    CHECK (state = 'open' OR next_try_at IS NULL)
);
CREATE INDEX deliveries_lane ON deliveries (endpoint_id, subject, position) WHERE state = 'open';
CREATE INDEX deliveries_due ON deliveries (endpoint_id, next_try_at)
    WHERE state = 'open' AND next_try_at IS NOT NULL;
CREATE INDEX deliveries_event ON deliveries (event_id, endpoint_id);
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON deliveries
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON deliveries TO webhooks;

-- What each try came to; goes with its event.
CREATE TABLE attempts (
    id uuid PRIMARY KEY,                -- UUIDv7: in the order of their ends
    practice_id uuid NOT NULL,
    endpoint_id uuid NOT NULL REFERENCES endpoints ON DELETE CASCADE,
    delivery_id uuid NOT NULL REFERENCES deliveries ON DELETE CASCADE,
    number integer NOT NULL,
    at timestamptz NOT NULL,
    milliseconds integer NOT NULL,
    result text NOT NULL,
    status integer,                     -- of HTTP
    next_try_at timestamptz
);
CREATE INDEX attempts_endpoint ON attempts (endpoint_id, id);
CREATE INDEX attempts_delivery ON attempts (delivery_id);
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON attempts
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON attempts TO webhooks;

-- Appointments that are erased: what comes late of them is not kept.
CREATE TABLE erased (
    practice_id uuid NOT NULL,
    subject uuid NOT NULL,
    erased_at timestamptz NOT NULL,
    PRIMARY KEY (practice_id, subject)
);
CREATE INDEX erased_by_time ON erased (erased_at);
ALTER TABLE erased ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON erased
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON erased TO webhooks;

-- migrate:down

DROP TABLE erased, attempts, deliveries, events, endpoints, inbox;
DROP FUNCTION practice_in_scope(uuid);
