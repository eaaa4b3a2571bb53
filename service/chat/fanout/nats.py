"""Fan-out through NATS core, for processes on several machines.

nats-py is a library for asyncio. It is called from plain code here: ``await_`` for what takes a
moment, ``iterate`` for what goes on.

A connection that breaks is replaced by a new one, to any of the servers, rather than mended by the
library: what it buffers while it tries would be old news. A server that is there but silent is
noticed by asking it, every few seconds.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from concurrent.futures import CancelledError
from typing import Any

import gevent
import msgspec
import structlog
from nats.aio.client import Client
from nats.errors import Error as NatsError

from colorless.bridge import await_, iterate
from colorless.deadlines import fail_after, move_on_after
from service.backoff import Backoff
from service.chat.fanout.backend import Receive
from service.chat.fanout.notices import Notice, decode, encode
from service.chat.fanout.outgoing import Outgoing

log = structlog.get_logger("service.fanout")

SUBJECT = "colorless.notices"
# Bytes; guessed: far below what a server takes by default (1 MiB), and many notices.
PAYLOAD = 64 * 1024
# Seconds; guessed: a server that does not answer for so long is gone.
TIMEOUT = 2.0
# Seconds between two checks that the server answers; guessed.
PROBE = 2.0

# Timeouts, also a deadline's, are OSErrors too.
_BROKEN = (NatsError, OSError, CancelledError)


class NatsFanout:
    """Reaches every process that is connected to the same NATS cluster."""

    def __init__(self, servers: str, subject: str = SUBJECT) -> None:
        self._servers = [server.strip() for server in servers.split(",")]
        self._subject = subject
        self._outgoing = Outgoing(self._send, _BROKEN)
        self._client: Client | None = None
        self._task: gevent.Greenlet | None = None
        # The client logs every attempt that fails, with a traceback; what matters is logged here.
        logging.getLogger("nats").setLevel(logging.CRITICAL)

    @property
    def connected(self) -> bool:
        """Whether the server answered lately."""
        return self._client is not None

    def publish(self, notice: Notice) -> None:
        """Send the notice soon."""
        if self._task is None:
            # A process without streams publishes too, and so has to be connected.
            self.listen(lambda notices: None, lambda: None)
        self._outgoing.add(notice)

    def listen(self, receive: Receive, recovered: Callable[[], None]) -> None:
        """Receive what every other process publishes."""
        if self._task is not None:
            self._task.kill()
        self._task = gevent.spawn(self._run, receive, recovered)

    def close(self) -> None:
        """End its green threads and the connection."""
        self._outgoing.stop()
        if self._task is not None:
            self._task.kill()
            self._task = None

    def _send(self, notices: list[Notice]) -> None:
        client = self._client
        if client is None:
            raise ConnectionError("not connected to NATS")
        for text in encode(notices, PAYLOAD):
            with fail_after(TIMEOUT):
                await_(client.publish(self._subject, text))

    def _run(self, receive: Receive, recovered: Callable[[], None]) -> None:
        backoff = Backoff()
        while True:
            try:
                self._stay_connected(receive, recovered, backoff)
            except _BROKEN as error:
                log.warning("NATS is away; trying again", error=repr(error))
            gevent.sleep(backoff.delay())

    def _stay_connected(
        self, receive: Receive, recovered: Callable[[], None], backoff: Backoff
    ) -> None:
        client, reader = Client(), None
        try:
            with fail_after(TIMEOUT):
                await_(client.connect(**self._options()))
                messages = await_(client.subscribe(self._subject)).messages
                await_(client.flush(int(TIMEOUT)))
            reader = gevent.spawn(self._read, messages, receive)
            self._client = client
            backoff.reset()
            recovered()
            while not reader.ready():
                reader.join(PROBE)
                if not client.is_connected:
                    raise ConnectionError("the server closed the connection")
                with fail_after(TIMEOUT):
                    await_(client.flush(int(TIMEOUT)))
        finally:
            self._client = None
            if reader is not None:
                reader.kill()
            with move_on_after(TIMEOUT):
                await_(client.close())

    def _options(self) -> dict[str, Any]:
        return {
            "servers": self._servers,
            "allow_reconnect": False,
            "connect_timeout": int(TIMEOUT),
            "no_echo": True,
        }

    def _read(self, messages: Any, receive: Receive) -> None:
        for message in iterate(messages):
            try:
                receive(decode(message.data))
            except msgspec.DecodeError:
                log.warning("not a notice", payload=message.data[:200])
