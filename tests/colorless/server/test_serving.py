"""What a client sees of a request and its response."""

import io
import json
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import gevent
import pytest
from gunicorn.http.wsgi import FileWrapper

from colorless.worker import ClientDisconnected
from tests.colorless.server.inside import serving

Environ = dict[str, Any]
Start = Callable[..., Any]

GET = b"GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n"


def hello(environ: Environ, start_response: Start) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain"), ("Content-Length", "5")])
    return [b"hello"]


def echo(environ: Environ, start_response: Start) -> Iterable[bytes]:
    body = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def describe(environ: Environ, start_response: Start) -> Iterable[bytes]:
    told = {key: value for key, value in environ.items() if isinstance(value, str)}
    body = json.dumps(told).encode()
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


def test_a_connection_is_kept_for_the_next_request() -> None:
    """A response with a length leaves the connection open for another request."""
    with serving(hello) as inside:
        client = inside.connect()
        for _ in range(3):
            client.send(GET)
            status, fields, body = client.answer()
            assert (status, body) == (200, b"hello")
            assert fields["connection"] == "keep-alive"


@pytest.mark.parametrize(
    "head",
    [b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n"],
    ids=["asked for", "HTTP/1.0"],
)
def test_a_client_that_wants_no_more_is_not_kept(head: bytes) -> None:
    """The connection ends when the client said that it would."""
    with serving(hello) as inside:
        client = inside.connect()
        client.send(head)
        status, fields, body = client.answer()
        assert (status, fields["connection"], body) == (200, "close", b"hello")
        assert client.rest() == b""


def test_without_keepalive_each_connection_serves_one_request() -> None:
    """gunicorn's setting keepalive = 0 is honoured."""
    with serving(hello, keepalive=0) as inside:
        status, fields, _ = inside.exchange(GET)
        assert (status, fields["connection"]) == (200, "close")


def test_the_environ_says_what_was_asked_and_by_whom() -> None:
    """The WSGI environ carries the request line, the fields and both addresses."""
    with serving(describe) as inside:
        _, _, body = inside.exchange(
            b"GET /caf%C3%A9/x?q=1&r=%20 HTTP/1.1\r\nHost: chat.example\r\n"
            b"X-Two: a\r\nX-Two:  b \r\nContent-Type: text/plain\r\n\r\n"
        )
    environ = json.loads(body)
    expected = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/café/x".encode().decode("latin-1"),
        "QUERY_STRING": "q=1&r=%20",
        "RAW_URI": "/caf%C3%A9/x?q=1&r=%20",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "HTTP_HOST": "chat.example",
        "HTTP_X_TWO": "a,b",
        "CONTENT_TYPE": "text/plain",
        "REMOTE_ADDR": "192.0.2.1",
        "REMOTE_PORT": "4711",
        "SERVER_NAME": "192.0.2.2",
        "SERVER_PORT": "80",
        "SCRIPT_NAME": "",
        "wsgi.url_scheme": "http",
    }
    assert {key: environ.get(key) for key in expected} == expected


@pytest.mark.parametrize(
    "peer, scheme", [(("127.0.0.1", 1), "https"), (("192.0.2.9", 1), "http"), ("", "https")]
)
def test_only_a_trusted_proxy_sets_the_scheme(peer: Any, scheme: str) -> None:
    """forwarded_allow_ips decides who may say that the client used TLS."""
    with serving(describe) as inside:
        client = inside.connect(peer)
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n\r\n")
        assert json.loads(client.answer()[2])["wsgi.url_scheme"] == scheme


def test_a_field_with_an_underscore_does_not_reach_the_environ() -> None:
    """X_Real_Ip cannot pass for X-Real-Ip: header_map = drop is gunicorn's default."""
    with serving(describe) as inside:
        _, _, body = inside.exchange(b"GET / HTTP/1.1\r\nHost: x\r\nX_Real_Ip: 1.2.3.4\r\n\r\n")
        assert "HTTP_X_REAL_IP" not in json.loads(body)


