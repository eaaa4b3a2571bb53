"""Why a call has no answer. What a connection could not be made for stays a plain ``OSError``.

OSError
└── HTTPError
    ├── NoAnswer    the connection ended before the answer was whole
    ├── BadAnswer   what came is no HTTP answer, or is larger than was allowed
    └── TooSlow     not whole in time (a TimeoutError too)
"""

from __future__ import annotations


class HTTPError(OSError):
    """The root of the tree."""


class NoAnswer(HTTPError):
    """The connection ended before the answer was whole."""


class BadAnswer(HTTPError):
    """What came is no HTTP answer, or is larger than was allowed."""


class TooSlow(HTTPError, TimeoutError):
    """The answer was not whole when its time was up."""
