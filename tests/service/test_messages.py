"""Sending, reading, editing and deleting messages."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from werkzeug.test import TestResponse

from tests.tools.chat import Caller, done, refused


def test_a_message_is_as_it_was_sent(ada: Caller, bob: Caller) -> None:
    """What 201 answers is what every member reads."""
    room = ada.makes_room(bob)
    sent = done(ada.post(f"{room}/messages", {"client_id": "c-1", "body": "héllo 👋\n\n<b>"}), 201)
    assert (sent["seq"], sent["client_id"], sent["body"]) == (1, "c-1", "héllo 👋\n\n<b>")
    assert sent["author"] == {
        "id": ada.id,
        "name": ada.user.name,
        "display_name": ada.user.display_name,
    }
    assert (sent["edited_at"], sent["deleted_at"], sent["reactions"]) == (None, None, [])
    assert datetime.fromisoformat(sent["created_at"]).tzinfo is not None
    assert done(bob.get(f"{room}/messages/1"), 200) == sent
    assert bob.reads(room)["messages"] == [sent]


def test_sending_is_for_members(ada: Caller, bob: Caller, nobody: Caller) -> None:
    """Who has not joined reads a public room, and is told how to join before it may send."""
    room = ada.makes_room()
    ada.sends(room)
    new = {"client_id": "1", "body": "me too"}
    words = refused(bob.post(f"{room}/messages", new), 403)
    assert f"PUT /v1{room}/members/{bob.id}" in words
    assert bob.texts(room) == ["hello"]
    refused(nobody.post(f"{room}/messages", new), 401)
    refused(nobody.get(f"{room}/messages"), 401)


@pytest.mark.parametrize(
    "field, value",
    [
        ("body", ""),
        ("body", "x" * 8001),
        ("body", "nul\x00"),
        ("body", 5),
        ("client_id", ""),
        ("client_id", "x" * 65),
        ("client_id", "two words"),
        ("client_id", "line\n"),
        ("client_id", "ü"),
        ("reply_to", 0),
        ("reply_to", 2**53),
        ("reply_to", "1"),
        ("reply_to", 2),
        ("seq", 1),
    ],
)
def test_a_message_that_cannot_be_is_refused(ada: Caller, field: str, value: Any) -> None:
    """Each limit on a message is held, the refusal names the field, and no number is lost."""
    room = ada.makes_room()
    ada.sends(room)
    new = {"client_id": "1", "body": "hello"}
    refused(ada.post(f"{room}/messages", new | {field: value}), 422, field)
    assert ada.sends(room)["seq"] == 2


def test_the_longest_message_fits(ada: Caller) -> None:
    """The limits are in characters, so the widest characters fit as the narrow ones do."""
    room = ada.makes_room()
    body = "𝒳" * 8000
    assert ada.sends(room, body)["body"] == body


def test_a_reply_knows_what_it_answers(ada: Caller) -> None:
    """``reply_to`` is a number of the same room, and may be one that was deleted."""
    room = ada.makes_room()
    ada.sends(room)
    assert ada.sends(room, reply_to=1)["reply_to"] == 1
    done(ada.delete(f"{room}/messages/1"), 204)
    assert ada.sends(room, reply_to=1)["reply_to"] == 1


def test_an_author_edits(ada: Caller, bob: Caller) -> None:
    """The text changes, the time of the edit is kept, and number and time of sending stay."""
    room = ada.makes_room(bob)
    sent = bob.sends(room, "teh")
    edited = done(bob.patch(f"{room}/messages/1", {"body": "the"}), 200)
    assert edited["edited_at"] is not None
    assert edited | {"edited_at": None, "body": "teh"} == sent
    assert done(ada.get(f"{room}/messages/1"), 200) == edited
    refused(bob.patch(f"{room}/messages/1", {"body": ""}), 422, "body")
    refused(bob.patch(f"{room}/messages/1", {"body": "x", "seq": 2}), 422, "seq")


def test_nobody_else_edits(ada: Caller, bob: Caller, eve: Caller) -> None:
    """Not even an owner puts words into another's mouth."""
    room = ada.makes_room(bob)
    bob.sends(room)
    for caller in (ada, eve):
        refused(caller.patch(f"{room}/messages/1", {"body": "hacked"}), 403)
    assert ada.texts(room) == ["hello"]


