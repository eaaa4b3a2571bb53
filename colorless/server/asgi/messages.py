"""Whole messages, out of a WebSocket's frames."""

from __future__ import annotations

from codecs import getincrementaldecoder
from collections.abc import Callable
from typing import Any

from websockets.frames import CloseCode, Frame, Opcode

# Frames that one message may come in, guessed: 4 MiB in pieces of 64 bytes, as the Autobahn suite
# sends them, are 65,536. Empty frames cost memory and count for nothing where bytes are counted.
MAX_FRAGMENTS = 100_000


class MessageError(ValueError):
    """The client sent what is no message; ``code`` is the status to close with."""

    def __init__(self, code: CloseCode, reason: str) -> None:
        super().__init__(reason)
        self.code = code


class MessageReader:
    """Puts frames together. How many bytes a message may have is the protocol's to count."""

    def __init__(self) -> None:
        self._parts: list[Any] = []
        self._decode: Callable[[bytes, bool], str] | None = None

    def take(self, frame: Frame) -> dict[str, Any] | None:
        """The ASGI message that ends with ``frame``, a data frame; ``None`` if it goes on.

        Raises :class:`MessageError` as early as the first frame that is not UTF-8.
        """
        if frame.opcode is Opcode.TEXT and frame.fin:
            self._decode = _decode_at_once
        elif frame.opcode is Opcode.TEXT:
            self._decode = getincrementaldecoder("utf-8")().decode
        elif frame.opcode is Opcode.BINARY:
            self._decode = None
        part = self._part(bytes(frame.data), frame.fin)
        if not frame.fin:
            self._parts.append(part)
            if len(self._parts) >= MAX_FRAGMENTS:
                raise MessageError(
                    CloseCode.MESSAGE_TOO_BIG, f"a message in more than {MAX_FRAGMENTS} frames"
                )
            return None
        if self._parts:
            part = part[:0].join([*self._parts, part])
            self._parts = []
        return {"type": "websocket.receive", "bytes" if self._decode is None else "text": part}

    def _part(self, data: bytes, last: bool) -> Any:
        if self._decode is None:
            return data
        try:
            return self._decode(data, last)
        except UnicodeDecodeError as error:
            raise MessageError(CloseCode.INVALID_DATA, f"{error.reason} in a text") from error


def _decode_at_once(data: bytes, _last: bool) -> str:
    return data.decode()
