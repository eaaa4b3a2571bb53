"""What every use case works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from colorless.postgres import Pool
from service.chat.notices import Notice
from service.chat.passwords import Passwords


def announce_to_nobody(room_id: int, event_seq: int) -> None:
    """No one listens for events."""


def tell_nobody(notice: Notice) -> None:
    """No one listens for notices."""


@dataclass(frozen=True)
class Chat:
    """The database, the passwords, and who is told of an event once it is committed
    (``announce``) and of what is no event (``tell``). Neither ever waits."""

    db: Pool
    passwords: Passwords
    session_days: int
    announce: Callable[[int, int], None] = announce_to_nobody
    tell: Callable[[Notice], None] = tell_nobody
