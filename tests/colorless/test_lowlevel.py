import os
import time
from collections.abc import Iterator

import gevent
import pytest

from colorless import DeadlineExceeded, TaskGroup, fail_after, lowlevel


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def test_who_waits_for_a_descriptor_lets_others_go_on(pipe: tuple[int, int]) -> None:
    """One green thread waits until another has written."""
    read, write = pipe
    seen: list[str] = []

    def reader() -> None:
        lowlevel.wait_readable(read)
        seen.append("read " + os.read(read, 1).decode())

    def writer() -> None:
        lowlevel.wait_writable(write)
        seen.append("writes")
        os.write(write, b"x")

    with TaskGroup() as group:
        group.go(reader)
        group.go(writer)
    assert seen == ["writes", "read x"]


def test_a_wait_ends_with_a_deadline_that_was_inherited(pipe: tuple[int, int]) -> None:
    """A task has its parent's deadline as a limit on what it waits for."""
    with pytest.raises(DeadlineExceeded), fail_after(0.05), TaskGroup() as group:
        group.go(lowlevel.wait_readable, pipe[0])


def test_the_current_deadline_is_that_of_the_tightest_block() -> None:
    """A block within another never has more time, and without a block there is no deadline."""
    assert lowlevel.current_deadline() is None
    with fail_after(10) as outer, fail_after(100):
        assert lowlevel.current_deadline() == outer.at
        assert outer.at - time.monotonic() <= 10
    assert lowlevel.current_deadline() is None


def test_a_kept_pair_of_watchers_waits_again_and_again(pipe: tuple[int, int]) -> None:
    """Each wait on it ends when the descriptor is ready; closing it twice does nothing."""
    read, write = pipe
    hub = gevent.get_hub()
    reads, writes = lowlevel.Watchers(hub, read), lowlevel.Watchers(hub, write)
    for _ in range(3):
        hub.wait(writes.write)
        os.write(write, b"x")
        hub.wait(reads.read)
        assert os.read(read, 10) == b"x"
    for watchers in (reads, writes):
        watchers.close()
        watchers.close()
