"""The load generators, as functions from what to send to what was seen.

A closed loop (wrk) finds capacity: each connection asks again as soon as it is answered. An open
loop (`load open`) measures latency: requests fall due at a constant rate whatever the server does,
and latency counts from the moment a request was due.
"""

import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from comparison.contract import Exchange
from comparison.paths import LOADER, WRK_SCRIPT

VARIETY = 1000
"""Different requests in one file: enough that no answer is hot because it is the only one."""

PATIENCE = 5
"""Seconds after which an answer counts as an error, in both generators."""

HANGS = 60
"""Seconds after which a generator is given up: several times what the longest cell takes."""

Result = dict[str, Any]


@dataclass(frozen=True)
class RequestFile:
    """Requests on disk, in the one format that both generators read."""

    path: Path
    status: int
    prefix: str
    """How each answer must begin."""


def write_requests(path: Path, sample: Callable[[int], Exchange]) -> RequestFile:
    """Write VARIETY requests; each line is status, needle and raw request."""
    exchanges = [sample(n) for n in range(VARIETY)]
    path.write_text("".join(f"{x.status}\t{x.needle}\t{_raw(x)}\n" for x in exchanges))
    return RequestFile(path, exchanges[0].status, exchanges[0].prefix)


def _raw(exchange: Exchange) -> str:
    lines = [f"{exchange.method} {exchange.path} HTTP/1.1", "Host: lab"]
    body = ""
    if exchange.body is not None:
        body = json.dumps(exchange.body, separators=(",", ":"))
        lines += ["Content-Type: application/json", f"Content-Length: {len(body.encode())}"]
    return "\\r\\n".join([*lines, "", body])


@dataclass(frozen=True)
class Generators:
    """Both generators, on the cores that are not the contender's."""

    cpus: set[int]

    def closed(
        self, address: str, requests: RequestFile, connections: int, seconds: float
    ) -> Result:
        """As many requests as `connections` connections get answered."""
        command = ["wrk", "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s"]
        command += [f"--timeout={PATIENCE}s", "-s", str(WRK_SCRIPT), f"http://{address}/", "--"]
        command += [str(requests.path), str(requests.status), requests.prefix]
        return _last_json(self._start(command))

    def open(
        self, address: str, requests: RequestFile, rate: float, seconds: float, connections: int
    ) -> Result:
        """`rate` requests a second, each answer checked in full."""
        return _last_json(self.start_open(address, requests, rate, seconds, connections))

    def start_open(
        self, address: str, requests: RequestFile, rate: float, seconds: float, connections: int
    ) -> subprocess.Popen[str]:
        """The same, in the background; `finish` reads what it saw."""
        options = ["-address", address, "-requests", str(requests.path), "-rate", f"{rate:.3f}"]
        options += ["-seconds", f"{seconds}", "-connections", str(connections)]
        return self._start([str(LOADER), "open", *options, "-timeout", f"{PATIENCE}s"])

    def start_streams(
        self, address: str, counts: tuple[int, ...], rate: float, seconds: float
    ) -> subprocess.Popen[str]:
        """Open streams and post to them, level by level.

        Prints one line when a level's streams are open and one when its messages have arrived.
        """
        levels = ",".join(map(str, counts))
        options = ["-address", address, "-counts", levels, "-rate", str(rate)]
        return self._start([str(LOADER), "streams", *options, "-seconds", str(seconds)])

    def _start(self, command: list[str]) -> subprocess.Popen[str]:
        cpus = ",".join(map(str, sorted(self.cpus)))
        return subprocess.Popen(
            ["taskset", "-c", cpus, *command],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )


def finish(process: subprocess.Popen[str]) -> Result:
    """Wait for a generator and read its last line. Raises RuntimeError when it failed."""
    return _last_json(process)


def _last_json(process: subprocess.Popen[str]) -> Result:
    try:
        output, errors = process.communicate(timeout=HANGS)
    except subprocess.TimeoutExpired as error:
        process.kill()
        raise RuntimeError(f"{process.args!r} did not end within {HANGS} s") from error
    lines = [line for line in output.splitlines() if line.startswith("{")]
    if process.returncode or not lines:
        raise RuntimeError(f"{process.args!r}: {output[-500:]}{errors[-500:]}")
    result: Result = json.loads(lines[-1])
    return result
