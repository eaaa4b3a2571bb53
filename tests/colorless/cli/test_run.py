"""`colorless run` serves applications of both interfaces, and nothing blocks in them."""

import contextlib
import itertools
import os
import time
from collections.abc import Iterator
from pathlib import Path

import gevent
import pytest
import requests
from websockets.asyncio.client import connect

from colorless.bridge import await_, entered
from colorless.tasks import TaskGroup
from tests.colorless.cli.apps import PARTY
from tests.tools.fresh import run_fresh
from tests.tools.server import Server, running

APPS = "tests.colorless.cli.apps"
ONE_WORKER = ["--bind", "127.0.0.1:0", "--workers", "1"]


@pytest.fixture(scope="module")
def fastapi() -> Iterator[Server]:
    with running(["colorless", "run", *ONE_WORKER, f"{APPS}:asgi"]) as server:
        yield server


# The least there is of each.
SOURCES = {
    "wsgi": "def app(environ, start_response):\n    start_response('200 OK', [])\n    return []\n",
    "asgi": """
async def app(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})
""",
}


def get_together(url: str) -> list[int]:
    """What PARTY simultaneous requests get; each is held until all have arrived."""

    def ask() -> int:
        response = requests.get(url, timeout=20)
        assert response.status_code == 200, response.text
        return int(response.text)

    with TaskGroup() as group:
        tasks = [group.go(ask) for _ in range(PARTY)]
    return [task.get() for task in tasks]


@pytest.mark.parametrize("where", ["async", "def", "threadpool"])
def test_blocking_code_in_fastapi_blocks_nobody(fastapi: Server, where: str) -> None:
    """Requests that block inside async def, def and run_in_threadpool are held at the same time."""
    assert get_together(f"{fastapi.url}/meet/{where}") == [PARTY] * PARTY


def test_from_thread_reaches_the_loop(fastapi: Server) -> None:
    """A def route calls back into the loop with anyio.from_thread.run."""
    assert requests.get(f"{fastapi.url}/from-thread", timeout=10).status_code == 200


def test_lifespan_and_background_tasks_run(fastapi: Server) -> None:
    """The lifespan has started before the first request; background work runs after its answer."""
    requests.get(f"{fastapi.url}/background", timeout=10)
    happened = requests.get(f"{fastapi.url}/happened", timeout=10).json()
    assert happened == ["started", "background"]


def test_route_uses_a_pool_of_processes(fastapi: Server) -> None:
    """Forked children compute, answer no requests, and end when they are told to."""
    for _ in range(3):
        assert requests.get(f"{fastapi.url}/processes", timeout=20).json() == [2, 1]


def test_synchronous_generator_streams(fastapi: Server) -> None:
    """A streaming answer made by a plain generator arrives whole."""
    assert requests.get(f"{fastapi.url}/stream", timeout=10).text == "0\n1\n2\n"


def test_websocket_echoes(fastapi: Server) -> None:
    """A WebSocket route that blocks between messages answers a stock client."""
    with entered(connect(f"ws://127.0.0.1:{fastapi.port}/echo")) as socket:
        for text in ("a", "b"):
            await_(socket.send(text))
            assert await_(socket.recv()) == text.upper()


def test_lifespan_ends_on_sigterm() -> None:
    """SIGTERM ends the server with status 0 after the application's shutdown code has run."""
    with running(["colorless", "run", *ONE_WORKER, f"{APPS}:asgi"]) as server:
        assert server.stop() == 0
        assert "lifespan ended" in server.output()


def test_wsgi_application_is_told_from_asgi() -> None:
    """A Flask application is served by the same command, and nothing blocks in it either."""
    with running(["colorless", "run", *ONE_WORKER, f"{APPS}:wsgi"]) as server:
        assert get_together(f"{server.url}/meet") == [PARTY] * PARTY


def test_application_that_cannot_be_imported_is_explained() -> None:
    """The reason for a failed import is shown, once, before any worker starts."""
    code = "import sys; sys.argv = ['colorless', 'run', 'no.such:app']\n"
    done = run_fresh(code + "from colorless.cli.main import main; main()")
    assert done.returncode != 0
    assert "cannot import no.such:app" in done.stderr
    assert "No module named 'no'" in done.stderr


