-- Users, sessions, rooms, messages, and the log of what happened in each room.

CREATE TABLE users (
    id            bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name          text NOT NULL UNIQUE,          -- lower case, so that @name is unambiguous
    display_name  text NOT NULL,
    password_hash text NOT NULL,
    created_at    timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE sessions (
    token_hash bytea PRIMARY KEY,                -- SHA-256; the token itself is never stored
    user_id    bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL
);
CREATE INDEX sessions_of_user ON sessions (user_id);

-- The two counters are what makes numbers gapless: whoever writes to a room holds its row until
-- the commit, so the order of the numbers is the order of the commits.
CREATE TABLE rooms (
    id           bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name         text NOT NULL,
    topic        text NOT NULL,
    visibility   text NOT NULL CHECK (visibility IN ('public', 'private')),
    created_at   timestamptz NOT NULL DEFAULT now(),
    last_message bigint NOT NULL DEFAULT 0,
    last_event   bigint NOT NULL DEFAULT 0
) WITH (fillfactor = 70);                        -- room for updates in place
CREATE INDEX rooms_public ON rooms (id) WHERE visibility = 'public';

CREATE TABLE members (
    room_id   bigint NOT NULL REFERENCES rooms ON DELETE CASCADE,
    user_id   bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    role      text NOT NULL CHECK (role IN ('owner', 'member')),
    joined_at timestamptz NOT NULL DEFAULT now(),
    read_seq  bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (room_id, user_id)
) WITH (fillfactor = 70);
CREATE INDEX members_of_user ON members (user_id, room_id);

CREATE TABLE messages (
    room_id    bigint NOT NULL REFERENCES rooms ON DELETE CASCADE,
    seq        bigint NOT NULL,
    author_id  bigint NOT NULL REFERENCES users,
    client_id  text NOT NULL,
    digest     bytea NOT NULL,                   -- of what was first sent: a retry must repeat it
    body       text NOT NULL,                    -- '' once deleted
    reply_to   bigint,
    created_at timestamptz NOT NULL DEFAULT now(),
    edited_at  timestamptz,
    deleted_at timestamptz,
    words      tsvector GENERATED ALWAYS AS (to_tsvector('simple', body)) STORED,
    PRIMARY KEY (room_id, seq),
    UNIQUE (room_id, author_id, client_id)
);
CREATE INDEX messages_words ON messages USING gin (words);

CREATE TABLE reactions (
    room_id bigint NOT NULL,
    seq     bigint NOT NULL,
    emoji   text NOT NULL,
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    PRIMARY KEY (room_id, seq, emoji, user_id),
    FOREIGN KEY (room_id, seq) REFERENCES messages ON DELETE CASCADE
);

CREATE TABLE mentions (
    user_id bigint NOT NULL REFERENCES users ON DELETE CASCADE,
    room_id bigint NOT NULL,
    seq     bigint NOT NULL,
    PRIMARY KEY (user_id, room_id, seq),
    FOREIGN KEY (room_id, seq) REFERENCES messages ON DELETE CASCADE
);
CREATE INDEX mentions_of_message ON mentions (room_id, seq);

-- What happened in a room, in the order in which it was committed. It refers to messages and
-- does not copy them, so that deleting a message leaves its text nowhere.
CREATE TABLE events (
    room_id     bigint NOT NULL REFERENCES rooms ON DELETE CASCADE,
    seq         bigint NOT NULL,
    kind        text NOT NULL,
    actor_id    bigint NOT NULL REFERENCES users,
    message_seq bigint,
    user_id     bigint,                          -- whom it is about: who joined, who left
    detail      text,                            -- the emoji of a reaction, the role of a member
    created_at  timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (room_id, seq)
);
