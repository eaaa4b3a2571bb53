"""The walk of a new user, over plain HTTP: register, log in, make a room, post, read, search."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
import uuid
from typing import Any


class Visitor:
    """Somebody with an HTTP client and the address of the service."""

    def __init__(self, url: str) -> None:
        self._url = url
        self.token = ""
        self.name = ""

    def call(self, method: str, path: str, sent: Any = None) -> tuple[int, Any]:
        """One request; returns its status and its decoded body."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        if sent is not None:
            headers["Content-Type"] = "application/json"
        body = None if sent is None else json.dumps(sent).encode()
        request = urllib.request.Request(self._url + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _decoded(answer.read())
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, _decoded(refusal.read())

    def must(self, status: int, method: str, path: str, sent: Any = None) -> Any:
        """The body of a request that must be answered with ``status``."""
        got, body = self.call(method, path, sent)
        assert got == status, f"{method} {path}: {got} {body}"
        return body

    def registers(self) -> None:
        """Sign up under a name of its own, and log in."""
        name = f"user{uuid.uuid4().hex[:8]}"
        user = {"name": name, "password": "a long secret", "display_name": name.title()}
        self.must(201, "POST", "/v1/users", user)
        self.logs_in(name)

    def logs_in(self, name: str) -> None:
        known = {"name": name, "password": "a long secret"}
        self.token = self.must(201, "POST", "/v1/sessions", known)["token"]
        self.name = name

    def makes_room(self) -> str:
        """The path of a new room."""
        return f"/v1/rooms/{self.must(201, 'POST', '/v1/rooms', {'name': 'a room'})['id']}"

    def posts(self, room: str, body: str) -> Any:
        """The message, sent with a client id of its own."""
        new = {"client_id": uuid.uuid4().hex, "body": body}
        return self.must(201, "POST", f"{room}/messages", new)

    def reads(self, room: str) -> list[str]:
        """The texts of the room's latest messages."""
        page = self.must(200, "GET", f"{room}/messages?limit=100")
        return [message["body"] for message in page["messages"]]

    def finds(self, words: str) -> list[str]:
        """The texts of the messages that a search finds."""
        page = self.must(200, "GET", f"/v1/search?q={words}")
        return [hit["body"] for hit in page["messages"]]


def walk(url: str) -> tuple[Visitor, str]:
    """Walk it; returns the visitor, logged in, and the path of the room."""
    visitor = Visitor(url)
    visitor.registers()
    room = visitor.makes_room()
    word = f"w{uuid.uuid4().hex}"
    first, second = visitor.posts(room, f"hello {word}"), visitor.posts(room, "and again")
    assert (first["seq"], second["seq"]) == (1, 2)
    assert set(visitor.reads(room)) == {f"hello {word}", "and again"}
    assert visitor.finds(word) == [f"hello {word}"]
    return visitor, room


def _decoded(body: bytes) -> Any:
    return json.loads(body) if body else None
