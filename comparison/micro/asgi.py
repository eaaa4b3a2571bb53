"""The ASGI worker beside uvicorn, as ratios of one run.

    python -m comparison.micro.asgi [--rounds 5] [--connections 64] [--only json,one_row]

Every server is a process of its own on the lab's first core, started once; the generator and
PostgreSQL have the others. They take turns, one second each, always in the same order (the trap
works off what was asked of it while the others have theirs), and a ratio is the median of the
ratios of the same round: of requests a second, and of CPU time per request. What is served are the
lab's own contenders, each under the command that is named here.
"""

import argparse
import os
import signal
import statistics
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from comparison import contract, install, machine
from comparison.backends import Backends, free_ports, wait_until
from comparison.loads import Generators, RequestFile, write_requests
from comparison.paths import CONTENDERS, REPOSITORY, SHARED
from comparison.process import Server, answers

UVICORN = "-m uvicorn app:app --host 127.0.0.1 --port {port} --http httptools --backlog 4096"
UVICORN += " --no-access-log --log-level warning --ws websockets-sansio --loop "
COLORLESS = "-m colorless run app:app --bind 127.0.0.1:{port} --workers 1 --backlog 4096"
COLORLESS += " --worker-connections 12000 --keep-alive 75 --timeout 0 --log-level warning"
COLORLESS += " --interface asgi"

# One server each: the contender's folder, and Python's arguments.
SERVERS = {
    "uvloop": ("fastapi_asyncpg", UVICORN + "uvloop"),
    "asyncio": ("fastapi_asyncpg", UVICORN + "asyncio"),
    "hub": ("fastapi_asyncpg", COLORLESS),
    "thread pool": ("fastapi_threadpool", UVICORN + "uvloop"),
    "trap": ("fastapi_trap", UVICORN + "uvloop"),
    "trap on the hub": ("fastapi_trap", COLORLESS),
}

# As many connections to the database as requests at once; all servers together may have 400.
POOL_SIZE = 64


@dataclass(frozen=True)
class Claim:
    """Two servers at the same route, and the ratio of their rates that is aimed at."""

    name: str
    endpoint: str
    ours: str
    theirs: str
    goal: float


CLAIMS = [
    Claim("JSON / uvloop's", "json", "hub", "uvloop", 0.95),
    Claim("JSON / stock asyncio's", "json", "hub", "asyncio", 1.0),
    Claim("asyncpg, one row / uvloop's", "message", "hub", "uvloop", 0.95),
    Claim("psycopg2, one row / thread pool's", "message", "trap on the hub", "thread pool", 1.3),
    Claim("psycopg2, pg_sleep / the trap", "slow", "trap on the hub", "trap", 40),
]


@dataclass(frozen=True)
class Sample:
    """One second of load on one server."""

    rate: float
    """Requests a second."""
    cpu: float
    """Microseconds of the server's CPU per request."""
    p99: float
    """Milliseconds."""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=64)
    parser.add_argument("--only", default="json,message,slow", help="routes")
    arguments = parser.parse_args()
    install.lab()
    server_cpus, load_cpus = machine.split_cpus()
    machine.prepare(load_cpus)
    claims = [claim for claim in CLAIMS if claim.endpoint in arguments.only.split(",")]
    cells = list(dict.fromkeys((c.endpoint, s) for c in claims for s in (c.theirs, c.ours)))
    with Backends(load_cpus) as backends, ExitStack() as stack:
        files = request_files(backends)
        servers = {
            name: stack.enter_context(served(name, backends, server_cpus))
            for name in SERVERS
            if any(name == server for _, server in cells)
        }
        samples: dict[tuple[str, str], list[Sample]] = {cell: [] for cell in cells}
        for turn in range(arguments.rounds + 1):
            for endpoint, name in cells:
                sample = load(
                    servers[name], files[endpoint], Generators(load_cpus), arguments.connections
                )
                if turn:  # the first one connects to the database
                    samples[endpoint, name].append(sample)
    report(samples, claims)


def request_files(backends: Backends) -> dict[str, RequestFile]:
    """What is asked of each route."""
    stub = f"127.0.0.1:{backends.stub_port}"
    return {
        endpoint.name: write_requests(backends.folder / endpoint.name, endpoint.sample)
        for endpoint in contract.endpoints(stub)
    }


@contextmanager
def served(name: str, backends: Backends, cpus: set[int]) -> Iterator[Server]:
    """One server, on its core. Raises RuntimeError with its log when it does not start."""
    contender, command = SERVERS[name]
    [port] = free_ports(1)
    path = backends.folder / f"{name}.log"
    pinned = ["taskset", "-c", ",".join(map(str, cpus)), sys.executable]
    with open(path, "wb") as log:
        process = subprocess.Popen(
            [*pinned, *command.format(port=port).split()],
            cwd=CONTENDERS / contender,
            env={
                **os.environ,
                **backends.environment,
                "POOL_SIZE": str(POOL_SIZE),
                "LAB_QUERIES": str(CONTENDERS.parent / "workload" / "queries.json"),
                "PYTHONPATH": f"{SHARED}:{REPOSITORY}",
            },
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        wait_until(name, lambda: answers(port) or process.poll() is not None, path)
        if process.poll() is not None:
            raise RuntimeError(f"{name} ended at once: {path.read_text()[-2000:]}")
        yield Server(process, port)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def load(server: Server, requests: RequestFile, generators: Generators, connections: int) -> Sample:
    """A second of load. Raises RuntimeError when an answer was wrong."""
    before = server.usage()
    seen = generators.closed(server.address, requests, connections, 1)
    used = server.usage().cpu - before.cpu
    if any(seen["errors"].values()):
        raise RuntimeError(f"not every request was answered: {seen}")
    count = max(1, seen["requests"])
    return Sample(count / seen["seconds"], used / count * 1e6, seen["p99"])


def report(samples: dict[tuple[str, str], list[Sample]], claims: list[Claim]) -> None:
    """Medians of each server, then the ratios."""
    print(f"{'':34}{'req/s':>8}{'CPU µs':>8}{'p99 ms':>8}")
    for (endpoint, name), own in samples.items():
        print(f"{endpoint + ', ' + name:34}", end="")
        for field in ("rate", "cpu", "p99"):
            print(f"{statistics.median(getattr(s, field) for s in own):8.1f}", end="")
        print()
    print(f"\n{'':34}{'req/s ×':>8}{'CPU ×':>8}")
    for claim in claims:
        pairs = list(
            zip(
                samples[claim.endpoint, claim.ours],
                samples[claim.endpoint, claim.theirs],
                strict=True,
            )
        )
        rate = statistics.median(a.rate / b.rate for a, b in pairs)
        cpu = statistics.median(a.cpu / b.cpu if b.cpu else 0.0 for a, b in pairs)
        verdict = "met" if rate >= claim.goal else "MISSED"
        print(f"{claim.name:34}{rate:8.2f}{cpu:8.2f}  goal ≥ {claim.goal}: {verdict}")


if __name__ == "__main__":
    main()
