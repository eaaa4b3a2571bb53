"""A response whose body is one string: nothing to encode, to count or to close."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import flask

# Fields that werkzeug may have to rewrite before they are sent.
_REWRITTEN = frozenset({"location", "content-location"})


class Response(flask.Response):
    """A subclass of ``flask.Response`` with the same behaviour; one that is a single string is
    handed to the server as it is."""

    # Whether call_on_close() was called.
    awaited = False

    def call_on_close(self, func: Callable[[], Any]) -> Callable[[], Any]:
        """As Flask's."""
        self.awaited = True
        return super().call_on_close(func)

    def get_wsgi_response(
        self, environ: dict[str, Any]
    ) -> tuple[Iterable[bytes], str, list[tuple[str, str]]]:
        """As Flask's, but a body that is one string with a declared length is returned as it is."""
        body: Any = self.response
        if (
            type(self) is Response
            and type(body) is list
            and len(body) == 1
            and type(body[0]) is bytes
            and 200 <= self.status_code < 300
            and self.status_code != 204
            and environ["REQUEST_METHOD"] != "HEAD"
            and not self.awaited
        ):
            headers = self.headers.to_wsgi_list()
            names = {name.lower() for name, _ in headers}
            if "content-length" in names and names.isdisjoint(_REWRITTEN):
                return body, self.status, headers
        return super().get_wsgi_response(environ)
