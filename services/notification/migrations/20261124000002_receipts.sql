-- migrate:up

ALTER TABLE deliveries
    ADD COLUMN reason text,             -- of a failure: FailureReason of the contract
    ADD COLUMN late boolean NOT NULL DEFAULT false,
    ADD COLUMN handed_over_at timestamptz,
    ADD COLUMN receipt_due_at timestamptz,  -- from when on a missing receipt is told
    ADD COLUMN gateway text,            -- that took it, or may have
    ADD COLUMN gateway_id text,         -- its own id of the message
    ADD COLUMN ask_at timestamptz,      -- when to ask it what became of the message
    ADD COLUMN asked integer NOT NULL DEFAULT 0;
CREATE INDEX deliveries_receipt_due ON deliveries (receipt_due_at)
    WHERE receipt_due_at IS NOT NULL;
CREATE INDEX deliveries_ask ON deliveries (ask_at) WHERE ask_at IS NOT NULL;
CREATE INDEX deliveries_of_gateway ON deliveries (gateway_id) WHERE gateway_id IS NOT NULL;

ALTER TABLE delivery_history
    ADD COLUMN reason text,
    ADD COLUMN receipt_id uuid;

-- What mail servers and gateways told afterwards. Stored before it is acknowledged, read by a
-- worker; a row whose delivery is not known yet waits and is tried again.
CREATE TABLE receipts (
    id uuid PRIMARY KEY,
    channel text NOT NULL CHECK (channel IN ('email', 'sms')),
    digest bytea NOT NULL UNIQUE,       -- the same receipt again is the same row
    received_at timestamptz NOT NULL,
    due_at timestamptz,                 -- when to look at it; null: done
    tries integer NOT NULL DEFAULT 0,
    reference uuid,                     -- the delivery, by return path or by our reference
    gateway text,
    gateway_id text,                    -- its own id of the message
    said text,                          -- by a gateway
    content bytea,                      -- the mail. Patient data: erased once it is matched
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
ALTER TABLE receipts ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON receipts
    USING (coalesce(practice_in_scope(practice_id), false))
    WITH CHECK (coalesce(practice_in_scope(practice_id), false));
GRANT SELECT, INSERT, UPDATE ON receipts TO notification;

-- How far a mailbox has been read.
CREATE TABLE mailbox_positions (
    mailbox text PRIMARY KEY,
    uid_validity bigint NOT NULL,       -- RFC 9051 section 2.3.1.1
    last_uid bigint NOT NULL
);
GRANT SELECT, INSERT, UPDATE ON mailbox_positions TO notification;

-- migrate:down

DROP TABLE mailbox_positions, receipts;
ALTER TABLE delivery_history DROP COLUMN reason, DROP COLUMN receipt_id;
ALTER TABLE deliveries DROP COLUMN reason, DROP COLUMN late, DROP COLUMN handed_over_at,
    DROP COLUMN receipt_due_at, DROP COLUMN gateway, DROP COLUMN gateway_id, DROP COLUMN ask_at,
    DROP COLUMN asked;
