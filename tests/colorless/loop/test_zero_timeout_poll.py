import asyncio
import select
import socket

import gevent


def test_a_coroutine_that_asks_what_is_ready_is_answered_at_once() -> None:
    """Nothing else runs meanwhile: httpcore's pool asks in the middle of a walk over a list."""
    seen: list[str] = []

    async def main() -> None:
        left, right = socket.socketpair()
        with left, right:
            poll = select.poll()
            poll.register(left, select.POLLIN)
            gevent.spawn(seen.append, "another green thread")
            assert poll.poll(0) == []
            assert select.select([left], [], [], 0) == ([], [], [])
            right.send(b"x")
            assert poll.poll(0) == [(left.fileno(), select.POLLIN)]
            assert select.select([left], [], [], 0) == ([left], [], [])
            poll.modify(left, select.POLLOUT)
            assert poll.poll(0) == [(left.fileno(), select.POLLOUT)]
            poll.unregister(left)
            assert poll.poll(0) == []
            assert not seen

    asyncio.run(main())


def test_a_coroutine_that_waits_for_what_is_ready_waits_green() -> None:
    """Only the question is answered at once."""

    async def main() -> None:
        left, right = socket.socketpair()
        with left, right:
            poll = select.poll()
            poll.register(left, select.POLLIN)
            gevent.spawn_later(0.01, right.send, b"x")
            assert poll.poll(5000) == [(left.fileno(), select.POLLIN)]
            assert select.select([left], [], [], 5) == ([left], [], [])

    asyncio.run(main())


def test_plain_code_that_asks_again_and_again_lets_others_run() -> None:
    """There gevent's rule holds: a question is a place where other green threads run."""
    seen: list[str] = []
    gevent.spawn(seen.append, "another green thread")
    select.select([], [], [], 0)
    assert seen
