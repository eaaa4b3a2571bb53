"""People who use a running service over HTTP, as programs and browsers do."""

from __future__ import annotations

import hashlib
import json
import secrets
import uuid
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import psycopg2
import requests
from websockets.asyncio.client import ClientConnection, connect

from colorless.bridge import await_, entered
from colorless.deadlines import fail_after
from tests.tools.server import Server, running

_numbers = count(1)


@dataclass
class Person:
    """Somebody with an account and a session; ``url`` is the server that is talked to."""

    url: str
    id: int
    name: str
    token: str
    session: requests.Session = field(default_factory=requests.Session)

    @property
    def authorization(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def call(self, method: str, path: str, sent: Any = None) -> requests.Response:
        return self.session.request(
            method, f"{self.url}/v1{path}", json=sent, headers=self.authorization, timeout=30
        )

    def must(self, method: str, path: str, sent: Any = None) -> Any:
        answer = self.call(method, path, sent)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def makes_room(self, *members: Person, **fields: Any) -> int:
        room_id: int = self.must("POST", "/rooms", {"name": "a room", **fields})["id"]
        for member in members:
            self.must("PUT", f"/rooms/{room_id}/members/{member.id}", {})
        return room_id

    def sends(self, room_id: int, body: str = "hello") -> Any:
        new = {"client_id": uuid.uuid4().hex, "body": body}
        return self.must("POST", f"/rooms/{room_id}/messages", new)

    @contextmanager
    def websocket(self, resume: str = "", **options: Any) -> Iterator[Socket]:
        """A WebSocket of the ``websockets`` library; the block ends it."""
        address = self.url.replace("http", "ws") + f"/v1/stream?resume={resume}"
        headers = options.pop("additional_headers", self.authorization)
        options.setdefault("compression", None)
        # The library's threaded client closes its socket under a selector's feet, at which a
        # patched process aborts; so it is the asyncio one.
        with entered(connect(address, additional_headers=headers, **options)) as connection:
            yield Socket(connection)

    @contextmanager
    def events(self, last_event_id: str = "", **headers: str) -> Iterator[EventReader]:
        """A connection as an ``EventSource`` makes it."""
        fields = {"Accept": "text/event-stream", **(headers or self.authorization)}
        if last_event_id:
            fields["Last-Event-ID"] = last_event_id
        address = f"{self.url}/v1/events"
        with requests.get(address, headers=fields, stream=True, timeout=30) as answer:
            yield EventReader(answer)


class Socket:
    """A WebSocket that speaks JSON."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def next(self, seconds: float = 15, *, presence: bool = False) -> Any:
        """The next event; who comes and goes is passed over unless it is asked for."""
        while True:
            with fail_after(seconds):
                event = json.loads(await_(self.connection.recv()))
            if presence or event["type"] != "presence":
                return event

    def until(self, kind: str) -> list[Any]:
        """The events up to the first of a type."""
        events = [self.next()]
        while events[-1]["type"] != kind:
            events.append(self.next())
        return events

    def say(self, what: Any) -> None:
        self.send(json.dumps(what))

    def send(self, data: str | bytes | Iterable[str]) -> None:
        """A message; one that is given in pieces is sent in as many frames."""
        await_(self.connection.send(data))


class EventReader:
    """Server-sent events, read as the HTML standard says."""

    def __init__(self, answer: requests.Response) -> None:
        self.answer = answer
        self.last_event_id = ""
        self.retry: int | None = None
        # One byte at a time, as they come: a larger piece would wait for more.
        self._lines = answer.iter_lines(chunk_size=1, decode_unicode=True)

    def next(self) -> Any:
        """The next event that is not about who comes and goes; ``EOFError`` at the end."""
        while (event := self._next())["type"] == "presence":
            pass
        return event

    def _next(self) -> Any:
        data: list[str] = []
        for line in self._lines:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if not line and data:
                return json.loads("\n".join(data))
            if name == "data":
                data.append(value)
            elif name == "id":
                self.last_event_id = value
            elif name == "retry":
                self.retry = int(value)
        raise EOFError

    def until(self, kind: str) -> list[Any]:
        """The events up to the first of a type."""
        events = [self.next()]
        while events[-1]["type"] != kind:
            events.append(self.next())
        return events


class Town:
    """A database, with people put straight into it: hashing passwords takes long."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url

    def person(self, url: str) -> Person:
        name, token = f"person{next(_numbers)}", secrets.token_urlsafe(16)
        connection = psycopg2.connect(self.database_url)
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute(
                "INSERT INTO users (name, display_name, password_hash) VALUES (%s, %s, '-') "
                "RETURNING id",
                (name, name),
            )
            (user_id,) = cursor.fetchone() or (0,)
            cursor.execute(
                "INSERT INTO sessions (token_hash, user_id, expires_at) "
                "VALUES (%s, %s, now() + interval '1 day')",
                (hashlib.sha256(token.encode()).digest(), user_id),
            )
        finally:
            connection.close()
        return Person(url, user_id, name, token)


@contextmanager
def serving(database_url: str, **settings: object) -> Iterator[Server]:
    """The service under gunicorn, with one worker unless told otherwise."""
    environment: Mapping[str, str] = {
        "DATABASE_URL": database_url,
        "PORT": "0",
        "WORKERS": "1",
        "WRITES_PER_MINUTE": "0",
        "POOL_SIZE": "10",
        **{name.upper(): str(value) for name, value in settings.items()},
    }
    with running(["gunicorn", "--config", "gunicorn.conf.py"], env=environment) as server:
        yield server
