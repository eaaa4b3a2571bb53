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


def test_a_socket_closed_before_its_reader_is_removed() -> None:
    """As with asyncio's selectors, the object itself tells which descriptor was meant."""
    woken: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        left, right = socket.socketpair()
        loop.add_reader(left, woken.append, "closed")
        loop.add_writer(left, woken.append, "closed")
        left.close()
        assert loop.remove_reader(left)
        assert loop.remove_writer(left)
        assert not loop.remove_reader(left)
        right.setblocking(False)
        await loop.sock_recv(right, 1)  # the end of the stream: the hub has looked
        right.close()

    asyncio.run(main())
    assert not woken
