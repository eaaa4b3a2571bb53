"""To whoever is not in it, a private room does not exist: not in one answer of the API."""

from collections.abc import Callable

import pytest
from werkzeug.test import TestResponse

from tests.tools.chat import Caller, done, refused

NEW = {"client_id": "1", "body": "let me in"}

TRIES: dict[str, Callable[[Caller, str], TestResponse]] = {
    "see it": lambda eve, room: eve.get(room),
    "change it": lambda eve, room: eve.patch(room, {"name": "mine"}),
    "delete it": lambda eve, room: eve.delete(room),
    "see its members": lambda eve, room: eve.get(f"{room}/members"),
    "join": lambda eve, room: eve.put(f"{room}/members/{eve.id}"),
    "join as owner": lambda eve, room: eve.put(f"{room}/members/{eve.id}", {"role": "owner"}),
    "invite a user who is not there": lambda eve, room: eve.put(f"{room}/members/99999999"),
    "leave": lambda eve, room: eve.delete(f"{room}/members/{eve.id}"),
    "send": lambda eve, room: eve.post(f"{room}/messages", NEW),
    "reply": lambda eve, room: eve.post(f"{room}/messages", NEW | {"reply_to": 1}),
    "read its history": lambda eve, room: eve.get(f"{room}/messages"),
    "read one message": lambda eve, room: eve.get(f"{room}/messages/1"),
    "edit": lambda eve, room: eve.patch(f"{room}/messages/1", {"body": "hacked"}),
    "unsay": lambda eve, room: eve.delete(f"{room}/messages/1"),
    "react": lambda eve, room: eve.put(f"{room}/messages/1/reactions/+1"),
    "take a reaction back": lambda eve, room: eve.delete(f"{room}/messages/1/reactions/+1"),
    "mark it read": lambda eve, room: eve.put(f"{room}/read", {"seq": 1}),
    "search it": lambda eve, room: eve.get("/search", q="secret", room_id=room.split("/")[2]),
}


@pytest.fixture
def secret(ada: Caller, bob: Caller, eve: Caller) -> str:
    """A private room in which somebody mentions an outsider."""
    room = ada.makes_private_room(bob)
    ada.sends(room, f"a secret that @{eve.user.name} must not hear")
    return room


@pytest.mark.parametrize("what", TRIES)
def test_outsiders_are_told_that_there_is_no_such_room(eve: Caller, secret: str, what: str) -> None:
    """What an outsider is told is what it would be told of a room that does not exist."""
    words = refused(TRIES[what](eve, secret), 404)
    nowhere = refused(TRIES[what](eve, "/rooms/999999999"), 404)
    assert words.replace(secret.split("/")[2], "N") == nowhere.replace("999999999", "N")


def test_nothing_of_it_shows_in_what_outsiders_read(eve: Caller, secret: str) -> None:
    """Neither search, nor the lists, nor the first screen, nor the counts know of the room."""
    number = int(secret.split("/")[2])
    assert done(eve.get("/search", q="secret"), 200)["messages"] == []
    assert number not in [room["id"] for room in done(eve.get("/rooms"), 200)["rooms"]]
    public = done(eve.get("/rooms", scope="public", after=number - 1, limit=1), 200)["rooms"]
    assert number not in [room["id"] for room in public]
    assert done(eve.get("/unread"), 200) == {"unread": 0, "mentions": 0, "rooms": []}
    home = done(eve.get("/home"), 200)
    assert [home[part] for part in ("rooms", "unread", "mentions", "latest")] == [[]] * 4


@pytest.mark.parametrize("what", TRIES)
def test_who_was_removed_is_an_outsider(ada: Caller, bob: Caller, secret: str, what: str) -> None:
    """From the moment of the removal on, a member of yesterday is told what all others are."""
    done(ada.delete(f"{secret}/members/{bob.id}"), 204)
    refused(TRIES[what](bob, secret), 404)


def test_who_was_removed_finds_nothing_any_more(ada: Caller, bob: Caller, secret: str) -> None:
    """Search, counts and the first screen forget the room with the membership."""
    ada.sends(secret, f"@{bob.user.name} secret")
    assert len(done(bob.get("/search", q="secret"), 200)["messages"]) == 2
    assert done(bob.get("/unread"), 200)["mentions"] == 1
    done(ada.delete(f"{secret}/members/{bob.id}"), 204)
    assert done(bob.get("/search", q="secret"), 200)["messages"] == []
    assert done(bob.get("/unread"), 200)["rooms"] == []
    home = done(bob.get("/home"), 200)
    assert [home[part] for part in ("rooms", "unread", "mentions", "latest")] == [[]] * 4


def test_what_one_sent_is_not_told_after_the_removal(ada: Caller, bob: Caller, secret: str) -> None:
    """Sending an own message again, with its client id, opens no door either."""
    done(bob.post(f"{secret}/messages", NEW), 201)
    done(ada.delete(f"{secret}/members/{bob.id}"), 204)
    refused(bob.post(f"{secret}/messages", NEW), 404)
    refused(bob.post(f"{secret}/messages", NEW | {"body": "another"}), 404)
