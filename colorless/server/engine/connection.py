"""One client's connection: who reads it, who owns it, and when it ends.

The hub reads, always: a read watcher stays on from the accept to the end, so a connection that
waits for its client holds no green thread, the next request is noticed without a system call more,
and so is a client that goes away. A connection is in one of these states::

    WAITING     for the head of a request: `idle` (nothing has come yet) or `heads` (a part has)
    SERVING     an exchange has it; what the client sends is the body, or is kept for later
    CLOSING     the last response is out; what still comes is dropped until the client has closed
    DETACHED    the application took the socket over
    CLOSED
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any

import gevent
from gevent.hub import Waiter

from colorless.server.engine.arrival import END, ArrivingHead, Verdict
from colorless.server.engine.limits import ClientTooSlow, Pace
from colorless.server.engine.ports import Exchange, Keeper
from colorless.server.engine.transport import READ_SIZE, Transport, end_writing
from colorless.sockets import READ

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
        "_arriving",
        "_dropped",
        "_reader",
        "_watcher",
        "buffer",
        "cancel_on_disconnect",
        "exchange",
        "gone",
        "listener",
        "memo",
        "peer",
        "plain",
        "requests",
        "server",
        "state",
        "too_large",
        "transport",
    )

    def __init__(self, server: Keeper[Connection], sock: Any, peer: Any, listener: Any) -> None:
        self.server = server
        self.transport = Transport(sock, server.settings.limits)
        self.peer = peer
        self.listener = listener
        self.state = State.WAITING
        # What has been read and nobody has taken yet.
        self.buffer = b""
        # Whether the head in the buffer may take the short way, and whether it has passed a limit:
        # it may have no end then.
        self.plain, self.too_large = True, False
        self.gone = False
        self.cancel_on_disconnect = False
        self.requests = 0  # those that were served, or are being
        # The request that is being served.
        self.exchange: Exchange | None = None
        # What the speaker wants to know of this connection again at its next request.
        self.memo: Any = None
        self._arriving: ArrivingHead | None = None
        self._dropped = 0
        self._reader: Any = None
        self._watcher = server.loop.io(sock.fileno(), READ)
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

    def head_is_here(self) -> bool:
        """Whether the head of the next request is in the buffer: whole, or to be refused."""
        if self._arriving is None:
            limits = self.server.settings.head
            proxied = self.requests == 0 and bool(limits.proxy_protocol)
            self.plain = not proxied
            if self.plain and END in self.buffer:
                return True
            self._arriving = ArrivingHead(limits, proxied)
        data, self.buffer = self.buffer, b""
        verdict = self._arriving.feed(data)
        if verdict is Verdict.INCOMPLETE:
            return False
        self.buffer, self._arriving = self._arriving.take(), None
        if verdict is Verdict.TOO_LARGE:
            self.plain, self.too_large = False, True
        return True

    @property
    def head_has_begun(self) -> bool:
        """Whether a part of a head has been looked at."""
        return self._arriving is not None

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
                self.server.arrived(self)
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
            self.server.arrived(self)
        elif self.state is State.WAITING:
            self.close()
        else:
            reader = self._reader
            if reader is not None:
                reader.switch(None)
            if self.exchange is not None:
                self.exchange.client_left(reading=reader is not None)

    def _drop(self, data: bytes) -> None:
        self._dropped += len(data)
        if not data or self._dropped >= MAX_DROPPED:
            self.close()

    # What the exchange does that has it.

    def begin(self, exchange: Exchange) -> bool:
        """``exchange`` serves the request whose head is in the buffer, unless the connection was
        closed while that waited for its turn."""
        if self.state is not State.SERVING:
            return False
        self.exchange = exchange
        self.requests += 1
        self.transport.unyielded = 0
        return True

    def served(self, keep: bool) -> None:
        """The exchange has ended, or goes on without its connection; ``keep`` that for another
        request, unless the client has gone."""
        self.exchange = self._reader = None
        if self.state is State.DETACHED:
            self.close()
        elif self.state is not State.SERVING:
            pass  # it ends already
        elif not keep or (self.gone and not self.buffer):
            self.linger()
        else:
            self.state = State.WAITING
            if not self._watcher.active and not self.gone:
                self._watcher.start(self._on_readable)
            self.server.waits(self)

    def watch(self, reader: Any = None) -> None:
        """Read on, and call ``reader.switch`` in the hub when something has come or the client has
        gone; without a reader, to see the client go."""
        self._reader = reader
        if not self._watcher.active and not self.gone:
            self._watcher.start(self._on_readable)

    def pause(self) -> None:
        """Read nothing until :meth:`watch`."""
        self._watcher.stop()

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

    # How it ends.

    def linger(self) -> None:
        """Close without a reset, which could take the last response from the client: tell it that
        nothing more comes, and read until it closes (RFC 9112, section 9.6). Twice is nothing."""
        if self.state is not State.SERVING:
            return
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
        self.server.closes(self)

    def close(self) -> None:
        """End it now. Closing twice is nothing."""
        if self.state is State.CLOSED:
            return
        self.state = State.CLOSED
        self._watcher.stop()
        self._watcher.close()
        self.transport.sock.close()
        self.server.closed(self)

    def abort(self) -> None:
        """End the request that is being served, if one is: the time of a drain is up."""
        if self.exchange is not None:
            self.exchange.abort()
        else:
            self.close()
