"""What each layer of a request to the chat service costs: ``python -m comparison.micro.layers``.

The application is called in this process, without a server, by calls that each add one layer to
the one before; what a layer costs is the difference. CPU time of this process, medians of
interleaved rounds. PostgreSQL's own time is not in it.
"""

from colorless.patch import patch_everything

patch_everything()

# ruff: noqa: E402  (nothing may be imported before the patch)
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from werkzeug.datastructures import Headers
from werkzeug.test import EnvironBuilder

from colorless.flask import Flask, Response
from service.app import create_app
from service.chat import accounts, messages, rooms
from service.chat.context import ChatContext
from service.chat.models import NewMessage, NewRoom, NewSession, NewUser, Page
from service.db.embedded import EmbeddedPostgres
from service.db.migrate import migrate
from service.settings import Settings

ROUNDS = 7
REQUESTS = 300
PASSWORD = "correct horse"


def main() -> None:
    """Measure and print the table."""
    with _service() as (app, chat):
        layers = _layers(app, chat)
        for call in layers.values():
            call()
        rounds = [{name: _micros(call) for name, call in layers.items()} for _ in range(ROUNDS)]
    table = Table("layer", "µs of CPU", "more than the one above")
    below = 0.0
    for name in layers:
        micros = statistics.median(costs[name] for costs in rounds)
        table.add_row(name, f"{micros:.0f}", f"{micros - below:+.0f}")
        below = micros
    Console().print(table)


def _layers(app: Flask, chat: ChatContext) -> dict[str, Callable[[], Any]]:
    """From the least to the whole, each with one thing more."""
    session = _sign_in(chat)
    room = rooms.create(chat, session.user, NewRoom(name="layers"))
    for number in range(50):
        new = NewMessage(client_id=str(number), body=f"message {number}")
        messages.send(chat, session.user, room.id, new)
    user = session.user
    bare = Flask("bare")
    bare.add_url_rule("/", view_func=lambda: Response(b"{}", content_type="application/json"))
    history = messages.page(chat, user, room.id, Page())
    return {
        "encode 50 messages (msgspec)": lambda: msgspec.json.encode(history),
        "Flask: routing, context, response": _get(bare, "/", ""),
        "our dispatch, deadline, token (1 query)": _get(app, "/v1/users/me", session.token),
        "and a room (1 query)": _get(app, f"/v1/rooms/{room.id}", session.token),
        "and its last message (1 query)": _get(
            app, f"/v1/rooms/{room.id}/messages?limit=1", session.token
        ),
        "and 49 more": _get(app, f"/v1/rooms/{room.id}/messages?limit=50", session.token),
        "instead: the first screen (4 queries at once)": _get(app, "/v1/home", session.token),
    }


def _sign_in(chat: ChatContext) -> Any:
    accounts.sign_up(chat, NewUser(name="layers", password=PASSWORD, display_name="Layers"))
    return accounts.log_in(chat, NewSession(name="layers", password=PASSWORD))


def _get(app: Flask, path: str, token: str) -> Callable[[], None]:
    headers = Headers({"Authorization": f"Bearer {token}"})
    environ = EnvironBuilder(path, headers=headers).get_environ()
    statuses: list[str] = []

    def start_response(status: str, headers: Any, exc_info: Any = None) -> Any:
        statuses.append(status)

    def call() -> None:
        b"".join(app(dict(environ), start_response))
        assert statuses.pop() == "200 OK"

    return call


def _micros(call: Callable[[], Any]) -> float:
    began = time.process_time()
    for _ in range(REQUESTS):
        call()
    return (time.process_time() - began) / REQUESTS * 1e6


@contextmanager
def _service() -> Iterator[tuple[Flask, ChatContext]]:
    with tempfile.TemporaryDirectory() as folder:
        server = EmbeddedPostgres(Path(folder) / "postgres")
        url = server.start()
        try:
            migrate(url)
            app = create_app(Settings(database_url=url))
            chat: ChatContext = app.extensions["colorless"]
            yield app, chat
            chat.db.close()
        finally:
            server.stop()


if __name__ == "__main__":
    main()
