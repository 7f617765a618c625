-- migrate:up

-- With coalesce the planner takes half of the rows to be in scope, without it a hundredth.
CREATE FUNCTION practice_in_scope(p uuid) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$ SELECT coalesce(current_setting('app.practice', true) IN (p::text, 'every'), false) $$;

-- What is known of appointments. Topics are not ordered with each other, so a row may be here
-- before its invitation is requested, and stays after its deletion. An erased appointment stays as
-- a tombstone of ids until no event or receipt of it can come any more: what comes late must not
-- bring it back.
CREATE TABLE appointments (
    appointment_id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    version bigint NOT NULL,
    starts_at timestamptz,              -- null when all we know is that it was deleted
    duration_minutes integer,
    time_zone text,
    deleted boolean NOT NULL DEFAULT false,
    erased_at timestamptz,
    known_since timestamptz NOT NULL DEFAULT now(),
    dead_letters_erased boolean NOT NULL DEFAULT false
);
CREATE INDEX appointments_to_erase ON appointments (starts_at) WHERE erased_at IS NULL;
CREATE INDEX appointments_erased ON appointments (erased_at) WHERE erased_at IS NOT NULL;

-- One attempt of an invitation over one channel. Reminders and notices of a move or a cancellation
-- are deliveries too, under ids of their own in place of an invitation's.
CREATE TABLE deliveries (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    invitation_id uuid NOT NULL,
    attempt bigint NOT NULL CHECK (attempt >= 1),
    channel text NOT NULL CHECK (channel IN ('email', 'sms')),
    kind text NOT NULL DEFAULT 'invitation'
        CHECK (kind IN ('invitation', 'reminder', 'moved', 'cancelled')),
    message_id text NOT NULL UNIQUE,
    requested_at timestamptz NOT NULL,
    requested_version bigint NOT NULL,  -- of the appointment
    starts_at timestamptz NOT NULL,
    named_start timestamptz,            -- in the first copy that may have gone out
    -- Keyed fingerprint: was this very address invited? Of a notice to a corrected address it is
    -- that of the one before.
    recipient bytea NOT NULL,
    state text NOT NULL CHECK (state IN (
        'queued', 'sending', 'retrying', 'accepted', 'delivered', 'unknown', 'unconfirmed',
        'failed', 'superseded', 'cancelled')),
    category text CHECK (category IN ('permanent', 'temporary', 'technical', 'cancelled')),
    reason text,                        -- of a failure: FailureReason of the contract
    status_code text,
    late boolean NOT NULL DEFAULT false,
    disputed boolean NOT NULL DEFAULT false,  -- failed by a report that nobody has signed
    sequence bigint NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    unanswered integer NOT NULL DEFAULT 0,  -- copies that may have gone out, without a clean reply
    due_at timestamptz,                 -- the next try, or the end of the lease, which is renewed
    held_until timestamptz,             -- an SMS waits for the morning, or did
    lease uuid,
    handed_over_at timestamptz,
    receipt_due_at timestamptz,         -- from when on a missing receipt is told
    gateway text,                       -- that took it, or may have
    gateway_id text,                    -- its own id of the message
    ask_at timestamptz,                 -- when to ask it what became of the message
    asked integer NOT NULL DEFAULT 0,
    -- Keyed fingerprint of appointment and address: whom the calendar file names as organizer.
    organizer uuid,
    asks_for_answer boolean NOT NULL DEFAULT false,
    link_version bigint NOT NULL DEFAULT 1,
    withdrawn boolean NOT NULL DEFAULT false,
    traceparent text,                   -- W3C Trace Context of the request
    -- Recipient, patient's name and link, sealed together (chassis/sealing.py). Patient data:
    -- erased as soon as nothing is to be sent any more.
    letter bytea,
    sender_name text,
    locale text,
    UNIQUE (invitation_id, attempt, channel),
    CHECK ((due_at IS NOT NULL) = (state IN ('queued', 'sending', 'retrying'))),
    CHECK ((lease IS NOT NULL) = (state = 'sending')),
    CONSTRAINT deliveries_letter_while_due
        CHECK ((letter IS NOT NULL) = (due_at IS NOT NULL))
);
CREATE INDEX deliveries_of_appointment ON deliveries (appointment_id);
-- A channel's worker goes from practice to practice, the oldest of each first.
CREATE INDEX deliveries_due ON deliveries (channel, practice_id, due_at) WHERE due_at IS NOT NULL;
CREATE INDEX deliveries_receipt_due ON deliveries (receipt_due_at)
    WHERE receipt_due_at IS NOT NULL;
CREATE INDEX deliveries_ask ON deliveries (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX deliveries_of_organizer ON deliveries (organizer) WHERE organizer IS NOT NULL;
CREATE INDEX deliveries_of_gateway ON deliveries (gateway_id) WHERE gateway_id IS NOT NULL;

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
    status_code text,
    reason text,
    receipt_id uuid
);
CREATE INDEX delivery_history_of_delivery ON delivery_history (delivery_id, id);

