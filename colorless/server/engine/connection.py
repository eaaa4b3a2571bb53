"""One client's connection: who reads it, who owns it, and when it ends.

The hub reads, always: a read watcher stays on from the accept to the end, so a connection that
waits for its client holds no green thread, the next request is noticed without a system call more,
and so is a client that goes away. A connection is in one of these states::

    WAITING     for the head of a request: `idle` (nothing has come yet) or `heads` (a part has)
    SERVING     a green thread has it; what the client sends is the body, or is kept for later
    CLOSING     the last response is out; what still comes is dropped until the client has closed
    DETACHED    the application took the socket over
    CLOSED
"""

from __future__ import annotations

from enum import Enum, auto
from typing import TYPE_CHECKING, Any

import gevent
from gevent.hub import Waiter
from gunicorn.http import wsgi

from colorless.server.engine.limits import ClientDisconnected, ClientTooSlow, Pace
from colorless.server.engine.transport import READ_SIZE, Transport, end_writing
from colorless.server.wsgi.environ import connection_environ
from colorless.sockets import READ

if TYPE_CHECKING:
    from colorless.server.gunicorn import WSGIWorker
    from colorless.server.wsgi.body import Incoming

# Read ahead of the application, at most, for a body or for pipelined requests.
READ_AHEAD = READ_SIZE
# Dropped from a client that goes on sending after the last response (gunicorn drains as much).
MAX_DROPPED = 65536


class State(Enum):
    """Who the connection belongs to; see the module's docstring."""

    WAITING = auto()
    SERVING = auto()
    CLOSING = auto()
    DETACHED = auto()
    CLOSED = auto()


class Connection:
    """A client's connection. In a WSGI environ it is ``environ["colorless.connection"]``."""

    __slots__ = (
        "__weakref__",
        "_dropped",
        "_environ",
        "_reader",
        "_thread",
        "_watcher",
        "buffer",
        "cancel_on_disconnect",
        "gone",
        "incoming",
        "listener",
        "peer",
        "proxy_protocol_info",
        "requests",
        "seen",
        "state",
        "transport",
        "trusted",
        "worker",
    )

    def __init__(self, worker: WSGIWorker, sock: Any, peer: Any, listener: Any) -> None:
        self.worker = worker
        self.transport = Transport(sock, worker.limits)
        self.peer = peer
        self.listener = listener
        self.state = State.WAITING
        self.buffer = b""
        self.gone = False
        self.cancel_on_disconnect = False
        self.incoming: Incoming | None = None
        self.proxy_protocol_info: dict[str, Any] = {}
        self.requests = 0
        self.seen = 0
        self.trusted = worker.trusts(peer)
        self._environ: dict[str, Any] | None = None
        self._dropped = 0
        self._thread: gevent.Greenlet | None = None
        self._reader: Waiter | None = None
        self._watcher = worker.loop.io(sock.fileno(), READ)
        self._watcher.start(self._on_readable)

    # What an application may use: `gone`, `cancel_on_disconnect` (of the current request), and

    @property
    def detached(self) -> bool:
        """Whether the application took the socket over."""
        return self.state is State.DETACHED

    def detach(self) -> tuple[Any, bytes]:
        """Take the socket over, as for a WebSocket: the (blocking, green) socket and what was read
        from it behind this request's head. The worker sends nothing more, whatever the
        application returns, and closes the socket when the application has returned.

        Call it before anything was sent. Raises ``RuntimeError`` outside of a request.
        """
        if self.state is not State.SERVING:
            raise RuntimeError(
                "detach() hands the socket over once, while its request is being served: "
                f"this connection is {self.state.name}"
            )
        self.state = State.DETACHED
        self._watcher.stop()
        rest, self.buffer = self.buffer, b""
        self.transport.sock.settimeout(None)
        return self.transport.sock, rest

    # What the hub does.

    def _on_readable(self) -> None:
        try:
            data = self.transport.receive()
        except OSError:
            data = b""
        if data is None:
            return
        if self.state is State.CLOSING:
            self._drop(data)
        elif not data:
            self._lost()
        else:
            self.buffer = self.buffer + data if self.buffer else data
            if self.state is State.WAITING:
                self.worker.arrived(self)
            elif self._reader is not None:
                self._reader.switch(None)
            elif len(self.buffer) >= READ_AHEAD:
                self._watcher.stop()

    def _lost(self) -> None:
        """The client has closed its side: nothing more will come."""
        self.gone = True
        self._watcher.stop()
        if self.state is State.WAITING and self.buffer:
            # It may have sent whole requests before, which are still to be answered.
            self.worker.arrived(self)
        elif self.state is State.WAITING:
            self.close()
        elif self._reader is not None:
            self._reader.switch(None)
        elif self.cancel_on_disconnect and self._thread is not None:
            self._thread.throw(ClientDisconnected("the client closed the connection"))

    def _drop(self, data: bytes) -> None:
        self._dropped += len(data)
        if not data or self._dropped >= MAX_DROPPED:
            self.close()

    # What its green thread does.

    def base_environ(self) -> dict[str, Any]:
        """What the environs of all requests on this connection have in common; copy it."""
        if self._environ is None:
            self._environ = connection_environ(self)
        return self._environ

    def proxied(self, request: Any) -> None:
        """The PROXY protocol told whom this connection is for."""
        self.proxy_protocol_info = request.proxy_protocol_info
        self.base_environ().update(wsgi.proxy_environ(request))

    def serve(self) -> None:
        """Serve the request whose head is in the buffer; called in a green thread of the crew."""
        if self.state is not State.SERVING:
            return  # closed while it waited for its turn
        self._thread = gevent.getcurrent()
        self.transport.unyielded = 0
        keep = False
        try:
            keep = self.worker.serve(self)
        finally:
            self._thread = None
            self._served(keep)

    def receive(self, pace: Pace) -> bytes:
        """What the client sent next, waiting for it; ``b""`` at its end.

        Raises :class:`ClientTooSlow`.
        """
        if not self.buffer and not self.gone:
            self._wait_for_data(pace)
        data, self.buffer = self.buffer, b""
        pace.moved(len(data))
        return data

    def _wait_for_data(self, pace: Pace) -> None:
        self._watcher.start(self._on_readable)
        seconds = pace.patience()
        self._reader = Waiter()
        try:
            with gevent.Timeout(seconds, ClientTooSlow(f"sent nothing for {seconds:.0f} s")):
                self._reader.get()
        finally:
            self._reader = None
            pace.waited()

    def _served(self, keep: bool) -> None:
        if self.detached:
            self.close()
        elif not keep or (self.gone and not self.buffer):
            self.linger()
        else:
            self.state = State.WAITING
            if not self._watcher.active and not self.gone:
                self._watcher.start(self._on_readable)
            self.worker.waits(self)

    # How it ends.

    def linger(self) -> None:
        """Close without a reset, which could take the last response from the client: tell it that
        nothing more comes, and read until it closes (RFC 9112, section 9.6)."""
        if self.gone:
            self.close()
            return
        try:
            end_writing(self.transport.sock)
        except OSError:
            self.close()
            return
        self.state = State.CLOSING
        self.buffer = b""
        if not self._watcher.active:
            self._watcher.start(self._on_readable)
        self.worker.closes(self)

    def close(self) -> None:
        """End it now. Closing twice is nothing."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._watcher.stop()
        self._watcher.close()
        self.transport.sock.close()
        self.worker.closed(self)

    def abort(self) -> None:
        """Kill the request that is being served, if one is: the time of a drain is up."""
        if self._thread is not None:
            self._thread.kill(block=False)
        else:
            self.close()
