import asyncio
import concurrent.futures
import contextlib
import gc
import traceback
import warnings
from contextvars import ContextVar
from typing import Any

import gevent
import pytest
from gevent.event import Event
from gevent.pool import Group

from colorless.bridge import await_
from colorless.bridge.shared import current_loop
from colorless.deadlines import DeadlineExceeded, fail_after
from colorless.offload import offload
from colorless.tasks import go
from tests.tools.fresh import output_of
from tests.tools.ticker import Ticker

colour: ContextVar[str] = ContextVar("colour", default="none")


class Cleaning:
    """A coroutine that waits for ever, and takes a turn or two to clean up."""

    def __init__(self) -> None:
        self.waits = Event()
        self.cleaned = False

    async def run(self) -> None:
        self.waits.set()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0.01)
            self.cleaned = True


def test_returns_what_the_coroutine_returns() -> None:
    """A coroutine that really suspends, and one that does not."""

    async def suspends() -> str:
        await asyncio.sleep(0.001)
        return "late"

    async def does_not() -> str:
        return "at once"

    assert await_(suspends()) == "late"
    assert await_(does_not()) == "at once"


def test_only_the_caller_waits() -> None:
    """Fifty waits meet: none of them would end if they came one after another."""
    arrived = 0
    all_here = await_(_make(asyncio.Event))

    async def meet() -> None:
        nonlocal arrived
        arrived += 1
        if arrived == 50:
            all_here.set()
        await all_here.wait()

    group = Group()
    for _ in range(50):
        group.spawn(await_, meet())
    group.join(raise_error=True)
    assert arrived == 50


async def _make(what: Any) -> Any:
    return what()


def test_an_error_comes_out_with_its_traceback() -> None:
    """The frames run from the caller to the line in the coroutine, in that order."""

    async def inner() -> None:
        raise ZeroDivisionError("in the coroutine")

    async def outer() -> None:
        await asyncio.sleep(0)
        await inner()

    with pytest.raises(ZeroDivisionError, match="in the coroutine") as caught:
        await_(outer())
    names = [frame.name for frame in traceback.extract_tb(caught.value.__traceback__)]
    here, first, last = (names.index(n) for n in (_this_test, "outer", "inner"))
    assert here < first < last


_this_test = "test_an_error_comes_out_with_its_traceback"


def test_contextvars_go_in_and_do_not_come_out() -> None:
    """The coroutine sees the caller's context variables; what it sets stays its own."""

    async def task() -> str:
        seen = colour.get()
        await asyncio.sleep(0)
        colour.set("red")
        return seen

    token = colour.set("green")
    try:
        assert await_(task()) == "green"
        assert colour.get() == "green"
    finally:
        colour.reset(token)


def test_awaits_futures_and_tasks_on_their_own_loop() -> None:
    """A future and a task can be awaited too, more than once."""

    async def make() -> tuple[asyncio.Future[int], asyncio.Task[int]]:
        future = asyncio.get_running_loop().create_future()
        future.set_result(1)
        return future, asyncio.create_task(asyncio.sleep(0.001, 2))

    future, task = await_(make())
    assert await_(future) == 1
    assert [await_(task), await_(task)] == [2, 2]


def test_refuses_what_cannot_be_awaited() -> None:
    """A plain value is a plain TypeError."""
    with pytest.raises(TypeError, match="can't be used in 'await'"):
        await_(3)  # type: ignore[arg-type]


@pytest.mark.parametrize("end", ["kill", "timeout", "deadline", "inherited deadline"])
def test_the_end_of_the_caller_cancels_the_coroutine_and_waits_for_its_clean_up(end: str) -> None:
    """Whatever interrupts the caller, the coroutine has cleaned up when the caller goes on."""
    work = Cleaning()

    def caller() -> str:
        try:
            if end == "timeout":
                with gevent.Timeout(0.01):
                    await_(work.run())
            elif end == "deadline":
                with fail_after(0.01):
                    await_(work.run())
            else:
                await_(work.run())
        except BaseException as error:
            return f"{type(error).__name__} {work.cleaned}"
        return "not interrupted"

    if end == "inherited deadline":
        with contextlib.suppress(DeadlineExceeded), fail_after(0.01):
            task = go(caller)
            task.join()
        outcome = task.get()
    else:
        task = gevent.spawn(caller)
        if end == "kill":
            work.waits.wait()
            task.kill()
        outcome = task.get()
    name = {"kill": "GreenletExit", "timeout": "Timeout"}.get(end, "DeadlineExceeded")
    assert outcome == f"{name} True"


def test_a_second_kill_does_not_wait_for_a_stubborn_coroutine() -> None:
    """A coroutine that ignores its cancellation cannot hold a caller that is killed twice."""
    ignores, release = Event(), Event()

    async def stubborn() -> None:
        while not release.is_set():
            try:
                await asyncio.sleep(60)
            except asyncio.CancelledError:
                ignores.set()

    caller = gevent.spawn(await_, stubborn())
    gevent.sleep(0.01)
    caller.kill(block=False)
    ignores.wait()
    assert not caller.dead
    caller.kill()
    assert caller.dead
    release.set()
    for task in asyncio.all_tasks(current_loop()):
        task.cancel()
    gevent.sleep(0.01)


