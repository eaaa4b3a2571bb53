"""The errors of the domain. They know no HTTP: ``service.api.errors`` has the status of each.

ServiceError
├── InvalidInput       the request cannot be understood; names the field
├── Unauthenticated    no valid token came with it
├── Forbidden          the caller may see the resource, but not do this to it
├── NotFound           there is no such resource, or the caller may not see it
├── Conflict           it contradicts what is stored
└── TooManyRequests    the caller is over its rate limit
"""

from __future__ import annotations


class ServiceError(Exception):
    """The root of the tree. The text is shown to the client."""


class InvalidInput(ServiceError):
    """The request cannot be understood. ``field`` names the field that is wrong, if it is one."""

    def __init__(self, message: str, field: str | None = None) -> None:
        super().__init__(message)
        self.field = field


class Unauthenticated(ServiceError):
    """No token, or one that is unknown, expired or revoked."""


class Forbidden(ServiceError):
    """The caller may see the resource, but its role does not allow this."""


class NotFound(ServiceError):
    """There is no such resource; one that the caller may not see is reported in the same words."""


class Conflict(ServiceError):
    """What is asked for contradicts what is stored."""


class TooManyRequests(ServiceError):
    """The caller is over its rate limit; ``retry_after`` is in seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after
