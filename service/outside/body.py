"""An answer's body: at most so many bytes of it, before and after decompression."""

from __future__ import annotations

import zlib

from urllib3.response import BaseHTTPResponse

from service.outside.errors import BadAnswer

_CHUNK = 16 * 1024
_GZIP = 31  # zlib's name for a gzip header and the largest window


def read(response: BaseHTTPResponse, most: int) -> bytes:
    """The beginning of a body: at most ``most`` bytes, which become at most ``most``.

    urllib3 could decompress, but counts only what comes out: a stream of empty gzip members would
    never end. Raises :class:`BadAnswer` for an encoding that was not asked for.
    """
    encoding = response.headers.get("content-encoding", "identity").strip().lower()
    if encoding not in ("identity", "gzip", "x-gzip"):
        raise BadAnswer(f"the body is encoded as {encoding[:40]!r}; only gzip was offered")
    unpacker = None if encoding == "identity" else zlib.decompressobj(_GZIP)
    content, received = bytearray(), 0
    while len(content) < most and received < most:
        chunk = response.read1(min(_CHUNK, most), decode_content=False)
        if not chunk:
            break
        received += len(chunk)
        # A part of the last chunk may be too much.
        left = most - len(content)
        content += _unpack(unpacker, chunk, left) if unpacker else chunk[:left]
    return bytes(content)


def _unpack(unpacker: zlib._Decompress, chunk: bytes, most: int) -> bytes:
    try:
        return unpacker.decompress(chunk, most)
    except zlib.error as error:
        raise BadAnswer(f"the body is no gzip: {error}") from None
