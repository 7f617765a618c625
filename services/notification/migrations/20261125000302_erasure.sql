-- migrate:up
-- An erased appointment stays as a tombstone of ids until no event or receipt of it can come any
-- more: what comes late must not bring it back.
ALTER TABLE appointments
    ADD COLUMN erased_at timestamptz,
    ADD COLUMN known_since timestamptz NOT NULL DEFAULT now(),
    ADD COLUMN dead_letters_erased boolean NOT NULL DEFAULT false;
CREATE INDEX appointments_to_erase ON appointments (starts_at) WHERE erased_at IS NULL;
CREATE INDEX appointments_erased ON appointments (erased_at) WHERE erased_at IS NOT NULL;

CREATE TABLE erased_deliveries (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    erased_at timestamptz NOT NULL
);
CREATE INDEX erased_deliveries_age ON erased_deliveries (erased_at);
ALTER TABLE erased_deliveries ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON erased_deliveries
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));

CREATE INDEX receipts_of_delivery ON receipts (delivery_id) WHERE delivery_id IS NOT NULL;
CREATE INDEX receipts_of_reference ON receipts (reference) WHERE reference IS NOT NULL;
CREATE INDEX receipts_age ON receipts (received_at) WHERE delivery_id IS NULL;

GRANT SELECT, INSERT, DELETE ON erased_deliveries TO notification;
GRANT DELETE ON appointments, deliveries, delivery_history, receipts TO notification;

-- migrate:down
REVOKE DELETE ON appointments, deliveries, delivery_history, receipts FROM notification;
DROP INDEX receipts_of_delivery, receipts_of_reference, receipts_age, appointments_to_erase,
    appointments_erased;
DROP TABLE erased_deliveries;
ALTER TABLE appointments DROP COLUMN erased_at, DROP COLUMN known_since,
    DROP COLUMN dead_letters_erased;
