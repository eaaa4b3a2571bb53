"""What a server is told once: sizes, numbers and seconds."""

from __future__ import annotations

from dataclasses import dataclass, field

from colorless.server.engine.limits import Limits


@dataclass(frozen=True, slots=True)
class HeadLimits:
    """How large the head of a request may be."""

    line: int = 4094
    """Bytes of the request line, without its end."""

    fields: int = 100
    """Header fields."""

    field: int = 8190
    """Bytes of one field, with its end."""

    counts_underscores: bool = True
    """Whether a field whose name has an underscore counts, or is dropped without a count."""

    proxy_protocol: frozenset[str] = frozenset()
    """Versions of the PROXY protocol ("v1", "v2") that a connection may begin with."""

    @property
    def total(self) -> int:
        """Bytes of the whole head, with the empty line at its end."""
        return self.line + 2 + self.fields * (self.field + 2) + 4


@dataclass(frozen=True, slots=True)
class Settings:
    """How a :class:`~colorless.server.engine.server.Server` serves."""

    limits: Limits = field(default_factory=Limits)
    """How slow a client may be."""

    head: HeadLimits = field(default_factory=HeadLimits)
    """How large a head may be."""

    concurrency: int = 1000
    """Requests that run at once; the others wait in the order in which they came."""

    keepalive: float = 2.0
    """Seconds for which a connection may be idle between two requests; 0 for one request each."""

    graceful_timeout: float = 30.0
    """Seconds from the start of a drain to the end of the process."""

    shares_sockets: bool = False
    """Whether other processes accept on the same listening sockets."""

    suppress_ragged_eofs: bool = True
    """Whether a TLS connection that ends without a farewell has ended all the same."""
