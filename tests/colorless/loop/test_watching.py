import asyncio
import socket

from colorless.loop import HubLoop


def test_a_descriptor_closed_behind_the_loops_back_is_forgotten() -> None:
    """A loop that is run again does not stumble over a reader whose file was closed meanwhile."""
    left, right = socket.socketpair()
    loop = HubLoop()
    try:
        loop.add_reader(left, lambda: None)
        loop.run_until_complete(asyncio.sleep(0))
        left.close()
        assert loop.run_until_complete(asyncio.sleep(0, "still runs")) == "still runs"
    finally:
        loop.close()
        right.close()
