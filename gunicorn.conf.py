"""gunicorn's configuration, read before anything else: so the first thing it does is to patch."""

from colorless.patch import patch_everything

patch_everything()

# ruff: noqa: E402  (nothing may be imported before the patch)
import os
from typing import Any

from colorless.cpus import available_cpus
from service.settings import Settings

_settings = Settings.from_environment(os.environ)

wsgi_app = "service.wsgi:app"
bind = f"{_settings.host}:{_settings.port}"
workers = _settings.workers or available_cpus()
worker_class = _settings.worker_class
worker_connections = 10_000
# The master is patched, so the application may be loaded there, once, and its memory shared.
preload_app = True
graceful_timeout = _settings.graceful_timeout
timeout = 30  # a worker whose hub stands still for so long is killed and replaced
keepalive = 75  # longer than the usual proxy's, so that it is the proxy who closes
loglevel = _settings.log_level
control_socket_disable = True
# A heartbeat on disk would stall workers when the disk does.
worker_tmp_dir = "/dev/shm" if os.path.isdir("/dev/shm") else None


def when_ready(server: Any) -> None:
    """Say where to go next."""
    addresses = ", ".join(
        f"http://{listener.sock.getsockname()[0]}:{listener.sock.getsockname()[1]}"
        for listener in server.LISTENERS
    )
    server.log.info("Serving on %s - the page is at /, the API reference at /docs", addresses)
