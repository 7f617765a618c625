-- migrate:up

-- A row is in scope for the practice the transaction is bound to, or for the system. The tables'
-- owner is bound as well: it works across practices by a setting of its role, which only a superuser
-- can make: ALTER ROLE … SET app.practice = 'every' (local/databases.py).
CREATE FUNCTION practice_in_scope(p uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_setting('app.practice', true) IN (p::text, 'every')
$$;

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY,
    received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_received ON inbox (received_at);
GRANT SELECT, INSERT, DELETE ON inbox TO status;

-- Everything known of an appointment's invitations. No patient data, no free text.
CREATE TABLE events (
    event_id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN
        ('issued', 'pending', 'delivered', 'failed', 'unconfirmed', 'deleted', 'erased')),
    attempt bigint NOT NULL,            -- 0: the appointment itself
    channels text[] NOT NULL,           -- those issued, or the one of an outcome
    sequence bigint NOT NULL,           -- 0: no outcome
    occurred_at timestamptz NOT NULL,
    evidence text,
    category text,
    status_code text,                   -- RFC 3463
    late boolean NOT NULL,
    reason text                         -- of a failure: FailureReason of the contract
);
CREATE INDEX events_appointment ON events (practice_id, appointment_id);
CREATE INDEX events_by_time ON events (practice_id, occurred_at);
CREATE INDEX events_erased ON events (occurred_at) WHERE kind = 'erased';
ALTER TABLE events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON events
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON events TO status;

-- What is shown. `version` is the position in the practice's feed at which it became so, `moved_at`
-- the one at which the appointment was last moved.
CREATE TABLE indicators (
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    version bigint NOT NULL,
    body jsonb,                         -- NULL: the appointment is deleted
    moved_at bigint,                    -- NULL: not moved, or deleted
    PRIMARY KEY (practice_id, appointment_id),
    UNIQUE (practice_id, version),
    UNIQUE (practice_id, moved_at)
);
ALTER TABLE indicators ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON indicators
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON indicators TO status;

-- The newest position of each practice's feed. Whoever changes a practice's indicators holds this
-- row's lock until the commit, so positions become visible in their order and none is missed.
CREATE TABLE practice_feed (
    practice_id uuid PRIMARY KEY,
    version bigint NOT NULL
);
ALTER TABLE practice_feed ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON practice_feed
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE ON practice_feed TO status;

-- migrate:down

DROP TABLE practice_feed, indicators, events, inbox;
DROP FUNCTION practice_in_scope(uuid);
