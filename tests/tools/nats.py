"""NATS servers from the wheel: one, or a cluster whose members can be killed and stopped."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import gevent

PROGRAM = Path(sys.executable).with_name("nats-server")


class NatsServer:
    """One server on ports of its own, which it keeps when it is started again."""

    def __init__(self, port: int, cluster_port: int | None = None, routes: str = "") -> None:
        self.port = port
        self._command = [str(PROGRAM), "-a", "127.0.0.1", "-p", str(port)]
        if cluster_port is not None:
            cluster = f"nats://127.0.0.1:{cluster_port}"
            self._command += ["--cluster_name", "test", "--cluster", cluster, "--routes", routes]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it, and wait until it accepts connections."""
        self._process = subprocess.Popen(self._command, stderr=subprocess.DEVNULL)
        with gevent.Timeout(20):
            while not self._listens():
                gevent.sleep(0.02)

    def kill(self) -> None:
        """As a crash does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def fall_silent(self) -> None:
        """Keep the connections and answer nothing: what a partition looks like."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def speak_again(self) -> None:
        """Go on after :meth:`fall_silent`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)

    def _listens(self) -> bool:
        with closing(socket.socket()) as client:
            return client.connect_ex(("127.0.0.1", self.port)) == 0


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on at this moment, all different."""
    with ExitStack() as stack:
        sockets = [
            stack.enter_context(closing(socket.create_server(("127.0.0.1", 0))))
            for _ in range(count)
        ]
        return [each.getsockname()[1] for each in sockets]


@contextmanager
def nats_cluster(count: int) -> Iterator[list[NatsServer]]:
    """So many servers, each connected to all others; one alone needs no cluster."""
    ports, cluster_ports = free_ports(count), free_ports(count)
    routes = ",".join(f"nats://127.0.0.1:{port}" for port in cluster_ports)
    servers = [
        NatsServer(port, cluster_port, routes) if count > 1 else NatsServer(port)
        for port, cluster_port in zip(ports, cluster_ports, strict=True)
    ]
    try:
        for server in servers:
            server.start()
        yield servers
    finally:
        for server in servers:
            server.kill()
