"""Sending again is safe: a client id makes one message, however often and however fast."""

from typing import Any

import pytest
from flask import Flask

from colorless.tasks import TaskGroup
from tests.tools.chat import Caller, done, refused, sign_in

NEW = {"client_id": "c-1", "body": "hello"}


@pytest.fixture
def room(ada: Caller, bob: Caller) -> str:
    """A room with two members."""
    return ada.makes_room(bob)


def test_the_same_again_is_the_same_message(ada: Caller, room: str) -> None:
    """A retry answers 200 with the message that the first try made, and makes none."""
    first = done(ada.post(f"{room}/messages", NEW), 201)
    for _ in range(3):
        assert done(ada.post(f"{room}/messages", NEW), 200) == first
    assert len(ada.reads(room)["messages"]) == 1
    assert ada.sends(room)["seq"] == 2


@pytest.mark.parametrize("other", [{"body": "Hello"}, {"reply_to": 1}])
def test_the_same_id_for_another_message_is_a_conflict(
    ada: Caller, room: str, other: dict[str, Any]
) -> None:
    """Another text, or another message replied to, is no retry."""
    done(ada.post(f"{room}/messages", NEW), 201)
    assert "c-1" in refused(ada.post(f"{room}/messages", NEW | other), 409)
    assert ada.texts(room) == ["hello"]


def test_a_retry_after_an_edit_is_still_a_retry(ada: Caller, room: str) -> None:
    """What counts is what was first sent; the answer is what the message is now."""
    done(ada.post(f"{room}/messages", NEW), 201)
    edited = done(ada.patch(f"{room}/messages/1", {"body": "edited"}), 200)
    assert done(ada.post(f"{room}/messages", NEW), 200) == edited
    refused(ada.post(f"{room}/messages", NEW | {"body": "edited"}), 409)


def test_a_retry_after_the_deletion_sends_nothing(ada: Caller, room: str) -> None:
    """A late retry does not bring back what was deleted."""
    done(ada.post(f"{room}/messages", NEW), 201)
    done(ada.delete(f"{room}/messages/1"), 204)
    assert done(ada.post(f"{room}/messages", NEW), 200)["body"] == ""
    assert ada.texts(room) == [""]


def test_client_ids_are_each_senders_own(ada: Caller, bob: Caller, room: str) -> None:
    """Two people may choose the same client id in one room."""
    done(ada.post(f"{room}/messages", NEW), 201)
    done(bob.post(f"{room}/messages", NEW | {"body": "another"}), 201)
    assert done(ada.post(f"{room}/messages", NEW), 200)["author"]["id"] == ada.id
    assert ada.texts(room) == ["hello", "another"]


def test_client_ids_are_each_rooms_own(ada: Caller, room: str) -> None:
    """One person may use the same client id in two rooms."""
    other = ada.makes_room()
    done(ada.post(f"{room}/messages", NEW), 201)
    done(ada.post(f"{other}/messages", NEW | {"body": "another"}), 201)


def test_a_retry_needs_no_room_for_another_reply(ada: Caller, room: str) -> None:
    """A reply that is sent again is found, and what it replies to is not asked for again."""
    ada.sends(room)
    reply = NEW | {"reply_to": 1}
    first = done(ada.post(f"{room}/messages", reply), 201)
    assert done(ada.post(f"{room}/messages", reply), 200) == first


def test_many_tries_at_once_make_one_message(ada: Caller, room: str) -> None:
    """Of many equal requests at the same time one answers 201, all others 200 with its message."""
    with TaskGroup() as group:
        tries = [group.go(ada.post, f"{room}/messages", NEW) for _ in range(30)]
    answers = [each.get() for each in tries]
    assert sorted(answer.status_code for answer in answers) == [200] * 29 + [201]
    assert len({answer.get_data() for answer in answers}) == 1
    assert (ada.texts(room), ada.sends(room)["seq"]) == (["hello"], 2)


def test_different_texts_at_once_make_one_message(ada: Caller, room: str) -> None:
    """Where one client id is used for many texts at the same time, one wins; the rest conflict."""
    with TaskGroup() as group:
        tries = [
            group.go(ada.post, f"{room}/messages", NEW | {"body": f"text {number}"})
            for number in range(20)
        ]
    statuses = sorted(each.get().status_code for each in tries)
    assert statuses == [201] + [409] * 19
    assert len(ada.texts(room)) == 1


def test_numbers_have_no_gap_whatever_fails_between(app: Flask) -> None:
    """Many people send at once, with retries, conflicts and refusals between: the numbers of what
    was acknowledged are 1, 2, 3, …, and the history is exactly that."""
    people = [sign_in(app) for _ in range(8)]
    room = people[0].makes_room(*people[1:])

    def talk(person: Caller) -> list[tuple[int, str]]:
        acknowledged = []
        for number in range(10):
            new = {"client_id": f"{number}", "body": f"{person.user.name} {number}"}
            message = done(person.post(f"{room}/messages", new), 201)
            acknowledged.append((message["seq"], message["body"]))
            done(person.post(f"{room}/messages", new), 200)
            refused(person.post(f"{room}/messages", new | {"body": "other"}), 409)
            answer = new | {"client_id": "x", "reply_to": 10_000}
            refused(person.post(f"{room}/messages", answer), 422, "reply_to")
        return acknowledged

    with TaskGroup() as group:
        talks = [group.go(talk, person) for person in people]
    acknowledged = sorted(pair for each in talks for pair in each.get())
    assert [seq for seq, _ in acknowledged] == list(range(1, 81))
    history = people[0].reads(room, limit=100)["messages"]
    assert [(message["seq"], message["body"]) for message in history] == acknowledged
    assert done(people[0].get(room), 200)["last_event"] == 1 + 7 + 80
