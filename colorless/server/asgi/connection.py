"""A client's connection whose requests are served by tasks of the event loop."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from colorless.server.engine.connection import Connection

if TYPE_CHECKING:
    from colorless.server.asgi.call import Call
    from colorless.server.asgi.worker import ASGIWorker

# What a server of this version tells; 2.4: send() raises OSError once the client has gone.
_VERSIONS = {"version": "3.0", "spec_version": "2.4"}


class ASGIConnection(Connection):
    """As the WSGI worker's, but for who serves its requests."""

    __slots__ = ("_scope", "call")
    worker: ASGIWorker

    def __init__(self, worker: ASGIWorker, sock: Any, peer: Any, listener: Any) -> None:
        super().__init__(worker, sock, peer, listener)
        self._scope: dict[str, Any] | None = None
        # The one that this connection waits for.
        self.call: Call | None = None

    def base_scope(self) -> dict[str, Any]:
        """What the scopes of all requests on this connection have in common; copy it."""
        if self._scope is None:
            self._scope = {
                "type": "http",
                "asgi": _VERSIONS,
                "http_version": "1.1",
                "server": _address(self.listener),
                "client": _address(self.peer),
                "scheme": "https" if self.worker.cfg.is_ssl else "http",
                "root_path": self.worker.cfg.root_path,
                "extensions": {},
            }
        return self._scope

    def proxied(self, request: Any) -> None:
        """The PROXY protocol told whom this connection is for."""
        super().proxied(request)
        told = request.proxy_protocol_info
        if told.get("client_addr") is not None:
            self.base_scope()["client"] = (told["client_addr"], told["client_port"])

    def watch(self, reader: Any = None) -> None:
        """Read on, and ``switch`` to ``reader`` with whatever comes; without one, to see the
        client go."""
        self._reader = reader
        if not self._watcher.active and not self.gone:
            self._watcher.start(self._on_readable)

    def pause(self) -> None:
        """Read nothing until :meth:`watch`."""
        self._watcher.stop()

    def answered(self, keep: bool) -> None:
        """Its call has ended, or will do without it; ``keep`` for another request."""
        self.call = None
        self._reader = None
        self._served(keep)

    def _lost(self) -> None:
        super()._lost()
        if self.call is not None:
            self.call.client_left()

    def abort(self) -> None:
        """Cancel the call that it waits for, if there is one: the time of a drain is up."""
        if self.call is not None:
            self.call.task.cancel()
        else:
            self.close()


def _address(told: Any) -> tuple[str, int | None] | None:
    """As ASGI has it: a host and a port; a Unix socket has a path, and its client no name."""
    if isinstance(told, tuple):
        return told[0], told[1]
    return (told, None) if isinstance(told, str) and told else None
