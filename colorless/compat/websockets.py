"""websockets: what the ASGI server needs of its sans-I/O half that is not documented.

Besides the method below, three attributes of a protocol are read: ``eof_sent`` (it wants the
connection closed), ``close_rcvd`` and ``close_sent`` (the close frames of either side). They are
public, and ``close_exc`` tells the same once the connection is closed. Tried with websockets 17.
"""

from __future__ import annotations

from websockets import server
from websockets.frames import Frame, Opcode

__all__ = ["ServerProtocol"]


class ServerProtocol(server.ServerProtocol):
    """A server's protocol that lets a client close in the middle of a message."""

    def recv_frame(self, frame: Frame) -> None:
        """Called for each frame that has arrived.

        websockets calls a close between the frames of a message an error; it is none (RFC 6455,
        sections 5.4 and 5.5.1; Autobahn's case 7.1.5). When this goes: such clients get 1002.
        """
        if frame.opcode is Opcode.CLOSE:
            self.current_size = None
        super().recv_frame(frame)
