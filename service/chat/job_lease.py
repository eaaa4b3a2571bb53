"""Leases of jobs: a worker has a job for a limited time, and gives it back when it has to end.

A job that raised an error stays leased until its lease ends, so that it is not tried in a loop.
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

# Seconds; several times what any one job may take. After that another worker gets it.
LEASE = 60.0
# Seconds in which a job that is killed is given back; guessed.
_GIVE_BACK_WITHIN = 1.0


@contextmanager
def give_back_if_killed(db: Pool, give_back: Callable[[Connection], None]) -> Iterator[None]:
    """Call ``give_back`` if the block is killed, so that another worker gets the job at once."""
    try:
        yield
    except GreenletExit:
        try:
            with fail_after(_GIVE_BACK_WITHIN), db.connection() as connection:
                give_back(connection)
        except (psycopg2.Error, TimeoutError) as error:
            log.warning("a job waits until its lease ends", error=repr(error))
        raise
