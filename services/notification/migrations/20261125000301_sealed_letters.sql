-- migrate:up
-- Recipient, patient's name and link, sealed together (chassis/sealing.py). The service seals what
-- it finds in the open columns soon after its start and empties them; then they stay empty.
ALTER TABLE deliveries ADD COLUMN letter bytea;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_check2;
ALTER TABLE deliveries ADD CONSTRAINT deliveries_letter_while_due
    CHECK ((letter IS NOT NULL OR recipient IS NOT NULL) = (due_at IS NOT NULL));
-- Mail that came back: sealed as well.
ALTER TABLE receipts ADD COLUMN sealed boolean NOT NULL DEFAULT false;
ALTER TABLE outbox
    ADD COLUMN sealed boolean NOT NULL DEFAULT false,
    ADD COLUMN practice_id uuid;

-- migrate:down
DO $$
BEGIN
    IF EXISTS (SELECT FROM deliveries WHERE letter IS NOT NULL)
       OR EXISTS (SELECT FROM receipts WHERE sealed AND content IS NOT NULL) THEN
        RAISE EXCEPTION 'sealed letters and mails can only be opened by the service';
    END IF;
END $$;
ALTER TABLE outbox DROP COLUMN sealed, DROP COLUMN practice_id;
ALTER TABLE receipts DROP COLUMN sealed;
ALTER TABLE deliveries DROP CONSTRAINT deliveries_letter_while_due;
ALTER TABLE deliveries DROP COLUMN letter,
    ADD CONSTRAINT deliveries_check2 CHECK ((recipient IS NOT NULL) = (due_at IS NOT NULL));
