import asyncio
import gc
import socket
import threading
import weakref
from collections.abc import Callable
from contextvars import ContextVar, copy_context
from typing import Any

import gevent
import pytest
from gevent.event import Event

from colorless.loop import HubLoop
from colorless.loop.runner import IDLE_RUNNERS, current_pool
from tests.tools.ticker import Ticker

colour: ContextVar[str] = ContextVar("colour", default="none")


def log_of(
    scenario: Callable[[asyncio.AbstractEventLoop, list[str]], None], loop: Any
) -> list[str]:
    """What a scenario, which schedules callbacks that log, writes until it stops the loop."""
    log: list[str] = []
    try:
        scenario(loop, log)
        loop.run_forever()
    finally:
        loop.close()
    return log


def soon_and_later(loop: asyncio.AbstractEventLoop, log: list[str]) -> None:
    """Callbacks that schedule more callbacks, and timers that come due among them."""

    def again(name: str, times: int) -> None:
        log.append(f"{name}{times}")
        if times:
            loop.call_soon(again, name, times - 1)
            loop.call_soon(log.append, f"{name}-after")

    now = loop.time()
    loop.call_at(now + 0.1, loop.stop)
    for place in (3, 1, 2):
        loop.call_at(now + place / 50, log.append, f"timer{place}")
    loop.call_soon(again, "a", 3)
    loop.call_soon(again, "b", 2)
    loop.call_later(0, again, "c", 1)


def tasks_and_futures(loop: asyncio.AbstractEventLoop, log: list[str]) -> None:
    """Tasks that wake each other, are cancelled, and finish in the same turn."""

    async def worker(name: str, gate: asyncio.Future[None]) -> None:
        for turn in range(3):
            log.append(f"{name}{turn}")
            await asyncio.sleep(0)
        try:
            await gate
        except asyncio.CancelledError:
            log.append(f"{name} cancelled")
            raise
        log.append(f"{name} through")

    async def main() -> None:
        gate = loop.create_future()
        tasks = [loop.create_task(worker(name, gate)) for name in "xyz"]
        for task in tasks:
            task.add_done_callback(lambda _: log.append("done"))
        for _ in range(6):
            await asyncio.sleep(0)
        tasks[1].cancel()
        loop.call_soon(gate.set_result, None)
        await asyncio.wait(tasks)
        loop.stop()

    loop.create_task(main())


@pytest.mark.parametrize("scenario", [soon_and_later, tasks_and_futures])
def test_callbacks_run_in_asyncios_order(scenario: Any) -> None:
    """HubLoop and asyncio's own loop write the same log."""
    from asyncio.unix_events import _UnixSelectorEventLoop

    assert log_of(scenario, HubLoop()) == log_of(scenario, _UnixSelectorEventLoop())


def test_a_callback_that_waits_lets_the_others_go_on() -> None:
    """The rest of the queue runs at once, in order, and the one that waited comes back."""
    log: list[str] = []
    release = Event()

    def waits() -> None:
        log.append("waits")
        release.wait()
        log.append("goes on")

    def scenario(loop: asyncio.AbstractEventLoop) -> None:
        loop.call_soon(waits)
        loop.call_soon(log.append, "first")
        loop.call_soon(log.append, "second")
        loop.call_later(0.005, release.set)
        loop.call_later(0.02, loop.stop)

    loop = HubLoop()
    scenario(loop)
    loop.run_forever()
    loop.close()
    assert log == ["waits", "first", "second", "goes on"]


def test_two_loops_run_on_one_hub() -> None:
    """Each in its own green thread, and each sees only itself while its code runs."""
    seen: dict[str, set[Any]] = {"a": set(), "b": set()}

    async def look(name: str) -> asyncio.AbstractEventLoop:
        for turn in range(20):
            seen[name].add(asyncio.get_running_loop())
            if turn % 3:
                await asyncio.sleep(0.0005)
            else:
                gevent.sleep(0.0005)
        return asyncio.get_running_loop()

    threads = {name: gevent.spawn(asyncio.run, look(name)) for name in seen}
    loops = {name: thread.get() for name, thread in threads.items()}
    assert loops["a"] is not loops["b"]
    assert seen == {name: {loop} for name, loop in loops.items()}


def test_other_green_threads_see_no_running_loop() -> None:
    """Not while a coroutine waits green, and not while it awaits."""
    seen = []

    def look() -> None:
        for _ in range(10):
            seen.append(asyncio._get_running_loop())
            gevent.sleep(0.0005)

    async def main() -> None:
        thread = gevent.spawn(look)
        gevent.sleep(0.003)
        await asyncio.sleep(0.003)
        thread.join()

    asyncio.run(main())
    assert set(seen) == {None}


