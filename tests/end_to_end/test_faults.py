"""Under faults of every kind: nothing that was acknowledged is lost, and every stream tells the
same story, each event once and in order."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import gevent
import psutil
import psycopg2
import pytest

from service.db.embedded import EmbeddedPostgres
from service.db.migrate import migrate
from tests.tools.nats import nats_cluster
from tests.tools.people import Town, serving
from tests.tools.server import Server
from tests.tools.storm import Storm

SETTINGS = {"workers": 2, "position_check": 2, "graceful_timeout": 6}


@pytest.fixture
def migrated_url(database_url: str) -> str:
    migrate(database_url)
    return database_url


@pytest.fixture
def own_postgres() -> Iterator[EmbeddedPostgres]:
    """A server that a test may restart. Not below pytest's own directory: another pytest that
    starts closes that to the user that PostgreSQL runs as."""
    with tempfile.TemporaryDirectory(prefix="colorless-") as folder:
        server = EmbeddedPostgres(Path(folder) / "data")
        migrate(server.start())
        yield server
        server.stop()


def busiest_worker(server: Server) -> int:
    """The one with the most connections: the other may have none."""
    workers = psutil.Process(server.process.pid).children()
    pid: int = max(workers, key=lambda worker: worker.num_fds()).pid
    return pid


def kill_a_worker(server: Server) -> None:
    """As the kernel does when memory runs out."""
    os.kill(busiest_worker(server), signal.SIGKILL)


def deploy(server: Server) -> None:
    """Replace all workers, gracefully."""
    server.process.send_signal(signal.SIGHUP)


def stop_a_worker_for_a_while(server: Server) -> None:
    """As a paused container: its clients see nothing happen."""
    pid = busiest_worker(server)
    os.kill(pid, signal.SIGSTOP)
    gevent.sleep(3)
    os.kill(pid, signal.SIGCONT)


@pytest.mark.parametrize("fault", [kill_a_worker, deploy, stop_a_worker_for_a_while])
def test_a_worker_fails(migrated_url: str, fault: Callable[[Server], None]) -> None:
    """Its clients go on with another worker where they were."""
    with serving(migrated_url, **SETTINGS) as server:
        storm = Storm(Town(migrated_url), [server.url])
        storm.check(storm.run(lambda: fault(server)))
        if fault is not stop_a_worker_for_a_while:
            assert any(watcher.connections > 1 for watcher in storm.watchers)


def test_every_database_connection_is_ended(migrated_url: str) -> None:
    """Pools, listeners and senders connect again by themselves."""

    def end_them() -> None:
        admin = psycopg2.connect(migrated_url)
        admin.autocommit = True
        admin.cursor().execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            "WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        admin.close()

    with serving(migrated_url, **SETTINGS) as server:
        storm = Storm(Town(migrated_url), [server.url])
        storm.check(storm.run(end_them))


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_the_database_restarts(own_postgres: EmbeddedPostgres, mode: str) -> None:
    """In good order, and as after a crash: what was acknowledged is there."""
    with serving(own_postgres.url, **SETTINGS) as server:
        storm = Storm(Town(own_postgres.url), [server.url])
        storm.check(storm.run(lambda: own_postgres.restart(mode)))


@pytest.mark.parametrize("fault", ["killed", "partitioned"])
def test_nats_fails(migrated_url: str, fault: str) -> None:
    """While it is away, streams go on by the position check; afterwards by notices again."""
    with nats_cluster(1) as (nats,), serving(migrated_url, nats_url=nats.url, **SETTINGS) as server:

        def lose_it() -> None:
            (nats.kill if fault == "killed" else nats.fall_silent)()
            gevent.sleep(4)
            (nats.start if fault == "killed" else nats.speak_again)()

        storm = Storm(Town(migrated_url), [server.url])
        storm.check(storm.run(lose_it))
        assert all(watcher.connections == 1 for watcher in storm.watchers)
