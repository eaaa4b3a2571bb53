"""What every use case works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from colorless.postgres import Pool
from service.chat.fanout.notices import Notice
from service.chat.passwords import Passwords
from service.outside.client import OutsideClient
from service.outside.ssrf import AddressPolicy


def announce_to_nobody(room_id: int, event_seq: int) -> None:
    """No one listens for events."""


def tell_nobody(notice: Notice) -> None:
    """No one listens for notices."""


@dataclass(frozen=True)
class ChatContext:
    """The database, the passwords, who is told of an event once it is committed (``announce``)
    and of what is no event (``tell``), neither of which ever waits, and the way to other sites."""

    db: Pool
    passwords: Passwords
    session_days: int
    announce: Callable[[int, int], None] = announce_to_nobody
    tell: Callable[[Notice], None] = tell_nobody
    outside: OutsideClient = field(default_factory=lambda: OutsideClient(AddressPolicy()))
