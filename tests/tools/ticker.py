"""A green thread that counts its turns: proof that whatever runs beside it lets others run."""

from __future__ import annotations

from types import TracebackType

import gevent


class Ticker:
    """Counts once every ``interval`` seconds, for as long as the ``with`` block runs."""

    def __init__(self, interval: float = 0.01) -> None:
        self.count = 0
        self._interval = interval

    def __enter__(self) -> Ticker:
        self._thread = gevent.spawn(self._tick)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> None:
        self._thread.kill()

    def _tick(self) -> None:
        while True:
            gevent.sleep(self._interval)
            self.count += 1
