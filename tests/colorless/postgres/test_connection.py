"""What a lent connection does for its user, and what it refuses."""

from typing import Any

import gevent
import psycopg2
import pytest

from colorless import DeadlineExceeded, fail_after, go
from colorless.postgres import ConnectionShared, NotCooperative
from colorless.postgres.connection import KEPT_ROWS
from tests.colorless.postgres.conftest import MakePool, Server
from tests.tools.fresh import output_of


def test_the_three_verbs(make_pool: MakePool) -> None:
    """All rows, one row or none, and a count."""
    with make_pool().connection() as c:
        assert c.fetch_all("SELECT * FROM generate_series(1, %s)", (2,)) == [(1,), (2,)]
        assert c.fetch_one("SELECT %(a)s, %(b)s", {"a": "x", "b": None}) == ("x", None)
        assert c.fetch_one("SELECT 1 WHERE false") is None
        assert c.execute("CREATE TEMPORARY TABLE three (n int)") == -1
        assert c.execute("INSERT INTO three SELECT generate_series(1, 3)") == 3


def test_two_green_threads_on_one_connection(make_pool: MakePool, server: Server) -> None:
    """The second one is told who uses it; the first one gets its answer."""

    def the_first_user() -> object:
        return connection.fetch_one("SELECT 'mine', pg_sleep(0.1)")

    def the_second_user() -> object:
        return connection.fetch_one("SELECT 'theirs'")

    with make_pool().connection() as connection:
        first = go(the_first_user)
        server.wait_for(1, "state = 'active' AND query LIKE '%pg_sleep%'")
        with pytest.raises(ConnectionShared, match=r"the_second_user.*the_first_user"):
            go(the_second_user).get()
        assert first.get() == ("mine", "")


@pytest.mark.parametrize("use", ["close", "commit", "rollback", "cursor"])
def test_whatever_would_hang_the_process_is_refused(
    make_pool: MakePool, server: Server, use: str
) -> None:
    """psycopg2 holds a lock while it waits; a second green thread must not ask for it."""
    with make_pool().connection() as c:
        first = go(c.fetch_one, "SELECT pg_sleep(0.1)")
        server.wait_for(1, "state = 'active' AND query LIKE '%pg_sleep%'")
        with pytest.raises(ConnectionShared):
            c.cursor().execute("SELECT 1") if use == "cursor" else getattr(c, use)()
        first.get()


def test_copy_and_large_objects_say_what_to_do(make_pool: MakePool) -> None:
    """The error names the way out."""
    with make_pool().connection() as c:
        cursor: Any = c.cursor()
        for impossible in (cursor.copy_from, cursor.copy_to, cursor.copy_expert, c.lobject):
            with pytest.raises(NotCooperative, match=r"docs/postgres\.md"):
                impossible()


def test_a_big_result_is_not_kept(make_pool: MakePool) -> None:
    """An idle connection does not hold on to the last user's million rows."""
    with make_pool().connection() as c:
        c.fetch_all("SELECT 1")
        assert c._cursor is not None
        for verb in (c.fetch_all, c.fetch_one, c.execute):
            verb(f"SELECT generate_series(0, {KEPT_ROWS})")
            assert c._cursor is None


def test_a_commit_that_would_be_a_rollback_is_an_error(make_pool: MakePool) -> None:
    """A block that swallowed an error does not look as if it had succeeded."""
    pool = make_pool()
    with (
        pytest.raises(psycopg2.errors.InFailedSqlTransaction, match="SAVEPOINT"),
        pool.transaction() as tx,
        pytest.raises(psycopg2.errors.DivisionByZero),
    ):
        tx.execute("SELECT 1/0")
    assert pool.stats()["idle"] == 1


def test_a_transaction_is_all_or_nothing(make_pool: MakePool, server: Server) -> None:
    """Committed at the end of the block, rolled back after an error in it."""
    server.ask("CREATE TABLE ledger_of_two (n int)")
    pool = make_pool()
    with pool.transaction() as tx:
        tx.execute("INSERT INTO ledger_of_two VALUES (1)")
    with pytest.raises(ZeroDivisionError), pool.transaction() as tx:
        tx.execute("INSERT INTO ledger_of_two VALUES (2)")
        raise ZeroDivisionError
    assert server.ask("SELECT n FROM ledger_of_two") == [(1,)]
    assert pool.stats()["opened"] == 1
    server.ask("DROP TABLE ledger_of_two")


def test_watchers_do_not_outlive_their_connection(make_pool: MakePool) -> None:
    """The next connection gets the same descriptor number, and watchers of its own."""
    pool = make_pool(max_lifetime=0)
    for _ in range(20):
        with pool.connection() as c:
            c.execute("SELECT 1")
            descriptor = c.fileno()
            watchers = c.watchers
        assert c.watchers is None
        assert watchers is None or not watchers.read.active
    gevent.idle()
    assert descriptor < 1000


def test_watchers_are_gone_when_a_wait_is_interrupted(make_pool: MakePool) -> None:
    """psycopg2 closes the socket then, and its number may be another one's at once."""
    with make_pool().connection() as c:
        c.execute("SELECT 1")
        with pytest.raises(DeadlineExceeded), fail_after(0.05):
            c.execute("SELECT pg_sleep(600)")
        assert c.closed
        assert c.watchers is None


def test_a_forked_child_has_connections_of_its_own(database_url: str, way_to_wait: str) -> None:
    """Parent and child both get right answers, and no session is shared."""
    printed = output_of(
        f"""
        import os
        os.environ["COLORLESS_WAIT"] = {way_to_wait!r}
        from colorless.patch import patch_everything; patch_everything()
        from colorless.postgres import Pool

        pool = Pool({database_url!r})
        def backend():
            with pool.connection() as c:
                return c.fetch_one("SELECT pg_backend_pid()")[0]

        before = backend()
        read, write = os.pipe()
        child = os.fork()
        if child == 0:
            os.write(write, str(backend()).encode())
            pool.close()
            os._exit(0)
        _, status = os.waitpid(child, 0)
        theirs = int(os.read(read, 100))
        print(status == 0, theirs != before, backend() == before, pool.stats()["opened"])
        pool.close()
        """
    )
    assert printed == "True True True 1"
