import asyncio
import socket
from typing import Any

import gevent
import pytest

from colorless.bridge import await_
from colorless.loop.transport import SocketTransport

MEGABYTES = b"0123456789abcdef" * (1 << 18)


class Collector(asyncio.Protocol):
    """Keeps what happens."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.happened: list[str] = []
        self.over = asyncio.get_running_loop().create_future()

    def data_received(self, data: bytes) -> None:
        self.data += data

    def pause_writing(self) -> None:
        self.happened.append("pause")

    def resume_writing(self) -> None:
        self.happened.append("resume")

    def connection_lost(self, error: Exception | None) -> None:
        self.over.set_result(error)


class Buffered(asyncio.BufferedProtocol):
    """Reads into a buffer of its own."""

    def __init__(self, enough: int) -> None:
        self.buffer = bytearray(4096)
        self.data = b""
        self.enough = enough
        self.over = asyncio.get_running_loop().create_future()

    def get_buffer(self, sizehint: int) -> bytearray:
        return self.buffer

    def buffer_updated(self, size: int) -> None:
        self.data += self.buffer[:size]
        if len(self.data) == self.enough:
            self.over.set_result(None)


async def connected(protocol: Any) -> tuple[Any, socket.socket]:
    """A transport of ``protocol``, and the socket at its other end."""
    left, right = socket.socketpair()
    transport, _ = await asyncio.get_running_loop().create_connection(lambda: protocol, sock=left)
    assert type(transport) is SocketTransport
    return transport, right


def test_what_does_not_fit_into_the_socket_follows_in_order() -> None:
    """The protocol is told to pause, and to go on when the other end has read."""

    async def main() -> None:
        protocol = Collector()
        transport, other = await connected(protocol)
        transport.write(MEGABYTES)
        transport.write(bytearray(b"and "))
        transport.write(memoryview(b"more"))
        transport.write(b"")
        transport.write_eof()
        got = bytearray()
        while data := other.recv(1 << 20):
            got += data
        assert got == MEGABYTES + b"and more"
        assert protocol.happened == ["pause", "resume"]
        transport.close()
        other.close()
        assert await protocol.over is None

    asyncio.run(main())


def test_a_protocol_may_make_room_for_one_that_brings_its_buffer() -> None:
    """As start_tls does, in the middle of a connection."""

    async def main() -> None:
        first, second = Collector(), Buffered(6)
        transport, other = await connected(first)
        other.send(b"first")
        while not first.data:
            await asyncio.sleep(0)
        transport.set_protocol(second)
        other.send(b"second")
        await second.over
        assert (bytes(first.data), second.data) == (b"first", b"second")
        transport.abort()
        other.close()

    asyncio.run(main())


def test_a_protocol_that_fails_loses_its_connection_and_is_told_of() -> None:
    """The error goes to the loop's exception handler, with the transport and the protocol."""
    told: list[dict[str, Any]] = []

    class Failing(Collector):
        def data_received(self, data: bytes) -> None:
            raise ValueError(data)

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        protocol = Failing()
        transport, other = await connected(protocol)
        other.send(b"x")
        error = await protocol.over
        assert isinstance(error, ValueError)
        assert other.recv(1) == b""
        other.close()
        [context] = told
        assert context["transport"] is transport
        assert context["exception"] is error

    asyncio.run(main())


def test_a_write_to_a_lost_connection_ends_it() -> None:
    """The error of the system's call reaches connection_lost."""

    async def main() -> None:
        protocol = Collector()
        transport, other = await connected(protocol)
        other.close()
        transport.write(b"x")
        assert isinstance(await protocol.over, BrokenPipeError)

    asyncio.run(main())


def test_what_is_always_ready_leaves_the_hub_its_turn() -> None:
    """Timers of the hub and descriptors are looked at beside coroutines that never wait long."""
    seen: list[str] = []

    async def spin() -> None:
        while len(seen) < 1:
            await asyncio.sleep(0)

    gevent.spawn_later(0.005, seen.append, "beside a coroutine")
    asyncio.run(spin())
    gevent.spawn_later(0.005, seen.append, "beside crossings")
    while len(seen) < 2:
        await_(asyncio.sleep(0))


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_UNIX])
def test_a_closed_socket_is_refused(family: socket.AddressFamily) -> None:
    """With the error that asyncio gets from a real socket, and not with a dead connection."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with socket.socket(family) as closed:
            pass
        for use in (
            lambda: asyncio.open_connection(sock=closed),
            lambda: loop.create_connection(
                asyncio.Protocol, sock=closed, ssl=True, server_hostname="x"
            ),
            lambda: loop.connect_accepted_socket(asyncio.Protocol, closed),
            lambda: asyncio.start_server(lambda _reader, _writer: None, sock=closed),
        ):
            with pytest.raises(OSError, match="Bad file descriptor"):
                await use()

    asyncio.run(main())
