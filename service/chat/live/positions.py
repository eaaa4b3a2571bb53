"""A client's position: the last event that it got of each room, as a text like ``12-405.13-9``.

Room 12 up to event 405, room 13 up to event 9. It is the id of every server-sent event, by which a
stock ``EventSource`` resumes by itself, and the ``resume`` parameter of both kinds of stream.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from service.errors import InvalidInput

_TEXT = re.compile(r"\d{1,16}-\d{1,16}(\.\d{1,16}-\d{1,16})*")


def mark(room_id: int, seq: int) -> str:
    """One room's part of the text."""
    return f"{room_id}-{seq}"


def join(marks: Iterable[str]) -> str:
    """The text of these parts; their order does not matter."""
    return ".".join(marks)


def text(positions: Mapping[int, int]) -> str:
    """The text for these positions."""
    return join(mark(room_id, seq) for room_id, seq in positions.items())


def parse(text: str) -> dict[int, int]:
    """The positions in a text; none in an empty one. Raises :class:`InvalidInput`."""
    if not text:
        return {}
    if not _TEXT.fullmatch(text):
        raise InvalidInput("send positions as ROOM-SEQ.ROOM-SEQ, like 12-405.13-9", field="resume")
    pairs = (part.split("-") for part in text.split("."))
    return {int(room_id): int(seq) for room_id, seq in pairs}
