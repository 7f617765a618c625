CREATE TABLE practices (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    time_zone text NOT NULL
);

CREATE TABLE appointments (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    patient_name text NOT NULL,
    email text NOT NULL,
    starts_at timestamptz NOT NULL,
    duration_minutes integer NOT NULL,
    link_token text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sent_at timestamptz
);
CREATE INDEX ON appointments (practice_id, starts_at);

GRANT SELECT, INSERT, UPDATE ON ALL TABLES IN SCHEMA public TO peer;
