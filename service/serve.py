"""Run the service and all it needs: the database, its migrations, gunicorn; and stop them again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

from service.db.embedded import EmbeddedPostgres
from service.db.migrate import migrate
from service.settings import Settings

_CONFIGURATION = Path(__file__).parent.parent / "gunicorn.conf.py"


def serve(settings: Settings) -> int:
    """Serve until SIGINT, SIGTERM or SIGHUP; returns gunicorn's exit status."""
    with _database(settings) as url:
        for migration in migrate(url):
            print(f"applied migration {migration.version:04} {migration.name}", flush=True)
        return _run_gunicorn(url)


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url
        return
    data = Path(settings.data_dir).resolve() / "postgres"
    server = EmbeddedPostgres(data)
    print(f"starting PostgreSQL 18 over {data}", flush=True)
    url = server.start()
    try:
        yield url
    finally:
        server.stop()


def _run_gunicorn(url: str) -> int:
    # A session of its own: Ctrl-C reaches this process only, which then lets gunicorn drain.
    gunicorn = subprocess.Popen(
        [sys.executable, "-m", "gunicorn", "--config", str(_CONFIGURATION)],
        env=os.environ | {"DATABASE_URL": url},
        start_new_session=True,
    )

    def stop(number: int, frame: FrameType | None) -> None:
        gunicorn.send_signal(signal.SIGTERM)

    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, stop)
    return gunicorn.wait()
