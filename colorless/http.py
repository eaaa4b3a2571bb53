"""A lean HTTP client: ``from colorless.http import Client``.

The code is in :mod:`colorless.integrations.http`; this is the name to import it by.
"""

from colorless.integrations.http import (
    Answer,
    BadAnswer,
    Client,
    HTTPError,
    NoAnswer,
    TooSlow,
    connect,
)
from colorless.integrations.http import HTTPConnection as Connection

__all__ = [
    "Answer",
    "BadAnswer",
    "Client",
    "Connection",
    "HTTPError",
    "NoAnswer",
    "TooSlow",
    "connect",
]
