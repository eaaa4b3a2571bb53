"""What every use case is given."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from colorless.postgres import Pool
from service.chat.fanout.notices import Notice
from service.chat.passwords import Passwords
from service.outside.client import OutsideClient
from service.outside.ssrf import AddressPolicy


def announce_to_nobody(room_id: int, event_seq: int) -> None:
    """Do nothing: there are no streams."""


def tell_nobody(notice: Notice) -> None:
    """Do nothing: there are no streams."""


@dataclass(frozen=True)
class ChatContext:
    """The parts that the use cases work with.

    ``announce`` is called with a room's id and an event's number once the event is committed;
    ``tell`` with a notice that is no event of a room. Neither waits. ``outside`` calls other sites.
    """

    db: Pool
    passwords: Passwords
    session_days: int
    announce: Callable[[int, int], None] = announce_to_nobody
    tell: Callable[[Notice], None] = tell_nobody
    outside: OutsideClient = field(default_factory=lambda: OutsideClient(AddressPolicy()))
