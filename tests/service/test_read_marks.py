"""Read markers, unread counts, mentions, and the first screen."""

from typing import Any

import pytest
from flask import Flask

from colorless.tasks import TaskGroup
from tests.tools.chat import Caller, done, refused, sign_in


def mark(caller: Caller, room: str, seq: int) -> tuple[int, int, int]:
    """Where the mark is now, and what is unread behind it: messages, mentions."""
    now = done(caller.put(f"{room}/read", {"seq": seq}), 200)
    return now["read_seq"], now["unread"], now["mentions"]


def test_a_mark_moves_on_and_never_back(ada: Caller, bob: Caller) -> None:
    """A mark behind the present one changes nothing, and one beyond the last is the last."""
    room = ada.makes_room(bob)
    for _ in range(5):
        ada.sends(room)
    assert mark(bob, room, 0) == (0, 5, 0)
    assert mark(bob, room, 3) == (3, 2, 0)
    assert mark(bob, room, 2) == (3, 2, 0)
    assert mark(bob, room, 2**53 - 1) == (5, 0, 0)
    assert mark(bob, room, 0) == (5, 0, 0)


def test_marks_from_many_devices_end_at_the_furthest(app: Flask, ada: Caller, bob: Caller) -> None:
    """Whatever the order in which they arrive, the furthest of many marks stands."""
    room = ada.makes_room(bob)
    for _ in range(20):
        ada.sends(room)
    with TaskGroup() as group:
        for seq in (20, *range(1, 20)):
            group.go(mark, bob, room, seq)
    assert mark(bob, room, 0)[0] == 20


def test_marking_is_for_members(ada: Caller, bob: Caller) -> None:
    """Who has not joined has no mark to move."""
    room = ada.makes_room()
    refused(bob.put(f"{room}/read", {"seq": 1}), 403)
    refused(bob.put("/rooms/999999999/read", {"seq": 1}), 404)


@pytest.mark.parametrize("sent", [{}, {"seq": -1}, {"seq": 2**53}, {"seq": "1"}, {"seq": None}])
def test_a_mark_that_cannot_be_is_refused(ada: Caller, sent: dict[str, Any]) -> None:
    """The refusal names the field."""
    refused(ada.put(f"{ada.makes_room()}/read", sent), 422, "seq")


def test_what_one_sends_one_has_read(ada: Caller, bob: Caller) -> None:
    """Sending marks the room as read up to the message that was sent."""
    room = ada.makes_room(bob)
    ada.sends(room, f"@{bob.user.name}?")
    bob.sends(room, "here")
    assert done(bob.get("/unread"), 200)["unread"] == 0
    assert done(ada.get("/unread"), 200)["unread"] == 1


def test_unread_is_counted_by_room(ada: Caller, bob: Caller) -> None:
    """Each room has its count, and the counts add up."""
    one, two = ada.makes_room(bob), ada.makes_private_room(bob)
    for _ in range(3):
        ada.sends(one)
    ada.sends(two, f"hi @{bob.user.name}")
    counts = done(bob.get("/unread"), 200)
    assert (counts["unread"], counts["mentions"]) == (4, 1)
    found = [(room["unread"], room["mentions"]) for room in counts["rooms"]]
    assert found == [(3, 0), (1, 1)]
    assert mark(bob, two, 1) == (1, 0, 0)
    assert done(bob.get("/unread"), 200)["mentions"] == 0


@pytest.mark.parametrize(
    "text, expected",
    [
        ("@{0}", True),
        ("hello @{0}, how are you?", True),
        ("thanks @{0}.", True),
        ("(@{0})", True),
        ("@{0}...", True),
        ("@{0}-", True),
        ("\n@{0}\n", True),
        ("@{0}'s", True),
        ("@{1}", True),
        ("mail@{0}", False),
        ("@@{0}", False),
        ("@{0}x", False),
        ("@{0}é", False),
        ("@{0}.example", False),
        ("@ {0}", False),
        ("{0}", False),
        ("@" + "x" * 40, False),
    ],
)
def test_who_is_mentioned(ada: Caller, bob: Caller, text: str, expected: bool) -> None:
    """``@name`` in any capitals mentions that member; what only looks like it does not."""
    room = ada.makes_room(bob)
    ada.sends(room, text.format(bob.user.name, bob.user.name.upper()))
    assert done(bob.get("/unread"), 200)["mentions"] == int(expected)


def test_a_name_of_32_letters_is_no_longer_names_beginning(app: Flask, ada: Caller) -> None:
    """A longer word after ``@`` does not mention the user whose name it begins with."""
    long = sign_in(app, "n" * 32)
    room = ada.makes_room(long)
    ada.sends(room, "@" + "n" * 33)
    assert done(long.get("/unread"), 200)["mentions"] == 0
    ada.sends(room, "@" + "n" * 32)
    assert done(long.get("/unread"), 200)["mentions"] == 1


def test_a_message_mentions_somebody_once(ada: Caller, bob: Caller) -> None:
    """Twice in one message is one mention; oneself and who is not there are not mentioned."""
    room = ada.makes_room(bob)
    ada.sends(room, f"@{bob.user.name} @{bob.user.name} @{ada.user.name} @nobody-at-all")
    assert done(bob.get("/unread"), 200)["mentions"] == 1
    assert done(ada.get("/unread"), 200)["mentions"] == 0


def test_an_edit_changes_who_is_mentioned(ada: Caller, bob: Caller, eve: Caller) -> None:
    """What counts is whom the message mentions now."""
    room = ada.makes_room(bob, eve)
    ada.sends(room, f"@{bob.user.name}")
    done(ada.patch(f"{room}/messages/1", {"body": f"@{eve.user.name}"}), 200)
    assert done(bob.get("/unread"), 200)["mentions"] == 0
    assert done(eve.get("/unread"), 200)["mentions"] == 1


def test_home_is_all_of_it(ada: Caller, bob: Caller) -> None:
    """The first screen says what the single questions would say."""
    one, two = ada.makes_room(bob), ada.makes_private_room(bob)
    ada.sends(one, "first")
    mention = ada.sends(one, f"@{bob.user.name}")
    last = ada.sends(two)

    home = done(bob.get("/home"), 200)
    assert home["user"] == done(bob.get("/users/me"), 200)
    assert home["rooms"] == done(bob.get("/rooms"), 200)["rooms"]
    assert home["unread"] == done(bob.get("/unread"), 200)["rooms"]
    assert home["mentions"] == [mention]
    assert home["latest"] == [mention, last]
    mark(bob, one, 2)
    assert done(bob.get("/home"), 200)["mentions"] == []


def test_home_of_somebody_new_is_empty(ada: Caller) -> None:
    """Who is in no room sees an empty screen, and no error."""
    home = done(ada.get("/home"), 200)
    assert [home[part] for part in ("rooms", "unread", "mentions", "latest")] == [[]] * 4
