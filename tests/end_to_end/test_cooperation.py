"""One worker, many queries: that they overlap is counted in the server, and never timed."""

import json
import random
import socket
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import pytest

from colorless.tasks import TaskGroup
from service.db.migrate import migrate
from tests.tools.fresh import output_of
from tests.tools.postgres import Sessions, holding
from tests.tools.server import Server, running
from tests.tools.walk import Visitor

ROOT = Path(__file__).parents[2]
AT_ONCE = 200
LOCK = "LOCK TABLE messages IN ACCESS EXCLUSIVE MODE"


@pytest.fixture(scope="module")
def url(database_url: str) -> str:
    """A database with the service's tables."""
    migrate(database_url)
    return database_url


@pytest.fixture(scope="module")
def worker(url: str) -> Iterator[Server]:
    """One worker process that may have 200 connections."""
    env = {
        "DATABASE_URL": url,
        "PORT": "0",
        "WORKERS": "1",
        "POOL_SIZE": str(AT_ONCE),
        "OUTSIDE_TASKS": "0",
        "LOG_LEVEL": "info",
    }
    command = ["gunicorn", "--config", str(ROOT / "gunicorn.conf.py")]
    with running(command, env=env, cwd=ROOT) as server:
        yield server


@pytest.fixture
def sessions(url: str) -> Iterator[Sessions]:
    """What the server says of its sessions."""
    sessions = Sessions(url)
    yield sessions
    sessions.close()


def pool_of(worker: Server) -> dict[str, int]:
    """The pool as the worker sees it."""
    with urllib.request.urlopen(f"{worker.url}/readyz", timeout=30) as answer:
        pool: dict[str, int] = json.load(answer)["pool"]
        return pool


def test_200_requests_wait_in_the_server_at_once(
    worker: Server, url: str, sessions: Sessions
) -> None:
    """Through one worker, 200 requests have a query in the server at the same moment; the process
    serves others meanwhile, and answers all of them in the end."""
    visitor = Visitor(worker.url)
    visitor.registers()
    room = visitor.makes_room()
    visitor.posts(room, "hello")
    with TaskGroup() as group:
        with holding(url, LOCK):
            requests = [group.go(visitor.reads, room) for _ in range(AT_ONCE)]
            sessions.until(AT_ONCE, "wait_event_type = 'Lock'", seconds=60)
            with urllib.request.urlopen(f"{worker.url}/livez", timeout=30) as answer:
                assert answer.status == 200
            assert not any(request.ready() for request in requests)
        answers = [request.get() for request in requests]
    assert answers == [["hello"]] * AT_ONCE
    assert pool_of(worker)["size"] == AT_ONCE


def test_a_read_ends_with_its_client_and_a_write_does_not(
    worker: Server, url: str, sessions: Sessions
) -> None:
    """The query of a reader who left is gone from the server; what a writer who left had sent is
    stored all the same."""
    visitor = Visitor(worker.url)
    visitor.registers()
    room = visitor.makes_room()

    def ask(request: str, body: str = "") -> socket.socket:
        client = socket.create_connection(("127.0.0.1", worker.port), timeout=30)
        head = (
            f"{request} HTTP/1.1",
            f"Host: 127.0.0.1:{worker.port}",
            f"Authorization: Bearer {visitor.token}",
            f"Content-Length: {len(body)}",
        )
        client.sendall("\r\n".join(head).encode() + b"\r\n\r\n" + body.encode())
        return client

    with holding(url, LOCK):
        reader = ask(f"GET {room}/messages")
        writer = ask(f"POST {room}/messages", json.dumps({"client_id": "1", "body": "stays"}))
        sessions.until_waiting(2)
        reader.close()
        writer.close()
        sessions.until_waiting(1)
    sessions.until(0, "state <> 'idle'")
    assert visitor.reads(room) == ["stays"]


