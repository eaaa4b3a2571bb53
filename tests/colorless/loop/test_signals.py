import asyncio
import contextlib
import os
import signal
from typing import Any

import gevent
import pytest

from colorless.loop import HubLoop
from colorless.offload import offload


def test_a_signal_calls_its_handler_in_the_loop() -> None:
    """With its arguments, and with the loop as the running one."""

    async def main() -> list[Any]:
        loop = asyncio.get_running_loop()
        seen: list[Any] = []
        got = asyncio.Event()

        def handler(name: str) -> None:
            seen.append((name, asyncio.get_running_loop() is loop))
            got.set()

        loop.add_signal_handler(signal.SIGUSR1, handler, "usr1")
        try:
            os.kill(os.getpid(), signal.SIGUSR1)
            await asyncio.wait_for(got.wait(), 5)
        finally:
            assert loop.remove_signal_handler(signal.SIGUSR1)
        return seen

    assert asyncio.run(main()) == [("usr1", True)]


def test_a_handler_may_wait_and_is_called_again_afterwards() -> None:
    """A second signal that comes while the handler waits is not lost."""

    async def main() -> int:
        loop = asyncio.get_running_loop()
        calls, both = 0, asyncio.Event()

        def handler() -> None:
            nonlocal calls
            calls += 1
            gevent.sleep(0.005)
            if calls == 2:
                both.set()

        loop.add_signal_handler(signal.SIGUSR1, handler)
        for _ in range(2):
            os.kill(os.getpid(), signal.SIGUSR1)
            gevent.sleep(0.002)
        await asyncio.wait_for(both.wait(), 5)
        loop.remove_signal_handler(signal.SIGUSR1)
        return calls

    assert asyncio.run(main()) == 2


def test_removing_a_handler_gives_the_signal_back() -> None:
    """Closing the loop does so too; Control-C means KeyboardInterrupt again."""
    loop = HubLoop()
    loop.add_signal_handler(signal.SIGINT, print)
    loop.add_signal_handler(signal.SIGUSR1, print)
    assert loop.remove_signal_handler(signal.SIGUSR1)
    assert not loop.remove_signal_handler(signal.SIGUSR1)
    loop.close()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.getsignal(signal.SIGUSR1) is signal.SIG_DFL


def test_what_cannot_be_caught_is_refused() -> None:
    """SIGKILL, a coroutine function as a handler, and a loop in a real thread."""

    async def handler() -> None: ...

    def in_a_thread() -> None:
        with contextlib.closing(HubLoop()) as loop:
            loop.add_signal_handler(signal.SIGUSR1, print)

    loop = HubLoop()
    try:
        with pytest.raises(RuntimeError, match="cannot be caught"):
            loop.add_signal_handler(signal.SIGKILL, print)
        with pytest.raises(TypeError, match="coroutines"):
            loop.add_signal_handler(signal.SIGUSR1, handler)
        with pytest.raises(RuntimeError, match="main thread"):
            offload(in_a_thread)
    finally:
        loop.close()


def test_control_c_cancels_asyncio_run() -> None:
    """As documented for asyncio.run: the main task is cancelled, KeyboardInterrupt comes out."""
    cleaned = []

    async def main() -> None:
        asyncio.get_running_loop().call_later(0.01, os.kill, os.getpid(), signal.SIGINT)
        try:
            await asyncio.sleep(60)
        finally:
            cleaned.append(True)

    with pytest.raises(KeyboardInterrupt):
        asyncio.run(main())
    assert cleaned
