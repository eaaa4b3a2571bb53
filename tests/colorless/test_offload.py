from contextvars import ContextVar

import gevent
import pytest
from gevent.monkey import get_original

from colorless.deadlines import DeadlineExceeded, fail_after, move_on_after
from colorless.offload import THREADS, offload
from colorless.tasks import TaskGroup

colour: ContextVar[str] = ContextVar("colour")
native_lock = get_original("_thread", "allocate_lock")
native_sleep = get_original("time", "sleep")
native_ident = get_original("threading", "get_ident")


def test_hub_goes_on_while_a_thread_blocks() -> None:
    """A real thread that blocks in C is freed by a green thread that went on meanwhile."""
    lock = native_lock()
    lock.acquire()
    gevent.spawn(lock.release)
    assert offload(lock.acquire) is True


def test_runs_on_another_thread() -> None:
    """The function runs on a real thread, not in a green one."""
    assert offload(native_ident) != native_ident()


def test_context_variables_go_in() -> None:
    """The caller's context variables hold on the thread."""
    colour.set("green")
    assert offload(colour.get) == "green"


def test_errors_come_back() -> None:
    """What the function raises is raised at the caller."""
    with pytest.raises(ZeroDivisionError):
        offload(lambda: 1 / 0)


def test_bounded() -> None:
    """No more calls run at once than there are threads."""
    running, peak, guard = [], [], native_lock()

    def work() -> None:
        with guard:
            running.append(1)
            peak.append(len(running))
        native_sleep(0.01)
        with guard:
            running.pop()

    with TaskGroup() as group:
        for _ in range(3 * THREADS):
            group.go(offload, work)
    assert max(peak) == THREADS


def test_deadline_that_passes_is_the_callers_own() -> None:
    """move_on_after goes on behind its block when what it was given to wait for is a thread."""
    lock = native_lock()
    lock.acquire()
    with move_on_after(0.01) as scope:
        offload(lock.acquire)
    lock.release()
    assert scope.expired


def test_deadline_frees_the_caller() -> None:
    """When the time is up the caller goes on; the thread finishes by itself."""
    lock = native_lock()
    lock.acquire()
    with pytest.raises(DeadlineExceeded), fail_after(0.01):
        offload(lock.acquire)
    lock.release()


def test_what_is_no_function_is_refused_with_what_to_write() -> None:
    """A function's result or a coroutine function in its place never reaches a thread."""

    async def coloured() -> None: ...

    with pytest.raises(TypeError, match=r"offload\(fn, 1\), not None"):
        offload(None)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=r"asyncio\.run\(fn\(1\)\)"):
        offload(coloured)  # type: ignore[unused-coroutine]
