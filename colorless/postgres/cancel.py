"""End a query in the server when its caller stopped waiting for it.

When a wait is interrupted (a deadline, a kill) psycopg2 closes the connection, but the server
does not notice before the query ends. psycopg2's own ``cancel()`` connects with the GIL held,
which would stop every green thread. libpq 17 has a cancel request that never blocks; this drives
it with the hub's watchers. It needs what the connection knew (address, process, secret, TLS), so
it is prepared while the connection is open.
"""

from __future__ import annotations

import ctypes
from functools import cache

import gevent
import psycopg2
from gevent.socket import wait_read, wait_write

from colorless.compat.psycopg2 import extension_file

_FAILED, _READING, _WRITING, _OK = 0, 1, 2, 3  # PostgresPollingStatusType


def require_cancel() -> None:
    """Raise ``RuntimeError`` when psycopg2's libpq is too old to cancel without blocking."""
    version = psycopg2.extensions.libpq_version()
    if version < 170000:
        raise RuntimeError(
            f"colorless.postgres needs libpq 17 or newer, and psycopg2 here is linked with "
            f"{version // 10000}: pip install 'psycopg2-binary>=2.9.11', which brings its own"
        )


class CancelFailed(psycopg2.OperationalError):
    """The cancel request did not reach the server; its query ends by statement_timeout."""


class Canceller:
    """A prepared cancel request for one connection, which also works once that is closed."""

    def __init__(self, connection: psycopg2.extensions.connection) -> None:
        self._handle = _libpq().PQcancelCreate(connection.pgconn_ptr)

    def cancel(self, timeout: float) -> None:
        """Tell the server to cancel; returns when it has been told. Waits green.

        Raises :class:`CancelFailed`, after ``timeout`` seconds at the latest. May be called once.
        """
        late = CancelFailed(f"the server did not take a cancel request in {timeout:g} s")
        try:
            with gevent.Timeout(timeout, late):
                self._drive()
        finally:
            self.close()

    def close(self) -> None:
        """Free what libpq holds. Closing twice does nothing."""
        handle, self._handle = self._handle, None
        if handle is not None:
            _libpq().PQcancelFinish(handle)

    def __del__(self) -> None:
        self.close()

    def _drive(self) -> None:
        """The loop that libpq's manual prescribes for PQcancelPoll."""
        libpq = _libpq()
        state = _WRITING if libpq.PQcancelStart(self._handle) else _FAILED
        while state != _OK:
            if state == _FAILED:
                message = libpq.PQcancelErrorMessage(self._handle).decode(errors="replace")
                raise CancelFailed(message.strip() or "the cancel request failed")
            wait = wait_read if state == _READING else wait_write
            wait(libpq.PQcancelSocket(self._handle))
            state = libpq.PQcancelPoll(self._handle)


@cache
def _libpq() -> ctypes.CDLL:
    """The libpq that psycopg2 is linked with, found through its extension module."""
    library = ctypes.CDLL(extension_file())
    library.PQcancelCreate.argtypes = [ctypes.c_void_p]
    library.PQcancelCreate.restype = ctypes.c_void_p
    library.PQcancelErrorMessage.argtypes = [ctypes.c_void_p]
    library.PQcancelErrorMessage.restype = ctypes.c_char_p
    for name in ("PQcancelStart", "PQcancelPoll", "PQcancelSocket"):
        getattr(library, name).argtypes = [ctypes.c_void_p]
        getattr(library, name).restype = ctypes.c_int
    library.PQcancelFinish.argtypes = [ctypes.c_void_p]
    library.PQcancelFinish.restype = None
    return library
