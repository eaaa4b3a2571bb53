"""From an answer's bytes to an :class:`Answer`; no I/O."""

from __future__ import annotations

from typing import NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from colorless.integrations.http.errors import BadAnswer, NoAnswer

# Bytes that may come without any of the body: a head, interim answers, trailers.
# Guessed: four times what gunicorn lets a client send.
MAX_OVERHEAD = 128 * 1024
# Lines of a head, interim answers included: joining the values of a repeated field takes quadratic
# time. Guessed: twice what http.client takes.
MAX_FIELDS = 200


class Answer(NamedTuple):
    """What a server answered: ``status``, ``headers`` and ``content``, the body.

    The names of ``headers`` are in lower case; the values of those that came more than once are
    joined by ``", "``.
    """

    status: int
    headers: dict[str, str]
    content: bytes


class ResponseReader:
    """Reads the answers that come on one connection, one after the other. llhttp calls ``on_…``."""

    def __init__(self) -> None:
        self._parser = HttpResponseParser(self)
        self.begin("GET", 0, truncate=False)

    def begin(self, method: str, max_bytes: int, *, truncate: bool) -> None:
        """Expect the answer to a ``method`` request, with a body of at most ``max_bytes`` bytes.

        A longer body is cut off with ``truncate``, and is a :class:`BadAnswer` without."""
        self._method = method
        self._max_bytes = max_bytes
        self._truncate = truncate
        self._status = 0
        self._headers: dict[str, str] = {}
        self._in_body = False
        self._body: list[bytes] = []
        self._size = 0
        self._overhead = 0
        self._fields = 0
        self.done = False
        self.reusable = False  # whether the connection may carry another exchange

    def feed(self, data: bytes) -> None:
        """Take what has arrived. Raises :class:`BadAnswer`."""
        self._overhead += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade) as error:
            self.reusable = False
            if not self.done:  # else it came behind the answer, and does not belong to it
                cause = error.__context__
                raise cause if isinstance(cause, BadAnswer) else BadAnswer(str(error)) from None
        if self._overhead > MAX_OVERHEAD and not self.done:
            raise BadAnswer(f"a head or trailers of more than {MAX_OVERHEAD} bytes")

    def end(self) -> None:
        """The server has closed the connection. That completes a body without a length; otherwise
        raises :class:`NoAnswer`."""
        framed = "content-length" in self._headers or "transfer-encoding" in self._headers
        if not self._in_body or framed:
            raise NoAnswer("the connection ended before the answer was whole")
        self.done, self.reusable = True, False

    def answer(self) -> Answer:
        """The answer that was read."""
        body = self._body
        content = body[0] if len(body) == 1 else b"".join(body)
        if self._size > self._max_bytes:
            content = content[: self._max_bytes]
        return Answer(self._status, self._headers, content)

    def on_message_begin(self) -> None:
        """The first byte of an answer."""
        if self.done:
            raise BadAnswer("more than was asked for")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A line of the head, or a trailer."""
        if self._in_body:
            return  # a trailer: ignored
        self._fields += 1
        if self._fields > MAX_FIELDS:
            raise BadAnswer(f"a head of more than {MAX_FIELDS} lines")
        key, text = name.decode("latin-1").lower(), value.decode("latin-1")
        known = self._headers.get(key)
        self._headers[key] = text if known is None else f"{known}, {text}"

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self._status = self._parser.get_status_code()
        if self._status < 200:
            return
        self._in_body = True
        if self._method == "HEAD" or (self._truncate and not self._max_bytes):
            self.done = True
        else:
            self.reusable = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        self._overhead = 0
        if self.done:
            return
        self._body.append(data)
        self._size += len(data)
        if self._truncate and self._size >= self._max_bytes:
            self.done, self.reusable = True, False
        elif self._size > self._max_bytes:
            raise BadAnswer(f"a body of more than {self._max_bytes} bytes")

    def on_message_complete(self) -> None:
        """The answer is whole, or an interim one is."""
        if self._in_body:
            self.done = True
        else:
            self._headers = {}  # they were of an interim answer; the final one comes next