def test_a_cancellation_by_others_is_an_ordinary_exception() -> None:
    """``except Exception`` in plain code catches it (asyncio's CancelledError it would miss)."""

    async def cancels_itself() -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    with pytest.raises(concurrent.futures.CancelledError) as caught:
        await_(cancels_itself())
    assert isinstance(caught.value, Exception)


def test_a_coroutine_cancelled_before_its_first_step_is_closed() -> None:
    """Python would warn of a coroutine that was never awaited; the caller is woken all the same."""
    loop = current_loop()

    async def never_runs() -> None:
        raise AssertionError("it ran")

    def cancel_all() -> None:
        for task in asyncio.all_tasks(loop):
            task.cancel()

    loop.call_soon(cancel_all)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(concurrent.futures.CancelledError):
            await_(never_runs())
        caller = gevent.spawn(await_, never_runs())
        loop.call_soon(gevent.sleep)
        gevent.sleep(0)
        caller.kill()
        gc.collect()


def test_system_exit_reaches_the_caller_and_not_the_loop() -> None:
    """The shared loop goes on after a coroutine has raised SystemExit."""

    async def leave() -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        await_(leave())
    assert await_(asyncio.sleep(0, "alive")) == "alive"


def test_crossings_nest() -> None:
    """Plain → coroutine → plain → coroutine of the same loop, with other tasks going on."""

    async def deepest() -> str:
        await asyncio.sleep(0.001)
        return "deep"

    def plain() -> str:
        gevent.sleep(0.001)
        return await_(deepest())

    async def outer() -> tuple[Any, Any, str, Any]:
        before = asyncio.current_task(), asyncio.get_running_loop()
        got = plain()
        assert before == (asyncio.current_task(), asyncio.get_running_loop())
        return *before, got, current_loop()

    task, loop, got, bridge_loop = await_(outer())
    assert got == "deep"
    assert task.get_loop() is loop is bridge_loop
    assert asyncio._get_running_loop() is None


def test_green_waits_inside_of_a_coroutine_stop_nobody() -> None:
    """While a coroutine sleeps green, other green threads and other coroutines go on."""

    async def sleeps_green() -> None:
        gevent.sleep(0.05)

    with Ticker() as ticks:
        await_(sleeps_green())
    assert ticks.count > 2


def test_cancelling_a_task_ends_the_green_code_it_is_in() -> None:
    """The CancelledError is thrown in where the synchronous code waits, and its finally runs."""
    entered, cleaned = Event(), []

    async def waits_green() -> None:
        entered.set()
        try:
            Event().wait()
        finally:
            cleaned.append(asyncio.current_task())

    async def main() -> tuple[Any, int]:
        task = asyncio.create_task(waits_green())
        await asyncio.sleep(0)
        entered.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        return task, task.cancelling()

    task, cancelling = await_(main())
    assert cleaned == [task]
    assert cancelling == 1
    assert task.cancelled()


def test_each_of_two_cancellations_reaches_the_green_code() -> None:
    """As with await: who swallows the first gets the second as well."""
    caught = []

    async def swallows() -> None:
        for _ in range(2):
            try:
                gevent.sleep(60)
            except asyncio.CancelledError:
                caught.append(True)

    async def main() -> None:
        task = asyncio.create_task(swallows())
        for _ in range(2):
            await asyncio.sleep(0.002)
            task.cancel()
        await task

    with gevent.Timeout(5):
        await_(main())
    assert len(caught) == 2


def test_asyncio_timeout_ends_the_green_code_in_it() -> None:
    """asyncio.timeout works through cancellation, so it reaches synchronous code as well."""

    async def main() -> str:
        try:
            async with asyncio.timeout(0.01):
                gevent.sleep(60)
        except TimeoutError:
            await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            return f"timed out, cancelling {task.cancelling()}"
        return "not timed out"

    assert await_(main()) == "timed out, cancelling 0"


def test_a_real_thread_is_told_what_to_do() -> None:
    """The shared loop cannot be used from offload(): the error says what can."""
    coroutine = asyncio.sleep(0)
    with pytest.raises(RuntimeError, match=r"use asyncio\.run"):
        offload(await_, coroutine)
    coroutine.close()
    assert offload(asyncio.run, asyncio.sleep(0, "its own loop")) == "its own loop"


def test_a_real_thread_that_comes_first_does_not_get_the_shared_loop() -> None:
    """A first await_ that is made in offload() is refused, and the next one works."""
    code = """
    from colorless.patch import patch_everything; patch_everything()
    import asyncio
    from colorless import await_, offload
    try:
        offload(lambda: await_(lambda: asyncio.sleep(0)))
    except RuntimeError:
        print(await_(asyncio.sleep(0, "in the main thread")))
    """
    assert output_of(code) == "in the main thread"


def test_the_hub_is_told_that_it_cannot_wait() -> None:
    """A callback of the hub that awaits gets an error instead of a deadlock."""
    coroutine = asyncio.sleep(0)
    errors: list[BaseException] = []

    def callback() -> None:
        try:
            await_(coroutine)
        except RuntimeError as error:
            errors.append(error)

    gevent.get_hub().loop.run_callback(callback)
    gevent.sleep(0)
    coroutine.close()
    assert "start a green thread" in str(errors[0])
