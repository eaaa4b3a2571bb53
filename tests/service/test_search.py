"""Searching: what is found, by whom, and what may be asked."""

import uuid

import pytest

from tests.tools.chat import Caller, done, refused


@pytest.fixture
def word() -> str:
    """A word that no other test has written."""
    return f"w{uuid.uuid4().hex}"


def found(caller: Caller, q: str, **query: object) -> list[str]:
    return [m["body"] for m in done(caller.get("/search", q=q, **query), 200)["messages"]]


def test_the_newest_come_first(ada: Caller, word: str) -> None:
    """All messages with the word are found, from all rooms, the newest first."""
    one, two = ada.makes_room(), ada.makes_private_room()
    for room, number in ((one, 1), (two, 2), (one, 3)):
        ada.sends(room, f"{word} {number}")
    assert found(ada, word) == [f"{word} 3", f"{word} 2", f"{word} 1"]
    assert found(ada, word, limit=2) == [f"{word} 3", f"{word} 2"]
    assert found(ada, word.upper(), room_id=one.split("/")[2]) == [f"{word} 3", f"{word} 1"]


def test_public_rooms_are_everybodys(ada: Caller, bob: Caller, word: str) -> None:
    """One finds what one may read: any public room, and the private ones one is in."""
    ada.sends(ada.makes_room(), f"{word} public")
    ada.sends(ada.makes_private_room(bob), f"{word} with bob")
    ada.sends(ada.makes_private_room(), f"{word} alone")
    assert set(found(bob, word)) == {f"{word} public", f"{word} with bob"}


def test_words_phrases_and_exclusions(ada: Caller, word: str) -> None:
    """Quotes, ``or`` and ``-`` work as in a web search."""
    room = ada.makes_room()
    for text in (f"{word} red fox", f"{word} fox red", f"{word} blue"):
        ada.sends(room, text)
    assert found(ada, f'{word} "red fox"') == [f"{word} red fox"]
    assert found(ada, f"{word} -fox") == [f"{word} blue"]
    assert set(found(ada, f"{word} blue or {word} -red")) == {f"{word} blue"}


def test_what_was_edited_is_found_by_its_new_words(ada: Caller, word: str) -> None:
    """The search knows what a message says now, and nothing of what it said before."""
    room = ada.makes_room()
    ada.sends(room, f"before {word}")
    done(ada.patch(f"{room}/messages/1", {"body": f"after {word}"}), 200)
    assert found(ada, f"before {word}") == []
    assert found(ada, f"after {word}") == [f"after {word}"]


def test_tombstones_are_not_found(ada: Caller, word: str) -> None:
    """A deleted message is not found, neither by its words nor by a word it does not have."""
    room = ada.makes_room()
    ada.sends(room, word)
    ada.sends(room, "still here")
    done(ada.delete(f"{room}/messages/1"), 204)
    number = room.split("/")[2]
    assert found(ada, word, room_id=number) == []
    assert found(ada, "-unheardof", room_id=number) == ["still here"]


@pytest.mark.parametrize(
    "q",
    ["'", '"', "\\", "%", ":*", "a & | !", "(((", "-", "or", "<->", "''; DROP TABLE users", "𝒳"],
)
def test_any_text_may_be_searched_for(ada: Caller, q: str) -> None:
    """No text breaks the query, whatever it means to PostgreSQL."""
    done(ada.get("/search", q=q), 200)


@pytest.mark.parametrize(
    "query, field",
    [
        ("", "q"),
        ("q=", "q"),
        ("q=%00", "q"),
        ("q=" + "x" * 201, "q"),
        ("q=a&q=b", "q"),
        ("q=a&limit=101", "limit"),
        ("q=a&limit=0", "limit"),
        ("q=a&room_id=x", "room_id"),
        ("q=a&room_id=null", "room_id"),
        ("q=a&offset=1", "offset"),
    ],
)
def test_a_search_that_cannot_be_is_refused(ada: Caller, query: str, field: str) -> None:
    """Each limit on a search is held, and the refusal names the parameter."""
    refused(ada.call("GET", f"/search?{query}"), 422, field)


def test_a_room_that_is_not_there_is_not_searched(ada: Caller) -> None:
    """A search in a room that one may not read is a 404, and not an empty answer."""
    refused(ada.get("/search", q="x", room_id=999999999), 404)
