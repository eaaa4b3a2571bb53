"""entered: an asynchronous context manager as a plain one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Any, Generic, TypeVar

from colorless.bridge.call import await_, outlast
from colorless.bridge.shared import current_loop

T = TypeVar("T")
E = TypeVar("E", bound=bool | None)  # bool for a manager that may swallow the block's error

_Outcome = tuple[type[BaseException] | None, BaseException | None, TracebackType | None]


_Manager = AbstractAsyncContextManager[T, E]


def entered(manager: _Manager[T, E] | Callable[[], _Manager[T, E]]) -> Entered[T, E]:
    """A plain context manager that enters and exits an asynchronous one.

    One task enters it and exits from it, so that cancel scopes and task groups stay valid. It gets
    the block's exception and may suppress it or raise another. A manager that is cancelled from
    within (a task group with a failed child) raises when the block ends.

    :param manager: an asynchronous context manager, or a function that makes one and is called
        inside of the loop: for classes that look for a running loop when they are made, such as
        ``aiohttp.ClientSession``.
    """
    return Entered(manager)


class Entered(AbstractContextManager[T, E], Generic[T, E]):
    """The context manager that :func:`entered` returns, for one ``with`` block."""

    def __init__(self, manager: _Manager[T, E] | Callable[[], _Manager[T, E]]) -> None:
        self._manager = manager
        self._task: asyncio.Task[bool] | None = None

    def __enter__(self) -> T:
        loop = current_loop()
        self._value: asyncio.Future[T] = loop.create_future()
        self._outcome: asyncio.Future[_Outcome] = loop.create_future()
        holding = _hold(self._manager, self._value, self._outcome)
        self._task = loop.create_task(holding, name="entered")
        try:
            return await_(self._value)
        except BaseException:
            self._task.cancel()
            outlast(self._task)
            raise

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        tb: TracebackType | None,
    ) -> E:
        assert self._task is not None
        if not self._outcome.done():
            self._outcome.set_result((kind, error, tb))
        suppressed: Any = False
        try:
            suppressed = await_(self._task)
        except BaseException as raised:
            if raised is not error:
                raise
        return suppressed

    def __del__(self) -> None:
        task = self._task
        if task is not None and not task.done() and not task.get_loop().is_closed():
            task.get_loop().call_soon_threadsafe(task.cancel)


async def _hold(
    manager: _Manager[T, Any] | Callable[[], _Manager[T, Any]],
    value: asyncio.Future[T],
    outcome: asyncio.Future[_Outcome],
) -> bool:
    """Enter, wait for the outcome of the block, exit; returns whether its error is suppressed."""
    try:
        if not isinstance(manager, AbstractAsyncContextManager):
            manager = manager()
        entered_value = await manager.__aenter__()
    except asyncio.CancelledError:
        value.cancel()
        raise
    except BaseException as error:
        value.set_exception(error)
        return False
    try:
        if not value.done():  # else nobody waits for it any more, and a cancel is on its way
            value.set_result(entered_value)
        how = await outcome
    except BaseException as error:
        if not await manager.__aexit__(type(error), error, error.__traceback__):
            raise
        return False
    return bool(await manager.__aexit__(*how))
