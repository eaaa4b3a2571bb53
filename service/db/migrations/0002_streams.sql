-- What opens a session's streams in a browser, whose EventSource cannot send a token.
ALTER TABLE sessions ADD COLUMN ticket_hash bytea UNIQUE;  -- SHA-256; one for each session

-- Who is connected to which process, until when. Nobody misses it after a crash.
CREATE UNLOGGED TABLE presence (
    user_id    bigint NOT NULL,
    process    uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, process)
) WITH (fillfactor = 50);
CREATE INDEX presence_expiry ON presence (expires_at);
