"""Decompresses a response's body up to a limit, so that a small one cannot fill the memory."""

from __future__ import annotations

import zlib

from service.outside.errors import UnusableResponse

_GZIP = 31  # zlib's name for a gzip header and the largest window


def decompress(content: bytes, encoding: str, max_bytes: int) -> bytes:
    """At most ``max_bytes`` bytes of the decompressed ``content``, which may be incomplete.

    Raises :class:`UnusableResponse` for an encoding that was not asked for.
    """
    encoding = encoding.strip().lower()
    if encoding == "identity":
        return content
    if encoding not in ("gzip", "x-gzip"):
        raise UnusableResponse(f"the body is encoded as {encoding[:40]!r}; only gzip was offered")
    try:
        return zlib.decompressobj(_GZIP).decompress(content, max_bytes)
    except zlib.error as error:
        raise UnusableResponse(f"the body is no gzip: {error}") from None