@pytest.mark.parametrize("size", [0, 10, 100_000, 3_000_000])
def test_a_body_of_known_length_arrives(size: int) -> None:
    """A body reaches the application whole, whether it came with the head or after it."""
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with serving(echo) as inside:
        client = inside.connect()
        sender = gevent.spawn(
            client.send,
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + body + GET,
        )
        assert client.answer()[2] == body
        assert client.answer()[0] == 200
        sender.join()


def test_a_chunked_body_arrives_and_the_next_request_is_found() -> None:
    """Chunks, extensions and trailers are taken off; what follows is the next request."""
    chunked = b"5;a=b\r\nhello\r\n6\r\n world\r\n0\r\nX-Sum: 1\r\n\r\n"
    with serving(echo) as inside:
        client = inside.connect()
        client.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n" + chunked + GET)
        assert client.answer()[2] == b"hello world"
        assert client.answer()[0] == 200


def test_100_continue_is_sent_before_the_body() -> None:
    """A client that waits to be told may send its body."""
    with serving(echo) as inside:
        client = inside.connect()
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n")
        assert client.answer()[0] == 100
        client.send(b"ok")
        assert client.answer()[2] == b"ok"


def test_pipelined_requests_are_answered_in_order() -> None:
    """Requests sent together are all answered, first come first served."""
    heads = [b"GET /%d HTTP/1.1\r\nHost: x\r\n\r\n" % n for n in range(20)]
    with serving(describe) as inside:
        client = inside.connect()
        client.send(b"".join(heads))
        paths = [json.loads(client.answer()[2])["PATH_INFO"] for _ in heads]
        assert paths == [f"/{n}" for n in range(20)]


def test_head_has_no_body() -> None:
    """HEAD gets the fields of GET and nothing behind them."""
    with serving(hello) as inside:
        client = inside.connect()
        client.send(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + GET)
        status, fields, _ = client.answer("HEAD")
        assert (status, fields["content-length"]) == (200, "5")
        assert client.answer()[2] == b"hello"


def test_a_body_of_unknown_length_is_chunked() -> None:
    """A generator's pieces are sent as chunks, and the connection goes on."""

    def pieces(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"one"
        yield b""
        yield b"two"

    with serving(pieces) as inside:
        client = inside.connect()
        for _ in range(2):
            client.send(GET)
            _, fields, body = client.answer()
            assert (fields["transfer-encoding"], body) == ("chunked", b"onetwo")


def test_a_response_shorter_than_promised_ends_the_connection() -> None:
    """What follows a response that is too short cannot be taken for the rest of it."""

    def short(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "10")])
        return [b"short"]

    with serving(short) as inside:
        client = inside.connect()
        client.send(GET + GET)
        assert client.rest().endswith(b"\r\n\r\nshort")


def test_a_response_longer_than_promised_is_cut() -> None:
    """Bytes beyond the length cannot be taken for the next response."""

    def long(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "4")])
        return [b"long", b"er", b" than promised"]

    with serving(long) as inside:
        client = inside.connect()
        for _ in range(2):
            client.send(GET)
            assert client.answer()[2] == b"long"


@pytest.mark.parametrize("size", [0, 5, 2_000_000])
def test_a_file_is_sent_by_the_kernel(tmp_path: Path, size: int) -> None:
    """wsgi.file_wrapper sends the whole file."""
    path = tmp_path / "file"
    path.write_bytes(b"x" * size)

    def download(environ: Environ, start_response: Start) -> FileWrapper:
        start_response("200 OK", [("Content-Length", str(size))])
        return environ["wsgi.file_wrapper"](path.open("rb"))

    with serving(download) as inside:
        client = inside.connect()
        client.send(GET)
        assert client.answer()[2] == b"x" * size


def test_a_file_object_in_memory_is_sent_too() -> None:
    """wsgi.file_wrapper takes what has no file descriptor."""

    def download(environ: Environ, start_response: Start) -> FileWrapper:
        start_response("200 OK", [("Content-Length", "5")])
        return environ["wsgi.file_wrapper"](io.BytesIO(b"hello"))

    with serving(download) as inside:
        assert inside.exchange(GET)[2] == b"hello"


