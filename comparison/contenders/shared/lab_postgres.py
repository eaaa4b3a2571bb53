"""What the synchronous Python contenders share: the lab's SQL, and a plain psycopg2 pool.

A queue of connections is what a careful user of psycopg2 writes: its own ThreadedConnectionPool
raises as soon as it is empty, where every other contender's pool waits.
"""

import json
import os
import queue
import re

import psycopg2

QUERIES = {
    name: re.sub(r"\$\d", "%s", sql)
    for name, sql in json.load(open(os.environ["LAB_QUERIES"])).items()
}
URL = os.environ["DATABASE_URL"]
POOL_SIZE = int(os.environ["POOL_SIZE"])
NATS_URL = os.environ["NATS_URL"]
MESSAGE = ("id", "room", "user", "body", "created_ms")


class Pool:
    """At most POOL_SIZE connections, each made when it is first needed; a borrower waits."""

    def __init__(self, free=None):
        self._free = queue.LifoQueue() if free is None else free
        for _ in range(POOL_SIZE):
            self._free.put(None)

    def fetch(self, name, *params):
        """The rows of one of the lab's queries, committed."""
        connection = self._free.get()
        try:
            if connection is None:
                connection = psycopg2.connect(URL)
                connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(QUERIES[name], params)
                return cursor.fetchall() if cursor.description else []
        finally:
            self._free.put(None if connection is None or connection.closed else connection)


def message(row):
    """A row of `messages` as the contract's JSON wants it."""
    return dict(zip(MESSAGE, row, strict=True))
