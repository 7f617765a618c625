-- migrate:up
-- The owner is bound by the policies too. It works across practices by a setting of its role, which
-- only a superuser can make: ALTER ROLE … SET app.practice = 'every' (local/databases.py). A table
-- that is added later forces its own policies.
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY;
CREATE POLICY practice ON outbox
    USING (coalesce(practice_in_scope(practice_id), false))
    WITH CHECK (coalesce(practice_in_scope(practice_id), false));
-- Practices are set up in the operator's scope, or by who owns the database.
CREATE POLICY owner ON practices TO CURRENT_USER
    USING (practice_in_scope(id)) WITH CHECK (practice_in_scope(id));
DO $$
DECLARE
    secured regclass;
BEGIN
    FOR secured IN
        SELECT oid FROM pg_class WHERE relrowsecurity AND relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', secured);
    END LOOP;
END $$;

-- migrate:down
DO $$
DECLARE
    secured regclass;
BEGIN
    FOR secured IN
        SELECT oid FROM pg_class WHERE relforcerowsecurity AND relnamespace = 'public'::regnamespace
    LOOP
        EXECUTE format('ALTER TABLE %s NO FORCE ROW LEVEL SECURITY', secured);
    END LOOP;
END $$;
DROP POLICY owner ON practices;
DROP POLICY practice ON outbox;
ALTER TABLE outbox DISABLE ROW LEVEL SECURITY;
