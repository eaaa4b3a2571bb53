"""One client's stream, whatever its protocol; how bytes travel is left to subclasses."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Generic, NamedTuple, TypeVar

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

# Whose stream it is: a Subscriber, which is made of streams and so cannot be named here.
SubscriberT = TypeVar("SubscriberT")


class Stream(ABC, Generic[SubscriberT]):
    """A stream replays what its client missed, and is live after that.

    ``held`` has the live events that wait behind the replay; it is ``None`` once the stream is
    live. ``subscriber`` is the user's, from when the stream is open until it is closed.
    """

    __slots__ = ("held", "session", "subscriber")

    def __init__(self, session: bytes) -> None:
        self.session = session
        self.subscriber: SubscriberT | None = None
        self.held: list[bytes] | None = []

    def deliver(self, batch: Batch) -> None:
        """Send a room's new events. Never waits."""
        self.send(self.render(batch))

    def send(self, data: bytes) -> None:
        """Send ``data`` behind all that was given before it. Never waits."""
        if self.held is None:
            self.write(data)
        else:
            self.hold(data)

    def go_live(self) -> None:
        """The replay has ended: send what was held, and from now on everything at once."""
        held, self.held = self.held or [], None
        for data in held:
            self.write(data)

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """Whether anything can still be sent to the client."""

    @abstractmethod
    def render(self, batch: Batch) -> bytes:
        """The batch as bytes of this stream's protocol."""

    @abstractmethod
    def event(self, json: bytes, position: str | None = None) -> bytes:
        """One event as bytes; ``position`` is the client's after it, if that changed."""

    @abstractmethod
    def hold(self, data: bytes) -> None:
        """Append ``data`` to ``held``; ends the stream if too much is held."""

    @abstractmethod
    def write(self, data: bytes) -> None:
        """Send now or as soon as the client takes it. Never waits; ends the stream of a client that
        reads too slowly."""

    @abstractmethod
    def flush(self) -> bool:
        """Wait until all is written; returns whether the stream is still open."""

    @abstractmethod
    def end(self, why: End) -> None:
        """Tell the client why, and close."""
