"""Every request has a deadline: its caller is answered, and the server stops working for it."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from colorless.tasks import TaskGroup
from tests.tools.chat import Caller, chat_of, done, refused, sign_in
from tests.tools.postgres import Sessions, holding

MakeApp = Callable[..., Flask]

REQUESTS: dict[str, Callable[[Caller, str], TestResponse]] = {
    "a statement": lambda who, room: who.get(f"{room}/messages"),
    "a transaction": lambda who, room: who.patch(f"{room}/messages/1", {"body": "x"}),
    "sending": lambda who, room: who.post(f"{room}/messages", {"client_id": "1", "body": "x"}),
    "tasks of a group": lambda who, room: who.get("/home"),
}


@pytest.fixture
def sessions(migrated_url: str) -> Iterator[Sessions]:
    """What the server says of its sessions."""
    sessions = Sessions(migrated_url)
    yield sessions
    sessions.close()


@pytest.mark.parametrize("what", REQUESTS)
def test_a_request_that_takes_too_long_is_given_up(
    make_app: MakeApp, migrated_url: str, sessions: Sessions, what: str
) -> None:
    """It gets 503 with Retry-After, its query is gone from the server, nothing of it was done, and
    the pool is whole."""
    app = make_app(request_timeout=0.5)
    ada = sign_in(app)
    room = ada.makes_room()
    ada.sends(room)
    with holding(migrated_url, "LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"):
        answer = REQUESTS[what](ada, room)
        words = refused(answer, 503)
        # What still waits behind the lock would wait for ever: the lock is still held.
        sessions.until(0, "wait_event_type = 'Lock'")
    assert "too long" in words
    assert int(answer.headers["Retry-After"]) >= 1
    assert ada.texts(room) == ["hello"]
    assert ada.sends(room)["seq"] == 2
    assert chat_of(app).db.stats()["in_use"] == 0


def test_waiting_for_a_connection_counts_too(make_app: MakeApp, migrated_url: str) -> None:
    """A request that never got a connection ends at its deadline as well: a 503, not a hang."""
    app = make_app(request_timeout=0.5, pool_size=1)
    ada = sign_in(app)
    with chat_of(app).db.connection():
        refused(ada.get("/rooms"), 503)
    done(ada.get("/rooms"), 200)


def test_more_than_may_wait_are_refused_at_once(make_app: MakeApp) -> None:
    """When the queue for a connection is full, who comes next is told at once to come later; who
    was in the queue is served."""
    app = make_app(pool_size=1, pool_waiting=3)
    ada = sign_in(app)
    pool = chat_of(app).db
    with TaskGroup() as group:
        with pool.connection():
            tries = [group.go(ada.get, "/users/me") for _ in range(5)]
            refusals = [tries[number].get() for number in (3, 4)]
            assert pool.stats()["waiting"] == 3
        answers = [each.get() for each in tries[:3]]
    for answer in refusals:
        assert "connection" in refused(answer, 503)
        assert answer.headers["Retry-After"]
    assert [answer.status_code for answer in answers] == [200] * 3


def test_a_pool_of_one_serves_everything(make_app: MakeApp) -> None:
    """No request needs a second connection while it holds a first: so none waits for itself."""
    app = make_app(pool_size=1, request_timeout=5)
    ada, bob = sign_in(app), sign_in(app)
    room = ada.makes_room(bob)
    ada.sends(room, f"@{bob.user.name}")
    new = {"client_id": "1", "body": "x"}
    for expected in (201, 200):
        done(bob.post(f"{room}/messages", new), expected)
    refused(bob.post(f"{room}/messages", new | {"body": "y"}), 409)
    refused(
        bob.post(f"{room}/messages", {**new, "client_id": "2", "reply_to": 99}), 422, "reply_to"
    )
    for path in ("/home", "/unread", "/search?q=x", room, f"{room}/messages", f"{room}/members"):
        done(bob.call("GET", path), 200)
    done(bob.put(f"{room}/read", {"seq": 1}), 200)


def test_slow_requests_do_not_hold_up_the_others(
    make_app: MakeApp, migrated_url: str, sessions: Sessions
) -> None:
    """While many requests wait in the server, others are served by the same process."""
    app = make_app()
    ada = sign_in(app)
    room = ada.makes_room()
    with TaskGroup() as group:
        with holding(migrated_url, "LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"):
            slow = [group.go(ada.get, f"{room}/messages") for _ in range(15)]
            sessions.until_waiting(15)
            done(ada.get(room), 200)
            assert app.test_client().get("/livez").status_code == 200
            assert not any(each.ready() for each in slow)
        assert {each.get().status_code for each in slow} == {200}