def test_an_unread_body_that_has_arrived_is_skipped() -> None:
    """The next request is found behind a body that the application did not read."""
    with serving(hello) as inside:
        client = inside.connect()
        client.send(
            b"POST / HTTP/1.1\r\nContent-Length: 20\r\n\r\n" + b"GET /smuggled HTTP/1" + GET
        )
        assert client.answer()[1]["connection"] == "keep-alive"
        assert client.answer()[0] == 200


def test_an_unread_body_that_has_not_arrived_ends_the_connection() -> None:
    """What comes later cannot be taken for a request."""
    with serving(hello) as inside:
        client = inside.connect()
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 100\r\n\r\nhalf")
        assert client.answer()[1]["connection"] == "close"
        client.send(GET)
        assert client.rest() == b""


def test_a_body_that_is_cut_short_is_not_passed_on() -> None:
    """Half a body never looks like a whole one."""
    bodies: list[bytes] = []
    errors: list[Exception] = []

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        try:
            bodies.append(environ["wsgi.input"].read())
        except ClientDisconnected as error:
            errors.append(error)
            raise
        return hello(environ, start_response)

    with serving(app) as inside:
        client = inside.connect()
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 10\r\n\r\nhalf")
        client.sock.shutdown(1)
        assert client.rest() == b""
    assert (bodies, len(errors)) == ([], 1)


@pytest.mark.parametrize("error", [RuntimeError, ConnectionRefusedError, StopIteration, SystemExit])
def test_an_application_error_is_answered_with_500(error: type[BaseException]) -> None:
    """An exception before the response is a 500, be it from a connection of the application's."""

    def broken(environ: Environ, start_response: Start) -> Iterable[bytes]:
        raise error("broken")

    with serving(broken) as inside:
        status, fields, _ = inside.exchange(GET)
        assert (status, fields["connection"]) == (500, "close")


def test_an_error_in_the_middle_of_a_response_cuts_it_off() -> None:
    """No 500 is written into a response that has begun."""

    def breaks(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"begun"
        raise RuntimeError("broken")

    with serving(breaks) as inside:
        client = inside.connect()
        client.send(GET)
        assert client.rest().endswith(b"5\r\nbegun\r\n")


def test_the_iterable_is_closed() -> None:
    """close() of what the application returned is called, as PEP 3333 demands."""
    closed = []

    class Body(list[bytes]):
        def close(self) -> None:
            closed.append(True)

    def app(environ: Environ, start_response: Start) -> Body:
        start_response("200 OK", [("Content-Length", "1")])
        return Body([b"x"])

    with serving(app) as inside:
        inside.exchange(GET)
        assert closed == [True]


def test_early_hints_are_sent_before_the_response() -> None:
    """wsgi.early_hints sends a 103 at once."""

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        environ["wsgi.early_hints"]([("Link", "</style.css>; rel=preload")])
        return hello(environ, start_response)

    with serving(app) as inside:
        client = inside.connect()
        client.send(GET)
        assert client.answer()[:2] == (103, {"link": "</style.css>; rel=preload"})
        assert client.answer()[0] == 200


@pytest.mark.parametrize(
    "fields", [[("Bad Name", "x")], [("X", "a\r\nSet-Cookie: stolen=1")], [("X", "ü€")]]
)
def test_an_invalid_response_field_is_not_sent(fields: list[tuple[str, str]]) -> None:
    """A response cannot be split by what an application puts into a field."""

    def app(environ: Environ, start_response: Start) -> Iterable[bytes]:
        start_response("200 OK", [*fields, ("Content-Length", "0")])
        return []

    with serving(app) as inside:
        assert inside.exchange(GET)[0] == 500


def test_hooks_see_the_request_and_the_response() -> None:
    """pre_request and post_request are called as under gunicorn's own workers."""
    seen: list[Any] = []

    def pre(worker: Any, request: Any) -> None:
        seen.append((request.method, request.path, ("HOST", "chat.example") in request.headers))

    def post(worker: Any, request: Any, environ: Environ, response: Any) -> None:
        seen.append((environ["PATH_INFO"], response.status, response.sent))

    with serving(hello, pre_request=pre, post_request=post) as inside:
        inside.exchange(GET)
    assert seen == [("GET", "/", True), ("/", "200 OK", 5)]
