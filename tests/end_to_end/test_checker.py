"""The checker finds what it is there to find."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from tests.tools.history import History, Sent, Watch, violations


def message(seq: int) -> dict[str, Any]:
    return {"seq": seq, "client_id": f"c{seq}", "body": f"b{seq}", "author": {"id": 1}}


def created(seq: int) -> dict[str, Any]:
    """Event ``seq`` makes message ``seq - 1``: the first event is a joining."""
    return {"type": "message.created", "at": "", "room_id": 1, "seq": seq, "message_seq": seq - 1}


def ready(position: int) -> dict[str, Any]:
    return {"type": "ready", "positions": {"1": position}}


def good() -> History:
    """Three messages, and two streams of which one broke and resumed."""
    return History(
        sent=[Sent(1, f"c{n}", n, f"b{n}") for n in (1, 2, 3)],
        watches=[
            Watch(1, [ready(1), created(2), created(3), created(4)]),
            Watch(2, [ready(1), created(2), ready(2), created(3), created(4)]),
        ],
        stored={1: [message(n) for n in (1, 2, 3)]},
        marks={(1, 1): [1, 1, 3]},
    )


def test_a_good_history_is_good() -> None:
    """Nothing is found where nothing is wrong."""
    assert violations(good()) == []


def remove_stored(history: History) -> None:
    del history.stored[1][2]


def lose_in_the_middle(history: History) -> None:
    del history.stored[1][1]


def store_twice(history: History) -> None:
    history.stored[1].append({**message(1), "seq": 4})


def store_something_else(history: History) -> None:
    history.stored[1][0]["body"] = "other"


def number_with_a_gap(history: History) -> None:
    history.sent.pop()
    history.stored[1][2]["seq"] = 5


def swap_two_events(history: History) -> None:
    events = history.watches[0].events
    events[2], events[3] = events[3], events[2]


def repeat_at_the_joint(history: History) -> None:
    history.watches[1].events.insert(3, created(2))


def skip_at_the_joint(history: History) -> None:
    del history.watches[1].events[3]


def resume_elsewhere(history: History) -> None:
    history.watches[1].events[2] = ready(3)
    del history.watches[1].events[3]


def tell_two_stories(history: History) -> None:
    history.watches[0].events[1]["type"] = "message.edited"


def never_deliver(history: History) -> None:
    history.watches[0].events.pop()


def move_the_mark_back(history: History) -> None:
    history.marks[1, 1].append(2)


def deliver_after_removal(history: History) -> None:
    history.watches[0].removed_at[1] = 3


@pytest.mark.parametrize(
    "plant",
    [
        remove_stored,
        lose_in_the_middle,
        store_twice,
        store_something_else,
        number_with_a_gap,
        swap_two_events,
        repeat_at_the_joint,
        skip_at_the_joint,
        resume_elsewhere,
        tell_two_stories,
        never_deliver,
        move_the_mark_back,
        deliver_after_removal,
    ],
)
def test_a_planted_violation_is_found(plant: Callable[[History], None]) -> None:
    """Each way in which a history can be wrong is reported."""
    history = copy.deepcopy(good())
    plant(history)
    assert violations(history)
