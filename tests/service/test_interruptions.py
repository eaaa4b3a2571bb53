"""Whatever ends a request, wherever: the pool, the server and the next answers are right."""

import random
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import gevent
import pytest
from flask import Flask

from colorless.deadlines import move_on_after
from colorless.tasks import TaskGroup, go
from tests.tools.chat import Caller, chat_of, done, sign_in
from tests.tools.postgres import Sessions

POOL = 10
REQUESTS = 1000
AT_ONCE = 25

# What tells the other processes of the service of an event has a connection of its own.
OF_THE_POOL = "query NOT LIKE '%pg_notify%'"

MakeApp = Callable[..., Flask]


@pytest.fixture
def sessions(migrated_url: str) -> Iterator[Sessions]:
    """What the server says of its sessions."""
    sessions = Sessions(migrated_url)
    yield sessions
    sessions.close()


def kill(task: Any, seconds: float) -> None:
    """End the request's green thread where it is, as a worker does that runs out of patience."""
    task.join(seconds)
    task.kill()


def test_a_thousand_interrupted_requests_leave_no_trace(
    make_app: MakeApp, sessions: Sessions
) -> None:
    """Requests of all kinds are killed or run out of time at random points. Afterwards no
    connection is borrowed, the server has as many sessions as the pool, nobody waits in it, what
    was acknowledged is there once, and every number from 1 on has its message."""
    chance = random.Random(2026)
    app = make_app(pool_size=POOL)
    people = [sign_in(app) for _ in range(4)]
    room = people[0].makes_room(*people[1:])
    people[0].sends(room)
    acknowledged: dict[int, str] = {}

    def send(who: Caller) -> None:
        client_id = uuid.uuid4().hex
        new = {"client_id": client_id, "body": f"for @{people[0].user.name}"}
        answer = who.post(f"{room}/messages", new)
        if answer.status_code == 201:
            acknowledged[answer.get_json()["seq"]] = client_id

    kinds: list[Callable[[Caller], Any]] = [
        send,
        send,
        lambda who: who.get("/home"),
        lambda who: who.get(f"{room}/messages", limit=5),
        lambda who: who.put(f"{room}/messages/1/reactions/{chance.randint(1, 20)}"),
        lambda who: who.put(f"{room}/read", {"seq": 3}),
        lambda who: who.patch(room, {"topic": f"{chance.random()}"}),
    ]

    def request() -> None:
        kind, who = chance.choice(kinds), chance.choice(people)
        seconds = chance.random() * chance.choice((0.002, 0.02, 0.2))
        if chance.random() < 0.5:
            with move_on_after(seconds):
                kind(who)
        else:
            kill(go(kind, who), seconds)

    def one_after_the_other() -> None:
        for _ in range(REQUESTS // AT_ONCE):
            request()

    with TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.go(one_after_the_other)

    pool = chat_of(app).db
    with gevent.Timeout(10, AssertionError(f"never settled: {pool.stats()}")):
        while pool.stats()["in_use"] or pool.stats()["cancelling"]:
            gevent.sleep(0.01)
    stats = pool.stats()
    interrupted = stats["discarded"] + stats["connect_failed"]
    assert interrupted > 100, "most requests ended before they could be interrupted"
    assert stats["size"] == stats["idle"] <= POOL
    sessions.until(stats["size"], OF_THE_POOL)
    assert sessions.count(f"state <> 'idle' AND {OF_THE_POOL}") == 0

    history = everything(people[0], room)
    assert [message["seq"] for message in history] == list(range(1, len(history) + 1))
    sent = {message["seq"]: message["client_id"] for message in history}
    assert acknowledged.items() <= sent.items()
    assert len(set(sent.values())) == len(sent)


def test_the_pool_serves_as_many_as_before(make_app: MakeApp, sessions: Sessions) -> None:
    """After a storm of kills, as many requests at once as there are connections are served."""
    app = make_app(pool_size=POOL)
    ada = sign_in(app)
    for _ in range(5):
        tasks = [gevent.spawn(ada.get, "/home") for _ in range(20)]
        gevent.sleep(0.002)
        gevent.killall(tasks)
    pool = chat_of(app).db
    with pool.connection():  # one is busy; the others are enough
        with TaskGroup() as group:
            answers = [group.go(ada.get, "/home") for _ in range(40)]
        for each in answers:
            done(each.get(), 200)
    sessions.until(pool.stats()["size"], OF_THE_POOL)


def everything(caller: Caller, room: str) -> list[dict[str, Any]]:
    """The whole history, from the first message on."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"has_after": True}
    while page["has_after"]:
        page = caller.reads(room, after=found[-1]["seq"] if found else 0, limit=100)
        found += page["messages"]
    return found
