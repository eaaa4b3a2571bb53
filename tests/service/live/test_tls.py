"""Streams over TLS, from the worker itself: a TLS socket cannot be parked as others are."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import trustme
from websockets.exceptions import ConnectionClosed

from tests.tools.people import Person, Town, serving
from tests.tools.server import Server

ca = trustme.CA()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With a certificate, its key, and the authority that clients trust."""
    made = tmp_path_factory.mktemp("tls")
    certificate = ca.issue_cert("127.0.0.1")
    certificate.private_key_pem.write_to_path(made / "key.pem")
    certificate.cert_chain_pems[0].write_to_path(made / "cert.pem")
    ca.cert_pem.write_to_path(made / "ca.pem")
    return made


@pytest.fixture(scope="module")
def server(migrated_url: str, folder: Path) -> Iterator[Server]:
    arguments = f"--certfile {folder}/cert.pem --keyfile {folder}/key.pem"
    settings = {"stream_queue": 300_000, "resume_events": 10_000}
    with serving(migrated_url, gunicorn_cmd_args=arguments, **settings) as server:
        yield server


@pytest.fixture
def ada(
    migrated_url: str, server: Server, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Person]:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(folder / "ca.pem"))
    person = Town(migrated_url).person(server.url)
    with person.session:
        yield person


@pytest.fixture
def trust(folder: Path) -> ssl.SSLContext:
    return ssl.create_default_context(cafile=str(folder / "ca.pem"))


def test_a_websocket_talks_both_ways(ada: Person, trust: ssl.SSLContext) -> None:
    """Events come, what the client says is heard, and closing is answered."""
    room = ada.makes_room()
    assert ada.url.startswith("https://")
    with ada.websocket(ssl=trust) as stream:
        assert stream.next()["type"] == "ready"
        for number in range(20):
            ada.sends(room, str(number))
            assert stream.next()["message"]["body"] == str(number)
            stream.say({"type": "ping"})
            assert stream.next()["type"] == "pong"
        connection = stream.connection
    assert (connection.close_code, connection.state.name) == (1000, "CLOSED")


def test_what_the_client_says_at_once_is_all_heard(ada: Person, trust: ssl.SSLContext) -> None:
    """Messages that share a TLS record or a packet do not wait for the next one."""
    with ada.websocket(ssl=trust) as stream:
        stream.next()
        for _ in range(30):
            stream.say({"type": "ping"})
        assert [stream.next()["type"] for _ in range(30)] == ["pong"] * 30


def test_server_sent_events_come_and_resume(ada: Person) -> None:
    """As without TLS: each event at once, and the next connection goes on behind the last."""
    room = ada.makes_room()
    with ada.events() as stream:
        stream.next()
        for number in range(5):
            ada.sends(room, str(number))
            assert stream.next()["message"]["body"] == str(number)
    ada.sends(room, "meanwhile")
    with ada.events(stream.last_event_id) as stream:
        stream.next()
        assert stream.next()["message"]["body"] == "meanwhile"


def test_more_than_a_socket_takes_at_once_arrives_whole(ada: Person, trust: ssl.SSLContext) -> None:
    """A megabyte of missed messages: what the kernel does not take is sent when it does."""
    room = ada.makes_room()
    for number in range(250):
        ada.sends(room, f"{number} " + "x" * 4000)
    with ada.websocket(resume=f"{room}-1", ssl=trust) as stream:
        stream.next()
        numbers = [stream.next()["message"]["body"].partition(" ")[0] for _ in range(250)]
    assert numbers == [str(number) for number in range(250)]
    with ada.events(f"{room}-1") as events:
        events.next()
        numbers = [events.next()["message"]["body"].partition(" ")[0] for _ in range(250)]
    assert numbers == [str(number) for number in range(250)]


def test_the_end_of_a_session_is_told_and_the_connection_closes_properly(
    ada: Person, trust: ssl.SSLContext
) -> None:
    """The reason, and then TLS's own farewell: without one a client takes the end for an attack."""
    with ada.websocket(ssl=trust) as stream, ada.events() as events:
        stream.next()
        events.next()
        ada.must("DELETE", "/sessions/current")
        with pytest.raises(ConnectionClosed) as closed:
            stream.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008
        assert events.next()["code"] == 1008
        with pytest.raises(EOFError):
            events.next()


def test_a_client_that_insists_on_the_farewell_gets_it(ada: Person, trust: ssl.SSLContext) -> None:
    """Most libraries overlook that it is missing; this client raises ``SSLEOFError`` then."""
    parts = urlsplit(ada.url)
    plain = socket.create_connection((parts.hostname, parts.port), timeout=20)
    with trust.wrap_socket(
        plain, server_hostname=parts.hostname, suppress_ragged_eofs=False
    ) as client:
        fields = {"Host": parts.netloc, "Accept": "text/event-stream", **ada.authorization}
        lines = ["GET /v1/events HTTP/1.1", *(f"{name}: {fields[name]}" for name in fields)]
        client.sendall("\r\n".join([*lines, "", ""]).encode())
        heard = b""
        while b"ready" not in heard:
            heard += client.recv(65536)
        ada.must("DELETE", "/sessions/current")
        while data := client.recv(65536):
            heard += data
    assert b"1008" in heard
