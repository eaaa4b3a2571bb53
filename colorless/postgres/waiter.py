"""A ticket of the ledger's queue whose owner sleeps until it is served."""

from __future__ import annotations

from gevent.event import Event

from colorless.postgres.connection import Connection
from colorless.postgres.ledger import Ticket


class Waiter(Ticket[Connection]):
    """Its owner waits for ``event``."""

    __slots__ = ("event",)

    def __init__(self) -> None:
        super().__init__()
        self.event = Event()


def wake(ticket: Ticket[Connection] | None) -> None:
    """Let the owner of ``ticket``, if there is one, go on; it runs when the hub comes to it."""
    if ticket is not None:
        assert isinstance(ticket, Waiter)
        ticket.event.set()
