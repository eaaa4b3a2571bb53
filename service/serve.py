"""``serve``: starts the database, runs its migrations, runs gunicorn, and stops them again."""

from __future__ import annotations

import functools
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from colorless.cpus import available_cpus
from service.db.capacity import RESERVE, connections_needed
from service.db.embedded import DEFAULTS, EmbeddedPostgres, EmbeddedPostgresError
from service.db.migrate import migrate
from service.outside.ssrf import AddressPolicy
from service.parent_death import signal_on_parent_death
from service.settings import Settings
from service.signals import ShutdownSignals

_CONFIGURATION = Path(__file__).parent.parent / "gunicorn.conf.py"
_BACKLOG = 2048  # gunicorn's default
_PROBE_EVERY = 0.05  # seconds; guessed: unnoticed by a person, nothing to a CPU


class StartError(Exception):
    """The service cannot be started; the message says why and what to do about it."""


def serve(settings: Settings) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; returns the exit status.

    Raises :class:`StartError`, or psycopg2's error for a database that cannot be used.
    """
    if "MAKELEVEL" in os.environ:
        # make forwards SIGTERM only; if it ends by anything else, this process has to end too.
        signal_on_parent_death(signal.SIGTERM)
    try:
        AddressPolicy(settings.outside_allow)  # otherwise each worker would fail, again and again
    except ValueError as error:
        raise StartError(str(error)) from error
    stopping = ShutdownSignals()
    stopping.install()
    with _listener(settings) as listener, _database(settings) as (url, home):
        for migration in migrate(url):
            print(f"Applied migration {migration.version:04} {migration.name}", flush=True)
        gunicorn = _start_gunicorn(url, listener)
        stopping.hand_over(gunicorn)
        address = _address(listener)
        listener.close()  # gunicorn has a copy; when it closes that one, the port must be closed
        if _wait_until_ready(address, gunicorn):
            print(_welcome(address, home), flush=True)
        status = gunicorn.wait()
        if stopping.take_back():
            return max(status, 0)  # negative: the signal ended gunicorn before it had a handler
        return status if status > 0 else 1


@contextmanager
def _listener(settings: Settings) -> Iterator[socket.socket]:
    """The socket to serve on, bound before anything else is started."""
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    try:
        listener = socket.create_server(
            (settings.host, settings.port), family=family, backlog=_BACKLOG
        )
    except (OSError, OverflowError) as error:
        reason = str(error).partition(" (while")[0].rstrip(".")
        raise StartError(
            f"cannot listen on {settings.host} port {settings.port}: {reason}. "
            "Set HOST or PORT to another address"
        ) from error
    with closing(listener):
        yield listener


@contextmanager
def _database(settings: Settings) -> Iterator[tuple[str, str]]:
    """The URL of the database, and a description of where it is."""
    if settings.database_url is not None:
        yield settings.database_url, "the server at DATABASE_URL"
        return
    data = Path(settings.data_dir).resolve() / "postgres"
    workers = settings.workers or available_cpus()
    max_connections = max(
        int(DEFAULTS["max_connections"]), connections_needed(workers, settings.pool_size) + RESERVE
    )
    server = EmbeddedPostgres(data, {**DEFAULTS, "max_connections": str(max_connections)})
    print(f"Starting PostgreSQL over {data}", flush=True)
    try:
        url = server.start()
    except EmbeddedPostgresError as error:
        raise StartError(str(error)) from error
    try:
        yield url, f"PostgreSQL over {data}, kept between runs"
    finally:
        server.stop()
        print("PostgreSQL is stopped; its data is kept", flush=True)


def _start_gunicorn(url: str, listener: socket.socket) -> subprocess.Popen[bytes]:
    """In a session of its own: Ctrl-C reaches only this process, which makes gunicorn drain."""
    fd = listener.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", _CONFIGURATION, "--bind", f"fd://{fd}"],
        env=os.environ | {"DATABASE_URL": url},
        pass_fds=[fd],
        start_new_session=True,
        preexec_fn=functools.partial(signal_on_parent_death, signal.SIGTERM),
    )


def _address(listener: socket.socket) -> tuple[str, int]:
    """The address at which a program on this machine reaches the service."""
    host, port = listener.getsockname()[:2]
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104


def _wait_until_ready(address: tuple[str, int], gunicorn: subprocess.Popen[bytes]) -> bool:
    """Wait until a worker answers; returns false if gunicorn ends before."""
    while gunicorn.poll() is None:
        probe = http.client.HTTPConnection(*address, timeout=1.0)
        with closing(probe):
            try:
                probe.request("GET", "/livez")
                probe.getresponse()
            except (OSError, http.client.HTTPException):
                time.sleep(_PROBE_EVERY)
            else:
                return True
    return False


def _welcome(address: tuple[str, int], home: str) -> str:
    host, port = address
    url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
    return f"""
  The chat service is ready.

    the page            {url}/
    the API reference   {url}/docs
    is it healthy?      {url}/readyz
    the data            {home}

  Ctrl-C stops it; once more, at once.
"""
