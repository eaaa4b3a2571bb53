"""A descriptor that is closed is closed, whatever else happens in the process: nothing, say."""

import asyncio
import os

import gevent
import pytest
from gevent.os import make_nonblocking, nb_read


def test_a_read_sees_the_other_end_of_its_pipe_closed() -> None:
    """In the turn in which it began, with no timer to wake the hub before the test gives up."""
    reader, writer = os.pipe()
    make_nonblocking(reader)
    reading = gevent.spawn(nb_read, reader, 10)
    gevent.spawn(os.close, writer)
    with gevent.Timeout(10, AssertionError("it hangs")):
        assert reading.get() == b""
    os.close(reader)


def test_a_coroutine_sees_the_other_end_of_its_pipe_closed() -> None:
    """asyncio's pipes wait for the same thing."""

    async def read() -> bytes:
        reader, writer = os.pipe()
        stream = asyncio.StreamReader()
        transport, _ = await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stream), os.fdopen(reader, "rb", 0)
        )
        await asyncio.sleep(0.001)
        os.close(writer)
        try:
            return await asyncio.wait_for(stream.read(), 10)
        finally:
            transport.close()

    assert asyncio.run(read()) == b""


def test_closing_twice_is_an_error() -> None:
    """As ever, and the number may be another file's by then."""
    reader, writer = os.pipe()
    os.close(reader)
    with pytest.raises(OSError, match="9"):  # the number of EBADF
        os.close(reader)
    os.close(writer)


def test_many_closes_leave_nothing() -> None:
    """Each is done at the hub's next turn."""
    pairs = [os.pipe() for _ in range(200)]
    for pair in pairs:
        for descriptor in pair:
            os.close(descriptor)
    gevent.sleep(0.001)
    for pair in pairs:
        for descriptor in pair:
            with pytest.raises(OSError, match="Bad file descriptor"):
                os.fstat(descriptor)
