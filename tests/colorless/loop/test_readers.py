import asyncio
import gc
import socket

import pytest

from colorless.loop import HubLoop
from tests.tools.fresh import output_of


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


@pytest.mark.filterwarnings("ignore:unclosed <socket:ResourceWarning")  # as on asyncio
def test_a_closed_loop_gives_its_sockets_back_at_once() -> None:
    """A server that nobody closed ends with its loop, whenever the collector comes."""

    async def main(port: int) -> int:
        server = await asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", port)
        found: int = server.sockets[0].getsockname()[1]
        return found

    gc.disable()
    try:
        assert asyncio.run(main(port := asyncio.run(main(0)))) == port
    finally:
        gc.enable()


def test_one_direction_of_a_closed_socket_is_removed() -> None:
    """The process lives on: libev would abort it over a descriptor that is watched and closed."""
    code = """
        from colorless.patch import patch_everything
        patch_everything()
        import asyncio, socket

        async def main():
            loop = asyncio.get_running_loop()
            left, right = socket.socketpair()
            loop.add_reader(left, int)
            loop.add_writer(left, int)
            await asyncio.sleep(0.01)
            left.close()
            await asyncio.sleep(0.01)
            print(loop.remove_writer(left))
            await asyncio.sleep(0.01)
            print(loop.remove_reader(left))

        asyncio.run(main())
    """
    assert output_of(code).split() == ["True", "True"]


def test_a_task_that_is_pending_at_exit_is_reported() -> None:
    """In asyncio's own words, though greenlets answer no more when it is found."""
    code = """
        from colorless.patch import patch_everything
        patch_everything()
        import asyncio, logging, sys
        logging.basicConfig(stream=sys.stdout, format="%(thread)d %(message)s")

        async def main():
            global pending
            pending = asyncio.create_task(asyncio.sleep(100))
            await asyncio.sleep(0)

        asyncio.new_event_loop().run_until_complete(main())
    """
    assert "Task was destroyed but it is pending!" in output_of(code)
