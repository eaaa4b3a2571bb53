"""Readers and writers: file descriptors that the hub watches for an event loop."""

from __future__ import annotations

import os
import select
import selectors
from asyncio import AbstractEventLoop, Handle
from collections.abc import Callable, Iterator, Mapping
from contextvars import Context
from typing import Any, NoReturn

from gevent.hub import Hub
from gevent.monkey import get_original

from colorless.compat.asyncio import AsyncioLoop

real_poll = get_original("select", "poll")

# libev's names for the two directions.
_READ, _WRITE = 1, 2


class IoHandle(Handle):
    """A callback for a file descriptor, with the watcher of the hub that calls it.

    It is never called again while it still runs: when it waits, its watcher stands still, since
    the hub would report the same unread bytes to a second call in the midst of the first.
    """

    __slots__ = ("file", "paused", "watcher")

    def __init__(
        self,
        callback: Callable[..., Any],
        args: Any,
        loop: AbstractEventLoop,
        file: Any,
        context: Context | None = None,
    ) -> None:
        super().__init__(callback, args, loop, context)
        self.file = file
        self.watcher: Any = None
        self.paused = False

    def pause(self) -> None:
        """Stop watching until :meth:`resume`."""
        self.paused = True
        if self.watcher is not None:
            self.watcher.stop()

    def resume(self) -> None:
        """Watch again, unless the callback was removed meanwhile."""
        self.paused = False
        if self.watcher is not None:
            self.watch()

    def watch(self) -> None:
        """Let the hub put this handle on its loop's ready queue when its descriptor is ready."""
        loop: Any = self._loop  # type: ignore[attr-defined]
        self.watcher.start(loop._on_ready, self)
        loop._watched_in = loop._hub.loop.iteration

    def watch_first(self) -> None:
        """Let the hub report this direction of a descriptor before the other one.

        That is the one that began to be watched last.
        """
        if self.watcher is not None and self.watcher.active:
            self.watcher.stop()
            self.watch()

    def unwatch(self) -> None:
        """Give the watcher back to the hub."""
        watcher, self.watcher = self.watcher, None
        if watcher is not None:
            watcher.stop()
            watcher.close()


