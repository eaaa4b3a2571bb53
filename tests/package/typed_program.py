"""A user's program, for a type checker: it is never run.

``assert_type`` says what is to be inferred. A line marked ``type: ignore`` is a wrong call: where
the checker sees no error in it, it complains of the mark.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, assert_type

from colorless import (
    Task,
    TaskGroup,
    await_,
    entered,
    fail_after,
    go,
    iterate,
    move_on_after,
    offload,
)
from colorless.postgres import Connection, Pool


def double(number: int, *, times: int = 1) -> float:
    return 2.0 * number * times


async def fetch(name: str) -> bytes:
    return name.encode()


async def rows(count: int) -> AsyncIterator[dict[str, int]]:
    for number in range(count):
        yield {"number": number}


@asynccontextmanager
async def session(name: str) -> AsyncIterator[list[str]]:
    yield [name]


class Client:
    async def __aenter__(self) -> "Client":
        return self

    async def __aexit__(self, *_: object) -> None: ...

    async def get(self, url: str) -> int:
        return len(url)


def tasks() -> float:
    assert_type(go(double, 1), Task[float])
    assert_type(go(double, 1, times=2).get(), float)
    assert_type(go(double, 1).get(timeout=1.0), float)
    assert_type(go(lambda: "text").get(), str)
    assert_type(go(await_, fetch("a")).get(), bytes)
    assert_type(go(double, 1).exception, BaseException | None)
    with TaskGroup() as group:
        first = group.go(double, 1)
        second = group.go(fetch.__name__.upper)
        assert_type(group, TaskGroup)
    assert_type(first, Task[float])
    assert_type(second.get(), str)
    results: list[float] = [task.get() for task in (go(double, n) for n in range(3))]

    go(double)  # type: ignore[call-arg]
    go(double, "one")  # type: ignore[arg-type]
    go(double, 1, tims=2)  # type: ignore[call-arg]
    go(3)  # type: ignore[arg-type]
    group.go(double, 1, 2)  # type: ignore[call-arg]
    print(go(double, 1).get() + "text")  # type: ignore[operator]
    go(double, 1).gett()  # type: ignore[attr-defined]
    return sum(results)


def bridge() -> int:
    assert_type(await_(fetch("a")), bytes)
    assert_type(await_(lambda: fetch("a")), bytes)
    assert_type(await_(asyncio.sleep(0, "done")), str)
    for row in iterate(rows(3)):
        assert_type(row, dict[str, int])
    with iterate(rows(3), ahead=1) as lines:
        assert_type(next(lines), dict[str, int])
    with entered(session("a")) as names:
        assert_type(names, list[str])

    await_(3)  # type: ignore[arg-type]
    await_(double)  # type: ignore[arg-type]
    iterate([1])  # type: ignore[arg-type]
    entered(3)  # type: ignore[arg-type]
    # A client that swallows no error: what follows its block is not reached without a value.
    with entered(Client()) as client:
        assert_type(client, Client)
        return await_(client.get("http://site.example"))


def limits() -> str:
    assert_type(offload(double, 1, times=2), float)
    with fail_after(1.5) as scope:
        assert_type(scope.expired, bool)
    with move_on_after(1.5) as scope:
        assert_type(scope.at, float)

    offload(double, None)  # type: ignore[arg-type]
    fail_after("soon")  # type: ignore[arg-type]
    with fail_after(2):
        return "in time"


def database() -> int:
    pool = Pool("postgresql:///app", max_size=20)
    with pool.connection() as c:
        assert_type(c, Connection)
        assert_type(c.fetch_one("SELECT 1"), tuple[Any, ...] | None)
        assert_type(c.fetch_all("SELECT %s", (1,)), list[tuple[Any, ...]])
    with pool.transaction() as tx:
        assert_type(tx.execute("DELETE FROM t WHERE id = %(id)s", {"id": 1}), int)
    assert_type(pool.stats(), dict[str, int])

    Pool(None)  # type: ignore[arg-type]
    Pool("", size=3)  # type: ignore[call-arg]
    pool.fetch_one("SELECT 1")  # type: ignore[attr-defined]
    pool.connection().fetch_one("SELECT 1")  # type: ignore[attr-defined]
    c.fetch_one("SELECT %s", 7)  # type: ignore[arg-type]
    with pool.connection() as c:
        return c.execute("SELECT 1")
