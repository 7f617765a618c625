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
GRANT SELECT, INSERT, DELETE ON inbox TO status;

-- Everything known of an appointment. No patient data, no free text.
CREATE TABLE events (
    event_id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN
        ('issued', 'pending', 'delivered', 'failed', 'unconfirmed', 'deleted', 'erased',
         'scheduled', 'answered', 'joined', 'followed_up', 'corrected',
         'notice_pending', 'notice_delivered', 'notice_failed', 'notice_unconfirmed')),
    attempt bigint NOT NULL,            -- 0: no invitation
    channels text[] NOT NULL,           -- those issued, or unsent, or the one of an outcome
    sequence bigint NOT NULL,           -- 0: no outcome
    occurred_at timestamptz NOT NULL,
    evidence text,
    category text,
    status_code text,                   -- RFC 3463
    late boolean NOT NULL,
    waits_until timestamptz,            -- pending: on purpose, for the morning
    reason text,                        -- of a failure: FailureReason of the contract
    version bigint,                     -- of the appointment, of which it is told
    starts_at timestamptz,              -- scheduled
    duration_minutes integer,           -- scheduled
    notice_id uuid,                     -- of a notice
    notice_kind text,                   -- of a notice: NoticeKind of the contract
    withheld text,                      -- of a notice: Withheld of the contract
    answer text,                        -- answered: Answer of the contract
    role text,                          -- joined: VisitRole of the contract
    causes uuid[]                       -- followed_up: what was dealt with
);
CREATE INDEX events_appointment ON events (practice_id, appointment_id);
CREATE INDEX events_by_time ON events (practice_id, occurred_at)
    WHERE kind IN ('issued', 'pending', 'delivered', 'failed', 'unconfirmed'); -- of invitations
CREATE INDEX events_erased ON events (occurred_at) WHERE kind = 'erased';
ALTER TABLE events ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON events
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON events TO status;

-- What is shown. `version` is the position in the practice's feed at which it became so, `moved_at`
-- the one at which start or end last changed. Times that are not known are infinite.
CREATE TABLE indicators (
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    version bigint NOT NULL,
    body jsonb,                         -- NULL: the appointment is deleted
    moved_at bigint,                    -- NULL: not moved, or deleted
    starts_at timestamptz NOT NULL DEFAULT 'infinity',
    ends_at timestamptz NOT NULL DEFAULT 'infinity',
    open_until timestamptz,             -- NULL: nothing to do
    PRIMARY KEY (practice_id, appointment_id),
    UNIQUE (practice_id, version),
    UNIQUE (practice_id, moved_at)
);
-- What is open and still to come, by start, and how much: from the index alone.
CREATE INDEX indicators_open ON indicators (practice_id, starts_at, appointment_id)
    INCLUDE (open_until) WHERE open_until IS NOT NULL;
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

-- Until when everything that was published has taken effect, of each partition that is read.
CREATE TABLE partitions_read (
    topic text NOT NULL,
    partition integer NOT NULL,
    read_up_at timestamptz NOT NULL,
    PRIMARY KEY (topic, partition)
);
GRANT SELECT, INSERT, UPDATE ON partitions_read TO status;

-- How many first ticks there were over all practices, of attempts issued within the same minute: by
-- the step that the time to the tick is in (services/status/tick_counts.py; NULL: it waited on
-- purpose). Whoever records events adds to it, or takes away, by a row of its own, so that nobody
-- waits for anybody; now and then those are summed up.
CREATE TABLE tick_counts (
    issued_at timestamptz NOT NULL,
    step integer,
    ticks bigint NOT NULL,
    proven_wrong bigint NOT NULL,
    UNIQUE NULLS NOT DISTINCT (issued_at, step)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON tick_counts TO status;
CREATE TABLE tick_changes (
    issued_at timestamptz NOT NULL,
    step integer,
    ticks bigint NOT NULL,
    proven_wrong bigint NOT NULL
);
GRANT SELECT, INSERT, DELETE ON tick_changes TO status;

-- migrate:down

DROP TABLE tick_changes, tick_counts, partitions_read, practice_feed, indicators, events, inbox;
DROP FUNCTION practice_in_scope(uuid);
