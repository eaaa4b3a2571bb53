"""What a call to another service costs: ``python -m comparison.micro.outside``.

CPU time of this process for one GET on a kept connection, 200 at a time, to a server on the other
core that answers with 2 KiB after 20 ms. The ways take turns; a figure is the median of the
rounds. "A bare socket" sends a request that is ready and looks for the last tag of the answer: it
is what no client can be cheaper than.
"""

from colorless.patch import patch_everything

patch_everything()

# ruff: noqa: E402  (nothing may be imported before the patch)
import http.client
import os
import socket
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import urllib3
from geventhttpclient import HTTPClient

from colorless.http import Client
from colorless.tasks import TaskGroup
from comparison import install
from comparison.backends import free_ports, listens, nats_command
from comparison.paths import LOADER

ROUNDS = 5
CALLS = 10  # of each green thread in each round
AT_ONCE = 200
PATH, END = "/page/7/20", b"</html>"
SERVER_CPU = 1

Way = Callable[[], bytes]


def main() -> None:
    """Measure and print."""
    install.lab()
    with _stub() as port:
        os.sched_setaffinity(0, {0})
        ways = {
            "a bare socket": _bare(port),
            "geventhttpclient": _geventhttpclient(port),
            "colorless.http": _ours(port),
            "http.client": _standard(port),
            "urllib3, a pool of the site": _pool(port),
            "urllib3, a pool manager": _manager(port),
        }
        for way in ways.values():
            _micros(way)
        rounds = [{name: _micros(way) for name, way in ways.items()} for _ in range(ROUNDS)]
    ours = statistics.median(costs["colorless.http"] for costs in rounds)
    for name in ways:
        micros = statistics.median(costs[name] for costs in rounds)
        print(f"{name:28} {micros:6.1f} µs of CPU   {micros / ours:4.2f} of colorless.http")


def _micros(way: Way) -> float:
    def calls() -> None:
        for _ in range(CALLS):
            if END not in way():
                raise RuntimeError("this is not the page")

    began = time.process_time()
    with TaskGroup() as group:
        for _ in range(AT_ONCE):
            group.go(calls)
    return (time.process_time() - began) / AT_ONCE / CALLS * 1e6


def _bare(port: int) -> Way:
    idle: list[socket.socket] = []
    request = f"GET {PATH} HTTP/1.1\r\nHost: a\r\n\r\n".encode()

    def call() -> bytes:
        sock = idle.pop() if idle else socket.create_connection(("127.0.0.1", port))
        sock.sendall(request)
        answer = b""
        while END not in answer:
            answer += sock.recv(65536)
        idle.append(sock)
        return answer

    return call


def _ours(port: int) -> Way:
    client, url = Client(), f"http://127.0.0.1:{port}{PATH}"
    return lambda: client.get(url).content


def _standard(port: int) -> Way:
    idle: list[http.client.HTTPConnection] = []

    def call() -> bytes:
        connection = idle.pop() if idle else http.client.HTTPConnection("127.0.0.1", port)
        connection.request("GET", PATH)
        answer = connection.getresponse().read()
        idle.append(connection)
        return answer

    return call


def _pool(port: int) -> Way:
    pool = urllib3.HTTPConnectionPool("127.0.0.1", port, maxsize=AT_ONCE)
    return lambda: pool.request("GET", PATH).data


def _manager(port: int) -> Way:
    manager, url = urllib3.PoolManager(maxsize=AT_ONCE), f"http://127.0.0.1:{port}{PATH}"
    return lambda: manager.request("GET", url).data


def _geventhttpclient(port: int) -> Way:
    client = HTTPClient("127.0.0.1", port, concurrency=AT_ONCE)
    return lambda: bytes(client.get(PATH).read())


@contextmanager
def _stub() -> Iterator[int]:
    """The lab's stand-in for the outside world; the port of its pages."""
    nats_port, port = free_ports(2)
    stub = [str(LOADER), "stub", "-listen", f"127.0.0.1:{port}", "-nats", f"127.0.0.1:{nats_port}"]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for command, its_port in ((nats_command(nats_port), nats_port), (stub, port)):
            pinned = ["taskset", "-c", str(SERVER_CPU), *command]
            processes.append(subprocess.Popen(pinned, stderr=subprocess.DEVNULL))
            while not listens(its_port):
                time.sleep(0.02)
        yield port
    finally:
        for process in processes:
            process.kill()
            process.wait()


if __name__ == "__main__":
    main()
