"""Cooperation is proved, not assumed: others run while one waits for the server."""

import gevent
import gevent.event

from colorless import TaskGroup
from tests.colorless.postgres.conftest import MakePool, Server
from tests.tools.fresh import output_of


def test_a_ticker_runs_beside_a_query_in_a_fresh_process(
    database_url: str, way_to_wait: str
) -> None:
    """What this test runner has patched or imported plays no part in it."""
    ticks = output_of(
        f"""
        import os
        os.environ["COLORLESS_WAIT"] = {way_to_wait!r}
        from colorless.patch import patch_everything; patch_everything()
        from colorless.postgres import Pool
        from tests.tools.ticker import Ticker

        pool = Pool({database_url!r})
        with Ticker() as ticker, pool.connection() as c:
            c.execute("SELECT pg_sleep(0.5)")
        print(ticker.count)
        pool.close()
        """
    )
    assert int(ticks) >= 5


def test_200_queries_run_in_the_server_at_the_same_time(
    make_pool: MakePool, server: Server
) -> None:
    """One process, 200 green threads, 200 sessions that all wait for one lock."""
    pool = make_pool(max_size=200)
    server.ask("SELECT pg_advisory_lock(1)")

    def query(number: int) -> None:
        with pool.connection() as c:
            answer = c.fetch_one("SELECT %s, pg_advisory_lock_shared(1)", (number,))
            assert answer == (number, "")

    with TaskGroup() as group:
        for number in range(200):
            group.go(query, number)
        server.wait_for(200, "state = 'active' AND wait_event = 'advisory'")
        server.ask("SELECT pg_advisory_unlock(1)")
    assert pool.stats()["opened"] == 200


def test_the_hub_runs_while_a_pool_is_drained(make_pool: MakePool) -> None:
    """Waiting in the queue blocks nobody but the waiter."""
    pool = make_pool(max_size=1)
    turns = 0
    done = gevent.event.Event()

    def count() -> None:
        nonlocal turns
        while not done.is_set():
            gevent.sleep(0)
            turns += 1

    def query() -> None:
        with pool.connection() as c:
            c.execute("SELECT pg_sleep(0.001)")

    counter = gevent.spawn(count)
    with TaskGroup() as group:
        for _ in range(20):
            group.go(query)
    done.set()
    counter.join()
    assert turns > 20
