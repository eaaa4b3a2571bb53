"""What `comparison.micro.worker` serves under each worker class: two Flask routes, one pool.

The routes, the pool and the driver are the same for all; only the worker differs, and once the
class of the application.
"""

import os
import queue
from typing import Any

import flask
import psycopg2

import colorless.flask

if os.environ.get("GREEN") == "1":
    from psycogreen.gevent import patch_psycopg

    patch_psycopg()

CONNECTIONS = 16

Flask = colorless.flask.Flask if os.environ.get("LEAN") == "1" else flask.Flask
app = Flask(__name__)
pool: queue.SimpleQueue[Any] = queue.SimpleQueue()


def fill_pool() -> None:
    """Connect once, in the worker's process."""
    for _ in range(CONNECTIONS):
        connection = psycopg2.connect(os.environ["DATABASE_URL"])
        connection.autocommit = True
        pool.put(connection)


fill_pool()


@app.get("/json")
def as_json() -> dict[str, Any]:
    """A small answer, and nothing to wait for."""
    return {"hello": "world"}


@app.get("/row/<int:number>")
def row(number: int) -> dict[str, Any]:
    """One row by its primary key."""
    connection = pool.get()
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT id, body FROM micro_worker WHERE id = %s", (number,))
            found, body = cursor.fetchone()
    finally:
        pool.put(connection)
    return {"id": found, "body": body}
