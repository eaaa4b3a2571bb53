"""Consecutive events of one room, encoded once for all who get them."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from service.chat.events import Event, encode
from service.chat.live.positions import mark


class Item(NamedTuple):
    """One event: its number, its JSON, and the room's part of a position after it."""

    seq: int
    json: bytes
    mark: str


class Batch:
    """``items`` of the room ``room_id``, with their bytes in each protocol that was asked for."""

    __slots__ = ("_rendered", "items", "room_id")

    def __init__(self, room_id: int, items: Sequence[Item]) -> None:
        self.room_id = room_id
        self.items = items
        self._rendered: dict[str, bytes] = {}

    @classmethod
    def of(cls, room_id: int, events: Sequence[Event]) -> Batch:
        """The batch of these events."""
        return cls(room_id, [Item(e.seq, encode(e), mark(room_id, e.seq)) for e in events])

    def rendered(self, form: str, render: Callable[[Sequence[Item]], bytes]) -> bytes:
        """The bytes that ``render`` makes of the items; it is called once for each ``form``."""
        data = self._rendered.get(form)
        if data is None:
            data = self._rendered[form] = render(self.items)
        return data


def up_to_changes_of_members(found: Sequence[Event]) -> Iterator[Sequence[Event]]:
    """The events in pieces, each up to an event by which a user joins or leaves: after that one the
    room has other subscribers."""
    start = 0
    for index, event in enumerate(found):
        if event.type in ("member.joined", "member.left"):
            yield found[start : index + 1]
            start = index + 1
    if start < len(found):
        yield found[start:]
