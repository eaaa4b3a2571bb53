"""How often somebody may write or log in, and what is said to who does it more often."""

import uuid
from collections.abc import Callable

import pytest
from flask import Flask

from service.api.rate_limit import RateLimit
from service.errors import TooManyRequests
from tests.tools.chat import Caller, done, refused, sign_in, stranger

MakeApp = Callable[..., Flask]


class Clock:
    """Time that passes when the test says so, in seconds."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


def allowed(limit: RateLimit, key: object, tries: int) -> int:
    """How many of so many tries at one moment are let through."""
    count = 0
    for _ in range(tries):
        try:
            limit.take(key)
        except TooManyRequests:
            continue
        count += 1
    return count


def test_a_bucket_fills_at_its_rate() -> None:
    """A burst empties the bucket, and it fills evenly to its limit and no further."""
    clock = Clock()
    limit = RateLimit(60, clock)
    assert allowed(limit, "ada", 100) == 60
    clock.now += 10
    assert allowed(limit, "ada", 100) == 10
    clock.now += 3600
    assert allowed(limit, "ada", 100) == 60


def test_each_key_has_a_bucket() -> None:
    """What one does costs nobody else."""
    limit = RateLimit(2, Clock())
    assert [allowed(limit, key, 5) for key in ("ada", "bob", "ada")] == [2, 2, 0]


def test_waiting_as_long_as_told_is_enough() -> None:
    """After ``retry_after`` seconds the next call passes; tries in between do not put it off."""
    clock = Clock()
    limit = RateLimit(7, clock)
    allowed(limit, "ada", 7)
    with pytest.raises(TooManyRequests) as refusal:
        limit.take("ada")
    assert "try again in 9 s" in str(refusal.value)
    clock.now += refusal.value.retry_after / 2
    assert allowed(limit, "ada", 1) == 0
    clock.now += refusal.value.retry_after / 2 + 1e-6
    assert allowed(limit, "ada", 1) == 1


def test_no_limit_is_no_limit() -> None:
    """A limit of 0 lets everything through."""
    assert allowed(RateLimit(0, Clock()), "ada", 1000) == 1000


def test_writes_are_limited_by_user(make_app: MakeApp) -> None:
    """The write after the last allowed one is a 429 that says when to come back; reads and other
    people go on."""
    app = make_app(writes_per_minute=3)
    ada, bob = sign_in(app), sign_in(app)
    room = ada.makes_room()
    for _ in range(2):
        ada.sends(room)
    answer = ada.post(f"{room}/messages", {"client_id": "x", "body": "one more"})
    assert "in a minute" in refused(answer, 429)
    assert 1 <= int(answer.headers["Retry-After"]) <= 20
    assert len(ada.reads(room)["messages"]) == 2
    bob.makes_room()


def test_what_is_refused_counts_too(make_app: MakeApp) -> None:
    """Nonsense is as limited as sense: it costs the server as much."""
    app = make_app(writes_per_minute=2)
    ada = sign_in(app)
    refused(ada.post("/rooms", {"name": ""}), 422, "name")
    refused(ada.patch("/rooms/999999999", {"name": "x"}), 404)
    refused(ada.post("/rooms", {"name": "x"}), 429)


def test_another_token_is_no_other_user(make_app: MakeApp) -> None:
    """A user with two sessions has one bucket."""
    app = make_app(writes_per_minute=1)
    name, password = f"u{uuid.uuid4().hex[:9]}", "correct horse"
    someone = stranger(app)
    new = {"name": name, "password": password, "display_name": "U"}
    user = done(someone.post("/users", new), 201)
    tokens = [
        done(someone.post("/sessions", {"name": name, "password": password}), 201)["token"]
        for _ in range(2)
    ]
    first, second = (Caller(app, user, token) for token in tokens)
    first.makes_room()
    refused(second.post("/rooms", {"name": "x"}), 429)


def test_logins_are_limited_by_address(make_app: MakeApp) -> None:
    """Sign-ups and logins of one address count together, whatever the name, right or wrong."""
    someone = stranger(make_app(logins_per_minute=2))

    def try_from(address: str) -> int:
        sent = {"name": f"n{uuid.uuid4().hex[:9]}", "password": "wrong password"}
        origin = {"REMOTE_ADDR": address}
        return someone.call("POST", "/sessions", sent, environ_base=origin).status_code

    assert [try_from("192.0.2.1") for _ in range(3)] == [401, 401, 429]
    assert try_from("192.0.2.2") == 401
    new = {"name": "x", "password": "correct horse", "display_name": "X"}
    origin = {"REMOTE_ADDR": "192.0.2.1"}
    answer = someone.call("POST", "/users", new, environ_base=origin)
    refused(answer, 429)
    assert int(answer.headers["Retry-After"]) >= 1


def test_addresses_of_one_network_count_as_one(make_app: MakeApp) -> None:
    """Who has an IPv6 network of its own has more addresses than anybody could count."""
    someone = stranger(make_app(logins_per_minute=1))

    def try_from(address: str) -> int:
        sent = {"name": "nobody", "password": "wrong password"}
        origin = {"REMOTE_ADDR": address}
        return someone.call("POST", "/sessions", sent, environ_base=origin).status_code

    assert [try_from(f"2001:db8::{number}") for number in (1, 2)] == [401, 429]
    assert try_from("2001:db8:0:1::1") == 401


def test_a_forged_address_is_not_believed(make_app: MakeApp) -> None:
    """Without a proxy in front, what a caller writes into X-Forwarded-For buys no more tries."""
    someone = stranger(make_app(logins_per_minute=1))
    sent = {"name": "nobody", "password": "wrong password"}
    statuses = [
        someone.call("POST", "/sessions", sent, headers={"X-Forwarded-For": address}).status_code
        for address in ("192.0.2.1", "192.0.2.2")
    ]
    assert statuses == [401, 429]


def test_behind_a_proxy_callers_are_told_apart(make_app: MakeApp) -> None:
    """With one trusted proxy, the address that it saw counts, and none that a caller put before
    that one."""
    someone = stranger(make_app(logins_per_minute=1, trusted_proxies=1))
    sent = {"name": "nobody", "password": "wrong password"}

    def try_as(forwarded: str) -> int:
        headers = {"X-Forwarded-For": forwarded}
        return someone.call("POST", "/sessions", sent, headers=headers).status_code

    assert [try_as("192.0.2.1"), try_as("192.0.2.2"), try_as("192.0.2.1")] == [401, 401, 429]
    assert try_as("198.51.100.7, 192.0.2.1") == 429
