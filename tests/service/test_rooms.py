"""Making, finding, changing and deleting rooms, and who may."""

from typing import Any

import pytest
from flask import Flask

from tests.tools.chat import Caller, chat_of, done, refused


def test_who_makes_a_room_owns_it(ada: Caller) -> None:
    """A new room is public, empty, and its maker's."""
    room = done(ada.post("/rooms", {"name": " Engine room ", "topic": "Steam"}), 201)
    assert room["name"] == "Engine room"
    assert (room["topic"], room["visibility"], room["role"]) == ("Steam", "public", "owner")
    assert (room["last_message"], room["last_event"]) == (0, 1)
    assert done(ada.get(f"/rooms/{room['id']}"), 200) == room


@pytest.mark.parametrize(
    "field, value",
    [
        ("name", ""),
        ("name", " "),
        ("name", "x" * 81),
        ("name", "a\x00b"),
        ("name", "a\n"),
        ("name", "\x1b[31m"),
        ("topic", "x" * 501),
        ("topic", "nul\x00"),
        ("topic", None),
        ("visibility", "secret"),
        ("owner", 1),
    ],
)
def test_a_room_that_cannot_be_is_refused(ada: Caller, field: str, value: Any) -> None:
    """Each limit is held when a room is made, and the refusal names the field."""
    refused(ada.post("/rooms", {"name": "x", field: value}), 422, field)


def test_lists_are_the_callers(ada: Caller, bob: Caller) -> None:
    """``joined`` has the rooms one is in, ``public`` all that are public, each with one's role."""
    public, private = ada.makes_room(), ada.makes_private_room()
    joined = {room["id"]: room["role"] for room in done(ada.get("/rooms"), 200)["rooms"]}
    assert joined == {_id(public): "owner", _id(private): "owner"}
    assert done(bob.get("/rooms", scope="joined"), 200) == {"rooms": [], "next": None}

    seen = {room["id"]: room["role"] for room in _all_public(bob)}
    assert seen[_id(public)] is None
    assert _id(private) not in seen
    assert {room["id"] for room in _all_public(ada)} == set(seen)


def test_lists_are_paged(ada: Caller) -> None:
    """``next`` leads to the next page, and each room is on one page."""
    made = [_id(ada.makes_room()) for _ in range(5)]
    first = done(ada.get("/rooms", limit=2), 200)
    second = done(ada.get("/rooms", limit=2, after=first["next"]), 200)
    third = done(ada.get("/rooms", limit=2, after=second["next"]), 200)
    pages = [[room["id"] for room in page["rooms"]] for page in (first, second, third)]
    assert pages == [made[:2], made[2:4], made[4:]]
    assert third["next"] is None


def test_a_last_page_that_is_full_is_the_last(ada: Caller) -> None:
    """There is no empty page behind a full one."""
    for _ in range(2):
        ada.makes_room()
    assert done(ada.get("/rooms", limit=2), 200)["next"] is None


@pytest.mark.parametrize(
    "field, value", [("limit", 0), ("limit", 101), ("scope", "all"), ("page", 2), ("after", -1)]
)
def test_a_list_that_cannot_be_is_refused(ada: Caller, field: str, value: Any) -> None:
    """Each limit on a list is held, and the refusal names the parameter."""
    refused(ada.get("/rooms", **{field: value}), 422, field)


def test_a_parameter_given_twice_is_refused(ada: Caller) -> None:
    """Which of the two was meant cannot be known."""
    refused(ada.call("GET", "/rooms?limit=1&limit=2"), 422, "limit")


def test_an_owner_changes_a_room(ada: Caller) -> None:
    """What is given changes, the rest stays, and the room's log has one event more."""
    path = ada.makes_room(topic="before")
    room = done(ada.patch(path, {"name": " after "}), 200)
    assert (room["name"], room["topic"], room["last_event"]) == ("after", "before", 2)
    assert done(ada.patch(path, {"topic": ""}), 200)["topic"] == ""


def test_a_change_of_nothing_is_refused(ada: Caller) -> None:
    """An empty change is a mistake, and unknown fields are named."""
    path = ada.makes_room()
    refused(ada.patch(path, {}), 422)
    refused(ada.patch(path, {"colour": "red"}), 422, "colour")
    refused(ada.patch(path, {"name": " "}), 422, "name")


def test_only_owners_change_and_delete(ada: Caller, bob: Caller, eve: Caller) -> None:
    """A member and a passer-by see the room, and may not change it."""
    path = ada.makes_room(bob)
    for caller in (bob, eve):
        refused(caller.patch(path, {"name": "mine"}), 403)
        refused(caller.delete(path), 403)
    assert done(eve.get(path), 200)["name"] == "a room"


def test_a_deleted_room_is_gone_with_all_in_it(app: Flask, ada: Caller, bob: Caller) -> None:
    """Nothing of a deleted room is left, in the API or in the database."""
    path = ada.makes_room(bob)
    ada.sends(path, f"@{bob.user.name} farewell")
    done(bob.put(f"{path}/messages/1/reactions/+1"), 204)
    done(ada.delete(path), 204)

    refused(ada.get(path), 404)
    refused(ada.delete(path), 404)
    refused(bob.post(f"{path}/messages", {"client_id": "1", "body": "anyone?"}), 404)
    assert done(bob.get("/unread"), 200)["rooms"] == []
    with chat_of(app).db.connection() as db:
        for table in ("members", "messages", "reactions", "mentions", "events"):
            count = db.fetch_one(f"SELECT count(*) FROM {table} WHERE room_id = %s", [_id(path)])
            assert count == (0,), table


def test_closing_a_room_hides_it(ada: Caller, bob: Caller, eve: Caller) -> None:
    """A public room that becomes private is there for its members alone."""
    path = ada.makes_room(bob)
    done(ada.patch(path, {"visibility": "private"}), 200)
    done(bob.get(path), 200)
    refused(eve.get(path), 404)


def _id(path: str) -> int:
    return int(path.rpartition("/")[2])


def _all_public(caller: Caller) -> list[dict[str, Any]]:
    rooms: list[dict[str, Any]] = []
    after: int | None = 0
    while after is not None:
        page = done(caller.get("/rooms", scope="public", limit=100, after=after), 200)
        rooms += page["rooms"]
        after = page["next"]
    return rooms
