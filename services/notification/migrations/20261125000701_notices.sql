-- migrate:up
-- Reminders and notices of a move or a cancellation are deliveries too, under ids of their own in
-- place of an invitation's.
ALTER TABLE deliveries ADD COLUMN kind text NOT NULL DEFAULT 'invitation'
    CHECK (kind IN ('invitation', 'reminder', 'moved', 'cancelled'));

-- migrate:down
DELETE FROM delivery_history h USING deliveries d
WHERE h.delivery_id = d.id AND d.kind <> 'invitation';
DELETE FROM deliveries WHERE kind <> 'invitation';
ALTER TABLE deliveries DROP COLUMN kind;
