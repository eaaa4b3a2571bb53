"""Database migrations: runs each file in ``migrations/`` once, in order, in a transaction.

A file is ``NNNN_name.sql`` and runs in one transaction with the row that records it. Several
processes may start at once: an advisory lock lets one of them migrate while the others wait.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.resources import files
from typing import NamedTuple

import psycopg2

from colorless.postgres.connect import connect
from colorless.postgres.connection import Connection

_CONNECT_TIMEOUT = 10.0  # seconds; guessed
_LOCK = 7_203_114  # any number that no other program uses in this database

_TABLE = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version    integer PRIMARY KEY,
    name       text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now()
)
"""


class Migration(NamedTuple):
    """One file of ``migrations/``."""

    version: int
    name: str
    sql: str


def migrations() -> list[Migration]:
    """All migrations, in the order in which they run."""
    found = []
    for file in files("service.db").joinpath("migrations").iterdir():
        if file.name.endswith(".sql"):
            version, _, name = file.name.removesuffix(".sql").partition("_")
            found.append(Migration(int(version), name, file.read_text(encoding="utf-8")))
    return sorted(found)


def migrate(url: str) -> list[Migration]:
    """Apply what the database at ``url`` lacks; returns what was applied."""
    with _connection(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s)", (_LOCK,))
        cursor.execute(_TABLE)
        cursor.execute("SELECT version FROM schema_migrations")
        applied = {version for (version,) in cursor.fetchall()}
        missing = [migration for migration in migrations() if migration.version not in applied]
        for migration in missing:
            _apply(cursor, migration)
        return missing


def _apply(cursor: psycopg2.extensions.cursor, migration: Migration) -> None:
    cursor.execute("BEGIN")
    cursor.execute(migration.sql)
    cursor.execute(
        "INSERT INTO schema_migrations (version, name) VALUES (%s, %s)",
        (migration.version, migration.name),
    )
    cursor.execute("COMMIT")


@contextmanager
def _connection(url: str) -> Iterator[Connection]:
    """A connection that is closed at the end, which releases the lock and rolls back."""
    connection = connect(url, _CONNECT_TIMEOUT)
    try:
        yield connection
    finally:
        connection.close()
