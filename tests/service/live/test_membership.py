"""Rooms come and go while a stream is open."""

from collections.abc import Callable

from colorless.tasks import TaskGroup
from service.chat import rooms
from service.chat.live.reconcile import Reconciler
from service.chat.models import User
from tests.service.live.conftest import room_of, send
from tests.tools.live import processes

MakeUser = Callable[[], User]


def test_who_is_removed_gets_that_and_nothing_behind_it(
    migrated_url: str, make_user: MakeUser
) -> None:
    """Whatever is lost between the processes, nothing that is acknowledged after a removal reaches
    the one who was removed."""
    with processes(migrated_url, 2) as (network, (here, there)):
        ada, bob, eve = make_user(), make_user(), make_user()
        room = room_of(here.chat, ada, bob, eve)
        removed, stays = there.opens(bob), there.opens(eve)
        network.lose = 1.0
        send(here.chat, ada, room)
        rooms.remove_member(here.chat, ada, room, bob.id)
        for _ in range(3):
            send(here.chat, ada, room, "not for bob")
        there.manager.check()
        stays.wait_for_seq(room, 8)
        assert removed.seqs(room) == [4, 5]
        assert removed.events[-1]["type"] == "member.left"
        assert stays.seqs(room) == [4, 5, 6, 7, 8]


def test_removal_in_the_middle_of_a_crowd_of_messages(
    migrated_url: str, make_user: MakeUser
) -> None:
    """Messages and a removal at the same time: what the removed one got ends with its leaving."""
    with processes(migrated_url, 2) as (_, (here, there)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        removed, stays = there.opens(bob), there.opens(ada)
        with TaskGroup() as group:
            for number in range(20):
                group.go(send, here.chat, ada, room)
                if number == 10:
                    group.go(rooms.remove_member, here.chat, ada, room, bob.id)
        stays.wait_for_seq(room, 23)
        assert removed.events[-1]["type"] == "member.left"
        assert removed.seqs(room) == list(range(3, removed.events[-1]["seq"] + 1))


def test_a_stream_that_opens_while_its_user_is_removed(
    migrated_url: str, make_user: MakeUser
) -> None:
    """An answer of the database that is older than what the process has read adds no room."""
    with processes(migrated_url, 1) as (_, (here,)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        watching, first = here.opens(ada), here.opens(bob)
        (subscriber,) = [
            a for a in here.manager.registry.subscribers.values() if a.user_id == bob.id
        ]
        rooms.remove_member(here.chat, ada, room, bob.id)
        watching.wait_for_seq(room, 3)
        assert subscriber.left == {room: 3}
        here.manager._enter_missing(subscriber, {room: 2})  # as it was before the removal
        send(here.chat, ada, room)
        watching.wait_for_seq(room, 4)
        assert first.seqs(room) == [3]


def test_joining_adds_the_room_to_every_open_stream(migrated_url: str, make_user: MakeUser) -> None:
    """A room that one joins on one device appears on the others, with the position from which on
    it is complete; in processes that knew the room and in those that did not."""
    with processes(migrated_url, 3) as (_, (one, two, three)):
        ada, bob = make_user(), make_user()
        room = room_of(one.chat, ada)
        one.opens(ada)
        streams = [process.opens(bob) for process in (one, two)]
        rooms.put_member(three.chat, bob, room, bob.id, "member")
        for stream in streams:
            stream.wait_for_type("added")
        send(three.chat, ada, room)
        for stream in streams:
            stream.wait_for_seq(room, 3)
            (added,) = stream.of_type("added")
            assert stream.seqs(room) == list(range(added["position"] + 1, 4))


def test_leaving_and_coming_back(migrated_url: str, make_user: MakeUser) -> None:
    """What happens while one is out of a room is not delivered; what follows the return is."""
    with processes(migrated_url, 1) as (_, (here,)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        stream = here.opens(bob)
        rooms.remove_member(here.chat, bob, room, bob.id)
        send(here.chat, ada, room, "meanwhile")
        rooms.put_member(here.chat, bob, room, bob.id, "member")
        stream.wait_for_type("added")
        (added,) = stream.of_type("added")
        last = send(here.chat, ada, room, "welcome back") + 4
        stream.wait_for_seq(room, last)
        assert "meanwhile" not in str(stream.events)
        assert stream.seqs(room) == [3, *range(added["position"] + 1, last + 1)]


def test_a_deleted_room_is_taken_away(migrated_url: str, make_user: MakeUser) -> None:
    """Everybody who had it is told, where the notice arrives and where only a check finds out."""
    with processes(migrated_url, 2) as (network, (here, there)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        near, far = here.opens(bob), there.opens(bob)
        network.lose = 1.0
        rooms.delete(here.chat, ada, room)
        there.manager.check()
        for stream in (near, far):
            stream.wait_for_type("removed")
            assert stream.of_type("removed") == [{"type": "removed", "room_id": room}]


def test_a_check_finds_a_room_that_no_notice_told_of(
    migrated_url: str, make_user: MakeUser
) -> None:
    """Somebody who was invited while the network was down gets the room with the next check."""
    with processes(migrated_url, 2) as (network, (here, there)):
        ada, bob = make_user(), make_user()
        stream = there.opens(bob)
        network.lose = 1.0
        room = room_of(here.chat, ada, bob)
        Reconciler(there.manager, 1.0)._check_rooms_of_users()
        assert stream.of_type("added") == [{"type": "added", "room_id": room, "position": 2}]


def test_nothing_is_kept_of_streams_that_ended(migrated_url: str, make_user: MakeUser) -> None:
    """With its last stream a user leaves no trace, nor do rooms to which nobody listens."""
    with processes(migrated_url, 1) as (_, (here,)):
        ada = make_user()
        room_of(here.chat, ada)
        streams = [here.opens(ada), here.opens(ada)]
        for stream in streams:
            assert here.manager.registry.feeds
            here.manager.registry.closed(stream)
            here.manager.registry.closed(stream)
        assert not here.manager.registry.feeds
        assert not here.manager.registry.subscribers
