import asyncio
import os
import threading
from threading import get_ident

import gevent
import pytest
from gevent.event import Event

from colorless.bridge import await_
from colorless.loop import HubLoop


async def idents() -> set[int]:
    """What get_ident says in the steps of a task, of other tasks, and behind a green wait."""
    found = {get_ident()}

    async def ask() -> None:
        found.add(get_ident())
        gevent.sleep(0.001)
        found.add(get_ident())
        await asyncio.sleep(0)
        found.add(get_ident())

    await asyncio.gather(*(ask() for _ in range(3)))
    asyncio.get_running_loop().call_soon(lambda: found.add(get_ident()))
    await asyncio.sleep(0)
    found.add(get_ident())
    return found


def test_a_loop_has_the_ident_of_the_green_thread_that_runs_it() -> None:
    """As with asyncio all its callbacks, and current_thread() in them, agree with who runs it."""

    async def main() -> tuple[set[int], int | None, int | None]:
        loop: HubLoop = asyncio.get_running_loop()  # type: ignore[assignment]
        return await idents(), threading.current_thread().ident, loop._thread_id

    here = get_ident()
    assert asyncio.run(main()) == ({here}, here, here)


def test_loops_that_run_at_once_differ() -> None:
    """In turn in the same runners, each keeps its own; a loop in the background has one, too."""
    found: list[set[int]] = []
    both = Event()

    async def look() -> None:
        found.append(await idents())
        if len(found) == 2:
            both.set()
        both.wait()
        found.append(await idents())

    gevent.joinall([gevent.spawn(asyncio.run, look()) for _ in range(2)], raise_error=True)
    shared = await_(idents())
    assert [len(each) for each in (*found, shared)] == [1] * 5
    assert len(set.union(*found, shared, {get_ident()})) == 4


def test_a_loop_inside_of_another_differs_from_it() -> None:
    """The outer loop's other callbacks go on beside the inner loop."""

    async def outer() -> tuple[int, set[int], threading.Thread]:
        inner = asyncio.run(idents())

        async def ask() -> threading.Thread:
            return threading.current_thread()

        return get_ident(), inner, asyncio.run(ask())

    outside, inside, thread = asyncio.run(outer())
    assert outside == get_ident()
    assert len(inside) == 1
    assert outside not in inside
    assert thread is threading.current_thread()


def test_an_rlock_still_excludes_callbacks_of_one_loop() -> None:
    """The lock belongs to the green thread that a callback runs in, not to its loop."""
    lock = threading.RLock()
    inside: list[int] = []
    most = 0

    async def work() -> None:
        nonlocal most
        with lock, lock:
            inside.append(1)
            most = max(most, len(inside))
            gevent.sleep(0.001)
            inside.pop()

    async def main() -> None:
        await asyncio.gather(*(work() for _ in range(3)))

    asyncio.run(main())
    assert most == 1


@pytest.mark.parametrize("shared", [False, True])
def test_a_child_forked_off_in_a_coroutine_knows_its_main_thread(shared: bool) -> None:
    """threading and gevent look each other up by ident when a process forks."""

    async def main() -> int:
        child = os.fork()
        if child == 0:
            well = threading.current_thread() is threading.main_thread()
            os._exit(0 if well and threading.main_thread().ident == get_ident() else 1)
        return os.waitpid(child, 0)[1]

    assert (await_(main()) if shared else asyncio.run(main())) == 0


def test_set_event_loop_holds_in_the_coroutines_that_it_was_called_for() -> None:
    """As with asyncio: what a green thread set is what the policy says in the loop it runs."""
    policy = asyncio.get_event_loop_policy()

    async def ask() -> asyncio.AbstractEventLoop:
        gevent.sleep(0)
        return policy.get_event_loop()

    other = HubLoop()
    policy.set_event_loop(other)
    try:
        with asyncio.Runner(loop_factory=HubLoop) as runner:
            assert runner.run(ask()) is other
    finally:
        policy.set_event_loop(None)
        other.close()
