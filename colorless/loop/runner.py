"""Runners: the green threads in which the callbacks of the event loops run.

A callback must not run in the hub, because it may wait: the hub would have nothing left to run.
So a *runner*, a greenlet whose parent is the hub, drains a loop's ready queue in bursts. As long
as no callback waits, one runner does all the work and each burst costs two greenlet switches.

When a callback waits in the middle (a query, a lock, ``time.sleep``), gevent calls
:meth:`Runner.switch_out` before it leaves. The runner then *parks* the step: the running loop and
the current task are taken off the thread, and the rest of the queue goes to another runner. The
hub comes back through :meth:`Runner.switch` or :meth:`Runner.throw`, which put both on again.
"""

from __future__ import annotations

from asyncio import Handle, current_task
from collections import deque
from types import FunctionType
from typing import TYPE_CHECKING, Any, NamedTuple

from gevent.hub import Hub, get_hub
from greenlet import greenlet

from colorless.compat.asyncio import enter_task, leave_task, running_loop, set_running_loop
from colorless.loop.readers import IoHandle
from colorless.loop.tasks import TaskInterrupt

if TYPE_CHECKING:
    import asyncio

    from colorless.loop.ready_queue import BurstLoop

# Guessed: idle runners kept for the next burst. More than one is only needed while callbacks wait.
IDLE_RUNNERS = 32

# What a transport reads at a time, in bytes: as much as asyncio's.
INCOMING = 256 * 1024

raw_switch = greenlet.switch


class Step(NamedTuple):
    """What asyncio knows of the code that runs: its loop and its task."""

    loop: asyncio.AbstractEventLoop | None
    task: asyncio.Task[Any] | None


_NO_STEP = Step(None, None)


def leave_step() -> Step:
    """Take the running loop and the current task off this thread; :func:`enter_step` undoes it."""
    loop = running_loop()
    if loop is None:
        return _NO_STEP
    task = current_task(loop)
    if task is not None:
        leave_task(loop, task)
    set_running_loop(None)
    return Step(loop, task)


def enter_step(step: Step) -> None:
    """Go on with a step that :func:`leave_step` left."""
    loop, task = step
    if loop is None:
        return
    set_running_loop(loop)
    if task is not None:
        enter_task(loop, task)


class Runner(greenlet):
    """A greenlet that runs callbacks of one loop at a time, and may wait in any of them."""

    __slots__ = ("go", "guest", "handle", "left", "loop", "parked", "pool")
    loop: Any  # whose burst it runs: a BurstLoop, None at rest if that has stopped

    def __init__(self, pool: RunnerPool) -> None:
        super().__init__(parent=pool.hub)
        self.pool = pool
        self.go = raw_switch.__get__(self)
        self.handle: Any = None  # the callback that runs now
        self.left = False  # whether it has waited, so that the rest went to another runner
        self.parked: Step | None = None  # set while it waits
        self.guest: greenlet | None = None  # another library's greenlet in which it waits

    def run(self) -> None:
        """Run bursts, of one loop or another. Between them this greenlet rests, or is the next
        one's already: then the hub has :attr:`go` among its callbacks."""
        pool = self.pool
        hub, idle = pool.hub, pool.idle
        while True:
            loop = self.loop
            kept = loop._burst(self)
            sleeper, loop._next = loop._next, None
            loop = None  # at rest this frame must not keep a loop alive that has ended
            if not kept:
                if len(idle) >= IDLE_RUNNERS:
                    break
                idle.append(self)
            if sleeper is None or sleeper.caller is None:
                raw_switch(hub)
            else:
                caller, sleeper.caller = sleeper.caller, None
                sleeper = None
                caller.switch()
        pool.forget(self)
        if sleeper is not None:
            hub.loop.run_callback(sleeper.wake)

    def switch_out(self) -> None:
        """gevent is about to leave this greenlet because its callback waits."""
        self.parked = step = leave_step()
        task = step.task
        if task is not None:
            self.pool.waiting[task] = self
        if not self.left:
            self.left = True
            self._left()

    def _left(self) -> None:
        handle = self.handle
        self.pool.blocked[id(handle._context)] = deque()
        if isinstance(handle, IoHandle):
            handle.pause()
        loop = self.loop
        if loop._next is not None:
            hub_loop = self.pool.hub.loop
            hub_loop.run_callback(loop._next.wake)
            loop._next = None
        loop._hand_on()

    def back(self) -> None:
        """Go on with the step that was parked, if one was."""
        step = self.parked
        if step is not None:
            self.parked = None
            if step.task is not None:
                self.pool.waiting.pop(step.task, None)
            enter_step(step)

    def switch(self, *args: Any) -> Any:
        """The hub comes back, or a greenlet that this one started."""
        self.back()
        return raw_switch(self, *args)

    def throw(self, *args: Any) -> Any:
        """As :meth:`switch`, with an exception."""
        if self.handle is None:
            # A timer that outlived the callback that set it: there is nobody left to interrupt.
            return None
        if self.guest is not None:
            return self.guest.throw(*args)
        self.back()
        return super().throw(*args)

    def interruptible(self) -> Any:
        """What a deadline set here is to strike: the task, since its next step runs elsewhere."""
        loop = running_loop()
        task = None if loop is None else current_task(loop)
        return self if task is None else TaskInterrupt(task, self.pool)

    def finish(self) -> None:
        """The callback that had waited has ended: let what it held up go on."""
        handle = self.handle
        self.left = False
        for loop, held_up in self.pool.blocked.pop(id(handle._context), ()):
            loop._requeue(held_up)
        if isinstance(handle, IoHandle):
            handle.resume()


# Under asyncio a callback's outermost frame is that of the main module, and libraries look for
# it: aiohttp's keys do when they are made, for their name's sake, and fail where there is none.
Runner.run = FunctionType(  # type: ignore[method-assign]
    Runner.run.__code__.replace(co_name="<module>"), globals() | {"__name__": "__main__"}
)


class RunnerPool:
    """The runners of one hub, and the callbacks that wait in them."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self.idle: list[Runner] = []
        # The tasks whose code waits green in the middle of a step: a cancel must reach them there.
        self.waiting: dict[asyncio.Task[Any], Runner] = {}
        # A context can be entered once at a time. While a callback waits in one, others that
        # share it (tasks made with the same context) are held up here; the key is its id.
        self.blocked: dict[int, deque[tuple[BurstLoop, Handle]]] = {}
        # The loop whose hooks for asynchronous generators are set on this thread.
        self.hooked: BurstLoop | None = None
        # Where the transports of this thread read to: what they find there is theirs until the
        # next one reads.
        self.incoming = memoryview(bytearray(INCOMING))

    def take(self, loop: BurstLoop) -> Runner:
        """A runner for the next burst of ``loop``."""
        runner = self.idle.pop() if self.idle else Runner(self)
        runner.loop = loop
        return runner

    def forget(self, runner: Runner) -> None:
        """``runner`` ends: it is one too many."""
        del runner.go  # it refers to the runner

    def forget_loop(self, loop: BurstLoop) -> None:
        """``loop`` has stopped; that it ran in runners that rest now must not keep it alive."""
        for runner in self.idle:
            if runner.loop is loop:
                runner.loop = None


def current_pool() -> RunnerPool:
    """The runners of this thread's hub, which keeps them."""
    hub = get_hub()
    try:
        pool: RunnerPool = hub.colorless_runners
    except AttributeError:
        pool = hub.colorless_runners = RunnerPool(hub)
    return pool
