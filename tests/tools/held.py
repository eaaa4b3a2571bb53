"""Make requests slow for as long as a test wants: hold a lock that every new message needs."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

import psycopg2

_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'messages'::regclass"


@contextmanager
def messages_held(url: str) -> Iterator[Callable[[int], None]]:
    """While the block runs, nobody can post in the database at ``url``.

    Yields a function that returns once that many posts wait for the lock.
    """
    connection = psycopg2.connect(url)
    cursor = connection.cursor()

    def wait_for(posts: int) -> None:
        until = time.monotonic() + 30
        waiting = -1
        while waiting != posts:
            assert time.monotonic() < until, f"{waiting} posts wait for the lock, not {posts}"
            time.sleep(0.02)
            cursor.execute(_WAITING)
            ((waiting,),) = cursor.fetchall()

    try:
        cursor.execute("LOCK TABLE messages IN ACCESS EXCLUSIVE MODE")
        yield wait_for
    finally:
        connection.close()  # which gives the lock back


def wait_until_refused(url: str) -> None:
    """Return once nobody listens at ``url`` any more: then a stop is under way."""
    address = urlsplit(url)
    until = time.monotonic() + 30
    while time.monotonic() < until:
        try:
            socket.create_connection((address.hostname, address.port), timeout=5).close()
        except ConnectionRefusedError:
            return
        time.sleep(0.02)
    raise AssertionError(f"{url} still accepts connections")
