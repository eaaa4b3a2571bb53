"""Tell a WSGI application from an ASGI one, by what it takes when it is called."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import Any, Literal, TypeGuard

Interface = Literal["wsgi", "asgi"]

# What is taken: environ and start_response (PEP 3333), or scope, receive and send (ASGI 3.0).
_ARGUMENTS: dict[int, Interface] = {2: "wsgi", 3: "asgi"}
# What the first of them is called.
_FIRST: dict[str, Interface] = {"environ": "wsgi", "env": "wsgi", "scope": "asgi"}
# Where wrappers that take anything (``*args``) keep what they wrap.
_WRAPPED = ("app", "application", "_app", "_application", "wrapped", "wsgi_app", "asgi_app")
_DEEPEST = 20  # wrappers around wrappers


class InterfaceError(ValueError):
    """The application cannot be imported, or it cannot be told what it is."""


def is_interface(text: object) -> TypeGuard[Interface]:
    """Whether ``text`` is the name of one."""
    return text in ("wsgi", "asgi")


def interface_of(app: Callable[..., Any], uri: str = "module:create_app") -> Interface:
    """Which of the two ``app``, written as ``uri``, is.

    Raises :class:`InterfaceError` where it cannot be told, with what to write instead.
    """
    if _is_complete_without_arguments(app):
        raise InterfaceError(
            f"{uri} needs no arguments, and an application does. If it makes the application, "
            f"have it called: {uri}()"
        )
    wrapped: Any = app
    for _ in range(_DEEPEST):
        found = _told_by_arguments(wrapped)
        if found is not None:
            return found
        inside = (getattr(wrapped, name, None) for name in _WRAPPED)
        wrapped = next(filter(callable, inside), None)
        if wrapped is None:
            break
    raise InterfaceError(
        f"{uri} is {app!r}, which takes neither (environ, start_response) nor (scope, receive, "
        "send): say which it is with --interface wsgi or --interface asgi, or, if it makes the "
        f"application, have it called: '{uri}(...)'"
    )


def _is_complete_without_arguments(app: Callable[..., Any]) -> bool:
    parameters = _positional(app)
    return parameters is not None and all(
        each.default is not each.empty and each.name not in _FIRST for each in parameters
    )


def _told_by_arguments(app: Callable[..., Any]) -> Interface | None:
    if inspect.iscoroutinefunction(app) or inspect.iscoroutinefunction(_call_of(app)):
        return "asgi"
    parameters = _positional(app)
    if not parameters:
        return None
    first = parameters[0]
    if first.name in _FIRST:
        return _FIRST[first.name]
    if first.kind is first.VAR_POSITIONAL:
        return None
    return _ARGUMENTS.get(len([each for each in parameters if each.default is each.empty]))


def _positional(app: Callable[..., Any]) -> list[inspect.Parameter] | None:
    """The parameters that can be given without a name; ``None`` if nothing is known of them."""
    for call in (app, _call_of(app)):
        try:
            parameters = inspect.signature(call).parameters.values()
        except (TypeError, ValueError):
            continue
        return [
            each for each in parameters if each.kind not in (each.KEYWORD_ONLY, each.VAR_KEYWORD)
        ]
    return None


def _call_of(app: Any) -> Any:
    """What is called. Sentry's middleware, say, has it as an attribute of each instance."""
    return app if inspect.isroutine(app) or inspect.isclass(app) else app.__call__
