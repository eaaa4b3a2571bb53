"""What the short way for heads relies on in llhttp, and httptools does not promise."""

import pytest

from colorless.compat.httptools import HttpParserUpgrade, HttpRequestParser
from colorless.server.engine.head import HeadReader
from colorless.server.engine.settings import HeadLimits
from tests.colorless.server.colours import Colour, in_both_colours

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"
CLOSE = b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n"
UPGRADE = b"GET / HTTP/1.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n"


class Splitter(HeadReader):
    """Lists the fields, and counts the parsers that were needed."""

    def __init__(self) -> None:
        super().__init__(HeadLimits())
        self.fields: list[tuple[bytes, bytes]] = []
        self.parsers = {id(self._parser): self._parser}

    def on_header(self, name: bytes, value: bytes) -> None:
        self.fields.append((name, value))

    def split(self, head: bytes) -> bool:
        plain = super().split(head)
        self.parsers[id(self._parser)] = self._parser
        return plain


@pytest.mark.parametrize(
    "head, parsers",
    [
        (GET, 1),
        (CLOSE, 4),
        (UPGRADE, 4),
        (b"GET / HTTP/1.0\r\n\r\n", 4),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 1),
        (b"POST / HTTP/1.1\r\nContent-Length: 5\r\n\r\n", 4),
    ],
)
def test_a_finished_parser_never_reads_the_next_head(head: bytes, parsers: int) -> None:
    """A parser is used again after a message with which the connection goes on, and only then."""
    splitter = Splitter()
    for _ in range(3):
        assert splitter.split(head)
        splitter.fields.clear()
        assert splitter.split(GET)
        assert splitter.fields == [(b"Host", b"a")]
    assert len(splitter.parsers) == parsers


def test_an_upgrade_comes_after_the_end_of_the_message() -> None:
    """Otherwise a head that asks for one would look incomplete."""
    said: list[str] = []

    class Protocol:
        def on_message_complete(self) -> None:
            said.append("complete")

    with pytest.raises(HttpParserUpgrade):
        HttpRequestParser(Protocol()).feed_data(UPGRADE)
    assert said == ["complete"]


@in_both_colours
@pytest.mark.parametrize("head", [CLOSE, UPGRADE, b"GET / HTTP/1.0\r\n\r\n"])
def test_one_clients_end_sends_nobody_the_long_way(colour: Colour, head: bytes) -> None:
    """Whatever the last client said, the next one's plain request is read the short way."""
    with colour.serving(colour.doing(lambda: None)) as inside:
        reader = inside.speaker.service.reader
        plain: list[bool] = []
        split = reader.split

        def watched(data: bytes) -> bool:
            plain.append(split(data))
            return plain[-1]

        reader.split = watched
        for data in (head, GET, head, GET):
            client = inside.connect()
            client.send(data)
            client.answer()
        assert plain == [True] * 4
