"""How green psycopg2 waits for the server: the callback that it calls for every wait."""

from __future__ import annotations

from collections.abc import Callable

import gevent
import psycopg2
from psycogreen.gevent import gevent_wait_callback
from psycopg2 import extensions

from colorless.deadlines import is_inherited, limit
from colorless.postgres.cancel import Canceller
from colorless.postgres.connection import Connection

Wait = Callable[[extensions.connection], None]


def install(wait: Wait = gevent_wait_callback) -> None:
    """Make psycopg2 wait with ``wait``, for every connection of the process."""
    extensions.set_wait_callback(_observed(wait))


def _observed(wait: Wait) -> Wait:
    """``wait``, noting on the pool's connections who waits, and what an interrupt left behind."""

    def observed(connection: extensions.connection) -> None:
        if not isinstance(connection, Connection):
            return wait(connection)
        connection.user = gevent.getcurrent()
        try:
            if is_inherited():
                with limit(None):
                    wait(connection)
            else:
                wait(connection)
        except psycopg2.Error:
            raise
        except BaseException:
            # psycopg2 is about to close the connection; what the server does for it goes on.
            if connection.get_transaction_status() == extensions.TRANSACTION_STATUS_ACTIVE:
                connection.canceller = Canceller(connection)
            raise
        finally:
            connection.user = None

    return observed
