"""What every use case works with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from colorless.postgres import Pool
from service.chat.passwords import Passwords


def tell_nobody(room_id: int, event_seq: int) -> None:
    """No one listens for events."""


@dataclass(frozen=True)
class Chat:
    """The database, the passwords, and who is told of an event once it is committed."""

    db: Pool
    passwords: Passwords
    session_days: int
    announce: Callable[[int, int], None] = tell_nobody
