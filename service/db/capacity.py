"""Checks at start that PostgreSQL allows the connections of all workers' pools."""

from __future__ import annotations

from contextlib import closing

from colorless.postgres.connect import connect

# Connections of each worker besides its pool: four that read for the streams, one that listens for
# notices, one that sends them.
BESIDE_POOL = 6
# Connections for a migration, and for a person with psql, while the service runs; guessed.
RESERVE = 5

_TIMEOUT = 5.0  # seconds to connect; guessed

_ALLOWED = """
SELECT current_setting('max_connections')::int
     - current_setting('superuser_reserved_connections')::int
     - coalesce(current_setting('reserved_connections', true), '0')::int
"""


class TooFewConnections(RuntimeError):
    """The workers' pools together are larger than what the server allows."""


def connections_needed(workers: int, pool_size: int) -> int:
    """How many connections the service opens when every pool is full, and what it leaves free."""
    return workers * (pool_size + BESIDE_POOL) + RESERVE


def require_capacity(url: str, workers: int, pool_size: int) -> None:
    """Raise :class:`TooFewConnections` when the server at ``url`` allows fewer than are needed.

    Raises psycopg2's ``OperationalError`` when the server cannot be asked.
    """
    with closing(connect(url, _TIMEOUT)) as connection:
        (allowed,) = connection.fetch_one(_ALLOWED, ()) or (0,)
    needed = connections_needed(workers, pool_size)
    if needed > allowed:
        raise TooFewConnections(
            f"PostgreSQL allows {allowed} connections, but {workers} workers with a POOL_SIZE of "
            f"{pool_size}, {BESIDE_POOL} more each and {RESERVE} to spare need {needed}. "
            "Lower WORKERS or POOL_SIZE, or raise the server's max_connections"
        )
