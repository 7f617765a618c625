-- migrate:up
-- Row-level security binds every table to practices, and the tables' owner too. The owner works
-- across practices by a setting of its role, which only a superuser can make: ALTER ROLE … SET
-- app.practice = 'every' (local/databases.py).
-- With coalesce the planner takes half of the rows to be in scope. Of the bare comparison it takes a
-- hundredth to be, and then reads and sorts all that a practice has for a page of it.
CREATE FUNCTION practice_in_scope(practice uuid) RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT coalesce(current_setting('app.practice', true) IN (practice::text, 'every'), false) $$;

-- Who runs the installation sets practices up: in a scope of its own (chassis.database), in which
-- practices can be written and nothing of any patient can be seen.
CREATE FUNCTION operator_in_scope() RETURNS boolean LANGUAGE sql STABLE AS
$$ SELECT current_setting('app.practice', true) = 'operator' $$;

-- The defaults are in practice.py.
CREATE TABLE practices (
    id uuid PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    time_zone text NOT NULL,
    tariff text NOT NULL CHECK (tariff IN ('basic', 'standard', 'premium')),
    language text NOT NULL,
    -- minutes before the start at which the patient is reminded
    reminders integer[] NOT NULL
        CHECK (cardinality(reminders) <= 5 AND 0 < ALL (reminders) AND 20160 >= ALL (reminders)),
    -- days after the end of an appointment for which the patient's data is kept
    retention_days integer NOT NULL CHECK (retention_days BETWEEN 0 AND 88),
    -- how patients reach it; empty where they can't
    phone text NOT NULL DEFAULT '',             -- E.164
    reply_address text NOT NULL DEFAULT '',
    postal_address text NOT NULL DEFAULT '',    -- lines
    asks_for_answer boolean NOT NULL DEFAULT true,  -- of patients' calendars
    -- where a daily mail of how much is open goes; empty: nowhere
    daily_mail_address text NOT NULL DEFAULT '',
    daily_mail_hour integer NOT NULL DEFAULT 7 CHECK (daily_mail_hour BETWEEN 0 AND 23),
    -- bounds of its own on what is written to patients; 0 and none: the installation's
    daily_messages integer NOT NULL DEFAULT 0 CHECK (daily_messages >= 0),
    daily_sms_per_country integer NOT NULL DEFAULT 0 CHECK (daily_sms_per_country >= 0),
    sms_countries text[] NOT NULL DEFAULT '{}',
    quiet_hours boolean NOT NULL DEFAULT true   -- whether SMS wait for the morning
);
ALTER TABLE practices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
-- A practice reads its row; it is written in the operator's scope alone, or by the table's owner.
CREATE POLICY practice ON practices
    USING (practice_in_scope(id) OR operator_in_scope())
    WITH CHECK (operator_in_scope() OR current_user = (
        SELECT tableowner FROM pg_tables WHERE schemaname = 'public' AND tablename = 'practices'));
CREATE POLICY owner ON practices TO CURRENT_USER
    USING (practice_in_scope(id)) WITH CHECK (practice_in_scope(id));
GRANT SELECT, INSERT, UPDATE (name, time_zone, tariff, language, reminders, retention_days, phone,
    reply_address, postal_address, asks_for_answer, daily_mail_address, daily_mail_hour,
    daily_messages, daily_sms_per_country, sms_countries, quiet_hours) ON practices TO scheduling;

-- Of practices that want a daily mail: when the next one is due. Written with the practice's settings
-- in the operator's scope.
CREATE TABLE daily_mails (
    practice_id uuid PRIMARY KEY REFERENCES practices,
    due_at timestamptz NOT NULL,
    -- From when on to ask how much is open; whoever asks puts it off, so that nobody else does.
    ask_at timestamptz NOT NULL
);
CREATE INDEX daily_mails_to_ask ON daily_mails (ask_at);
ALTER TABLE daily_mails ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON daily_mails
    USING (practice_in_scope(practice_id) OR operator_in_scope())
    WITH CHECK (practice_in_scope(practice_id) OR operator_in_scope());
GRANT SELECT, INSERT, UPDATE, DELETE ON daily_mails TO scheduling;

