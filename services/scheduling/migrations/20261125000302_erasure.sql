-- migrate:up
-- Once the practice's term is over, or on request, nothing of the patient is left. After the term a
-- bare row stays as long as the link is valid.
ALTER TABLE appointments
    ADD COLUMN erased_at timestamptz,
    DROP CONSTRAINT appointments_contact_until_deleted,
    ADD CONSTRAINT appointments_contact_while_needed
        CHECK ((contact IS NOT NULL OR patient_name IS NOT NULL)
               = (deleted_at IS NULL AND erased_at IS NULL));
CREATE INDEX appointments_to_erase ON appointments (practice_id, starts_at)
    WHERE erased_at IS NULL;
CREATE INDEX appointments_erased ON appointments (starts_at) WHERE erased_at IS NOT NULL;
CREATE INDEX attempts_of_address ON attempts (practice_id, address_fingerprint);
CREATE INDEX idempotency_keys_of_appointment ON idempotency_keys (practice_id, appointment_id);
CREATE INDEX outbox_of_key ON outbox (key);
GRANT DELETE ON appointments TO scheduling;

-- migrate:down
REVOKE DELETE ON appointments FROM scheduling;
DROP INDEX appointments_to_erase, appointments_erased, attempts_of_address,
    idempotency_keys_of_appointment, outbox_of_key;
DELETE FROM appointments WHERE erased_at IS NOT NULL;
ALTER TABLE appointments
    DROP CONSTRAINT appointments_contact_while_needed,
    DROP COLUMN erased_at,
    ADD CONSTRAINT appointments_contact_until_deleted
        CHECK ((deleted_at IS NULL) = (contact IS NOT NULL OR patient_name IS NOT NULL));
