"""Other event loops, asked for by name: who asks gets HubLoop.

Servers and programs that were written for asyncio choose uvloop or asyncio's own loop where they
start (``uvicorn.run`` does). In a patched process what blocks in such a loop would block all of
it, without a word.
"""

from __future__ import annotations

import asyncio
import functools
import sys
from collections.abc import Callable
from typing import Any

from colorless.loop.hubloop import HubLoop

# Loops that promise to be asyncio's but faster; the names of their modules.
_FASTER = frozenset({"uvloop", "zuvloop", "rloop", "winloop"})


def stand_in_for_others() -> None:
    """From now on HubLoop is what asyncio's loop, uvloop and their like give when they are asked.

    A factory or a policy of the program's own is left alone.
    """
    for module in (asyncio, asyncio.unix_events):
        for name in ("SelectorEventLoop", "EventLoop"):
            if hasattr(module, name):
                setattr(module, name, HubLoop)
    runner: Any = asyncio.Runner
    runner.__init__ = _with_hub_loop(runner.__init__)
    setter: Any = _unless_faster(asyncio.set_event_loop_policy)
    asyncio.set_event_loop_policy = asyncio.events.set_event_loop_policy = setter


def _with_hub_loop(init: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(init)
    def init_with_hub_loop(
        self: Any, *, debug: bool | None = None, loop_factory: Callable[[], Any] | None = None
    ) -> None:
        name = _faster(loop_factory)
        if name is not None:
            loop_factory = HubLoop
            sys.modules[name].Loop = HubLoop  # type: ignore[attr-defined] # uvloop.run checks it
        init(self, debug=debug, loop_factory=loop_factory)

    return init_with_hub_loop


def _unless_faster(set_policy: Callable[[Any], None]) -> Callable[[Any], None]:
    @functools.wraps(set_policy)
    def set_policy_unless_faster(policy: Any) -> None:
        if _faster(type(policy)) is None:
            set_policy(policy)

    return set_policy_unless_faster


def _faster(maker: Any) -> str | None:
    """The package of ``maker``, a factory or a class, if it is one of the faster loops."""
    package = str(getattr(maker, "__module__", "")).partition(".")[0]
    return package if package in _FASTER else None