def test_who_has_left_edits_no_more(ada: Caller, bob: Caller) -> None:
    """A room's messages are changed by its members."""
    room = ada.makes_room(bob)
    bob.sends(room)
    done(bob.delete(f"{room}/members/{bob.id}"), 204)
    refused(bob.patch(f"{room}/messages/1", {"body": "x"}), 403)
    refused(bob.delete(f"{room}/messages/1"), 403)


def test_a_deleted_message_leaves_its_place(ada: Caller, bob: Caller) -> None:
    """Number, author and time stay; text, reactions and mentions go; nothing can be done to it."""
    room = ada.makes_room(bob)
    sent = ada.sends(room, f"oops @{bob.user.name}")
    done(bob.put(f"{room}/messages/1/reactions/+1"), 204)
    done(ada.delete(f"{room}/messages/1"), 204)
    done(ada.delete(f"{room}/messages/1"), 204)

    stone = done(bob.get(f"{room}/messages/1"), 200)
    assert stone["deleted_at"] is not None
    assert stone | {"deleted_at": None, "body": sent["body"]} == sent
    assert done(bob.get("/unread"), 200)["mentions"] == 0
    refused(ada.patch(f"{room}/messages/1", {"body": "x"}), 409)
    refused(bob.put(f"{room}/messages/1/reactions/+1"), 409)
    assert ada.sends(room)["seq"] == 2


def test_who_may_delete(ada: Caller, bob: Caller, eve: Caller) -> None:
    """The author and the owners of the room, and nobody else."""
    room = ada.makes_room(bob, eve)
    bob.sends(room)
    ada.sends(room)
    refused(eve.delete(f"{room}/messages/1"), 403)
    refused(bob.delete(f"{room}/messages/2"), 403)
    done(ada.delete(f"{room}/messages/1"), 204)


@pytest.mark.parametrize("seq", ["2", "0", "-1", "x", "9" * 30, "1.5", "%00", "9007199254740991"])
def test_what_is_not_there_is_not_found(ada: Caller, seq: str) -> None:
    """A number that no message has, or that is none, is a 404 whatever one wants of it."""
    room = ada.makes_room()
    ada.sends(room)
    path = f"{room}/messages/{seq}"
    refused(ada.get(path), 404)
    refused(ada.patch(path, {"body": "x"}), 404)
    refused(ada.delete(path), 404)
    refused(ada.put(f"{path}/reactions/+1"), 404)
    refused(ada.delete(f"{path}/reactions/+1"), 404)


def test_every_change_is_in_the_rooms_log_once(ada: Caller) -> None:
    """What changes something counts one event; what changes nothing counts none."""
    room = ada.makes_room()

    def events() -> int:
        count: int = done(ada.get(room), 200)["last_event"]
        return count

    new = {"client_id": "1", "body": "x"}
    steps: list[tuple[Callable[[], TestResponse], int]] = [
        (lambda: ada.post(f"{room}/messages", new), 1),
        (lambda: ada.post(f"{room}/messages", new), 0),
        (lambda: ada.patch(f"{room}/messages/1", {"body": "y"}), 1),
        (lambda: ada.put(f"{room}/messages/1/reactions/+1"), 1),
        (lambda: ada.put(f"{room}/messages/1/reactions/+1"), 0),
        (lambda: ada.delete(f"{room}/messages/1/reactions/+1"), 1),
        (lambda: ada.delete(f"{room}/messages/1/reactions/+1"), 0),
        (lambda: ada.delete(f"{room}/messages/1"), 1),
        (lambda: ada.delete(f"{room}/messages/1"), 0),
        (lambda: ada.put(f"{room}/read", {"seq": 1}), 0),
    ]
    for number, (step, expected) in enumerate(steps):
        before = events()
        assert step().status_code < 300, number
        assert events() - before == expected, number
