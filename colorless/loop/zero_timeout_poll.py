"""``select.poll`` and ``select.select`` with no time to wait, asked by a coroutine.

gevent lets other green threads run at each of them. Between two ``await``s a coroutine may expect
that of what waits, but not of a question; httpcore's pool asks whether an idle connection is
still good while it walks over the list of its connections.
"""

from __future__ import annotations

import select
from typing import Any

import gevent.select
from gevent.monkey import get_original

from colorless.compat.asyncio import running_loop

_real_poll, _real_select = (get_original("select", name) for name in ("poll", "select"))
_green_select = gevent.select.select


class Poll(gevent.select.poll):
    """gevent's, which waits green; asked in a coroutine with no time to wait, it does not."""

    def __init__(self) -> None:
        super().__init__()
        self._real = _real_poll()

    def register(self, fd: Any, eventmask: int = select.POLLIN | select.POLLOUT) -> None:
        """Watch ``fd`` as well."""
        super().register(fd, eventmask)
        self._real.register(fd, eventmask)

    modify = register

    def unregister(self, fd: Any) -> None:
        """Watch ``fd`` no more."""
        super().unregister(fd)
        self._real.unregister(fd)

    def poll(self, timeout: float | None = None) -> list[tuple[int, int]]:
        """What is ready, at the latest after ``timeout`` milliseconds."""
        if timeout == 0 and running_loop() is not None:
            ready: list[tuple[int, int]] = self._real.poll(0)
        else:
            ready = super().poll(timeout)
        return ready


def _select(rlist: Any, wlist: Any, xlist: Any, timeout: float | None = None) -> Any:
    if timeout == 0 and running_loop() is not None:
        return _real_select(rlist, wlist, xlist, 0)
    return _green_select(rlist, wlist, xlist, timeout)


def answer_at_once() -> None:
    """From now on, who asks in a coroutine with no time to wait is answered without waiting."""
    select.poll = Poll  # type: ignore[misc]
    select.select = _select
