"""One call of the application: a request, its ``receive`` and ``send``, and what it leaves."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

from colorless.compat.gunicorn import NoMoreData, write_error
from colorless.server.asgi.response import Answer, Response, informational
from colorless.server.asgi.scope import Head
from colorless.server.asgi.shared import Disconnected, Message, Service
from colorless.server.asgi.upgrade import websocket_class
from colorless.server.engine.connection import Connection
from colorless.server.engine.keepalive import keeps_alive
from colorless.server.engine.limits import ClientDisconnected, ClientTooSlow
from colorless.server.host import for_error_page


class Call:
    """A request and its response.

    It has the connection until the response is complete; what the application does after that
    (background tasks) goes on beside the next request.
    """

    __slots__ = (
        "_grace",
        "_head",
        "_left",
        "_request",
        "_started",
        "_told",
        "_told_all",
        "connection",
        "has_connection",
        "response",
        "service",
        "task",
    )

    def __init__(self, service: Service, connection: Connection) -> None:
        self.service = service
        self.connection = connection
        self.has_connection = True
        self.task: asyncio.Task[None] | None = None
        self._head: Head | None = None
        self._request: Any = None
        self.response = Response("GET", 1)  # until the head is read
        self._started: datetime | None = None
        self._told = False  # whether the application knows that the client has gone
        self._told_all = False  # whether it has all of the body
        self._left: asyncio.Event | None = None
        self._grace: asyncio.TimerHandle | None = None

    def __str__(self) -> str:
        if self._head is None:
            return "(not read)"
        return f"{self._head.method} {self._head.target.decode('latin-1')}"

    @property
    def head(self) -> Head:
        """The request, once it is read."""
        assert self._head is not None
        return self._head

    async def run(self) -> None:
        """Serve the request at the start of the connection's buffer."""
        log = self.service.log
        try:
            head = self._read()
            if self.connection.gone:
                self.client_left()
            websocket = websocket_class(self.service.log) if head.upgrade else None
            if websocket is not None:
                await websocket(self).serve()
            else:
                await self._call(head)
        except (ClientDisconnected, NoMoreData) as error:
            if isinstance(error, Disconnected) or self._told or self.connection.gone:
                log.debug("Ignored client disconnection. %s", error)
            else:
                self._fail(error)  # the application's own: this client is there
        except ClientTooSlow as error:
            self._too_slow(error)
        except BaseException as error:
            self._fail(error)
        finally:
            self.release(False)

    def _read(self) -> Head:
        connection, reader = self.connection, self.service.reader
        head = reader.head(connection) if connection.plain else None
        if head is None:
            if connection.buffer.startswith(b"HEAD "):
                self.response = Response("HEAD", 1)
            head, self._request = reader.head_as_gunicorn(connection)
        self._head = head
        self.response = Response(head.method, head.minor)
        return head

    async def _call(self, head: Head) -> None:
        service, response = self.service, self.response
        hooks = service.hooks
        if hooks.logs_access:
            self._started = datetime.now()
        if hooks.has_pre_request:
            hooks.pre_request(self.request)
        service.host.count_request()
        try:
            await service.application(head.scope, self.receive, self.send)
        finally:
            if hooks.has_post_request:
                request = self.request
                hooks.post_request(request, self._environ(request), Answer(response))
        if not response.complete and not self._told:
            how = "in the middle of" if response.status else "without"
            raise RuntimeError(f"the application returned {how} its response")

    @property
    def request(self) -> Any:
        """gunicorn's request, for hooks and the access log."""
        if self._request is None:
            self._request = self.service.reader.request_of(self.connection, self.head)
        return self._request

    # What the application calls

    async def receive(self) -> Message:
        """ASGI's ``receive``."""
        if self.has_connection and not self._told_all:
            return self._receive_body()
        if self.has_connection and not self.connection.gone:
            if self._left is None:
                self._left = asyncio.Event()
                self.connection.watch()
            await self._left.wait()
        self._told = self._told or self.connection.gone
        return {"type": "http.disconnect"}

    def _receive_body(self) -> Message:
        body = self.head.body
        try:
            data = body.read()
        except (ClientDisconnected, NoMoreData):
            self._told = True
            return {"type": "http.disconnect"}
        except ClientTooSlow as error:
            self._told = True
            self._too_slow(error)
            return {"type": "http.disconnect"}
        self._told_all = body.ended
        return {"type": "http.request", "body": data, "more_body": not self._told_all}

    async def send(self, message: Message) -> None:
        """ASGI's ``send``. Waits, green, while the client does not take what was sent."""
        kind = message["type"]
        if kind == "http.response.body":
            self._send_body(message.get("body", b""), message.get("more_body", False))
        elif kind == "http.response.start":
            self.response.start(message["status"], message.get("headers", ()))
            self.head.body.expected = False
            if self.response.streams:
                self.write(self.response.head(self._is_last()))
        elif kind == "http.response.informational":
            self._send_early(message)
        else:
            raise RuntimeError(f"the application sent {kind!r}, which HTTP has no use for")

    def _send_body(self, body: bytes, more: bool) -> None:
        response = self.response
        data = response.piece(body, more)
        if not response.headers_sent:
            data = response.head(self._is_last()) + data
        if data:
            self.write(data)
        if not more:
            self._complete()

    def write(self, data: bytes) -> None:
        """Send all of ``data``, waiting green. Raises :class:`Disconnected`."""
        if not self.has_connection:
            self._told = True
            raise Disconnected("before its response")
        try:
            self.connection.transport.sendall(data)
        except ClientDisconnected as error:
            self._told = True
            raise Disconnected(*error.args) from error

    def _send_early(self, message: Message) -> None:
        if self.response.status:
            raise RuntimeError("the application sent a 1xx response after its own had started")
        data = informational(message["status"], message.get("headers", ()))
        if self.head.minor:
            self.write(data)

    # What the connection says, in the hub

    def client_left(self, reading: bool = False) -> None:
        """Let the application know, and cancel it later on."""
        if self._left is not None:
            self._left.set()
        if self._grace is not None:
            return
        seconds = self.service.cfg.asgi_disconnect_grace_period
        self._grace = self.service.loop.call_later(seconds, self.abort)

    def abort(self) -> None:
        """Cancel the task."""
        if self.task is not None:
            self.task.cancel()

    # How it ends

    def _is_last(self) -> bool:
        """Whether the connection ends with this response."""
        head = self.head
        return head.closes or not keeps_alive(
            head.method,
            (1, head.minor),
            head.connection_field,
            wanted=self.connection.server.wants_more,
            framed=not self.response.closes,
            body_ends=head.body.ends(),
        )

    def _complete(self) -> None:
        if self._started is not None:
            self._log_access(self._started)
        keep = not self.response.closes
        if keep:
            self.head.body.finish()
        self.release(keep)

    def release(self, keep: bool) -> None:
        """Give the connection up, to another request if ``keep``. Twice is nothing."""
        if not self.has_connection:
            return
        self.has_connection = False
        if self._grace is not None:
            self._grace.cancel()
        if self._left is not None:
            self._left.set()
        if self.connection.exchange is self:
            self.connection.served(keep)

    def _too_slow(self, error: ClientTooSlow) -> None:
        self.service.log.debug("Client too slow: %s", error)
        self._refuse(408, "Request Timeout")
        self.release(False)

    def _refuse(self, status: int, reason: str) -> None:
        """Send an error page, unless a response has begun."""
        if self._may_answer():
            try:
                write_error(self._error_page, status, reason, "")
            except (ClientDisconnected, ClientTooSlow) as error:
                self.service.log.debug("Failed to send error message: %s", error)

    def _fail(self, error: BaseException) -> None:
        """Log ``error``, and answer as gunicorn does, unless a response has begun."""
        connection, service = self.connection, self.service
        if self._told:
            # Frameworks make an error of their own of it that nobody is there any more.
            service.log.debug("Ignored client disconnection. %r", error)
        elif isinstance(error, asyncio.CancelledError) and self._grace is not None:
            service.log.debug("Cancelled, its client has gone: %s", self)
        elif isinstance(error, asyncio.CancelledError) and connection.server.draining.is_set():
            service.log.warning("Request cut off by the end of the worker: %s", self)
            self._refuse(503, "Service Unavailable")
        elif self._may_answer():
            request = None if self._head is None else self.request
            service.host.handle_error(request, self._error_page, connection.peer, error)
        else:
            service.log.error("Error handling request %s", self, exc_info=error)

    @property
    def _error_page(self) -> Any:
        return for_error_page(self.connection.transport, self.response.method)

    def _may_answer(self) -> bool:
        return self.has_connection and not self.response.headers_sent

    def _log_access(self, started: datetime) -> None:
        request = self.request
        environ = self._environ(request)
        taken = datetime.now() - started
        self.service.log.access(Answer(self.response), request, environ, taken)

    def _environ(self, request: Any) -> dict[str, Any]:
        if not hasattr(request, "environ"):
            request.environ = self.service.reader.request_of(self.connection, self.head).environ
        environ: dict[str, Any] = request.environ
        return environ
