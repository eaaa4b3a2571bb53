"""The leak check that runs after every test finds what it is there to find."""

import gevent
import pytest
from gevent.event import Event

from colorless.postgres import Pool
from tests.tools import leaks


def test_a_green_thread_that_waits_is_found() -> None:
    """One that still waits is found; one that ends by itself is not."""
    forever = Event()
    with leaks.watched() as found:
        gevent.spawn(gevent.sleep, 0.01)
        left = gevent.spawn(forever.wait)
        assert found() == [left]
        forever.set()
        assert found() == []


def test_what_was_there_before_is_not_found() -> None:
    """A green thread of a fixture is no leak of the test."""
    forever = Event()
    before = gevent.spawn(forever.wait)
    with leaks.watched() as found:
        assert found() == []
    forever.set()
    before.join()


@pytest.mark.parametrize("lend", [Pool.connection, Pool.transaction])
def test_a_borrowed_connection_is_found(postgres_url: str, lend: object) -> None:
    """A connection that was not given back is found, with the pool's figures."""
    pool = Pool(postgres_url)
    assert callable(lend)
    with leaks.watched() as found:
        with lend(pool):
            assert [pool["in_use"] for pool in found()] == [1]
        assert found() == []
    pool.close()
