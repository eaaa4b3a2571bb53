import asyncio
import socket

import pytest


async def _turns_until(done: list[str], what: str) -> int:
    turns = 0
    while what not in done and turns < 100:
        await asyncio.sleep(0)
        turns += 1
    return turns


def test_sleep_0_lets_ready_descriptors_in() -> None:
    """Bytes that lie in the socket are read in the next turns, however busy the loop is."""

    async def main() -> int:
        ours, theirs = socket.socketpair()
        with theirs:
            reader, writer = await asyncio.open_connection(sock=ours)
            for _ in range(40):  # not only in the first turns
                await asyncio.sleep(0)
            theirs.sendall(b"x")
            turns = 0
            while not reader._buffer and turns < 100:  # type: ignore[attr-defined]
                await asyncio.sleep(0)
                turns += 1
            writer.close()
            return turns

    assert asyncio.run(main()) <= 3


def test_sleep_0_lets_a_new_reader_and_a_due_timer_in() -> None:
    """A descriptor that the kernel has not been told of yet is no exception."""
    happened: list[str] = []

    async def main() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(b"x")
            loop.add_reader(ours, happened.append, "reader")
            reader = await _turns_until(happened, "reader")
            loop.call_later(0, happened.append, "timer")
            timer = await _turns_until(happened, "timer")
            loop.remove_reader(ours)
        return reader, timer

    reader, timer = asyncio.run(main())
    assert reader <= 3
    assert timer <= 3


@pytest.mark.parametrize("spinning", [False, True])
def test_callbacks_come_in_the_order_of_the_kernels_report(spinning: bool) -> None:
    """What became ready first is called first, after what ``call_soon`` had made ready."""
    happened: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        pairs = [socket.socketpair() for _ in range(4)]
        for number, (ours, _) in enumerate(pairs):
            loop.add_reader(ours, happened.append, str(number))
        await asyncio.sleep(0.01)
        for number in (2, 0, 3, 1):
            pairs[number][1].sendall(b"x")
        loop.call_soon(happened.append, "soon")
        if spinning:
            await _turns_until(happened, "1")
        else:
            gate = loop.create_future()
            loop.call_later(0.01, gate.set_result, None)
            await gate
        for ours, theirs in pairs:
            loop.remove_reader(ours)
            ours.close()
            theirs.close()

    asyncio.run(main())
    assert happened[:5] == ["soon", "2", "0", "3", "1"]


@pytest.mark.parametrize("first", ["reader", "writer"])
def test_the_reader_of_a_descriptor_comes_before_its_writer(first: str) -> None:
    """As asyncio's loop orders them, whichever was added first."""
    happened: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        ours, theirs = socket.socketpair()
        with ours, theirs:
            theirs.sendall(b"x")
            adds = [("reader", loop.add_reader), ("writer", loop.add_writer)]
            for name, add in adds if first == "reader" else reversed(adds):
                add(ours, happened.append, name)
            await _turns_until(happened, "writer")
            loop.remove_reader(ours)
            loop.remove_writer(ours)

    asyncio.run(main())
    assert happened[:2] == ["reader", "writer"]
