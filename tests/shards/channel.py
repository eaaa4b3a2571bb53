"""A JSON object a line, over one end of a pair of sockets.

Only ``os.read`` and ``os.write``: they block in a patched process as in any other, and a shard has
nothing to do while it waits for its next file.
"""

import json
import os
from typing import Any


class Channel:
    """One end. A message from the other side is None once that side is gone."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self._read = b""

    def send(self, **message: Any) -> None:
        """Write one message. Raises ``BrokenPipeError`` when the other side is gone."""
        data = json.dumps(message).encode() + b"\n"
        while data:
            data = data[os.write(self.descriptor, data) :]

    def receive(self) -> dict[str, Any] | None:
        """The next message."""
        while b"\n" not in self._read:
            try:
                some = os.read(self.descriptor, 65536)
            except ConnectionResetError:
                some = b""
            if not some:
                return None
            self._read += some
        line, self._read = self._read.split(b"\n", 1)
        message: dict[str, Any] = json.loads(line)
        return message

    def has_whole_message(self) -> bool:
        """Whether ``receive`` would return without reading."""
        return b"\n" in self._read
