"""The links in a message's text."""

from __future__ import annotations

import re
from typing import NamedTuple

from service.outside.errors import Refused
from service.outside.url import parse

# Links of one message that get a preview, and characters of a link; guessed.
MAX_LINKS = 5
_MAX_LENGTH = 2000

_URL = re.compile(r"(?<!\w)https?://[^\s<>\"`\\^{|}]+", re.IGNORECASE)
_PUNCTUATION = ".,;:!?'*_~…"
_BRACKETS = {")": "(", "]": "["}


class Link(NamedTuple):
    """A link as it is written in the text, and its host."""

    url: str
    host: str


def links(body: str) -> list[Link]:
    """The first :data:`MAX_LINKS` links, each once; none that has a user name or password in it."""
    found: dict[str, Link] = {}
    for match in _URL.finditer(body):
        url = _without_punctuation(match[0][: _MAX_LENGTH + 1])
        host = _host(url)
        if host and len(url) <= _MAX_LENGTH:
            found.setdefault(url, Link(url, host))
        if len(found) == MAX_LINKS:
            break
    return list(found.values())


def _without_punctuation(url: str) -> str:
    """Drop punctuation at the end, which is the sentence's; keep a bracket that the URL opens."""
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
