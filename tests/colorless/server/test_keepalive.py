"""Whether a connection may have another request is decided once, and alike wherever it is asked."""

import json
from pathlib import Path
from typing import Any

import pytest
from gevent import socket

from colorless.server.engine.keepalive import keeps_alive
from colorless.server.request import GunicornRequest
from tests.colorless.server.colours import ASGI, WSGI, Colour, in_both_colours

CASES = json.loads(Path(__file__).with_name("corpus.json").read_text())
TRUSTED = ("127.0.0.1", 1)

# What the client says, in HTTP/1.0 and in HTTP/1.1, and whether the connection goes on.
SAID = {
    None: (False, True),
    "": (False, True),
    "close": (False, False),
    "Close": (False, False),
    "keep-alive": (True, True),
    "Keep-Alive , x": (True, True),
    "x, close": (False, False),
    "x,close": (False, False),
    "close, x": (False, False),
    "keep-alive, close": (False, False),
    "\tclose\t": (False, False),
    "closed": (False, True),
    "upgrade": (False, True),
}


@pytest.mark.parametrize("said, expected", SAID.items(), ids=map(repr, SAID))
def test_the_client_decides_by_its_options(said: str | None, expected: tuple[bool, bool]) -> None:
    """RFC 9112, section 9.3: by the options of ``Connection`` and, without one, by the version."""
    assert tuple(keeps_alive("GET", (1, minor), said) for minor in (0, 1)) == expected


@pytest.mark.parametrize("reason", ["wanted", "framed", "body_ends"])
def test_each_other_party_may_end_it(reason: str) -> None:
    """A server that wants no more, a response without an end, a body that was not read."""
    assert not keeps_alive("GET", (1, 1), "keep-alive", **{reason: False})


def test_behind_a_connect_nothing_is_a_request() -> None:
    """What follows it is a tunnel's."""
    assert not keeps_alive("CONNECT", (1, 1), "keep-alive")


def kept(
    colour: Colour, data: bytes, long_way: bool = False, **settings: Any
) -> list[tuple[bytes, bool]]:
    """For each answer to ``data``, its status, and whether it says that the connection goes on."""
    with colour.serving(colour.doing(lambda: None), **settings) as inside:
        if long_way:
            inside.speaker.service.reader.match = lambda buffer: None
        client = inside.connect(TRUSTED)
        client.send(data)
        client.sock.shutdown(socket.SHUT_WR)
        answers = client.rest().split(b"HTTP/1.")[1:]
        return [(each[2:5], b"connection: close" not in each.lower()) for each in answers]


@in_both_colours
@pytest.mark.parametrize("minor", [0, 1])
@pytest.mark.parametrize("said", SAID, ids=map(repr, SAID))
def test_both_ways_keep_the_same_connections(colour: Colour, minor: int, said: str | None) -> None:
    """Read the short way or by gunicorn's parser, a client gets what it asked for."""
    field = "" if said is None else f"Connection: {said}\r\n"
    request = f"GET / HTTP/1.{minor}\r\nHost: a\r\n{field}\r\n".encode("latin-1")
    expected = [True, True] if SAID[said][minor] else [False]
    for long_way in (False, True):
        assert [goes_on for _, goes_on in kept(colour, request * 2, long_way)] == expected


@pytest.mark.parametrize("case", [pytest.param(case, id=case["name"]) for case in CASES])
def test_the_corpus_is_kept_alike_by_both_ways_and_in_both_colours(case: dict[str, Any]) -> None:
    """Each stream of gunicorn's corpus has as many answers, kept or not, read either way."""
    data = case["data"].encode("latin-1")
    told = [
        kept(colour, data, long_way, **case["settings"])
        for colour in (WSGI, ASGI)
        for long_way in (False, True)
    ]
    assert told == [told[0]] * 4


def test_two_connection_fields_are_one_list() -> None:
    """gunicorn looks at the first one only; a proxy behind it may not."""
    request = GunicornRequest.__new__(GunicornRequest)
    request.headers = [("CONNECTION", "x"), ("HOST", "a"), ("CONNECTION", "close")]
    assert request.connection_field == "x,close"
