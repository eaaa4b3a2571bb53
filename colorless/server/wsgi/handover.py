"""``environ["gunicorn.socket"]``: the client's socket, taken over at the first use."""

from __future__ import annotations

from typing import Any

from colorless.server.engine.connection import Connection


class HandedOver:
    """A socket that is taken from its connection when something is done with it.

    For libraries written for gunicorn's own workers, which simply use that socket (simple-websocket
    does). What was read from it already is received first. New code should call
    ``environ["colorless.connection"].detach()``.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sock: Any = None
        self._rest = b""

    def recv(self, size: int, flags: int = 0) -> bytes:
        """As a socket's."""
        self._take_over()
        if self._rest:
            data, self._rest = self._rest[:size], self._rest[size:]
            return data
        return self._sock.recv(size, flags)

    def recv_into(self, buffer: Any, size: int = 0, flags: int = 0) -> int:
        """As a socket's."""
        view = memoryview(buffer)
        data = self.recv(size or len(view), flags)
        view[: len(data)] = data
        return len(data)

    def __getattr__(self, name: str) -> Any:
        self._take_over()
        return getattr(self._sock, name)

    def _take_over(self) -> None:
        if self._sock is None:
            self._sock, self._rest = self._connection.detach()
