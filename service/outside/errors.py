"""Why a call to another site came to nothing. The text may be shown: it names no address of ours.

OutsideError
├── Refused        this service does not speak to such a URL or address; no retry will help
├── Unreachable    no connection, or it broke before the answer was whole
├── TimedOut        no whole answer in the time that it was given
└── UnusableResponse      an answer that cannot be used
"""

from __future__ import annotations


class OutsideError(Exception):
    """The root of the tree."""


class Refused(OutsideError):
    """The URL or the address behind it is one that this service does not speak to."""


class Unreachable(OutsideError):
    """The name could not be resolved, the connection not be made, or it broke."""


class TimedOut(OutsideError):
    """The answer was not whole when its time was up."""


class UnusableResponse(OutsideError):
    """There was an answer, of a kind that cannot be used."""
