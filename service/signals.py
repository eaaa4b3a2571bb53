"""What SIGINT, SIGTERM and SIGHUP do to ``serve``, at each point of its life."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from types import FrameType


class ShutdownSignals:
    """Handles the three signals, so that whatever was started is also stopped.

    Before gunicorn runs, a signal raises ``SystemExit``. While it runs, the first asks it to drain
    and the next to leave at once. Afterwards they change nothing: the end is under way.
    """

    def __init__(self) -> None:
        self.asked = False
        self._gunicorn: subprocess.Popen[bytes] | None = None

    def install(self) -> None:
        """Handle the three signals, until this process ends."""
        signal.signal(signal.SIGINT, self._handle)
        signal.signal(signal.SIGTERM, self._handle)
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup is respected
            signal.signal(signal.SIGHUP, self._handle)

    def hand_over(self, gunicorn: subprocess.Popen[bytes]) -> None:
        """From now on it is gunicorn that is stopped, and then serve ends by itself."""
        self._gunicorn = gunicorn

    def take_back(self) -> bool:
        """gunicorn has ended; whether because it was asked to."""
        asked, self.asked = self.asked, True
        self._gunicorn = None
        return asked

    def _handle(self, number: int, frame: FrameType | None) -> None:
        again, self.asked = self.asked, True
        if self._gunicorn is not None:
            with suppress(ProcessLookupError):
                if again:
                    os.killpg(self._gunicorn.pid, signal.SIGQUIT)
                else:
                    self._gunicorn.send_signal(signal.SIGTERM)
        elif not again:
            raise SystemExit(128 + number)
