"""What the engine asks of others, as Protocols: a test can fake each.

A *speaker* speaks the interface of an application (WSGI, ASGI): it is handed a connection whose
next request has arrived. An *exchange* is one such request while it is served. The *host* is the
process around the engine. A *keeper* is what a connection sees of the server that keeps it.
"""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from colorless.server.engine.settings import Settings

C_contra = TypeVar("C_contra", contravariant=True)


class Exchange(Protocol):
    """A request that is being served. Its methods are called in the hub and may not wait."""

    def client_left(self, reading: bool) -> None:
        """The client has closed its side; ``reading`` if the exchange waited for bytes of the
        client, and has been told by their end."""

    def abort(self) -> None:
        """End it: the time of a drain is up."""


class Speaker(Protocol[C_contra]):
    """Serves requests."""

    def begin(self, connection: C_contra) -> None:
        """Serve the request at the start of ``connection.buffer``.

        Called in the hub and may not wait: a green thread or a task does the work, unless
        ``connection.begin(exchange)`` says that the connection was closed meanwhile. It calls
        ``connection.served(keep)`` once the connection is free, and ``server.ended()`` when
        nothing of the request runs any more.
        """

    def cut_off(self) -> None:
        """End what goes on without a connection: the time of a drain is up."""


class Host(Protocol):
    """The process around a server."""

    log: Any
    """A ``logging.Logger``, or what is called as one."""

    @property
    def alive(self) -> bool:
        """Whether new connections are wanted, and more than one request on each."""

    def notify(self) -> None:
        """Called about once a second during a drain: the process is not stuck."""


class Keeper(Protocol[C_contra]):
    """What a connection tells the server that keeps it, and asks it."""

    settings: Settings
    loop: Any
    draining: Any
    """A ``gevent.event.Event``, set when the drain begins."""

    @property
    def wants_more(self) -> bool:
        """Whether a connection may have another request."""

    def arrived(self, connection: C_contra) -> None:
        """There is more in the buffer of a connection that waits, or its client has gone."""

    def waits(self, connection: C_contra) -> None:
        """``connection`` has been served and may send another request."""

    def closes(self, connection: C_contra) -> None:
        """``connection`` has been told that nothing more comes."""

    def closed(self, connection: C_contra) -> None:
        """``connection`` is no more."""

    def ended(self) -> None:
        """Nothing of a request runs any more."""
