"""Every stream gets the same events in the same order, whatever becomes of the notices."""

from collections.abc import Callable
from unittest.mock import Mock

import pytest

from colorless.tasks import TaskGroup
from service.chat import events, messages
from service.chat.live.batch import Batch
from service.chat.models import MessageChange, User
from tests.service.live.conftest import room_of, send
from tests.tools.live import processes

MakeUser = Callable[[], User]


def test_events_come_in_the_order_of_the_log(migrated_url: str, make_user: MakeUser) -> None:
    """Messages, edits, reactions and deletions each have their place, and no number is left out."""
    with processes(migrated_url, 2) as (_, (here, there)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        stream = there.opens(bob)
        seq = send(here.chat, ada, room, "first")
        messages.edit(here.chat, ada, room, seq, MessageChange(body="second"))
        messages.react(here.chat, bob, room, seq, "👍")
        messages.unreact(here.chat, bob, room, seq, "👍")
        messages.delete(here.chat, ada, room, seq)
        stream.wait_for_seq(room, 7)
        assert stream.types() == [
            "ready",
            "message.created",
            "message.edited",
            "reaction.added",
            "reaction.removed",
            "message.deleted",
        ]
        assert stream.seqs(room) == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("seed", range(3))
def test_lost_doubled_and_late_notices_change_nothing(
    migrated_url: str, make_user: MakeUser, seed: int
) -> None:
    """With half of the notices lost and the rest doubled or out of order, one check at the end is
    enough for every stream in every process to have every event once, in order."""
    with processes(migrated_url, 3, seed=seed) as (network, all_of_them):
        users = [make_user() for _ in range(3)]
        room = room_of(all_of_them[0].chat, *users)
        network.lose, network.double, network.delay = 0.5, 0.3, 0.7
        streams = [p.opens(user) for p in all_of_them for user in users]
        with TaskGroup() as group:
            for process, user in zip(all_of_them, users, strict=True):
                for _ in range(10):
                    group.go(send, process.chat, user, room)
        for process in all_of_them:
            process.manager.check()
        for stream in streams:
            stream.wait_for_seq(room, 33)
            assert stream.seqs(room) == list(range(4, 34))


def test_a_carrier_that_fails_costs_nobody_a_message(
    migrated_url: str, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who sends is told that the message is stored; the other process finds it by itself."""
    with processes(migrated_url, 2) as (_, (here, there)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        stream = there.opens(bob)
        monkeypatch.setattr(here.link, "publish", Mock(side_effect=RuntimeError("the carrier")))
        assert send(here.chat, ada, room) == 1
        there.manager.check()
        stream.wait_for_seq(room, 3)


def test_a_hint_that_promises_too_much_is_harmless(migrated_url: str, make_user: MakeUser) -> None:
    """A number that the log has not reached gives nothing, and what follows still comes."""
    with processes(migrated_url, 1) as (_, (here,)):
        ada = make_user()
        room = room_of(here.chat, ada)
        stream = here.opens(ada)
        here.manager.announce(room, 1000)
        send(here.chat, ada, room)
        stream.wait_for_seq(room, 2)
        assert stream.seqs(room) == [2]


def test_events_are_read_once_for_all_streams(
    migrated_url: str, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Many streams of a process share one reading of the log."""
    with processes(migrated_url, 1) as (_, (here,)):
        users = [make_user() for _ in range(20)]
        room = room_of(here.chat, *users)
        streams = [here.opens(user) for user in users]
        reads = Mock(wraps=events.read)
        monkeypatch.setattr(events, "read", reads)
        send(here.chat, users[0], room)
        for stream in streams:
            stream.wait_for_seq(room, 21)
        assert reads.call_count == 1


def test_a_deleted_message_keeps_its_text_to_itself(migrated_url: str, make_user: MakeUser) -> None:
    """Whoever comes after the deletion gets the event that made the message without its text, from
    the database and from what a process remembers."""
    with processes(migrated_url, 2) as (_, (here, there)):
        ada, bob = make_user(), make_user()
        room = room_of(here.chat, ada, bob)
        watching = here.opens(bob)
        seq = send(here.chat, ada, room, "a secret")
        watching.wait_for_seq(room, 3)
        messages.delete(here.chat, ada, room, seq)
        watching.wait_for_seq(room, 4)
        for process in (here, there):
            late = process.opens(bob, {room: 2})
            assert late.seqs(room) == [3, 4]
            assert "a secret" not in str(late.events)


def test_an_error_that_nobody_foresaw_loses_nothing(
    migrated_url: str, make_user: MakeUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When handing out fails in the middle, the streams are ended, and resume where they were."""
    with processes(migrated_url, 1) as (_, (here,)):
        ada = make_user()
        room = room_of(here.chat, ada)
        stream = here.opens(ada)
        with monkeypatch.context() as patch:
            patch.setattr(Batch, "of", Mock(side_effect=ZeroDivisionError))
            send(here.chat, ada, room)
            stream.wait_until(lambda: stream.ended)
        here.manager.registry.closed(stream)
        again = here.opens(ada, {room: 1})
        assert again.seqs(room) == [2]
