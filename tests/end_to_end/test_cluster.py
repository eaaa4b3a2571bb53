"""Several machines: four service processes that have a database and a NATS cluster in common."""

from __future__ import annotations

import signal
from contextlib import ExitStack

import gevent
import psutil

from service.db.migrate import migrate
from tests.tools.nats import nats_cluster
from tests.tools.people import Town, serving
from tests.tools.server import Server
from tests.tools.storm import Storm


def crash(server: Server) -> None:
    """The master and its worker, at once and without a word."""
    master = psutil.Process(server.process.pid)
    for process in (master, *master.children()):
        process.send_signal(signal.SIGKILL)
    server.process.wait(10)


def test_one_of_each_is_killed_under_load(database_url: str) -> None:
    """With one of three NATS servers and one of four service processes killed while people write,
    every acknowledged message reaches every subscriber exactly once, in order."""
    migrate(database_url)
    with ExitStack() as stack:
        nats = stack.enter_context(nats_cluster(3))
        addresses = ",".join(server.url for server in nats)
        settings = {"nats_url": addresses, "position_check": 5, "pool_size": 5}
        servers = [stack.enter_context(serving(database_url, **settings)) for _ in range(4)]

        def kill_one_of_each() -> None:
            nats[0].kill()
            gevent.sleep(0.5)
            crash(servers[0])

        storm = Storm(Town(database_url), [server.url for server in servers], watchers=8)
        storm.check(storm.run(kill_one_of_each))
