"""The pool lends at most what it may, takes back only what is clean, and never waits for ever."""

import gevent
import gevent.event
import psycopg2
import pytest

from colorless import DeadlineExceeded, TaskGroup, fail_after, go
from colorless.postgres import Pool, PoolClosed, PoolFull, PoolTimeout
from colorless.postgres import pool as pool_module
from colorless.postgres.connect import connect
from colorless.postgres.connection import Connection
from tests.colorless.postgres.conftest import MakePool, Server


def backend(connection: Connection) -> int:
    return connection.info.backend_pid


def borrow_until(pool: Pool, done: gevent.event.Event) -> gevent.Greenlet:
    """A green thread that holds a connection until ``done`` is set; returns once it has it."""
    has_it = gevent.event.Event()

    def hold() -> None:
        with pool.connection():
            has_it.set()
            done.wait()

    task = go(hold)
    has_it.wait()
    return task


def test_a_returned_connection_is_used_again(make_pool: MakePool) -> None:
    """One caller after the other shares one connection to the server."""
    pool = make_pool()
    with pool.connection() as c:
        first = backend(c)
    with pool.connection() as c:
        assert backend(c) == first
    assert pool.stats()["opened"] == 1


def test_the_limit_holds_while_connections_are_being_opened(
    make_pool: MakePool, server: Server
) -> None:
    """Fifty callers at once, and never more sessions in the server than max_size."""
    pool = make_pool(max_size=3)
    most = 0

    def query() -> None:
        nonlocal most
        with pool.connection() as c:
            c.execute("SELECT pg_sleep(0.002)")
        most = max(most, pool.stats()["size"])

    with TaskGroup() as group:
        for _ in range(50):
            group.go(query)
    assert most == 3
    assert server.count() == 3


def test_waiters_are_served_in_the_order_in_which_they_came(make_pool: MakePool) -> None:
    """Nobody overtakes."""
    pool = make_pool(max_size=1)
    done = gevent.event.Event()
    holder = borrow_until(pool, done)
    order: list[int] = []

    def take(number: int) -> None:
        with pool.connection():
            order.append(number)

    tasks = [go(take, number) for number in range(10)]
    gevent.idle()
    done.set()
    gevent.joinall([holder, *tasks], raise_error=True)
    assert order == list(range(10))


def test_a_wait_ends_after_the_timeout(make_pool: MakePool) -> None:
    """The error says how to fix it, and the pool is as before."""
    pool = make_pool(max_size=1, timeout=0.05)
    with pool.connection():
        with pytest.raises(PoolTimeout, match="max_size"):
            pool.connection().__enter__()
        assert pool.stats()["waiting"] == 0
    assert pool.stats()["timed_out"] == 1


def test_a_wait_ends_with_the_deadline(make_pool: MakePool) -> None:
    """The caller's deadline is the sooner, so it is what the caller sees."""
    pool = make_pool(max_size=1, timeout=60)
    with pool.connection():
        with pytest.raises(DeadlineExceeded), fail_after(0.05):
            pool.connection().__enter__()
        assert pool.stats()["waiting"] == 0


def test_an_inherited_deadline_ends_a_wait_too(make_pool: MakePool) -> None:
    """A task waits no longer than whoever started it may."""
    pool = make_pool(max_size=1, timeout=60)
    with pool.connection():
        with fail_after(0.05) as scope:
            task = go(pool.connection().__enter__)
        assert not scope.expired
        with pytest.raises(DeadlineExceeded):
            task.get()


def test_too_many_waiters_are_refused_at_once(make_pool: MakePool) -> None:
    """The queue is bounded, whatever the timeout."""
    pool = make_pool(max_size=1, max_waiting=0, timeout=60)
    with pool.connection(), pytest.raises(PoolFull):
        pool.connection().__enter__()
    assert pool.stats()["refused"] == 1


def test_a_killed_waiter_leaves_the_queue(make_pool: MakePool) -> None:
    """The connection that was on its way to it goes to the next one."""
    pool = make_pool(max_size=1)
    lease = pool.connection()
    lease.__enter__()
    killed, patient = go(pool.connection().__enter__), borrow_later(pool)
    gevent.idle()
    killed.kill(block=False)  # is thrown when this green thread waits, ...
    lease.__exit__(None, None, None)  # ... and the hand-over comes before that
    assert patient.get() == 1


def borrow_later(pool: Pool) -> gevent.Greenlet:
    def borrow() -> int:
        with pool.connection() as c:
            row = c.fetch_one("SELECT 1")
            assert row is not None
            return int(row[0])

    return go(borrow)


def test_an_ordinary_error_keeps_the_connection(make_pool: MakePool) -> None:
    """A query that the server refused says nothing against the connection."""
    pool = make_pool()
    with pytest.raises(psycopg2.errors.DivisionByZero), pool.connection() as c:
        c.execute("SELECT 1/0")
    assert pool.stats()["idle"] == 1


