"""The tests that are known not to pass, each with its reason (deviations.toml)."""

from __future__ import annotations

import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.conformance.modules import Report

FILE = Path(__file__).with_name("deviations.toml")


@dataclass
class Deviations:
    """``expected``: tests that fail, by name. ``not_run``: those that would hang the process.

    ``sometimes``: those of the expected ones that may as well pass.
    """

    expected: dict[str, str]
    not_run: frozenset[str]
    sometimes: frozenset[str]

    @classmethod
    def read(cls) -> Deviations:
        """What deviations.toml says about the interpreter that runs this."""
        version = "{}.{}".format(*sys.version_info)
        expected: dict[str, str] = {}
        not_run: set[str] = set()
        sometimes: set[str] = set()
        for entry in tomllib.loads(FILE.read_text())["deviation"]:
            if version not in entry.get("pythons", [version]):
                continue
            for test in entry["tests"]:
                expected[test] = entry["reason"]
                if entry.get("hangs", False):
                    not_run.add(test)
                if entry.get("sometimes", False):
                    sometimes.add(test)
        return cls(expected, frozenset(not_run), frozenset(sometimes))

    def unexpected_failures(self, report: Report) -> list[str]:
        """The tests that failed and are not listed."""
        failed = {test for test, outcome in report.outcomes.items() if outcome == "failed"}
        return sorted(failed - self.expected.keys())

    def surprises(self, report: Report) -> Iterator[str]:
        """What to change: in the loop if an unlisted test fails, in the list if a listed passes."""
        for test in self.unexpected_failures(report):
            yield f"FAILED, and not listed: {test}\n{report.details.get(test, '')}"
        for test, outcome in sorted(report.outcomes.items()):
            if outcome == "passed" and test in self.expected.keys() - self.sometimes:
                yield f"PASSED, but listed as failing: {test}; take it off {FILE.name}"
