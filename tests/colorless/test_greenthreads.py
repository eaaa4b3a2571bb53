"""Green threads are used again, but only where nobody can tell."""

import threading
from collections.abc import Callable
from contextvars import Context, ContextVar
from typing import Any

import gevent
import pytest
from gevent import Greenlet, getcurrent
from gevent.event import Event
from gevent.local import local

from colorless import greenthreads
from colorless.greenthreads import begin
from colorless.tasks import go


def do(work: Callable[[], Any]) -> Any:
    """Do ``work`` in a green thread, to its end; what it returns."""
    return go(work).get()


def ident() -> int:
    return id(getcurrent())


def thread_of(work: Callable[[], Any]) -> int:
    """In which green thread ``work`` was done."""

    def both() -> int:
        work()
        return ident()

    name: int = do(both)
    gevent.sleep(0)  # what woke it lets go of it
    return name


def test_a_green_thread_is_used_again() -> None:
    """One after another, with waits and without: it is the same."""
    assert len({thread_of(lambda: gevent.sleep(0)) for _ in range(20)}) == 1


def test_at_the_same_time_there_are_several() -> None:
    """Those that wait for each other each have their own."""
    gate = Event()

    def wait() -> int:
        gate.wait()
        return ident()

    tasks = [go(wait) for _ in range(5)]
    gevent.sleep(0)
    gate.set()
    assert len({task.get() for task in tasks}) == 5


def test_a_timer_left_behind_does_not_hit_the_next_job() -> None:
    """``Timeout.start_new`` without a ``cancel`` is thrown into nobody's work but its own."""
    do(lambda: gevent.Timeout.start_new(0.02))
    do(lambda: gevent.sleep(0.05))


def test_a_late_switch_does_not_wake_the_next_job() -> None:
    """Who kept a green thread to wake it later wakes nobody else."""
    kept: list[Greenlet] = []
    do(lambda: kept.append(getcurrent()))
    gate = Event()

    def waits_once() -> bool:
        return gate.wait()

    task = go(waits_once)
    gevent.sleep(0)
    gevent.get_hub().loop.run_callback(kept[0].switch)
    gevent.sleep(0.01)
    assert not task.ready()
    gate.set()
    assert task.get()


def test_a_late_kill_does_not_end_the_next_job() -> None:
    """Nor does who kept it to kill it."""
    kept: list[Greenlet] = []
    do(lambda: kept.append(getcurrent()))
    task = go(gevent.sleep, 0.01)
    gevent.sleep(0)
    kept.pop().kill(block=False)
    assert task.get() is None


def test_who_waits_for_a_green_thread_hears_of_the_end_of_its_job() -> None:
    """``join`` returns when the job has ended, also when it had ended before."""
    gate = Event()
    kept: list[Greenlet] = []

    def wait() -> None:
        kept.append(getcurrent())
        gate.wait()

    task = go(wait)
    gevent.sleep(0)
    joining = go(kept[0].join)
    gevent.sleep(0)
    assert not joining.ready()
    gate.set()
    task.get()
    joining.get(timeout=5)
    with gevent.Timeout(5):
        kept[0].join()


def test_who_waits_hears_of_the_end_of_one_that_was_killed() -> None:
    """A job that does not handle its kill ends its green thread, and who joined it goes on."""
    kept: list[Greenlet] = []

    def wait(_: None) -> None:
        kept.append(getcurrent())
        gevent.sleep(100)

    gevent.get_hub().loop.run_callback(begin, wait, None)
    gevent.sleep(0)
    joining = go(kept[0].join)
    gevent.sleep(0)
    kept[0].kill()
    joining.get(timeout=5)
    assert kept[0].dead


@pytest.mark.parametrize("kind", [local, threading.local])
def test_thread_locals_end_with_the_job(kind: type[Any]) -> None:
    """What one job kept is not there for the next, which runs in the same green thread."""
    keep = kind()

    def put() -> None:
        assert not hasattr(keep, "name")
        keep.name = "somebody"

    assert len({thread_of(put) for _ in range(5)}) == 1


def test_the_current_thread_is_a_new_one_for_each_job() -> None:
    """Logging asks for it, and other code keeps things on it."""

    def current() -> threading.Thread:
        gevent.sleep(0)
        return threading.current_thread()

    first, second = do(current), do(current)
    assert first is not second


def test_context_variables_end_with_the_job() -> None:
    """Each job has its own context."""
    name: ContextVar[str] = ContextVar("name", default="nobody")
    seen = []

    def work(_: None) -> None:
        seen.append(name.get())
        name.set("somebody")

    for _ in range(3):
        gevent.get_hub().loop.run_callback(begin, work, None, Context())
    gevent.sleep(0.01)
    assert seen == ["nobody"] * 3


def test_one_that_was_killed_at_rest_is_not_used() -> None:
    """Tools that kill every greenlet they find leave no trap behind."""
    do(ident)
    gevent.killall(greenthreads.resting())
    assert greenthreads.resting() == []
    assert do(lambda: "done") == "done"


def test_only_so_many_rest() -> None:
    """A burst does not keep its memory for ever."""
    gate = Event()
    tasks = [go(gate.wait) for _ in range(greenthreads.MAX_IDLE + 50)]
    gevent.sleep(0)
    gate.set()
    gevent.joinall(tasks)
    gevent.sleep(0)
    assert len(greenthreads.resting()) == greenthreads.MAX_IDLE


def test_each_thread_of_the_system_has_its_own() -> None:
    """A hub's green threads cannot run on another."""
    here = {thread_of(lambda: None) for _ in range(3)}

    def there() -> set[int]:
        try:
            return {thread_of(lambda: None) for _ in range(3)}
        finally:
            gevent.killall(greenthreads.resting())

    elsewhere = gevent.get_hub().threadpool.apply(there)
    assert len(here) == len(elsewhere) == 1
    assert not here & elsewhere
