"""The short way for heads: a grammar, and llhttp to split what it matches into fields.

Two ways lead from a head's bytes to a request, and both must agree. *Every* head could be read by
gunicorn's own parser, in Python, which decides what a valid request is: the long way. The short
way is for the plain requests that make up nearly all traffic; a head takes it only if the grammar
below (gunicorn's rules, narrowed) matches the whole of it, *and* llhttp, Node's parser, accepts
it, *and* no field in it needs a decision that gunicorn has code for. So nothing is accepted here
that gunicorn refuses; docs/worker.md has the measurements behind this choice.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod

from colorless.compat.httptools import HttpParserError, HttpParserUpgrade, HttpRequestParser
from colorless.server.engine.settings import HeadLimits

# Method, origin-form target, version, and fields without obsolete folding. gunicorn accepts more
# (other target forms, other 1.x versions, unconventional methods if told to): the long way.
_HEAD = re.compile(
    rb"([A-Z0-9!$%&'*+\-.^_`|~]{3,20}) (/[\x21-\x7e]*+) HTTP/1\.([01])\r\n"
    rb"(?:[0-9A-Za-z!#$%&'*+\-.^_`|~]+:[^\x00-\x08\x0a-\x1f\x7f]*+\r\n)*+\r\n"
)
# A name needs gunicorn's decision: framing other than by length, Expect, and every name with an
# underscore, which a WSGI environ cannot tell from one with a hyphen.
UNUSUAL = re.compile(rb"transfer-encoding|expect|.*_.*", re.IGNORECASE)
# gunicorn's parser knows no longer request line, whatever it is told.
_LONGEST_LINE = 8190


class HeadReader(ABC):
    """Splits plain heads, one at a time; one reader serves all connections of a process."""

    def __init__(self, limits: HeadLimits) -> None:
        # Below all three no line and no field can exceed its own limit.
        self._max_size = min(limits.line, limits.field, _LONGEST_LINE)
        self._max_fields = limits.fields
        self._plain = self._reusable = False
        self._parser = HttpRequestParser(self)

    @abstractmethod
    def on_header(self, name: bytes, value: bytes) -> None:
        """llhttp read a field. Call :meth:`refuse` if it needs a decision of gunicorn's."""

    def on_message_complete(self) -> None:
        """llhttp has read a head and expects no body. The parser is asked here whether it can read
        another one: afterwards it has forgotten what this one said."""
        self._reusable = self._parser.should_keep_alive()

    def refuse(self) -> None:
        """The head that is being split is not plain."""
        self._plain = False

    def match(self, buffer: bytes) -> re.Match[bytes] | None:
        """The head that ``buffer`` starts with (method, target and minor version are its groups),
        if the grammar and the limits allow it."""
        match = _HEAD.match(buffer)
        if match is None or match.end() > self._max_size:
            return None
        if match.group().count(b"\r\n") - 2 > self._max_fields:
            return None
        return match

    def split(self, head: bytes) -> bool:
        """Call :meth:`on_header` for each field of ``head``; whether it is plain."""
        self._plain, self._reusable = True, False
        try:
            self._parser.feed_data(head)
        except HttpParserUpgrade:
            self._reusable = False
        except HttpParserError:
            self._plain = False
        if not self._reusable:
            # It waits for a body that it will not get, or for the connection to end.
            self._parser = HttpRequestParser(self)
        return self._plain
