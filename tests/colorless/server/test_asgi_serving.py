"""What a client and an ASGI application see of each other."""

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from contextvars import ContextVar
from typing import Any

import gevent
import pytest
from gunicorn.http.errors import InvalidChunkSize

from colorless.server.engine.drain import cut_off
from colorless.worker import Limits
from tests.colorless.server.asgi_inside import answer, body_of, serving
from tests.colorless.server.inside import until

GET = b"GET / HTTP/1.1\r\nHost: chat.example\r\n\r\n"
Scope = dict[str, Any]
Receive = Callable[[], Any]
Send = Callable[[Scope], Any]


async def hello(scope: Scope, receive: Receive, send: Send) -> None:
    await answer(send, b"hello", (b"content-type", b"text/plain"))


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    body = await body_of(receive)
    if body is not None:
        await answer(send, body)


def sending(*messages: Scope) -> Callable[..., Any]:
    """An application that sends just that."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    return app


def start(*headers: tuple[bytes, bytes], status: int = 200) -> Scope:
    return {"type": "http.response.start", "status": status, "headers": headers}


def piece(body: bytes, more: bool = False) -> Scope:
    return {"type": "http.response.body", "body": body, "more_body": more}


def test_a_connection_is_kept_and_pipelined_requests_are_answered_in_order() -> None:
    """Several requests in one packet get their answers, and then another one does."""
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        await answer(send, scope["path"].encode())

    with serving(app) as inside:
        client = inside.connect()
        paths = [b"/%d" % number for number in range(5)]
        client.send(b"".join(b"GET %b HTTP/1.1\r\n\r\n" % path for path in paths))
        assert [client.answer()[2] for _ in paths] == paths
        client.send(GET)
        assert client.answer()[2] == b"/"


@pytest.mark.parametrize(
    "head, connection",
    [
        (b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n", "close"),
        (b"GET / HTTP/1.0\r\n\r\n", "close"),
        (b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", "keep-alive"),
        (b"GET / HTTP/1.1\r\n\r\n", None),
    ],
)
def test_the_client_decides_whether_it_is_kept(head: bytes, connection: str | None) -> None:
    """`Connection` and the version say whether there is another request."""
    with serving(hello) as inside:
        client = inside.connect()
        client.send(head)
        status, fields, body = client.answer()
        assert (status, body, fields.get("connection")) == (200, b"hello", connection)
        if connection == "close":
            assert client.rest() == b""


def test_the_scope_is_complete() -> None:
    """Every field of an ASGI 3 HTTP scope is there and says what was asked and by whom."""
    scopes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await answer(send, b"")

    with serving(app, root_path="/api") as inside:
        inside.worker.state["db"] = "pool"
        inside.exchange(
            b"GET /caf%C3%A9/x?q=1&r=%20 HTTP/1.1\r\nHost: chat.example\r\n"
            b"X-Two: a\r\nX-two:  b \r\nX_Under: c\r\n\r\n"
        )
    (scope,) = scopes
    assert scope.pop("asgi") == {"version": "3.0", "spec_version": "2.4"}
    assert scope == {
        "type": "http",
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/café/x",
        "raw_path": b"/caf%C3%A9/x",
        "query_string": b"q=1&r=%20",
        "root_path": "/api",
        "headers": [(b"host", b"chat.example"), (b"x-two", b"a"), (b"x-two", b"b")],
        "client": ("192.0.2.1", 4711),
        "server": ("192.0.2.2", 80),
        "state": {"db": "pool"},
        "extensions": {},
    }


def test_a_request_cannot_change_the_next_ones_state_or_context() -> None:
    """`scope["state"]` is a copy, and a ContextVar that one request sets the next does not see."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")
    seen = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append((variable.get(), dict(scope["state"])))
        variable.set("set")
        scope["state"]["own"] = 1
        await answer(send, b"")

    with serving(app) as inside:
        client = inside.connect()
        for _ in range(2):
            client.send(GET)
            client.answer()
    assert seen == [("unset", {}), ("unset", {})]


