"""Calls to other HTTP services, in plain synchronous code: only the calling green thread waits.

    client = Client()
    answer = client.get("http://prices.internal/today")

HTTP/1.1 on kept connections, parsed by llhttp, and as little Python round it as that takes: a
call costs less than a third of urllib3's CPU (``python -m comparison.micro.outside``). It follows
no redirects, keeps no cookies, knows no proxies and unpacks nothing; where you want those, every
library that uses sockets works as well.

The layers, each importing only those above it:

    errors       why a call has no answer
    request      the bytes of a request
    reader       from an answer's bytes to an Answer
    connection   one socket, one exchange at a time
    client       URLs, kept connections, time limits
"""

from colorless.integrations.http.client import Client
from colorless.integrations.http.connection import HTTPConnection, connect
from colorless.integrations.http.errors import BadAnswer, HTTPError, NoAnswer, TooSlow
from colorless.integrations.http.reader import Answer

__all__ = [
    "Answer",
    "BadAnswer",
    "Client",
    "HTTPConnection",
    "HTTPError",
    "NoAnswer",
    "TooSlow",
    "connect",
]
