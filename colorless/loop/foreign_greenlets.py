"""Greenlets that other libraries make inside of a callback; SQLAlchemy's asyncio does so.

Such a greenlet is a part of its runner's step: when it waits green, the step has to be parked as
if the runner itself waited. gevent asks the greenlet that leaves for a ``switch_out``, so these
need one: ``greenlet.greenlet``, as other libraries import it, becomes :class:`Guest`.
"""

from __future__ import annotations

from typing import Any

import greenlet as greenlet_module
from greenlet import greenlet

from colorless.loop.runner import Runner, raw_switch


class _AnyGreenlet(type):
    """Asked whether something is a greenlet, :class:`Guest` still answers for all of them."""

    def __instancecheck__(cls, instance: object) -> bool:
        return (
            isinstance(instance, greenlet) if cls is Guest else super().__instancecheck__(instance)
        )


class Guest(greenlet, metaclass=_AnyGreenlet):
    """A greenlet that parks the step of the runner it was started in, when it waits green."""

    def switch_out(self) -> None:
        """gevent is about to leave this greenlet."""
        host = self.host()
        if host is not None:
            host.guest = self
            host.switch_out()

    def switch(self, *args: Any, **kwargs: Any) -> Any:
        """The hub comes back, or whoever started this greenlet goes on in it."""
        self._back()
        return raw_switch(self, *args, **kwargs)

    def throw(self, *args: Any) -> Any:
        """As :meth:`switch`, with an exception."""
        self._back()
        return super().throw(*args)

    def _back(self) -> None:
        host = self.host()
        if host is not None and host.guest is self:
            host.guest = None
            host.back()

    def host(self) -> Runner | None:
        """The runner in whose step it was started, if it was in one."""
        parent = self.parent
        while parent is not None and not isinstance(parent, Runner):
            parent = parent.parent
        return parent


def receive_guests() -> None:
    """From now on, who imports ``greenlet.greenlet`` gets :class:`Guest`."""
    greenlet_module.greenlet = Guest
