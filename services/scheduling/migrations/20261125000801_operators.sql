-- migrate:up
-- Who runs the installation sets practices up: in a scope of its own (chassis.database), in which
-- practices can be written and nothing of any patient can be seen.
CREATE FUNCTION operator_in_scope() RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT current_setting('app.practice', true) = 'operator' $$;

-- The policy so far was for everything: with the grants below, a practice could change itself.
DROP POLICY practice ON practices;
CREATE POLICY practice ON practices FOR SELECT USING (practice_in_scope(id));
CREATE POLICY operator ON practices
    USING (operator_in_scope()) WITH CHECK (operator_in_scope());
GRANT INSERT, UPDATE (name, time_zone, tariff, language, reminders, retention_days)
    ON practices TO scheduling;
CREATE POLICY operator ON audit_entries FOR INSERT WITH CHECK (operator_in_scope());

-- Keys of the API for practices. Made and revoked on the command line, as the owner.
CREATE TABLE operator_keys (
    id text PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
ALTER TABLE operator_keys ENABLE ROW LEVEL SECURITY;
CREATE POLICY operator ON operator_keys
    USING (operator_in_scope()) WITH CHECK (operator_in_scope());
GRANT SELECT, UPDATE (last_used_at) ON operator_keys TO scheduling;

-- migrate:down
DROP TABLE operator_keys;
DROP POLICY operator ON audit_entries;
DROP POLICY operator ON practices;
DROP POLICY practice ON practices;
CREATE POLICY practice ON practices USING (practice_in_scope(id));
REVOKE INSERT, UPDATE (name, time_zone, tariff, language, reminders, retention_days)
    ON practices FROM scheduling;
DROP FUNCTION operator_in_scope;
