"""Many clients with kept connections in one process: one epoll, and requests at a constant rate.

Reads one JSON command a line: ``{"open": 1000}``, ``{"rate": 1000, "seconds": 5}``, and answers
each with a line. The connections take turns, so that each was idle as long as can be. Latency
counts from the moment when a request was due.
"""

from __future__ import annotations

import gc
import json
import select
import socket
import statistics
import sys
import time
from pathlib import Path
from typing import Any

PATIENCE = 5.0


class Crowd:
    """The clients."""

    def __init__(self, port: int, requests: list[bytes]) -> None:
        self._port = port
        self._requests = requests
        self._clients: list[socket.socket] = []
        self._epoll = select.epoll()
        self._asked: dict[int, float] = {}  # descriptor to the time when its request was due
        self._latencies: list[float] = []
        self._turn = 0

    def open(self, count: int) -> dict[str, float]:
        """Connect until there are ``count`` clients, and let each ask once."""
        began = time.monotonic()
        while len(self._clients) < count:
            client = socket.create_connection(("127.0.0.1", self._port), timeout=PATIENCE)
            self._clients.append(client)
            self._epoll.register(client, select.EPOLLIN)
            self._ask(len(self._clients) - 1, time.monotonic())
            self._listen(0)
        self._wait_for_all()
        return {"seconds": time.monotonic() - began}

    def ask(self, rate: float, seconds: float) -> dict[str, float]:
        """Send requests at ``rate`` a second; latencies in milliseconds."""
        self._latencies.clear()
        began = time.monotonic()
        for number in range(round(rate * seconds)):
            due = began + number / rate
            while (left := due - time.monotonic()) > 0:
                self._listen(left)
            self._ask(self._turn % len(self._clients), due)
            self._turn += 1
        self._wait_for_all()
        quantiles = statistics.quantiles(self._latencies, n=100)
        done = len(self._latencies)
        return {
            "done": done,
            "rate": done / (time.monotonic() - began),
            "p50": quantiles[49],
            "p99": quantiles[98],
        }

    def _ask(self, index: int, due: float) -> None:
        client = self._clients[index]
        while (
            client.fileno() in self._asked
        ):  # few clients, and a slow server: its turn comes later
            self._listen(PATIENCE)
        self._asked[client.fileno()] = due
        client.sendall(self._requests[self._turn % len(self._requests)])

    def _listen(self, seconds: float) -> None:
        for fd, _ in self._epoll.poll(seconds):
            answer = socket.socket.recv(self._by_fd(fd), 65536)
            if not answer.startswith(b"HTTP/1.1 200"):
                raise SystemExit(f"no answer: {answer[:200]!r}")
            self._latencies.append((time.monotonic() - self._asked.pop(fd)) * 1e3)

    def _by_fd(self, fd: int) -> socket.socket:
        # They were opened one after the other and nothing else was.
        return self._clients[fd - self._clients[0].fileno()]

    def _wait_for_all(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while self._asked:
            if time.monotonic() > deadline:
                raise SystemExit(f"{len(self._asked)} requests have no answer")
            self._listen(0.1)


def main() -> None:
    """Obey."""
    gc.disable()  # a pause of this process would be taken for one of the server's
    _, port, file = sys.argv
    lines = Path(file).read_text().splitlines()
    requests = [line.split("\t")[2].replace("\\r\\n", "\r\n").encode() for line in lines]
    crowd = Crowd(int(port), requests)
    for line in sys.stdin:
        command: dict[str, Any] = json.loads(line)
        if "open" in command:
            answer = crowd.open(command["open"])
        else:
            answer = crowd.ask(command["rate"], command["seconds"])
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
