"""gevent's ``AsyncResult``, with the types that gevent does not declare."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

    class _AsyncResult:
        """The public methods of gevent's class, but for its value and ``get``."""

        exc_info: tuple[Any, ...]

        @property
        def exception(self) -> BaseException | None:
            """The error, or ``None``."""

        def ready(self) -> bool:
            """Whether there is a value or an error."""

        def successful(self) -> bool:
            """Whether there is a value."""

        def done(self) -> bool:
            """As :meth:`ready`; a future's name for it."""

        def set_exception(self, exception: BaseException) -> None:
            """Fail with ``exception``; wakes those who wait."""

        def rawlink(self, callback: Callable[[Any], object]) -> None:
            """Call ``callback`` in the hub once there is a value or an error."""

        def unlink(self, callback: Callable[[Any], object]) -> None:
            """Undo :meth:`rawlink`."""

else:
    from gevent.event import AsyncResult as _AsyncResult

T = TypeVar("T")


class AsyncResult(_AsyncResult, Generic[T]):
    """A value of type ``T``, or an error, that green threads wait for."""

    __slots__ = ()

    if TYPE_CHECKING:
        value: T | None

        def set(self, value: T) -> None:
            """Succeed with ``value``; wakes those who wait."""

        def get_nowait(self) -> T:
            """The value, or ``gevent.Timeout`` if there is none yet."""

        def result(self, timeout: float | None = None) -> T:
            """As ``get``; a future's name for it."""

        def wait(self, timeout: float | None = None) -> T | None:
            """Wait ``timeout`` seconds at most; the value if there is one by then."""