def test_asyncio_run_inside_of_synchronous_code_inside_of_a_coroutine() -> None:
    """It blocks that one task; the others of the outer loop go on."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    def plain() -> str:
        return asyncio.run(asyncio.sleep(0.02, "inner"))

    async def main() -> str:
        counting = asyncio.create_task(count())
        task, loop = asyncio.current_task(), asyncio.get_running_loop()
        got = plain()
        assert (asyncio.current_task(), asyncio.get_running_loop()) == (task, loop)
        counting.cancel()
        return got

    assert asyncio.run(main()) == "inner"
    assert turns > 2


def test_killing_who_runs_a_loop_cancels_its_tasks() -> None:
    """asyncio.run cleans up when its green thread is killed."""
    began, cleaned = Event(), []

    async def main() -> None:
        began.set()
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    thread = gevent.spawn(asyncio.run, main())
    began.wait()
    thread.kill()
    assert cleaned


def test_a_reader_is_not_called_again_while_it_waits() -> None:
    """A callback that waits before it has read its bytes must not be called for them again."""
    calls = 0
    left, right = socket.socketpair()
    left.setblocking(False)

    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        got: asyncio.Future[bytes] = loop.create_future()

        def read() -> None:
            nonlocal calls
            calls += 1
            gevent.sleep(0.01)
            got.set_result(left.recv(10))
            loop.remove_reader(left)

        loop.add_reader(left, read)
        right.send(b"x")
        return await got

    with left, right:
        assert asyncio.run(main()) == b"x"
    assert calls == 1


def test_tasks_that_share_a_context_take_turns_in_it() -> None:
    """A context can be entered once: while one task waits green in it, the other is held up."""
    log: list[str] = []

    async def wait(name: str) -> None:
        log.append(f"{name} in {colour.get()}")
        gevent.sleep(0.002)
        log.append(f"{name} out")

    async def main() -> None:
        context = copy_context()
        context.run(colour.set, "green")
        async with asyncio.TaskGroup() as group:
            group.create_task(wait("a"), context=context)
            group.create_task(wait("b"), context=context)

    asyncio.run(main())
    assert log == ["a in green", "a out", "b in green", "b out"]


def test_system_exit_in_a_callback_ends_run_forever() -> None:
    """As with asyncio, it comes out of run_forever, also after its callback has waited."""

    def leave(wait: float) -> None:
        gevent.sleep(wait)
        raise SystemExit(4)

    for wait in (0, 0.001):
        loop = HubLoop()
        loop.call_soon(leave, wait)
        with pytest.raises(SystemExit):
            loop.run_forever()
        loop.close()


def test_current_thread_in_a_coroutine_is_that_of_who_runs_the_loop() -> None:
    """Servers ask whether they run in the main thread before they listen to signals."""
    here = threading.current_thread()

    async def ask() -> tuple[Any, Any]:
        first = threading.current_thread()
        gevent.sleep(0.001)
        return first, threading.current_thread()

    assert asyncio.run(ask()) == (here, here)
    with Ticker():
        assert asyncio.run(ask()) == (here, here)


def test_idle_runners_are_capped() -> None:
    """However many callbacks waited at once, only so many green threads stay for the next ones."""

    async def wait() -> None:
        gevent.sleep(0.005)

    async def main() -> None:
        await asyncio.gather(*(wait() for _ in range(5 * IDLE_RUNNERS)))

    asyncio.run(main())
    pool = current_pool()
    assert 1 <= len(pool.idle) <= IDLE_RUNNERS
    assert not pool.waiting
    assert not pool.blocked


def test_a_busy_loop_leaves_the_hub_time_for_its_descriptors() -> None:
    """Callbacks that are ready for ever do not keep sockets and timers from being looked at."""
    left, right = socket.socketpair()

    async def main() -> bytes:
        busy = True

        async def spin() -> None:
            while busy:
                await asyncio.sleep(0)

        spinning = asyncio.create_task(spin())
        reader, writer = await asyncio.open_connection(sock=left)
        thread = gevent.spawn(right.sendall, b"through")
        got = await reader.readexactly(7)
        busy = False
        await spinning
        thread.join()
        writer.close()
        return got

    with right:
        assert asyncio.run(asyncio.wait_for(main(), 5)) == b"through"


def test_an_asynchronous_generator_is_closed_by_its_own_loop() -> None:
    """Dropped half-way, its clean-up runs on the loop that iterated it, though others run too."""
    where: list[Any] = []

    async def generate() -> Any:
        try:
            while True:
                yield 1
        finally:
            where.append(asyncio.get_running_loop())

    async def main() -> asyncio.AbstractEventLoop:
        async for _ in generate():
            break
        await asyncio.sleep(0.005)
        return asyncio.get_running_loop()

    threads = [gevent.spawn(asyncio.run, main()) for _ in range(3)]
    assert {thread.get() for thread in threads} == set(where)
    assert len(where) == 3


def test_call_soon_threadsafe_wakes_the_hub() -> None:
    """From a real thread, while the hub has nothing else to do."""
    from colorless.offload import offload

    async def main() -> str:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[str] = loop.create_future()
        wake = gevent.spawn(offload, loop.call_soon_threadsafe, future.set_result, "woken")
        try:
            return await future
        finally:
            wake.join()

    assert asyncio.run(main()) == "woken"


def test_a_loop_that_has_ended_is_collected() -> None:
    """Runners rest when their loop has ended, and keep nothing of it."""

    async def main() -> Any:
        return weakref.ref(asyncio.get_running_loop())

    loop = asyncio.run(main())
    gc.collect()
    assert loop() is None
