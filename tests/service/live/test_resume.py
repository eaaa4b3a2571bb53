"""A stream goes on where the one before it ended."""

from collections.abc import Callable

import gevent
import pytest
from gevent.event import Event as Signal
from hypothesis import given
from hypothesis import strategies as st

from colorless.tasks import go
from service.chat.live import resume
from service.chat.live.room_feed import RoomFeed
from service.chat.live.subscriber import Subscriber
from service.chat.models import User
from tests.service.live.conftest import room_of, send
from tests.tools.live import Listener, processes

MakeUser = Callable[[], User]


def test_what_was_missed_comes_first_and_once(migrated_url: str, make_user: MakeUser) -> None:
    """Resuming at N gives N + 1 and all that follows, on a process that never saw the room."""
    with processes(migrated_url, 2) as (_, (here, there)):
        ada = make_user()
        room = room_of(here.chat, ada)
        for _ in range(5):
            send(here.chat, ada, room)
        stream = there.opens(ada, {room: 3})
        assert stream.events[0]["positions"] == {str(room): 3}
        send(here.chat, ada, room)
        stream.wait_for_seq(room, 7)
        assert stream.seqs(room) == [4, 5, 6, 7]
        assert stream.positions == [f"{room}-{seq}" for seq in (3, 4, 5, 6)]


@pytest.mark.parametrize("round_", range(3))
def test_no_gap_and_no_duplicate_while_others_write(
    migrated_url: str, make_user: MakeUser, round_: int
) -> None:
    """Streams that open in the middle of a storm of messages join what they missed to what is
    live without a seam."""
    with processes(migrated_url, 2, seed=round_) as (network, (here, there)):
        network.lose = 0.5
        ada = make_user()
        room = room_of(here.chat, ada)

        opened = Signal()

        def storm() -> int:
            last = 0
            while not opened.is_set():
                last = send(here.chat, ada, room)
            return last

        writer = go(storm)
        streams = []
        for _ in range(6):
            streams.append(there.opens(ada, {room: 1}))
            gevent.sleep(0.003)
        opened.set()
        last = writer.get() + 1
        there.manager.check()
        for stream in streams:
            stream.wait_for_seq(room, last)
            assert stream.seqs(room) == list(range(2, last + 1))


def test_a_client_that_takes_long_to_catch_up_misses_nothing(
    migrated_url: str, make_user: MakeUser
) -> None:
    """What happens while a client catches up waits behind what it missed."""
    with processes(migrated_url, 1) as (_, (here,)):
        ada = make_user()
        room = room_of(here.chat, ada)
        for _ in range(250):
            send(here.chat, ada, room)
        watching = here.opens(ada)
        slow = Listener()
        slow.reading.clear()
        opening = go(here.manager.open, slow, ada.id, {room: 1})
        slow.wait_until(lambda: len(slow.seqs(room)) == resume.CHUNK)
        send(here.chat, ada, room)
        watching.wait_for_seq(room, 252)
        assert slow.seqs(room)[-1] == 1 + resume.CHUNK
        slow.reading.set()
        opening.get()
        assert slow.seqs(room) == list(range(2, 253))


def test_too_much_is_a_gap(migrated_url: str, make_user: MakeUser) -> None:
    """Where more was missed than a stream gives, the client is told so and goes on from now; a
    room that fits is replayed all the same."""
    with processes(migrated_url, 1, resume_events=5) as (_, (here,)):
        ada = make_user()
        busy, quiet = room_of(here.chat, ada), room_of(here.chat, ada)
        for _ in range(10):
            send(here.chat, ada, busy)
        send(here.chat, ada, quiet)
        stream = here.opens(ada, {busy: 2, quiet: 1})
        assert stream.of_type("gap") == [
            {"type": "gap", "room_id": busy, "after": 2, "position": 11}
        ]
        assert stream.seqs(quiet) == [2]
        send(here.chat, ada, busy)
        stream.wait_for_seq(busy, 12)
        assert stream.seqs(busy) == [12]


def test_a_position_that_never_was_is_a_gap(migrated_url: str, make_user: MakeUser) -> None:
    """A client that is ahead of the log, which was restored perhaps, starts over."""
    with processes(migrated_url, 1) as (_, (here,)):
        ada = make_user()
        room = room_of(here.chat, ada)
        stream = here.opens(ada, {room: 100})
        assert stream.of_type("gap") == [
            {"type": "gap", "room_id": room, "after": 100, "position": 1}
        ]


def test_a_client_ahead_of_its_new_process(migrated_url: str, make_user: MakeUser) -> None:
    """A client that comes from a process that heard of an event first does not get it again."""
    with processes(migrated_url, 2) as (network, (here, there)):
        ada = make_user()
        room = room_of(here.chat, ada)
        there.opens(ada)
        network.lose = 1.0
        send(here.chat, ada, room)
        stream = there.opens(ada, {room: 2})
        send(there.chat, ada, room)
        stream.wait_for_seq(room, 3)
        assert stream.seqs(room) == [3]
        assert not stream.of_type("gap")


def test_rooms_that_one_is_not_in_are_taken_away(migrated_url: str, make_user: MakeUser) -> None:
    """A room from which somebody was removed while it was away, or that never was."""
    with processes(migrated_url, 1) as (_, (here,)):
        ada, bob = make_user(), make_user()
        private = room_of(here.chat, ada)
        stream = here.opens(bob, {private: 0})
        assert stream.types() == ["ready", "removed"]


@given(
    st.dictionaries(st.integers(1, 5), st.integers(0, 30)),
    st.dictionaries(st.integers(1, 5), st.integers(0, 30)),
    st.integers(0, 40),
)
def test_every_room_is_accounted_for(
    wanted: dict[int, int], there: dict[int, int], most: int
) -> None:
    """Each room of the client's is replayed in full, a gap, taken away, or up to date, and what is
    replayed is never more than allowed."""
    feeds: dict[int, RoomFeed[Subscriber]] = {
        room_id: RoomFeed(room_id, position) for room_id, position in there.items()
    }
    plan = resume.plan(wanted, feeds, most)
    replayed = {missed.room_id: (missed.after, missed.until) for missed in plan.missed}
    gaps = {gap.room_id: (gap.after, gap.position) for gap in plan.gaps}
    assert sum(until - after for after, until in replayed.values()) <= most
    assert not replayed.keys() & gaps.keys()
    for room_id, seq in wanted.items():
        if room_id not in there:
            assert room_id in plan.removed
        elif seq != there[room_id]:
            assert (replayed | gaps)[room_id] == (seq, there[room_id])
        else:
            assert room_id not in replayed | gaps
    assert plan.start == {room_id: wanted.get(room_id, there[room_id]) for room_id in there}
