-- migrate:up

-- What is on its way of what is still to come, by start: some of it may be overdue.
CREATE INDEX indicators_awaited ON indicators (practice_id, starts_at, appointment_id)
    WHERE body ? 'awaited';

-- migrate:down

DROP INDEX indicators_awaited;
