-- migrate:up
-- Keys of clinics' own systems. They are made and revoked by the operator, as the owner of the
-- database: the service itself can only look them up and note that they were used.
CREATE TABLE api_keys (
    id text PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    name text NOT NULL CHECK (name <> ''),
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_of_practice ON api_keys (practice_id);
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON api_keys
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO scheduling;

-- migrate:down
DROP TABLE api_keys;
