"""Taking connections from listening sockets.

When several processes share a socket, all of them wake for a client, and the quickest gets it. So
each takes one client in a turn of the hub, and with requests in flight it hesitates, the longer the
more there are: whoever has less to do is quicker, and the load spreads.
"""

from __future__ import annotations

import errno
from collections.abc import Callable
from typing import Any, Protocol

from gevent import socket

from colorless.compat.gevent import accept
from colorless.server.engine.ports import Host
from colorless.server.engine.settings import Settings
from colorless.sockets import READ

# Seconds of hesitation for each request in flight, and at most; guessed: an idle worker answers
# within 0.1 ms, and a client does not notice 2 ms when it connects.
HESITATION, LONGEST_HESITATION = 0.0002, 0.002
# Without siblings there is nobody to leave connections to; guessed.
ALONE = 64
_NO_DESCRIPTORS = (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM)
# Seconds without accepting after the process ran out of file descriptors; guessed.
BREATHER = 0.5


class Lobby(Protocol):
    """Who takes the clients that have come in."""

    host: Host
    settings: Settings
    loop: Any

    @property
    def has_room(self) -> bool:
        """Whether a new connection is wanted."""

    @property
    def load(self) -> int:
        """Requests in flight."""

    def accepted(self, client: Any, peer: Any, listener: Any) -> object:
        """A client has connected. Raises ``OSError`` if it has gone again."""


class Door:
    """Where clients come in: the listening sockets, opened and shut together."""

    def __init__(self, lobby: Lobby) -> None:
        self._lobby = lobby
        self._acceptors: list[Acceptor] = []
        self._open = False

    def listen(self, listeners: list[socket.socket], tls: Any) -> None:
        """Accept on ``listeners``, speaking TLS with the context ``tls`` unless that is None."""
        self._acceptors += [Acceptor(self._lobby, self, each, tls) for each in listeners]
        self.reopen()

    def wants_more(self) -> bool:
        """Whether to accept a connection now; shuts the door when not."""
        if self._lobby.has_room:
            return True
        self.shut()
        return False

    def shut(self) -> None:
        """Leave new connections to other processes."""
        self._open = False
        for acceptor in self._acceptors:
            acceptor.stop()

    def close(self) -> None:
        """Listen no more: once no process does, clients are refused instead of left waiting."""
        self._open = False
        for acceptor in self._acceptors:
            acceptor.close()

    def reopen(self) -> None:
        """Accept again, unless there is no room. Called after each request."""
        if not self._open and self._lobby.has_room:
            self._open = True
            for acceptor in self._acceptors:
                acceptor.start()


class Acceptor:
    """Accepts on one listening socket, while it is started."""

    def __init__(self, lobby: Lobby, door: Door, sock: Any, tls: Any) -> None:
        self._lobby = lobby
        self._door = door
        self._sock = sock
        self._sock.setblocking(False)
        self._tls = tls
        self._name = sock.getsockname()
        self._shared = lobby.settings.shares_sockets
        self._watcher = lobby.loop.io(sock.fileno(), READ)
        self._timer = lobby.loop.timer(0)

    def start(self) -> None:
        """Accept whenever a client waits."""
        self._watcher.start(self._on_acceptable)

    def stop(self) -> None:
        """Accept nothing until :meth:`start`."""
        self._watcher.stop()
        self._timer.stop()

    def close(self) -> None:
        """Accept nothing ever again; the socket lives on in whichever process has it open."""
        self.stop()
        self._sock.close()

    def _on_acceptable(self) -> None:
        load = self._lobby.load
        if load and self._shared:
            self._later(min(load * HESITATION, LONGEST_HESITATION), self._take_one)
        elif self._shared:
            self._take()
        else:
            for _ in range(ALONE):
                if not self._take():
                    break

    def _take_one(self) -> None:
        self.start()
        self._take()

    def _take(self) -> bool:
        """Accept a connection, if one waits and is wanted."""
        if not self._door.wants_more():
            return False
        try:
            fd, peer = accept(self._sock)
        except (BlockingIOError, ConnectionAbortedError, InterruptedError):
            return False
        except OSError as error:
            if error.errno not in _NO_DESCRIPTORS:
                raise
            self._lobby.host.log.warning("Accepting no connections for %s s: %s", BREATHER, error)
            self._later(BREATHER, self.start)
            return False
        self._welcome(fd, peer)
        return True

    def _later(self, seconds: float, action: Callable[[], object]) -> None:
        self.stop()
        self._timer = self._lobby.loop.timer(seconds)
        self._timer.start(action)

    def _welcome(self, fd: int, peer: Any) -> None:
        client = socket.socket(self._sock.family, self._sock.type, self._sock.proto, fileno=fd)
        try:
            if self._tls is not None:
                # The handshake takes part in the first read: a client that does not finish it
                # holds no more than one that does not finish its request.
                client = self._tls.wrap_socket(
                    client,
                    server_side=True,
                    do_handshake_on_connect=False,
                    suppress_ragged_eofs=self._lobby.settings.suppress_ragged_eofs,
                )
            self._lobby.accepted(client, peer, self._name)
        except OSError:
            # The client was gone before it was greeted.
            client.close()
