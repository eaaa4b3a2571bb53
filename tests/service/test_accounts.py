"""Signing up, logging in and out, and what the database keeps of it."""

import uuid
from typing import Any

import pytest
from flask import Flask

from colorless.tasks import TaskGroup
from service.chat import accounts
from service.chat.models import NewUser
from service.errors import Conflict
from tests.tools.chat import Caller, chat_of, done, refused

PASSWORD = "correct horse"


def new_user(**fields: Any) -> dict[str, Any]:
    name = f"u{uuid.uuid4().hex[:12]}"
    return {"name": name, "password": PASSWORD, "display_name": "Somebody", **fields}


def log_in(nobody: Caller, name: str, password: str = PASSWORD) -> Any:
    return done(nobody.post("/sessions", {"name": name, "password": password}), 201)


def rows(app: Flask, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    with chat_of(app).db.connection() as db:
        return db.fetch_all(sql, values)


def test_who_signs_up_can_log_in(nobody: Caller) -> None:
    """Sign-up gives a user; login gives a token that belongs to that user."""
    sent = new_user()
    user = done(nobody.post("/users", sent), 201)
    assert (user["name"], user["display_name"]) == (sent["name"], "Somebody")

    session = log_in(nobody, sent["name"])
    assert session["user"] == user
    me = nobody.call("GET", "/users/me", headers={"Authorization": f"Bearer {session['token']}"})
    assert done(me, 200) == user


def test_a_name_is_taken_once(nobody: Caller) -> None:
    """The same name in other capitals is the same name."""
    sent = new_user()
    done(nobody.post("/users", sent), 201)
    assert "taken" in refused(nobody.post("/users", sent), 409)
    assert "taken" in refused(nobody.post("/users", sent | {"name": sent["name"].upper()}), 409)


def test_a_name_is_taken_once_in_a_rush(app: Flask) -> None:
    """Of many who sign up under one name at the same time, one gets it."""
    new = NewUser(**new_user())

    def try_it() -> bool:
        try:
            accounts.sign_up(chat_of(app), new)
        except Conflict:
            return False
        return True

    with TaskGroup() as group:
        tries = [group.go(try_it) for _ in range(8)]
    assert sorted(each.get() for each in tries) == [False] * 7 + [True]


def test_capitals_do_not_count_at_login(nobody: Caller) -> None:
    """A name that was given with capitals is found without them, and the other way round."""
    sent = new_user(name=f"Ada{uuid.uuid4().hex[:8]}")
    user = done(nobody.post("/users", sent), 201)
    assert user["name"] == sent["name"].lower()
    assert log_in(nobody, sent["name"].upper())["user"] == user


@pytest.mark.parametrize("of", ["an unknown name", "a wrong password"])
def test_login_does_not_say_which_was_wrong(nobody: Caller, of: str) -> None:
    """An unknown name and a wrong password get the same words, and the challenge."""
    sent = new_user()
    done(nobody.post("/users", sent), 201)
    name = sent["name"] if of == "a wrong password" else "nobody-of-that-name"
    answer = nobody.post("/sessions", {"name": name, "password": "wrong password"})
    assert refused(answer, 401) == "the name or the password is wrong"
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_passwords_are_stored_as_argon2id(app: Flask, nobody: Caller) -> None:
    """What is stored is an Argon2id hash with OWASP's parameters, and another one each time."""
    ids = [done(nobody.post("/users", new_user()), 201)["id"] for _ in range(2)]
    stored = rows(app, "SELECT password_hash FROM users WHERE id = ANY(%s)", ids)
    assert len(set(stored)) == 2
    assert all(hash_.startswith("$argon2id$v=19$m=19456,t=2,p=1$") for (hash_,) in stored)


def test_tokens_are_not_stored(app: Flask, nobody: Caller) -> None:
    """The sessions table has a digest of the token, from which the token cannot be had."""
    sent = new_user()
    user = done(nobody.post("/users", sent), 201)
    token = log_in(nobody, sent["name"])["token"]
    ((stored,),) = rows(app, "SELECT token_hash FROM sessions WHERE user_id = %s", user["id"])
    assert len(bytes(stored)) == 32
    assert token.encode() not in bytes(stored)


def test_a_revoked_token_is_worthless_at_once(nobody: Caller) -> None:
    """Logging out ends that session, and no other one of the same user."""
    sent = new_user()
    user = done(nobody.post("/users", sent), 201)
    first, second = (log_in(nobody, sent["name"])["token"] for _ in range(2))
    here, there = (Caller(nobody.app, user, token) for token in (first, second))

    done(here.delete("/sessions/current"), 204)
    refused(here.get("/users/me"), 401)
    refused(here.delete("/sessions/current"), 401)
    done(there.get("/users/me"), 200)


def test_a_session_expires(app: Flask, ada: Caller) -> None:
    """A token is worthless from the moment at which it expires."""
    done(ada.get("/users/me"), 200)
    rows(app, "UPDATE sessions SET expires_at = now() WHERE user_id = %s RETURNING 1", ada.id)
    assert "expired" in refused(ada.get("/users/me"), 401)


def test_login_sweeps_up_expired_sessions(app: Flask, nobody: Caller) -> None:
    """The table of sessions does not grow for ever."""
    sent = new_user()
    user = done(nobody.post("/users", sent), 201)
    log_in(nobody, sent["name"])
    rows(app, "UPDATE sessions SET expires_at = now() WHERE user_id = %s RETURNING 1", user["id"])
    log_in(nobody, sent["name"])
    assert rows(app, "SELECT count(*) FROM sessions WHERE user_id = %s", user["id"]) == [(1,)]


def test_login_renews_an_outdated_hash(app: Flask, nobody: Caller) -> None:
    """A hash with yesterday's parameters is replaced when its owner logs in."""
    from argon2 import PasswordHasher

    sent = new_user()
    user = done(nobody.post("/users", sent), 201)
    weak = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
    rows(app, "UPDATE users SET password_hash = %s WHERE id = %s RETURNING 1", weak, user["id"])
    log_in(nobody, sent["name"])
    ((stored,),) = rows(app, "SELECT password_hash FROM users WHERE id = %s", user["id"])
    assert "m=19456" in stored
    log_in(nobody, sent["name"])


@pytest.mark.parametrize(
    "header",
    ["", "Bearer", "Bearer ", "Basic YWRhOmFkYQ==", "Bearer nonsense", "Bearer é", "bearer a b c"],
)
def test_no_token_no_answer(nobody: Caller, header: str) -> None:
    """Whatever is not a valid token is a 401 with the challenge, and never a 500."""
    answer = nobody.call("GET", "/users/me", headers={"Authorization": header})
    refused(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_scheme_has_no_case(ada: Caller, nobody: Caller) -> None:
    """``bearer`` and ``BEARER`` are the scheme too (RFC 9110, 11.1)."""
    for scheme in ("bearer", "BEARER"):
        header = {"Authorization": f"{scheme} {ada.token}"}
        done(nobody.call("GET", "/users/me", headers=header), 200)


@pytest.mark.parametrize(
    "field, value",
    [
        ("name", ""),
        ("name", "x" * 33),
        ("name", "two words"),
        ("name", "ada\n"),
        ("name", "ádá"),
        ("name", "ada."),
        ("name", "-"),
        ("name", 7),
        ("name", None),
        ("password", "1234567"),
        ("password", "x" * 257),
        ("display_name", ""),
        ("display_name", "  "),
        ("display_name", "two\nlines"),
        ("display_name", "one line\n"),
        ("display_name", "nul\x00"),
        ("display_name", "x" * 81),
        ("admin", True),
    ],
)
def test_a_sign_up_that_cannot_be_is_refused(nobody: Caller, field: str, value: Any) -> None:
    """Each limit on a new user is held, and the refusal names the field."""
    refused(nobody.post("/users", new_user(**{field: value})), 422, field)


@pytest.mark.parametrize("missing", ["name", "password", "display_name"])
def test_every_field_is_needed_to_sign_up(nobody: Caller, missing: str) -> None:
    """A field that is not there is named."""
    sent = new_user()
    del sent[missing]
    refused(nobody.post("/users", sent), 422, missing)
