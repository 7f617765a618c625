-- migrate:up
-- The owner is bound by the policies too. It works across practices by a setting of its role, which
-- only a superuser can make: ALTER ROLE … SET app.practice = 'every' (local/databases.py). A table
-- that is added later forces its own policies.
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
