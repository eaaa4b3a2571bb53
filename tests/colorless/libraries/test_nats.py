"""nats-py, an async-only client, against a real nats-server."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gevent
import nats
import psycopg2
import pytest
from gevent.event import Event

from colorless.bridge import await_, iterate
from colorless.deadlines import DeadlineExceeded, fail_after


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    program = Path(sys.executable).with_name("nats-server")
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with subprocess.Popen(
        [program, "-a", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            gevent.sleep(0.01)
        yield f"nats://127.0.0.1:{port}"
        process.terminate()


@pytest.fixture
def client(server: str) -> Iterator[Any]:
    client = await_(nats.connect(server, allow_reconnect=False))
    yield client
    await_(client.close())


def test_requests_from_many_green_threads(client: Any) -> None:
    """One connection, twenty callers, and a handler that answers each."""

    async def answer(message: Any) -> None:
        await message.respond(message.data.upper())

    await_(client.subscribe("shout", cb=answer))

    def ask(number: int) -> bytes:
        return bytes(await_(client.request("shout", f"n{number}".encode(), timeout=30)).data)

    threads = [gevent.spawn(ask, number) for number in range(20)]
    gevent.joinall(threads, raise_error=True)
    assert [thread.get() for thread in threads] == [f"N{n}".encode() for n in range(20)]


def test_a_subscription_is_a_plain_iterator(client: Any) -> None:
    """Messages in order; closing the iterator ends it."""
    subscription = await_(client.subscribe("numbers"))

    def publish() -> None:
        for number in range(50):
            await_(client.publish("numbers", str(number).encode()))

    publisher = gevent.spawn(publish)
    with iterate(subscription.messages) as messages:
        assert [int(next(messages).data) for _ in range(50)] == list(range(50))
    publisher.join()


def test_a_handler_that_queries_with_psycopg2_does_not_block(
    client: Any, database_url: str
) -> None:
    """Synchronous SQL inside of the coroutine: the connection's heart-beat goes on meanwhile."""
    pinged_meanwhile = Event()

    async def count(message: Any) -> None:
        connection = psycopg2.connect(database_url)
        try:
            with connection.cursor() as cursor:
                cursor.execute("SELECT pg_sleep(0.05), 7")
                found = cursor.fetchone()
        finally:
            connection.close()
        assert found is not None
        assert pinged_meanwhile.is_set()
        await message.respond(str(found[1]).encode())

    def ping() -> None:
        await_(client.flush())
        pinged_meanwhile.set()

    await_(client.subscribe("count", cb=count))
    asking = gevent.spawn(await_, client.request("count", b"", timeout=10))
    gevent.sleep(0.01)
    pinging = gevent.spawn(ping)
    assert asking.get().data == b"7"
    pinging.join()


def test_a_deadline_ends_a_request_that_nobody_answers(client: Any) -> None:
    """Ours comes before the library's own timeout, and its connection survives."""

    async def silence(message: Any) -> None: ...

    await_(client.subscribe("silence", cb=silence))
    with pytest.raises(DeadlineExceeded), fail_after(0.02):
        await_(client.request("silence", b"", timeout=60))
    await_(client.flush())
    assert client.is_connected
