-- migrate:up
CREATE INDEX events_by_time ON events (practice_id, occurred_at);

-- migrate:down
DROP INDEX events_by_time;
