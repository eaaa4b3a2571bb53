"""What every use case works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from colorless.postgres import Pool
from service.chat.notices import Notice
from service.chat.passwords import Passwords
from service.outside.addresses import Addresses
from service.outside.client import Client


def announce_to_nobody(room_id: int, event_seq: int) -> None:
    """No one listens for events."""


def tell_nobody(notice: Notice) -> None:
    """No one listens for notices."""


@dataclass(frozen=True)
class Chat:
    """The database, the passwords, who is told of an event once it is committed (``announce``)
    and of what is no event (``tell``), neither of which ever waits, and the way to other sites."""

    db: Pool
    passwords: Passwords
    session_days: int
    announce: Callable[[int, int], None] = announce_to_nobody
    tell: Callable[[Notice], None] = tell_nobody
    outside: Client = field(default_factory=lambda: Client(Addresses()))
