"""gunicorn: what the server uses of it that is private, or that its documentation does not name.

gunicorn documents its settings, its hooks, the logger class and the base class of workers; the
modules below ``gunicorn.http`` are its own. Each name is imported here and nowhere else, with what
it is for and what to do when it goes. What we override is held by
tests/colorless/compat/test_gunicorn.py: the parent must go on calling it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from gunicorn import SERVER, config, util
from gunicorn.errors import AppImportError
from gunicorn.http import errors, message, wsgi
from gunicorn.http.body import Body, ChunkedReader, LengthReader
from gunicorn.http.errors import (
    InvalidResponseHeader,
    InvalidResponseHeaderName,
    LimitRequestHeaders,
    NoMoreData,
)
from gunicorn.http.unreader import IterUnreader, Unreader
from gunicorn.sock import ssl_context

__all__ = [
    "FIELD_NAME",
    "FIELD_VALUE",
    "MAX_FIELDS",
    "MAX_FIELD_SIZE",
    "MAX_LINE",
    "SERVER",
    "AppImportError",
    "Body",
    "ChunkedReader",
    "InvalidResponseHeader",
    "InvalidResponseHeaderName",
    "IterUnreader",
    "LengthReader",
    "LimitRequestHeaders",
    "NoMoreData",
    "Request",
    "Response",
    "Unreader",
    "base_environ",
    "create",
    "errors",
    "expects_continue",
    "http_date",
    "import_app",
    "is_hop_by_hop",
    "is_trusted",
    "load_class",
    "no_post_request",
    "no_pre_request",
    "proxy_environ",
    "ssl_context",
    "unquote_path",
    "write_error",
]

# gunicorn's caps, and what 0 means in its settings. When they go: copy the numbers.
MAX_LINE: int = message.MAX_REQUEST_LINE
MAX_FIELDS: int = message.MAX_HEADERS
MAX_FIELD_SIZE: int = message.DEFAULT_MAX_HEADERFIELD_SIZE

# The grammar of names and values that a response may have. When it goes: RFC 9110, section 5.
FIELD_NAME = message.TOKEN_RE
FIELD_VALUE = wsgi.HEADER_VALUE_RE

# Each a line of code; when one goes, write it.
http_date = util.http_date
is_hop_by_hop = util.is_hoppish
unquote_path = util.unquote_to_wsgi_str
# Imports "module:app", or calls "module:app()".
import_app = util.import_app
# The worker class that a setting names.
load_class = util.load_class
# Sends a page like gunicorn's own for an error, on anything with sendall() and gettimeout().
write_error = util.write_error

# The hooks that do nothing. When they go: call the hooks always.
no_pre_request = config.PreRequest.default
no_post_request = config.PostRequest.default

# The parts of an environ that gunicorn has settings for (wsgi.errors, say), and what the PROXY
# protocol adds. When one goes: PEP 3333 lists the keys.
base_environ = wsgi.base_environ
proxy_environ = wsgi.proxy_environ
# A response and an environ, for a request that took the long way.
create = wsgi.create

# Reads any request, by the rules that decide here what a valid one is; asked for its parser in
# Python by the setting http_parser, since the one in C is laxer (docs/worker.md). When it goes:
# the long way needs a parser as strict; tests/colorless/server/corpus.json says how strict.
Request = message.Request


def expects_continue(request: Any) -> bool:
    """Whether the client waits for "100 Continue" before it sends the body.

    When it goes: the request's ``Expect`` field says so, in HTTP/1.1.
    """
    return bool(request._expected_100_continue)


def is_trusted(peer: Any, cfg: Any) -> bool:
    """Whether ``peer`` is a proxy that may say which scheme its client used: the setting
    ``forwarded_allow_ips``. When it goes: the module ``ipaddress`` does the same."""
    return not isinstance(peer, tuple) or message._ip_in_allow_list(
        peer[0], cfg.forwarded_allow_ips, cfg.forwarded_allow_networks()
    )


class Response(wsgi.Response):
    """gunicorn's response, with a public name for what ours asks and overrides.

    It decides what may be sent, how it is framed and which bytes are dropped. When it goes: the
    ASGI half's ``Response`` decides the same in 100 lines.
    """

    req: Any
    sock: Any
    status: str | None
    status_code: int
    headers: list[tuple[str, str]]
    headers_sent: bool
    response_length: int | None
    chunked: bool
    sent: int
    upgrade: bool

    @property
    def omits_body(self) -> bool:
        """Whether what the application sends as a body is dropped."""
        return bool(self._omits_body)

    def omit_body(self) -> None:
        """This response has no body; its length is not told where HTTP forbids that."""
        self._omits_body = True
        if self._response_forbids_content_length(self.status_code):
            self.headers = [pair for pair in self.headers if pair[0].lower() != "content-length"]
            self.response_length = None

    def send_early_hints(self, headers: Iterable[tuple[str, str]]) -> None:
        """``environ["wsgi.early_hints"]``: send a 103 response with ``headers``."""
        wsgi._make_early_hints_callback(self.req, self.sock, self)(headers)
