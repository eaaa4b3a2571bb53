"""What no client of good will sends: it is refused in plain words, and never with a 500."""

from typing import Any

import pytest
from flask import Flask

from tests.tools.chat import Caller, chat_of, done, refused

JSON = "application/json"


def send_raw(caller: Caller, body: bytes, content_type: str = JSON) -> Any:
    return caller.call("POST", "/rooms", data=body, content_type=content_type)


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"{'name': 'x'}",
        b'{"name": "x",}',
        b'{"name": "x"} {}',
        b'\xef\xbb\xbf{"name": "x"}',
        b'{"name": NaN}',
        b'{"name": "\xff"}',
        b'{"name": "\\ud800"}',
        b'{"name": "\xed\xa0\x80"}',
        b'{"name": "\\x41"}',
        b"[" * 100_000,
        b"\x00",
        b"name=x",
    ],
)
def test_what_is_no_json_is_refused(ada: Caller, body: bytes) -> None:
    """A body that cannot be read is refused as a whole."""
    assert refused(send_raw(ada, body), 422)


@pytest.mark.parametrize("body", [b"[]", b"null", b"1", b'"name"', b"true", b'[{"name":"x"}]'])
def test_what_is_no_object_is_refused(ada: Caller, body: bytes) -> None:
    """JSON of another kind is refused as a whole."""
    assert "object" in refused(send_raw(ada, body), 422)


def test_an_empty_body_is_an_empty_object(ada: Caller) -> None:
    """What is missing is named, rather than that the body is."""
    refused(send_raw(ada, b""), 422, "name")


@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data", "x"]
)
def test_other_types_are_refused(ada: Caller, content_type: str) -> None:
    """Only what says that it is JSON is read as JSON: a form of another site cannot say so."""
    answer = send_raw(ada, b'{"name": "x"}', content_type)
    assert "application/json" in refused(answer, 415)


@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8", ""])
def test_json_has_several_names(ada: Caller, content_type: str) -> None:
    """A charset may be said, and a client that says nothing means JSON."""
    done(send_raw(ada, b'{"name": "x"}', content_type), 201)


@pytest.mark.parametrize("value", ["9" * 5000, "1e400", "-1e400", "1.5", "-0.0", "1e3"])
def test_numbers_that_are_no_ids_are_refused(ada: Caller, value: str) -> None:
    """Numbers too large, too small or too fine for an id are refused, and the field is named."""
    path = f"/v1{ada.makes_room()}/messages"
    ada.sends(path[3:].removesuffix("/messages"))
    body = '{"client_id":"1","body":"x","reply_to":' + value + "}"
    answer = ada.call("POST", path[3:], data=body, content_type=JSON)
    refused(answer, 422, "reply_to")


def test_the_last_of_two_equal_keys_counts(ada: Caller) -> None:
    """A name that is there twice is read as JSON readers do."""
    assert done(send_raw(ada, b'{"name": "first", "name": "last"}'), 201)["name"] == "last"


@pytest.mark.parametrize(
    "text",
    ["\u202eevil", "e\u0301", "\ufeff", "\U0001f468\u200d\U0001f469", "\ufffe\uffff", "Ω" * 80],
)
def test_any_unicode_comes_back_as_it_was(ada: Caller, text: str) -> None:
    """Text is neither normalised nor cut."""
    room = ada.makes_room(topic=text)
    assert done(ada.get(room), 200)["topic"] == text
    assert ada.sends(room, text)["body"] == text


def test_a_body_that_is_too_large_is_a_413(app: Flask, ada: Caller) -> None:
    """One byte more than may be is refused before it is read as JSON."""
    most = app.config["MAX_CONTENT_LENGTH"]
    assert refused(send_raw(ada, b" " * (most - 1) + b"{"), 422)
    assert refused(send_raw(ada, b" " * most + b"{"), 413)


@pytest.mark.parametrize(
    "path",
    [
        "/rooms/1/",
        "/rooms/%31%00",
        "/rooms/%ff",
        "/rooms/١",
        "/rooms/+1",
        "/rooms/0",
        "/rooms/-1",
        "/rooms/1;x=1",
        "/rooms/%2e%2e/rooms",
        "/rooms/" + "9" * 4000,
        "/rooms/" + "a/" * 2000,
        "/rooms/\N{SNOWMAN}",
        "/nowhere",
        "/",
    ],
)
def test_strange_paths_lead_nowhere(ada: Caller, path: str) -> None:
    """A path that means nothing is a 404, however it is spelt."""
    refused(ada.get(path), 404)


def test_what_a_token_may_not_do_it_is_not_asked_for(nobody: Caller) -> None:
    """The token comes first: a stranger learns nothing of a room, a field or a limit."""
    refused(nobody.get("/rooms/1"), 401)
    refused(nobody.get("/rooms/nonsense"), 401)
    refused(nobody.post("/rooms", {"nonsense": 1}), 401)
    refused(nobody.call("POST", "/rooms", data=b"x" * 1_000_000), 401)


def test_an_unforeseen_error_is_a_500_that_tells_nothing(
    app: Flask, ada: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The caller gets a problem document without a word of what is inside; the pool is whole."""

    def broken(*_args: object) -> None:
        raise ZeroDivisionError("secret of the house")

    monkeypatch.setattr("service.chat.store.rooms.visible", broken)
    words = refused(ada.get(ada.makes_room()), 500)
    assert "secret" not in words
    assert chat_of(app).db.stats()["in_use"] == 0