class WatchingLoop(AsyncioLoop):
    """The part of a loop that watches file descriptors, with the hub in the selector's place."""

    def __init__(self, selector: selectors.BaseSelector | None = None) -> None:
        self._hub: Hub | None = None  # set while the loop runs
        # The hub's turn in which a watcher was started last: the kernel hears of it after that.
        self._watched_in = 0
        self._poll_hub: Any = None  # asks whether any descriptor of the hub is ready
        self._readers: dict[int, IoHandle] = {}
        self._writers: dict[int, IoHandle] = {}
        if selector is not None:
            selector.close()
        super().__init__(_NothingToSelect(self))

    # Since Python 3.15 a transport names the context that its protocol is called in.
    def _add_reader(
        self, fd: Any, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Handle:
        return self._add(self._readers, _READ, fd, callback, args, context)

    def _add_writer(
        self, fd: Any, callback: Callable[..., Any], *args: Any, context: Context | None = None
    ) -> Handle:
        return self._add(self._writers, _WRITE, fd, callback, args, context)

    def _remove_reader(self, fd: Any) -> bool:
        return not self.is_closed() and _remove(self._readers, fd)

    def _remove_writer(self, fd: Any) -> bool:
        return not self.is_closed() and _remove(self._writers, fd)

    def _add(
        self,
        table: dict[int, IoHandle],
        event: int,
        fd: Any,
        callback: Callable[..., Any],
        args: Any,
        context: Context | None,
    ) -> Handle:
        if self._closed:
            raise RuntimeError("Event loop is closed")
        file = fd
        if type(fd) is not int:
            fd = _fileno(fd)
        if fd < 0:
            raise ValueError(f"Invalid file descriptor: {fd}")
        _remove(table, fd)
        handle = table[fd] = IoHandle(callback, args, self, file, context)
        if self._hub is not None:
            handle.watcher = self._hub.loop.io(fd, event)
            handle.watch()
            if event == _WRITE and fd in self._readers:
                self._readers[fd].watch_first()
        return handle

    def _io_is_ready(self) -> bool:
        """Whether asyncio would find descriptors to be ready if it looked for them now.

        One look at the hub's own ``epoll`` tells, in a fraction of the time that a turn of the
        hub takes. It tells of all that the kernel knows of, not only of this loop's.
        """
        if not (self._readers or self._writers):
            return False
        hub_loop: Any = self._hub.loop  # type: ignore[union-attr]
        return self._watched_in == hub_loop.iteration or bool(self._poll_hub(0))

    def _watch_all(self, hub: Hub) -> None:
        self._hub = hub
        for table, event in ((self._readers, _READ), (self._writers, _WRITE)):
            for fd, handle in list(table.items()):
                try:
                    handle.watcher = hub.loop.io(fd, event)
                except OSError:
                    # Closed by somebody else while the loop stood still; epoll forgets it too.
                    del table[fd]
                    continue
                if not handle.paused:
                    handle.watch()

    def _unwatch_all(self) -> None:
        self._hub = self._poll_hub = None
        for table in (self._readers, self._writers):
            for handle in table.values():
                handle.unwatch()

    def _make_self_pipe(self) -> None:
        """No pipe: other threads wake the hub."""

    def _close_self_pipe(self) -> None:
        pass


def _remove(table: dict[int, IoHandle], file: Any) -> bool:
    fd = file if type(file) is int else _fileno(file)
    if fd < 0:
        fd = _number_before_close(table, file)
    handle = table.pop(fd, None)
    if handle is None:
        return False
    handle.unwatch()
    handle.cancel()
    loop: Any = handle._loop  # type: ignore[attr-defined]
    if fd in loop._readers or fd in loop._writers:
        _unwatch_if_closed(loop, fd)
    return True


def _unwatch_if_closed(loop: Any, fd: int) -> None:
    """Leave a closed descriptor alone in the one direction that is still watched.

    libev would tell the kernel that one of the two is enough now, and when that answers that
    there is no such descriptor it would abort the process. asyncio's selectors forget it as well.
    """
    try:
        os.fstat(fd)
    except OSError:
        for table in (loop._readers, loop._writers):
            if fd in table:
                table[fd].unwatch()


def _number_before_close(table: dict[int, IoHandle], file: Any) -> int:
    """What ``file`` had been watched as; as in asyncio's selectors, the object itself tells."""
    for fd, handle in table.items():
        if handle.file is file:
            loop: Any = handle._loop  # type: ignore[attr-defined]
            hub = loop._hub
            if hub is not None:
                # gevent closes a watched socket when the hub has looked at its descriptors once
                # more. The watcher that made it look at once is about to be removed.
                soon = hub.loop.timer(0.0)
                soon.start(soon.close)
            return fd
    return -1


def _fileno(file: Any) -> int:
    try:
        return file if isinstance(file, int) else int(file.fileno())
    except (AttributeError, TypeError, ValueError):
        raise ValueError(f"Invalid file object: {file!r}") from None


def poller(hub: Any) -> Callable[[int], list[Any]]:
    """What asks, with a limit in milliseconds, whether any of the hub's descriptors is ready."""
    fd = hub.loop.fileno()
    if fd is None:  # libev without epoll
        return lambda _limit: [hub]
    poll = real_poll()
    poll.register(fd, select.POLLIN)
    return poll.poll


class _NothingToSelect(selectors.BaseSelector):
    """What stands where asyncio keeps its selector: it can be asked, but the hub does the work."""

    def __init__(self, loop: WatchingLoop) -> None:
        self._loop = loop

    def get_map(self) -> Mapping[Any, selectors.SelectorKey]:
        return {fd: self.get_key(fd) for fd in self._fds()}

    def get_key(self, fileobj: Any) -> selectors.SelectorKey:
        fd = _fileno(fileobj)
        reader, writer = self._loop._readers.get(fd), self._loop._writers.get(fd)
        events = selectors.EVENT_READ * bool(reader) | selectors.EVENT_WRITE * bool(writer)
        if not events:
            raise KeyError(fileobj)
        return selectors.SelectorKey(fileobj, fd, events, (reader, writer))

    def _fds(self) -> Iterator[int]:
        return iter(self._loop._readers.keys() | self._loop._writers.keys())

    def close(self) -> None:
        """Forget all, as asyncio's selectors do: what is watched must not outlive its loop."""
        self._loop._readers.clear()
        self._loop._writers.clear()

    def register(self, fileobj: Any, events: int, data: Any = None) -> NoReturn:
        raise NotImplementedError("the hub watches: use loop.add_reader or loop.add_writer")

    unregister = modify = register  # type: ignore[assignment]

    def select(self, timeout: float | None = None) -> NoReturn:
        raise NotImplementedError("the hub waits, this loop has nothing to select")