@pytest.mark.parametrize(
    "peer, scheme", [(("127.0.0.1", 1), b"https"), (("192.0.2.9", 1), b"http"), ("", b"https")]
)
def test_only_a_trusted_proxy_sets_the_scheme(peer: Any, scheme: bytes) -> None:
    """forwarded_allow_ips decides who may say that the client used TLS."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, scope["scheme"].encode())

    with serving(app) as inside:
        client = inside.connect(peer)
        client.send(b"GET / HTTP/1.1\r\nHost: x\r\nX-Forwarded-Proto: https\r\n\r\n")
        assert client.answer()[2] == scheme


@pytest.mark.parametrize("size", [0, 10, 100_000, 3_000_000])
def test_a_body_of_known_length_arrives(size: int) -> None:
    """A body reaches the application whole, whether it came with the head or after it."""
    body = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    with serving(echo) as inside:
        client = inside.connect()
        head = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size
        sender = gevent.spawn(client.send, head + body + GET)
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


def test_a_chunk_that_is_none_is_answered_with_400() -> None:
    """A chunked body that cannot be read ends the request and the connection."""
    with serving(echo) as inside:
        client = inside.connect()
        client.send(b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n" + GET)
        assert client.answer()[0] == 400
        assert client.rest() == b""


def test_nothing_is_taken_for_a_request_behind_a_body_that_cannot_be_read() -> None:
    """An application that reads on after such an error, and answers, ends the connection."""
    seen = []

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["path"])
        for _ in range(3):
            with suppress(InvalidChunkSize):
                await receive()
        await answer(send, b"")

    with serving(stubborn) as inside:
        client = inside.connect()
        client.send(b"POST /a HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nnone\r\n" + GET)
        assert client.answer()[1]["connection"] == "close"
        assert client.rest() == b""
    assert seen == ["/a"]


def test_a_body_is_asked_for_before_it_is_sent() -> None:
    """`Expect: 100-continue` is answered when the application reads, and only then."""
    head = b"POST / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n"
    with serving(echo) as inside:
        client = inside.connect()
        client.send(head)
        assert client.answer()[0] == 100
        client.send(b"ab")
        assert client.answer()[2] == b"ab"
    with serving(hello) as inside:
        client = inside.connect()
        client.send(head)
        status, fields, _ = client.answer()
        assert (status, fields["connection"]) == (200, "close")


def test_a_body_that_nobody_reads_ends_the_connection() -> None:
    """Where the next request starts is not known, so there is none."""
    with serving(hello) as inside:
        client = inside.connect()
        client.send(b"POST / HTTP/1.1\r\nContent-Length: 1000000\r\n\r\nx")
        assert client.answer()[1]["connection"] == "close"


def test_a_client_that_stalls_gets_408() -> None:
    """A body that does not come is waited for as long as the limits say."""
    with serving(echo, Limits(stall_timeout=0.05)) as inside:
        status, _, _ = inside.exchange(b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx")
        assert status == 408


@pytest.mark.parametrize("method", ["HEAD", "GET"])
def test_head_gets_the_fields_and_no_body(method: str) -> None:
    """HEAD gets what GET gets, the length too, without the body."""
    with serving(hello) as inside:
        client = inside.connect()
        client.send(method.encode() + b" / HTTP/1.1\r\n\r\n")
        status, fields, body = client.answer(method)
        assert (status, fields["content-length"]) == (200, "5")
        assert body == (b"" if method == "HEAD" else b"hello")
        client.send(GET)
        assert client.answer()[2] == b"hello"


@pytest.mark.parametrize("status", [204, 304])
def test_some_responses_have_no_body(status: int) -> None:
    """204 and 304 end with their head, whatever the application sends."""
    with serving(sending(start(status=status), piece(b"ignored"))) as inside:
        client = inside.connect()
        for _ in range(2):
            client.send(GET)
            got, fields, _ = client.answer()
            assert got == status
            assert "transfer-encoding" not in fields
            assert status != 204 or "content-length" not in fields


def test_a_response_without_a_length_is_chunked() -> None:
    """Each piece is a chunk; over HTTP/1.0 the end of the connection is the end."""
    app = sending(start(), piece(b"one ", True), piece(b"", True), piece(b"two"))
    with serving(app) as inside:
        client = inside.connect()
        client.send(GET)
        _, fields, body = client.answer()
        assert (fields["transfer-encoding"], body) == ("chunked", b"one two")
        client.send(b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
        _, fields, body = client.answer()
        assert (fields["connection"], body) == ("close", b"one two")


def test_the_head_of_a_stream_does_not_wait_for_its_first_piece() -> None:
    """A client that opens a stream learns at once that it is open."""
    with serving(endless) as inside:
        client = inside.connect()
        client.send(GET)
        assert client.file.readline() == b"HTTP/1.1 200 OK\r\n"


async def endless(scope: Scope, receive: Receive, send: Send) -> None:
    await send(start())
    await asyncio.Event().wait()


def test_the_applications_own_fields_win() -> None:
    """Date, Server and Connection are sent once, as the application has them."""
    fields = [(b"server", b"own"), (b"date", b"today"), (b"connection", b"close")]
    with serving(sending(start(*fields), piece(b""))) as inside:
        client = inside.connect()
        client.send(GET)
        text = client.rest().lower()
        for name, value in fields:
            assert text.count(name + b": ") == 1
            assert name + b": " + value in text


def test_early_hints_come_first() -> None:
    """`http.response.informational` is sent before the response."""
    early = {"type": "http.response.informational", "status": 103, "headers": [(b"link", b"</a>")]}
    with serving(sending(early, start((b"content-length", b"0")), piece(b""))) as inside:
        client = inside.connect()
        client.send(GET)
        assert client.answer()[:2] == (103, {"link": "</a>"})
        assert client.answer()[0] == 200


LENGTH_5 = (b"content-length", b"5")


@pytest.mark.parametrize(
    "messages, complaint",
    [
        ([], "returned without its response"),
        ([start(LENGTH_5)], "returned in the middle of its response"),
        ([piece(b"x")], "before http.response.start"),
        ([start(LENGTH_5), start()], "a second time"),
        ([start(LENGTH_5), piece(b"123456")], "more than its Content-Length of 5"),
        ([start(LENGTH_5), piece(b"1234")], "less than its Content-Length of 5"),
        ([start((b"a\r\nb", b""))], "InvalidResponseHeaderName"),
        ([start((b"a", b"b\r\nc"))], "InvalidResponseHeader"),
        ([{"type": "http.surprise"}], "http.surprise"),
    ],
)
def test_an_application_that_breaks_the_rules_is_told_so(
    messages: list[Scope], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Nothing of a response has left: the client gets 500, the log says what was wrong."""
    with serving(sending(*messages)) as inside:
        with caplog.at_level("ERROR", "gunicorn.error"):
            inside.worker.log.error_log.propagate = True
            client = inside.connect()
            client.send(GET)
            assert client.answer()[0] == 500
            assert client.rest() == b""
        assert complaint in caplog.text


