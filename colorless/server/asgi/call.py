"""One call of the application: a request, its ``receive`` and ``send``, and what it leaves."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import TYPE_CHECKING, Any

from gunicorn import util
from gunicorn.asgi.protocol import ASGIResponseInfo
from gunicorn.http.errors import NoMoreData

from colorless.server.asgi.response import Response, informational
from colorless.server.asgi.scope import Head, request_of
from colorless.server.asgi.websocket import WebSocket
from colorless.server.engine.connection import State
from colorless.server.engine.limits import ClientDisconnected, ClientTooSlow

if TYPE_CHECKING:
    from colorless.server.asgi.connection import ASGIConnection

Message = dict[str, Any]


class Disconnected(ClientDisconnected, OSError):
    """Raised by ``send()``: the client has gone. An ``OSError``, as ASGI 2.4 has it."""


class Call:
    """A request and its response.

    It has the connection until the response is complete; what the application does after that
    (background tasks) goes on beside the next request.
    """

    __slots__ = (
        "_grace",
        "_left",
        "_request",
        "_started",
        "_told",
        "_told_all",
        "connection",
        "has_connection",
        "head",
        "response",
        "task",
        "worker",
    )
    head: Head
    response: Response
    task: asyncio.Task[None]
    _started: datetime

    def __init__(self, connection: ASGIConnection) -> None:
        self.connection = connection
        self.worker = connection.worker
        self.has_connection = True
        self._request: Any = None
        self._told = False  # whether the application knows that the client has gone
        self._told_all = False  # whether it has all of the body
        self._left: asyncio.Event | None = None
        self._grace: asyncio.TimerHandle | None = None

    def __str__(self) -> str:
        if not hasattr(self, "head"):
            return "(not read)"
        return f"{self.head.method} {self.head.target.decode('latin-1')}"

    async def run(self) -> None:
        """Serve the request at the start of the connection's buffer."""
        worker, connection = self.worker, self.connection
        try:
            if connection.state is not State.SERVING:
                return  # closed while it waited for its turn
            connection.call = self
            connection.transport.unyielded = 0
            self._read()
            if connection.gone:
                self.client_left()
            if self.head.upgrade:
                await WebSocket(self).serve()
            else:
                await self._call()
        except asyncio.CancelledError:
            self._cancelled()
        except (ClientDisconnected, NoMoreData) as error:
            worker.log.debug("Ignored client disconnection. %s", error)
        except ClientTooSlow as error:
            self._too_slow(error)
        except (Exception, SystemExit, KeyboardInterrupt) as error:
            self._fail(error)
        finally:
            self.release(False)
            worker.crew.left(self)

    def _read(self) -> None:
        worker, connection = self.worker, self.connection
        head = None
        if connection.requests or not worker.expects_proxy:
            head = worker.reader.head(connection)
        if head is None:
            head, self._request = worker.reader.head_as_gunicorn(connection)
        connection.requests += 1
        self.head = head
        self.response = Response(head.method, head.minor)

    async def _call(self) -> None:
        worker, response = self.worker, self.response
        if worker.logs_access:
            self._started = datetime.now()
        if worker.pre_request is not None:
            worker.pre_request(worker, self.request)
        worker.count_request()
        try:
            await worker.asgi(self.head.scope, self.receive, self.send)
        finally:
            if worker.post_request is not None:
                self._post_request(worker.post_request)
        if not response.complete and not self._told:
            how = "in the middle of" if response.status else "without"
            raise RuntimeError(f"the application returned {how} its response")

    @property
    def request(self) -> Any:
        """gunicorn's request, for hooks and the access log."""
        if self._request is None:
            self._request = request_of(self.connection, self.head)
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
                self._write(self.response.head(self._is_last()))
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
            self._write(data)
        if not more:
            self._complete()

    def _write(self, data: bytes) -> None:
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
            self._write(data)

    # How it ends

    def _is_last(self) -> bool:
        """Whether the connection ends with this response."""
        worker, head = self.worker, self.head
        wanted = worker.alive and worker.cfg_keepalive and not head.last
        return not (wanted and head.body.at_end())

    def _complete(self) -> None:
        if self.worker.logs_access:
            self._log_access()
        self.release(not self.response.closes)

    def release(self, keep: bool) -> None:
        """Give the connection up, to another request if ``keep``. Twice is nothing."""
        if not self.has_connection:
            return
        self.has_connection = False
        if self._grace is not None:
            self._grace.cancel()
        if self._left is not None:
            self._left.set()
        if self.connection.call is self:
            self.connection.answered(keep)

    def client_left(self) -> None:
        """The client has closed its side: let the application know, and cancel it later on."""
        if self._left is not None:
            self._left.set()
        seconds = self.worker.cfg.asgi_disconnect_grace_period
        self._grace = self.worker.asyncio_loop.call_later(seconds, self.task.cancel)

    def _cancelled(self) -> None:
        if self.connection.gone:
            self.worker.log.debug("Cancelled, its client has gone: %s", self)
        else:
            self.worker.log.warning("Request cut off by the end of the worker: %s", self)

    def _too_slow(self, error: ClientTooSlow) -> None:
        self.worker.log.debug("Client too slow: %s", error)
        if self._may_answer():
            try:
                util.write_error(self.connection.transport, 408, "Request Timeout", "")
            except (ClientDisconnected, ClientTooSlow) as failure:
                self.worker.log.debug("Failed to send error message: %s", failure)
        self.release(False)

    def _fail(self, error: BaseException) -> None:
        """Log ``error``, and answer as gunicorn does, unless a response has begun."""
        connection = self.connection
        if self._told:
            # Frameworks make an error of their own of it that nobody is there any more.
            self.worker.log.debug("Ignored client disconnection. %r", error)
        elif self._may_answer():
            request = self.request if hasattr(self, "head") else None
            self.worker.handle_error(request, connection.transport, connection.peer, error)
        else:
            self.worker.log.error("Error handling request %s", self, exc_info=error)

    def _may_answer(self) -> bool:
        begun = hasattr(self, "response") and self.response.headers_sent
        return self.has_connection and not begun

    def _log_access(self) -> None:
        response, request = self.response, self.request
        told = ASGIResponseInfo(response.status, response.headers, response.sent)
        environ = self._environ(request)
        self.worker.log.access(told, request, environ, datetime.now() - self._started)

    def _environ(self, request: Any) -> dict[str, Any]:
        if not hasattr(request, "environ"):
            request.environ = request_of(self.connection, self.head).environ
        environ: dict[str, Any] = request.environ
        return environ

    def _post_request(self, hook: Any) -> None:
        request, response = self.request, self.response
        told = ASGIResponseInfo(response.status, response.headers, response.sent)
        try:
            hook(self.worker, request, self._environ(request), told)
        except Exception:
            self.worker.log.exception("Exception in post_request hook")
