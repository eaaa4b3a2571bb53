"""The interface of a fan-out: what carries notices between processes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from service.chat.fanout.notices import Notice

Receive = Callable[[list[Notice]], None]


class Fanout(Protocol):
    """A way to reach the other processes."""

    def publish(self, notice: Notice) -> None:
        """Send the notice soon. Never waits, never raises; this process may get it as well."""

    def listen(self, receive: Receive, recovered: Callable[[], None]) -> None:
        """Call ``receive`` for what others publish, in a green thread, from now on; and
        ``recovered`` whenever something may have been missed."""

    @property
    def connected(self) -> bool:
        """Whether notices of other processes are believed to arrive."""

    def close(self) -> None:
        """End its green threads and connections."""
