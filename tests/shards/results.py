"""What came of it: failures as they come, a line for each file, the summary."""

import threading
import time
from collections import Counter, defaultdict
from typing import Any

FAILED = ("failed", "error")
_SLOWEST = 8  # files named in the summary


class Results:
    """Counts for all shards. Each method may be called from any thread."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self._by_file: defaultdict[str, Counter[str]] = defaultdict(Counter)
        self._failed: list[str] = []
        self._skipped: Counter[str] = Counter()
        self._done = 0
        self._begun = time.monotonic()
        self._lock = threading.RLock()

    @property
    def failures(self) -> int:
        """How many tests failed, or could not run."""
        return sum(self.counts[name] for name in FAILED)

    def add(self, report: dict[str, Any]) -> None:
        """A phase of a test is over: its set-up, itself or its clean-up."""
        nodeid, category = report["nodeid"], report["category"]
        file = nodeid.split("::")[0]
        with self._lock:
            self.seconds[file] += report["seconds"]
            if not category:  # a set-up or clean-up that went well is no test
                return
            self.counts[category] += 1
            self._by_file[file][category] += 1
            if category in FAILED:
                self._failed.append(nodeid)
                print(f"\n{'=' * 20} {category}: {nodeid}\n{report['text']}\n", flush=True)
            elif category == "skipped":
                self._skipped[f"{file}: {report.get('text', '')}"] += 1

    def finish(self, file: str, total: int) -> None:
        """All tests of the file have run."""
        with self._lock:
            self._done += 1
            name = file.split("::")[0]
            counts = _said(self._by_file[name]) or "nothing to run"
            if self._by_file[name] or self.seconds[name]:
                print(f"[{self._done}/{total}] {file}: {counts} in {self.seconds[name]:.1f} s")

    def say(self, text: str) -> None:
        """Print between two other lines, not in the middle of one."""
        with self._lock:
            print(text, flush=True)

    def summary(self, shards: int, ended: str = "") -> None:
        """The last lines are those that a person, or a script, looks for."""
        taken = time.monotonic() - self._begun
        slowest = sorted(self.seconds.items(), key=lambda pair: -pair[1])[:_SLOWEST]
        print("\nSlowest files: " + ", ".join(f"{file} {each:.0f} s" for file, each in slowest))
        for reason, number in sorted(self._skipped.items()):
            print(f"skipped {number}: {reason}")
        for nodeid in self._failed:
            print(f"FAILED {nodeid}")
        rest = Counter({k: n for k, n in self.counts.items() if k not in ("passed", *FAILED)})
        print(f"{ended}{taken:.0f} s, {shards} shards" + (f", {_said(rest)}" if rest else ""))
        print(f"{self.counts['passed']} passed, {self.failures} failed", flush=True)


def _said(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {name}" for name, number in sorted(counts.items()))
