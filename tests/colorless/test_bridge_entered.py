import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import gevent
import pytest
from gevent.event import Event

from colorless.bridge import await_, entered
from colorless.deadlines import DeadlineExceeded, fail_after


class Room:
    """An asynchronous context manager that remembers who came in and how they left."""

    def __init__(self, *, suppress: bool = False, replace: BaseException | None = None) -> None:
        self.suppress = suppress
        self.replace = replace
        self.tasks: list[Any] = []
        self.left_with: BaseException | None = None
        self.left = Event()

    @asynccontextmanager
    async def open(self) -> AsyncIterator["Room"]:
        self.tasks.append(asyncio.current_task())
        await asyncio.sleep(0)
        try:
            yield self
        except BaseException as error:
            self.left_with = error
            if self.replace is not None:
                raise self.replace from error
            if not self.suppress:
                raise
        finally:
            await asyncio.sleep(0)
            self.tasks.append(asyncio.current_task())
            self.left.set()


def test_enters_and_exits_in_one_task() -> None:
    """As cancel scopes and task groups ask for; the value is that of ``async with``."""
    room = Room()
    with entered(room.open()) as value:
        assert value is room
        assert not room.left.is_set()
        gevent.sleep(0.001)
    assert room.left.is_set()
    assert room.tasks[0] is room.tasks[1]


def test_the_error_of_the_block_is_passed_in_and_comes_out() -> None:
    """The manager sees the very error, and the block raises it as it was."""
    room = Room()
    error = ZeroDivisionError()
    with pytest.raises(ZeroDivisionError) as caught, entered(room.open()):
        raise error
    assert room.left_with is error is caught.value


def test_the_manager_may_suppress_the_error() -> None:
    """As with ``async with``, execution goes on behind the block."""
    room = Room(suppress=True)
    with entered(room.open()):
        divmod(1, 0)
    assert isinstance(room.left_with, ZeroDivisionError)


def test_the_manager_may_raise_another_error() -> None:
    """It comes out with the first one as its cause."""
    room = Room(replace=KeyError("other"))
    with pytest.raises(KeyError, match="other") as caught, entered(room.open()):
        raise ZeroDivisionError
    assert isinstance(caught.value.__cause__, ZeroDivisionError)


def test_an_error_on_entering_comes_out() -> None:
    """The block does not run."""

    @asynccontextmanager
    async def broken() -> AsyncIterator[None]:
        await asyncio.sleep(0)
        raise ZeroDivisionError
        yield  # type: ignore[unreachable]

    with pytest.raises(ZeroDivisionError), entered(broken()):
        pytest.fail("it ran")


def test_a_deadline_while_entering_cleans_up() -> None:
    """Who waits to enter can be interrupted; the manager has given up when that is over."""
    gave_up = []

    class Slow(AbstractAsyncContextManager[None]):
        async def __aenter__(self) -> None:
            try:
                await asyncio.sleep(60)
            finally:
                gave_up.append(True)

        async def __aexit__(self, *_: object) -> None:
            pytest.fail("it was never entered")

    with pytest.raises(DeadlineExceeded), fail_after(0.01), entered(Slow()):
        pytest.fail("it ran")
    assert gave_up


def test_a_kill_inside_of_the_block_is_passed_in() -> None:
    """The manager exits with the GreenletExit before the green thread ends."""
    room, inside = Room(), Event()

    def body() -> None:
        with entered(room.open()):
            inside.set()
            gevent.sleep(60)

    thread = gevent.spawn(body)
    inside.wait()
    thread.kill()
    assert room.left.is_set()
    assert isinstance(room.left_with, gevent.GreenletExit)


def test_a_task_group_runs_beside_plain_code() -> None:
    """asyncio's own TaskGroup: the block ends when its tasks have ended."""
    done = []

    async def work(number: int) -> None:
        await asyncio.sleep(0.001)
        done.append(number)

    with entered(asyncio.TaskGroup()) as group:
        for number in range(3):
            group.create_task(work(number))
    assert sorted(done) == [0, 1, 2]


def test_a_failed_child_is_reported_when_the_block_ends() -> None:
    """A task group that was cancelled from within says why."""

    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ExceptionGroup) as caught, entered(asyncio.TaskGroup()) as group:
        group.create_task(fail())
        gevent.sleep(0.01)
    assert caught.group_contains(ZeroDivisionError)


def test_an_entered_manager_that_is_dropped_exits() -> None:
    """Entered by hand and forgotten: the collector exits for it."""
    room = Room()
    manager = entered(room.open())
    manager.__enter__()
    del manager
    gc.collect()
    assert room.left.wait(5)


def test_nests_with_awaits_inside() -> None:
    """Two managers and calls between them, all on one loop."""
    outer, inner = Room(), Room()
    with entered(outer.open()), entered(inner.open()):
        assert await_(asyncio.sleep(0, "inside")) == "inside"
        assert not inner.left.is_set()
    assert outer.left.is_set()
    assert inner.left.is_set()
