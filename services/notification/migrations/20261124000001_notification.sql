-- migrate:up

CREATE FUNCTION practice_in_scope(p uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$ SELECT current_setting('app.practice', true) IN (p::text, 'every') $$;

-- What is known of appointments. Topics are not ordered with each other, so a row may be here
-- before its invitation is requested, and stays after its deletion.
CREATE TABLE appointments (
    appointment_id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    version bigint NOT NULL,
    starts_at timestamptz,          -- null when all we know is that it was deleted
    duration_minutes integer,
    time_zone text,
    deleted boolean NOT NULL DEFAULT false
);

CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    attempt bigint NOT NULL CHECK (attempt >= 1),
    channel text NOT NULL CHECK (channel IN ('email', 'sms')),
    message_id text NOT NULL UNIQUE,
    requested_at timestamptz NOT NULL,
    starts_at timestamptz NOT NULL,
    state text NOT NULL CHECK (state IN (
        'queued', 'sending', 'retrying', 'accepted', 'delivered', 'unknown', 'unconfirmed',
        'failed', 'superseded', 'cancelled')),
    category text CHECK (category IN ('permanent', 'temporary', 'technical', 'cancelled')),
    status_code text,
    sequence bigint NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    due_at timestamptz,             -- the next try, or the end of the lease
    lease uuid,
    withdrawn boolean NOT NULL DEFAULT false,
    traceparent text,               -- W3C Trace Context of the request
    -- The letter. Patient data: erased as soon as nothing is to be sent any more.
    recipient text,
    patient_name text,
    sender_name text,
    link text,
    locale text,
    UNIQUE (invitation_id, attempt, channel),
    CHECK ((due_at IS NOT NULL) = (state IN ('queued', 'sending', 'retrying'))),
    CHECK ((lease IS NOT NULL) = (state = 'sending')),
    CHECK ((recipient IS NOT NULL) = (due_at IS NOT NULL))
);

CREATE INDEX deliveries_of_appointment ON deliveries (appointment_id);
-- Workers take turns between practices, the oldest of each first.
CREATE INDEX deliveries_due ON deliveries (practice_id, due_at) WHERE due_at IS NOT NULL;

-- One line per transition. Codes only, never what a mail server wrote.
CREATE TABLE delivery_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    delivery_id uuid NOT NULL,
    practice_id uuid NOT NULL,
    at timestamptz NOT NULL,
    event text NOT NULL,
    state_before text NOT NULL,
    state_after text NOT NULL,
    smtp_code integer,
    status_code text
);

CREATE INDEX delivery_history_of_delivery ON delivery_history (delivery_id, id);

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_received ON inbox (received_at);

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    headers jsonb NOT NULL,
    value bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);

ALTER TABLE appointments ENABLE ROW LEVEL SECURITY;
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY;
ALTER TABLE delivery_history ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON appointments
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
CREATE POLICY practice ON deliveries
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
CREATE POLICY practice ON delivery_history
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));

GRANT SELECT, INSERT, UPDATE ON appointments, deliveries TO notification;
GRANT SELECT, INSERT ON delivery_history TO notification;
GRANT SELECT, INSERT, DELETE ON inbox, outbox TO notification;

-- Rows come and go here by the thousand.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE deliveries SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- migrate:down

DROP TABLE outbox, inbox, delivery_history, deliveries, appointments;
DROP FUNCTION practice_in_scope(uuid);
