"""gunicorn's configuration, read before anything else: so the first thing it does is to patch."""

from colorless.patch import patch_everything

patch_everything()

# ruff: noqa: E402  (nothing may be imported before the patch)
import os
import signal
from typing import Any

import psycopg2

from colorless.cpus import available_cpus
from colorless.tasks import go
from service import logs
from service.db.capacity import require_capacity
from service.settings import Settings

_settings = Settings.from_environment(os.environ)
logs.configure(_settings.log_level, _settings.log_format)

wsgi_app = "service.wsgi:app"
bind = f"{_settings.host}:{_settings.port}"
workers = _settings.workers or available_cpus()
worker_class = _settings.worker_class
worker_connections = 10_000
# The master is patched, so the application may be loaded there, once, and its memory shared.
preload_app = True
graceful_timeout = _settings.graceful_timeout
timeout = 30  # a worker whose hub stands still for so long is killed and replaced
# Positions in a URL: 8190 bytes are some 600 rooms.
limit_request_line = 8190
keepalive = 75  # longer than the usual proxy's, so that it is the proxy who closes
loglevel = _settings.log_level
logger_class = logs.gunicorn_logger(_settings.log_format)
accesslog = _settings.access_log
control_socket_disable = True
# A heartbeat on disk would stall workers when the disk does.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None


def on_starting(server: Any) -> None:
    """Refuse to start with pools that the database could never fill."""
    if _settings.database_url is None:
        return  # the application says so itself
    try:
        require_capacity(_settings.database_url, workers, _settings.pool_size)
    except psycopg2.OperationalError as error:
        # Not a reason to stay away: requests get 503 until the database is there.
        server.log.warning("The database cannot be reached yet: %s", str(error).strip())


def post_worker_init(worker: Any) -> None:
    """Start what runs beside the requests, in the process that serves them."""
    if _is_the_service(worker):
        worker.wsgi.extensions["colorless.background"].start()


def worker_exit(server: Any, worker: Any) -> None:
    """Tell the streams, which no request holds any more, to go elsewhere; meanwhile let what runs
    beside the requests come to its end."""
    if _is_the_service(worker):
        ending = go(worker.wsgi.extensions["colorless.background"].stop, grace=2.0)
        worker.wsgi.extensions["colorless.drain"].run()
        ending.join()


def _is_the_service(worker: Any) -> bool:
    """Not so for a worker that never got to load it, nor for another application that
    `colorless run` serves with these settings."""
    application = getattr(worker, "wsgi", None)
    return "colorless.background" in getattr(application, "extensions", {})


def post_fork(server: Any, worker: Any) -> None:
    """Let a signal end a worker that is not yet able to handle it: it serves nobody so far.

    It would run the master's handler otherwise, which only notes it, in a process where nobody
    looks; the master would then wait for the worker until graceful_timeout.
    """
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGQUIT):
        signal.signal(number, signal.SIG_DFL)