@pytest.mark.parametrize("error", [gevent.GreenletExit(), gevent.Timeout(), KeyboardInterrupt()])
def test_a_connection_is_closed_after_an_error_that_is_no_exception(
    make_pool: MakePool, server: Server, error: BaseException
) -> None:
    """Nobody knows where its user was stopped, so nobody uses it again."""
    pool = make_pool()
    with pytest.raises(type(error)), pool.connection():
        raise error
    assert pool.stats()["size"] == 0
    server.wait_for(0)


def test_an_open_transaction_never_reaches_the_next_user(make_pool: MakePool) -> None:
    """A forgotten transaction is an error where it was forgotten."""
    pool = make_pool()
    with (
        pytest.raises(psycopg2.ProgrammingError, match=r"pool\.transaction"),
        pool.connection() as c,
    ):
        c.execute("BEGIN")
        c.execute("CREATE TABLE left_open ()")
    with pool.connection() as c:
        assert c.fetch_one("SELECT to_regclass('left_open')") == (None,)


def test_autocommit_is_restored(make_pool: MakePool) -> None:
    """What one user did to autocommit is not what the next one gets."""
    pool = make_pool()
    with pool.connection() as c:
        c.autocommit = False
    with pool.connection() as c:
        assert c.autocommit


def test_an_old_connection_is_replaced(make_pool: MakePool) -> None:
    """max_lifetime ends a connection when it comes back."""
    pool = make_pool(max_lifetime=0)
    with pool.connection() as c:
        first = backend(c)
    assert pool.stats()["size"] == 0
    with pool.connection() as c:
        assert backend(c) != first


def test_an_idle_connection_is_closed(make_pool: MakePool, server: Server) -> None:
    """A quiet pool gives its connections back to the server, without being asked for one."""
    pool = make_pool(max_idle=0.02)
    with pool.connection():
        pass
    server.wait_for(0)
    assert pool.stats()["size"] == 0


def test_a_connection_that_died_idle_is_replaced(make_pool: MakePool, server: Server) -> None:
    """Its next user never learns that it was gone."""
    pool = make_pool(check_after=0)
    with pool.connection() as c:
        c.execute("SELECT 1")
    server.terminate_others()
    with pool.connection() as c:
        assert c.fetch_one("SELECT 1") == (1,)
    assert pool.stats()["replaced"] == 1


def test_one_lost_connection_makes_the_idle_ones_prove_themselves(
    make_pool: MakePool, server: Server
) -> None:
    """After a restart of the server one caller sees an error, not one per connection."""
    pool = make_pool(max_size=5, check_after=60)
    done = gevent.event.Event()
    holders = [borrow_until(pool, done) for _ in range(5)]
    done.set()
    gevent.joinall(holders, raise_error=True)
    server.terminate_others()
    with pytest.raises(psycopg2.OperationalError), pool.connection() as c:
        c.execute("SELECT 1")
    for _ in range(5):
        assert borrow_later(pool).get() == 1


def test_closing_wakes_whoever_waits(make_pool: MakePool) -> None:
    """A waiter is told that no connection will come."""
    pool = make_pool(max_size=1)
    done = gevent.event.Event()
    holder = borrow_until(pool, done)
    waiter = borrow_later(pool)
    gevent.idle()
    closer = go(pool.close)
    with pytest.raises(PoolClosed):
        waiter.get()
    assert not closer.ready()  # it waits for the one that is lent
    done.set()
    closer.get()
    holder.get()
    with pytest.raises(PoolClosed):
        pool.connection().__enter__()


def test_closing_while_a_connection_is_opened(
    make_pool: MakePool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is closed as soon as it is open, and its caller is told."""
    pool = make_pool()
    arrived, go_on = gevent.event.Event(), gevent.event.Event()

    def slow_connect(dsn: str, timeout: float) -> Connection:
        arrived.set()
        go_on.wait()
        return connect(dsn, timeout)

    monkeypatch.setattr(pool_module, "connect", slow_connect)
    caller = go(pool.connection().__enter__)
    arrived.wait()
    closer = go(pool.close)
    gevent.idle()
    go_on.set()
    with pytest.raises(PoolClosed):
        caller.get()
    closer.get()
    assert pool.stats()["size"] == 0


def test_mistakes_are_told_with_what_to_write(make_pool: MakePool) -> None:
    """A pool of nothing, a lease without its block and a DSN of another library's are refused."""
    with pytest.raises(ValueError, match="give it 1 or more"):
        make_pool(max_size=0)
    with pytest.raises(AttributeError, match=r"with pool\.connection\(\) as c:"):
        make_pool().connection().fetch_one("SELECT 1")  # type: ignore[attr-defined]
    stranger = Pool("postgresql+psycopg2://ada:secret@localhost/chat")
    with pytest.raises(psycopg2.ProgrammingError, match="postgresql://") as caught:
        stranger.connection().__enter__()
    assert "secret" not in str(caught.value)
