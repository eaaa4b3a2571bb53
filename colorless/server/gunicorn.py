"""The gunicorn worker class: gunicorn's arbiter, sockets, settings, log, hooks and signals.

gunicorn --worker-class colorless.worker.WSGIWorker app:app
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import Any

import gevent
from gevent import hub
from gevent.event import Event
from gunicorn import config
from gunicorn.glogging import Logger
from gunicorn.http import message, wsgi
from gunicorn.sock import ssl_context
from gunicorn.workers.base import Worker

from colorless.patch import patch_everything
from colorless.server import gc_tuning
from colorless.server.engine.accept import Door
from colorless.server.engine.connection import Connection, State
from colorless.server.engine.deadline_queue import Parked
from colorless.server.engine.drain import drain
from colorless.server.engine.head import HeadReader, complete
from colorless.server.engine.limits import Limits
from colorless.server.wsgi.exchange import serve
from colorless.server.wsgi.greenlet_pool import Crew

# How often connections whose time is up are looked for, in seconds; guessed: deadlines are in
# seconds, and the look costs microseconds.
SWEEP = 0.5


class WSGIWorker(Worker):
    """Serves a WSGI application in green threads: fast, and fair to each of its clients."""

    limits = Limits()

    @classmethod
    def check_config(cls, cfg: Any, log: Any) -> None:
        """Refuse what this worker would silently not do."""
        if cfg.protocol != "http" or list(cfg.http_protocols) != ["h1"]:
            raise RuntimeError(
                "colorless.worker.WSGIWorker speaks HTTP/1.1. For HTTP/2 or uwsgi put a proxy in "
                'front of it, or use gunicorn\'s own: worker_class = "gevent"'
            )

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
        self._prepare()
        tls = ssl_context(self.cfg) if self.cfg.is_ssl else None
        self.door.listen(self.sockets, tls)
        self._sweeper.start(self._sweep)
        gc_tuning.settle()
        while self.alive:
            self.notify()
            self._stopping.wait(1.0)
        drain(self)

    def _prepare(self) -> None:
        cfg = self.cfg
        self.loop = gevent.get_hub().loop
        self.door = Door(self)
        self.crew = Crew(cfg.worker_connections, self.door.reopen)
        self.reader = HeadReader(cfg)
        self.idle: Parked[Connection] = Parked(cfg.keepalive)
        self.heads: Parked[Connection] = Parked(self.limits.head_timeout)
        self.closing: Parked[Connection] = Parked(self.limits.linger)
        self.connections: set[Connection] = set()
        self.draining = Event()
        self.base_environ = {
            **wsgi.base_environ(cfg),
            "wsgi.multithread": True,
            "wsgi.url_scheme": "https" if cfg.is_ssl else "http",
            "colorless.draining": self.draining,
        }
        self.pre_request = _hook(cfg.pre_request, config.PreRequest)
        self.post_request = _hook(cfg.post_request, config.PostRequest)
        # A logger class of the user's may count requests where nothing is written.
        self.logs_access = type(self.log) is not Logger or self.log.access_log_enabled
        self.expects_proxy = cfg.proxy_protocol != "off"
        self.cfg_keepalive = bool(cfg.keepalive)
        self.max_head = (cfg.limit_request_line or 1024 * 1024) + (
            cfg.limit_request_fields or message.MAX_HEADERS
        ) * ((cfg.limit_request_field_size or message.DEFAULT_MAX_HEADERFIELD_SIZE) + 2)
        self._stopping = Event()
        self._sweeper = self.loop.timer(SWEEP, SWEEP)

    def notify(self) -> None:
        """Tell the arbiter that the hub turns."""
        super().notify()
        if self.ppid != os.getppid():
            self.log.info("Parent changed, shutting down: %s", self)
            sys.exit(0)

    def stop(self) -> None:
        """Serve no new connections, and end :meth:`run` by a drain."""
        self.alive = False
        self._stopping.set()

    def count_request(self) -> None:
        """One more, of the ``max_requests`` that this worker may serve."""
        self.nr += 1
        if self.nr >= self.max_requests and self.alive:
            self.log.info("Autorestarting worker after current request.")
            self.stop()

    # What happens to connections

    def accepted(self, client: Any, peer: Any, listener: Any) -> None:
        """A client has connected."""
        connection = Connection(self, client, peer, listener)
        self.connections.add(connection)
        self.heads.add(connection)

    def trusts(self, peer: Any) -> bool:
        """Whether ``peer`` is a proxy that may say which scheme its client used."""
        cfg = self.cfg
        return not isinstance(peer, tuple) or message._ip_in_allow_list(
            peer[0], cfg.forwarded_allow_ips, cfg.forwarded_allow_networks()
        )

    def arrived(self, connection: Connection) -> None:
        """There is more in the buffer of a connection that waits: serve it, if a head is whole."""
        if connection.state is not State.WAITING:
            return
        self.idle.discard(connection)
        buffer = connection.buffer
        if complete(buffer, connection.seen) or len(buffer) > self.max_head:
            connection.seen = 0
            connection.state = State.SERVING
            self.heads.discard(connection)
            self.crew.start(connection)
            return
        if connection.seen == 0:
            self.heads.add(connection)
        connection.seen = len(buffer)
        if connection.gone:
            connection.close()

    def serve(self, connection: Connection) -> bool:
        """Serve one request of ``connection``; called in a green thread of the crew."""
        return serve(self, connection)

    def waits(self, connection: Connection) -> None:
        """``connection`` has been served and may send another request."""
        self.idle.add(connection)
        if connection.buffer:
            # It has sent one already. Those that became readable meanwhile come first.
            self.loop.run_callback(self.arrived, connection)

    def closes(self, connection: Connection) -> None:
        """``connection`` has been told that nothing more comes."""
        self.closing.add(connection)

    def closed(self, connection: Connection) -> None:
        """``connection`` is no more."""
        self.connections.discard(connection)
        for parked in (self.idle, self.heads, self.closing):
            parked.discard(connection)

    def _sweep(self) -> None:
        for parked in (self.idle, self.heads, self.closing):
            for connection in parked.expired():
                connection.close()

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


def _hook(hook: Callable[..., Any], setting: type[config.Setting]) -> Callable[..., Any] | None:
    """``hook``, or ``None`` if it is gunicorn's own, which does nothing worth a call."""
    return None if hook is setting.default else hook


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
