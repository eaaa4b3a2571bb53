"""Work that is lent to a worker: for how long, and how it comes back when the worker has to end.

Work that raised an error stays lent until its lease ends, so that it is not tried in a loop.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import psycopg2
import structlog
from gevent import GreenletExit

from colorless.deadlines import fail_after
from colorless.postgres import Connection, Pool

log = structlog.get_logger("service.job_lease")

# Seconds; several times what any one piece of work may take. Then another worker has it.
LEASE = 60.0
# Seconds in which a worker that is told to end gives its work back; guessed.
_FAREWELL = 1.0


@contextmanager
def give_back_if_killed(db: Pool, give_back: Callable[[Connection], None]) -> Iterator[None]:
    """Give the work back if the block is killed, so that another worker has it at once."""
    try:
        yield
    except GreenletExit:
        try:
            with fail_after(_FAREWELL), db.connection() as connection:
                give_back(connection)
        except (psycopg2.Error, TimeoutError) as error:
            log.warning("work waits until its lease ends", error=repr(error))
        raise
