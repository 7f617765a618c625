-- migrate:up
-- What the patient is to be told later: reminders, and that the appointment was moved. Holds no
-- patient data: addresses are read from the appointment when the notice is due.
CREATE TABLE notices (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reminder', 'moved')),
    starts_at timestamptz NOT NULL,     -- the start that a reminder is of
    minutes_before integer,             -- of a reminder
    previous_start timestamptz,         -- of a move: the one that the patient knows
    due_at timestamptz NOT NULL,
    done_at timestamptz,                -- requested, or too late
    CHECK ((kind = 'reminder') = (minutes_before IS NOT NULL)),
    CHECK ((kind = 'moved') = (previous_start IS NOT NULL))
);
-- Never twice: not for the same start, were it moved away and back in between.
CREATE UNIQUE INDEX notices_reminder_once
    ON notices (practice_id, appointment_id, starts_at, minutes_before) WHERE kind = 'reminder';
-- Moves in quick succession are one notice.
CREATE UNIQUE INDEX notices_one_move ON notices (practice_id, appointment_id)
    WHERE kind = 'moved' AND done_at IS NULL;
CREATE INDEX notices_of_appointment ON notices (appointment_id);
CREATE INDEX notices_due ON notices (due_at) WHERE done_at IS NULL;
ALTER TABLE notices ENABLE ROW LEVEL SECURITY;
ALTER TABLE notices FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON notices
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON notices TO scheduling;

-- migrate:down
DROP TABLE notices;
