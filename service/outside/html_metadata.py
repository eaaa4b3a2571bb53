"""The title, description and image of an HTML page: from Open Graph, Twitter cards or plain HTML.

The page may be hostile. Parsers that build a tree or search with patterns can be made to take time
quadratic in its length: 256 KiB made for it took selectolax 8 s, and the standard library's
``html.parser`` 4 minutes (measured). lxml's parser, fed in pieces and calling a target for each
tag, took 64 ms at most, and other green threads run between the pieces.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple
from urllib.parse import urljoin

import gevent
from lxml import etree

from service.outside.errors import UnusableResponse

TYPES = frozenset({"text/html", "application/xhtml+xml"})
ACCEPT = "text/html,application/xhtml+xml"

_PIECE = 8 * 1024
_SOURCES = {
    "title": ("og:title", "twitter:title", "<title>"),
    "description": ("og:description", "twitter:description", "description"),
    "image_url": ("og:image:secure_url", "og:image", "og:image:url", "twitter:image"),
    "site_name": ("og:site_name", "application-name"),
}
_WANTED = frozenset(name for names in _SOURCES.values() for name in names)
# Characters of each that are kept; guessed.
_LENGTHS = {"title": 300, "description": 1000, "site_name": 100}
_URL_LENGTH = 2000

# The codecs of encodings that browsers know; others of Python's are slow, or not for text.
_CODECS = re.compile(
    r"utf-8|utf-16(-[lb]e)?|iso8859-\d+|cp125\d|koi8-[ru]|gb\w+|big5|euc_\w+|shift"
)
_CHARSET = re.compile(rb"""charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
# Control characters, lone surrogates, and marks that change the direction of the text behind them.
_UNWANTED = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_CHARSET_WITHIN = 1024  # bytes of a page in which HTML requires the charset


class PageMetadata(NamedTuple):
    """A page's metadata; there is always a title."""

    title: str
    description: str | None
    image_url: str | None
    site_name: str | None


def extract(content: bytes, content_type: str, url: str) -> PageMetadata:
    """The metadata of the page at ``url``; ``content`` may be only its beginning.

    Raises :class:`UnusableResponse` if it is not HTML, or has no title.
    """
    kind, _, parameters = content_type.partition(";")
    if kind.strip().lower() not in TYPES:
        raise UnusableResponse(f"no HTML page, but {kind.strip()[:80] or 'of no known type'}")
    values = _collect(_decode(content, parameters))
    texts = {
        name: _tidy(_first(values, _SOURCES[name]), length) or None
        for name, length in _LENGTHS.items()
    }
    title = texts["title"]
    if title is None:
        raise UnusableResponse("the page has no title")
    image = _image(url, _first(values, _SOURCES["image_url"]).strip())
    return PageMetadata(title, texts["description"], image, texts["site_name"])


def _image(url: str, given: str) -> str | None:
    try:
        image = urljoin(url, given)
    except ValueError:  # an address in brackets that is none
        return None
    is_one = given and image.startswith(("http://", "https://")) and len(image) <= _URL_LENGTH
    return image if is_one else None


class _Target:
    """Called by the parser for each tag; keeps the first value of each wanted name."""

    def __init__(self) -> None:
        self.values: dict[str, str] = {}
        self._title: list[str] | None = None

    def start(self, tag: str, attributes: Mapping[str, str]) -> None:
        if tag == "meta":
            name = attributes.get("property") or attributes.get("name") or ""
            content = attributes.get("content")
            if content and name.lower() in _WANTED:
                self.values.setdefault(name.lower(), content)
        elif tag == "title":
            self._title = []

    def end(self, tag: str) -> None:
        if tag == "title" and self._title is not None:
            # The first one: an <svg> in the page may have a title of its own.
            self.values.setdefault("<title>", "".join(self._title))
            self._title = None

    def data(self, text: str) -> None:
        if self._title is not None:
            self._title.append(text)

    def close(self) -> None:
        pass


def _collect(text: str) -> dict[str, str]:
    target = _Target()
    parser = etree.HTMLParser(target=target, encoding="utf-8")
    content = text.encode()
    try:
        for start in range(0, len(content), _PIECE):
            parser.feed(content[start : start + _PIECE])
            gevent.sleep(0)
        parser.close()
    except etree.LxmlError:
        pass  # what was parsed before it counts
    return target.values


def _decode(content: bytes, parameters: str) -> str:
    declared = _CHARSET.search(parameters.encode()) or _CHARSET.search(content[:_CHARSET_WITHIN])
    name = "utf-8"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        name = "utf-16"
    elif declared is not None and not content.startswith(codecs.BOM_UTF8):
        name = _codec(declared[1].decode("ascii", "replace"))
    return content.decode(name, "replace").removeprefix("\ufeff").replace("\0", "")


def _codec(label: str) -> str:
    # On the web these two labels mean cp1252, which contains them (WHATWG Encoding).
    label = {"iso-8859-1": "cp1252", "us-ascii": "cp1252"}.get(label.lower(), label)
    try:
        name = codecs.lookup(label).name
    except LookupError:
        return "utf-8"
    return name if _CODECS.match(name) else "utf-8"


def _first(values: Mapping[str, str], names: Iterable[str]) -> str:
    return next((values[name] for name in names if values.get(name, "").strip()), "")


def _tidy(text: str, length: int) -> str:
    """One line of at most so many characters."""
    text = " ".join(text[: 4 * length].split())
    text = _UNWANTED.sub("", text)
    return text if len(text) <= length else text[: length - 1].rstrip() + "…"
