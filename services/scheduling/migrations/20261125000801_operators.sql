-- migrate:up
-- Who runs the installation sets practices up: in a scope of its own (chassis.database), in which
-- practices can be written and nothing of any patient can be seen.
CREATE FUNCTION operator_in_scope() RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT current_setting('app.practice', true) = 'operator' $$;

-- A practice reads its row; it is written in the operator's scope alone, or by the table's owner.
ALTER POLICY practice ON practices
    USING (practice_in_scope(id) OR operator_in_scope())
    WITH CHECK (operator_in_scope() OR current_user = (
        SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'practices'));
GRANT INSERT, UPDATE (name, time_zone, tariff, language, reminders, retention_days)
    ON practices TO scheduling;
ALTER POLICY practice ON audit_entries
    WITH CHECK (practice_in_scope(practice_id) OR operator_in_scope());

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
ALTER TABLE operator_keys FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON operator_keys
    USING (operator_in_scope()) WITH CHECK (operator_in_scope());
GRANT SELECT, UPDATE (last_used_at) ON operator_keys TO scheduling;

-- migrate:down
DROP TABLE operator_keys;
ALTER POLICY practice ON audit_entries WITH CHECK (practice_in_scope(practice_id));
ALTER POLICY practice ON practices
    USING (practice_in_scope(id)) WITH CHECK (practice_in_scope(id));
REVOKE INSERT, UPDATE (name, time_zone, tariff, language, reminders, retention_days)
    ON practices FROM scheduling;
DROP FUNCTION operator_in_scope;
