-- Link previews, and webhooks with their log. Both are work that waits for a worker: `due_at` is
-- when it may be taken, and whoever takes it moves that on by a lease, so that the work of a
-- worker that was killed becomes due again. The number of takings tells a late worker from the
-- one that has the work now.

CREATE TABLE previews (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id     bigint NOT NULL,
    seq         bigint NOT NULL,
    position    integer NOT NULL,                -- the order of the links in the text
    url         text NOT NULL,                   -- as it stands in the text
    host        text NOT NULL,
    state       text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'ready', 'failed')),
    due_at      timestamptz NOT NULL DEFAULT now(),
    taken       integer NOT NULL DEFAULT 0,
    title       text,
    description text,
    image_url   text,
    site_name   text,
    failure     text,                            -- why there is none
    UNIQUE (room_id, seq, url),
    FOREIGN KEY (room_id, seq) REFERENCES messages ON DELETE CASCADE
);
CREATE INDEX previews_waiting ON previews (due_at) WHERE state = 'waiting';

-- A webhook is a reader of its room's log, and `delivered` is how far it has come. So an event
-- needs no row of its own here, and a room without webhooks pays nothing for there being such.
CREATE TABLE webhooks (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    room_id       bigint NOT NULL REFERENCES rooms ON DELETE CASCADE,
    url           text NOT NULL,
    host          text NOT NULL,
    secret        bytea NOT NULL,                -- signs, so it cannot be a hash
    created_at    timestamptz NOT NULL DEFAULT now(),
    delivered     bigint NOT NULL,
    due_at        timestamptz NOT NULL DEFAULT now(),
    taken         bigint NOT NULL DEFAULT 0,
    failures      integer NOT NULL DEFAULT 0,    -- in a row
    failing_since timestamptz,
    disabled_at   timestamptz
) WITH (fillfactor = 70);
CREATE INDEX webhooks_of_room ON webhooks (room_id);

CREATE TABLE deliveries (
    id         bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    webhook_id bigint NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    event_seq  bigint NOT NULL,
    kind       text NOT NULL,
    attempt    integer NOT NULL,
    at         timestamptz NOT NULL DEFAULT now(),
    seconds    double precision NOT NULL,
    status     integer,                          -- of the answer, if there was one
    error      text
);
CREATE INDEX deliveries_of_webhook ON deliveries (webhook_id, id);
