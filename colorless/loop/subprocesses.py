"""Child processes of an event loop, on the hub's own child watchers."""

from __future__ import annotations

import asyncio
import os
import subprocess
from typing import Any

import gevent.subprocess
from gevent.event import Event
from gevent.hub import get_hub

from colorless.compat.asyncio import BaseSubprocessTransport, logger
from colorless.compat.subprocess import StandardPopen, unpatched
from colorless.loop.readers import WatchingLoop


class Child(StandardPopen):
    """A child process that is started without waiting green, as in asyncio.

    gevent's ``Popen`` lets other green threads run until the child has begun its program, so a
    cancel could arrive when there is a child that nobody knows of yet. It also runs Python code
    in the child, where the standard library has C code that need not copy the parent's memory.

    The loop waits for its end and tells it; to wait here waits for that, green.
    """

    def __init__(self, *args: Any, **options: Any) -> None:
        self._ended = Event()
        with unpatched():
            super().__init__(*args, **options)

    def ended(self, returncode: int) -> None:
        """The process is gone, and this is what it returned."""
        self.returncode = returncode
        self._ended.set()

    def poll(self) -> int | None:
        """What it returned; ``None`` while it runs."""
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end, at most ``timeout`` seconds; returns what it returned."""
        if not self._ended.wait(timeout):
            assert timeout is not None
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.returncode


class _ChildTransport(BaseSubprocessTransport):
    """The transport of a child process, which the hub waits for."""

    def _start(
        self,
        args: Any,
        shell: bool,
        stdin: Any,
        stdout: Any,
        stderr: Any,
        bufsize: int,
        **kwargs: Any,
    ) -> None:
        # Who has replaced Popen, as tests do, means that one.
        popen: Any = subprocess.Popen
        if popen is gevent.subprocess.Popen:
            popen = Child
        self._proc = popen(
            args,
            shell=shell,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            universal_newlines=False,
            bufsize=bufsize,
            **kwargs,
        )


class ChildrenLoop(WatchingLoop):
    """The part of a loop that starts child processes."""

    async def _make_subprocess_transport(
        self,
        protocol: asyncio.SubprocessProtocol,
        args: Any,
        shell: bool,
        stdin: Any,
        stdout: Any,
        stderr: Any,
        bufsize: int,
        extra: Any = None,
        **kwargs: Any,
    ) -> BaseSubprocessTransport:
        if not get_hub().loop.default:
            raise RuntimeError("child processes can only be started by loops of the main thread")
        waiter = self.create_future()
        transport = _ChildTransport(
            self,
            protocol,
            args,
            shell,
            stdin,
            stdout,
            stderr,
            bufsize,
            waiter=waiter,
            extra=extra,
            **kwargs,
        )
        self._watch_child(transport)
        try:
            await waiter
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            transport.close()
            await transport._wait()
            raise
        return transport

    def _watch_child(self, transport: Any) -> None:
        watcher = get_hub().loop.child(transport.get_pid(), ref=False)
        watcher.start(self._child_ended, transport, transport._proc, watcher)

    def _child_ended(self, transport: Any, process: Any, watcher: Any) -> None:
        watcher.stop()
        returncode = os.waitstatus_to_exitcode(watcher.rstatus)
        watcher.close()
        if isinstance(process, Child):
            process.ended(returncode)
        if self.is_closed():
            logger.warning("Loop %r that handles pid %r is closed", self, process.pid)
            return
        # One turn later, so that what the child wrote last is read first.
        self.call_soon(self.call_soon, transport._process_exited, returncode)
