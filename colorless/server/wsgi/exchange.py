"""One request, from its head in the buffer to the end of its response."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import gevent

from colorless.compat.gunicorn import NoMoreData, write_error
from colorless.server.engine.connection import Connection
from colorless.server.engine.limits import ClientDisconnected, ClientTooSlow
from colorless.server.host import GunicornHost, Hooks, for_error_page
from colorless.server.wsgi.body import finish
from colorless.server.wsgi.environ import EnvironReader
from colorless.server.wsgi.response import Response


@dataclass(slots=True)
class Service:
    """What all requests of a worker are served with."""

    host: GunicornHost
    hooks: Hooks
    reader: EnvironReader
    application: Callable[..., Any]
    cancelled_methods: frozenset[str]


class Exchange:
    """A request and its response."""

    __slots__ = (
        "_aborted",
        "_connection",
        "_environ",
        "_method",
        "_request",
        "_response",
        "_service",
        "_started",
        "_thread",
    )

    def __init__(self, service: Service, connection: Connection) -> None:
        self._service = service
        self._connection = connection
        self._thread = gevent.getcurrent()
        self._request: Any = None
        self._method = ""  # as long as nothing is read
        self._response: Response | None = None
        self._environ: dict[str, Any] = {}
        self._started: datetime | None = None
        self._aborted = False

    def __str__(self) -> str:
        request = self._request
        return f"{request.method} {request.uri}" if request else "(not read)"

    def serve(self) -> bool:
        """Serve the request at the start of the buffer; whether the connection may have another."""
        log = self._service.host.log
        try:
            self._read()
            self._run()
            return self._may_go_on()
        except (ClientDisconnected, NoMoreData) as error:
            if self._may_answer() and not self._connection.gone:
                self._fail(error)  # the application's own: this client is there
            else:
                log.debug("Ignored client disconnection. %s", error)
        except ClientTooSlow as error:
            log.debug("Client too slow: %s", error)
            self._refuse(408, "Request Timeout")
        except BaseException as error:
            self._fail(error)
        finally:
            self._thread = None
        return False

    # What the connection says, in the hub

    def client_left(self, reading: bool) -> None:
        """Interrupt a request that asked for it, where it waits."""
        if not reading and self._connection.cancel_on_disconnect and self._thread is not None:
            self._thread.throw(ClientDisconnected("the client closed the connection"))

    def abort(self) -> None:
        """Kill the green thread."""
        self._aborted = True
        if self._thread is not None:
            self._thread.kill(block=False)

    # What the green thread does

    def _read(self) -> None:
        """Take the request off the connection. Raises what gunicorn's parser raises."""
        service, connection = self._service, self._connection
        request = service.reader.read(connection) if connection.plain else None
        if request is None:
            if connection.buffer.startswith(b"HEAD "):
                self._method = "HEAD"
            self._request, self._response = service.reader.read_as_gunicorn(connection)
        else:
            self._request = request
        self._method = self._request.method

    def _run(self) -> None:
        """Call the application and send what it returns, with gunicorn's hooks around it."""
        service, hooks = self._service, self._service.hooks
        if hooks.logs_access:
            self._started = datetime.now()
        try:
            if hooks.has_pre_request:
                hooks.pre_request(self._request)
            response = self._prepare()
            service.host.count_request()
            self._call(response)
        finally:
            if hooks.has_post_request:
                hooks.post_request(self._request, self._environ, self._response)
            # Too late for it; and it leads back to the environ, a cycle that only the garbage
            # collector could undo.
            self._environ.pop("wsgi.early_hints", None)

    def _prepare(self) -> Response:
        request, connection, response = self._request, self._connection, self._response
        self._environ = request.environ
        if response is None:
            response = Response(request, connection.transport, request.cfg)
            self._environ["wsgi.early_hints"] = response.send_early_hints
            self._response = response
        response.connection = connection
        connection.cancel_on_disconnect = request.method in self._service.cancelled_methods
        return response

    def _call(self, response: Response) -> None:
        result: Any = None
        try:
            result = self._service.application(self._environ, response.start_response)
            if self._connection.detached:
                return
            if isinstance(result, self._environ["wsgi.file_wrapper"]):
                response.write_file(result)
            else:
                for item in result:
                    response.write(item)
            response.close()
        except ClientDisconnected:
            response.status = "499 Client Closed Request"
            raise
        finally:
            # Nothing may interrupt the clean-up that the application has in close().
            self._connection.cancel_on_disconnect = False
            if self._started is not None and response.status is not None:
                taken = datetime.now() - self._started
                self._service.host.log.access(response, self._request, self._environ, taken)
            if hasattr(result, "close"):
                result.close()

    # How it ends

    def _may_go_on(self) -> bool:
        response = self._response
        if self._connection.detached or response is None:
            return False
        if not (response.keeps_alive and response.complete):
            return False
        finish(self._request)
        return True

    def _refuse(self, status: int, reason: str) -> None:
        """Send an error page, unless a response has begun."""
        if self._may_answer():
            try:
                write_error(self._error_page, status, reason, "")
            except (ClientDisconnected, ClientTooSlow) as error:
                self._service.host.log.debug("Failed to send error message: %s", error)

    def _fail(self, error: BaseException) -> None:
        """Log ``error``, and answer as gunicorn does, unless a response has begun."""
        connection, host = self._connection, self._service.host
        if self._aborted and isinstance(error, gevent.GreenletExit):
            host.log.warning("Request cut off by the end of the worker: %s", self)
            self._refuse(503, "Service Unavailable")
        elif self._may_answer():
            host.handle_error(self._request, self._error_page, connection.peer, error)
        elif not (connection.detached and isinstance(error, StopIteration)):
            # Which is how libraries leave a connection that they have taken over.
            host.log.exception("Error handling request %s", self)

    @property
    def _error_page(self) -> Any:
        return for_error_page(self._connection.transport, self._method)

    def _may_answer(self) -> bool:
        if self._connection.detached:
            return False
        return self._response is None or not self._response.headers_sent
