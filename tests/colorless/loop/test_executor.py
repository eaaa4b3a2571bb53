import asyncio
import concurrent.futures
import time
from contextvars import ContextVar

import pytest
from gevent.event import Event
from gevent.monkey import get_original

from colorless.loop import RealThreads
from colorless.offload import offload

colour: ContextVar[str] = ContextVar("colour", default="none")


def test_to_thread_overlaps() -> None:
    """Each of a hundred calls waits until all are there: more than asyncio's own pool has."""
    arrived = 0
    all_here = Event()

    def meet() -> None:
        nonlocal arrived
        arrived += 1
        if arrived == 100:
            all_here.set()
        assert all_here.wait(5)

    async def main() -> None:
        await asyncio.gather(*(asyncio.to_thread(meet) for _ in range(100)))

    asyncio.run(main())
    assert arrived == 100


def test_to_thread_returns_raises_and_copies_the_context() -> None:
    """The three things that asyncio promises of it."""

    def fail() -> None:
        raise ZeroDivisionError

    async def main() -> str:
        colour.set("green")
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(fail)
        with pytest.raises(RuntimeError, match="StopIteration"):
            await asyncio.to_thread(next, iter(()))
        return await asyncio.to_thread(colour.get)

    assert asyncio.run(main()) == "green"


def test_a_cancelled_caller_does_not_end_the_function() -> None:
    """As with asyncio's threads: it goes on, and the loop's end waits for it."""
    began, ended = Event(), []

    def work() -> None:
        began.set()
        time.sleep(0.02)
        ended.append(True)

    async def main() -> None:
        task = asyncio.create_task(asyncio.to_thread(work))
        await asyncio.sleep(0)
        began.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not ended

    asyncio.run(main())
    assert ended


def test_a_pool_of_ones_own_works() -> None:
    """run_in_executor with a ThreadPoolExecutor, whose threads are green here."""

    async def main() -> int:
        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            return await asyncio.get_running_loop().run_in_executor(pool, sum, (1, 2))

    assert asyncio.run(main()) == 3


def test_offload_inside_of_a_coroutine_leaves_the_loop_running() -> None:
    """Real threads, for what does not know gevent, need no await and no wrapper."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0.001)

    async def main() -> int:
        counting = asyncio.create_task(count())
        await asyncio.sleep(0)
        got = offload(blocks_for_real, 0.03)
        counting.cancel()
        return got

    assert asyncio.run(main()) == 7
    assert turns > 2


def blocks_for_real(seconds: float) -> int:
    get_original("time", "sleep")(seconds)
    return 7


def test_names_are_resolved_off_the_hub() -> None:
    """loop.getaddrinfo goes through gevent's resolver."""

    async def main() -> list[str]:
        infos = await asyncio.get_running_loop().getaddrinfo("localhost", 80)
        return [str(info[4][0]) for info in infos]

    assert {"127.0.0.1", "::1"} & set(asyncio.run(main()))


def test_real_threads_as_the_default_executor() -> None:
    """What blocks for real goes on beside the loop, and beside another such call."""
    native_ident = get_original("threading", "get_ident")
    door = get_original("_thread", "allocate_lock")()
    door.acquire()

    def wait() -> int:
        door.acquire()  # holds its real thread until the other call has come
        return native_ident()

    def come() -> int:
        door.release()
        return native_ident()

    async def main() -> tuple[int, int]:
        asyncio.get_running_loop().set_default_executor(RealThreads())
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(lambda: 1 / 0)
        return await asyncio.gather(asyncio.to_thread(wait), asyncio.to_thread(come))

    first, second = asyncio.run(main())
    assert len({first, second, native_ident()}) == 3
