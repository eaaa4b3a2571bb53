"""The connections of one process: who waits, who is served, who is told that it is over."""

from __future__ import annotations

from typing import Any

import gevent
from gevent.event import Event

from colorless.server.engine.accept import Door
from colorless.server.engine.admission import Admission
from colorless.server.engine.connection import Connection, State
from colorless.server.engine.deadline_queue import Parked
from colorless.server.engine.ports import Host, Speaker
from colorless.server.engine.settings import Settings

# How often connections whose time is up are looked for, in seconds; guessed: deadlines are in
# seconds, and the look costs microseconds.
SWEEP = 0.5


class Server:
    """Serves connections by a speaker, within the settings, in a host."""

    def __init__(self, host: Host, speaker: Speaker[Connection], settings: Settings) -> None:
        self.host = host
        self.speaker = speaker
        self.settings = settings
        self.loop = gevent.get_hub().loop
        self.door = Door(self)
        self.admission: Admission[Connection] = Admission(
            settings.concurrency, speaker.begin, self.door.reopen
        )
        self.idle: Parked[Connection] = Parked(settings.keepalive)
        self.heads: Parked[Connection] = Parked(settings.limits.head_timeout)
        self.closing: Parked[Connection] = Parked(settings.limits.linger)
        self.connections: set[Connection] = set()
        self.draining = Event()
        self._sweeper = self.loop.timer(SWEEP, SWEEP)

    def listen(self, listeners: list[Any], tls: Any = None) -> None:
        """Serve the clients of these sockets, over TLS if ``tls`` is a context for it."""
        self._sweeper.start(self.sweep)
        self.door.listen(listeners, tls)

    @property
    def has_room(self) -> bool:
        """Whether a new connection is wanted."""
        return self.host.alive and not self.admission.full

    @property
    def load(self) -> int:
        """Requests in flight."""
        return self.admission.load

    @property
    def wants_more(self) -> bool:
        """Whether a connection may have another request."""
        return self.host.alive and bool(self.settings.keepalive)

    # What happens to connections

    def accepted(self, client: Any, peer: Any, listener: Any) -> Connection:
        """A client has connected."""
        connection = Connection(self, client, peer, listener)
        self.connections.add(connection)
        self.heads.add(connection)
        return connection

    def arrived(self, connection: Connection) -> None:
        """There is more in the buffer of a connection that waits: serve it, if a head is here."""
        if connection.state is not State.WAITING:
            return
        self.idle.discard(connection)
        has_begun = connection.head_has_begun
        if connection.head_is_here():
            connection.state = State.SERVING
            self.heads.discard(connection)
            self.admission.start(connection)
        elif connection.gone:
            connection.close()
        elif not has_begun:
            self.heads.add(connection)

    def waits(self, connection: Connection) -> None:
        """``connection`` has been served and may send another request."""
        self.idle.add(connection)
        if connection.buffer:
            # It has sent one already. Those that became readable meanwhile come first.
            self.loop.run_callback(self.arrived, connection)

    def closes(self, connection: Connection) -> None:
        """``connection`` has been told that nothing more comes."""
        self.closing.add(connection)

    def closed(self, connection: Connection) -> None:
        """``connection`` is no more."""
        self.connections.discard(connection)
        for parked in (self.idle, self.heads, self.closing):
            parked.discard(connection)

    def ended(self) -> None:
        """Nothing of a request runs any more."""
        self.admission.ended()

    def sweep(self) -> None:
        """Close the connections whose time is up."""
        for parked in (self.idle, self.heads, self.closing):
            for connection in parked.expired():
                connection.close()
