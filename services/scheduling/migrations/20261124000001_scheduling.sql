-- migrate:up
CREATE FUNCTION practice_in_scope(practice uuid) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT current_setting('app.practice', true) IN (practice::text, 'every') $$;

CREATE TABLE practices (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    time_zone text NOT NULL,
    tariff text NOT NULL CHECK (tariff IN ('basic', 'standard', 'premium'))
);
ALTER TABLE practices ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON practices USING (practice_in_scope(id));
GRANT SELECT ON practices TO scheduling;

CREATE TABLE appointments (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    version integer NOT NULL DEFAULT 1,
    starts_at timestamptz NOT NULL,
    duration_minutes integer NOT NULL CHECK (duration_minutes BETWEEN 5 AND 480),
    patient_name text,
    email text,
    phone text,
    channels text[] NOT NULL,
    locale text NOT NULL,
    consented_at timestamptz NOT NULL,
    invitation_id uuid NOT NULL,
    attempt integer NOT NULL DEFAULT 1,
    link_version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    deleted_at timestamptz,
    -- a deleted appointment keeps nothing of the patient
    CHECK ((deleted_at IS NULL) = (patient_name IS NOT NULL)),
    CHECK (deleted_at IS NULL OR (email IS NULL AND phone IS NULL))
);
CREATE INDEX appointments_by_day ON appointments (practice_id, starts_at) WHERE deleted_at IS NULL;
ALTER TABLE appointments ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON appointments
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE ON appointments TO scheduling;

CREATE TABLE idempotency_keys (
    practice_id uuid NOT NULL,
    key text NOT NULL,
    fingerprint bytea NOT NULL,
    appointment_id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (practice_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys (created_at);
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON idempotency_keys
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON idempotency_keys TO scheduling;

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    headers jsonb NOT NULL,
    value bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, DELETE ON outbox TO scheduling;

-- migrate:down
DROP TABLE outbox, idempotency_keys, appointments, practices;
DROP FUNCTION practice_in_scope;