CREATE TABLE erased_deliveries (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    message_id text NOT NULL,           -- random; a late bounce may name nothing else
    erased_at timestamptz NOT NULL
);
CREATE INDEX erased_deliveries_of_mail ON erased_deliveries (message_id);
CREATE INDEX erased_deliveries_age ON erased_deliveries (erased_at);

-- What mail servers and gateways told afterwards. Stored before it is acknowledged, read by a
-- worker; a row whose delivery is not known yet waits and is tried again.
CREATE TABLE receipts (
    id uuid PRIMARY KEY,
    channel text NOT NULL CHECK (channel IN ('email', 'sms')),
    digest bytea NOT NULL UNIQUE,       -- the same receipt again is the same row
    received_at timestamptz NOT NULL,
    due_at timestamptz,                 -- when to look at it; null: done
    tries integer NOT NULL DEFAULT 0,
    readings integer NOT NULL DEFAULT 0, -- begun since the last that came to an end
    reference uuid,                     -- the delivery, by return path or by our reference
    gateway text,
    gateway_id text,                    -- its own id of the message
    said text,                          -- by a gateway
    content bytea,                      -- the mail, sealed. Patient data: erased once it is matched
    -- What it says, once it is read.
    kind text,
    permanent boolean,
    status_code text,
    reason text,
    -- The delivery it belongs to.
    practice_id uuid,
    delivery_id uuid,
    matched_by text
);
CREATE INDEX receipts_due ON receipts (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX receipts_content ON receipts (received_at) WHERE content IS NOT NULL;
CREATE INDEX receipts_of_delivery ON receipts (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX receipts_of_reference ON receipts (reference) WHERE reference IS NOT NULL;
CREATE INDEX receipts_age ON receipts (received_at) WHERE delivery_id IS NULL;

-- What patients' calendars answered, by the version that they answered to: the newest, to tell
-- repeats from news.
CREATE TABLE answers (
    appointment_id uuid NOT NULL,
    version bigint NOT NULL,
    practice_id uuid NOT NULL,
    organizer uuid NOT NULL,
    answer text NOT NULL CHECK (answer IN ('accepted', 'declined', 'tentative')),
    answered_at timestamptz NOT NULL,
    PRIMARY KEY (appointment_id, version)
);

-- Mails that tell a practice how much is open, one for each of its days. Hold no patient data.
CREATE TABLE daily_mails (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    day date NOT NULL,
    message_id text NOT NULL UNIQUE,
    requested_at timestamptz NOT NULL,
    not_after timestamptz NOT NULL,
    due_at timestamptz,                 -- the next try, or the end of the lease; null: done
    tries integer NOT NULL DEFAULT 0,
    unanswered integer NOT NULL DEFAULT 0,  -- copies that may have gone out, without a clean reply
    mail bytea,                         -- address and words, sealed; erased once it is done
    UNIQUE (practice_id, day),
    CONSTRAINT daily_mails_mail_while_due CHECK ((mail IS NOT NULL) = (due_at IS NOT NULL))
);
CREATE INDEX daily_mails_due ON daily_mails (due_at) WHERE due_at IS NOT NULL;
CREATE INDEX daily_mails_age ON daily_mails (requested_at);

-- How far a mailbox has been read.
CREATE TABLE mailbox_positions (
    mailbox text PRIMARY KEY,
    uid_validity bigint NOT NULL,       -- RFC 9051 section 2.3.1.1
    last_uid bigint NOT NULL
);

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
    created_at timestamptz NOT NULL DEFAULT now(),
    sealed boolean NOT NULL DEFAULT false,
    practice_id uuid
);

-- Rows come and go here by the thousand.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);
ALTER TABLE deliveries SET (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.02);

-- The owner is bound by the policies too. It works across practices by a setting of its role, which
-- only a superuser can make: ALTER ROLE … SET app.practice = 'every' (local/databases.py).
ALTER TABLE appointments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE delivery_history ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE erased_deliveries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE answers ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE daily_mails ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE receipts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON appointments
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
CREATE POLICY practice ON deliveries
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
CREATE POLICY practice ON delivery_history
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
CREATE POLICY practice ON erased_deliveries
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
CREATE POLICY practice ON answers
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
CREATE POLICY practice ON daily_mails
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
CREATE POLICY practice ON receipts
    USING (coalesce(practice_in_scope(practice_id), false))
    WITH CHECK (coalesce(practice_in_scope(practice_id), false));
CREATE POLICY practice ON outbox
    USING (coalesce(practice_in_scope(practice_id), false))
    WITH CHECK (coalesce(practice_in_scope(practice_id), false));

GRANT SELECT, INSERT, UPDATE, DELETE ON appointments, deliveries, answers, daily_mails, receipts
    TO notification;
GRANT SELECT, INSERT, DELETE ON delivery_history, erased_deliveries, inbox, outbox TO notification;
GRANT SELECT, INSERT, UPDATE ON mailbox_positions TO notification;

-- migrate:down

DROP TABLE outbox, inbox, mailbox_positions, answers, daily_mails, receipts, erased_deliveries,
    delivery_history, deliveries, appointments;
DROP FUNCTION practice_in_scope(uuid);
