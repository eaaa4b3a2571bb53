"""``serve`` as a person meets it: one command starts everything, one signal ends it all."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from service.db.embedded import EmbeddedPostgres
from tests.end_to_end.serving import none_left, serving
from tests.tools.folders import folder_for_postgres
from tests.tools.held import messages_held, wait_until_refused
from tests.tools.walk import Visitor, walk

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def data() -> Iterator[Path]:
    """One data directory for the module: each test starts where another stopped."""
    with folder_for_postgres() as folder:
        yield folder


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder."""
    with folder_for_postgres() as folder:
        yield folder


def serve_fails(**env: str) -> str:
    """What ``serve`` says when it refuses to start."""
    environment = {**os.environ, "DATABASE_URL": "", **env}
    done = subprocess.run(
        [sys.executable, "-m", "service", "serve"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode not in (0, None), done.stdout
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr


def test_one_command_serves_the_walk_of_a_new_user(data: Path) -> None:
    """Register, log in, make a room, post, read and search work on what serve prints."""
    with serving(data) as service:
        assert f"the page            {service.url}/" in service.server.output()
        walk(service.url)


def test_data_is_there_at_the_next_start(data: Path) -> None:
    """What was posted before a stop is read after the next start."""
    with serving(data) as service:
        visitor, room = walk(service.url)
        visitor.posts(room, "still here?")
    with serving(data) as service:
        again = Visitor(service.url)
        again.logs_in(visitor.name)
        assert "still here?" in again.reads(room)


@pytest.fixture
def sighup_not_ignored() -> Iterator[None]:
    """A service that is started under nohup leaves SIGHUP ignored; these tests may be, too."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


@pytest.mark.usefixtures("sighup_not_ignored")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_stops_everything(data: Path, number: signal.Signals) -> None:
    """After SIGINT, SIGTERM or SIGHUP no process is left, and the exit status is 0."""
    with serving(data) as service:
        processes = service.processes()
        assert len(processes) > 4, "serve, gunicorn, two workers, PostgreSQL and its helpers"
        assert service.server.stop(number) == 0
        assert none_left(processes)


def test_ctrl_c_under_make_stops_everything(data: Path) -> None:
    """SIGINT for the whole foreground group, make included, leaves no process behind."""
    env = {**os.environ, "PORT": "0", "DATA_DIR": str(data), "DATABASE_URL": ""}
    make = subprocess.Popen(
        ["make", "--silent", f"VENV={sys.prefix}", "serve"],
        cwd=ROOT,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert make.stdout is not None
    with make.stdout:
        assert any("Ctrl-C stops it" in line for line in make.stdout)
        processes = [psutil.Process(make.pid), *psutil.Process(make.pid).children(recursive=True)]
        os.killpg(make.pid, signal.SIGINT)
        make.stdout.read()
    make.wait(30)
    assert none_left(processes)


def test_a_request_under_way_is_answered_after_sigterm(data: Path) -> None:
    """SIGTERM closes the door, and who is inside is served: 201, then exit status 0."""
    with serving(data) as service, ThreadPoolExecutor() as threads:
        visitor, room = walk(service.url)
        with messages_held(service.database) as wait_for:
            slow = threads.submit(visitor.posts, room, "the last word")
            wait_for(1)
            service.server.process.terminate()
            wait_until_refused(service.url)
            assert not slow.done()
        assert slow.result(timeout=30)["body"] == "the last word"
        assert service.server.process.wait(30) == 0


def test_a_second_ctrl_c_waits_for_nobody(data: Path) -> None:
    """While a request keeps the first Ctrl-C waiting, the second ends everything."""
    with serving(data) as service, ThreadPoolExecutor() as threads:
        visitor, room = walk(service.url)
        processes = service.processes()
        with messages_held(service.database) as wait_for:
            slow = threads.submit(visitor.posts, room, "too late")
            wait_for(1)
            service.server.process.send_signal(signal.SIGINT)
            wait_until_refused(service.url)
            service.server.process.send_signal(signal.SIGINT)
            assert isinstance(slow.exception(timeout=30), OSError)
            service.server.process.wait(30)
        assert none_left(processes)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_killing_serve_itself_leaves_nothing(data: Path) -> None:
    """SIGKILL of serve alone takes gunicorn and PostgreSQL with it, and the next start works."""
    with serving(data) as service:
        processes = service.processes()
        service.server.process.kill()
        assert none_left(processes)
    with serving(data) as service:
        walk(service.url)


def test_killing_every_process_is_recovered_from(data: Path) -> None:
    """After SIGKILL of everything at once, the next start has the data."""
    with serving(data) as service:
        visitor, _ = walk(service.url)
        for process in service.processes():
            with suppress(psutil.NoSuchProcess):  # those killed before take others with them
                process.kill()
        service.server.process.wait()
    assert (data / "postgres" / "postmaster.pid").exists()
    with serving(data) as service:
        Visitor(service.url).logs_in(visitor.name)


def test_a_taken_port_is_said_before_anything_starts(data: Path) -> None:
    """The message names the address and the settings; PostgreSQL is not started for it."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        said = serve_fails(PORT=port, DATA_DIR=str(data / "never"))
    assert f"127.0.0.1 port {port}" in said
    assert "Set HOST or PORT" in said
    assert not (data / "never").exists()


@pytest.mark.parametrize("where", [{"HOST": "nowhere.invalid"}, {"PORT": "99999"}])
def test_an_impossible_address_is_said(folder: Path, where: dict[str, str]) -> None:
    """A name that is no address, and a number that is no port, get the same plain sentence."""
    assert "Set HOST or PORT" in serve_fails(DATA_DIR=str(folder), **where)


def test_an_impossible_network_is_said(data: Path) -> None:
    """What the workers would fail at is said once, and nothing is started for it."""
    said = serve_fails(PORT="0", DATA_DIR=str(data / "never"), OUTSIDE_ALLOW="nowhere")
    assert "OUTSIDE_ALLOW: 'nowhere' is no network" in said
    assert not (data / "never").exists()


def test_two_over_the_same_data_are_refused(data: Path) -> None:
    """The second serve names the process that has the data, and leaves the first alone."""
    with serving(data) as service:
        said = serve_fails(PORT="0", DATA_DIR=str(data))
        assert f"in use by process {service.server.process.pid}" in said
        walk(service.url)


def test_a_given_database_is_used_and_none_started(database_url: str, folder: Path) -> None:
    """With DATABASE_URL set, that database is migrated and used; no server runs beside it."""
    with serving(folder, DATABASE_URL=database_url) as service:
        walk(service.url)
        assert not [one for one in service.processes() if one.name() == "postgres"]
    assert not list(folder.iterdir())


def test_an_unreachable_database_is_said_plainly(folder: Path) -> None:
    """No traceback, but which setting is wrong and what to do."""
    said = serve_fails(PORT="0", DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing")
    assert "DATABASE_URL cannot be used" in said
    assert "Connection refused" in said


def test_pools_that_can_never_fill_are_refused(database_url: str) -> None:
    """More connections than the server allows: said at the start, with what to change."""
    said = serve_fails(PORT="0", DATABASE_URL=database_url, WORKERS="3", POOL_SIZE="200")
    assert "Lower WORKERS or POOL_SIZE, or raise the server's max_connections" in said


def test_an_embedded_server_is_made_as_large_as_needed(folder: Path) -> None:
    """Its own max_connections follows WORKERS and POOL_SIZE."""
    with serving(folder, WORKERS="2", POOL_SIZE="400") as service:
        walk(service.url)


def test_the_embedded_server_is_out_of_reach_of_ctrl_c(embedded_server: EmbeddedPostgres) -> None:
    """It has a session of its own, so a terminal's SIGINT is for serve alone to act on."""
    pid = int((embedded_server.data / "postmaster.pid").read_text().split()[0])
    assert os.getsid(pid) == pid
