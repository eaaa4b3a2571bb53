"""Runs a plan: contenders in interleaved rounds, every result a line in raw.jsonl.

Odd rounds go through the contenders in order, even rounds backwards (ABBA), so that a machine that
slows down over the run slows everyone alike. A run that was stopped goes on where it ended: what
stands in raw.jsonl is not measured again.
"""

import json
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from comparison.backends import Backends
from comparison.experiments import Cell, Kind, Plan
from comparison.loads import Result
from comparison.measure import Bench
from comparison.process import Server, answers, serving
from comparison.roster import Contender

Key = tuple[int, str, str]
"""Round, contender, cell."""

START_SECONDS = 4.0
"""What starting and warming a contender takes, for the time left. Measured: 3 to 5."""


QUIET = 0.25
"""The part of a core that an idle contender may use: a tick of the kernel's clock is 10 ms."""


class Record:
    """The results of one run, on disk as they come."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "raw.jsonl"
        self.done: dict[Key, Result] = {}
        if self.path.exists():
            for line in self.path.read_text().splitlines():
                row = json.loads(line)
                self.done[row["round"], row["contender"], row["cell"]] = row["result"]

    def add(self, key: Key, result: Result) -> None:
        """Keep a result, at once and for good."""
        self.done[key] = result
        row = {"at": round(time.time(), 1), "round": key[0], "contender": key[1], "cell": key[2]}
        with open(self.path, "a") as out:
            out.write(json.dumps({**row, "result": result}) + "\n")

    def capacity(self, number: int, contender: str, cell: str) -> float:
        """What `cell` found a moment ago, in this round: over a run, a shared machine may change by
        more than the parts of it that are asked for. Else the median of the other rounds, and 0
        when it has not been measured."""
        found: dict[int, float] = {
            when: result["requests"] / result["seconds"]
            for (when, who, what), result in self.done.items()
            if (who, what) == (contender, cell) and "requests" in result
        }
        return found.get(number) or statistics.median(found.values() or [0.0])


class Runner:
    """Measures what the record does not have yet; `tell` hears of each cell and its seconds."""

    def __init__(
        self,
        backends: Backends,
        record: Record,
        server_cpus: set[int],
        load_cpus: set[int],
        tell: Callable[[str, float], None],
    ) -> None:
        self.backends = backends
        self.record = record
        self.server_cpus = server_cpus
        self.bench = Bench(backends, load_cpus)
        self.tell = tell

    def run(self, plan: Plan, contenders: dict[Contender, dict[str, str]]) -> None:
        """All rounds. `contenders` maps each one to the environment that install.py gave."""
        for number in range(1, plan.rounds + 1):
            order = list(contenders)[:: 1 if number % 2 else -1]
            for contender in order:
                cells = [
                    cell
                    for cell in plan.cells
                    if number <= cell.rounds
                    and (number, contender.name, cell.name) not in self.record.done
                ]
                if cells:
                    self._one(number, contender, contenders[contender], cells)

    def _one(
        self,
        number: int,
        contender: Contender,
        environment: dict[str, str],
        cells: list[Cell],
    ) -> None:
        with _Turn(self, contender, environment) as turn:
            for cell in cells:
                self.tell(f"round {number}  {contender.name}  {cell.name}", 0)
                capacity = self.record.capacity(number, contender.name, cell.of)
                try:
                    server = turn.ready(fresh=cell.kind is Kind.STREAMS)
                    result = self.bench.measure(cell, server, capacity)
                except (RuntimeError, ValueError, OSError) as error:
                    # A contender that falls over is a result too, and the others go on.
                    result = {"failed": str(error)[-500:]}
                    turn.end()
                self.record.add((number, contender.name, cell.name), result)
                self.tell("", cell.expected_seconds)
        self.tell("", START_SECONDS)


class _Turn:
    """A contender while it is measured: started when needed, again when it does not recover."""

    def __init__(self, runner: Runner, contender: Contender, environment: dict[str, str]) -> None:
        self.runner = runner
        self.contender = contender
        self.environment = environment
        self._running = ExitStack()
        self._server: Server | None = None

    def __enter__(self) -> "_Turn":
        self.runner.backends.reset()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    def end(self) -> None:
        """Stop the contender; the next cell starts it again."""
        self._server = None
        self._running.close()

    def ready(self, fresh: bool) -> Server:
        """A warm server with nothing left to do. A fresh one has held no stream yet."""
        if self._server is not None and (fresh or not _settles(self._server)):
            self.end()
        if self._server is None:
            r = self.runner
            start = serving(self.contender, r.backends, self.environment, r.server_cpus)
            self._server = self._running.enter_context(start)
            r.bench.warm(self._server, whole_pool=not self.contender.one_at_a_time)
            _settles(self._server)
        return self._server


def _settles(server: Server, patience: float = 2.0) -> bool:
    """Whether no backlog of the last cell is left: /livez answers at once and the core is quiet.

    Some contenders clean up after clients that hung up, as wrk does at its end, and that is not
    the next cell's work.
    """
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        before = server.usage()
        time.sleep(0.05)
        after = server.usage()
        quiet = after.cpu - before.cpu <= QUIET * (after.at - before.at)
        if quiet and answers(server.port, 0.2):
            return True
    return False


def seconds_of(plan: Plan, contenders: int, record: Record) -> float:
    """About how long what is left of a plan takes."""
    once = {cell.name: cell.expected_seconds for cell in plan.cells}
    cells = sum(once[cell.name] * min(cell.rounds, plan.rounds) for cell in plan.cells)
    done = sum(once.get(cell, 0) for _, _, cell in record.done)
    return max(1.0, (START_SECONDS * plan.rounds + cells) * contenders - done)