def test_application_is_looked_for_as_a_worker_will(tmp_path: Path) -> None:
    """--pythonpath and --env hold when it is found out what the application is."""
    (tmp_path / "needy.py").write_text("import os; os.environ['NEEDED']; app = lambda e, s: []")
    options = [*ONE_WORKER, "--pythonpath", str(tmp_path), "--env", "NEEDED=1"]
    with running(["colorless", "run", *options, "needy:app"]) as server:
        assert "colorless.worker.WSGIWorker" in server.output()


@pytest.mark.parametrize("interface", ["asgi", "wsgi"])
def test_reload_sees_a_syntax_error_come_and_go(tmp_path: Path, interface: str) -> None:
    """A saved mistake is what requests are told, and when it is mended the application is back."""
    program = tmp_path / "saved.py"
    program.write_text(SOURCES[interface])
    # Not in this repository's folder, whose gunicorn.conf.py loads the application in the master.
    with running(
        ["colorless", "run", *ONE_WORKER, "--reload", "saved:app"], cwd=tmp_path
    ) as server:
        save_until(server, 500, program, "def broken(:")
        save_until(server, 200, program, SOURCES[interface])


_later = itertools.count(10, 10)


def save_until(server: Server, status: int, program: Path, text: str) -> None:
    """Save, again and again, since the reloader may not have looked at the file before."""
    program.write_text(text)
    with gevent.Timeout(30, TimeoutError(server.output())):
        while True:
            os.utime(program, times=(time.time() + next(_later),) * 2)
            with contextlib.suppress(requests.ConnectionError):
                if requests.get(server.url, timeout=10).status_code == status:
                    return
            gevent.sleep(0.5)


LIMITED = """
from colorless.worker import Limits, {base}

class worker_class({base}):
    limits = Limits(stall_timeout=61.0)
"""
TELLS_LIMIT = (
    SOURCES["wsgi"]
    .replace("200 OK", "200 {limit}")
    .replace(
        "start_response('",
        "limits = environ['colorless.connection'].server.settings.limits\n    start_response(f'",
    )
    .replace("{limit}", "{limits.stall_timeout}")
)


def test_a_worker_class_of_ones_own_is_used(tmp_path: Path) -> None:
    """One that the configuration file derives from ours is how ``Limits`` are set."""
    (tmp_path / "gunicorn.conf.py").write_text(LIMITED.format(base="WSGIWorker"))
    (tmp_path / "saved.py").write_text(TELLS_LIMIT)
    with running(["colorless", "run", *ONE_WORKER, "saved:app"], cwd=tmp_path) as server:
        assert requests.get(server.url, timeout=10).reason == "61.0"


def test_a_worker_class_that_cannot_serve_the_application_is_refused(tmp_path: Path) -> None:
    """The message says which one to derive from."""
    (tmp_path / "gunicorn.conf.py").write_text(LIMITED.format(base="WSGIWorker"))
    (tmp_path / "saved.py").write_text(SOURCES["asgi"])
    code = f"import os, sys; os.chdir({str(tmp_path)!r}); sys.argv = ['x', 'run', 'saved:app']\n"
    done = run_fresh(code + "from colorless.cli.main import main; main()")
    assert done.returncode == 1
    assert "derive it from colorless.worker.asgi.ASGIWorker" in done.stderr


def test_any_other_worker_class_of_the_configuration_file_is_not_used(tmp_path: Path) -> None:
    """It was chosen for gunicorn alone; one of ours is taken by what the application is."""
    for said in ("gthread", "colorless.worker.WSGIWorker"):
        (tmp_path / "gunicorn.conf.py").write_text(f"worker_class = {said!r}")
        (tmp_path / "saved.py").write_text(SOURCES["asgi"])
        with running(["colorless", "run", *ONE_WORKER, "saved:app"], cwd=tmp_path) as server:
            assert requests.get(server.url, timeout=10).status_code == 200
