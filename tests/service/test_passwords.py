"""Passwords are hashed on real threads: a login storm stalls only those who log in."""

import threading
from collections.abc import Callable
from typing import Any

import gevent
import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError
from flask import Flask
from gevent.monkey import get_original

from colorless.tasks import TaskGroup
from service.chat.passwords import Passwords
from tests.tools.chat import chat_of, stranger

# Not threading's Event, which is made of what is patched.
RealLock: Callable[[], threading.Lock] = get_original("_thread", "allocate_lock")

MakeApp = Callable[..., Flask]


class HeldHasher(PasswordHasher):
    """A hasher that computes until the test lets it go: on the hub, that would be for ever."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.may_go_on = RealLock()
        self.may_go_on.acquire()
        self.running = 0

    def hash(self, password: Any, **options: Any) -> str:
        self.running += 1
        assert self.may_go_on.acquire(timeout=20), "nobody lets the hash go on: the hub is blocked"
        self.may_go_on.release()
        return super().hash(password, **options)


def test_a_login_storm_stalls_nobody_else(make_app: MakeApp) -> None:
    """While every hashing thread is busy and sign-ups queue for them, others are served."""
    app = make_app(pool_size=4)
    hasher = HeldHasher()
    object.__setattr__(chat_of(app), "passwords", Passwords(hasher))
    someone = stranger(app)
    with TaskGroup() as group:
        new = {"password": "correct horse", "display_name": "Somebody"}
        storm = [
            group.go(someone.post, "/users", {**new, "name": f"storm{number}"})
            for number in range(20)
        ]
        with gevent.Timeout(30):
            while not hasher.running:
                gevent.sleep(0.001)
        assert app.test_client().get("/livez").status_code == 200
        assert someone.get("/users/me").status_code == 401
        # No connection of the pool is held by those who wait for a hash.
        assert app.test_client().get("/readyz").get_json()["pool"]["in_use"] == 0
        assert not any(each.ready() for each in storm)
        hasher.may_go_on.release()
    assert {each.get().status_code for each in storm} == {201}


def test_the_right_password_fits() -> None:
    """A hash fits the password that it came from, and no other one."""
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = passwords.hash("correct horse")
    assert passwords.matches("correct horse", stored)
    assert not passwords.matches("Correct horse", stored)


def test_nobodys_password_takes_as_much_work() -> None:
    """A name that is not there costs a check too, so that the time taken does not tell."""

    class Counting(PasswordHasher):
        checks = 0

        def verify(self, *arguments: Any) -> Any:
            Counting.checks += 1
            return super().verify(*arguments)

    passwords = Passwords(Counting(time_cost=1, memory_cost=8, parallelism=1))
    assert not passwords.matches("whatever", None)
    assert not passwords.matches("nobody", None)
    assert Counting.checks == 2


def test_hashing_is_off_the_hub() -> None:
    """The hash is computed on another thread than the one that all green threads share."""
    here = get_original("threading", "get_ident")
    seen = []

    class Watched(PasswordHasher):
        def verify(self, *arguments: Any) -> Any:
            seen.append(here())
            raise VerifyMismatchError

    passwords = Passwords(Watched(time_cost=1, memory_cost=8, parallelism=1))
    assert not passwords.matches("x", "y")
    assert seen
    assert seen[0] != here()


@pytest.mark.parametrize("password", ["p" * 256, "пароль пароль", "nul\x00nul\x00", "🔑" * 8])
def test_any_text_is_a_password(password: str) -> None:
    """No character is special, and none is cut off."""
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    stored = passwords.hash(password)
    assert passwords.matches(password, stored)
    assert not passwords.matches(password[:-1], stored)