def test_clients_that_hang_up_leave_no_trace(worker: Server, url: str, sessions: Sessions) -> None:
    """Hundreds of clients hang up at random points, before, inside and after their request. Then
    no connection is borrowed, nothing runs in the server, and the next answers are right."""
    chance = random.Random(2026)
    visitor = Visitor(worker.url)
    visitor.registers()
    room = visitor.makes_room()
    visitor.posts(room, "first")

    def hang_up(number: int) -> None:
        sent = json.dumps({"client_id": f"{number}", "body": "gone"}).encode()
        head = (
            f"POST {room}/messages HTTP/1.1",
            f"Host: 127.0.0.1:{worker.port}",
            f"Authorization: Bearer {visitor.token}",
            f"Content-Length: {len(sent)}",
        )
        request = "\r\n".join(head).encode() + b"\r\n\r\n" + sent
        with socket.create_connection(("127.0.0.1", worker.port), timeout=30) as client:
            cut = chance.choice((len(request), len(request), chance.randrange(len(request))))
            client.sendall(request[:cut])
            gevent.sleep(chance.random() * 0.05)

    for start in range(0, 500, 50):
        with TaskGroup() as group:
            for number in range(start, start + 50):
                group.go(hang_up, number)

    with gevent.Timeout(30, AssertionError(f"never settled: {pool_of(worker)}")):
        while True:
            pool = pool_of(worker)
            if pool["in_use"] == pool["cancelling"] == 0:
                break
            gevent.sleep(0.05)
    sessions.until(0, "state <> 'idle'")
    assert pool["size"] <= AT_ONCE
    history = everything(visitor, room)
    assert [message["seq"] for message in history] == list(range(1, len(history) + 1))
    assert len({message["client_id"] for message in history}) == len(history)
    visitor.posts(room, "last")
    assert visitor.reads(room)[-1] == "last"


def everything(visitor: Visitor, room: str) -> list[dict[str, Any]]:
    """The whole history, from the first message on."""
    found: list[dict[str, Any]] = []
    page: dict[str, Any] = {"has_after": True}
    while page["has_after"]:
        after = found[-1]["seq"] if found else 0
        page = visitor.must(200, "GET", f"{room}/messages?after={after}&limit=100")
        found += page["messages"]
    return found


TICKER_DECIDES = """
    from colorless.patch import patch_everything
    patch_everything()
    import gevent, psycopg2
    from service.app import create_app
    from service.settings import Settings
    from tests.tools.chat import sign_in

    app = create_app(Settings(database_url={url!r}, outside_tasks=0))
    ada = sign_in(app)
    room = ada.makes_room()
    ada.sends(room)
    holder = psycopg2.connect({url!r})
    holder.cursor().execute({lock!r})
    requests = [gevent.spawn({request}) for _ in range(10)]
    for tick in range(50):
        gevent.sleep(0.001)
        assert not any(request.ready() for request in requests)
    holder.rollback()
    print(*{{request.get().status_code for request in requests}})
"""


@pytest.mark.parametrize(
    "request_",
    [
        "ada.get, f'{room}/messages'",
        "ada.get, '/home'",
        "ada.call, 'GET', '/search?q=hello'",
        "ada.patch, f'{room}/messages/1', dict(body='x')",
    ],
)
def test_a_ticker_runs_beside_queries(url: str, request_: str) -> None:
    """In a fresh process the lock that requests wait for is given up by a ticker, after fifty
    ticks: were the process to wait with them, it would wait for ever."""
    code = TICKER_DECIDES.format(url=url, lock=LOCK, request=request_)
    assert output_of(code).splitlines()[-1] == "200"


def test_a_ticker_runs_beside_passwords(url: str) -> None:
    """In a fresh process a ticker gets its turn during each of the hashes of a login storm."""
    ticks = output_of("""
        from colorless.patch import patch_everything
        patch_everything()
        import gevent
        from service.chat.passwords import Passwords

        passwords = Passwords()
        seen = []
        storm = [gevent.spawn(passwords.hash, "correct horse") for _ in range(8)]
        ticks = 0
        while not all(hash.ready() for hash in storm):
            gevent.sleep(0)
            ticks += 1
        print(ticks)
    """)
    # On the hub there would be one turn for each hash; beside threads there are thousands.
    assert int(ticks) > 100
