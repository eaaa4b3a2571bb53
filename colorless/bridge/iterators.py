"""iterate: an asynchronous iterator as a plain one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterator
from concurrent.futures import CancelledError
from typing import Any, Generic, TypeVar

from gevent.hub import get_hub
from gevent.lock import Semaphore
from gevent.queue import Queue

from colorless.bridge.call import outlast
from colorless.bridge.shared import current_loop
from colorless.deadlines import limit

T = TypeVar("T")

# Guessed: items that may be made before they are asked for.
AHEAD = 32


def iterate(source: AsyncIterable[T], *, ahead: int = AHEAD) -> Iterated[T]:
    """A plain iterator over an asynchronous one. Only the green thread that iterates waits.

    One task drives ``source`` from the first item to the last, so that cancel scopes and context
    variables inside an asynchronous generator stay valid. The generator's clean-up runs at its end,
    with ``close()``, at the end of a ``with`` block, and when the iterator is dropped, which does
    not wait for it.

    :param source: an asynchronous iterator or iterable.
    :param ahead: how many items may be made before they are asked for.
    """
    return Iterated(source, ahead)


class Iterated(Iterator[T], Generic[T]):
    """The iterator that :func:`iterate` returns."""

    def __init__(self, source: AsyncIterable[T], ahead: int) -> None:
        self._source = source
        self._channel = _Channel(ahead)
        self._pump: asyncio.Task[None] | None = None
        self._over = False

    def __next__(self) -> T:
        """The next item. A deadline that ends this wait leaves the iterator usable."""
        if self._over:
            raise StopIteration
        if self._pump is None:
            pump = _pump(aiter(self._source), self._channel)
            self._pump = current_loop().create_task(pump, name="iterate")
        item, end = self._channel.get()
        if end is None:
            return item
        self._over = True
        raise end

    def close(self) -> None:
        """End the iteration and wait until the generator has cleaned up."""
        self._over = True
        pump = self._pump
        if pump is not None and not pump.done():
            self._channel.cancel(pump)
            outlast(pump)

    def __enter__(self) -> Iterated[T]:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __del__(self) -> None:
        pump = self._pump
        if pump is not None and not pump.done() and not pump.get_loop().is_closed():
            # The garbage collector may call this where nothing may wait.
            pump.get_loop().call_soon_threadsafe(self._channel.cancel, pump)


class _Channel:
    """Items on their way, and behind the last of them what ended the iteration."""

    def __init__(self, ahead: int) -> None:
        self._room = Semaphore(ahead)
        self._items: Queue = Queue()
        self._closed = False

    def cancel(self, pump: asyncio.Task[None]) -> None:
        """Stop making items: nobody reads them any more."""
        self._closed = True
        pump.cancel()

    def put(self, item: Any) -> None:
        if self._closed and not getattr(asyncio.current_task(), "_throwing", False):
            # The generator has swallowed the cancellation: cancel it again.
            raise asyncio.CancelledError
        self._room.acquire()
        self._items.put((item, None))

    def end(self, error: BaseException) -> None:
        self._items.put((None, error))

    def get(self) -> tuple[Any, BaseException | None]:
        if self._items.qsize():
            entry = self._items.get()
        else:
            loop = get_hub().loop
            loop.ref()
            try:
                with limit(None, TimeoutError()):
                    entry = self._items.get()
            finally:
                loop.unref()
        self._room.release()
        return entry


async def _pump(source: AsyncIterator[Any], channel: _Channel) -> None:
    end: BaseException = StopIteration()
    try:
        async for item in source:
            channel.put(item)
    except asyncio.CancelledError:
        end = CancelledError()
        raise
    except BaseException as error:
        end = error
    finally:
        try:
            aclose = getattr(source, "aclose", None)
            if aclose is not None:
                await aclose()
        finally:
            channel.end(end)
