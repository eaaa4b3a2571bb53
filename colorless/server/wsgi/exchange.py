"""One request, from its head in the buffer to the end of its response."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from gevent import GreenletExit
from gunicorn import util
from gunicorn.http.errors import NoMoreData

from colorless.server.engine.head import Request, environ_as_gunicorn, read_as_gunicorn
from colorless.server.engine.limits import ClientDisconnected, ClientTooSlow
from colorless.server.wsgi.body import at_end, give_back
from colorless.server.wsgi.response import Response

if TYPE_CHECKING:
    from colorless.server.engine.connection import Connection
    from colorless.server.gunicorn import WSGIWorker


def serve(worker: WSGIWorker, connection: Connection) -> bool:
    """Serve the request at the start of the buffer; whether the connection may have another."""
    exchange = Exchange(worker, connection)
    try:
        exchange.read()
        exchange.run()
        return exchange.may_go_on()
    except GreenletExit:
        worker.log.warning("Request cut off by the end of the worker: %s", exchange)
    except (ClientDisconnected, NoMoreData) as error:
        worker.log.debug("Ignored client disconnection. %s", error)
    except ClientTooSlow as error:
        worker.log.debug("Client too slow: %s", error)
        exchange.refuse(408, "Request Timeout")
    except BaseException as error:
        exchange.fail(error)
    finally:
        give_back(connection)
    return False


class Exchange:
    """A request and its response."""

    __slots__ = ("connection", "environ", "request", "response", "started", "worker")

    def __init__(self, worker: WSGIWorker, connection: Connection) -> None:
        self.worker = worker
        self.connection = connection
        self.request: Any = None
        self.response: Response | None = None
        self.environ: dict[str, Any] = {}

    def __str__(self) -> str:
        request = self.request
        return f"{request.method} {request.uri}" if request else "(not read)"

    def read(self) -> None:
        """Take the request off the connection. Raises what gunicorn's parser raises."""
        worker, connection = self.worker, self.connection
        if connection.requests or not worker.expects_proxy:
            self.request = worker.reader.read(connection)
        if self.request is None:
            self.request = read_as_gunicorn(connection)
        connection.requests += 1

    def run(self) -> None:
        """Call the application and send what it returns, with gunicorn's hooks around it."""
        worker = self.worker
        if worker.logs_access:
            self.started = datetime.now()
        try:
            if worker.pre_request is not None:
                worker.pre_request(worker, self.request)
            response = self._prepare()
            worker.count_request()
            self._call(response)
        finally:
            if worker.post_request is not None:
                self._post_request(worker.post_request)
            # Too late for it; and it leads back to the environ, a cycle that only the garbage
            # collector could undo.
            self.environ.pop("wsgi.early_hints", None)

    def _prepare(self) -> Response:
        request, connection = self.request, self.connection
        response: Response
        if isinstance(request, Request):
            response = Response(request, connection.transport, self.worker.cfg)
            self.environ = request.environ
            self.environ["wsgi.early_hints"] = response.send_early_hints
        else:
            response, self.environ = environ_as_gunicorn(connection, request)
        response.connection = connection
        self.response = response
        connection.cancel_on_disconnect = request.method in self.worker.limits.cancelled_methods
        return response

    def _call(self, response: Response) -> None:
        result: Any = None
        try:
            result = self.worker.wsgi(self.environ, response.start_response)
            if self.connection.detached:
                return
            if isinstance(result, self.environ["wsgi.file_wrapper"]):
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
            self.connection.cancel_on_disconnect = False
            if self.worker.logs_access and response.status is not None:
                taken = datetime.now() - self.started
                self.worker.log.access(response, self.request, self.environ, taken)
            if hasattr(result, "close"):
                result.close()

    def _post_request(self, hook: Any) -> None:
        try:
            hook(self.worker, self.request, self.environ, self.response)
        except Exception:
            self.worker.log.exception("Exception in post_request hook")

    def may_go_on(self) -> bool:
        """Whether the client may send another request on this connection."""
        response = self.response
        if self.connection.detached or response is None or response.should_close():
            return False
        return response.complete and at_end(self.connection, self.request.body)

    def refuse(self, status: int, reason: str) -> None:
        """Send an error page, unless a response has begun."""
        if self._may_answer():
            try:
                util.write_error(self.connection.transport, status, reason, "")
            except (ClientDisconnected, ClientTooSlow) as error:
                self.worker.log.debug("Failed to send error message: %s", error)

    def fail(self, error: BaseException) -> None:
        """Log ``error``, and answer as gunicorn does, unless a response has begun."""
        connection = self.connection
        if self._may_answer():
            self.worker.handle_error(self.request, connection.transport, connection.peer, error)
        elif not isinstance(error, StopIteration):
            # Which is how libraries leave a connection that they have taken over.
            self.worker.log.exception("Error handling request %s", self)

    def _may_answer(self) -> bool:
        if self.connection.detached:
            return False
        return self.response is None or not self.response.headers_sent
