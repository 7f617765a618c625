-- migrate:up
ALTER TABLE events ADD COLUMN reason text;  -- of a failure: FailureReason of the contract

-- migrate:down
ALTER TABLE events DROP COLUMN reason;
