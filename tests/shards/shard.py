"""One shard, seen from outside: a pytest process, and a thread that deals files out to it."""

import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import IO, Any

from tests.shards.channel import Channel
from tests.shards.plan import Plan
from tests.shards.pulse import Pulse
from tests.shards.results import FAILED, Results

_GRACE = 30  # seconds to stop servers and remove folders in; guessed
_LOOK = 1.0  # seconds between two looks whether a silent shard still lives
_LAST_WORDS = 4000  # characters of the output of a shard that died


class Shard:
    """Runs files of the plan until there are none; a process that dies is replaced."""

    def __init__(
        self, number: int, args: Sequence[str], plan: Plan, results: Results, pulse: Pulse
    ) -> None:
        self.number = number
        self.status = 0
        self._args = args
        self._plan = plan
        self._results = results
        self._pulse = pulse
        self._process: subprocess.Popen[bytes] | None = None
        self._ending = False

    def run(self) -> None:
        """Until nothing is left to run. To be called in a thread."""
        while not self._ending and self._run_process():
            self._results.say(f"shard {self.number} starts again")

    def end(self) -> None:
        """Interrupt pytest, which then stops what it has started; kill it if that takes long."""
        self._ending = True
        process = self._process
        if process is None:
            return
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGINT)
        try:
            process.wait(_GRACE)
        except subprocess.TimeoutExpired:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)

    def _run_process(self) -> bool:
        """Whether another process has to take over what this one has left."""
        ours, theirs = socket.socketpair()
        with ours, tempfile.TemporaryFile() as output:
            with theirs:
                self._process = process = self._start(theirs.fileno(), output)
            dealt = _Dealt(self._plan, self._results, self._pulse, Channel(ours.fileno()))
            while (message := _next_message(process, dealt.channel)) is not None:
                dealt.handle(message)
            status = process.wait()
            if self._ending or (status in (0, 1, 5) and not dealt.running):
                return False
            output.seek(0)
            last = output.read().decode(errors="replace")[-_LAST_WORDS:]
            return self._take_over(dealt, status, f"shard {self.number}, status {status}:\n{last}")

    def _start(self, descriptor: int, output: IO[bytes]) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "pytest", "-p", "tests.shards.plugin"]
        command += ["-p", "no:cacheprovider", f"--shard-channel={descriptor}", *self._args]
        return subprocess.Popen(
            command,
            pass_fds=[descriptor],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            process_group=0,  # Ctrl-C is for us; we tell the shards
        )

    def _take_over(self, dealt: "_Dealt", status: int, story: str) -> bool:
        """What a process left behind that ended badly; whether another one is needed."""
        if not dealt.begun:  # it did not like its arguments, or cannot import the tests
            self.status = status
            self._plan.stop()
            self._results.say(story)
            return False
        if not dealt.running:
            self._results.add(_failure("after the last test", story))
            return False
        dealt.blame(story)
        return True


class _Dealt:
    """The files that one process has been given, and how far it is with each."""

    def __init__(self, plan: Plan, results: Results, pulse: Pulse, channel: Channel) -> None:
        self.channel = channel
        self.begun = False
        self._plan = plan
        self._results = results
        self._pulse = pulse
        self._running: dict[str, int] = {}  # tests left; -1 until it is known how many
        self._test = ""
        self._reports: list[dict[str, Any]] = []  # of this test
        self._file = ""
        self._since = 0.0  # when the first test of this file began

    @property
    def running(self) -> bool:
        return bool(self._running)

    def handle(self, message: dict[str, Any]) -> None:
        match message:
            case {"files": files}:
                self.begun = True
                self._plan.begin(files)
            case {"ask": True}:
                self._deal()
            case {"collected": file, "tests": number}:
                self._running[file] = number
                self._close_if_done(file)
            case {"started": nodeid}:
                self._started(nodeid)
            case {"finished": nodeid}:
                self._finished(nodeid)
            case {"report": report} if report["nodeid"] == self._test:
                self._reports.append(report)
            case {"report": report}:
                self._results.add(report)
            case {"stop": True}:
                self._plan.stop()
                self._running.clear()

    def blame(self, text: str) -> None:
        """Charge the test that ran with the death of its process; give the rest back."""
        self._results.add(_failure(self._test or next(iter(self._running)), text))
        self._plan.give_back([file for file in self._running if not self._is_of(file, self._test)])

    def _deal(self) -> None:
        file = self._plan.next()
        if file is not None:
            self._running[file] = -1
        with suppress(BrokenPipeError):
            self.channel.send(file=file, only=None if file is None else self._plan.only(file))

    def _started(self, nodeid: str) -> None:
        self._test = nodeid
        if not self._is_of(self._file, nodeid):
            self._file, self._since = nodeid, time.monotonic()

    def _report(self, nodeid: str) -> None:
        """Tell how a test went, unless it failed while the machine stood still.

        Since the beginning of its file, as it may have been a fixture of the file that failed.
        """
        reports, self._reports = self._reports, []
        failed = any(report["category"] in FAILED for report in reports)
        if failed and self._pulse.missed_since(self._since) and self._plan.postpone(nodeid):
            self._results.say(f"failed while the machine stood still, runs again: {nodeid}")
            return
        for report in reports:
            self._results.add(report)

    def _finished(self, nodeid: str) -> None:
        self._report(nodeid)
        self._test = ""
        for file in list(self._running):
            if self._is_of(file, nodeid):
                self._running[file] -= 1
                self._close_if_done(file)
                return

    def _close_if_done(self, file: str) -> None:
        if self._running[file] == 0:
            del self._running[file]
            self._results.finish(file, self._plan.total)

    @staticmethod
    def _is_of(file: str, nodeid: str) -> bool:
        return file.split("::")[0] == nodeid.split("::")[0]


def _next_message(process: "subprocess.Popen[bytes]", channel: Channel) -> dict[str, Any] | None:
    """None once the process is gone, even if a child of its has inherited the channel."""
    while not channel.has_whole_message():
        readable = select.select([channel.descriptor], [], [], _LOOK)[0]
        if readable:
            break
        if process.poll() is not None:
            return None
    return channel.receive()


def _failure(nodeid: str, text: str) -> dict[str, Any]:
    return {"nodeid": nodeid, "category": "failed", "seconds": 0.0, "text": text}