CREATE TABLE appointments (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    version integer NOT NULL DEFAULT 1,
    starts_at timestamptz NOT NULL,
    duration_minutes integer NOT NULL CHECK (duration_minutes BETWEEN 5 AND 480),
    channels text[] NOT NULL,
    locale text NOT NULL,
    consented_at timestamptz NOT NULL,
    invitation_id uuid NOT NULL,
    attempt integer NOT NULL DEFAULT 1,
    link_version integer NOT NULL DEFAULT 1,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    updated_at timestamptz NOT NULL,    -- of this version; by stamp_change alone
    -- What another system calls it, opaque; forgotten with the patient.
    external_reference text,
    patient_reference text,
    practitioner_reference text,
    location_reference text,
    -- Channels to whose address, corrected since, the newest attempt did not go; and whether an
    -- address that an attempt may have gone to was corrected, so that the next one renews the link.
    unsent text[] NOT NULL DEFAULT '{}',
    link_outdated boolean NOT NULL DEFAULT false,
    deleted_at timestamptz,
    -- the patient's name and addresses, sealed together (chassis/sealing.py)
    contact bytea,
    -- Of a deleted one, whose cancellation is under way or has failed: until when somebody may have
    -- to call the patient.
    contact_until timestamptz,
    -- when a way into the video room was last told of
    patient_joined_at timestamptz,
    host_joined_at timestamptz,
    -- Once the practice's term is over, or on request, nothing of the patient is left. After the
    -- term a bare row stays as long as the link is valid.
    erased_at timestamptz,
    -- Under which key it is sealed: a column, since under row-level security an index on what a
    -- function makes of another is never used.
    contact_key integer GENERATED ALWAYS AS (get_byte(contact, 0)) STORED,
    CONSTRAINT appointments_contact_while_needed
        CHECK ((contact IS NOT NULL) = (erased_at IS NULL
            AND (deleted_at IS NULL OR contact_until IS NOT NULL))),
    CHECK (contact_until IS NULL OR deleted_at IS NOT NULL),
    CHECK (contact IS NOT NULL OR num_nonnulls(external_reference, patient_reference,
        practitioner_reference, location_reference) = 0)
);
CREATE UNIQUE INDEX appointments_by_external_reference
    ON appointments (practice_id, external_reference)
    WHERE external_reference IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX appointments_by_patient_reference
    ON appointments (practice_id, patient_reference, starts_at, id)
    WHERE patient_reference IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX appointments_by_practitioner_reference
    ON appointments (practice_id, practitioner_reference, starts_at, id)
    WHERE practitioner_reference IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX appointments_by_location_reference
    ON appointments (practice_id, location_reference, starts_at, id)
    WHERE location_reference IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX appointments_by_day ON appointments (practice_id, starts_at) WHERE deleted_at IS NULL;
CREATE INDEX appointments_by_key ON appointments (contact_key) WHERE contact_key IS NOT NULL;
CREATE INDEX appointments_to_erase ON appointments (practice_id, starts_at)
    WHERE erased_at IS NULL;
CREATE INDEX appointments_contact_until ON appointments (contact_until)
    WHERE contact_until IS NOT NULL;
-- Bare rows: those whose links hold until some time after the start, and those whose do not.
CREATE INDEX appointments_erased ON appointments (starts_at)
    WHERE erased_at IS NOT NULL AND deleted_at IS NULL;
CREATE INDEX appointments_erased_deleted ON appointments (id)
    WHERE erased_at IS NOT NULL AND deleted_at IS NOT NULL;
ALTER TABLE appointments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON appointments
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON appointments TO scheduling;

-- When each practice's appointments last changed. Whoever writes a version takes the next moment and
-- holds the row until the commit: so no version becomes visible after one with a later moment, and who
-- asks for what changed since a moment misses nothing. Taken last of all locks of a transaction.
CREATE TABLE change_clocks (
    practice_id uuid PRIMARY KEY,
    at timestamptz NOT NULL
);
ALTER TABLE change_clocks ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON change_clocks
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE ON change_clocks TO scheduling;

