"""Reactions: what may be one, who gave it, and how many there may be."""

import pytest

from tests.tools.chat import Caller, done, in_path, refused


def reactions(caller: Caller, room: str) -> dict[str, list[int]]:
    given = done(caller.get(f"{room}/messages/1"), 200)["reactions"]
    return {reaction["emoji"]: reaction["user_ids"] for reaction in given}


@pytest.fixture
def room(ada: Caller, bob: Caller) -> str:
    """A room with one message."""
    path = ada.makes_room(bob)
    ada.sends(path)
    return path


def test_reactions_are_counted_by_person(ada: Caller, bob: Caller, room: str) -> None:
    """Each person gives each emoji once, and takes back only its own."""
    for caller in (bob, ada, ada):
        done(caller.put(f"{room}/messages/1/reactions/{in_path('👍')}"), 204)
    done(ada.put(f"{room}/messages/1/reactions/%2B1"), 204)
    assert reactions(bob, room) == {"+1": [ada.id], "👍": sorted([ada.id, bob.id])}
    done(bob.delete(f"{room}/messages/1/reactions/{in_path('👍')}"), 204)
    done(bob.delete(f"{room}/messages/1/reactions/+1"), 204)
    assert reactions(bob, room) == {"+1": [ada.id], "👍": [ada.id]}


@pytest.mark.parametrize("emoji", ["👍", "👩🏽‍🚀", "🏳️‍🌈", "+1", ":tada:", "ß", "e\u0301"])
def test_any_short_text_without_space_is_a_reaction(ada: Caller, room: str, emoji: str) -> None:
    """A reaction comes back as it was given, whatever script or sequence it is."""
    done(ada.put(f"{room}/messages/1/reactions/{in_path(emoji)}"), 204)
    assert reactions(ada, room) == {emoji: [ada.id]}
    done(ada.delete(f"{room}/messages/1/reactions/{in_path(emoji)}"), 204)
    assert reactions(ada, room) == {}


@pytest.mark.parametrize(
    "emoji", ["x" * 33, "%00", "%20", "a%20b", "a%0A", "%2F", "%25", "a%5Cb", "%3F", "%23", "%7F"]
)
def test_other_text_is_none(ada: Caller, room: str, emoji: str) -> None:
    """There is nothing at a path whose last part cannot be a reaction."""
    refused(ada.put(f"{room}/messages/1/reactions/{emoji}"), 404)
    assert reactions(ada, room) == {}


def test_reactions_are_for_members(bob: Caller, eve: Caller, room: str) -> None:
    """Who has not joined is told to."""
    refused(eve.put(f"{room}/messages/1/reactions/+1"), 403)
    refused(eve.delete(f"{room}/messages/1/reactions/+1"), 403)


def test_a_message_has_so_many_kinds_of_reaction(ada: Caller, bob: Caller, room: str) -> None:
    """The kinds are limited, and not how many people give one of them."""
    for number in range(50):
        done(ada.put(f"{room}/messages/1/reactions/e{number}"), 204)
    refused(ada.put(f"{room}/messages/1/reactions/one-more"), 409)
    done(bob.put(f"{room}/messages/1/reactions/e7"), 204)
    assert len(reactions(ada, room)) == 50
    done(ada.delete(f"{room}/messages/1/reactions/e0"), 204)
    done(ada.put(f"{room}/messages/1/reactions/one-more"), 204)
