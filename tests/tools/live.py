"""Stream managers without sockets: several processes' worth over one database, and a network
between them that can lose, double, delay and reorder what they tell each other."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gevent
from gevent.event import Event as Signal

from colorless.postgres import Pool
from service.chat.context import ChatContext
from service.chat.fanout.backend import Receive
from service.chat.fanout.notices import Notice
from service.chat.live.batch import Batch
from service.chat.live.manager import StreamManager
from service.chat.live.stream import End, Stream
from service.chat.live.subscriber import Subscriber
from service.chat.models import User
from service.chat.passwords import Passwords


class Network:
    """Carries notices between hubs, as badly as it is told to."""

    def __init__(self, seed: int = 0) -> None:
        self.random = random.Random(seed)
        self.lose = self.double = self.delay = 0.0  # the share of notices that suffers it
        self.links: list[Link] = []

    def link(self) -> Link:
        made = Link(self)
        self.links.append(made)
        return made

    def carry(self, notice: Notice, sender: Link) -> None:
        for link in self.links:
            if link is sender or link.receive is None:
                continue
            if self.random.random() < self.lose:
                continue
            for _ in range(2 if self.random.random() < self.double else 1):
                late = self.random.random() * 0.02 if self.random.random() < self.delay else 0
                gevent.spawn_later(late, link.receive, [notice])


class Link:
    """One manager's end of the network: a fan-out."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self.receive: Receive | None = None
        self.connected = True

    def publish(self, notice: Notice) -> None:
        self._network.carry(notice, self)

    def listen(self, receive: Receive, recovered: Callable[[], None]) -> None:
        self.receive = receive
        self.recovered = recovered

    def close(self) -> None:
        self.receive = None


class Listener(Stream[Subscriber]):
    """A client that keeps what it gets; one that is not ``reading`` takes nothing while it
    catches up."""

    def __init__(self, session: bytes = b"session") -> None:
        super().__init__(session)
        self.events: list[dict[str, Any]] = []
        self.positions: list[str] = []
        self.ended: End | None = None
        self.reading = Signal()
        self.reading.set()
        self._changed = Signal()

    @property
    def is_open(self) -> bool:
        return self.ended is None

    def render(self, batch: Batch) -> bytes:
        return b"\n".join(item.json for item in batch.items)

    def event(self, json: bytes, position: str | None = None) -> bytes:
        if position is not None:
            self.positions.append(position)
        return json

    def hold(self, data: bytes) -> None:
        assert self.held is not None
        self.held.append(data)

    def write(self, data: bytes) -> None:
        self.events += map(json.loads, data.split(b"\n"))
        self._changed.set()

    def flush(self) -> bool:
        self.reading.wait()
        return self.is_open

    def end(self, why: End) -> None:
        self.ended = why
        self._changed.set()

    # What a test asks

    def wait_until(self, happened: Callable[[], Any], seconds: float = 30) -> None:
        """Wait for something to be true after one of the next events."""
        with gevent.Timeout(seconds, AssertionError(f"did not happen; so far: {self.events}")):
            while not happened():
                self._changed.clear()
                self._changed.wait()

    def wait_for_seq(self, room_id: int, seq: int) -> None:
        self.wait_until(lambda: self.seqs(room_id)[-1:] == [seq])

    def wait_for_type(self, kind: str) -> None:
        self.wait_until(lambda: self.of_type(kind))

    def seqs(self, room_id: int) -> list[int]:
        """The numbers of the room's events, as they came."""
        return [e["seq"] for e in self.events if e.get("room_id") == room_id and "at" in e]

    def types(self) -> list[str]:
        return [event["type"] for event in self.events]

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        return [event for event in self.events if event["type"] == kind]


class Process:
    """What is live in one process: its manager, and a chat that tells it."""

    def __init__(self, url: str, network: Network, resume_events: int) -> None:
        self.link = network.link()
        self.db = Pool(url, max_size=8)
        self.manager = StreamManager(self.db, self.link, resume_events=resume_events)
        self.chat = ChatContext(self.db, Passwords(), 1, self.manager.announce, self.manager.tell)

    def opens(self, user: User, resume: Mapping[int, int] | None = None) -> Listener:
        """A stream of the user's, live when this returns."""
        listener = Listener()
        self.manager.open(listener, user.id, resume or {})
        return listener

    def close(self) -> None:
        for stream in self.manager.registry.streams():
            self.manager.registry.closed(stream)
        self.manager.close()
        self.db.close()


@contextmanager
def processes(
    url: str, count: int, *, seed: int = 0, resume_events: int = 1000
) -> Iterator[tuple[Network, list[Process]]]:
    """So many processes over one database, and the network between them."""
    network = Network(seed)
    made = [Process(url, network, resume_events) for _ in range(count)]
    try:
        yield network, made
    finally:
        for process in made:
            process.close()
