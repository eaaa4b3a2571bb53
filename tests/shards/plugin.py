"""The shard's half: a plugin of pytest that runs the files it is given, one after the other.

The next file is asked for before the last test of this one runs. pytest must know which test
follows: what that one needs too, as the PostgreSQL server of the session, is then kept.
"""

import random
from collections.abc import Iterator
from typing import Any

import pytest

from tests.shards.channel import Channel


def pytest_addoption(parser: pytest.Parser) -> None:
    """What ``tests.shards`` tells a shard."""
    parser.addoption("--shard-channel", type=int, help="descriptor of the way to tests.shards")
    parser.addoption("--shard-seed", help="run the tests of a file in an order made from this")


def pytest_configure(config: pytest.Config) -> None:
    """Take part only where there is somebody to ask for files."""
    descriptor = config.getoption("--shard-channel")
    if descriptor is not None:
        config.pluginmanager.register(Plugin(config, Channel(descriptor)))


class Plugin:
    """Takes the place of pytest's own loop, and tells how each test went.

    Each shard collects the whole suite, as pytest does: since pytest 9.1 the fixtures of a
    ``conftest.py`` belong to what was collected with it, and are not there for a second collection.
    """

    def __init__(self, config: pytest.Config, channel: Channel) -> None:
        self._config = config
        self._channel = channel
        self._seed = config.getoption("--shard-seed")
        self._uncollected: dict[str, list[pytest.CollectReport]] = {}

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Shuffle before pytest brings together again what shares an expensive fixture."""
        if self._seed:
            files = _by_file(items)
            for file, of_file in files.items():
                random.Random(f"{self._seed} {file}").shuffle(of_file)
            items[:] = [item for of_file in files.values() for item in of_file]

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run what is dealt out, until there is no more."""
        items = self._dealt(_by_file(session.items))
        item = next(items, None)
        while item is not None:
            following = next(items, None)
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.shouldstop:
                self._channel.send(stop=True)
                break
            item = following
        return True

    def _dealt(self, files: dict[str, list[pytest.Item]]) -> Iterator[pytest.Item]:
        self._channel.send(files=list(dict.fromkeys([*files, *self._uncollected])))
        while (dealt := self._next()) is not None:
            file, only = dealt["file"], dealt["only"]
            for report in self._uncollected.get(file, ()):
                self._report(report, "error" if report.failed else "skipped", 0)
            items = [it for it in files.get(file, ()) if only is None or it.nodeid in only]
            self._channel.send(collected=file, tests=len(items))
            yield from items

    def _next(self) -> dict[str, Any] | None:
        self._channel.send(ask=True)
        answer = self._channel.receive()
        return answer if answer is not None and answer["file"] is not None else None

    def pytest_runtest_logstart(self, nodeid: str) -> None:
        """Whoever dies now dies of this test."""
        self._channel.send(started=nodeid)

    def pytest_runtest_logfinish(self, nodeid: str) -> None:
        """This test is over, with its fixtures."""
        self._channel.send(finished=nodeid)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """How the set-up, the test or the clean-up went."""
        status = self._config.hook.pytest_report_teststatus(report=report, config=self._config)
        self._report(report, str(status[0]), report.duration)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """What cannot be imported, or says that it is to be skipped: told by who is dealt it."""
        if not report.passed:
            self._uncollected.setdefault(_file(report.nodeid), []).append(report)

    def _report(
        self, report: pytest.TestReport | pytest.CollectReport, category: str, duration: float
    ) -> None:
        message = {"nodeid": report.nodeid, "category": category, "seconds": duration}
        if category in ("failed", "error"):
            sections = [f"--- {title} ---\n{text}" for title, text in report.sections]
            message["text"] = "\n".join([report.longreprtext, *sections])
        elif category == "skipped" and isinstance(report.longrepr, tuple):
            message["text"] = report.longrepr[2]
        self._channel.send(report=message)


def _by_file(items: list[pytest.Item]) -> dict[str, list[pytest.Item]]:
    files: dict[str, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(_file(item.nodeid), []).append(item)
    return files


def _file(nodeid: str) -> str:
    return nodeid.split("::")[0]
