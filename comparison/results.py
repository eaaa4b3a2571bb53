"""A finished run, as estimates: what the report, the table and the verdicts read."""

import json
import statistics
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any

from comparison import roster
from comparison.loads import Result
from comparison.roster import Contender
from comparison.runner import Key, Record
from comparison.stats import Estimate, estimate


def _good_rate(result: Result) -> float:
    bad = result["errors"]["status"] + result["errors"]["answer"]
    return float((result["requests"] - bad) / result["seconds"])


def _error_share(result: Result) -> float:
    asked = result.get("requests", result.get("due", 0))
    wrong = sum(result["errors"].values())
    return float(wrong / max(1, asked + wrong))


def _delivery(result: Result, part: str) -> float | None:
    """None when nothing arrived: that is not a latency of zero."""
    delivered = result["delivered"]
    return float(delivered["latency"][part]) if delivered["received"] else None


def _lost(result: Result) -> float:
    return float(result["delivered"]["expected"] - result["delivered"]["received"])


METRICS: dict[str, Callable[[Result], float | None]] = {
    "rate": _good_rate,
    "errors": _error_share,
    "p99": lambda r: r["p99"],
    "open_p50": lambda r: r["latency"]["p50"],
    "open_p99": lambda r: r["latency"]["p99"],
    "probe_p50": lambda r: r["probe"]["latency"]["p50"],
    "probe_p99": lambda r: r["probe"]["latency"]["p99"],
    "cpu": lambda r: None if r["cpu_us"] is None else r["cpu_us"] / 1000,
    "busy": lambda r: r["busy"],
    "memory": lambda r: r["memory_mib"],
    "opened": lambda r: r["opened"]["open"],
    "kib": lambda r: r["kib_per_stream"],
    "delivery_p50": lambda r: _delivery(r, "p50"),
    "delivery_p99": lambda r: _delivery(r, "p99"),
    "lost": _lost,
}
"""Metric to how a result gives it. Rates per second, latencies in ms, `cpu` in ms a request
(which is seconds per 1,000), memory in MiB, `kib` per stream."""


def _read(result: Result, metric: str) -> float | None:
    """None for a metric that this kind of result does not have."""
    try:
        return METRICS[metric](result)
    except KeyError:
        return None


def _expanded(record: Record) -> dict[Key, Result]:
    """The record with one cell, such as streams-1000, for each level of a cell with levels."""
    found: dict[Key, Result] = {}
    for (number, who, cell), result in record.done.items():
        for level in result.get("levels", ()):
            found[number, who, f"{cell}-{level['wanted']}"] = level
        if "levels" not in result:
            found[number, who, cell] = result
    return found


class Results:
    """One run's folder, read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.about: dict[str, Any] = json.loads((folder / "run.json").read_text())
        self._done = _expanded(Record(folder))

    @cached_property
    def contenders(self) -> list[Contender]:
        """Those that were measured, in the order of the report."""
        measured = {contender for _, contender, _ in self._done}
        return [one for one in roster.everyone() if one.name in measured]

    @property
    def rounds(self) -> int:
        """How many rounds there were."""
        return max((number for number, _, _ in self._done), default=0)

    def get(self, contender: str, cell: str, metric: str) -> Estimate | None:
        """The median over rounds; None when no round gave such a value."""
        values = [
            value
            for (_, who, what), result in self._done.items()
            if (who, what) == (contender, cell) and (value := _read(result, metric)) is not None
        ]
        return estimate(values) if values else None

    def value(self, contender: str, cell: str, metric: str) -> float | None:
        """The median alone."""
        found = self.get(contender, cell, metric)
        return found.median if found else None

    def column(self, cell: str, metric: str) -> dict[str, float]:
        """Contender to median, for those that have one."""
        pairs = ((one.name, self.value(one.name, cell, metric)) for one in self.contenders)
        return {name: value for name, value in pairs if value is not None}

    @cached_property
    def neighbours(self) -> float:
        """Cores that something else kept busy: the median over all measurements."""
        found = [result["neighbours"] for result in self._done.values() if "neighbours" in result]
        return statistics.median(found) if found else 0.0

    def failures(self) -> list[tuple[str, str, str]]:
        """Contender, cell and text of everything that could not be measured."""
        return [
            (who, what, result["failed"])
            for (_, who, what), result in self._done.items()
            if "failed" in result
        ]


def newest(folder: Path) -> Path:
    """The last finished full run of all claims. Raises ValueError when there is none."""
    for path in sorted(folder.glob("*/finished"), reverse=True):
        about = json.loads((path.parent / "run.json").read_text())
        if not (about["quick"] or about["claim"] or about["only"]):
            return path.parent
    raise ValueError("no full result yet: python -m comparison run")
