"""Whoever stops waiting for a query also ends it in the server, and the pool stays whole."""

import random
import time

import gevent
import pytest
from psycopg2 import extensions

from colorless import DeadlineExceeded, fail_after, go
from colorless.postgres import ConnectionShared, Pool
from colorless.postgres import pool as pool_module
from tests.colorless.postgres.conftest import MakePool, Server, settle
from tests.tools.proxy import Proxy
from tests.tools.ticker import Ticker

SLEEPS = "state = 'active' AND query LIKE '%pg_sleep%'"


def sleep_long(pool: Pool) -> None:
    with pool.connection() as c:
        c.execute("SELECT pg_sleep(600)")


def test_a_deadline_ends_the_query_in_the_server(make_pool: MakePool, server: Server) -> None:
    """The caller goes on at its deadline, and the server stops working for it."""
    pool = make_pool()
    with pool.connection():
        pass  # so that the deadline hits the query and not the connecting
    with pytest.raises(DeadlineExceeded), fail_after(0.1):
        sleep_long(pool)
    server.wait_for(0, SLEEPS)
    settle(pool)
    assert pool.stats()["cancelled"] == 1
    assert pool.stats()["size"] == 0


def test_a_kill_ends_the_query_in_the_server(make_pool: MakePool, server: Server) -> None:
    """A green thread that is killed takes its query with it."""
    pool = make_pool()
    task = go(sleep_long, pool)
    server.wait_for(1, SLEEPS)
    task.kill()
    server.wait_for(0, SLEEPS)


def test_an_inherited_deadline_ends_the_query(make_pool: MakePool, server: Server) -> None:
    """Nothing is thrown into a task by its parent's deadline, but its query ends all the same."""
    pool = make_pool()
    with fail_after(0.1):
        task = go(sleep_long, pool)
    with pytest.raises(DeadlineExceeded):
        task.get()
    server.wait_for(0, SLEEPS)


def test_a_longer_block_does_not_extend_an_inherited_deadline(make_pool: MakePool) -> None:
    """The sooner of the two ends the query, though another green thread opened it."""
    pool = make_pool()

    def patient() -> None:
        with fail_after(600):
            sleep_long(pool)

    with fail_after(0.1):
        task = go(patient)
    with pytest.raises(DeadlineExceeded):
        task.get(timeout=5)


def test_a_query_after_the_deadline_does_not_start(make_pool: MakePool) -> None:
    """Time that is up is up, also for code that swallowed the first error."""
    pool = make_pool()
    with pool.connection() as c, pytest.raises(DeadlineExceeded), fail_after(0.01):
        try:
            gevent.sleep(1)
        except DeadlineExceeded:
            c.execute("SELECT 1")


def test_an_interrupted_transaction_is_rolled_back(make_pool: MakePool, server: Server) -> None:
    """Nothing of it is seen, and no session is left idle in a transaction."""
    server.ask("CREATE TABLE interrupted (n int)")
    pool = make_pool()
    with pytest.raises(DeadlineExceeded), fail_after(0.1), pool.transaction() as tx:
        tx.execute("INSERT INTO interrupted VALUES (1)")
        tx.execute("SELECT pg_sleep(600)")
    server.wait_for(0)
    assert server.ask("SELECT count(*) FROM interrupted") == [(0,)]
    server.ask("DROP TABLE interrupted")


def test_a_green_thread_that_outlives_the_block_is_stopped(
    make_pool: MakePool, server: Server
) -> None:
    """A connection is not given on while somebody still waits on it."""
    pool = make_pool()
    told = pytest.raises(ConnectionShared, match="Wait for the green thread")
    with told, pool.connection() as c:
        task = go(c.fetch_one, "SELECT pg_sleep(600)")
        server.wait_for(1, SLEEPS)
    with pytest.raises(ConnectionShared, match="Wait for the green thread"):
        task.get()
    server.wait_for(0)


def test_a_cancel_that_finds_no_server_gives_up(
    make_pool: MakePool, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its slot is free after a bounded time, and no other green thread noticed."""
    monkeypatch.setattr(pool_module, "CANCEL_TIMEOUT", 0.2)
    with Proxy.before(database_url) as proxy:
        pool = make_pool(proxy.dsn)
        with pytest.raises(DeadlineExceeded), fail_after(0.1), pool.connection() as c:
            proxy.swallow()
            c.execute("SELECT 1")
        with Ticker() as ticker:
            settle(pool)
        assert ticker.count > 3
        assert pool.stats()["size"] == 0
        assert pool.stats()["cancelled"] == 0


def test_many_cancels_at_once(make_pool: MakePool, server: Server) -> None:
    """A hundred users who stop at the same moment all take their queries with them."""
    pool = make_pool(max_size=100)
    tasks = [go(sleep_long, pool) for _ in range(100)]
    server.wait_for(100, SLEEPS)
    gevent.killall(tasks)
    server.wait_for(0, SLEEPS)
    settle(pool)
    assert pool.stats()["cancelled"] == 100


def test_interrupts_at_random_points_leave_the_pool_whole(
    make_pool: MakePool, server: Server
) -> None:
    """1,000 requests, most of them killed or timed out anywhere: all counts and answers hold."""
    seed = time.time_ns()
    dice = random.Random(seed)
    pool = make_pool(max_size=10, max_waiting=1000)
    server.ask("CREATE TABLE pairs (n int)")
    wrong: list[object] = []

    def request(number: int, seconds: float) -> None:
        with pool.connection() as c:
            answer = c.fetch_one("SELECT %s, pg_sleep(%s)", (number, seconds))
            if answer != (number, ""):
                wrong.append((number, answer))
        with pool.transaction() as tx:
            tx.execute("INSERT INTO pairs VALUES (%s)", (number,))
            tx.execute("SELECT pg_sleep(%s)", (seconds,))
            tx.execute("INSERT INTO pairs VALUES (%s)", (number,))

    def limited(number: int) -> None:
        try:
            with fail_after(dice.uniform(0, 0.1)):
                request(number, dice.uniform(0, 0.02))
        except DeadlineExceeded:
            pass

    for _ in range(10):
        tasks = [go(limited, number) for number in range(100)]
        for task in dice.sample(tasks, 30):
            gevent.sleep(dice.uniform(0, 0.002))
            task.kill(block=False)
        with gevent.Timeout(30):
            gevent.joinall(tasks, raise_error=True)

    settle(pool)
    stats = pool.stats()
    assert wrong == [], seed
    assert stats["discarded"] > 50, "the test must hit queries to mean anything"
    assert (stats["in_use"], stats["waiting"]) == (0, 0), seed
    assert stats["size"] == stats["idle"] <= 10, seed
    server.wait_for(stats["size"])
    assert server.count("state <> 'idle'") == 0, seed
    odd = "SELECT n FROM pairs GROUP BY n HAVING count(*) % 2 = 1"
    assert server.ask(odd) == [], seed
    for number in range(20):
        request(number, 0)
    assert wrong == [], seed
    server.ask("DROP TABLE pairs")


def test_a_libpq_that_cannot_cancel_is_refused(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the start, with what to install; not when the first deadline passes."""
    monkeypatch.setattr(extensions, "libpq_version", lambda: 160004)
    with pytest.raises(RuntimeError, match="psycopg2-binary"):
        make_pool()
