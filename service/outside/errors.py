"""Why a call to another site failed. The text may be shown to users: it has no internal address.

OutsideError
├── Refused            the URL or its address may not be called; no retry will help
├── Unreachable        no connection, or it broke before the response was complete
├── TimedOut           the response was not complete in time
└── UnusableResponse   a response of a kind that cannot be used
"""

from __future__ import annotations


class OutsideError(Exception):
    """The root of the tree."""


class Refused(OutsideError):
    """The URL, or every address of its host, is one that may not be called."""


class Unreachable(OutsideError):
    """The name could not be resolved, the connection not be made, or it broke."""


class TimedOut(OutsideError):
    """The response was not complete in time."""


class UnusableResponse(OutsideError):
    """There was a response, of a kind that cannot be used."""
