"""Many people do everything to one room at once: no deadlock, no 500, and the books are right."""

import random
import uuid
from collections.abc import Callable
from typing import Any

from flask import Flask
from werkzeug.test import TestResponse

from colorless.tasks import TaskGroup
from tests.tools.chat import Caller, chat_of, sign_in

PEOPLE = 10
STEPS = 60


def deeds(chance: random.Random, me: Caller, others: list[Caller], room: str) -> list[Any]:
    """What somebody may do next; whether it is allowed is for the service to say."""
    seq = chance.randint(1, 30)
    message, other = f"{room}/messages/{seq}", chance.choice(others)
    emoji, role = chance.choice("abc"), chance.choice(["owner", "member"])
    names = " ".join(f"@{each.user.name}" for each in others)
    new = {"client_id": uuid.uuid4().hex, "body": f"to {names}"}
    return [
        lambda: me.post(f"{room}/messages", new),
        lambda: me.post(f"{room}/messages", new | {"client_id": "always the same"}),
        lambda: me.post(f"{room}/messages", new | {"reply_to": seq}),
        lambda: me.patch(message, {"body": f"now to @{other.user.name}"}),
        lambda: me.delete(message),
        lambda: me.put(f"{message}/reactions/{emoji}"),
        lambda: me.delete(f"{message}/reactions/{emoji}"),
        lambda: me.put(f"{room}/read", {"seq": seq}),
        lambda: me.put(f"{room}/members/{me.id}"),
        lambda: me.put(f"{room}/members/{other.id}", {"role": role}),
        lambda: me.delete(f"{room}/members/{other.id}"),
        lambda: me.patch(room, {"topic": str(seq)}),
        lambda: me.get("/home"),
        lambda: me.get("/search", q="now"),
        lambda: me.get(f"{room}/messages", around=seq),
    ]


def test_everything_at_once(app: Flask) -> None:
    """Every answer is one that the rules foresee; afterwards the numbers of messages and events
    have no gap, and nobody is left in the books who is not there."""
    people = [sign_in(app) for _ in range(PEOPLE)]
    room = people[0].makes_room(*people[1:])
    number = int(room.split("/")[2])
    statuses: dict[int, int] = {}

    def live(me: Caller, chance: random.Random) -> None:
        for _ in range(STEPS):
            deed: Callable[[], TestResponse] = chance.choice(deeds(chance, me, people, room))
            status = deed().status_code
            statuses[status] = statuses.get(status, 0) + 1

    with TaskGroup() as group:
        for seed, person in enumerate(people):
            group.go(live, person, random.Random(seed))

    assert set(statuses) <= {200, 201, 204, 403, 404, 409, 422}, statuses
    assert statuses[201] > 20
    with chat_of(app).db.connection() as db:
        for table, counter in (("messages", "last_message"), ("events", "last_event")):
            seqs = [
                seq
                for (seq,) in db.fetch_all(
                    f"SELECT seq FROM {table} WHERE room_id = %s ORDER BY seq", [number]
                )
            ]
            last = db.fetch_one(f"SELECT {counter} FROM rooms WHERE id = %s", [number])
            assert (len(seqs),) == last
            assert seqs == list(range(1, len(seqs) + 1))
        owners = db.fetch_all(
            "SELECT 1 FROM members WHERE room_id = %s AND role = 'owner'", [number]
        )
        assert owners
        beyond = db.fetch_all(
            "SELECT 1 FROM members m JOIN rooms r ON r.id = m.room_id "
            "WHERE r.id = %s AND m.read_seq > r.last_message",
            [number],
        )
        assert not beyond
        of_tombstones = db.fetch_all(
            "SELECT 1 FROM messages m WHERE m.room_id = %s AND m.deleted_at IS NOT NULL AND "
            "(EXISTS (SELECT 1 FROM reactions x WHERE x.room_id = m.room_id AND x.seq = m.seq) OR "
            " EXISTS (SELECT 1 FROM mentions x WHERE x.room_id = m.room_id AND x.seq = m.seq))",
            [number],
        )
        assert not of_tombstones
