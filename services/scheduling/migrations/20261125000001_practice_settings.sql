-- migrate:up
ALTER TABLE practices
    ADD COLUMN language text NOT NULL DEFAULT 'de',
    -- minutes before the start at which the patient is reminded
    ADD COLUMN reminders integer[] NOT NULL DEFAULT '{1440,60}'
        CHECK (cardinality(reminders) <= 5 AND 0 < ALL (reminders) AND 20160 >= ALL (reminders)),
    -- days after the end of an appointment for which the patient's data is kept
    ADD COLUMN retention_days integer NOT NULL DEFAULT 89 CHECK (retention_days BETWEEN 0 AND 89);

-- migrate:down
ALTER TABLE practices DROP COLUMN language, DROP COLUMN reminders, DROP COLUMN retention_days;
