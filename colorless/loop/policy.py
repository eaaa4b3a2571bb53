"""HubLoop as the loop that asyncio makes when it is asked for one."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from typing import Any
from weakref import WeakKeyDictionary

from colorless.compat.asyncio import (
    DefaultPolicy,
    PolicyFields,
    RunnerFields,
    running_loop,
    set_default_policy,
)
from colorless.loop.foreign_greenlets import receive_guests
from colorless.loop.hubloop import HubLoop
from colorless.loop.replace_loops import stand_in_for_others
from colorless.loop.runner import enter_step, leave_step
from colorless.loop.thread_idents import green_thread, install_idents
from colorless.loop.zero_timeout_poll import answer_at_once


class _Setting:
    """What ``set_event_loop`` set in one green thread."""

    loop: asyncio.AbstractEventLoop | None = None
    set_called = False


class _PerGreenThread(PolicyFields):
    """What asyncio's policy keeps for each thread. A callback has that of who runs its loop."""

    def __init__(self) -> None:
        self._settings: WeakKeyDictionary[Any, _Setting] = WeakKeyDictionary()

    def _here(self) -> _Setting:
        return self._settings.setdefault(green_thread(), _Setting())

    @property
    def _loop(self) -> asyncio.AbstractEventLoop | None:
        return self._here().loop

    @_loop.setter
    def _loop(self, loop: asyncio.AbstractEventLoop | None) -> None:
        self._here().loop = loop

    @property
    def _set_called(self) -> bool:
        return self._here().set_called

    @_set_called.setter
    def _set_called(self, called: bool) -> None:
        self._here().set_called = called


class HubPolicy(DefaultPolicy):
    """asyncio's event loop policy, which makes HubLoops, and keeps one for each green thread."""

    _loop_factory = HubLoop

    def __init__(self) -> None:
        super().__init__()
        self._local = _PerGreenThread()


def install_policy() -> None:
    """Make HubLoop what ``asyncio.run`` and ``asyncio.new_event_loop`` make, in every thread.

    ``asyncio.run`` also works when synchronous code calls it that was itself called from a
    coroutine: it blocks that coroutine's task, and nothing else.
    """
    set_default_policy(HubPolicy())
    # What asyncio goes back to after set_event_loop_policy(None), as test runners call it.
    DefaultPolicy._loop_factory = HubLoop
    receive_guests()
    install_idents()
    answer_at_once()
    if not hasattr(asyncio.run, "__wrapped__"):
        asyncio.run = asyncio.runners.run = _outside_of_steps(asyncio.run)
        asyncio.Runner.run = _outside_of_other_steps(asyncio.Runner.run)  # type: ignore[method-assign]
        stand_in_for_others()


def _outside_of_steps(run: Callable[..., Any]) -> Callable[..., Any]:
    """``run`` with no loop running around it."""

    @functools.wraps(run)
    def run_outside(*args: Any, **kwargs: Any) -> Any:
        step = leave_step()
        try:
            return run(*args, **kwargs)
        finally:
            enter_step(step)

    return run_outside


def _outside_of_other_steps(run: Callable[..., Any]) -> Callable[..., Any]:
    """A runner's ``run`` with no loop running around it, unless it is the runner's own."""
    outside = _outside_of_steps(run)

    @functools.wraps(run)
    def run_outside(runner: RunnerFields, *args: Any, **kwargs: Any) -> Any:
        recursive = runner._loop is not None and runner._loop is running_loop()
        return (run if recursive else outside)(runner, *args, **kwargs)

    return run_outside
