"""anyio's asyncio backend at work on the hub."""

import contextlib
from collections.abc import AsyncIterator

import anyio
import anyio.from_thread
import anyio.to_thread
import gevent
import pytest
from anyio.from_thread import start_blocking_portal

from colorless.bridge import await_, entered, iterate


def test_a_cancel_scope_ends_green_code_in_it() -> None:
    """anyio's timeouts work through cancellation, which reaches synchronous code."""

    async def main() -> bool:
        with anyio.move_on_after(0.01) as scope:
            gevent.sleep(60)
        await anyio.sleep(0)
        return scope.cancelled_caught

    assert await_(main())
    assert anyio.run(main)


def test_scopes_stay_valid_across_the_bridge() -> None:
    """Entered and left by different calls, yet by one task: a generator and a task group."""

    async def numbers() -> AsyncIterator[int]:
        with anyio.CancelScope():
            async with anyio.create_task_group() as group:
                group.start_soon(anyio.sleep, 0)
                for number in range(5):
                    yield number

    assert list(iterate(numbers())) == [0, 1, 2, 3, 4]
    done = []

    async def work(number: int) -> None:
        await anyio.sleep(0)
        done.append(number)

    async def start(group: anyio.abc.TaskGroup) -> None:
        for number in range(3):
            group.start_soon(work, number)

    with entered(anyio.create_task_group) as group:
        await_(start(group))
    assert sorted(done) == [0, 1, 2]


def test_an_error_in_a_task_group_cancels_the_green_code_beside_it() -> None:
    """Structured concurrency holds: the group ends, with the error, and does not wait."""

    async def fail() -> None:
        await anyio.sleep(0.005)
        raise ZeroDivisionError

    async def wait_green() -> None:
        gevent.sleep(60)

    async def main() -> None:
        async with anyio.create_task_group() as group:
            group.start_soon(wait_green)
            group.start_soon(fail)

    with pytest.raises(ExceptionGroup) as caught:
        anyio.run(main)
    assert caught.group_contains(ZeroDivisionError)


def test_threads_and_back() -> None:
    """to_thread, from_thread and a portal, each of which makes green threads here."""

    def in_thread() -> str:
        gevent.sleep(0.001)
        return anyio.from_thread.run(back) + anyio.from_thread.run_sync(lambda: "!")

    async def back() -> str:
        await anyio.sleep(0)
        return "back"

    async def main() -> str:
        return await anyio.to_thread.run_sync(in_thread)

    assert anyio.run(main) == "back!"
    with start_blocking_portal() as one, start_blocking_portal() as other:
        assert one.call(main) == other.call(main) == "back!"


def test_streams_and_subprocesses() -> None:
    """A TCP echo over anyio's sockets, and a child process."""

    async def serve(client: anyio.abc.SocketStream) -> None:
        async with client:
            with contextlib.suppress(anyio.EndOfStream):
                await client.send((await client.receive()).upper())

    async def main() -> bytes:
        async with (
            await anyio.create_tcp_listener(local_host="127.0.0.1") as listener,
            anyio.create_task_group() as group,
        ):
            group.start_soon(listener.serve, serve)
            port = listener.extra(anyio.abc.SocketAttribute.local_port)
            async with await anyio.connect_tcp("127.0.0.1", port) as stream:
                await stream.send(b"echo")
                got = await stream.receive()
            process = await anyio.run_process(["echo", "child"])
            group.cancel_scope.cancel()
        return got + process.stdout

    assert anyio.run(main) == b"ECHOchild\n"


def test_a_portal_takes_calls_from_another_loops_coroutine() -> None:
    """It refuses them from its own loop's thread, and tells by the thread's ident."""

    async def add(one: int, other: int) -> int:
        await anyio.sleep(0)
        return one + other

    with start_blocking_portal() as portal:

        async def main() -> int:
            return await portal.call_async(add, 1, 2)

        assert anyio.run(main) == 3
        assert await_(main()) == 3
        with pytest.raises(RuntimeError, match="event loop thread"):
            portal.call(main)
