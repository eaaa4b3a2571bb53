"""What the workers of both colours share: from gunicorn's arbiter to a server, and its end."""

from __future__ import annotations

import os
import signal
import sys
from abc import ABC, abstractmethod
from typing import Any

import gevent
from gevent import hub
from gevent.event import Event
from gunicorn.workers.base import Worker

from colorless.compat.gunicorn import ssl_context
from colorless.patch import patch_everything
from colorless.server import gc_tuning
from colorless.server.engine.connection import Connection
from colorless.server.engine.drain import drain
from colorless.server.engine.limits import Limits
from colorless.server.engine.ports import Speaker
from colorless.server.engine.server import Server
from colorless.server.engine.settings import Settings
from colorless.server.gunicorn.settings import settings_of


class EngineWorker(Worker, ABC):
    """A gunicorn worker that serves on the engine. A subclass says which interface it speaks."""

    limits = Limits()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Made in the worker's process, once it is patched.
        self.server: Server | None = None
        self._stopping: Event | None = None

    @abstractmethod
    def speaker(self, settings: Settings) -> Speaker[Connection]:
        """Who serves the application that was loaded."""

    def init_process(self) -> None:
        """Patch this process, before the application is imported."""
        # That takes a while, in which the arbiter's own handler would swallow the signal.
        signal.signal(signal.SIGTERM, self.handle_exit)
        patch_everything()
        hub.reinit()
        _let_signals_end_children(self.SIGNALS)
        super().init_process()

    # From start to end

    def run(self) -> None:
        """Serve until told to stop, then drain."""
        server = self.prepare()
        stopping = self._stopping = Event()
        tls = ssl_context(self.cfg) if self.cfg.is_ssl else None
        server.listen([listener.sock for listener in self.sockets], tls)
        gc_tuning.settle()
        while self.alive:
            self.notify()
            stopping.wait(1.0)
        drain(server)

    def prepare(self) -> Server:
        """The server of this worker, which listens nowhere yet."""
        # The parser in C is laxer than the one in Python, whatever version of it is installed.
        self.cfg.set("http_parser", "python")
        settings = settings_of(self.cfg, self.limits)
        self.server = Server(self, self.speaker(settings), settings)
        return self.server

    def notify(self) -> None:
        """Tell the arbiter that the hub turns."""
        super().notify()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            sys.exit(0)

    def stop(self) -> None:
        """Serve no new connections, and end :meth:`run` by a drain."""
        self.alive = False
        if self._stopping is not None:
            self._stopping.set()

    def count_request(self) -> None:
        """One more, of the ``max_requests`` that this worker may serve."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.stop()

    # Signals. A handler runs in the middle of whatever runs, so it only leaves word.

    def handle_exit(self, sig: int, frame: Any) -> None:
        """SIGTERM: drain, as soon as there is something to drain."""
        self.alive = False
        if self.booted:
            gevent.get_hub().loop.run_callback_threadsafe(self.stop)

    def handle_quit(self, sig: int, frame: Any) -> None:
        """SIGQUIT, SIGINT: end now."""
        gevent.spawn(super().handle_quit, sig, frame)

    def handle_usr1(self, sig: int, frame: Any) -> None:
        """SIGUSR1: reopen the log files."""
        gevent.spawn(super().handle_usr1, sig, frame)


def refuse_other_protocols(cfg: Any, name: str, instead: str) -> None:
    """Raise ``RuntimeError`` for what the worker class ``name`` would silently not do."""
    if cfg.protocol != "http" or list(cfg.http_protocols) != ["h1"]:
        raise RuntimeError(f"{name}. For HTTP/2 or uwsgi put a proxy in front of it, or {instead}")


def _let_signals_end_children(numbers: list[int]) -> None:
    """In children that the application forks, signals end them.

    They would take one for a request to drain; ``Pool.terminate()`` would wait for ever. One that
    comes before the child is ready for it waits.
    """
    held: list[set[int]] = []

    def hold() -> None:
        held.append(signal.pthread_sigmask(signal.SIG_BLOCK, numbers))

    def let_go() -> None:
        signal.pthread_sigmask(signal.SIG_SETMASK, held.pop())

    def let_end() -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_DFL)
        let_go()

    os.register_at_fork(before=hold, after_in_parent=let_go, after_in_child=let_end)
