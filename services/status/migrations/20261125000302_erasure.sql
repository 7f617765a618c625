-- migrate:up
ALTER TABLE events
    DROP CONSTRAINT events_kind_check,
    ADD CONSTRAINT events_kind_check CHECK (kind IN
        ('issued', 'pending', 'delivered', 'failed', 'unconfirmed', 'deleted', 'erased'));
CREATE INDEX events_erased ON events (occurred_at) WHERE kind = 'erased';

-- migrate:down
DROP INDEX events_erased;
DELETE FROM events WHERE kind = 'erased';
ALTER TABLE events
    DROP CONSTRAINT events_kind_check,
    ADD CONSTRAINT events_kind_check CHECK (kind IN
        ('issued', 'pending', 'delivered', 'failed', 'unconfirmed', 'deleted'));
