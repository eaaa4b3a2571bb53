"""The same promise in both colours: one application for each, and a worker that serves it."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

import pytest

from tests.colorless.server import asgi_inside, inside


class Colour(NamedTuple):
    """An interface: how a worker of it is served, and what its applications look like."""

    serving: Callable[..., AbstractContextManager[Any]]
    doing: Callable[[Callable[[], object]], Callable[..., Any]]
    """An application that calls a function, and answers "hello" if that returns."""


def _wsgi(function: Callable[[], object]) -> Callable[..., Any]:
    def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> list[bytes]:
        function()
        start_response("200 OK", [("Content-Length", "5")])
        return [b"hello"]

    return app


def _asgi(function: Callable[[], object]) -> Callable[..., Any]:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        function()
        await asgi_inside.answer(send, b"hello")

    return app


WSGI = Colour(inside.serving, _wsgi)
ASGI = Colour(asgi_inside.serving, _asgi)
in_both_colours = pytest.mark.parametrize("colour", [WSGI, ASGI], ids=["wsgi", "asgi"])
