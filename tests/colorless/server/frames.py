"""WebSocket frames as bytes, right and wrong ones, and a client that sends them."""

import struct
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from colorless.worker import Limits
from tests.colorless.server.asgi_inside import serving
from tests.colorless.server.inside import Inside

CONT, TEXT, BINARY, CLOSE, PING, PONG = 0, 1, 2, 8, 9, 10

_KEY = b"Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
HANDSHAKE = (
    b"GET /path HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\n" + _KEY
)


def frame(
    opcode: int, payload: bytes = b"", *, fin: bool = True, rsv: int = 0, masked: bool = True
) -> bytes:
    """A frame of a client."""
    size = len(payload)
    head = bytes([fin << 7 | rsv << 4 | opcode])
    mark = masked << 7
    if size < 126:
        head += bytes([mark | size])
    elif size < 65536:
        head += bytes([mark | 126]) + struct.pack("!H", size)
    else:
        head += bytes([mark | 127]) + struct.pack("!Q", size)
    if not masked:
        return head + payload
    key = b"\x01\x02\x03\x04"
    repeated = (key * (size // 4 + 1))[:size]
    xored = int.from_bytes(payload, "big") ^ int.from_bytes(repeated, "big")
    return head + key + xored.to_bytes(size, "big")


def close(code: int, reason: bytes = b"") -> bytes:
    """A client's close frame."""
    return frame(CLOSE, struct.pack("!H", code) + reason)


def pieces(message: bytes, size: int, opcode: int = TEXT) -> bytes:
    """A message in frames of ``size`` bytes."""
    cut = [message[at : at + size] for at in range(0, len(message), size)]
    return b"".join(
        frame(CONT if number else opcode, piece, fin=number == len(cut) - 1)
        for number, piece in enumerate(cut)
    )


class Socket:
    """A client that has asked for a WebSocket."""

    def __init__(self, inside: Inside, fields: bytes = b"") -> None:
        self.inside = inside
        self.client = inside.connect()
        self.client.send(HANDSHAKE + fields + b"\r\n")
        self.status, self.fields, _ = self.client.answer()

    def send(self, *parts: bytes) -> None:
        self.client.send(*parts)

    def read(self) -> tuple[int, bytes]:
        """Opcode and payload, unpacked, of the server's next frame: whole, and not masked."""
        head = self.client.file.read(2)
        assert len(head) == 2, "the connection has ended"
        assert head[0] & 0b1011_0000 == 0b1000_0000
        size = head[1]
        if size == 126:
            (size,) = struct.unpack("!H", self.client.file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", self.client.file.read(8))
        payload = self.client.file.read(size)
        if head[0] & 0b0100_0000:
            payload = zlib.decompressobj(wbits=-15).decompress(payload + b"\x00\x00\xff\xff")
        return head[0] & 0b0000_1111, payload

    def read_close(self) -> tuple[int, str]:
        """Code and reason of a close frame, which is the next and the last."""
        opcode, payload = self.read()
        assert opcode == CLOSE
        assert self.client.rest() == b""
        if not payload:
            return 1005, ""
        return int.from_bytes(payload[:2], "big"), payload[2:].decode()


@contextmanager
def accepted(
    app: Callable[..., Any], limits: Limits | None = None, fields: bytes = b"", **settings: Any
) -> Iterator[Socket]:
    """A WebSocket that ``app`` has accepted."""
    with serving(app, limits, **settings) as inside:
        socket = Socket(inside, fields)
        assert socket.status == 101
        yield socket
