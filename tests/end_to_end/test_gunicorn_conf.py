"""``gunicorn.conf.py`` under gunicorn itself, as a container runs it."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import gevent
import psutil
import pytest
import requests

from service.db.migrate import migrate
from tests.tools.server import Server, running
from tests.tools.walk import walk

ROOT = Path(__file__).parents[2]
STOCK, OURS = "gevent", "colorless.worker.WSGIWorker"


@contextmanager
def gunicorn(
    folder: Path, database_url: str, worker_class: str = OURS, *, preload: bool = True, **env: str
) -> Iterator[Server]:
    """gunicorn with the project's configuration, and the service with one more view."""
    configuration = folder / "gunicorn.conf.py"
    configuration.write_text(
        (ROOT / "gunicorn.conf.py").read_text()
        + f"\nwsgi_app = 'tests.end_to_end.application:app'\npreload_app = {preload}\n"
    )
    migrate(database_url)
    environment = {
        "DATABASE_URL": database_url,
        "WORKER_CLASS": worker_class,
        "WORKERS": "2",
        "PORT": "0",
        "PYTHONPATH": str(ROOT),
        **env,
    }
    command = ["gunicorn", "--config", str(configuration)]
    with running(command, env=environment, cwd=folder) as server:
        yield server


def workers(server: Server) -> list[psutil.Process]:
    return psutil.Process(server.process.pid).children()


@pytest.mark.parametrize("preload", [True, False])
@pytest.mark.parametrize("worker_class", [STOCK, OURS])
def test_every_worker_class_serves_with_and_without_preload(
    tmp_path: Path, database_url: str, worker_class: str, preload: bool
) -> None:
    """The walk works, and a view may start a program: SIGCHLD arrives where it is waited for."""
    with gunicorn(tmp_path, database_url, worker_class, preload=preload) as server:
        walk(server.url)
        for _ in range(4):  # both workers are likely to have had one
            assert requests.get(f"{server.url}/run", timeout=30).text == "it ran\n"
        assert server.stop() == 0
        assert "Traceback" not in server.output()


def test_a_worker_being_born_does_not_hold_up_a_stop(tmp_path: Path, database_url: str) -> None:
    """SIGTERM between the fork and the worker's own handlers ends it at once."""
    configuration = tmp_path / "slow_birth.py"
    configuration.write_text(
        (ROOT / "gunicorn.conf.py").read_text()
        + "\nimport time"
        + "\n_theirs = post_fork"
        + "\ndef post_fork(server, worker):"
        + "\n    _theirs(server, worker)"
        + "\n    server.log.info('being born')"
        + "\n    time.sleep(600)\n"
    )
    env = {
        "DATABASE_URL": database_url,
        "PORT": "0",
        "WORKERS": "1",
        "GRACEFUL_TIMEOUT": "600",
        "PYTHONPATH": str(ROOT),
    }
    command = ["gunicorn", "--config", str(configuration)]
    with running(command, env=env, cwd=tmp_path) as server:
        server.wait_for("being born")
        assert server.stop() == 0


def test_reloads_leak_no_descriptors(tmp_path: Path, database_url: str) -> None:
    """After five reloads the master has as many files open as before the first."""

    def reload() -> None:
        before = set(workers(server))
        psutil.Process(server.process.pid).send_signal(signal.SIGHUP)
        with gevent.Timeout(30, AssertionError("the old workers stay")):
            while len(now := set(workers(server))) != 2 or before & now:
                gevent.sleep(0.02)
        assert requests.get(f"{server.url}/livez", timeout=30).ok

    with gunicorn(tmp_path, database_url) as server:
        server.wait_for(r"(?s)Booting worker.*Booting worker")
        master = psutil.Process(server.process.pid)
        at_rest = master.num_fds()
        for _ in range(5):
            reload()
        # A worker's heartbeat file is closed when the master has reaped it, a moment after its end.
        with gevent.Timeout(10, AssertionError(f"{master.num_fds()} files, {at_rest} before")):
            while master.num_fds() > at_rest:
                gevent.sleep(0.02)


def test_a_database_that_is_away_is_waited_for(tmp_path: Path, database_url: str) -> None:
    """The service starts without its database, says so once, is alive, and is not ready."""
    migrate(database_url)
    away = "postgresql://nobody@127.0.0.1:1/nothing"
    configuration = ["--config", str(ROOT / "gunicorn.conf.py")]
    env = {"DATABASE_URL": away, "PORT": "0", "WORKERS": "1"}
    with running(["gunicorn", *configuration], env=env, cwd=ROOT) as server:
        server.wait_for("The database cannot be reached yet")
        assert requests.get(f"{server.url}/livez", timeout=30).ok
        assert requests.get(f"{server.url}/readyz", timeout=30).status_code == 503


def test_access_log_is_off_until_asked_for(tmp_path: Path, database_url: str) -> None:
    """ACCESS_LOG=- writes a line for each request; without it there is none."""
    for setting, lines in (("", 0), ("-", 1)):
        with gunicorn(tmp_path, database_url, ACCESS_LOG=setting) as server:
            requests.get(f"{server.url}/livez?seen", timeout=30)
            server.stop()
            assert server.output().count("/livez?seen") == lines


def test_log_lines_are_json_when_asked_for(tmp_path: Path, database_url: str) -> None:
    """LOG_FORMAT=json makes gunicorn's own lines objects with an event and a level."""
    with gunicorn(tmp_path, database_url, LOG_FORMAT="json") as server:
        line = server.wait_for(r'\{.*"event": "Booting worker.*\}')[0]
        assert '"level": "info"' in line
