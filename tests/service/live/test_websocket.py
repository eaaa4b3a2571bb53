"""The WebSocket, with the ``websockets`` client against a real server."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import requests
from websockets.client import ClientProtocol
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.frames import Close, Frame
from websockets.uri import parse_uri

from tests.tools.people import Person, Town, serving
from tests.tools.server import Server


@pytest.fixture(scope="module")
def server(migrated_url: str) -> Iterator[Server]:
    settings = {"streams_per_user": 3, "stream_queue": 50_000, "allowed_origins": "https://a.test"}
    with serving(migrated_url, **settings) as server:
        yield server


@pytest.fixture
def ada(migrated_url: str, server: Server) -> Person:
    return Town(migrated_url).person(server.url)


@pytest.fixture
def bob(migrated_url: str, server: Server) -> Person:
    return Town(migrated_url).person(server.url)


def end_of(person: Person, *said: str | bytes) -> tuple[int, str]:
    """How the server ends a stream on which this is said."""
    with person.websocket() as stream:
        stream.next()
        with pytest.raises(ConnectionClosed) as closed:
            for each in said:
                stream.send(each)
            while True:
                stream.next()
    received = closed.value.rcvd
    assert received is not None, "no close frame came"
    return received.code, received.reason


def test_two_people_talk(ada: Person, bob: Person) -> None:
    """Messages, typing and read marks arrive; a ping is answered."""
    room = ada.makes_room(bob)
    with bob.websocket() as stream:
        assert stream.next() == {"type": "ready", "user_id": bob.id, "positions": {str(room): 2}}
        message = ada.sends(room, "hello")
        event = stream.next()
        assert (event["type"], event["seq"], event["message"]) == ("message.created", 3, message)
        assert event["actor"]["id"] == ada.id
        with ada.websocket() as other:
            other.next()
            stream.say({"type": "typing", "room_id": room})
            assert other.until("typing")[-1]["user"]["id"] == bob.id
        bob.must("PUT", f"/rooms/{room}/read", {"seq": 1})
        assert stream.until("read")[-1] == {"type": "read", "room_id": room, "seq": 1}
        stream.say({"type": "ping"})
        assert stream.until("pong")


def test_resuming(ada: Person) -> None:
    """The next stream starts where the client says."""
    room = ada.makes_room()
    for _ in range(3):
        ada.sends(room)
    with ada.websocket(resume=f"{room}-2") as stream:
        assert stream.next()["positions"] == {str(room): 2}
        assert [stream.next()["seq"] for _ in range(2)] == [3, 4]


def test_a_handshake_needs_a_token(ada: Person) -> None:
    """Without one, or with a wrong one, it is refused with a problem document."""
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Cookie": "stream_ticket=wrong"}):
        with (
            pytest.raises(InvalidStatus) as refused,
            ada.websocket(additional_headers=headers),
        ):
            pass
        assert refused.value.response.status_code == 401


def test_a_ticket_opens_streams_and_nothing_else(ada: Person) -> None:
    """The cookie is out of reach of scripts and other sites, and is no token."""
    answer = ada.call("POST", "/stream-tickets")
    cookie = answer.headers["Set-Cookie"]
    for property_ in ("HttpOnly", "SameSite=Strict", "Path=/v1"):
        assert property_ in cookie
    ticket = cookie.partition(";")[0]
    with ada.websocket(additional_headers={"Cookie": ticket}) as stream:
        assert stream.next()["user_id"] == ada.id
    headers = {"Cookie": ticket}
    assert requests.get(f"{ada.url}/v1/rooms", headers=headers, timeout=10).status_code == 401
    as_token = {"Authorization": "Bearer " + ticket.partition("=")[2]}
    assert requests.get(f"{ada.url}/v1/rooms", headers=as_token, timeout=10).status_code == 401


def test_pages_of_other_sites_are_refused(ada: Person) -> None:
    """Only this site, those that are listed, and programs that are no browser."""
    for origin in (ada.url, "https://a.test"):
        with ada.websocket(origin=origin) as stream:
            stream.next()
    with pytest.raises(InvalidStatus) as refused, ada.websocket(origin="https://evil.test"):
        pass
    assert refused.value.response.status_code == 403


def test_a_plain_request_is_told_to_upgrade(ada: Person) -> None:
    """GET /v1/stream without a WebSocket is 426."""
    answer = ada.call("GET", "/stream")
    assert (answer.status_code, answer.headers["Upgrade"]) == (426, "websocket")


def test_nonsense_is_refused_before_anything_else(ada: Person) -> None:
    """A position that cannot be read is 422."""
    with pytest.raises(InvalidStatus) as refused, ada.websocket(resume="all"):
        pass
    assert refused.value.response.status_code == 422


@pytest.mark.parametrize("said", ["nonsense", "[]", '{"type":"unknown"}', b"binary", "{}"])
def test_what_is_not_understood_ends_the_stream(ada: Person, said: str | bytes) -> None:
    """With a code that says so."""
    assert end_of(ada, said)[0] == 1003


def test_a_large_message_ends_the_stream(ada: Person) -> None:
    """In one frame, and in many small ones."""
    assert end_of(ada, "x" * 5000)[0] == 1009
    with ada.websocket() as stream:
        stream.next()
        with pytest.raises(ConnectionClosed) as closed:
            stream.send(["x" * 100] * 1000)
            stream.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code in (1008, 1009)


def test_a_flood_ends_the_stream(ada: Person) -> None:
    """A client that talks without end is told to stop; pings count too."""
    assert end_of(ada, *['{"type":"ping"}'] * 100) == (1008, "too many messages")


def test_there_is_no_compression(ada: Person) -> None:
    """Offered, it is not taken up, so a small frame stays small."""
    with ada.websocket(compression="deflate") as stream:
        assert not stream.connection.protocol.extensions


def test_frames_may_come_in_pieces(ada: Person) -> None:
    """A client whose bytes arrive one by one, and whose message is in two frames."""
    with ada.websocket() as stream:
        stream.next()
        stream.send(['{"type":', '"ping"}'])
        assert stream.next() == {"type": "pong"}


def test_logging_out_ends_the_streams_of_that_session(migrated_url: str, ada: Person) -> None:
    """At once, with a code that says not to come back."""
    with ada.websocket() as stream:
        stream.next()
        ada.must("DELETE", "/sessions/current")
        with pytest.raises(ConnectionClosed) as closed:
            stream.next()
        assert closed.value.rcvd is not None
        assert closed.value.rcvd.code == 1008


def test_streams_of_one_user_are_limited(ada: Person) -> None:
    """One more is 429, until one of them ends."""
    with ada.websocket(), ada.websocket(), ada.websocket() as third:
        third.next()
        with pytest.raises(InvalidStatus) as refused, ada.websocket():
            pass
        assert refused.value.response.status_code == 429
        assert "Retry-After" in refused.value.response.headers


def test_a_slow_reader_is_told_and_delays_nobody(ada: Person, bob: Person) -> None:
    """One that does not read gets 1013 when it has a queue's worth waiting; the others have had
    every message by then, and it can resume."""
    room = ada.makes_room(bob)
    with closing(SlowReader(bob)) as slow, ada.websocket() as quick:
        quick.next()
        for _ in range(200):
            number = ada.sends(room, "x" * 8000)["seq"]
            assert quick.next()["message_seq"] == number
        events, (code, _) = slow.rest()
        events = [event for event in events if event["type"] != "presence"]
    assert code == 1013
    last = events[-1]["seq"]
    assert [event["seq"] for event in events[1:]] == list(range(3, last + 1))
    with bob.websocket(resume=f"{room}-{last}") as again:
        assert again.next()["positions"] == {str(room): last}
        assert again.next()["seq"] == last + 1


class SlowReader:
    """A WebSocket that is opened and then not read: the kernel's buffers fill, then the queue."""

    def __init__(self, person: Person) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.connect(("127.0.0.1", int(person.url.rpartition(":")[2])))
        self._protocol = ClientProtocol(parse_uri(person.url.replace("http", "ws") + "/v1/stream"))
        request = self._protocol.connect()
        request.headers.update(person.authorization)
        self._protocol.send_request(request)
        self._socket.sendall(b"".join(self._protocol.data_to_send()))

    def rest(self) -> tuple[list[Any], tuple[int, str]]:
        """What it finds when it reads after all: the events, and how the stream ended."""
        while self._protocol.close_rcvd is None and (data := self._socket.recv(65536)):
            self._protocol.receive_data(data)
        frames = [event for event in self._protocol.events_received() if isinstance(event, Frame)]
        end = Close.parse(bytes(frames.pop().data))
        return [json.loads(bytes(frame.data)) for frame in frames], (end.code, end.reason)

    def close(self) -> None:
        self._socket.close()


def test_json_is_what_the_api_says(ada: Person) -> None:
    """The message in an event is the message of the API, field by field."""
    room = ada.makes_room()
    with ada.websocket() as stream:
        stream.next()
        sent = ada.sends(room, 'á 👍 \n"')
        assert stream.next()["message"] == sent == ada.must("GET", f"/rooms/{room}/messages/1")
        assert json.dumps(sent)
