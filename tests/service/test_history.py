"""Reading a room's history from any point in any direction."""

from typing import Any

import pytest

from tests.tools.chat import Caller, done, refused

SENT = 12


@pytest.fixture
def room(ada: Caller) -> str:
    """A room with twelve messages."""
    path = ada.makes_room()
    for number in range(1, SENT + 1):
        ada.sends(path, f"message {number}")
    return path


@pytest.mark.parametrize(
    "page, seqs, has_before, has_after",
    [
        ({}, range(1, 13), False, False),
        ({"limit": 3}, range(10, 13), True, False),
        ({"limit": 12}, range(1, 13), False, False),
        ({"before": 4, "limit": 2}, range(2, 4), True, True),
        ({"before": 3, "limit": 100}, range(1, 3), False, True),
        ({"before": 1}, [], False, True),
        ({"before": 13, "limit": 1}, [12], True, False),
        ({"before": 9999, "limit": 1}, [12], True, False),
        ({"after": 0, "limit": 2}, [1, 2], False, True),
        ({"after": 10}, [11, 12], True, False),
        ({"after": 12}, [], True, False),
        ({"after": 9999}, [], True, False),
        ({"around": 6, "limit": 5}, range(4, 9), True, True),
        ({"around": 6, "limit": 4}, range(4, 8), True, True),
        ({"around": 6, "limit": 1}, [6], True, True),
        ({"around": 1, "limit": 4}, range(1, 5), False, True),
        ({"around": 12, "limit": 4}, range(10, 13), True, False),
        ({"around": 9999, "limit": 4}, [11, 12], True, False),
        ({"around": 9999, "limit": 1}, [], True, False),
    ],
)
def test_a_page_is_what_was_asked_for(
    ada: Caller, room: str, page: dict[str, int], seqs: Any, has_before: bool, has_after: bool
) -> None:
    """Each page has its messages in order, and says whether there are more on either side."""
    answer = ada.reads(room, **page)
    assert [message["seq"] for message in answer["messages"]] == list(seqs)
    assert (answer["has_before"], answer["has_after"]) == (has_before, has_after)


@pytest.mark.parametrize("page", [{}, {"before": 1}, {"before": 9}, {"after": 0}, {"around": 1}])
def test_an_empty_room_has_one_empty_page(ada: Caller, page: dict[str, int]) -> None:
    """Where there is nothing, there is nothing before or after it."""
    empty = {"messages": [], "has_before": False, "has_after": False}
    assert ada.reads(ada.makes_room(), **page) == empty


@pytest.mark.parametrize("limit", [1, 5, 100])
def test_walking_meets_every_message_once(ada: Caller, room: str, limit: int) -> None:
    """Page by page, forward or backward, one reads the whole history in order."""
    forward: list[int] = []
    page: dict[str, Any] = {"has_after": True}
    while page["has_after"]:
        page = ada.reads(room, after=forward[-1] if forward else 0, limit=limit)
        forward += [message["seq"] for message in page["messages"]]

    backward: list[int] = []
    page = {"has_before": True}
    while page["has_before"]:
        page = ada.reads(room, limit=limit, **({"before": backward[0]} if backward else {}))
        backward = [message["seq"] for message in page["messages"]] + backward

    assert forward == backward == list(range(1, SENT + 1))


@pytest.mark.parametrize(
    "field, value",
    [
        ("limit", "0"),
        ("limit", "101"),
        ("limit", "-1"),
        ("limit", "ten"),
        ("limit", ""),
        ("before", "0"),
        ("before", "null"),
        ("after", "-1"),
        ("after", "9" * 40),
        ("around", "0x1"),
        ("around", "%00"),
        ("offset", "10"),
    ],
)
def test_a_page_that_cannot_be_is_refused(ada: Caller, room: str, field: str, value: str) -> None:
    """Each limit on a page is held, and the refusal names the parameter."""
    refused(ada.call("GET", f"{room}/messages?{field}={value}"), 422, field)


@pytest.mark.parametrize(
    "query, field",
    [
        ("before=1&after=1", "after"),
        ("after=1&around=1", "around"),
        ("before=1&after=1&around=1", "after"),
    ],
)
def test_a_page_has_one_direction(ada: Caller, room: str, query: str, field: str) -> None:
    """Two directions at once are refused."""
    refused(ada.call("GET", f"{room}/messages?{query}"), 422, field)


def test_tombstones_are_in_the_history(ada: Caller, room: str) -> None:
    """A deleted message keeps its place on the page, so that numbers have no gap there."""
    done(ada.delete(f"{room}/messages/5"), 204)
    answer = ada.reads(room, around=5, limit=3)
    assert [message["seq"] for message in answer["messages"]] == [4, 5, 6]
    assert answer["messages"][1]["body"] == ""
