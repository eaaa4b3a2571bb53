"""Run the modules of test.test_asyncio, each in a process of its own, and read what it reports."""

import json
import os
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

# A module may take this long in seconds without a test beginning or ending, then it hangs.
PATIENCE = 45

# They test other event loops: Windows' ones, and asyncio's selector loop by way of mocks.
OTHER_LOOPS = {
    "test_proactor_events",
    "test_selector_events",
    "test_windows_events",
    "test_windows_utils",
}

PACKAGE = "test.test_asyncio."


@dataclass
class Report:
    """What became of each test of one module, by its name below test.test_asyncio."""

    module: str
    outcomes: dict[str, str] = field(default_factory=dict)
    details: dict[str, str] = field(default_factory=dict)
    loops: int = 0
    seconds: float = 0.0

    def count(self, outcome: str) -> int:
        """How many tests had this outcome."""
        return sum(it == outcome for it in self.outcomes.values())


def modules() -> list[str]:
    """The modules of the interpreter that runs this which are about HubLoop's business."""
    folder = Path(sysconfig.get_path("stdlib"), "test", "test_asyncio")
    if not folder.is_dir():
        raise SystemExit(f"this Python has no {folder}: use one that comes with its test suite")
    return sorted({path.stem for path in folder.glob("test_*.py")} - OTHER_LOOPS)


def run_module(name: str, not_run: Collection[str]) -> Report:
    """Run one module. A test that hangs has failed, and the rest is run without it."""
    report = Report(name)
    for test in not_run:
        if test.startswith(f"{name}."):
            report.outcomes[test] = "failed"
    _run_the_rest(report)
    return report


def run_again(report: Report, tests: Collection[str]) -> None:
    """Run these tests once more, as ``python -m test --rerun`` of CPython's does.

    Many of its tests hold a wait to a second or less, and a busy machine misses that by itself.
    """
    for test in tests:
        del report.outcomes[test]
        report.details.pop(test, None)
    _run_the_rest(report)


def _run_the_rest(report: Report) -> None:
    """Run what has no outcome yet."""
    name, started = report.module, time.monotonic()
    while True:
        with tempfile.NamedTemporaryFile("r", suffix=".jsonl") as outcomes:
            error = _run_child(name, outcomes.name, report.outcomes)
            hung = _read(outcomes, report)
        if hung is None:
            if error:
                report.outcomes[f"{name}.process"] = "failed"
                report.details[f"{name}.process"] = error
            break
        report.outcomes[hung] = "failed"
        report.details[hung] = f"hung or ended the process; {error}"
    report.seconds += time.monotonic() - started


def _run_child(name: str, outcomes: str, done: Collection[str]) -> str:
    """Returns the end of its error output if it did not end well."""
    command = [sys.executable, "-X", "dev", "-W", "ignore", "-m", "tests.conformance.child"]
    tests = [PACKAGE + test for test in done]
    with tempfile.TemporaryFile("w+") as output:
        child = subprocess.Popen(
            [*command, name, outcomes, *tests],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        _wait(child, Path(outcomes))
        output.seek(0)
        return output.read()[-2000:] if child.returncode else ""


def _wait(child: "subprocess.Popen[bytes]", outcomes: Path) -> None:
    while True:
        seen = outcomes.stat().st_size
        try:
            child.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            if outcomes.stat().st_size > seen:
                continue
            os.killpg(child.pid, signal.SIGKILL)
            child.wait()
        return


def _read(outcomes: "tempfile._TemporaryFileWrapper[str]", report: Report) -> str | None:
    """Adds to the report; returns the test that had begun and did not end."""
    running = None
    for text in outcomes:
        line = json.loads(text)
        if "loops" in line:
            report.loops += line["loops"]
            continue
        test = line["test"].removeprefix(PACKAGE)
        if line["outcome"] == "started":
            running = test
            continue
        running = None
        report.outcomes[test] = line["outcome"]
        if line["outcome"] == "failed":
            report.details[test] = line["detail"]
    return running
