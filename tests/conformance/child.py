"""Run one module of test.test_asyncio on HubLoop: a process of its own for each module.

    python -m tests.conformance.child MODULE OUTCOMES [TEST …]

One line of JSON goes to the file OUTCOMES when a test starts and one when it has ended, so that
whoever started this process can tell in which test it hung. The named tests are left out.
"""

# ruff: noqa: E402  (the patch comes before every other import)
from colorless.patch import patch_everything

patch_everything()

import asyncio
import asyncio.unix_events
import gc
import json
import sys
import unittest
import warnings
from collections.abc import Iterator
from typing import Any, TextIO

from colorless.loop import HubLoop, HubPolicy


def main() -> None:
    name, outcomes, *done = sys.argv[1:]
    put_hub_loop_in_place()
    from test import support  # type: ignore[import-not-found]

    support.use_resources = []
    suite = unittest.TestSuite()
    loader = unittest.defaultTestLoader
    suite = loader.loadTestsFromName(f"test.test_asyncio.{name}")
    left_out = frozenset(done)
    chosen = loader.suiteClass(list(keep(suite, left_out)))
    # Hundreds of tests collect garbage: let them look through what they have made, and no more.
    gc.freeze()
    with open(outcomes, "a", buffering=1) as file:
        chosen.run(Outcomes(file))
        file.write(json.dumps({"loops": CountedLoop.started}) + "\n")


class CountedLoop(HubLoop):
    """HubLoop, counting how often one was run: the proof that a module tested it at all."""

    started = 0

    def _begin(self, *args: Any) -> None:
        CountedLoop.started += 1
        super()._begin(*args)


CountedLoop.__name__ = CountedLoop.__qualname__ = "HubLoop"


def put_hub_loop_in_place() -> None:
    """Whatever way a test makes a loop, it gets a HubLoop."""
    HubPolicy._loop_factory = CountedLoop
    follow_asyncio()
    for module in (asyncio, asyncio.unix_events):
        for name in ("SelectorEventLoop", "EventLoop"):
            if hasattr(module, name):
                setattr(module, name, CountedLoop)
        module.DefaultEventLoopPolicy = HubPolicy  # type: ignore[attr-defined]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        asyncio.set_event_loop_policy(None)


def follow_asyncio() -> None:
    """Some tests replace functions of asyncio's that are in C: the loop then uses these as well."""
    for module in [it for name, it in sys.modules.items() if name.startswith("colorless.loop.")]:
        for ours, theirs in (
            ("running_loop", "_get_running_loop"),
            ("set_running_loop", "_set_running_loop"),
        ):
            if hasattr(module, ours):
                setattr(module, ours, lambda *args, it=theirs: getattr(asyncio.events, it)(*args))


def keep(suite: unittest.TestSuite, left_out: frozenset[str]) -> Iterator[unittest.TestCase]:
    for item in suite:
        if isinstance(item, unittest.TestSuite):
            yield from keep(item, left_out)
        elif item.id() not in left_out:
            yield item


class Outcomes(unittest.TestResult):
    """Writes down what became of each test."""

    def __init__(self, file: TextIO) -> None:
        super().__init__()
        self.file = file
        self.outcome = "passed"
        self.detail = ""

    def startTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().startTest(test)
        self.outcome, self.detail = "passed", ""
        self.write(test, "started")

    def stopTest(self, test: unittest.TestCase) -> None:  # noqa: N802
        super().stopTest(test)
        self.write(test, self.outcome)

    def addError(self, test: Any, err: Any) -> None:  # noqa: N802
        self.note(test, "failed", self._exc_info_to_string(err, test))  # type: ignore[attr-defined]

    addFailure = addError  # noqa: N815

    def addSkip(self, test: Any, reason: str) -> None:  # noqa: N802
        self.note(test, "skipped", reason)

    def addExpectedFailure(self, test: Any, err: Any) -> None:  # noqa: N802
        self.note(test, "passed", "")

    def addUnexpectedSuccess(self, test: Any) -> None:  # noqa: N802
        self.note(test, "failed", "unexpected success")

    def addSubTest(self, test: Any, subtest: Any, err: Any) -> None:  # noqa: N802
        if err is not None:
            self.addError(test, err)

    def note(self, test: Any, outcome: str, detail: str) -> None:
        if isinstance(test, unittest.TestCase):
            self.outcome, self.detail = outcome, self.detail + detail
        else:  # setUpModule or setUpClass
            self.detail = detail
            self.write(test, outcome)

    def write(self, test: Any, outcome: str) -> None:
        line = {"test": test.id(), "outcome": outcome, "detail": self.detail}
        self.file.write(json.dumps(line) + "\n")


if __name__ == "__main__":
    main()
