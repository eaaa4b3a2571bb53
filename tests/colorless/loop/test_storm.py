"""Random crossings, cancels, timeouts and kills: what must hold at every step, holds."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import warnings
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass, field
from typing import Any

import gevent
import pytest
from gevent import GreenletExit
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from colorless.bridge import await_, entered, iterate
from colorless.bridge.shared import current_loop
from colorless.deadlines import DeadlineExceeded, fail_after, move_on_after
from colorless.loop.hubloop import _running
from colorless.loop.runner import IDLE_RUNNERS, current_pool

# What a crossing may be ended by, in either colour.
ENDS = (asyncio.CancelledError, CancelledError, DeadlineExceeded, TimeoutError, gevent.Timeout)

PLAIN = ("sleep", "run", "await", "iterate", "enter", "deadline", "move_on", "gtimeout", "kill")
ASYNC = ("sleep", "plain", "green", "gather", "cancel", "timeout", "deadline", "thread")

seconds = st.sampled_from([0, 0, 0.0002, 0.001])


@dataclass
class Node:
    """One thing to do, and what to do inside of it."""

    kind: str
    wait: float
    inner: list[Node] = field(default_factory=list)


def nodes(kinds: tuple[str, ...], deeper: Any) -> Any:
    return st.builds(Node, st.sampled_from(kinds), seconds, st.lists(deeper, max_size=2))


leaves = st.builds(Node, st.just("sleep"), seconds)
plans = st.recursive(leaves, lambda deeper: nodes(PLAIN, deeper), max_leaves=8)


def ours() -> tuple[Any, Any]:
    """The running loop and the current task, as asyncio tells them."""
    loop = asyncio._get_running_loop()
    return loop, None if loop is None else asyncio.current_task(loop)


@contextlib.contextmanager
def the_same_afterwards() -> Any:
    """However the block ends, it ends with the loop and the task that it began with."""
    before = ours()
    try:
        yield
    finally:
        assert ours() == before


def plain(plan: list[Node]) -> None:
    """Act a plan in plain code, be it in a green thread or in a coroutine."""
    for node in plan:
        with the_same_afterwards(), contextlib.suppress(*ENDS):
            act_plain(node)


def act_plain(node: Node) -> None:
    kind, wait, inner = node.kind, node.wait, node.inner
    if kind == "run":
        asyncio.run(colored(inner, wait))
    elif kind == "await":
        await_(colored(inner, wait))
    elif kind == "iterate":
        with iterate(generator(inner, wait), ahead=2) as items:
            for _ in zip(range(3), items, strict=False):
                plain(inner)
    elif kind == "enter":
        with entered(manager(wait)):
            plain(inner)
    elif kind in ("deadline", "move_on"):
        with (fail_after if kind == "deadline" else move_on_after)(wait):
            plain(inner)
            gevent.sleep(0.0005)
    elif kind == "gtimeout":
        with gevent.Timeout(wait or 0.0001):
            plain(inner)
            await_(colored(inner, wait))
    elif kind == "kill":
        thread = gevent.spawn(plain, inner)
        gevent.sleep(wait)
        thread.kill()
    else:
        gevent.sleep(wait)


async def colored(plan: list[Node], wait: float) -> None:
    """Act a plan in a coroutine, in as many ways as there are."""
    loop, task = ours()
    assert loop is not None
    assert task is not None
    for number, node in enumerate(plan):
        with the_same_afterwards(), contextlib.suppress(*ENDS[1:]):
            await act_colored(ASYNC[(number + len(node.kind)) % len(ASYNC)], node, wait)
    await asyncio.sleep(wait)
    assert ours() == (loop, task)


async def act_colored(kind: str, node: Node, wait: float) -> None:
    if kind == "plain":
        plain([node])
    elif kind == "green":
        gevent.sleep(wait)
    elif kind == "gather":
        await asyncio.gather(*(colored(node.inner, wait) for _ in range(2)))
    elif kind == "cancel":
        inner = asyncio.create_task(colored(node.inner, wait))
        await asyncio.sleep(wait)
        inner.cancel()
        await asyncio.wait([inner])
    elif kind == "timeout":
        async with asyncio.timeout(wait):
            plain([node])
            await asyncio.sleep(0.0005)
    elif kind == "deadline":
        with fail_after(wait):
            await colored(node.inner, wait)
            await asyncio.sleep(0.0005)
    elif kind == "thread":
        await asyncio.to_thread(plain, node.inner)
    else:
        await asyncio.sleep(wait)


async def generator(plan: list[Node], wait: float) -> Any:
    task = asyncio.current_task()
    try:
        for number in range(4):
            yield number
            await colored(plan[:1], wait)
    finally:
        assert asyncio.current_task() is task
        await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def manager(wait: float) -> Any:
    task = asyncio.current_task()
    await asyncio.sleep(wait)
    try:
        yield
    finally:
        await asyncio.sleep(0)
        assert asyncio.current_task() is task


def watch(seen: set[Any]) -> None:
    """A green thread of no loop, which must never see one."""
    while True:
        seen.add(ours())
        gevent.sleep(0)


@pytest.fixture
def _abandoned() -> Iterator[None]:
    """Interrupted a second time, asyncio.run gives its clean-up up, as with a second Control-C:
    what it leaves behind is collected here, with no warnings about it."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.mark.usefixtures("_abandoned")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@settings(
    max_examples=300,
    deadline=None,
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking would wait for each hang
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.function_scoped_fixture,
    ],
)
@given(st.lists(st.lists(plans, min_size=1, max_size=3), min_size=1, max_size=4))
def test_loop_and_task_are_right_at_every_step(storm: list[list[Node]]) -> None:
    """In several green threads at once, each with a plan of its own, beside one that watches."""
    seen: set[Any] = set()
    watcher = gevent.spawn(watch, seen)
    threads = [gevent.spawn(plain, plan) for plan in storm]
    try:
        with gevent.Timeout(10):
            gevent.joinall(threads)
    finally:
        gevent.killall([*threads, watcher])
    for thread in threads:
        assert thread.successful(), thread.exc_info
        assert not isinstance(thread.value, GreenletExit)
    assert seen == {(None, None)}
    settle()


