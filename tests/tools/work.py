"""Do what waits in the database, one piece after the other, without a clock."""

from typing import Any

import gevent
from flask import Flask

from service.chat.previews import PreviewJobs
from service.chat.webhook_deliveries import DeliveryJobs
from tests.tools.chat import chat_of


def work_off(worker: PreviewJobs | DeliveryJobs) -> int:
    """Do what is due until nothing is; returns how much there was."""
    number = 0
    while work := worker.take():
        work()
        number += 1
    return number


def ask(app: Flask, sql: str, *values: Any) -> list[tuple[Any, ...]]:
    """What the database says."""
    with chat_of(app).db.connection() as db:
        return db.fetch_all(sql, values)


def pass_time(app: Flask, table: str, seconds: float) -> None:
    """Let all that is to happen later, and all that happened, be so much nearer or farther."""
    columns = {"webhooks": ("due_at", "failing_since"), "previews": ("due_at",)}[table]
    changes = ", ".join(f"{name} = {name} - make_interval(secs => %s)" for name in columns)
    with chat_of(app).db.connection() as db:
        db.execute(f"UPDATE {table} SET {changes}", [seconds] * len(columns))


def until(condition: Any, seconds: float = 60) -> None:
    """Return when ``condition()`` holds."""
    with gevent.Timeout(seconds, AssertionError("it did not come true")):
        while not condition():
            gevent.sleep(0.01)
