"""Decides keep-alive: whether a connection may have another request (RFC 9112, section 9.3)."""

from __future__ import annotations


def keeps_alive(
    method: str,
    version: tuple[int, int],
    connection: str | None,
    *,
    wanted: bool = True,
    framed: bool = True,
    body_ends: bool = True,
) -> bool:
    """The one decision: asked when the head of a response is made, and told to the client there.

    ``connection`` is the request's ``Connection`` field, several of them joined by commas. The
    server may not want another request (``wanted``: it drains, or serves one a connection); a
    response without a length ends with its connection (``framed``); and if the request's body has
    not been read and is not at hand (``body_ends``), nobody knows where the next request starts.
    """
    if not (wanted and framed and body_ends) or method == "CONNECT":
        # What follows a CONNECT is another protocol, whatever was answered (RFC 9931, section 8).
        return False
    if connection is None:
        return version >= (1, 1)
    said = options(connection)
    return "close" not in said and (version >= (1, 1) or "keep-alive" in said)


def options(connection: str) -> list[str]:
    """The options that a ``Connection`` field lists, in lower case."""
    return [option.strip(" \t") for option in connection.lower().split(",")]
