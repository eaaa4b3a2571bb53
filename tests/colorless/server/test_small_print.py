"""What is easily overlooked in a message, in both colours where both have it."""

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from colorless.worker import Limits
from tests.colorless.server import asgi_inside
from tests.colorless.server.colours import Colour, in_both_colours
from tests.colorless.server.inside import serving, until

GET = b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"


def fail() -> None:
    raise ZeroDivisionError


@in_both_colours
@pytest.mark.parametrize(
    "head, status",
    [
        (b"HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", 500),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\nwith_underscore: a\r\n\r\n", 500),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"HEAD / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\n", 408),
    ],
)
def test_the_error_page_for_a_head_has_no_body(colour: Colour, head: bytes, status: int) -> None:
    """The application fails, the head is none, the body stalls: the fields of the page alone."""
    limits = Limits(stall_timeout=0.05)
    app = colour.doing(fail) if status != 408 else reading[colour.serving is serving]
    with colour.serving(app, limits) as inside:
        client = inside.connect()
        client.send(head)
        line, *fields = client.rest().split(b"\r\n")
    assert int(line.split()[1]) == status
    assert fields[-2:] == [b"", b""]
    assert any(field.startswith(b"Content-Length: 1") for field in fields)


def reads_wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
    return [environ["wsgi.input"].read()]


async def reads_asgi(scope: Any, receive: Any, send: Any) -> None:
    await receive()


reading = {True: reads_wsgi, False: reads_asgi}


@pytest.mark.parametrize(
    "field", [b"", b"Expect: 100-continue\r\n", b"Transfer-Encoding: chunked\r\n"]
)
def test_multithread_is_the_same_for_all_requests(field: bytes) -> None:
    """Whichever way a request is read, PEP 3333's wsgi.multithread says that others run beside."""
    told: list[object] = []

    def app(environ: Any, start_response: Any) -> Iterable[bytes]:
        told.append(environ["wsgi.multithread"])
        start_response("200 OK", [("Content-Length", "0")])
        return []

    with serving(app) as inside:
        inside.connect().send(b"GET / HTTP/1.1\r\nHost: a\r\n" + field + b"\r\n")
        until(lambda: told)
    assert told == [True]


def files(folder: Path) -> Iterable[tuple[Any, bytes]]:
    """Files as they may be given to wsgi.file_wrapper, and what is to be sent of them."""
    for content in (b"", b"hello"):
        path = folder / str(len(content))
        path.write_bytes(content)
        yield path.open("rb"), content
    at_its_end = (folder / "5").open("rb")
    at_its_end.seek(0, os.SEEK_END)
    yield at_its_end, b""
    without_a_size = Path("/proc/self/stat").open("rb")  # noqa: SIM115
    yield without_a_size, b"("
    reader, writer = os.pipe()
    os.write(writer, b"through a pipe")
    os.close(writer)
    yield os.fdopen(reader, "rb"), b"through a pipe"


def test_a_file_of_unknown_length_ends_once(tmp_path: Path) -> None:
    """An empty chunk is the end of a body: an empty file has one, and the connection goes on."""
    opened: list[Any] = []

    def app(environ: Any, start_response: Any) -> Any:
        start_response("200 OK", [])
        return environ["wsgi.file_wrapper"](opened[-1])

    with serving(app) as inside:
        client = inside.connect()
        for file, content in files(tmp_path):
            opened.append(file)
            client.send(GET)
            status, fields, body = client.answer()
            assert (status, fields["transfer-encoding"]) == (200, "chunked")
            assert content in body
            assert bool(content) == bool(body)


@in_both_colours
@pytest.mark.parametrize("size, served", [(1000, True), (20_000, False), (60_000, False)])
@pytest.mark.parametrize("where", ["first", "later", "last"])
def test_the_line_of_a_chunk_has_a_limit(
    colour: Colour, size: int, served: bool, where: str
) -> None:
    """However it arrives: as long as a field may be, some thousand bytes, and no more."""
    long = b";a=" + b"x" * size
    sizes = {"first": [long, b"", b""], "later": [b"", long, b""], "last": [b"", b"", long]}[where]
    body = b"".join(
        b"%d%b\r\n%b" % (count, extension, b"a\r\n" if count else b"\r\n")
        for count, extension in zip((1, 1, 0), sizes, strict=True)
    )
    read: list[bytes] = []

    def wsgi(environ: Any, start_response: Any) -> Iterable[bytes]:
        read.append(environ["wsgi.input"].read())
        start_response("200 OK", [("Content-Length", "0")])
        return []

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        got = await asgi_inside.body_of(receive)
        assert got is not None
        read.append(got)
        await asgi_inside.answer(send, b"")

    with colour.serving(wsgi if colour.serving is serving else asgi) as inside:
        client = inside.connect()
        client.send(b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n" + body)
        status = client.answer()[0]
        assert (status, read) == ((200, [b"aa"]) if served else (400, []))
        if served:
            client.send(GET)
            assert client.answer()[0] == 200
        else:
            assert client.rest() == b""
