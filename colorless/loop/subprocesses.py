"""Child processes of an event loop, on the hub's own child watchers."""

from __future__ import annotations

import asyncio
import subprocess
from typing import Any

from gevent.hub import get_hub

from colorless.compat.asyncio import BaseSubprocessTransport, logger
from colorless.loop.readers import WatchingLoop


class _ChildTransport(BaseSubprocessTransport):
    """A child process started, and waited for, by gevent, whose ``Popen`` is the patched one."""

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
        self._proc = subprocess.Popen(
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
        process: Any = transport._proc
        process.rawlink(lambda process: self._child_ended(transport, process))
        try:
            await waiter
        except (SystemExit, KeyboardInterrupt):
            raise
        except BaseException:
            transport.close()
            await transport._wait()
            raise
        return transport

    def _child_ended(self, transport: BaseSubprocessTransport, process: Any) -> None:
        if self.is_closed():
            logger.warning("Loop %r that handles pid %r is closed", self, process.pid)
            return
        # One turn later, so that what the child wrote last is read first.
        self.call_soon(self.call_soon, transport._process_exited, process.returncode)
