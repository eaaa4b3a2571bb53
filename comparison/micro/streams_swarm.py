"""Many stream clients in one process: raw sockets, one epoll, and a count of what arrives.

Reads one JSON command a line: ``{"open": 1000}``, ``{"expect": 20}``, and answers each with a
line. A delivery is one ``data`` block or frame with the mark that the sender put in the message;
its latency is from the moment of sending, by the clock that all processes of a machine share.
"""

import base64
import json
import os
import select
import socket
import statistics
import sys
import time

MARK = b"sent:"
CONNECTING_AT_ONCE = 100


class Swarm:
    """The clients of one kind, ``ws`` or ``sse``."""

    def __init__(self, kind: str, port: int) -> None:
        self.kind = kind
        self.port = port
        self.clients: list[socket.socket] = []
        self.epoll = select.epoll()
        self.by_fd: dict[int, socket.socket] = {}

    def open(self, count: int) -> dict[str, float]:
        """Open clients until there are ``count``, each a user of its own."""
        while len(self.clients) < count:
            several = range(len(self.clients), min(count, len(self.clients) + CONNECTING_AT_ONCE))
            fresh = [self._connect(number) for number in several]
            for client in fresh:
                self._wait_until_ready(client)
            self.clients += fresh
        return {"open": len(self.clients)}

    def expect(self, messages: int) -> dict[str, float]:
        """Wait until every client has had ``messages`` more; latencies in milliseconds."""
        left = messages * len(self.clients)
        latencies: list[float] = []
        while left:
            events = self.epoll.poll(30)
            if not events:
                raise SystemExit(f"{left} deliveries did not come")
            for fd, _ in events:
                data = self.by_fd[fd].recv(65536)
                now = time.monotonic_ns()
                if not data:
                    raise SystemExit("the service closed a stream")
                position = data.find(MARK)
                while position >= 0:
                    start = position + len(MARK)
                    latencies.append((now - int(data[start : start + 20])) / 1e6)
                    left -= 1
                    position = data.find(MARK, start)
        quantiles = statistics.quantiles(latencies, n=100)
        return {"p50": quantiles[49], "p99": quantiles[98], "deliveries": len(latencies)}

    def _connect(self, number: int) -> socket.socket:
        client = socket.create_connection(("127.0.0.1", self.port))
        path = "/v1/stream" if self.kind == "ws" else "/v1/events"
        key = base64.b64encode(os.urandom(16)).decode()
        upgrade = (
            f"Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\n"
        )
        client.sendall(
            f"GET {path} HTTP/1.1\r\nHost: localhost\r\n"
            f"Authorization: Bearer token-{number + 1}\r\n"
            f"{upgrade if self.kind == 'ws' else ''}\r\n".encode()
        )
        return client

    def _wait_until_ready(self, client: socket.socket) -> None:
        data = b""
        while b'"ready"' not in data:
            piece = client.recv(65536)
            if not piece:
                raise SystemExit(f"refused: {data!r}")
            data += piece
        self.epoll.register(client.fileno(), select.EPOLLIN)
        self.by_fd[client.fileno()] = client


def main() -> None:
    """Do what standard input says."""
    swarm = Swarm(sys.argv[1], int(sys.argv[2]))
    for line in sys.stdin:
        ((name, value),) = json.loads(line).items()
        print(json.dumps(getattr(swarm, name)(value)), flush=True)


if __name__ == "__main__":
    main()
