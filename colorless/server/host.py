"""gunicorn's worker as a speaker sees it: its hooks, its access log, its error pages."""

from __future__ import annotations

from typing import Any, Protocol

from gunicorn.glogging import Logger

from colorless.compat import gunicorn
from colorless.server.engine.ports import Host
from colorless.server.engine.transport import Transport


class GunicornHost(Host, Protocol):
    """The worker around a speaker."""

    cfg: Any
    """gunicorn's settings."""

    def count_request(self) -> None:
        """One more, of the ``max_requests`` that this worker may serve."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: BaseException) -> None:
        """Log ``exc``, and send the page that gunicorn has for it."""


class HeadOnly:
    """A transport for the answer to a HEAD request: of each response it sends the head."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def sendall(self, data: bytes) -> None:
        """As the transport's, up to the empty line."""
        head, end, _ = data.partition(b"\r\n\r\n")
        self._transport.sendall(head + end)

    def gettimeout(self) -> float:
        """As the transport's."""
        return self._transport.gettimeout()


def for_error_page(transport: Transport, method: str) -> Transport | HeadOnly:
    """What the error page for a request goes out by."""
    return HeadOnly(transport) if method == "HEAD" else transport


class Hooks:
    """What gunicorn does around each request, where there is something to do."""

    def __init__(self, host: GunicornHost) -> None:
        cfg, log = host.cfg, host.log
        self._host = host
        # gunicorn's own hooks do nothing worth a call.
        self.has_pre_request = cfg.pre_request is not gunicorn.no_pre_request
        self.has_post_request = cfg.post_request is not gunicorn.no_post_request
        # A logger class of the user's may count requests where nothing is written.
        self.logs_access = type(log) is not Logger or bool(log.access_log_enabled)

    def pre_request(self, request: Any) -> None:
        """The application is about to be called. Raises what the hook raises."""
        self._host.cfg.pre_request(self._host, request)

    def post_request(self, request: Any, environ: dict[str, Any], response: Any) -> None:
        """The application has been called."""
        try:
            self._host.cfg.post_request(self._host, request, environ, response)
        except Exception:
            self._host.log.exception("Exception in post_request hook")
