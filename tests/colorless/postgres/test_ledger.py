"""The pool's decisions, without a server: by example, and by a machine that plays at random."""

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from colorless.postgres.errors import PoolClosed, PoolFull
from colorless.postgres.ledger import Ledger, Slot, Ticket


def opened(slot: Slot[str] | None, name: str = "a connection") -> Slot[str]:
    assert slot is not None
    slot.connection = name
    return slot


def test_a_slot_is_reserved_before_its_connection_is_opened() -> None:
    """Two who connect at the same time cannot both take the last place."""
    ledger = Ledger[str](max_size=1, max_waiting=1)
    slot = ledger.take()
    assert slot is not None
    assert slot.connection is None
    assert ledger.take() is None


def test_the_connection_used_last_is_used_next() -> None:
    """Few connections stay warm and the rest can grow old and be closed."""
    ledger = Ledger[str](max_size=2, max_waiting=1)
    first, second = opened(ledger.take()), opened(ledger.take())
    ledger.give_back(first, now=1)
    ledger.give_back(second, now=2)
    assert ledger.take() is second


def test_a_slot_that_lost_its_connection_makes_room_for_a_waiter() -> None:
    """Whoever waits gets the right to open a new connection."""
    ledger = Ledger[str](max_size=1, max_waiting=1)
    slot = opened(ledger.take())
    ticket = Ticket[str]()
    ledger.queue(ticket)
    slot.connection = None
    assert ledger.give_back(slot, now=1) is ticket
    assert ticket.slot is slot
    assert ledger.size == 1


def test_a_slot_that_goes_from_hand_to_hand_was_not_idle() -> None:
    """Nobody has to check a connection that was used a moment ago."""
    ledger = Ledger[str](max_size=1, max_waiting=1)
    slot = opened(ledger.take())
    ledger.queue(Ticket())
    ledger.give_back(slot, now=7)
    assert slot.idle_since == 7


def test_who_leaves_with_a_slot_hands_it_on() -> None:
    """A timeout at the very moment of the hand-over loses no slot."""
    ledger = Ledger[str](max_size=1, max_waiting=2)
    slot = opened(ledger.take())
    late, patient = Ticket[str](), Ticket[str]()
    ledger.queue(late)
    ledger.queue(patient)
    assert ledger.give_back(slot, now=1) is late
    assert ledger.leave(late, now=2) is patient
    assert patient.slot is slot


def test_the_queue_is_bounded() -> None:
    """The caller behind the last place is told at once."""
    ledger = Ledger[str](max_size=0, max_waiting=1)
    ledger.queue(Ticket())
    with pytest.raises(PoolFull, match="max_waiting"):
        ledger.queue(Ticket())


def test_a_closed_ledger_gives_out_nothing() -> None:
    """Closing hands out what was idle, and wakes who waited with empty hands."""
    ledger = Ledger[str](max_size=1, max_waiting=1)
    slot = opened(ledger.take())
    ledger.give_back(slot, now=1)
    assert ledger.close() == ([], [slot])
    with pytest.raises(PoolClosed):
        ledger.take()


class LedgerMachine(RuleBasedStateMachine):
    """Anybody takes, queues, gives back, leaves and sweeps in any order."""

    def __init__(self) -> None:
        super().__init__()
        self.ledger = Ledger[str](max_size=3, max_waiting=3)
        self.held: list[Slot[str]] = []
        self.queued: list[Ticket[str]] = []  # not served yet, in order of arrival
        self.granted: list[Ticket[str]] = []  # served, but not woken yet
        self.stack: list[Slot[str]] = []  # idle, the newest last
        self.now = 0.0

    @rule()
    def take(self) -> None:
        expected = self.stack.pop() if self.stack else None
        slot = self.ledger.take()
        if expected is not None:
            assert slot is expected
        if slot is None:
            self.queue()
        else:
            self.held.append(opened(slot))

    def queue(self) -> None:
        assert self.ledger.size == self.ledger.max_size
        ticket = Ticket[str]()
        if len(self.queued) == self.ledger.max_waiting:
            with pytest.raises(PoolFull):
                self.ledger.queue(ticket)
        else:
            self.ledger.queue(ticket)
            self.queued.append(ticket)

    @precondition(lambda self: self.held)
    @rule(data=st.data(), lost=st.booleans())
    def give_back(self, data: st.DataObject, lost: bool) -> None:
        slot = data.draw(st.sampled_from(self.held))
        self.held.remove(slot)
        self.hand_over(slot, None if lost else "a connection")

    def hand_over(self, slot: Slot[str], connection: str | None) -> None:
        self.now += 1
        slot.connection = connection
        self.expect_served(slot, self.ledger.give_back(slot, self.now))

    def expect_served(self, slot: Slot[str], ticket: Ticket[str] | None) -> None:
        if self.queued:
            assert ticket is self.queued.pop(0)
            assert ticket.slot is slot
            self.granted.append(ticket)
        else:
            assert ticket is None
            if slot.connection is not None:
                self.stack.append(slot)

    @precondition(lambda self: self.granted)
    @rule()
    def wake(self) -> None:
        self.held.append(opened(self.granted.pop(0).slot))

    @precondition(lambda self: self.queued)
    @rule(data=st.data())
    def leave_unserved(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.queued))
        self.queued.remove(ticket)
        assert self.ledger.leave(ticket, self.now) is None

    @precondition(lambda self: self.granted)
    @rule(data=st.data())
    def leave_served(self, data: st.DataObject) -> None:
        ticket = data.draw(st.sampled_from(self.granted))
        self.granted.remove(ticket)
        assert ticket.slot is not None
        self.now += 1
        self.expect_served(ticket.slot, self.ledger.leave(ticket, self.now))

    @rule(age=st.integers(0, 5))
    def sweep(self, age: int) -> None:
        then = self.now - age
        old = [slot for slot in self.stack if slot.idle_since <= then]
        assert self.ledger.take_idle_since(then) == old
        self.stack = [slot for slot in self.stack if slot not in old]
        for slot in old:
            self.hand_over(slot, None)

    @invariant()
    def every_slot_is_in_one_place(self) -> None:
        slots = [*self.held, *self.stack, *(ticket.slot for ticket in self.granted)]
        assert len(set(map(id, slots))) == len(slots) == self.ledger.size
        assert self.ledger.size <= self.ledger.max_size

    @invariant()
    def nobody_waits_beside_an_idle_connection(self) -> None:
        assert not (self.ledger.idle and self.ledger.waiting)


def test_nothing_breaks_the_ledger() -> None:
    """In whatever order things happen, no slot is lost, doubled, or kept from who came first."""
    run_state_machine_as_test(
        LedgerMachine, settings=settings(max_examples=100, stateful_step_count=40, deadline=None)
    )


def test_late_tickets_leave_the_queue_in_its_order_and_the_others_stay() -> None:
    """Whoever has waited too long is told so, and a slot goes to one who still waits."""
    ledger: Ledger[str] = Ledger(1, 10)
    slot = ledger.take()
    assert slot is not None
    tickets = [Ticket[str](expires) for expires in (1.0, 2.0, 3.0)]
    for ticket in tickets:
        ledger.queue(ticket)
    assert ledger.take_late(2.0) == tickets[:2]
    assert ledger.take_late(2.0) == []
    assert ledger.give_back(slot, 2.5) is tickets[2]
