-- migrate:up
-- Who is logged in. A row is found and read with the cookie's secret alone: `id` is its hash, and
-- the tokens are sealed under a key that is derived from it. No practice and no patient is named.
CREATE TABLE sessions (
    id bytea PRIMARY KEY CHECK (octet_length(id) = 32),
    person bytea NOT NULL,
    sealed text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    seen_at timestamptz NOT NULL DEFAULT now(),
    ends_at timestamptz NOT NULL,
    refresh_at timestamptz NOT NULL,
    refreshing_until timestamptz
);
CREATE INDEX sessions_of_person ON sessions (person, created_at);
CREATE INDEX sessions_end ON sessions (ends_at);
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO dashboard;

-- Under whose key what somebody was entering as their session ended is sealed in their browser.
-- `person` is as above; nothing that is sealed is here.
CREATE TABLE draft_keys (
    person bytea PRIMARY KEY,
    key bytea NOT NULL CHECK (octet_length(key) = 32),
    asked_at timestamptz NOT NULL DEFAULT now()
);
GRANT SELECT, INSERT, UPDATE, DELETE ON draft_keys TO dashboard;

-- migrate:down
DROP TABLE draft_keys;
DROP TABLE sessions;
