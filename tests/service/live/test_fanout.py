"""Notices between processes, over a real PostgreSQL and a real NATS server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import gevent
import psycopg2
import pytest
from gevent.event import Event

from service.chat.fanout.backend import Fanout
from service.chat.fanout.nats import NatsFanout
from service.chat.fanout.notices import (
    JoinedRoom,
    LogGrew,
    Notice,
    Presence,
    ReadUpTo,
    SessionRevoked,
    Typing,
    decode,
    encode,
)
from service.chat.fanout.postgres import PostgresFanout
from service.chat.models import User
from tests.tools.nats import NatsServer, nats_cluster

EACH: list[Notice] = [
    LogGrew(1, 2),
    JoinedRoom(3),
    SessionRevoked(3, b"\x00\xff" * 16),
    ReadUpTo(1, 2, 3),
    Typing(1, User(7, "ada", "Ada 👍")),
    Presence(7, True, (1, 2)),
]


class Heard:
    """What one process hears."""

    def __init__(self, fanout: Fanout) -> None:
        self.notices: list[Notice] = []
        self.recovered = 0
        self._changed = Event()
        fanout.listen(self._receive, self._recover)

    def _receive(self, notices: list[Notice]) -> None:
        self.notices += notices
        self._changed.set()

    def _recover(self) -> None:
        self.recovered += 1
        self._changed.set()

    def wait_until(self, notices: set[Notice], recovered: int = 1) -> None:
        with gevent.Timeout(15, AssertionError(f"heard only {self.notices}, {self.recovered}")):
            while self.recovered < recovered or not notices <= set(self.notices):
                self._changed.clear()
                self._changed.wait()


@contextmanager
def closing(*fanouts: Fanout) -> Iterator[None]:
    try:
        yield
    finally:
        for fanout in fanouts:
            fanout.close()


@pytest.fixture
def nats() -> Iterator[NatsServer]:
    with nats_cluster(1) as (server,):
        yield server


def test_every_notice_survives_the_way() -> None:
    """What is written is what is read, in texts that keep the limit."""
    texts = list(encode(EACH * 100, limit=500))
    assert max(map(len, texts)) <= 500
    assert [notice for text in texts for notice in decode(text)] == EACH * 100


def test_a_notice_beyond_the_limit_is_left_out() -> None:
    """One that cannot be carried does not take the others with it."""
    large = Presence(1, True, tuple(range(1000)))
    assert [decode(text) for text in encode([JoinedRoom(1), large, JoinedRoom(2)], 200)] == [
        [JoinedRoom(1), JoinedRoom(2)]
    ]


def test_postgres_carries_notices(database_url: str) -> None:
    """Between two processes, and of many hints for one room at least the last."""
    one, two = PostgresFanout(database_url), PostgresFanout(database_url)
    with closing(one, two):
        heard = Heard(two)
        heard.wait_until(set())
        for notice in EACH:
            one.publish(notice)
        for seq in range(100):
            one.publish(LogGrew(5, seq))
        heard.wait_until({*EACH, LogGrew(5, 99)})
        assert len(heard.notices) < 50


def test_postgres_listens_again_after_its_connections_were_ended(database_url: str) -> None:
    """Both connections are made anew, and the listener says that it may have missed something."""
    one, two = PostgresFanout(database_url), PostgresFanout(database_url)
    with closing(one, two):
        heard = Heard(two)
        one.publish(JoinedRoom(1))
        heard.wait_until({JoinedRoom(1)})
        admin = psycopg2.connect(database_url)
        admin.autocommit = True
        admin.cursor().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        admin.close()
        heard.wait_until(set(), recovered=2)
        assert two.connected
        one.publish(JoinedRoom(2))  # finds its connection broken, and is lost
        one.publish(JoinedRoom(3))
        gevent.sleep(0.05)
        one.publish(JoinedRoom(4))
        heard.wait_until({JoinedRoom(4)})


def test_what_is_no_notice_is_ignored(database_url: str) -> None:
    """Somebody else's use of the channel ends nothing."""
    one = PostgresFanout(database_url)
    with closing(one):
        heard = Heard(one)
        heard.wait_until(set())
        admin = psycopg2.connect(database_url)
        admin.autocommit = True
        for payload in ("", "{}", '[["z",1]]', "not json"):
            admin.cursor().execute("SELECT pg_notify('colorless', %s)", (payload,))
        admin.close()
        one.publish(JoinedRoom(1))
        heard.wait_until({JoinedRoom(1)})
        assert heard.recovered == 1


@pytest.mark.parametrize("url", ["postgresql://nobody@127.0.0.1:1/none", "nats"])
def test_publishing_never_waits(url: str) -> None:
    """With nobody there to carry them, notices are taken at once and dropped beyond a limit."""
    fanout = NatsFanout("nats://127.0.0.1:1") if url == "nats" else PostgresFanout(url)
    switched: list[int] = []
    other = gevent.spawn(switched.append, 1)
    with closing(fanout):
        for number in range(20_000):
            fanout.publish(JoinedRoom(number))
        assert not switched, "publish let another green thread run, so it has waited"
        assert fanout._outgoing.dropped == 10_000
    other.join()


def test_nats_carries_notices(nats: NatsServer) -> None:
    """Between two processes; what one says it does not hear itself."""
    one, two = NatsFanout(nats.url), NatsFanout(nats.url)
    with closing(one, two):
        mine, heard = Heard(one), Heard(two)
        mine.wait_until(set())
        heard.wait_until(set())
        for notice in EACH:
            one.publish(notice)
        heard.wait_until(set(EACH))
        assert not mine.notices


def test_nats_is_found_again_after_a_crash(nats: NatsServer) -> None:
    """A server that is killed and started again is used again, without anybody's help."""
    one, two = NatsFanout(nats.url), NatsFanout(nats.url)
    with closing(one, two):
        both = [Heard(one), Heard(two)]
        for heard in both:
            heard.wait_until(set())
        nats.kill()
        wait_until_away(one, two)
        nats.start()
        for heard in both:
            heard.wait_until(set(), recovered=2)
        one.publish(JoinedRoom(1))
        both[1].wait_until({JoinedRoom(1)})


def test_a_silent_nats_server_is_noticed(nats: NatsServer) -> None:
    """A server that keeps the connection and answers nothing counts as away until it answers."""
    one = NatsFanout(nats.url)
    with closing(one):
        heard = Heard(one)
        heard.wait_until(set())
        nats.fall_silent()
        wait_until_away(one)
        nats.speak_again()
        heard.wait_until(set(), recovered=2)
        assert one.connected


def wait_until_away(*fanouts: Fanout) -> None:
    with gevent.Timeout(15):
        while any(fanout.connected for fanout in fanouts):
            gevent.sleep(0.02)
