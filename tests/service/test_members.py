"""Joining, inviting, leaving, removing, and the two roles."""

from collections.abc import Callable
from typing import Any

import pytest
from flask import Flask

from colorless.tasks import TaskGroup
from tests.tools.chat import Caller, done, refused, sign_in


def roles(caller: Caller, room: str) -> dict[int, str]:
    members = done(caller.get(f"{room}/members"), 200)["members"]
    return {member["user"]["id"]: member["role"] for member in members}


def seat(room: str, caller: Caller) -> str:
    return f"{room}/members/{caller.id}"


def test_anyone_joins_a_public_room(ada: Caller, bob: Caller) -> None:
    """Joining needs no invitation and no body; doing it again changes nothing."""
    room = ada.makes_room()
    done(bob.put(seat(room, bob)), 204)
    done(bob.put(seat(room, bob)), 204)
    assert roles(bob, room) == {ada.id: "owner", bob.id: "member"}
    assert done(bob.get(room), 200)["last_event"] == 2


def test_joining_again_does_not_cost_a_role(ada: Caller, bob: Caller) -> None:
    """An owner who joins the room it owns, as clients do at start, still owns it."""
    room = ada.makes_room(bob)
    done(ada.put(seat(room, bob), {"role": "owner"}), 204)
    for caller in (ada, bob):
        done(caller.put(seat(room, caller)), 204)
        done(caller.put(seat(room, caller), {}), 204)
    assert set(roles(ada, room).values()) == {"owner"}


def test_members_invite(ada: Caller, bob: Caller, eve: Caller) -> None:
    """Any member of a private room may bring somebody in, as a member."""
    room = ada.makes_private_room(bob)
    refused(bob.put(seat(room, eve), {"role": "owner"}), 403)
    done(bob.put(seat(room, eve)), 204)
    assert roles(eve, room)[eve.id] == "member"


def test_passers_by_do_not_invite(ada: Caller, bob: Caller, eve: Caller) -> None:
    """Who has not joined a public room brings nobody else in, and makes nobody an owner."""
    room = ada.makes_room()
    refused(bob.put(seat(room, eve)), 403)
    refused(bob.put(seat(room, bob), {"role": "owner"}), 403)


def test_only_owners_give_roles(ada: Caller, bob: Caller, eve: Caller) -> None:
    """A member can raise neither itself nor another, nor lower an owner."""
    room = ada.makes_room(bob, eve)
    for whom in (bob, eve):
        refused(bob.put(seat(room, whom), {"role": "owner"}), 403)
    refused(bob.put(seat(room, ada), {"role": "member"}), 403)
    done(ada.put(seat(room, bob), {"role": "owner"}), 204)
    done(bob.put(seat(room, ada), {"role": "member"}), 204)
    assert roles(ada, room) == {ada.id: "member", bob.id: "owner", eve.id: "member"}


def test_members_leave_and_owners_remove(ada: Caller, bob: Caller, eve: Caller) -> None:
    """Everyone may leave; only an owner may remove somebody else."""
    room = ada.makes_room(bob, eve)
    refused(bob.delete(seat(room, eve)), 403)
    done(bob.delete(seat(room, bob)), 204)
    done(ada.delete(seat(room, eve)), 204)
    assert roles(ada, room) == {ada.id: "owner"}
    refused(ada.delete(seat(room, eve)), 404)


@pytest.mark.parametrize(
    "leave",
    [lambda ada, seat: ada.delete(seat), lambda ada, seat: ada.put(seat, {"role": "member"})],
    ids=["by leaving", "by stepping down"],
)
def test_a_room_keeps_an_owner(ada: Caller, bob: Caller, leave: Callable[..., Any]) -> None:
    """The last owner can go only once another member owns the room."""
    room = ada.makes_room(bob)
    refused(leave(ada, seat(room, ada)), 409)
    done(ada.put(seat(room, bob), {"role": "owner"}), 204)
    done(leave(ada, seat(room, ada)), 204)


def test_owners_who_leave_at_once_leave_one_behind(app: Flask) -> None:
    """Of several owners who leave in the same moment, one has to stay."""
    owners = [sign_in(app) for _ in range(6)]
    room = owners[0].makes_room(*owners[1:])
    for owner in owners[1:]:
        done(owners[0].put(seat(room, owner), {"role": "owner"}), 204)
    with TaskGroup() as group:
        left = [group.go(owner.delete, seat(room, owner)) for owner in owners]
    assert sorted(each.get().status_code for each in left) == [204] * 5 + [409]


def test_nobody_who_is_not_there_is_put_in(ada: Caller, bob: Caller) -> None:
    """A user that does not exist cannot be a member, nor can an id that cannot be."""
    room = ada.makes_room()
    refused(ada.put(f"{room}/members/999999999"), 404)
    refused(ada.put(f"{room}/members/nobody"), 404)
    refused(ada.delete(seat(room, bob)), 404)
    refused(ada.put(seat(room, bob), {"role": "king"}), 422, "role")
    refused(ada.put(seat(room, bob), {"rank": "owner"}), 422, "rank")


def test_who_comes_back_has_read_what_it_missed(ada: Caller, bob: Caller) -> None:
    """A member starts with nothing unread, the first time and every other time."""
    room = ada.makes_room()
    ada.sends(room, f"before @{bob.user.name}")
    for _ in range(2):
        done(bob.put(seat(room, bob)), 204)
        counts = done(bob.get("/unread"), 200)
        assert (counts["unread"], counts["mentions"]) == (0, 0)
        done(bob.delete(seat(room, bob)), 204)
        ada.sends(room, f"while you were out @{bob.user.name}")


def test_members_are_paged(app: Flask, ada: Caller) -> None:
    """``next`` leads on, by user id, and each member is on one page."""
    others = [sign_in(app) for _ in range(4)]
    room = ada.makes_room(*others)
    first = done(ada.get(f"{room}/members", limit=3), 200)
    second = done(ada.get(f"{room}/members", limit=3, after=first["next"]), 200)
    ids = [member["user"]["id"] for page in (first, second) for member in page["members"]]
    assert ids == sorted([ada.id, *(other.id for other in others)])
    assert (len(first["members"]), second["next"]) == (3, None)
