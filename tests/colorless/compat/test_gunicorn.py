"""gunicorn still calls what we override: a method that it renames fails here."""

import io
import signal
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http import message, unreader, wsgi
from gunicorn.workers.base import Worker

from colorless.compat import gunicorn
from colorless.compat.gunicorn import expects_continue, is_trusted
from colorless.server.engine.limits import Limits
from colorless.server.gunicorn.asgi import ASGIWorker
from colorless.server.gunicorn.settings import settings_of
from colorless.server.gunicorn.worker import EngineWorker
from colorless.server.request import Incoming, Request
from colorless.server.wsgi.response import Response
from tests.colorless.server.colours import Colour, in_both_colours

HEAD = b"POST / HTTP/1.1\r\nHost: a\r\nX_Y: z\r\n\r\n"


def recording(parent: type, name: str, calls: list[str]) -> type:
    """``parent`` with ``name`` overridden, as we do it: calls are listed."""

    def method(self: Any, *args: Any, **kwargs: Any) -> Any:
        calls.append(name)
        return getattr(parent, name)(self, *args, **kwargs)

    return type("Recording", (parent,), {name: method})


class Sink:
    """A socket that keeps what is sent."""

    def __init__(self) -> None:
        self.sent = b""

    def sendall(self, data: bytes) -> None:
        self.sent += data

    send = sendall


def request_for_response(method: str = "GET") -> Any:
    return SimpleNamespace(method=method, version=(1, 1), should_close=lambda: False)


def respond(response: Any) -> None:
    response.start_response("200 OK", [("X-A", "b")])
    response.write(b"hello")
    response.close()


@pytest.mark.parametrize("name", ["process_headers", "is_chunked", "send_headers"])
def test_gunicorns_response_calls_what_ours_overrides(name: str) -> None:
    """start_response() asks for the fields and the framing, write() and close() send the head."""
    calls: list[str] = []
    kind = recording(wsgi.Response, name, calls)
    respond(kind(request_for_response(), Sink(), Config()))
    assert calls
    assert name in vars(Response)


def test_gunicorns_response_writes_a_file_through_what_ours_overrides() -> None:
    """write_file() asks sendfile() or iterates by write(), sendfile() begins with
    send_headers()."""
    with Path(__file__).open("rb") as on_disk, io.BytesIO(b"hello") as in_memory:
        written = (("write", in_memory), ("send_headers", on_disk), ("sendfile", on_disk))
        for name, file in written:
            calls: list[str] = []
            kind = recording(wsgi.Response, name, calls)
            response = kind(request_for_response(), Sink(), Config())
            response.start_response("200 OK", [("Content-Length", "5")])
            response.sock.sendfile = lambda *args, **kwargs: None
            response.write_file(wsgi.FileWrapper(file))
            assert calls, name
            assert name in vars(Response)


def test_a_head_is_what_decides_whether_a_body_is_omitted() -> None:
    """The private names by which gunicorn drops a body are those that ours sets."""
    sink = Sink()
    response = gunicorn.Response(request_for_response(), sink, Config())
    response.start_response("200 OK", [("Content-Length", "5")])
    before = response.omits_body
    response.omit_body()
    assert (before, response.omits_body) == (False, True)
    response.write(b"hello")
    assert b"hello" not in sink.sent
    assert response.response_length == 5
    response.status_code = 204
    response.omit_body()
    assert response.response_length is None


def test_early_hints_go_out_before_the_response() -> None:
    """gunicorn's callback for them is made for a request, a socket and a response."""
    sink = Sink()
    gunicorn.Response(request_for_response(), sink, Config()).send_early_hints([("Link", "</a>")])
    assert sink.sent == b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"


def test_gunicorns_readers_draw_on_chunk() -> None:
    """Unreader.read() calls chunk(), which is where ours waits for the client."""
    calls: list[str] = []
    kind = recording(unreader.IterUnreader, "chunk", calls)
    assert kind([b"a"]).read() == b"a"
    assert calls
    assert "chunk" in vars(Incoming)


