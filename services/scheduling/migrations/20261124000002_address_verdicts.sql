-- migrate:up
CREATE TABLE inbox (
    event_id uuid PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_age ON inbox (received_at);
GRANT SELECT, INSERT, DELETE ON inbox TO scheduling;

-- Which address an attempt went to, as a fingerprint: outcomes carry no address.
CREATE TABLE attempts (
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    attempt integer NOT NULL,
    channel text NOT NULL,
    address_fingerprint bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (practice_id, appointment_id, attempt, channel)
);
CREATE INDEX attempts_age ON attempts (created_at);
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON attempts
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON attempts TO scheduling;

-- What the newest outcome said of an address.
CREATE TABLE address_verdicts (
    practice_id uuid NOT NULL,
    address_fingerprint bytea NOT NULL,
    dead boolean NOT NULL,
    at timestamptz NOT NULL,
    PRIMARY KEY (practice_id, address_fingerprint)
);
CREATE INDEX address_verdicts_age ON address_verdicts (at);
ALTER TABLE address_verdicts ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON address_verdicts
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON address_verdicts TO scheduling;

-- migrate:down
DROP TABLE address_verdicts, attempts, inbox;