def settle() -> None:
    """What the storm started has ended, and nothing of it stayed behind."""
    for _ in range(5000):  # tasks and threads whose parents were cancelled
        idle = not asyncio.all_tasks(current_loop()) and not current_pool().waiting
        if idle and _running == {current_loop()}:
            break
        gevent.sleep(0.001)
    pool = current_pool()
    assert asyncio.all_tasks(current_loop()) == set()
    assert not pool.waiting
    assert not pool.blocked
    assert len(pool.idle) <= IDLE_RUNNERS
    assert _running == {current_loop()}


def crossings(count: int) -> None:
    """Crossings of all kinds, most of which are interrupted."""

    async def wait(seconds: float) -> None:
        await asyncio.sleep(seconds)
        gevent.sleep(seconds)

    def each(number: int) -> None:
        for turn in range(count // 100):
            with contextlib.suppress(gevent.Timeout, DeadlineExceeded):
                way = (number + turn) % 5
                if way == 0:
                    with gevent.Timeout(0.0001):
                        await_(wait(0.0002))
                elif way == 1:
                    with fail_after(0.0001):
                        await_(wait(0.0002))
                elif way == 2 and turn % 20 == 0:
                    asyncio.run(wait(0))
                else:
                    await_(wait(0))

    gevent.joinall([gevent.spawn(each, number) for number in range(100)], raise_error=True)


@pytest.mark.timeout(240)
def test_nothing_leaks_over_a_hundred_thousand_crossings() -> None:
    """Watchers and descriptors stay where they were; green threads, tasks and loops go."""

    def counted() -> tuple[dict[str, int], dict[str, int]]:
        settle()
        gevent.sleep(0.05)  # the alarm of a timer that was cancelled still rings once
        gc.collect()
        kinds = [type(it).__name__ for it in gc.get_objects()]
        watchers = {name: kinds.count(name) for name in ("io", "async_", "signal")}
        watchers["descriptors"] = len(os.listdir("/proc/self/fd"))
        watchers["active"] = gevent.get_hub().loop.activecnt
        rest = ("timer", "Runner", "Greenlet", "Task", "_Call", "HubLoop", "coroutine", "Context")
        return watchers, {name: kinds.count(name) for name in rest}

    crossings(5_000)
    watchers, others = counted()
    crossings(100_000)
    watchers_after, others_after = counted()
    assert watchers_after == watchers
    # An idle runner may keep what it ran or woke last, and there are so many idle runners.
    for name, count in others_after.items():
        assert count <= others[name] + IDLE_RUNNERS, name
