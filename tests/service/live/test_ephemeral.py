"""Typing, presence and read marks reach the streams that are open, and are never in the log."""

from __future__ import annotations

from collections.abc import Callable

from colorless.tasks import TaskGroup
from service.chat import presence, read_marks
from service.chat.fanout.notices import ReadUpTo, Typing
from service.chat.live.ephemeral import TypingThrottle
from service.chat.live.presence_lease import PresenceLeases
from service.chat.models import ReadMark, User
from tests.service.live.conftest import room_of, send
from tests.tools.live import Listener, Process, processes

MakeUser = Callable[[], User]


def looks(process: Process, lease: float = 60.0) -> PresenceLeases:
    return PresenceLeases(process.manager, lease=lease, grace=0.0)


def seen_by(stream: Listener) -> list[tuple[int, bool]]:
    return [(event["user_id"], event["online"]) for event in stream.of_type("presence")]


def test_typing_reaches_the_others_and_no_log(migrated_url: str, make_user: MakeUser) -> None:
    """Everybody in the room but oneself, in every process; at once again it is not repeated."""
    with processes(migrated_url, 2) as (_, (here, there)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        own, other = here.opens(ada), there.opens(bob)
        for _ in range(5):
            presence.tell_typing(here.chat, ada, room)
        send(here.chat, ada, room)
        for stream in (own, other):
            stream.wait_for_seq(room, 3)
        (typing,) = other.of_type("typing")
        assert (typing["room_id"], typing["user"]["id"]) == (room, ada.id)
        assert not own.of_type("typing")


def test_the_memory_of_who_types_is_bounded() -> None:
    """However many type, the newest are remembered and the oldest are not."""
    throttle = TypingThrottle()
    users = [User(number, "", "") for number in range(10_002)]
    assert all(throttle.allows(Typing(1, user)) for user in users)
    assert not throttle.allows(Typing(1, users[-1]))
    assert throttle.allows(Typing(1, users[0]))


def test_read_marks_go_to_ones_own_streams_and_never_back(
    migrated_url: str, make_user: MakeUser
) -> None:
    """Several devices marking at once, and notices that overtake each other."""
    with processes(migrated_url, 2) as (network, (here, there)):
        network.delay = 1.0
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        for _ in range(9):
            send(here.chat, ada, room)
        mine, others = there.opens(bob), there.opens(ada)
        with TaskGroup() as group:
            for seq in (3, 9, 1, 5, 7):
                group.go(read_marks.mark, here.chat, bob, room, ReadMark(seq))
        mine.wait_until(lambda: mine.events[-1].get("seq") == 9)
        there.manager.receive([ReadUpTo(bob.id, room, 4)])
        marks = [event["seq"] for event in mine.of_type("read")]
        assert marks == sorted(set(marks))
        assert not others.of_type("read")


def test_who_comes_and_goes_is_told(migrated_url: str, make_user: MakeUser) -> None:
    """Once, with the first stream that opens and the last one that closes, wherever they are."""
    with processes(migrated_url, 2) as (_, (here, there)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        watching = here.opens(ada)
        near, far = looks(here), looks(there)
        near.update()
        first = there.opens(bob)
        far.update()
        second = here.opens(bob)
        near.update()
        assert presence.online(here.chat, ada, room).user_ids == [ada.id, bob.id]
        there.manager.registry.closed(first)
        far.update()
        assert presence.online(here.chat, ada, room).user_ids == [ada.id, bob.id]
        here.manager.registry.closed(second)
        near.update()
        watching.wait_until(lambda: len(seen_by(watching)) >= 2)
        assert seen_by(watching) == [(bob.id, True), (bob.id, False)]
        assert presence.online(here.chat, ada, room).user_ids == [ada.id]


def test_a_process_that_dies_takes_nobody_along_for_long(
    migrated_url: str, make_user: MakeUser
) -> None:
    """Its leases end by themselves, and another process tells those who care."""
    with processes(migrated_url, 2) as (_, (here, there)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        watching = here.opens(ada)
        there.opens(bob)
        looks(there, lease=0.0).update()  # and then no more
        looks(here).update()
        watching.wait_until(lambda: (bob.id, False) in seen_by(watching))
        assert presence.online(here.chat, ada, room).user_ids == [ada.id]
