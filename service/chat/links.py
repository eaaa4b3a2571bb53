"""The links in a message's text."""

from __future__ import annotations

import re
from typing import NamedTuple

from service.outside.errors import Refused
from service.outside.url import parse

# Guessed: what a message has place for under it, and what one message may make the service fetch.
MOST = 5
_LENGTH = 2000

_URL = re.compile(r"(?<!\w)https?://[^\s<>\"`\\^{|}]+", re.IGNORECASE)
_PUNCTUATION = ".,;:!?'*_~…"
_BRACKETS = {")": "(", "]": "["}


class Link(NamedTuple):
    """A link as it stands in the text, and the host that it leads to."""

    url: str
    host: str


def links(body: str) -> list[Link]:
    """The first few links, each once. One with a user name or password in it is none."""
    found: dict[str, Link] = {}
    for match in _URL.finditer(body):
        url = _without_punctuation(match[0][: _LENGTH + 1])
        host = _host(url)
        if host and len(url) <= _LENGTH:
            found.setdefault(url, Link(url, host))
        if len(found) == MOST:
            break
    return list(found.values())


def _without_punctuation(url: str) -> str:
    """What ends the sentence is not part of it; a bracket is if it was opened in it."""
    while url and (
        url[-1] in _PUNCTUATION
        or (url[-1] in _BRACKETS and url.count(url[-1]) > url.count(_BRACKETS[url[-1]]))
    ):
        url = url[:-1]
    return url


def _host(url: str) -> str | None:
    try:
        return parse(url).host
    except Refused:
        return None