@pytest.mark.parametrize(
    "messages, complaint",
    [
        ([start(), piece(b"x", True)], "returned in the middle of its response"),
        ([start(LENGTH_5), piece(b"12345"), piece(b"x")], "after its response was complete"),
    ],
)
def test_what_comes_too_late_for_an_answer_is_logged(
    messages: list[Scope], complaint: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A response that has begun cannot become a 500."""
    with serving(sending(*messages)) as inside, caplog.at_level("ERROR", "gunicorn.error"):
        inside.worker.log.error_log.propagate = True
        client = inside.connect()
        client.send(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n")
        assert client.rest().startswith(b"HTTP/1.1 200 OK")
        until(lambda: complaint in caplog.text)


def test_work_after_the_response_does_not_hold_up_the_next_request() -> None:
    """The connection is free as soon as the response is complete."""
    release = asyncio.Event()
    ended = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, scope["path"].encode())
        assert (await receive())["type"] == "http.disconnect"
        if scope["path"] == "/first":
            await release.wait()
        else:
            release.set()
        ended.append(scope["path"])

    with serving(app) as inside:
        client = inside.connect()
        client.send(b"GET /first HTTP/1.1\r\n\r\n")
        assert client.answer()[2] == b"/first"
        client.send(b"GET /second HTTP/1.1\r\n\r\n")
        assert client.answer()[2] == b"/second"
        until(lambda: ended == ["/second", "/first"])


def test_an_application_learns_that_its_client_has_gone() -> None:
    """receive() says http.disconnect, and send() raises OSError where bytes cannot go out."""
    learned: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        learned.append((await receive())["type"])
        try:
            await send(start())
            while True:
                await send(piece(b"x" * 100_000, True))
        except OSError as error:
            learned.append(type(error).__name__)
            raise

    with serving(app) as inside:
        client = inside.connect()
        client.send(GET)
        until(lambda: inside.server.admission.running)
        client.close()
        until(lambda: len(learned) == 2)
        assert learned == ["http.disconnect", "Disconnected"]
        until(lambda: not inside.server.connections)


def test_a_request_without_a_client_is_cancelled_in_the_end() -> None:
    """asgi_disconnect_grace_period bounds it, in an await and in a synchronous call alike."""
    cancelled = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            if scope["path"] == "/sync":
                time.sleep(60)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cancelled.append(scope["path"])
            raise

    with serving(app, asgi_disconnect_grace_period=0) as inside:
        for path in (b"/sync", b"/async"):
            client = inside.connect()
            client.send(b"GET %b HTTP/1.1\r\n\r\n" % path)
            until(lambda: inside.server.admission.running)
            client.close()
            until(lambda: not inside.server.admission.running)
        assert cancelled == ["/sync", "/async"]


def test_send_waits_for_a_client_that_does_not_read() -> None:
    """What the application may send ahead of its client is bounded, and others go on."""
    sent = [0]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/":
            await answer(send, b"meanwhile")
            return
        await send(start())
        for _ in range(100):
            await send(piece(b"x" * 100_000, True))
            sent[0] += 1
        await send(piece(b""))

    with serving(app) as inside:
        slow = inside.connect()
        slow.send(b"GET /big HTTP/1.1\r\n\r\n")
        until(lambda: sent[0])
        for _ in range(3):
            assert inside.exchange(GET)[2] == b"meanwhile"
        assert sent[0] < 100
        assert len(slow.answer()[2]) == 10_000_000


def test_no_more_requests_run_at_once_than_configured() -> None:
    """worker_connections bounds the calls; the others wait for their turn."""
    running, most = [0], [0]
    go = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        running[0] += 1
        most[0] = max(most[0], running[0])
        await go.wait()
        running[0] -= 1
        await answer(send, b"")

    with serving(app, worker_connections=2) as inside:
        clients = [inside.connect() for _ in range(5)]
        for client in clients:
            client.send(GET)
        until(lambda: running[0] == 2 and inside.server.load == 5)
        inside.speaker.service.loop.call_soon(go.set)
        assert [client.answer()[0] for client in clients] == [200] * 5
        assert most[0] == 2


def test_the_end_of_the_worker_cancels_each_call_once() -> None:
    """At the end what waits for its client and what goes on behind its response are cancelled, and
    their clean-up is not."""
    cancelled: list[int] = []
    waiting = [0]

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/behind":
            await answer(send, b"")
        waiting[0] += 1
        try:
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            cancelled.append(task.cancelling())

    with serving(app) as inside:
        for path in (b"/behind", b"/before"):
            inside.connect().send(b"GET %b HTTP/1.1\r\nHost: x\r\n\r\n" % path)
        until(lambda: waiting[0] == 2)
        cut_off(inside.server, 5)
        assert cancelled == [1, 1]
