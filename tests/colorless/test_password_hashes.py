import asyncio
import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any

import argon2
import gevent
import httpx
import pytest
from fastapi import FastAPI

from colorless.offload import THREADS, offload
from colorless.tasks import TaskGroup
from tests.tools.fresh import output_of

hasher = argon2.PasswordHasher(time_cost=2, memory_cost=8192, parallelism=1)
scrypt = partial(hashlib.scrypt, b"secret", salt=b"salt", n=2**12, r=8, p=1)


def turns_during(work: Callable[[], Any]) -> int:
    """How often another green thread had its turn while ``work`` ran."""
    turns = 0

    def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            gevent.sleep(0)

    counting = gevent.spawn(count)
    try:
        work()
    finally:
        seen = turns
        counting.kill()
    return seen


def test_the_measure_sees_what_holds_the_hub() -> None:
    """A computation that knows nothing of green threads lets no other have a turn."""
    assert turns_during(partial(sum, range(100_000))) == 0


@pytest.mark.parametrize(
    "work",
    [
        scrypt,
        partial(hashlib.pbkdf2_hmac, "sha256", b"secret", b"salt", 10_000),
        partial(hasher.hash, "secret"),
        partial(hasher.verify, hasher.hash("secret"), "secret"),
        lambda: asyncio.run(asyncio.to_thread(hasher.hash, "secret")),
    ],
    ids=["scrypt", "pbkdf2", "argon2 hash", "argon2 verify", "to_thread"],
)
def test_others_go_on_during_a_hash(work: Callable[[], Any]) -> None:
    """Wherever it is called from, a hash holds up its caller only."""
    assert turns_during(work) > 0


def test_a_fastapi_route_that_hashes_lets_other_requests_through() -> None:
    """An ordinary ``def`` route, hashing without a wrapper; others are answered in its midst."""
    app = FastAPI()
    answered: list[str] = []

    @app.get("/login")
    def login() -> str:
        return hasher.hash("secret")

    @app.get("/live")
    async def live() -> str:
        return "alive"

    async def main() -> None:
        async def login_once() -> None:
            assert (await client.get("/login")).status_code == 200
            answered.append("login")

        async with httpx.AsyncClient(
            transport=httpx.ASGITransport(app), base_url="http://test"
        ) as client:
            login_task = asyncio.create_task(login_once())
            while not login_task.done():
                assert (await client.get("/live")).status_code == 200
                answered.append("live")
                await asyncio.sleep(0)
            await login_task

    asyncio.run(main())
    assert answered.index("login") > 5


def test_in_a_real_thread_it_is_called_as_it_is() -> None:
    """More hashes than there are threads, each in one of them already, do not wait for another."""
    with TaskGroup() as group:
        tasks = [group.go(offload, scrypt) for _ in range(2 * THREADS)]
    assert {task.get() for task in tasks} == {scrypt()}


def test_modules_imported_before_and_after_the_patch_are_wrapped() -> None:
    """The order of imports makes no difference, and an import still finds the module itself."""
    code = """
        import {early}
        from colorless.patch import patch_everything
        patch_everything()
        import argon2.low_level, hashlib
        print(hasattr(argon2.low_level.verify_secret, "__wrapped__"),
              hasattr(hashlib.scrypt, "__wrapped__"), argon2.low_level.__spec__.origin[-12:])
    """
    for early in ("sys", "hashlib"):
        assert output_of(code.format(early=early)) == "True True low_level.py"
