"""The server goes away and comes back: errors are clear and quick, and the pool heals itself."""

import gevent
import psycopg2
import pytest

from colorless import go
from colorless.postgres import ConnectTimeout, Pool, PoolTimeout
from service.db.embedded import EmbeddedPostgres
from tests.colorless.postgres.conftest import MakePool, Server
from tests.tools.proxy import Proxy


def answer(pool: Pool, number: int = 1) -> int:
    with pool.connection() as c:
        row = c.fetch_one("SELECT %s", (number,))
        assert row is not None
        return int(row[0])


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_a_restart_under_load(
    make_pool: MakePool, embedded_server: EmbeddedPostgres, database_url: str, mode: str
) -> None:
    """Callers get psycopg2's errors while it is away, right answers else, and all is well after."""
    pool = make_pool(max_size=5)
    stop = False
    answers, errors, wrong = 0, 0, 0

    def load(number: int) -> None:
        nonlocal answers, errors, wrong
        while not stop:
            try:
                wrong += answer(pool, number) != number
                answers += 1
            except (psycopg2.OperationalError, psycopg2.InterfaceError):
                errors += 1
                gevent.sleep(0.01)

    callers = [go(load, number) for number in range(20)]
    gevent.sleep(0.1)
    embedded_server.restart(mode)
    before = answers
    with gevent.Timeout(20):
        while answers < before + 100:
            gevent.sleep(0.01)
    stop = True
    gevent.joinall(callers, raise_error=True)
    assert errors > 0
    assert wrong == 0
    server = Server(database_url)
    server.wait_for(pool.stats()["size"])
    server.close()


def test_a_server_that_refuses_fails_fast(make_pool: MakePool, database_url: str) -> None:
    """Nobody waits for a server that says it is not there, and its return is noticed at once."""
    with Proxy.before(database_url) as proxy:
        pool = make_pool(proxy.dsn, max_size=2)
        assert answer(pool) == 1
        proxy.refuse()
        proxy.cut()
        errors = [go(answer, pool) for _ in range(20)]
        gevent.joinall(errors)
        assert {type(task.exception) for task in errors} == {psycopg2.OperationalError}
        assert pool.stats()["size"] == 0
        proxy.listen()
        assert answer(pool) == 1


def test_a_timeout_tells_why_no_connection_came(make_pool: MakePool, database_url: str) -> None:
    """Who waits behind a hopeless attempt to connect learns of the one before it."""
    with Proxy.before(database_url) as proxy:
        proxy.swallow()
        pool = make_pool(proxy.dsn, max_size=1, connect_timeout=0.2, timeout=0.3)
        first, second, third = go(answer, pool), go(answer, pool), go(answer, pool)
        gevent.joinall([first, second, third])
        assert isinstance(first.exception, ConnectTimeout)
        assert isinstance(second.exception, ConnectTimeout)
        assert isinstance(third.exception, PoolTimeout)
        assert "no answer from the server" in third.exception.__notes__[0]


def test_a_connection_cut_in_the_middle_of_a_query(make_pool: MakePool, database_url: str) -> None:
    """Its user gets an error at once; the next user gets a new connection."""
    with Proxy.before(database_url) as proxy:
        pool = make_pool(proxy.dsn)
        with pytest.raises(psycopg2.OperationalError), pool.connection() as c:
            gevent.spawn_later(0.05, proxy.cut)
            c.execute("SELECT pg_sleep(600)")
        assert pool.stats()["size"] == 0
        assert answer(pool) == 1


def test_an_idle_connection_behind_a_dead_route_is_found_out(
    make_pool: MakePool, database_url: str
) -> None:
    """The check has a time limit; then a new connection is tried, which has one too."""
    with Proxy.before(database_url) as proxy:
        pool = make_pool(proxy.dsn, check_after=0, connect_timeout=0.1)
        assert answer(pool) == 1
        proxy.swallow()
        with pytest.raises(psycopg2.OperationalError, match=r"0\.1 s"):
            answer(pool)
        proxy.swallow(False)
        assert answer(pool) == 1
