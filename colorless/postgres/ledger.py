"""Which slot goes to whom: the pool's decisions, without any I/O.

A slot is the right to hold one connection to the server. There are never more than ``max_size``
of them, and a slot is taken *before* its connection is opened and given back *after* it was
closed, so that no race between green threads can open one connection too many.

What holds between any two calls:

- idle slots have a connection, and none is idle while somebody waits;
- idle slots lie in the order in which they were given back; the newest is taken first;
- waiting tickets are served in the order in which they came.
"""

from __future__ import annotations

import math
from collections import OrderedDict, deque
from typing import Generic, TypeVar

from colorless.postgres.errors import PoolClosed, PoolFull

C = TypeVar("C")


class Slot(Generic[C]):
    """The right to hold one connection. Times are on the monotonic clock, in seconds."""

    __slots__ = ("connection", "expires", "idle_since")

    def __init__(self) -> None:
        self.connection: C | None = None  # None: whoever holds the slot opens one
        self.expires = 0.0
        self.idle_since = 0.0


class Ticket(Generic[C]):
    """A place in the queue until ``expires``; ``slot`` is set when its turn has come."""

    __slots__ = ("expires", "slot")

    def __init__(self, expires: float = math.inf) -> None:
        self.expires = expires
        self.slot: Slot[C] | None = None


class Ledger(Generic[C]):
    """Slots, and the tickets of those who wait for one."""

    def __init__(self, max_size: int, max_waiting: int) -> None:
        self.max_size = max_size
        self.max_waiting = max_waiting
        self.size = 0  # slots that exist: idle, or in somebody's hands
        self.idle: deque[Slot[C]] = deque()
        # Not a deque: when many give up at once, each has to be found in it.
        self.waiting: OrderedDict[Ticket[C], None] = OrderedDict()
        self.closed = False

    def take(self) -> Slot[C] | None:
        """A slot for the caller, or ``None``: then it has to queue. Raises PoolClosed."""
        if self.idle:
            return self.idle.pop()
        if self.closed:
            raise PoolClosed("the pool was closed")
        if self.size < self.max_size:
            self.size += 1
            return Slot()
        return None

    def queue(self, ticket: Ticket[C]) -> None:
        """Wait for a slot. Raises PoolFull when ``max_waiting`` callers wait already."""
        if len(self.waiting) >= self.max_waiting:
            raise PoolFull(
                f"all {self.max_size} connections are in use and {len(self.waiting)} callers wait "
                f"already: answer this one 'try again later', or raise max_size or max_waiting"
            )
        self.waiting[ticket] = None

    def give_back(self, slot: Slot[C], now: float) -> Ticket[C] | None:
        """End the holding of a slot, with its connection or without.

        Returns the ticket that has it now, whose owner must be woken.
        """
        slot.idle_since = now
        if self.waiting:
            ticket, _ = self.waiting.popitem(last=False)
            ticket.slot = slot
            return ticket
        if slot.connection is None:
            self.size -= 1
        else:
            self.idle.append(slot)
        return None

    def leave(self, ticket: Ticket[C], now: float) -> Ticket[C] | None:
        """Give up waiting. A slot that came at the same moment goes to the next in the queue.

        Returns the ticket that has that slot now, whose owner must be woken.
        """
        if ticket.slot is not None:
            return self.give_back(ticket.slot, now)
        self.waiting.pop(ticket, None)
        return None

    def take_late(self, now: float) -> list[Ticket[C]]:
        """Take the tickets that have expired out of the queue; all were made to wait equally long,
        so they are the first in it. Their owners must be woken."""
        late = []
        for ticket in self.waiting:
            if ticket.expires > now:
                break
            late.append(ticket)
        for ticket in late:
            del self.waiting[ticket]
        return late

    def take_idle_since(self, then: float) -> list[Slot[C]]:
        """Take the slots that are idle since ``then`` or longer, for closing their connections."""
        taken = []
        while self.idle and self.idle[0].idle_since <= then:
            taken.append(self.idle.popleft())
        return taken

    def close(self) -> tuple[list[Ticket[C]], list[Slot[C]]]:
        """Give out nothing from now on.

        Returns the tickets that waited, whose owners must be woken, and the slots that were idle,
        to be given back without their connections.
        """
        self.closed = True
        tickets, slots = list(self.waiting), list(self.idle)
        self.waiting.clear()
        self.idle.clear()
        return tickets, slots
