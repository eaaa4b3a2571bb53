-- The tables of the lab and their rows. Every row follows from its number, so contract.py can say
-- what each answer must be without asking anyone.
-- Rooms 1-100 and users 1-1000 are only read, the rooms above only written: a write test cannot
-- change what a read test finds.
CREATE TABLE rooms (id int PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (id int PRIMARY KEY, name text NOT NULL, password_hash text NOT NULL);
CREATE TABLE members (user_id int, room_id int, PRIMARY KEY (user_id, room_id));
CREATE TABLE mentions (id int PRIMARY KEY, user_id int NOT NULL, seen bool NOT NULL);
CREATE TABLE previews (id bigserial PRIMARY KEY, url text NOT NULL, title text NOT NULL);
CREATE TABLE messages (
    id bigserial PRIMARY KEY,
    room_id int NOT NULL,
    user_id int NOT NULL,
    body text NOT NULL,
    created_ms bigint NOT NULL DEFAULT (extract(epoch FROM clock_timestamp()) * 1000)::bigint
);

INSERT INTO rooms SELECT n, 'room ' || n FROM generate_series(1, 300) n;
-- One password for everyone, argon2id with OWASP's parameters (19 MiB, 2 passes, 1 lane).
INSERT INTO users SELECT n, 'user ' || n, :'password_hash' FROM generate_series(1, 1000) n;
INSERT INTO members
    SELECT u, (u + k * 7) % 100 + 1 FROM generate_series(1, 1000) u, generate_series(0, 9) k;
INSERT INTO mentions
    SELECT u * 10 + k, u, k >= u % 5 FROM generate_series(1, 1000) u, generate_series(0, 7) k;
INSERT INTO messages
    SELECT n, (n - 1) % 100 + 1, (n - 1) % 1000 + 1,
           'message ' || n || ': the quick brown fox jumps over the lazy dog, and back again',
           1700000000000 + n * 1000
    FROM generate_series(1, 50000) n;
SELECT setval('messages_id_seq', 50000);

CREATE INDEX ON messages (room_id, id);
CREATE INDEX ON messages (user_id, id);
CREATE INDEX ON mentions (user_id) WHERE NOT seen;
VACUUM ANALYZE;
