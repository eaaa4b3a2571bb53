"""What the synchronous Python contenders share: the lab's SQL, and plain psycopg2 pools.

A queue of connections is what a careful user of psycopg2 writes: its own ThreadedConnectionPool
raises as soon as it is empty, where every other contender's pool waits.
"""

import json
import os
import queue
import re

import msgspec
import psycopg2

QUERIES = {
    name: re.sub(r"\$\d", "%s", sql)
    for name, sql in json.load(open(os.environ["LAB_QUERIES"])).items()
}
URL = os.environ["DATABASE_URL"]
POOL_SIZE = int(os.environ["POOL_SIZE"])
SLOW_POOL_SIZE = int(os.environ["SLOW_POOL_SIZE"])
NATS_URL = os.environ["NATS_URL"]


class Message(msgspec.Struct, gc=False):
    """A row of `messages` as the contract's JSON wants it."""

    id: int
    room: int
    user: int
    body: str
    created_ms: int


class Pool:
    """At most POOL_SIZE connections for short queries and SLOW_POOL_SIZE for those that wait, each
    made when it is first needed; a borrower waits."""

    def __init__(self, kind=queue.LifoQueue):
        self._quick, self._slow = kind(), kind()
        for free, size in (self._quick, POOL_SIZE), (self._slow, SLOW_POOL_SIZE):
            for _ in range(size):
                free.put(None)

    def fetch(self, name, *params):
        """The rows of one of the lab's queries, committed."""
        free = self._slow if name == "slow" else self._quick
        connection = free.get()
        try:
            if connection is None:
                connection = psycopg2.connect(URL)
                connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(QUERIES[name], params)
                return cursor.fetchall() if cursor.description else []
        finally:
            free.put(None if connection is None or connection.closed else connection)
