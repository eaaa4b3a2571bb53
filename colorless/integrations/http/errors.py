"""Why a call has no answer. A connection that could not be made stays the system's ``OSError``.

OSError
└── HTTPError
    ├── NoAnswer    the connection ended before the answer was whole
    ├── BadAnswer   what came is no HTTP answer, or is larger than was allowed
    └── TooSlow     not whole in time (a TimeoutError too)
"""

from __future__ import annotations


class HTTPError(OSError):
    """A call that has no answer. The base class of the others."""


class NoAnswer(HTTPError):
    """The connection ended before the answer was whole."""


class BadAnswer(HTTPError):
    """What the server sent is not HTTP, or is larger than was allowed."""


class TooSlow(HTTPError, TimeoutError):
    """The answer was not whole within the client's ``timeout``. A ``TimeoutError`` too."""
