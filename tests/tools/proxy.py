"""A TCP proxy that can be broken: what stands between an application and its server goes wrong."""

from __future__ import annotations

import contextlib
import struct
from types import TracebackType

import gevent
from gevent import socket
from gevent.server import StreamServer
from psycopg2.extensions import make_dsn, parse_dsn

Address = str | tuple[str, int]


class Proxy:
    """Forwards TCP connections from ``host``:``port`` to ``target`` until it is told not to.

    ``target`` is an address, or the path of a Unix socket. ``swallow`` accepts connections and
    never answers; ``mute`` keeps answers back; ``cut`` resets what is connected; ``refuse`` stops
    listening.
    """

    def __init__(self, target: Address) -> None:
        self.target = target
        self.swallows = False
        self.mutes = False
        self._pairs: list[tuple[socket.socket, socket.socket | None]] = []
        self.host, self.port = "127.0.0.1", 0  # any free port
        self.listen()
        self.port = self._server.server_port
        self.dsn = ""

    @classmethod
    def before(cls, url: str) -> Proxy:
        """A proxy before the PostgreSQL server at ``url``; its ``dsn`` leads through it."""
        parameters = parse_dsn(url)
        folder, port = parameters["host"], parameters.get("port", "5432")
        proxy = cls(f"{folder}/.s.PGSQL.{port}")
        proxy.dsn = make_dsn(url, host=proxy.host, port=proxy.port)
        return proxy

    def __enter__(self) -> Proxy:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._server.stop()
        self.cut()

    def swallow(self, on: bool = True) -> None:
        """From now on, take what arrives and forward nothing, as a dead route does."""
        self.swallows = on

    def mute(self) -> None:
        """From now on, keep back what the server answers; it still hears its clients."""
        self.mutes = True

    def listen(self) -> None:
        """Accept connections, again."""
        self._server = StreamServer((self.host, self.port), self._serve)
        self._server.start()

    def refuse(self) -> None:
        """Listen no more: who connects is refused."""
        self._server.stop()

    def cut(self) -> None:
        """Reset every connection that is open now."""
        pairs, self._pairs = self._pairs, []
        for pair in pairs:
            for end in pair:
                if end is not None:
                    _reset(end)

    def _serve(self, client: socket.socket, _address: object) -> None:
        if self.swallows:
            self._pairs.append((client, None))
            self._forward(client, None)
            return
        family = socket.AF_UNIX if isinstance(self.target, str) else socket.AF_INET
        with socket.socket(family, socket.SOCK_STREAM) as server:
            server.connect(self.target)
            self._pairs.append((client, server))
            back = gevent.spawn(self._forward, server, client, answers=True)
            self._forward(client, server)
            back.join()

    def _forward(
        self, source: socket.socket, sink: socket.socket | None, answers: bool = False
    ) -> None:
        try:
            while data := source.recv(65536):
                if sink is not None and not (self.swallows or (answers and self.mutes)):
                    sink.sendall(data)
        except OSError:
            pass  # it was cut
        finally:
            if sink is not None:
                _shut(sink)


def _shut(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it is closed already
        end.shutdown(socket.SHUT_RDWR)


def _reset(end: socket.socket) -> None:
    """Close with RST instead of FIN, and wake whoever waits on it."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    _shut(end)
    end.close()
