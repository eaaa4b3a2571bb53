"""How a view is declared. It is both called and documented by its declaration.

    @routes.post("/rooms/{room_id}/messages", status=201)
    def send(call: ApiCall, room_id: Id, body: NewMessage) -> Message:
        '''Send a message.'''

The types of the parameters say where a value comes from: a name in the path is taken from there,
``body`` is the JSON body and ``query`` the query string.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal, NamedTuple, get_type_hints

import msgspec

from service.chat.context import ChatContext
from service.chat.models import User

Limit = Literal["none", "write", "login"]
View = Callable[..., Any]


class ApiCall(NamedTuple):
    """One call of the API: the chat context, and who calls.

    On routes that need no token, ``user`` is ``NOBODY`` and ``token`` is empty.
    """

    chat: ChatContext
    user: User
    token: str


class Reply(NamedTuple):
    """A view's answer where its status is not the declared one."""

    value: Any
    status: int


@dataclass(frozen=True)
class Route:
    """One endpoint, as :mod:`~service.api.dispatch` and :mod:`~service.api.openapi` need it."""

    method: str
    path: str
    view: View
    status: int
    also: dict[int, str]
    needs_token: bool
    limit: Limit
    errors: tuple[int, ...]
    hints: dict[str, Any] = field(init=False)

    def __post_init__(self) -> None:
        hints = get_type_hints(self.view, include_extras=True)
        object.__setattr__(self, "hints", hints)

    @property
    def name(self) -> str:
        """Its operation id in the OpenAPI document."""
        return self.view.__name__

    @cached_property
    def body(self) -> type[msgspec.Struct] | None:
        """The type of the JSON body, if it takes one."""
        return self.hints.get("body")

    @cached_property
    def query(self) -> type[msgspec.Struct] | None:
        """The type of the query string, if it takes one."""
        return self.hints.get("query")

    @property
    def returns(self) -> Any:
        """The type of the answer; ``None`` for an answer without a body."""
        kind = self.hints["return"]
        return None if kind is type(None) else kind

    @cached_property
    def path_parameters(self) -> dict[str, Any]:
        """The type of each name in the path."""
        return {name: self.hints[name] for name in self.hints if f"{{{name}}}" in self.path}


class Routes:
    """The views of one module, as data; nothing is registered on import."""

    def __init__(self, tag: str, about: str = "") -> None:
        self.tag = tag
        self.about = about  # what the API reference says above them
        self.all: list[Route] = []

    def get(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a view that reads."""
        return self._route("GET", path, "none", **options)

    def post(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a view that makes something."""
        return self._route("POST", path, "write", **options)

    def put(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a view that may be called again with the same effect."""
        return self._route("PUT", path, "write", **options)

    def patch(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a view that changes a part."""
        return self._route("PATCH", path, "write", **options)

    def delete(self, path: str, **options: Any) -> Callable[[View], View]:
        """Declare a view that removes something."""
        return self._route("DELETE", path, "write", **options)

    def _route(
        self,
        method: str,
        path: str,
        default_limit: Limit,
        *,
        status: int = 200,
        also: dict[int, str] | None = None,
        needs_token: bool = True,
        limit: Limit | None = None,
        errors: tuple[int, ...] = (),
    ) -> Callable[[View], View]:
        def declare(view: View) -> View:
            self.all.append(
                Route(
                    method,
                    path,
                    view,
                    status=status,
                    also=also or {},
                    needs_token=needs_token,
                    limit=limit or default_limit,
                    errors=errors,
                )
            )
            return view

        return declare
