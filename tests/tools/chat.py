"""The chat API with verbs: one ``Caller`` for each person, over the application itself."""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from flask import Flask
from werkzeug.test import TestResponse

from service.chat.context import ChatContext
from service.chat.models import User
from service.chat.store import users

_numbers = itertools.count(1)


def chat_of(app: Flask) -> ChatContext:
    """What the use cases of this application work with."""
    chat: ChatContext = app.extensions["colorless"]
    return chat


@dataclass(frozen=True)
class Caller:
    """Somebody who calls the API; ``token`` is empty for a stranger."""

    app: Flask
    user: User
    token: str

    @property
    def id(self) -> int:
        return self.user.id

    def call(self, method: str, path: str, sent: Any = None, **options: Any) -> TestResponse:
        """One request under /v1; ``sent`` is its JSON body, ``options`` are werkzeug's."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        headers |= options.pop("headers", {})
        if sent is not None:
            options |= {"data": json.dumps(sent), "content_type": "application/json"}
        return self.app.test_client().open("/v1" + path, method=method, headers=headers, **options)

    def get(self, path: str, **query: Any) -> TestResponse:
        return self.call("GET", path, query_string=query)

    def post(self, path: str, sent: Any = None) -> TestResponse:
        return self.call("POST", path, {} if sent is None else sent)

    def put(self, path: str, sent: Any = None) -> TestResponse:
        return self.call("PUT", path, sent)

    def patch(self, path: str, sent: Any) -> TestResponse:
        return self.call("PATCH", path, sent)

    def delete(self, path: str) -> TestResponse:
        return self.call("DELETE", path)

    # What a test needs before it gets to its point; each of these must succeed.

    def makes_room(self, *members: Caller, **fields: Any) -> str:
        """The path of a new room of this caller's, with the others in it."""
        room = done(self.post("/rooms", {"name": "a room", **fields}), 201)
        path = f"/rooms/{room['id']}"
        for member in members:
            done(self.put(f"{path}/members/{member.id}"), 204)
        return path

    def makes_private_room(self, *members: Caller) -> str:
        return self.makes_room(*members, visibility="private")

    def sends(self, room: str, body: str = "hello", **fields: Any) -> Any:
        """The message, sent with a client id of its own."""
        new = {"client_id": uuid.uuid4().hex, "body": body, **fields}
        return done(self.post(f"{room}/messages", new), 201)

    def reads(self, room: str, **page: Any) -> Any:
        """A page of the room's messages."""
        return done(self.get(f"{room}/messages", **page), 200)

    def texts(self, room: str) -> list[str]:
        return [message["body"] for message in self.reads(room)["messages"]]


def sign_in(app: Flask, name: str | None = None) -> Caller:
    """A new user with a session, put straight into the database: hashing passwords takes long."""
    name = name or f"user{next(_numbers)}_{secrets.token_hex(3)}"
    token = secrets.token_urlsafe(16)
    with chat_of(app).db.connection() as db:
        user = users.insert(db, name, name.capitalize(), "no password fits this")
        assert user is not None, f"the name {name} is taken"
        users.insert_session(db, hashlib.sha256(token.encode()).digest(), user.id, days=1)
    return Caller(app, user, token)


def stranger(app: Flask) -> Caller:
    """Somebody without a token."""
    return Caller(app, User(id=0, name="", display_name=""), "")


def done(response: TestResponse, status: int) -> Any:
    """What a request that must answer with ``status`` answered, decoded."""
    assert response.status_code == status, f"{response.status}: {response.get_data(as_text=True)}"
    return response.get_json() if response.data else None


def refused(response: TestResponse, status: int, field: str | None = None) -> str:
    """The words of a refusal, which must be a problem document and name ``field``."""
    assert response.status_code == status, f"{response.status}: {response.get_data(as_text=True)}"
    assert response.content_type == "application/problem+json"
    problem: dict[str, Any] = response.get_json()
    assert problem["status"] == status
    named = [error["field"] for error in problem.get("errors", [])]
    assert named == ([field] if field else []), problem
    detail: str = problem["detail"]
    return detail


def in_path(text: str) -> str:
    """``text`` as one part of a path."""
    return quote(text, safe="")
