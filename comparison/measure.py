"""Measures one cell on one running contender."""

import json
import subprocess
from pathlib import Path

from comparison import contract
from comparison.accounting import Neighbours, Usage
from comparison.backends import SLOW_POOL_SIZE, Backends
from comparison.experiments import Cell, Kind
from comparison.loads import Generators, RequestFile, Result, finish, write_requests
from comparison.process import Server

PROBE_RATE = 50.0
"""Requests per second beside the load. Guessed: enough for a p99 within seconds, and no load."""

POST_RATE = 10.0
"""Messages per second to the streams: each goes to a hundredth of them."""


class Bench:
    """The generators and the request files of one run."""

    def __init__(self, backends: Backends, cpus: set[int]) -> None:
        self.generators = Generators(cpus)
        self.backends = backends
        self._files: dict[str, RequestFile] = {}

    def measure(self, cell: Cell, server: Server, capacity: float) -> Result:
        """What the cell's kind of load saw, with the server's CPU and memory.

        `capacity` is the requests per second that an open loop's rate is a share of. `neighbours`
        are the cores that something else than the lab kept busy meanwhile.
        """
        neighbours = Neighbours()
        result = self._measure(cell, server, capacity)
        return {**result, "neighbours": neighbours.cores()}

    def _measure(self, cell: Cell, server: Server, capacity: float) -> Result:
        before = server.usage()
        if cell.kind is Kind.STREAMS:
            return self._streams(cell, server)
        if cell.kind is Kind.OPEN:
            assert cell.endpoint is not None
            rate = cell.rate or max(1.0, capacity * cell.share)
            file = self._file(cell.endpoint.name)
            seen = self.generators.open(server.address, file, rate, cell.seconds, cell.connections)
            answered = seen["done"]
            result = {"rate": rate, **seen}
        else:
            result = self._closed(cell, server)
            answered = result["requests"] + result.get("probe", {}).get("done", 0)
        cost = _cost(before, server.usage(), answered)
        return {**result, **cost, "memory_mib": server.memory()}

    def _closed(self, cell: Cell, server: Server) -> Result:
        assert cell.endpoint is not None
        file = self._file(cell.endpoint.name)
        if cell.probe is None:
            return self.generators.closed(server.address, file, cell.connections, cell.seconds)
        probe = self.generators.start_open(
            server.address, self._file(cell.probe.name), PROBE_RATE, cell.seconds, 64
        )
        seen = self.generators.closed(server.address, file, cell.connections, cell.seconds)
        return {**seen, "probe": finish(probe)}

    def _streams(self, cell: Cell, server: Server) -> Result:
        before = server.memory()
        process = self.generators.start_streams(
            server.address, cell.levels, POST_RATE, cell.seconds
        )
        levels = [_level(process, server, before) for _ in cell.levels]
        process.wait()
        return {"levels": levels}

    def warm(self, server: Server, whole_pool: bool) -> None:
        """Let a JIT see the code, which fills the pool for short queries; then fill the other.

        That fills by slow queries that fall due nearly at once and are all waited for: a
        closed loop would end by hanging up on them.
        """
        self.generators.closed(server.address, self._file(contract.MESSAGE.name), 64, 1)
        if whole_pool:
            rate, file = SLOW_POOL_SIZE / 0.05, self._file(contract.SLOW.name)
            self.generators.open(server.address, file, rate, 0.05, SLOW_POOL_SIZE)

    def _file(self, name: str) -> RequestFile:
        if name not in self._files:
            stub = f"127.0.0.1:{self.backends.stub_port}"
            known = {endpoint.name: endpoint.sample for endpoint in contract.endpoints(stub)}
            path = Path(self.backends.folder) / f"{name}.requests"
            self._files[name] = write_requests(path, known[name])
        return self._files[name]


def _level(process: subprocess.Popen[str], server: Server, before: float) -> Result:
    """One level of open streams: memory while nothing is posted, then delivery."""
    opened, idle = _line(process), server.memory()
    per_stream = (idle - before) * 1024 / opened["open"] if opened["open"] else None
    return {
        "wanted": opened["wanted"],
        "opened": opened,
        "kib_per_stream": per_stream,
        "memory_mib": idle,
        "delivered": _line(process),
    }


def _line(process: subprocess.Popen[str]) -> Result:
    assert process.stdout is not None
    text = process.stdout.readline()
    if not text:
        raise RuntimeError("the stream generator ended early")
    result: Result = json.loads(text)
    return result


def _cost(before: Usage, after: Usage, answered: int) -> Result:
    cpu = after.cpu - before.cpu
    return {
        "cpu_us": cpu / answered * 1e6 if answered else None,
        "busy": cpu / (after.at - before.at),
    }
