"""An answer's body: at most so many bytes of it, before and after decompression."""

from __future__ import annotations

import zlib
from typing import NamedTuple

from urllib3.response import BaseHTTPResponse

from service.outside.errors import BadAnswer

_CHUNK = 16 * 1024
_GZIP = 31  # zlib's name for a gzip header and the largest window


class Body(NamedTuple):
    """The first bytes of a body; ``whole`` if there are no more."""

    content: bytes
    whole: bool


def read(response: BaseHTTPResponse, most: int) -> Body:
    """Read at most ``most`` bytes, and let them become at most ``most``.

    urllib3 could decompress, but counts only what comes out: a stream of empty gzip members would
    never end. Raises :class:`BadAnswer` for an encoding that was not asked for.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise BadAnswer(f"the body is encoded as {encoding[:40]!r}; only gzip was offered")
    unpacker = None if encoding == "identity" else zlib.decompressobj(_GZIP)
    content, received = bytearray(), 0
    while len(content) < most and received < most:
        chunk = response.read1(min(_CHUNK, most - received), decode_content=False)
        if not chunk:
            return Body(bytes(content), whole=True)
        received += len(chunk)
        content += _unpack(unpacker, chunk, most - len(content)) if unpacker else chunk
    return Body(bytes(content), whole=False)


def _unpack(unpacker: zlib._Decompress, chunk: bytes, most: int) -> bytes:
    try:
        return unpacker.decompress(chunk, most)
    except zlib.error as error:
        raise BadAnswer(f"the body is no gzip: {error}") from None
