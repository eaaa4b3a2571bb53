"""Server-sent events, read as a stock ``EventSource`` reads them, against a real server."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest
import requests

from tests.tools.people import Person, Town, serving
from tests.tools.server import Server


@pytest.fixture(scope="module")
def server(migrated_url: str) -> Iterator[Server]:
    with serving(migrated_url, resume_events=10) as server:
        yield server


@pytest.fixture
def ada(migrated_url: str, server: Server) -> Person:
    return Town(migrated_url).person(server.url)


@pytest.fixture
def bob(migrated_url: str, server: Server) -> Person:
    return Town(migrated_url).person(server.url)


def test_events_arrive_with_positions_of_all_rooms(ada: Person) -> None:
    """The id of each event is where the client is in every room it has."""
    one, two = ada.makes_room(), ada.makes_room()
    with ada.events() as stream:
        assert stream.next()["positions"] == {str(one): 1, str(two): 1}
        assert set(stream.last_event_id.split(".")) == {f"{one}-1", f"{two}-1"}
        ada.sends(two)
        assert stream.next()["seq"] == 2
        assert set(stream.last_event_id.split(".")) == {f"{one}-1", f"{two}-2"}
        ada.sends(one)
        assert stream.next()["room_id"] == one
        assert set(stream.last_event_id.split(".")) == {f"{one}-2", f"{two}-2"}


def test_the_answer_is_what_a_browser_and_a_proxy_expect(ada: Person) -> None:
    """An event stream that nobody stores or buffers."""
    with ada.events() as stream:
        assert stream.answer.headers["Content-Type"] == "text/event-stream"
        assert stream.answer.headers["Cache-Control"] == "no-store"
        stream.next()
        assert stream.retry == 1000


def test_reconnecting_with_the_last_id_misses_nothing(ada: Person) -> None:
    """Whatever happened in whichever room meanwhile comes once; so does what follows."""
    one, two = ada.makes_room(), ada.makes_room()
    with ada.events() as stream:
        stream.next()
        ada.sends(one)
        stream.next()
    for room in (two, one, two):
        ada.sends(room)
    with ada.events(stream.last_event_id) as stream:
        events = [stream.next() for _ in range(4)]
        assert events[0]["positions"] == {str(one): 2, str(two): 1}
        numbers = [(event["room_id"], event["seq"]) for event in events[1:]]
        assert sorted(numbers) == [(one, 3), (two, 2), (two, 3)]
        ada.sends(one)
        assert stream.next()["seq"] == 4
        assert set(stream.last_event_id.split(".")) == {f"{one}-4", f"{two}-3"}


def test_the_middle_of_a_replay_is_a_position_too(ada: Person) -> None:
    """A client that breaks off while it catches up goes on exactly there."""
    room = ada.makes_room()
    for _ in range(6):
        ada.sends(room)
    with ada.events(f"{room}-1") as stream:
        stream.next()
        assert [stream.next()["seq"] for _ in range(3)] == [2, 3, 4]
    with ada.events(stream.last_event_id) as stream:
        stream.next()
        assert [stream.next()["seq"] for _ in range(3)] == [5, 6, 7]


def test_a_gap_moves_the_position(ada: Person) -> None:
    """After a gap the id is where the stream goes on, so the next reconnection has none."""
    room = ada.makes_room()
    for _ in range(20):
        ada.sends(room)
    with ada.events(f"{room}-1") as stream:
        assert stream.until("gap")[-1]["position"] == 21
        assert stream.last_event_id == f"{room}-21"


def test_without_a_token_there_is_no_stream(server: Server) -> None:
    """401 with a problem document: an ``EventSource`` stops, and its page logs in."""
    answer = requests.get(f"{server.url}/v1/events", timeout=10)
    assert answer.status_code == 401
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_an_id_that_is_none_of_ours_is_refused(ada: Person) -> None:
    """422, before a stream begins."""
    with ada.events("not-a-position") as stream:
        assert stream.answer.status_code == 422


def test_head_is_answered_and_ends(ada: Person) -> None:
    """A HEAD request gets the head of the answer and no stream."""
    answer = ada.call("HEAD", "/events")
    assert answer.headers["Content-Type"] == "text/event-stream"


def test_a_ticket_is_enough_and_logging_out_ends_it(ada: Person) -> None:
    """A browser's cookie opens the stream; when the session ends so does the stream, with the
    reason, and the cookie opens no other."""
    cookie = ada.call("POST", "/stream-tickets").headers["Set-Cookie"].partition(";")[0]
    with ada.events(Cookie=cookie) as stream:
        stream.next()
        ada.must("DELETE", "/sessions/current")
        assert stream.next() == {
            "type": "closing",
            "code": 1008,
            "reason": "your session has ended; log in again",
        }
        with pytest.raises(EOFError):
            stream.next()
    with ada.events(Cookie=cookie) as stream:
        assert stream.answer.status_code == 401


def test_a_draining_worker_sends_its_streams_elsewhere(migrated_url: str) -> None:
    """On SIGTERM streams of both kinds are told to reconnect and when; the worker then ends in
    good order, long before its grace is over."""
    with serving(migrated_url) as server:
        people = [Town(migrated_url).person(server.url) for _ in range(2)]
        with people[0].events() as events, people[1].websocket() as socket:
            events.next()
            socket.next()
            server.process.send_signal(signal.SIGTERM)
            assert events.until("closing")[-1]["code"] == 1012
            assert events.retry is not None
            assert 100 <= events.retry <= 1000
            with pytest.raises(Exception, match="1012"):
                while True:
                    socket.next()
        assert server.process.wait(15) == 0
        assert "Exception" not in server.output()


@pytest.mark.parametrize("worker_class", ["colorless.worker.WSGIWorker", "gevent"])
def test_both_workers_give_their_sockets_away(migrated_url: str, worker_class: str) -> None:
    """Streams work under this project's worker and under gunicorn's own."""
    with serving(migrated_url, worker_class=worker_class, graceful_timeout=2) as server:
        ada = Town(migrated_url).person(server.url)
        room = ada.makes_room()
        with ada.events() as events, ada.websocket() as socket:
            events.next()
            socket.next()
            ada.sends(room)
            assert events.next()["seq"] == socket.next()["seq"] == 2
        assert "Traceback" not in server.output()
