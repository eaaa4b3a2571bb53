"""The shard's half: a plugin of pytest that runs the files it is given, one after the other.

The next file is asked for before the last test of this one runs. pytest must know which test
follows: what that one needs too, as the PostgreSQL server of the session, is then kept.
"""

import random
from collections.abc import Iterator

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
    """Takes the place of pytest's own loop, and tells how each test went."""

    def __init__(self, config: pytest.Config, channel: Channel) -> None:
        self._config = config
        self._channel = channel
        self._seed = config.getoption("--shard-seed")
        self._begun = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection(self, session: pytest.Session) -> None:
        """At first collect nothing, and say where pytest would have looked."""
        if not self._begun:
            self._begun = True
            self._channel.send(args=session.config.args)
            session.config.args = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Shuffle before pytest brings together again what shares an expensive fixture."""
        if self._seed and items:
            random.Random(f"{self._seed} {items[0].path.name}").shuffle(items)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        """Run what is dealt out, until there is no more."""
        items = self._items(session)
        item = next(items, None)
        while item is not None:
            following = next(items, None)
            session.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if session.shouldfail or session.shouldstop:
                self._channel.send(stop=True)
                break
            item = following
        return True

    def _items(self, session: pytest.Session) -> Iterator[pytest.Item]:
        collected = 0
        while (file := self._next_file()) is not None:
            session.config.args = [file]
            session.config.hook.pytest_collection(session=session)
            items = list(session.items)
            collected += len(items)
            session.testscollected = collected
            self._channel.send(collected=file, tests=len(items))
            yield from items

    def _next_file(self) -> str | None:
        self._channel.send(ask=True)
        answer = self._channel.receive()
        return None if answer is None else answer["file"]

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
        """A file that cannot be imported is an error; that it can is not worth a word."""
        if report.failed:
            self._report(report, "error", 0)
        elif report.skipped:
            self._report(report, "skipped", 0)

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