@in_both_colours
def test_the_parser_in_c_is_never_asked(colour: Colour, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever is installed, the long way is read by gunicorn's parser in Python."""

    asked: list[bool] = []

    def parse_request(*args: Any, **kwargs: Any) -> Any:
        asked.append(True)
        raise ValueError

    fast = SimpleNamespace(parse_request=parse_request)
    errors = ("IncompleteError", "LimitRequestLine", "LimitRequestHeaders", "InvalidRequestLine")
    for name in errors + tuple(vars(gunicorn.errors)):
        setattr(fast, name, ZeroDivisionError)
    monkeypatch.setattr(message, "_fast_parser_module", fast)
    monkeypatch.setattr(message, "_fast_parser_available", True)
    with suppress(Exception):
        message.Request(Config(), unreader.IterUnreader([HEAD]), ("192.0.2.1", 1))
    assert asked == [True], "gunicorn would ask it"
    with colour.serving(colour.doing(lambda: None)) as inside:
        data = b"GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"
        client = inside.connect()
        client.send(data)
        assert client.answer()[0] in (100, 200)
    assert asked == [True]


@pytest.mark.parametrize("said, expected", [(b"", False), (b"Expect: 100-Continue\r\n", True)])
def test_gunicorns_parser_knows_who_waits_for_a_continue(said: bytes, expected: bool) -> None:
    """The private flag is set by the field, whatever its case."""
    data = b"POST / HTTP/1.1\r\n" + said + b"Content-Length: 1\r\n\r\n"
    request = message.Request(Config(), unreader.IterUnreader([data]), "")
    assert expects_continue(request) is expected


@pytest.mark.parametrize(
    "peer, expected",
    [("", True), (("127.0.0.1", 1), True), (("192.0.2.1", 1), False), (("::1", 1, 0, 0), True)],
)
def test_trust_is_gunicorns(peer: Any, expected: bool) -> None:
    """The setting forwarded_allow_ips says who may tell the client's scheme."""
    assert is_trusted(peer, Config()) is expected


def test_a_request_of_the_short_way_shows_what_gunicorns_shows() -> None:
    """Each attribute that gunicorn's parser sets, hooks may read from ours too, or is its own."""
    own = {"limit_request_field_size", "limit_request_fields", "limit_request_line"}
    own |= {"max_buffer_headers", "unreader"}
    parsed = message.Request(Config(), unreader.IterUnreader([HEAD.replace(b"_", b"-")]), "")
    connection = SimpleNamespace(peer="", requests=1)
    request = Request(Config(), connection, "POST", "/?a#b", 1)  # type: ignore[arg-type]
    request.environ["wsgi.url_scheme"] = "http"
    public = {name for name in vars(parsed) if not name.startswith("_")} - own
    assert {name for name in public if not hasattr(request, name)} == set()


def test_the_limits_are_gunicorns() -> None:
    """What gunicorn's parser makes of its settings, 0 included, is what arriving heads are
    held to."""
    for line in (0, 100, 4094, 8190):
        for fields in (0, 10, 32768):
            for size in (0, 100, 20_000):
                cfg = Config()
                cfg.set("limit_request_line", line)
                cfg.set("limit_request_fields", fields)
                cfg.set("limit_request_field_size", size)
                cfg.set("http_parser", "python")
                parsed = message.Request(
                    cfg, unreader.IterUnreader([b"GET / HTTP/1.1\r\n\r\n"]), ""
                )
                ours = settings_of(cfg, Limits()).head
                assert parsed.limit_request_line in (ours.line, 0)
                assert parsed.limit_request_fields == ours.fields
                assert parsed.limit_request_field_size == ours.field


@pytest.mark.parametrize("name", ["init_process", "run", "notify", "handle_exit", "handle_quit"])
def test_a_worker_overrides_what_gunicorn_has(name: str) -> None:
    """A renamed method of the base class would leave ours uncalled."""
    assert hasattr(Worker, name)
    assert name in vars(EngineWorker)


@pytest.mark.parametrize("name", ["handle_exit", "handle_quit", "handle_usr1"])
def test_gunicorn_installs_our_signal_handlers(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """init_signals() hands over the methods by the names that ours have."""
    installed: list[Any] = []
    monkeypatch.setattr(signal, "signal", lambda number, handler: installed.append(handler))
    monkeypatch.setattr(signal, "siginterrupt", lambda *args: None)
    monkeypatch.setattr(signal, "set_wakeup_fd", lambda *args: None)
    worker = SimpleNamespace(SIGNALS=[], PIPE=(0, 1))
    for each in ("quit", "exit", "winch", "usr1", "abort"):
        setattr(worker, f"handle_{each}", f"handle_{each}")
    Worker.init_signals(worker)
    assert name in installed


def test_gunicorn_loads_an_application_where_ours_does() -> None:
    """init_process() calls load_wsgi() and run(), in this order, in a booted worker."""
    source = Worker.init_process.__code__.co_names
    assert source.index("load_wsgi") < source.index("run")
    assert "load_wsgi" in vars(ASGIWorker)
