"""Applications of both interfaces, and their wrappers, are told apart by what they take."""

import functools
from collections.abc import Callable
from typing import Any

import pytest
from starlette.endpoints import HTTPEndpoint
from starlette.middleware.gzip import GZipMiddleware
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.middleware.proxy_fix import ProxyFix

from colorless.cli.interface import InterfaceError, interface_of
from tests.colorless.cli.apps import asgi, wsgi


class Slotted:
    """As Sentry's ASGI middleware: each instance has its own ``__call__``, in a slot."""

    __slots__ = ("__call__", "app")

    def __init__(self, app: Any) -> None:
        self.app = app
        self.__call__ = self._run

    async def _run(self, scope: Any, receive: Any, send: Any) -> None: ...


class Anything:
    """A wrapper whose arguments tell nothing."""

    def __init__(self, app: Any) -> None:
        self.app = app

    def __call__(self, *args: Any, **kwargs: Any) -> Any: ...


class AsgiInstance:
    def __call__(self, scope: object, receive: object, send: object) -> object: ...


class WsgiInstance:
    def __call__(self, env: object, start: object, more: object = None) -> object: ...


class WsgiClass:
    """PEP 3333's example: each request is an instance."""

    def __init__(self, environ: object, start_response: object) -> None: ...


async def coroutine(scope: object, receive: object, send: object) -> None: ...


async def any_coroutine(*args: object) -> None: ...


def function(environ: object, start_response: object) -> None: ...


def plain_asgi(scope: object, receive: object = None, send: object = None) -> None: ...


def bound(settings: object, environ: object, start_response: object) -> None: ...


@functools.wraps(function)
def decorated(*args: object) -> None: ...


ASGI = {
    "FastAPI": asgi,
    "a coroutine function": coroutine,
    "one that takes anything": any_coroutine,
    "an instance": AsgiInstance(),
    "a method": AsgiInstance().__call__,
    "a plain function with defaults": plain_asgi,
    "a partial": functools.partial(coroutine),
    "Sentry's middleware": Slotted(asgi),
    "a wrapper": Anything(asgi),
    "a wrapper around wrappers": Anything(Anything(Slotted(asgi))),
    "Starlette's middleware": GZipMiddleware(asgi),
    "a class": HTTPEndpoint,
}
WSGI = {
    "Flask": wsgi,
    "a function": function,
    "an instance": WsgiInstance(),
    "a class": WsgiClass,
    "a decorated function": decorated,
    "a partial": functools.partial(bound, None),
    "a wrapper": Anything(wsgi),
    "Werkzeug's middleware": ProxyFix(DispatcherMiddleware(wsgi)),
}


@pytest.mark.parametrize("app", ASGI.values(), ids=list(ASGI))
def test_asgi_is_told(app: Callable[..., Any]) -> None:
    """Functions, classes, instances and wrappers."""
    assert interface_of(app) == "asgi"


@pytest.mark.parametrize("app", WSGI.values(), ids=list(WSGI))
def test_wsgi_is_told(app: Callable[..., Any]) -> None:
    """Functions, classes, instances and wrappers."""
    assert interface_of(app) == "wsgi"


def no_arguments() -> None: ...


def only_defaults(config: object = None, **more: object) -> None: ...


async def async_factory() -> None: ...


def from_config(config: object) -> None: ...


@pytest.mark.parametrize("factory", [no_arguments, only_defaults, async_factory, Slotted.mro])
def test_a_factory_is_told_to_be_called(factory: Callable[..., Any]) -> None:
    """What needs no arguments makes an application, and is none."""
    with pytest.raises(InterfaceError, match=r"have it called: api:make\(\)$"):
        interface_of(factory, "api:make")


@pytest.mark.parametrize("app", [lambda *anything: None, from_config, Anything(None), print])
def test_application_of_neither_interface_is_refused(app: Callable[..., Any]) -> None:
    """With the options that decide, and how a factory with arguments is called."""
    with pytest.raises(InterfaceError, match=r"(?s)--interface.*'api:make\(\.\.\.\)'"):
        interface_of(app, "api:make")


def test_a_wrapper_around_itself_is_refused() -> None:
    """The search for what is wrapped ends."""
    wrapper = Anything(None)
    wrapper.app = wrapper
    with pytest.raises(InterfaceError, match="--interface"):
        interface_of(wrapper)
