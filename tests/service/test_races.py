"""What happens to a request whose room changes while it waits for the room.

Each test holds the room in a transaction of its own, sees the request wait for it in the server,
and only then commits: no luck with timing is needed.
"""

from collections.abc import Callable, Iterator

import pytest
from werkzeug.test import TestResponse

from colorless.tasks import TaskGroup
from tests.tools.chat import Caller, done, refused
from tests.tools.postgres import Sessions, holding

NEW = {"client_id": "1", "body": "still here?"}

_HOLD = "SELECT id FROM rooms WHERE id = %s FOR UPDATE"
_REMOVE = f"{_HOLD}; DELETE FROM members WHERE room_id = %s AND user_id = %s"

WRITES: dict[str, Callable[[Caller, str], TestResponse]] = {
    "send": lambda who, room: who.post(f"{room}/messages", NEW),
    "reply": lambda who, room: who.post(f"{room}/messages", NEW | {"reply_to": 1}),
    "edit": lambda who, room: who.patch(f"{room}/messages/1", {"body": "x"}),
    "unsay": lambda who, room: who.delete(f"{room}/messages/1"),
    "react": lambda who, room: who.put(f"{room}/messages/1/reactions/+1"),
    "take a reaction back": lambda who, room: who.delete(f"{room}/messages/1/reactions/ok"),
    "invite": lambda who, room: who.put(f"{room}/members/1"),
}


@pytest.fixture
def sessions(migrated_url: str) -> Iterator[Sessions]:
    """What the server says of its sessions."""
    sessions = Sessions(migrated_url)
    yield sessions
    sessions.close()


def meanwhile(
    sessions: Sessions, url: str, change: str, values: list[int], act: Callable[[], TestResponse]
) -> TestResponse:
    """What ``act`` answers when ``change`` is committed while it waits for the room."""
    with TaskGroup() as group:
        with holding(url, change, *values):
            answer = group.go(act)
            sessions.until_waiting(1)
        response: TestResponse = answer.get()
    return response


@pytest.mark.parametrize("what", WRITES)
@pytest.mark.parametrize("visibility, status", [("public", 403), ("private", 404)])
def test_who_is_removed_meanwhile_does_nothing_more(
    ada: Caller,
    bob: Caller,
    migrated_url: str,
    sessions: Sessions,
    what: str,
    visibility: str,
    status: int,
) -> None:
    """A write that waited for the room while its caller was removed from it is refused."""
    path = ada.makes_room(bob, visibility=visibility)
    bob.sends(path, "first")
    done(bob.put(f"{path}/messages/1/reactions/ok"), 204)
    room = int(path.split("/")[2])
    events = done(ada.get(path), 200)["last_event"]

    values = [room, room, bob.id]
    answer = meanwhile(sessions, migrated_url, _REMOVE, values, lambda: WRITES[what](bob, path))
    refused(answer, status)
    assert done(ada.get(path), 200)["last_event"] == events
    assert ada.texts(path) == ["first"]


@pytest.mark.parametrize("what", WRITES)
def test_what_is_deleted_meanwhile_is_not_found(
    ada: Caller, migrated_url: str, sessions: Sessions, what: str
) -> None:
    """A write that waited for a room while that was deleted is told that there is none."""
    path = ada.makes_room()
    ada.sends(path, "first")
    delete = "DELETE FROM rooms WHERE id = %s"
    room = int(path.split("/")[2])
    answer = meanwhile(sessions, migrated_url, delete, [room], lambda: WRITES[what](ada, path))
    refused(answer, 404)


def test_a_closed_room_lets_nobody_in_any_more(
    ada: Caller, bob: Caller, migrated_url: str, sessions: Sessions
) -> None:
    """Who was about to join a public room while it became private is told that there is none."""
    path = ada.makes_room()
    close = "UPDATE rooms SET visibility = 'private' WHERE id = %s"

    def join() -> TestResponse:
        return bob.put(f"{path}/members/{bob.id}")

    room = int(path.split("/")[2])
    refused(meanwhile(sessions, migrated_url, close, [room], join), 404)


def test_an_owner_who_was_lowered_meanwhile_owns_nothing(
    ada: Caller, bob: Caller, migrated_url: str, sessions: Sessions
) -> None:
    """A deletion that waited while its caller lost the role is refused."""
    path = ada.makes_room(bob)
    room = int(path.split("/")[2])
    lower = f"{_HOLD}; UPDATE members SET role = 'member' WHERE room_id = %s AND user_id = %s"
    values = [room, room, ada.id]
    refused(meanwhile(sessions, migrated_url, lower, values, lambda: ada.delete(path)), 403)
    done(bob.get(path), 200)
