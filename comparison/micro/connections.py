"""What an open connection costs the others: ``python -m comparison.micro.connections``.

The same load, 1,000 requests a second for one row each, over 10, 100, 1,000 and 10,000 kept
connections that take turns. The contender has core 0; PostgreSQL and the clients share core 1.
The CPU of a request should stay flat, and memory grow by as much for each connection.

    python -m comparison.micro.connections colorless_flask,go,node --connections 10 10000
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from comparison import contract, install, machine, roster
from comparison.backends import Backends
from comparison.loads import write_requests
from comparison.measure import Bench
from comparison.process import Server, serving

RATE, SECONDS = 1000.0, 5.0
# Before each level is measured.
WARM_UP = 1.0


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("contenders", nargs="?", default="colorless_flask")
    parser.add_argument("--connections", type=int, nargs="+", default=[10, 100, 1000, 10_000])
    arguments = parser.parse_args()
    install.lab()
    contenders = [(one, install.contender(one)) for one in roster.named(arguments.contenders)]
    server_cpus, load_cpus = machine.split_cpus()
    machine.prepare(load_cpus)
    with Backends(load_cpus) as backends:
        requests = write_requests(backends.folder / "crowd.requests", contract.MESSAGE.sample)
        for one, environment in contenders:
            with serving(one, backends, environment, server_cpus) as server:
                Bench(backends, load_cpus).warm(server, whole_pool=False)
                table = Table(*(title for title, _ in COLUMNS), title=one.name)
                for row in _levels(server, requests.path, arguments.connections):
                    table.add_row(*row)
                Console().print(table)


COLUMNS = (
    ("connections", "{connections:,}"),
    ("answers/s", "{rate:,.0f}"),
    ("p50 ms", "{p50:.1f}"),
    ("p99 ms", "{p99:.1f}"),
    ("µs of CPU", "{micros:.0f}"),
    ("MiB", "{memory:.0f}"),
    ("KiB for each more", "{each:.1f}"),
)


def _levels(server: Server, requests: Path, levels: list[int]) -> Iterator[list[str]]:
    """One row of the table after the other."""
    with _crowd(server.port, requests) as ask:
        before = 0, server.memory()
        for connections in levels:
            ask({"open": connections})
            ask({"rate": RATE, "seconds": WARM_UP})
            cpu = server.usage().cpu
            seen = ask({"rate": RATE, "seconds": SECONDS})
            seen["micros"] = (server.usage().cpu - cpu) / seen["done"] * 1e6
            now = connections, server.memory()
            seen["each"] = (now[1] - before[1]) * 1024 / (now[0] - before[0])
            seen |= {"connections": connections, "memory": now[1]}
            before = now
            yield [text.format(**seen) for _, text in COLUMNS]


@contextmanager
def _crowd(port: int, requests: Path) -> Iterator[Any]:
    """The clients, in a process of their own: a function that tells them what to do."""
    command = [sys.executable, "-m", "comparison.micro.connections_crowd", str(port), str(requests)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    assert process.stdout is not None
    stdin, stdout = process.stdin, process.stdout

    def ask(command: dict[str, float]) -> Any:
        print(json.dumps(command), file=stdin, flush=True)
        line = stdout.readline()
        if not line:
            raise SystemExit("the clients have given up")
        return json.loads(line)

    try:
        yield ask
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    main()
