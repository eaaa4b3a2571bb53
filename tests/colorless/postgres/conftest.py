"""Pools on the module's own database, under each way to wait."""

from collections.abc import Callable, Iterator

import gevent
import psycopg2
import pytest

from colorless.postgres import Pool, wait_callback

MakePool = Callable[..., Pool]


@pytest.fixture(params=sorted(wait_callback.WAYS))
def way_to_wait(request: pytest.FixtureRequest) -> Iterator[str]:
    """Every test that uses a pool runs with our wait callback and with psycogreen's."""
    wait_callback.install(request.param)
    yield request.param
    wait_callback.install()


@pytest.fixture
def make_pool(database_url: str, way_to_wait: str) -> Iterator[MakePool]:
    """Makes pools; afterwards nothing may be borrowed, and all are closed."""
    pools: list[Pool] = []

    def make(dsn: str = database_url, **settings: object) -> Pool:
        pools.append(Pool(dsn, **settings))  # type: ignore[arg-type]
        return pools[-1]

    yield make
    for pool in pools:
        settle(pool)
        assert pool.stats()["in_use"] == 0
        pool.close()
        assert pool.stats()["size"] == 0


def settle(pool: Pool) -> None:
    """Wait until the pool has cancelled what was interrupted."""
    with gevent.Timeout(10):
        while pool.stats()["cancelling"]:
            gevent.sleep(0.005)


class Server:
    """A look at the database from outside any pool."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg2.connect(url)
        self._connection.autocommit = True

    def ask(self, sql: str, *params: object) -> list[tuple[object, ...]]:
        with self._connection.cursor() as cursor:
            cursor.execute(sql, params or None)
            return cursor.fetchall() if cursor.description else []

    def count(self, condition: str = "true") -> int:
        """How many other sessions of this database there are."""
        rows = self.ask(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            f" AND backend_type = 'client backend' AND pid <> pg_backend_pid() AND ({condition})"
        )
        return int(str(rows[0][0]))

    def wait_for(self, number: int, condition: str = "true") -> None:
        """Wait until that many other sessions meet the condition."""
        seen = -1
        try:
            with gevent.Timeout(10):
                while (seen := self.count(condition)) != number:
                    gevent.sleep(0.005)
        except gevent.Timeout:
            sessions = self.ask("SELECT pid, state, wait_event, query FROM pg_stat_activity")
            raise AssertionError(f"{seen} and not {number} are {condition}: {sessions}") from None

    def terminate_others(self) -> None:
        """End all other sessions of this database, and wait until they have ended."""
        self.ask(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )

    def close(self) -> None:
        self._connection.close()


@pytest.fixture
def server(database_url: str) -> Iterator[Server]:
    """A look at the database from outside any pool."""
    server = Server(database_url)
    yield server
    server.close()
