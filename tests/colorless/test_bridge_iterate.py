import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import gevent
import pytest
from gevent.event import Event

from colorless.bridge import await_, iterate
from colorless.deadlines import DeadlineExceeded, fail_after

colour: ContextVar[str] = ContextVar("colour", default="none")


class Numbers:
    """An asynchronous generator that tells how far it got and whether it was cleaned up."""

    def __init__(self, end: int) -> None:
        self.end = end
        self.made = 0
        self.cleaned = Event()
        self.tasks: set[Any] = set()

    async def generate(self) -> AsyncIterator[int]:
        try:
            for number in range(self.end):
                self.tasks.add(asyncio.current_task())
                self.made += 1
                yield number
                if number % 10 == 0:
                    await asyncio.sleep(0)
        finally:
            await asyncio.sleep(0.001)
            self.tasks.add(asyncio.current_task())
            self.cleaned.set()


def test_gives_every_item_in_order() -> None:
    """A plain for loop sees what an ``async for`` would, and clean-up precedes its end."""
    numbers = Numbers(100)
    assert list(iterate(numbers.generate())) == list(range(100))
    assert numbers.cleaned.is_set()


def test_one_task_does_all_of_it() -> None:
    """First item, last item and clean-up happen in one task, as cancel scopes ask for."""
    numbers = Numbers(100)
    list(iterate(numbers.generate()))
    assert len(numbers.tasks) == 1


def test_does_not_run_ahead_of_its_reader() -> None:
    """Back-pressure: the generator makes no more than was asked for and ``ahead`` more."""
    numbers = Numbers(1000)
    with iterate(numbers.generate(), ahead=4) as items:
        assert next(items) == 0
        gevent.sleep(0.01)
        assert numbers.made <= 1 + 4 + 1


def test_starts_nothing_before_the_first_item() -> None:
    """An iterator that nobody asked for an item leaves nothing to clean up."""
    numbers = Numbers(3)
    items = iterate(numbers.generate())
    gevent.sleep(0.001)
    del items
    assert numbers.made == 0


def test_an_error_of_the_generator_comes_out_once() -> None:
    """The error comes after the items before it; then the iterator is at its end."""

    async def fails() -> AsyncIterator[int]:
        yield 1
        raise ZeroDivisionError("in the generator")

    items = iterate(fails())
    assert next(items) == 1
    with pytest.raises(ZeroDivisionError, match="in the generator"):
        next(items)
    assert list(items) == []


@pytest.mark.parametrize("made_ahead", [1, 1000])
def test_close_waits_for_the_clean_up(made_ahead: int) -> None:
    """Also while the generator stands still because its reader is too far behind."""
    numbers = Numbers(10_000)
    items = iterate(numbers.generate(), ahead=made_ahead)
    next(items)
    items.close()
    assert numbers.cleaned.is_set()
    assert list(items) == []


def test_a_generator_that_swallows_its_cancellation_ends_all_the_same() -> None:
    """Nobody reads what it would yield next, so close() need not wait for ever."""

    async def stubborn() -> AsyncIterator[int]:
        for number in range(1000):
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0.001)
            yield number

    items = iterate(stubborn(), ahead=1)
    next(items)
    with gevent.Timeout(5):
        items.close()


def test_dropping_the_iterator_cleans_up() -> None:
    """``break`` out of the for loop is enough: the collector does the rest."""
    numbers = Numbers(10_000)
    for number in iterate(numbers.generate()):
        if number == 3:
            break
    gc.collect()
    assert numbers.cleaned.wait(5)


def test_a_deadline_interrupts_the_wait_but_not_the_iterator() -> None:
    """What was not there in time can be asked for again."""
    release = await_(_event())

    async def slow() -> AsyncIterator[int]:
        await release.wait()
        yield 1

    with iterate(slow()) as items:
        with pytest.raises(DeadlineExceeded), fail_after(0.01):
            next(items)
        release.set()
        assert next(items) == 1


async def _event() -> asyncio.Event:
    return asyncio.Event()


def test_a_reader_that_is_killed_leaves_nothing_behind() -> None:
    """The green thread that read is gone, so the iterator is, so the generator cleans up."""
    numbers = Numbers(10_000)

    def read() -> None:
        for _ in iterate(numbers.generate()):
            gevent.sleep(60)

    reader = gevent.spawn(read)
    gevent.sleep(0.01)
    reader.kill()
    del reader
    gc.collect()
    assert numbers.cleaned.wait(5)


def test_contextvars_go_in() -> None:
    """The generator sees the context of who asked for the first item."""

    async def seen() -> AsyncIterator[str]:
        yield colour.get()

    token = colour.set("green")
    try:
        assert list(iterate(seen())) == ["green"]
    finally:
        colour.reset(token)


def test_any_asynchronous_iterator_will_do() -> None:
    """It need not be a generator: whatever has ``__aiter__`` can be iterated."""

    class Countdown:
        def __init__(self) -> None:
            self.left = 3

        def __aiter__(self) -> "Countdown":
            return self

        async def __anext__(self) -> int:
            if not self.left:
                raise StopAsyncIteration
            self.left -= 1
            return self.left

    assert list(iterate(Countdown())) == [2, 1, 0]
