-- migrate:up
-- The owner is bound by the policies too: to work across practices it says so (app.practice=every
-- in its connection's parameters). A table that is added later forces its own policies.
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