CREATE FUNCTION stamp_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    INSERT INTO change_clocks AS clock VALUES (NEW.practice_id, clock_timestamp())
    ON CONFLICT (practice_id) DO UPDATE
        SET at = greatest(clock_timestamp(), clock.at + interval '1 microsecond')
    RETURNING clock.at INTO NEW.updated_at;
    RETURN NEW;
END $$;
CREATE TRIGGER stamped BEFORE INSERT OR UPDATE OF version ON appointments
    FOR EACH ROW EXECUTE FUNCTION stamp_change();
CREATE INDEX appointments_by_change ON appointments (practice_id, updated_at, id);

-- What is left of appointments whose rows are gone, so that who synchronises hears of it.
CREATE TABLE tombstones (
    practice_id uuid NOT NULL,
    appointment_id uuid PRIMARY KEY,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL,
    told_until timestamptz NOT NULL
);
CREATE INDEX tombstones_by_change ON tombstones (practice_id, updated_at, appointment_id);
CREATE INDEX tombstones_age ON tombstones (told_until);
ALTER TABLE tombstones ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON tombstones
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON tombstones TO scheduling;

-- What the patient is to be told later: reminders, and that the appointment was moved; and what
-- was told at its deletion. Holds no patient data: addresses are read from the appointment when the
-- notice is due.
CREATE TABLE notices (
    id uuid PRIMARY KEY,
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    kind text NOT NULL CHECK (kind IN ('reminder', 'moved', 'cancelled')),
    starts_at timestamptz NOT NULL,     -- the start that a reminder is of
    minutes_before integer,             -- of a reminder
    previous_start timestamptz,         -- of a move: the one that the patient knows
    due_at timestamptz NOT NULL,
    done_at timestamptz,                -- requested, or too late
    attempt integer,                    -- where it was requested to: as that attempt
    awaited text[],                     -- of a cancellation: channels that may yet tell the patient
    CHECK ((kind = 'cancelled') = (awaited IS NOT NULL)),
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
ALTER TABLE notices ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON notices
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON notices TO scheduling;

CREATE TABLE idempotency_keys (
    practice_id uuid NOT NULL,
    key text NOT NULL,
    -- Of the request. Both are null once the appointment is erased: the key stays taken.
    fingerprint bytea,
    appointment_id uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (practice_id, key)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys USING brin (created_at) WITH (autosummarize = on);
CREATE INDEX idempotency_keys_of_appointment ON idempotency_keys (practice_id, appointment_id);
ALTER TABLE idempotency_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON idempotency_keys
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE (fingerprint, appointment_id), DELETE ON idempotency_keys
    TO scheduling;

-- Which address an attempt went to, as a keyed fingerprint: outcomes carry no address.
CREATE TABLE attempts (
    practice_id uuid NOT NULL,
    appointment_id uuid NOT NULL,
    attempt integer NOT NULL,
    channel text NOT NULL,
    address_fingerprint bytea NOT NULL,
    name_fingerprint bytea NOT NULL,    -- of who was written to, at this address
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (practice_id, appointment_id, attempt, channel)
);
CREATE INDEX attempts_age ON attempts USING brin (created_at) WITH (autosummarize = on);
CREATE INDEX attempts_of_address ON attempts (practice_id, address_fingerprint, created_at);
ALTER TABLE attempts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON attempts
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, DELETE ON attempts TO scheduling;

-- What was written to patients within a day, to be counted: one row for each letter. Outlives its
-- appointment's erasure without naming it, so that erasing makes no room for more.
CREATE TABLE messages (
    practice_id uuid NOT NULL,
    appointment_id uuid,
    channel text NOT NULL,
    address_fingerprint bytea,
    country text,               -- of an SMS
    at timestamptz NOT NULL
);
CREATE INDEX messages_of_practice ON messages (practice_id, at);
CREATE INDEX messages_of_address ON messages (practice_id, address_fingerprint, at);
CREATE INDEX messages_of_appointment ON messages (practice_id, appointment_id, at);
CREATE INDEX messages_of_country ON messages (practice_id, country, at) WHERE country IS NOT NULL;
CREATE INDEX messages_age ON messages USING brin (at) WITH (autosummarize = on);
ALTER TABLE messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON messages
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON messages TO scheduling;

-- What the newest outcome said of an address.
CREATE TABLE address_verdicts (
    practice_id uuid NOT NULL,
    address_fingerprint bytea NOT NULL,
    dead boolean NOT NULL,
    at timestamptz NOT NULL,
    arrived_at timestamptz,     -- null where it is dead, came back, or the appointment is erased
    arrived_of uuid,            -- the appointment
    PRIMARY KEY (practice_id, address_fingerprint)
);
CREATE INDEX address_verdicts_age ON address_verdicts (at);
ALTER TABLE address_verdicts ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON address_verdicts
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, INSERT, UPDATE, DELETE ON address_verdicts TO scheduling;

-- Keys of clinics' own systems. They are made and revoked by the operator, as the owner of the
-- database: the service itself can only look them up and note that they were used.
CREATE TABLE api_keys (
    id text PRIMARY KEY,
    practice_id uuid NOT NULL REFERENCES practices,
    name text NOT NULL CHECK (name <> ''),
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    scopes text[] NOT NULL CHECK (cardinality(scopes) > 0),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
CREATE INDEX api_keys_of_practice ON api_keys (practice_id);
ALTER TABLE api_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON api_keys
    USING (practice_in_scope(practice_id)) WITH CHECK (practice_in_scope(practice_id));
GRANT SELECT, UPDATE (last_used_at) ON api_keys TO scheduling;

-- Keys of the API for practices. Made and revoked on the command line, as the owner.
CREATE TABLE operator_keys (
    id text PRIMARY KEY,
    name text NOT NULL CHECK (name <> ''),
    secret_sha256 bytea NOT NULL CHECK (octet_length(secret_sha256) = 32),
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    last_used_at timestamptz
);
ALTER TABLE operator_keys ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY operator ON operator_keys
    USING (operator_in_scope()) WITH CHECK (operator_in_scope());
GRANT SELECT, UPDATE (last_used_at) ON operator_keys TO scheduling;

-- Who did what with which appointment. Holds no patient data: ids, and the names of changed fields.
-- An entry's place in its chain and its digest are given to it soon after, by seal_audit_entries.
CREATE TABLE audit_entries (
    id uuid PRIMARY KEY,
    practice_id uuid REFERENCES practices, -- NULL: of the installation, as making operators' keys
    at timestamptz NOT NULL,
    actor_kind text NOT NULL,
    actor_id text NOT NULL,
    actor_name text,
    actor_roles text[] NOT NULL,
    action text NOT NULL,
    appointment_ids uuid[] NOT NULL,
    changed text[] NOT NULL,
    trace_id text,
    number bigint,
    digest bytea CHECK (octet_length(digest) = 32),
    -- of a process with the key, which no role of the database has (services/scheduling/audit/proving.py)
    proof bytea UNIQUE,
    sealing bigint UNIQUE, -- in which order it was sealed, of all chains
    CHECK ((number IS NULL) = (digest IS NULL) AND (number IS NULL) = (sealing IS NULL))
);
CREATE SEQUENCE audit_sealings;

-- The chain that an entry belongs to: its practice's, or the installation's.
CREATE FUNCTION audit_chain(practice uuid) RETURNS uuid LANGUAGE sql IMMUTABLE AS
$$ SELECT coalesce(practice, '00000000-0000-0000-0000-000000000000') $$;

CREATE INDEX audit_entries_by_practice ON audit_entries (practice_id, id);
CREATE INDEX audit_entries_age ON audit_entries USING brin (at) WITH (autosummarize = on);
CREATE INDEX audit_entries_of_operators ON audit_entries (id) WHERE actor_kind = 'operator';
CREATE INDEX audit_entries_unsealed ON audit_entries (id) WHERE number IS NULL;
CREATE UNIQUE INDEX audit_entries_chained ON audit_entries (audit_chain(practice_id), number)
    WHERE number IS NOT NULL;
ALTER TABLE audit_entries ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON audit_entries
    USING (practice_in_scope(practice_id))
    WITH CHECK (practice_in_scope(practice_id) OR operator_in_scope());
GRANT SELECT, INSERT ON audit_entries TO scheduling;

-- Where each chain ends, and where what is left of it begins: after the last entry let go.
CREATE TABLE audit_chains (
    chain uuid PRIMARY KEY,
    number bigint NOT NULL DEFAULT 0,
    digest bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex'),
    forgotten_number bigint NOT NULL DEFAULT 0,
    forgotten_digest bytea NOT NULL DEFAULT decode(repeat('00', 32), 'hex')
);
ALTER TABLE audit_chains ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON audit_chains
    USING (practice_in_scope(chain)) WITH CHECK (practice_in_scope(chain));

-- Whoever enters a deed chooses neither when it was, nor its place, nor an operator's name.
CREATE FUNCTION stamp_audit_entry() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
BEGIN
    IF NEW.actor_kind = 'operator'
        AND NOT EXISTS (SELECT FROM operator_keys WHERE id = NEW.actor_id)
        AND NOT (NEW.actor_id = 'operator:cli' AND current_user = (
            SELECT pg_get_userbyid(relowner) FROM pg_class WHERE oid = TG_RELID))
    THEN
        RAISE insufficient_privilege USING MESSAGE = 'no such operator';
    END IF;
    NEW.id := uuidv7();
    NEW.at := clock_timestamp(); -- not now(), which a transaction held open would date back
    NEW.number := NULL;
    NEW.digest := NULL;
    NEW.sealing := NULL;
    RETURN NEW;
END $$;
CREATE TRIGGER stamped BEFORE INSERT ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION stamp_audit_entry();

-- Nobody changes an entry but to seal it, the owner included, and none goes before it is a year
-- old.
CREATE FUNCTION refuse_audit_change() RETURNS trigger
    LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    unsealed audit_entries;
BEGIN
    IF TG_OP = 'DELETE' AND OLD.at < now() - interval '365 days' THEN
        RETURN OLD;
    END IF;
    IF TG_OP = 'UPDATE' THEN
        unsealed := NEW;
        unsealed.number := NULL;
        unsealed.digest := NULL;
        unsealed.sealing := NULL;
        IF unsealed IS NOT DISTINCT FROM OLD THEN
            RETURN NEW;
        END IF;
    END IF;
    RAISE insufficient_privilege USING MESSAGE = 'audit entries are append-only';
END $$;
CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON audit_entries
    FOR EACH ROW EXECUTE FUNCTION refuse_audit_change();
CREATE TRIGGER not_emptied BEFORE TRUNCATE ON audit_entries
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_audit_change();

-- SHA-256 over the digest of the entry before and this one as JSON (services/scheduling/audit/chain.py
-- reckons the same).
CREATE FUNCTION audit_digest(previous bytea, place bigint, entry audit_entries) RETURNS bytea
    LANGUAGE sql STABLE AS $$
    SELECT sha256(previous || convert_to(jsonb_build_array(
        place, entry.id, entry.practice_id,
        to_char(entry.at AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
        entry.actor_kind, entry.actor_id, entry.actor_name, entry.actor_roles, entry.action,
        entry.appointment_ids, entry.changed, entry.trace_id,
        encode(entry.proof, 'hex'))::text, 'UTF8'))
$$;

-- Gives at most so many entries, the oldest, their places; how many there were. Sealers wait for
-- each other, and nobody who enters a deed waits for them: what is not committed yet comes later.
-- So the order of `sealing` is, from one call to the next, that of their commits, too. Chain after
-- chain, and written at once: a statement for each entry cost most of what an entry costs.
CREATE FUNCTION seal_audit_entries(most integer) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    entry audit_entries;
    head audit_chains;
    ids uuid[] := '{}';
    chains uuid[] := '{}';
    numbers bigint[] := '{}';
    digests bytea[] := '{}';
BEGIN
    IF NOT EXISTS (SELECT FROM audit_entries WHERE number IS NULL) THEN
        RETURN 0;
    END IF;
    LOCK TABLE audit_chains IN SHARE ROW EXCLUSIVE MODE;
    FOR entry IN
        SELECT * FROM (SELECT * FROM audit_entries WHERE number IS NULL ORDER BY id LIMIT most)
            AS oldest
        ORDER BY audit_chain(practice_id), id
    LOOP
        IF head.chain IS DISTINCT FROM audit_chain(entry.practice_id) THEN
            INSERT INTO audit_chains (chain) VALUES (audit_chain(entry.practice_id))
                ON CONFLICT DO NOTHING;
            SELECT * INTO head FROM audit_chains WHERE chain = audit_chain(entry.practice_id);
        END IF;
        head.number := head.number + 1;
        head.digest := audit_digest(head.digest, head.number, entry);
        ids := ids || entry.id;
        chains := chains || head.chain;
        numbers := numbers || head.number;
        digests := digests || head.digest;
    END LOOP;
    UPDATE audit_entries SET number = sealed.number, digest = sealed.digest,
        sealing = nextval('audit_sealings')
    FROM unnest(ids, numbers, digests) AS sealed (id, number, digest)
    WHERE audit_entries.id = sealed.id;
    UPDATE audit_chains SET number = last.number, digest = last.digest
    FROM (SELECT DISTINCT ON (chain) * FROM unnest(chains, numbers, digests)
              AS sealed (chain, number, digest) ORDER BY chain, number DESC) AS last
    WHERE audit_chains.chain = last.chain;
    RETURN cardinality(ids);
END $$;
REVOKE ALL ON FUNCTION seal_audit_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION seal_audit_entries TO scheduling;

-- The service's one way to let entries go: those that are older than this many days. A chain goes
-- from its beginning on, so what is sealed after an older one that has to stay stays with it.
CREATE FUNCTION forget_audit_entries(days integer) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, public, pg_temp AS $$
DECLARE
    until timestamptz := now() - make_interval(days => greatest(days, 365));
BEGIN
    LOCK TABLE audit_chains IN SHARE ROW EXCLUSIVE MODE;
    WITH old AS (
        SELECT audit_chain(practice_id) AS chain, number, digest,
            row_number() OVER (PARTITION BY practice_id ORDER BY number) AS place
        FROM audit_entries WHERE at < until AND number IS NOT NULL
    ), last AS (
        SELECT DISTINCT ON (chain) old.chain, old.number, old.digest
        FROM old JOIN audit_chains USING (chain)
        WHERE old.number = forgotten_number + place
        ORDER BY chain, old.number DESC
    )
    UPDATE audit_chains SET forgotten_number = last.number, forgotten_digest = last.digest
    FROM last WHERE audit_chains.chain = last.chain;
    DELETE FROM audit_entries USING audit_chains
    WHERE at < until AND chain = audit_chain(practice_id)
      AND audit_entries.number <= forgotten_number;
END $$;
REVOKE ALL ON FUNCTION forget_audit_entries FROM PUBLIC;
GRANT EXECUTE ON FUNCTION forget_audit_entries TO scheduling;

CREATE TABLE outbox (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    topic text NOT NULL,
    key text NOT NULL,
    headers jsonb NOT NULL,
    value bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    sealed boolean NOT NULL DEFAULT false,
    practice_id uuid
);
CREATE INDEX outbox_of_key ON outbox (key);
ALTER TABLE outbox ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY practice ON outbox
    USING (coalesce(practice_in_scope(practice_id), false))
    WITH CHECK (coalesce(practice_in_scope(practice_id), false));
GRANT SELECT, INSERT, DELETE ON outbox TO scheduling;

CREATE TABLE inbox (
    event_id uuid PRIMARY KEY, received_at timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX inbox_age ON inbox (received_at);
GRANT SELECT, INSERT, DELETE ON inbox TO scheduling;

-- migrate:down
DROP FUNCTION forget_audit_entries, seal_audit_entries, audit_digest;
DROP SEQUENCE audit_sealings;
DROP TABLE inbox, outbox, audit_chains, audit_entries, operator_keys, api_keys,
    address_verdicts, messages, attempts, idempotency_keys, notices, tombstones, appointments,
    change_clocks, daily_mails, practices;
DROP FUNCTION refuse_audit_change, stamp_audit_entry, stamp_change, audit_chain, operator_in_scope,
    practice_in_scope;
