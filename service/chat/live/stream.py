"""One client's stream, as far as the hub knows it. How bytes travel is its subclasses' matter."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from service.chat.live.audience import Audience
    from service.chat.live.batch import Batch


class End(NamedTuple):
    """Why the server ends a stream: a WebSocket close code, a text, and the seconds after which
    the client should come back (``None``: not by itself)."""

    code: int
    reason: str
    retry: float | None


TOO_SLOW = End(1013, "you read too slowly; reconnect and resume", 1.0)
TRY_AGAIN = End(1013, "the server cannot read what you missed; reconnect and resume", 2.0)
REVOKED = End(1008, "your session has ended; log in again", None)


class Stream(ABC):
    """While it is catching up (``held`` is a list), what is live waits behind what was missed."""

    __slots__ = ("audience", "held", "session")

    def __init__(self, session: bytes) -> None:
        self.session = session
        self.audience: Audience | None = None
        self.held: list[bytes] | None = []

    def deliver(self, batch: Batch) -> None:
        """Hand the client what just happened. Never waits."""
        self.say(self.render(batch))

    def say(self, data: bytes) -> None:
        """Send ``data`` in its turn. Never waits."""
        if self.held is None:
            self.write(data)
        else:
            self.hold(data)

    def go_live(self) -> None:
        """It has caught up: from here on everything goes out at once."""
        held, self.held = self.held or [], None
        for data in held:
            self.write(data)

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether the client may still get something."""

    @abstractmethod
    def render(self, batch: Batch) -> bytes:
        """The batch as bytes of this stream's protocol."""

    @abstractmethod
    def event(self, json: bytes, position: str | None = None) -> bytes:
        """One event as bytes; ``position`` is where the client is behind it, if that changed."""

    @abstractmethod
    def hold(self, data: bytes) -> None:
        """Keep ``data`` in ``held``; a client that takes too long to catch up is too slow."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send now or as soon as the client takes it. Never waits; ends a client too slow."""

    @abstractmethod
    def flush(self) -> bool:
        """Wait until the client has taken all; whether it has, rather than gone."""

    @abstractmethod
    def end(self, why: End) -> None:
        """Tell the client why, and close."""
