"""What SIGINT, SIGTERM and SIGHUP do to ``serve``: before, while and after gunicorn runs."""

from __future__ import annotations

import os
import signal
import subprocess
from contextlib import suppress
from types import FrameType


class ShutdownSignals:
    """Handles the three signals, so that everything that was started is also stopped.

    Before gunicorn runs, a signal raises ``SystemExit``. While it runs, the first signal makes it
    drain (SIGTERM), the next one stop at once (SIGQUIT). Afterwards signals do nothing, since
    ``serve`` is ending already.
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
        """From now on signals stop gunicorn; ``serve`` ends when gunicorn has ended."""
        self._gunicorn = gunicorn

    def take_back(self) -> bool:
        """gunicorn has ended; returns whether a signal had asked for that."""
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
