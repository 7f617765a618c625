-- migrate:up
-- Who did what with which appointment. Holds no patient data: ids, and the names of changed fields.
CREATE TABLE audit_entries (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text,
    actor_roles text[] NOT NULL,
    action text NOT NULL,
    appointment_ids uuid[] NOT NULL,
    changed text[] NOT NULL,
    trace_id text
);
CREATE INDEX audit_entries_by_practice ON audit_entries (practice_id, id);
CREATE INDEX audit_entries_by_appointment ON audit_entries USING gin (appointment_ids);
CREATE INDEX audit_entries_age ON audit_entries (at);
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON audit_entries
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT ON audit_entries TO scheduling;

-- Nobody changes an entry, the owner included, and none goes before it is a year old.
CREATE FUNCTION refuse_audit_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '365 days' THEN
        RETURN OLD;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = 'audit entries are append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER not_emptied BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- The service's one way to let entries go: those that are older than this many days.
CREATE FUNCTION forget_audit_entries(days integer) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, public AS
$$ DELETE FROM audit_entries WHERE at < now() - make_interval(days => greatest(days, 365)) $$;
REVOKE ALL ON FUNCTION forget_audit_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_audit_entries TO scheduling;

-- migrate:down
DROP FUNCTION forget_audit_entries;
DROP TABLE audit_entries;
DROP FUNCTION refuse_audit_change;
