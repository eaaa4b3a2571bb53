"""What can go wrong with a request, in the words of the domain. Knows no HTTP.

ServiceError
├── InvalidInput       the request cannot be understood; names the field
├── Unauthenticated    no valid token came with it
├── Forbidden          the caller may see the thing, but not do this to it
├── NotFound           there is no such thing, or the caller may not know that there is
├── Conflict           it contradicts what is stored
└── TooManyRequests    come back later; says when
"""

from __future__ import annotations


class ServiceError(Exception):
    """The root of the tree. The text is for the person who reads the answer."""


class InvalidInput(ServiceError):
    """The request cannot be understood. ``field`` is the place in it, where one is to blame."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Unauthenticated(ServiceError):
    """No token, or one that is unknown, expired or revoked."""


class Forbidden(ServiceError):
    """The caller is known and sees the thing, but its role does not allow this."""


class NotFound(ServiceError):
    """There is no such thing; what a caller may not see is reported in the same words."""


class Conflict(ServiceError):
    """What is asked for contradicts what is stored."""


class TooManyRequests(ServiceError):
    """The caller is over its rate; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
